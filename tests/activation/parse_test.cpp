#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

std::string fault(const std::string& text, const brace_parameters& values = {}) {
  try {
    parse_activation(text, values);
  } catch (const parse_error& e) {
    return e.what();
  }
  return "no error";
}

double he(int k, double x) {
  return k == 0 ? 1 : k == 1 ? x : x * he(k - 1, x) - (k - 1) * he(k - 2, x);
}

}  // namespace

TEST_CASE("every name of the grammar is the function it names") {
  for (const double x : {-3.1, -0.4, 0.0, 0.7, 2.2}) {
    CAPTURE(x);
    const auto value = [x](const char* name) { return parse_activation(name)(x); };
    const double s = 1 / (1 + std::exp(-x));
    CHECK(value("linear") == Approx(x));
    CHECK(value("relu") == Approx(std::max(x, 0.0)));
    CHECK(value("erf") == Approx(std::erf(x)));
    CHECK(value("sigmoid") == Approx(s));
    CHECK(value("tanh") == Approx(std::tanh(x)));
    CHECK(value("softplus") == Approx(std::log1p(std::exp(x))));
    CHECK(value("gelu") == Approx(x * 0.5 * std::erfc(-x / std::sqrt(2.0))));
    CHECK(value("silu") == Approx(x * s));
    CHECK(value("sin") == Approx(std::sin(x)));
    CHECK(value("cos") == Approx(std::cos(x)));
    for (int k = 0; k <= 40; ++k) {
      CHECK(parse_activation("he" + std::to_string(k))(x) ==
            test::within(he(k, x), 1e-12 * std::sqrt(std::tgamma(k + 1.0))));
    }
  }
}

TEST_CASE("operators bind as in arithmetic") {
  const double x = 0.6;
  const auto value = [x](const char* text) { return parse_activation(text)(x); };
  CHECK(value("he3+0.5*he5") == Approx(he(3, x) + 0.5 * he(5, x)));
  CHECK(value(" 2 * ( tanh - 0.1*he2 ) ") == Approx(2 * (std::tanh(x) - 0.1 * he(2, x))));
  CHECK(value("-linear^2") == Approx(-x * x));
  CHECK(value("2-3-4*linear") == Approx(-1 - 4 * x));
  CHECK(value("erf^2*relu") == Approx(std::erf(x) * std::erf(x) * x));
  CHECK(value("1.5e-1*sin--cos") == Approx(0.15 * std::sin(x) + std::cos(x)));
  CHECK(value("2e0*erf") == Approx(2 * std::erf(x)));
  CHECK(value("tanh^0") == 1.0);
  CHECK(value("(linear+1)^3") == Approx(1.6 * 1.6 * 1.6));
}

TEST_CASE("polynomials are recognised whatever way they are written") {
  const std::vector<std::string> written{"linear^3-3*linear",       "he3",
                                         "linear*(linear^2-3)",     "he1*he2-2*he1",
                                         "tanh+he3-tanh",           "he3*(sin^2+cos^2)",
                                         "0.1*he3+0.2*he3+0.7*he3", "he3+relu^2-relu*linear"};
  for (const std::string& text : written) {
    CAPTURE(text);
    const activation a = parse_activation(text);
    REQUIRE(a.as_polynomial() != nullptr);
    const auto h = a.as_polynomial()->hermite();
    CHECK(std::vector<double>(h.begin(), h.end()) == std::vector<double>{0, 0, 0, 1});
  }
  CHECK(parse_activation("relu").as_polynomial() == nullptr);
  CHECK(parse_activation("he10*he10").as_polynomial()->hermite()[0] == 3628800.0);
}

TEST_CASE("closed-form parts and kinks are found") {
  const activation mixed = parse_activation("2*erf-0.5*relu+he2");
  CHECK_FALSE(mixed.parts().has_rest);
  CHECK(mixed.parts().erf_weight == 2.0);
  CHECK(mixed.parts().relu_weight == -0.5);
  CHECK(mixed.parts().polynomial_part.degree() == 2);
  REQUIRE(mixed.kinks().size() == 1);
  CHECK(mixed.kinks()[0].location == 0.0);
  CHECK(mixed.kinks()[0].jumps[1] == -0.5);
  CHECK(parse_activation("relu^2").kinks()[0].jumps[1] == 0.0);
  CHECK(parse_activation("relu*cos").kinks()[0].jumps[1] == 1.0);
  CHECK(parse_activation("relu-relu").kinks().empty());
  CHECK(parse_activation("relu*tanh").parts().has_rest);
}

