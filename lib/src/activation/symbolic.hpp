#pragma once

/// \file
/// Exact algebra on activations of the grammar. Internal to the activation room.

#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include "activation/primitives.hpp"

namespace loradyn::detail {

using rational = boost::multiprecision::cpp_rational;

/// Coefficients of 1, x, x², …; no trailing zeros.
using rational_polynomial = std::vector<rational>;

/// H(x)^step Π_i primitive_i(x)^powers_i. H² = H and cos² = 1 - sin² are already used, so that
/// equal functions of the grammar have equal forms as far as these two identities reach.
struct symbol {
  bool step = false;
  std::array<unsigned, primitive_count> powers{};
  bool operator==(const symbol&) const = default;
  // Not <=>, which libc++ 14 has not for arrays.
  friend bool operator<(const symbol& a, const symbol& b) {
    return std::tie(a.step, a.powers) < std::tie(b.step, b.powers);
  }
};

/// What exact algebra may still cost, in operations on short numbers; an operation that would cost
/// more has no exact result. A text's whole budget is about ten milliseconds.
struct symbolic_budget {
  std::size_t left = 60'000;
};

/// Σ cofactor(x) · symbol(x) with rational cofactors. What has no exact form, or too large a one,
/// is an empty optional; its size is known before it is built.
class symbolic {
 public:
  symbolic() = default;
  static symbolic constant(const rational& value);
  static symbolic identity();
  static std::optional<symbolic> hermite(unsigned k, symbolic_budget& budget);
  static symbolic of(primitive p);
  static symbolic relu();
  static symbolic step();

  [[nodiscard]] std::optional<symbolic> plus(const symbolic& other, int sign,
                                             symbolic_budget& budget) const;
  [[nodiscard]] std::optional<symbolic> times(const symbolic& other, symbolic_budget& budget) const;
  [[nodiscard]] std::optional<symbolic> power(unsigned exponent, symbolic_budget& budget) const;
  /// This where it is positive and 0 elsewhere, its step (1 where positive), or its absolute value:
  /// exact where it is a polynomial on either side of 0 without a zero within.
  enum class switched { relu, step, abs };
  [[nodiscard]] std::optional<symbolic> where_positive(switched what,
                                                       symbolic_budget& budget) const;

  [[nodiscard]] std::optional<rational> as_constant() const;
  /// 1 for x, -1 for -x, else 0
  [[nodiscard]] int as_signed_argument() const;
  /// The largest degree of a cofactor.
  [[nodiscard]] std::size_t degree() const;
  /// Whether a step is left in it.
  [[nodiscard]] bool has_step() const;

  /// The closed parts, where it has no others; every coefficient is rounded once.
  /// \throws argument_error where the degree is above max_degree, or a coefficient overflows
  [[nodiscard]] std::optional<activation_parts> closed() const;
  /// The polynomials that it is on either side of 0, if it is that; every coefficient is rounded
  /// once.
  [[nodiscard]] std::optional<half_line_polynomials> on_half_lines() const;

 private:
  void add(symbol key, const rational_polynomial& cofactor, const rational& factor);
  [[nodiscard]] std::size_t bits() const;
  [[nodiscard]] std::size_t coefficients() const;

  std::map<symbol, rational_polynomial> terms_;
};

}  // namespace loradyn::detail
