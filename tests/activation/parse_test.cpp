#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <string>

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
            Approx(he(k, x)).margin(1e-12 * std::sqrt(std::tgamma(k + 1.0))));
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
  CHECK(fault("erf+tahn") == "unknown activation 'tahn'; the nearest are tanh, sin, abs (column 5)");
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