TEST_CASE("no kink of what oscillates is passed over") {
  for (const auto& [text, rate] : {std::pair("abs(sin(3*x))", 3.0), {"max(cos(5*x),0)", 5.0}}) {
    CAPTURE(text);
    const activation f = parse_activation(text);
    // All of them lie π/rate apart, to where oscillations are followed.
    const auto& kinks = f.kinks();
    REQUIRE(!kinks.empty());
    CHECK(kinks.front().location < -100.0 + M_PI / rate);
    CHECK(kinks.back().location > 100.0 - M_PI / rate);
    double farthest = 0.0;
    for (std::size_t i = 1; i < kinks.size(); ++i) {
      const double apart = kinks[i].location - kinks[i - 1].location;
      farthest = std::max(farthest, std::abs(apart - M_PI / rate));
    }
    CHECK(farthest == test::within(0.0, 1e-12));
  }
}

TEST_CASE("brace parameters are set by name") {
  CHECK(parse_activation("he3+{a}*he5", {{"a", 0.25}})(0.6) ==
        Approx(he(3, 0.6) + 0.25 * he(5, 0.6)));
  CHECK(parse_activation("he{k}", {{"k", 4}})(0.6) == Approx(he(4, 0.6)));
  CHECK(brace_parameters_of("he{k}+{a}*tanh-{a}") == std::vector<std::string>{"k", "a"});
  CHECK(brace_parameters_of("erf").empty());
  CHECK(fault("he3+{a}*he5") == "nothing sets the parameter {a} (column 5)");
  CHECK(fault("he{k}", {{"k", 2.5}}) ==
        "the degree of he{…} must be an integer from 0 to 40 (column 1)");
  CHECK(fault("{A}") == "a parameter in braces must be a lower-case word, as in {a} (column 1)");
  CHECK(fault("{a}*erf", {{"a", std::nan("")}}) == "the parameter {a} is not finite (column 1)");
}

TEST_CASE("faults are told in one line, with the column") {
  CHECK(fault("rellu") == "unknown activation 'rellu'; the nearest are relu, gelu (column 1)");
  CHECK(fault("erf+tahn") ==
        "unknown activation 'tahn'; the nearest are tanh, sin, abs (column 5)");
  CHECK(fault("(erf+he3") == "unbalanced bracket: '(' is not closed (column 1)");
  CHECK(fault("erf+he3)") == "unbalanced bracket: ')' without '(' (column 8)");
  CHECK(fault("2*(erf") == "unbalanced bracket: '(' is not closed (column 3)");
  CHECK(fault("") == "an activation is missing (column 1)");
  CHECK(fault("erf+") == "an activation, a number or a bracket is missing (column 5)");
  CHECK(fault("erf he3") == "expected + - * / ^ or the end, not 'he3' (column 5)");
  CHECK(fault("erf^-1") == "a power must be an integer from 0 to 40 (column 5)");
  CHECK(fault("erf^1.5") == "a power must be an integer from 0 to 40 (column 5)");
  CHECK(fault("erf^2^2") == "a power of a power needs brackets (column 6)");
  CHECK(fault("erf^41") == "power 41 is above 40 (column 5)");
  CHECK(fault("he41") == "a degree above 40 (column 1)");
  CHECK(fault("he99999999999999999999") == "a degree above 40 (column 1)");
  CHECK(fault("he21*he20") ==
        "the degree of a polynomial is 41, but must be at most 40 (column 1)");
  CHECK(fault("σ") == "'σ' is not in the grammar of activations (column 1)");
  CHECK(fault("1e999*erf") == "a number out of range (column 1)");
  CHECK(fault(std::string(500, '(')).starts_with("brackets or signs nested deeper than 100"));
}

