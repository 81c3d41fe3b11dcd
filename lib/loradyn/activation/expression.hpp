#pragma once

/// \file
/// The compiled form of an activation of the grammar. Internal to the activation room.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include <loradyn/activation/polynomial.hpp>

namespace loradyn::detail {

/// The smooth functions that polynomials are multiplied with. GELU is x Φ(x), SiLU is x sigmoid(x)
/// and ReLU is x H(x), so that these need no symbol of their own.
enum class primitive : std::size_t { erf, tanh, sigmoid, softplus, normal_cdf, sin, cos };
inline constexpr std::size_t primitive_count = 7;
using primitive_powers = std::array<std::uint8_t, primitive_count>;

/// One summand  H(x)^step · cofactor(x) · Π_i primitive_i(x)^powers_i.
struct expression_term {
  bool step = false;
  polynomial cofactor;
  primitive_powers powers{};
};

/// A sum of terms with distinct (step, powers).
struct expression {
  std::vector<expression_term> terms;
};

/// An expression, ready to be evaluated with its derivatives.
class compiled_expression {
 public:
  explicit compiled_expression(const expression& e);

  /// values[k] = f⁽ᵏ⁾(x) for k <= Order, H(0) = 0.
  template <std::size_t Order>
  void evaluate(double x, std::array<double, Order + 1>& values) const;

 private:
  // A primitive's place in `used_` and its power.
  struct factor {
    std::size_t place;
    unsigned power;
  };
  struct compiled_term {
    bool step = false;
    double constant = 0.0;  // the cofactor is constant + slope x, where it is that simple
    double slope = 0.0;
    std::array<polynomial, 5> cofactor;  // and its derivatives; empty where it is
    std::vector<factor> factors;
  };

  std::vector<compiled_term> terms_;
  std::vector<primitive> used_;
};

/// Closed-form parts, the kink at 0 where there is one, and the effective half-width of
/// analyticity.
activation_parts parts_of(const expression& e);
std::vector<kink> kinks_of(const expression& e);
std::vector<double> features_of(const expression& e);

}  // namespace loradyn::detail
