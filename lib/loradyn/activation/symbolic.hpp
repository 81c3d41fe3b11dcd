#pragma once

/// \file
/// Exact algebra on activations of the grammar. Internal to the activation room.

#include <boost/multiprecision/cpp_int.hpp>
#include <compare>
#include <cstddef>
#include <map>
#include <vector>

#include <loradyn/activation/expression.hpp>

namespace loradyn::detail {

using rational = boost::multiprecision::cpp_rational;

/// Coefficients of 1, x, x², …; no trailing zeros.
using rational_polynomial = std::vector<rational>;

/// H(x)^step Π_i primitive_i(x)^powers_i. H² = H and cos² = 1 - sin² are already used, so that
/// equal functions of the grammar have equal forms as far as these two identities reach.
struct symbol {
  bool step = false;
  std::array<unsigned, primitive_count> powers{};
  auto operator<=>(const symbol&) const = default;
};

/// Σ cofactor(x) · symbol(x) with rational cofactors: exact sums, products and powers.
class symbolic {
 public:
  symbolic() = default;
  static symbolic constant(const rational& value);
  static symbolic identity();
  static symbolic hermite(std::size_t k);
  static symbolic of(primitive p);
  static symbolic relu();

  symbolic& operator+=(const symbolic& other);
  symbolic& operator-=(const symbolic& other);
  friend symbolic operator*(const symbolic& a, const symbolic& b);
  /// \throws argument_error where the result has more terms or a higher degree than can be handled
  [[nodiscard]] symbolic power(unsigned exponent) const;

  /// Rounds every coefficient once.
  /// \throws argument_error where a degree or a power is above 40, or a coefficient overflows
  [[nodiscard]] expression compile() const;

 private:
  void add(symbol key, const rational_polynomial& cofactor, const rational& factor);

  std::map<symbol, rational_polynomial> terms_;
};

}  // namespace loradyn::detail