TEST_CASE("closed forms are found whatever way they are written") {
  const auto same = [](const std::string& text, double h0, double h1, double erf, double relu) {
    CAPTURE(text);
    const activation a = parse_activation(text);
    REQUIRE_FALSE(a.parts().has_rest);
    const auto h = a.parts().polynomial_part.hermite();
    CHECK((h.empty() ? 0.0 : h[0]) == h0);
    CHECK((h.size() > 1 ? h[1] : 0.0) == h1);
    CHECK(h.size() <= 2);
    CHECK(a.parts().erf_weight == erf);
    CHECK(a.parts().relu_weight == relu);
  };
  for (const char* text :
       {"relu", "max(x,0)", "max(0,x)", "x*step(x)", "step(x)*x", "(x+abs(x))/2", "relu(x)",
        "relu(2*x)/2", "-min(-x,0)", "x-min(x,0)", "relu(relu)", "relu(-x)+x", "max(relu,0)",
        "relu(3*linear)/3", "x-x*step(-x)", "relu(max(x,-0))", "sqrt(4)*relu/2",
        "relu(x*(x^2-x+1))/(1)-relu*(x^2-x)"}) {
    same(text, 0, 0, 0, 1);
  }
  same("abs", 0, -1, 0, 2);
  same("max(x,0.5*x)", 0, 0.5, 0, 0.5);
  same("min(x,0.5*x)", 0, 1, 0, -0.5);
  same("-erf(-x)", 0, 0, 1, 0);
  same("erf(x)+sigmoid+sigmoid(-x)", 1, 0, 1, 0);
  same("softplus-softplus(-x)", 0, 1, 0, 0);
  same("abs(x)^2-x^2+x", 0, 1, 0, 0);
  same("cos(0)*x", 0, 1, 0, 0);
  same("max(x^2,0)-x^2", 0, 0, 0, 0);
  CHECK(parse_activation("he3(0.5*x)").as_polynomial() != nullptr);
  CHECK(parse_activation("he14^2").as_polynomial()->degree() == 28);
  CHECK(parse_activation("he40").as_polynomial()->hermite()[40] == 1.0);
  CHECK(parse_activation("(x^2-1)^20").as_polynomial()->degree() == 40);
  CHECK(parse_activation("max(x^2+1,x)").as_polynomial() != nullptr);
}

TEST_CASE("kinks are where what is inside changes its sign") {
  const auto places = [](const std::string& text) {
    std::vector<double> found;
    const activation f = parse_activation(text);
    for (const kink& k : f.kinks()) found.push_back(k.location);
    return found;
  };
  using list = std::vector<double>;
  CHECK(places("relu(x-1)") == list{1.0});
  CHECK(places("min(max(x,-1),1)") == list{-1.0, 1.0});
  CHECK(places("abs(x^2-4)") == list{-2.0, 2.0});
  CHECK(places("relu(x^3-x)") == list{-1.0, 0.0, 1.0});
  CHECK(places("relu(x-5000)") == list{5000.0});
  CHECK(places("relu((x-0.3)^2)").empty());
  CHECK(places("relu(tanh)*sin") == list{0.0});
  CHECK(places("relu(relu(x-1)-2)") == list{1.0, 3.0});
  CHECK(places("relu-relu+sin").empty());
  CHECK(places("relu^5*tanh") == list{0.0});
  CHECK(places("abs((x-7)*(x-7.001))").size() == 2);
  CHECK(places("abs((x-0.51)*(x-0.5100001))").size() == 2);
  CHECK(places("relu(erf(1000*(x-3.3))-0.5)").size() == 1);
  CHECK(places("relu(exp(-1e4*(x-3.01)^2)-0.5)").size() == 2);
  CHECK(places("relu(sin(x))").size() >= 63);
  const kink k = parse_activation("relu(2*x-1)*tanh").kinks().at(0);
  CHECK(k.location == 0.5);
  CHECK(k.jumps[0] == 0.0);
  CHECK(k.jumps[1] == Approx(2 * std::tanh(0.5)));
  CHECK(k.jumps[2] == Approx(4 * (1 - std::tanh(0.5) * std::tanh(0.5))));
  const activation jump = parse_activation("step(x-0.25)*cos");
  CHECK_FALSE(jump.continuous());
  CHECK(jump.kinks().at(0).jumps[0] == Approx(std::cos(0.25)));
  CHECK(jump.kinks().at(0).jumps[3] == Approx(std::sin(0.25)));
  CHECK(jump(0.25) == 0.0);
  CHECK_FALSE(parse_activation("step").continuous());
  CHECK(parse_activation("step(x-0.3)*(x^2-0.09)").continuous());
  CHECK(parse_activation("max(x-1,0.1*x)").continuous());
  // At a kink the piece to the left, at every neighbour its own.
  const activation f = parse_activation("abs(x-0.1)*cos");
  const double t = f.kinks().at(0).location;
  CHECK(f.first(t) == Approx(-std::cos(0.1)).epsilon(1e-12));
  CHECK(f.first(std::nextafter(t, 1.0)) == Approx(std::cos(0.1)).epsilon(1e-12));
}

