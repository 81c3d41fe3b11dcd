#pragma once

#include <array>
#include <loradyn/activation/activation.hpp>
#include <span>

namespace loradyn::test {

/// The same function as a user's, of which nothing is known but values, derivatives and kinks: its
/// kernels are quadratures.
inline activation nameless(const activation& f) {
  user_function same{.value = f};
  same.first = [f](double x) { return f.first(x); };
  same.second = [f](double x) { return f.second(x); };
  same.third = [f](double x) { return f.all(x)[3]; };
  same.fourth = [f](double x) { return f.all(x)[4]; };
  same.block_of_all = [f](std::span<const double> x, std::array<std::span<double>, 5> out) {
    f.tabulate_all(x, out);
  };
  for (const kink& k : f.kinks()) {
    same.kinks.push_back(k.location);
  }
  same.features = f.features();
  return activation(same);
}

}  // namespace loradyn::test
