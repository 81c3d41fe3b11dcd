// An activation is read, or refused with a column of the text. What is read is a function: finite
// near the origin, with kinks and features in order, the same at a point as in a block, and the one
// that its name is the text of.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <vector>

#include "fuzz.hpp"

namespace {

using namespace loradyn;
using fuzz::require;

void check_points(const activation& f, const std::vector<double>& x) {
  std::array<std::vector<double>, 5> rows;
  for (auto& row : rows) {
    row.resize(x.size());
  }
  f.tabulate_all(x, {rows[0], rows[1], rows[2], rows[3], rows[4]});
  std::array<std::vector<double>, 3> second;
  for (auto& row : second) {
    row.resize(x.size());
  }
  f.tabulate(x, second[0], second[1], second[2]);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const derivatives at = f.all(x[i]);
    for (std::size_t k = 0; k < at.size(); ++k) {
      require(fuzz::same(at[k], rows[k][i]), "a block's derivatives are those of its points");
      require(std::isfinite(at[k]) || std::abs(x[i]) > 40.0, "derivatives are finite near 0");
    }
    require(fuzz::same(f(x[i]), second[0][i]), "a block's values are those of its points");
    require(fuzz::same(f.first(x[i]), second[1][i]), "a block's slopes are those of its points");
    require(fuzz::same(f.second(x[i]), second[2][i]), "a block's bends are those of its points");
    require(!(std::abs(at[0] - second[0][i]) > 1e-12 * std::abs(at[0])),
            "a value does not depend on the derivatives that are asked for");
  }
}

void check(const activation& f) {
  const auto increasing = [](const std::vector<double>& values) {
    return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
  };
  std::vector<double> x{0.0,  -0.0, 1e-300, 0.3,  -0.7,  1.0, -1.0, 2.5,   -3.5,  6.0,
                        -8.0, 12.0, -20.0,  30.0, -39.0, 1e3, -1e8, 710.0, -745.0};
  std::vector<double> kinks;
  for (const kink& k : f.kinks()) {
    kinks.push_back(k.location);
    for (const double jump : k.jumps) {
      require(std::isfinite(jump), "a kink's jumps are finite");
    }
  }
  require(increasing(kinks) && kinks.size() <= 400, "kinks are in order, and few");
  require(increasing(f.features()) && f.features().size() <= 400, "features are in order, and few");
  for (std::size_t i = 0; i < std::min<std::size_t>(kinks.size(), 16); ++i) {
    x.insert(x.end(),
             {kinks[i], std::nextafter(kinks[i], 1e300), std::nextafter(kinks[i], -1e300)});
  }
  check_points(f, x);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  static const brace_parameters values{{"a", 0.3}, {"k", 3.0}};
  std::size_t length = 0;
  for (const std::string_view part : split_activations(text)) {
    length += part.size() + 1;
  }
  require(length == text.size() + 1, "the parts of a list and its commas are the list");
  try {
    static_cast<void>(brace_parameters_of(text));
    const activation f = parse_activation(text, values);
    check(f);
    const activation again = parse_activation(f.name(), values);
    require(again.name() == f.name(), "a name is the text of an activation of this name");
    for (const double x : {-1.7, -0.3, 0.0, 0.6, 2.9}) {
      require(fuzz::same(again(x), f(x)), "a name is the text of the same function");
    }
  } catch (const parse_error& e) {
    require(e.column() >= 1 && e.column() <= size + 1, "a fault's column is one of the text");
  }
  return 0;
}