TEST_CASE("what varies on a short scale is told") {
  const auto has = [](const std::string& text, double x, double within) {
    const activation f = parse_activation(text);
    const std::vector<double>& points = f.features();
    CHECK(points.size() <= 400);
    return std::any_of(points.begin(), points.end(),
                       [&](double t) { return std::abs(t - x) <= within; });
  };
  CHECK(has("tanh", 0.0, 0.0));
  CHECK(has("tanh", -1.0, 1e-9));
  CHECK(has("erf(100*(x-3))", 3.0, 1e-5));
  CHECK(has("erf(100*(x-3))", 3.02, 1e-5));
  CHECK(has("exp(-1e4*(x-3)^2)", 3.0, 1e-5));
  CHECK(has("exp(-1e4*(x-3)^2)", 3.02, 1e-2));
  CHECK(has("1/(1+1e6*(x+0.77)^2)", -0.77, 1e-5));
  CHECK(has("1/(1+exp(-1000*(x-2.2)))", 2.2, 1e-5));
  CHECK(has("sqrt(1e-8+(x-1.3)^2)", 1.3, 1e-6));
  CHECK(has("tanh(exp(300*(x-1.7))-1)", 1.7, 1e-4));
  CHECK(parse_activation("he3").features().empty());
}

TEST_CASE("what is not a finite function, or outgrows a Gaussian, is refused with its column") {
  CHECK(fault("log(x)") ==
        "'log' needs what is above zero everywhere, and it is not at x = 0 (column 1)");
  CHECK(fault("1/(x-3)") == "'/' divides by zero at x = 3 (column 2)");
  CHECK(fault("exp(x^2)") == "'exp' grows faster than a Gaussian average allows (column 1)");
  CHECK(fault("99991e300*-300*relu") == "this is too large or too steep at x = 40 (column 1)");
  CHECK(fault("1e100*x^40") == "this is too large or too steep at x = -40 (column 1)");
  CHECK(fault("max(min(exp(1e30^20*x-1),he40),he2^3)") ==
        "'*' has no value that can be computed at x = 0 (column 20)");
  CHECK(fault("max(tanh(x)^5,1e-300*x)") == "this has a kink nearer to 0 than 1e-100 (column 1)");
  // A part whose derivatives overflow where its value is moderate, behind another part.
  CHECK(fault("max(min(exp(1e300*x-1),he40),(he2)^3)").find("'exp' is too large or too steep") ==
        0);
  CHECK(fault("max(min(exp(-1e300*x-1),he40),(he2)^3)").find("'exp' is too large or too steep") ==
        0);
  CHECK(fault("max(min(exp(1e300*x-1),step),he2^3)").find("'exp' is too large or too steep") == 0);
  CHECK(fault("min(x/(1e-200+x^2),1)").find("'/' is too large or too steep") == 0);
  CHECK(fault("max(min(tanh(1e300*x),step),he2^3)").find("too steep at x =") != std::string::npos);
  const auto column = [](const std::string& text) {
    try {
      parse_activation(text);
    } catch (const parse_error& e) {
      return static_cast<int>(e.column());
    }
    return 0;
  };
  CHECK(column("erf+log(x)") == 5);
  CHECK(column("1/x") == 2);
  CHECK(column("tanh/sin") == 5);
  CHECK(column("2+1/(x-0.3)^2") == 4);
  CHECK(column("x/abs(x)") == 2);
  CHECK(column("sqrt(x)") == 1);
  CHECK(column("erf+sqrt(abs(x))") == 5);
  CHECK(column("sqrt(relu)") == 1);
  CHECK(column("sqrt((x-0.3)^2)") == 0);
  CHECK(column("exp(x^2)") == 1);
  CHECK(column("relu+exp(x^2/8)") == 6);
  CHECK(column("exp(1e-6*x^2)") == 1);
  CHECK(column("exp(exp(x))") == 1);
  CHECK(column("exp(abs(x)^3)") == 1);
  CHECK(column("exp(-x^3)") == 1);
  CHECK(column("2*exp(relu*x)*tanh") == 3);
  CHECK(column("x^41") == 3);
  CHECK(column("tanh*x^30*x^30") == 10);
  CHECK(column("sin(exp(x))") == 1);
  CHECK(column("log(-1)*tanh") != 0);
  CHECK(column("1/0") == 2);
  CHECK(column("tanh/(1-1)") == 5);
  CHECK(column("relu(sin(1e5*x))") != 0);
  for (const char* text : {"exp(x)", "x^40", "exp(2*abs(x))", "tanh*x^40", "exp(-x^2)",
                           "exp(-exp(-x))", "exp(x^2)/(1+exp(x^2))", "log(1+x^2)", "1/(1+x^2)",
                           "sqrt(1+x^2)", "exp(x^2)*exp(-x^2)", "sin(x^3)"}) {
    CAPTURE(text);
    CHECK(column(text) == 0);
  }
}

