#pragma once

/// \file
/// Polynomials as the coefficients of powers, the constant first. Internal to the kernel room.

#include <cstddef>
#include <vector>

namespace loradyn {

/// f'
inline std::vector<double> derivative_of(const std::vector<double>& c) {
  std::vector<double> d;
  for (std::size_t k = 1; k < c.size(); ++k) {
    d.push_back(static_cast<double>(k) * c[k]);
  }
  return d;
}

/// f g
inline std::vector<double> product_of(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) {
    return {};
  }
  std::vector<double> c(a.size() + b.size() - 1);
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      c[i + j] += a[i] * b[j];
    }
  }
  return c;
}

}  // namespace loradyn
