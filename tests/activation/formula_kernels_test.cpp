#include "activation/formula_kernels.hpp"
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <random>
#include <string>
#include <vector>
#include "activation/formula_analysis.hpp"

using namespace loradyn;
using namespace loradyn::detail;

namespace {

// Every name, squares, products, calls, quotients; and what switches, over- or underflows inside.
std::vector<std::string> all_texts() {
  const std::vector<std::string> names{"linear", "relu", "erf", "sigmoid", "tanh", "softplus",
                                       "gelu",   "silu", "sin", "cos",     "abs",  "he2",
                                       "he3",    "he9",  "exp", "step"};
  std::vector<std::string> texts = names;
  for (const std::string& a : names) {
    texts.insert(texts.end(), {a + "^2", a + "^7", a + "(0.7*x-0.2)", a + "(-5*x)"});
    for (const std::string& b : names) {
      texts.push_back(a + "*" + b);
      texts.push_back(a + "(0.3*" + b + "+0.1)");
      texts.push_back(a + "/(1+x^2)+" + b);
    }
  }
  texts.insert(
      texts.end(),
      {"sigmoid(5*x)",     "sin(3*x)",           "relu(x-1)",          "max(x,0.1*x)",
       "x/(1+exp(-x))",    "x/(1+exp(-50*x))",   "log(1+exp(x))",      "sqrt(1+x^2)",
       "exp(-x^2/2)",      "min(max(x,-1),1)",   "log(2+sin(3*x))",    "relu(sin(5*x))",
       "(2+cos(x))^7",     "1/(1+x^2)^3",        "tanh(x^40)",         "sin(1e5*x)",
       "log(sigmoid)",     "exp(x)/(1+exp(x))",  "sqrt(x^2)*cos",      "max(sin(x),cos(2*x))",
       "abs(sin(40*x))*x", "1e200*(x*1e-200)^2", "1e-200*exp(x)^2*x^3"});
  return texts;
}

// Nothing where the text is refused: it grows too fast.
std::vector<formula> formula_of(const std::string& text) {
  formula f = parse_formula(text);
  try {
    analyse(f);
  } catch (const parse_error&) {
    return {};
  }
  return {f};
}

// As a Gaussian has them, as far as anyone may ask, and about the kinks.
std::vector<double> points_for(const formula& f) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> x{0.0, -0.0, 1.0, -1.0, 1e-300, -1e-20, 710.0, -745.0, 1e8, -1e9, infinity};
  for (int i = 0; i < 100; ++i) {
    x.push_back(2.0 * normal(engine));
    x.push_back(-1e3 + 20.0 * i + normal(engine));
  }
  for (const switch_pieces& pieces : f.pieces) {
    for (std::size_t j = 0; j < std::min<std::size_t>(pieces.crossings.size(), 20); ++j) {
      const double t = pieces.crossings[j];
      x.insert(x.end(), {t, std::nextafter(t, infinity), std::nextafter(t, -infinity)});
    }
  }
  return x;
}

template <std::size_t Order>
using table = std::array<std::vector<double>, Order + 1>;

template <std::size_t Order>
table<Order> table_of(const formula_kernels& kernels, const formula& f,
                      const std::vector<double>& x) {
  table<Order> result;
  std::array<double*, Order + 1> rows{};
  for (std::size_t k = 0; k <= Order; ++k) {
    result[k].resize(x.size());
    rows[k] = result[k].data();
  }
  tabulate<Order>(kernels, f, x, rows);
  return result;
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

TEST_CASE("a formula over a block has the digits of its series at each point") {
  for (const std::string& text : all_texts()) {
    for (const formula& f : formula_of(text)) {
      const std::vector<double> x = points_for(f);
      for (const formula_kernels* const kernels : available_formula_kernels()) {
        const table<4> block = table_of<4>(*kernels, f, x);
        const table<2> second = table_of<2>(*kernels, f, x);
        const table<1> first = table_of<1>(*kernels, f, x);
        const table<0> value = table_of<0>(*kernels, f, x);
        std::size_t wrong = 0;
        double where = 0.0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          std::array<double, 5> exact{};
          f.evaluate<4>(x[i], exact);
          bool right = true;
          for (std::size_t k = 0; k < exact.size(); ++k) {
            right = right && same(block[k][i], exact[k]);
          }
          std::array<double, 3> short_exact{};
          f.evaluate<2>(x[i], short_exact);
          for (std::size_t k = 0; k < 3; ++k) {
            right = right && same(second[k][i], short_exact[k]);
          }
          right = right && same(first[0][i], short_exact[0]) && same(first[1][i], short_exact[1]) &&
                  same(value[0][i], short_exact[0]);
          if (!right) {
            ++wrong;
            where = x[i];
          }
        }
        CAPTURE(text, kernels->name, where);
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("a point's bits don't depend on the block it is in, nor on the machine") {
  for (const std::string text : {"relu*tanh", "gelu", "erf", "sigmoid(5*x)", "max(x,0.1*x)*cos",
                                 "x/(1+exp(-50*x))", "he3(softplus)", "log(2+sin(3*x))"}) {
    const formula f = formula_of(text).front();
    std::vector<double> x = points_for(f);
    const table<2> whole = table_of<2>(*available_formula_kernels().front(), f, x);
    for (const formula_kernels* const kernels : available_formula_kernels()) {
      for (const std::size_t length : {1U, 2U, 3U, 7U, 16U, 63U, 64U, 65U, 200U}) {
        for (std::size_t start = 0; start < x.size(); start += length) {
          const std::size_t n = std::min(length, x.size() - start);
          const auto from = x.begin() + static_cast<std::ptrdiff_t>(start);
          const table<2> part = table_of<2>(
              *kernels, f, std::vector<double>(from, from + static_cast<std::ptrdiff_t>(n)));
          for (std::size_t k = 0; k <= 2; ++k) {
            CAPTURE(text, kernels->name, length, start, k);
            CHECK(std::memcmp(part[k].data(), whole[k].data() + start, n * sizeof(double)) == 0);
          }
        }
      }
    }
  }
}

TEST_CASE("what isn't wanted needs no room") {
  for (const char* text : {"tanh*relu", "erf-he3+relu", "linear", "softplus"}) {
    const activation f = parse_activation(text);
    const std::vector<double> x{-2.0, -0.5, 0.0, 0.25, 3.0};
    table<2> t;
    for (auto& row : t) {
      row.resize(x.size());
    }
    f.tabulate(x, t[0], t[1], t[2]);
    std::vector<double> value(x.size());
    std::vector<double> slope(x.size());
    f.tabulate(x, value, slope, {});
    CHECK(value == t[0]);
    CHECK(slope == t[1]);
    std::fill(value.begin(), value.end(), 0.0);
    f.tabulate(x, value, {}, {});
    CHECK(value == t[0]);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(f(x[i]) == t[0][i]);
      CHECK(f.first(x[i]) == t[1][i]);
      CHECK(f.second(x[i]) == t[2][i]);
    }
  }
}