TEST_CASE("the size of what a text asks for is bounded before it is built") {
  CHECK(parse_activation("1e-300*1e-300*relu")(2.0) == 0.0);
  CHECK(parse_activation("erf+{a}*{a}*relu", {{"a", 1e-170}}).parts().erf_weight == 1.0);
  CHECK(parse_activation("((.3^20)^20)^20*erf")(1.0) == 0.0);
  CHECK(parse_activation("1e-300*1e-300*tanh")(1.0) == 0.0);
  CHECK(parse_activation("1e-300*1e300*erf").parts().erf_weight == 1.0);
  CHECK(fault("((sin-relu*-he3)^9)^18").find("grows faster than x^40") != std::string::npos);
  CHECK(fault("((((((x+0.1)^40)^40)^40)^40)^40)^40") != "no error");
  CHECK(parse_activation("(tanh+erf+sin+cos+silu+gelu)^20")(0.0) == Approx(1.0));
  CHECK(fault(std::string(5000, 'x')).starts_with("an activation may be 4000 characters long"));
  std::string sum = "tanh";
  for (int k = 0; k < 250; ++k) sum += "+sin(" + std::to_string(k) + "*x)";
  CHECK(fault(sum).starts_with("the number of operations"));
}

TEST_CASE("functions are called, and their faults told") {
  CHECK(fault("max(x)") == "max takes two expressions, as in max(x, 0.1*x) (column 1)");
  CHECK(fault("1+min") == "min takes two expressions, as in min(x, 0.1*x) (column 3)");
  CHECK(fault("erf(x,2)") == "a comma outside max(…, …) and min(…, …) (column 6)");
  CHECK(fault("x,2") == "a comma outside max(…, …) and min(…, …) (column 2)");
  CHECK(fault("sqrtt(x)").find("nearest are sqrt") != std::string::npos);
  CHECK(fault("exq(x)").find("nearest are exp") != std::string::npos);
  CHECK(fault("erf(2*x") == "unbalanced bracket: '(' is not closed (column 4)");
  CHECK(fault("2(x)").starts_with("expected + - * / ^ or the end"));
  CHECK(brace_parameters_of("max(x,{a}*x)/({a}-1)") == std::vector<std::string>{"a"});
  CHECK(split_activations("erf,max(x,0.1*x),he3") ==
        std::vector<std::string_view>{"erf", "max(x,0.1*x)", "he3"});
  CHECK(parse_activation("erf(2*x)").name() == "erf(2*x)");
}

TEST_CASE("what is even or odd is known to be") {
  const std::vector<std::string> names{"linear", "relu", "erf", "sigmoid", "tanh", "softplus",
                                       "gelu",   "silu", "sin", "cos",     "he2",  "he3"};
  std::vector<std::string> texts = names;
  for (const std::string& a : names) {
    texts.push_back("tanh(" + a + "(x))+1");
    texts.push_back("cos(3*" + a + "(x))");
    for (const std::string& b : names) {
      texts.push_back(a + "*" + b);
      texts.push_back(a + "-0.5*" + b);
    }
  }
  for (const char* text :
       {"1", "abs", "step(x)", "max(x^2,1)", "exp(-x^2)", "1.5-tanh^3", "x/(1+x^2)", "he4(tanh(x))",
        "sqrt(1+x^2)", "min(x,1)", "abs(sin(x))+0.1", "he3(sin(x))", "2*sigmoid-3", "x*abs(x)",
        "sigmoid(5*x)*(0.5-sigmoid)"}) {
    texts.emplace_back(text);
  }
  for (const std::string& text : texts) {
    CAPTURE(text);
    const activation f = parse_activation(text);
    const activation_symmetry symmetry = f.symmetry();
    const double centre = f(0.0);
    bool even = true;
    bool odd = true;
    for (const double x : {0.3, 0.9, 1.7, 3.1}) {
      const double size = 1e-13 * (1 + std::abs(f(x)) + std::abs(f(-x)));
      even &= std::abs(f(x) - f(-x)) <= size;
      odd &= std::abs(f(x) + f(-x) - 2 * centre) <= size;
    }
    // A step's value at 0 is that on its left, not the mean; and what lies in products of sums may
    // be odd about a constant without showing it.
    const bool hidden = text == "step(x)" || text == "sigmoid(5*x)*(0.5-sigmoid)";
    if (!hidden) {
      CHECK((symmetry.kind == parity::even) == even);
      CHECK((symmetry.kind == parity::odd) == (odd && !even));
    }
    CHECK(symmetry.offset == test::within(symmetry.kind == parity::odd ? centre : 0.0,
                                          1e-15 * (1 + std::abs(centre))));
    for (const double x : {0.3, 0.9, 1.7, 3.1}) {
      if (symmetry.slope) {
        CHECK(f(x) - f(-x) == test::within(2 * *symmetry.slope * x, 1e-13 * (1 + std::abs(f(x)))));
      }
    }
  }
  for (const char* text : {"relu", "gelu", "silu", "softplus", "relu-0.2*x", "x", "3*gelu+x^2"}) {
    CAPTURE(text);
    CHECK(parse_activation(text).symmetry().slope.has_value());
  }
}

TEST_CASE("sums of waves are known, and are the function") {
  std::vector<std::string> texts{"sin",       "cos",       "x*sin(x/2)",         "cos(0.3-2*x)/3",
                                 "he3(sin)",  "(1-cos)^3", "sin+sin(1.7*x)-x^2", "sin(2*x+1)^2*he4",
                                 "-(x-cos)^2"};
  const std::vector<std::string> names{"sin", "cos", "x", "he3", "2", "cos(2*x)"};
  for (const std::string& a : names) {
    for (const std::string& b : names) {
      texts.push_back("sin*" + a + "*" + b);
      texts.push_back("cos-" + a + "*" + b);
    }
  }
  for (const std::string& text : texts) {
    CAPTURE(text);
    const activation f = parse_activation(text);
    const auto* waves = f.as_waves();
    REQUIRE(waves != nullptr);
    for (const double x : {-2.9, -0.4, 0.0, 0.7, 4.1}) {
      double sum = 0.0;
      for (const wave& w : *waves) {
        sum += w.cosine(x) * std::cos(w.frequency * x) + w.sine(x) * std::sin(w.frequency * x);
      }
      CHECK(sum == test::within(f(x), 1e-12 * (1 + std::abs(f(x)))));
    }
  }
  // No waves, no waves alone, waves that are a polynomial, and too many.
  for (const char* text : {"tanh", "sin+relu", "he3", "sin^2+cos^2", "abs(sin)", "sin(x^2)",
                           "cos(x)/(2+x^2)", "sin^20", "x^7*sin", "erf(sin)"}) {
    CAPTURE(text);
    CHECK(parse_activation(text).as_waves() == nullptr);
  }
}
