#pragma once

/// \file
/// An activation as the text has it: a list of operations, each on results of earlier ones.
/// Internal to the activation room.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "activation/jet.hpp"

namespace loradyn::detail {

inline constexpr std::array<double, 5> factorials{1.0, 1.0, 2.0, 6.0, 24.0};
inline constexpr std::array<double, 5> inverse_factorials{1.0, 1.0, 0.5, 1.0 / 6.0, 1.0 / 24.0};
/// To which no derivative of a Hermite polynomial overflows.
inline constexpr double largest_hermite_argument = 1e5;

enum class operation : std::uint8_t {
  argument,
  constant,
  shift,  ///< left + value
  scale,  ///< left · value
  add,
  subtract,
  multiply,
  divide,
  power,  ///< left^order
  exp,
  log,
  sqrt,
  erf,
  tanh,
  sigmoid,
  softplus,
  gelu,
  silu,
  sin,
  cos,
  hermite,  ///< He_order(left)
  relu,
  step,
  abs,
  max,
  min
};

struct formula_node {
  operation what = operation::argument;
  std::uint16_t left = 0;
  std::uint16_t right = 0;
  unsigned order = 0;
  double value = 0.0;
  std::size_t column = 1;  ///< where it stands in the text, for faults
  bool operator==(const formula_node& other) const {
    return what == other.what && left == other.left && right == other.right &&
           order == other.order && value == other.value;
  }
};

/// Whether the operation switches between two pieces where something changes its sign.
bool is_switch(operation what);

/// Which piece of a switch holds where: the signs of what it looks at (left - right for max and
/// min) between its crossings.
struct switch_pieces {
  std::vector<double> crossings;   ///< in increasing order
  std::vector<std::int8_t> signs;  ///< one more than crossings
  double reach = -1.0;             ///< beyond this |x| the sign is taken at x itself

  /// The sign at x, at a crossing that of the piece to its left.
  [[nodiscard]] int sign_left_of(double x) const;
};

/// On which side of x pieces are looked at where x is a crossing.
enum class side { left, right };

class formula {
 public:
  /// What a text may be made of.
  static constexpr std::size_t max_nodes = 300;

  /// The operations; the last is the result.
  std::vector<formula_node> nodes;
  /// By node; empty for what is no switch. Where all are empty, signs are taken at x itself.
  std::vector<switch_pieces> pieces;

  /// Adds a node, or finds an equal one, and gives its place; folds constants and what is neutral.
  /// \throws argument_error above max_nodes
  std::size_t append(formula_node node);

  /// What the node at this place needs, alone.
  [[nodiscard]] formula rooted_at(std::size_t root) const;

  template <std::size_t Order>
  using jets = std::array<jet<Order>, max_nodes>;

  /// The series of the first `count` nodes about x: in the argument, or in nothing (their values
  /// alone, whatever their derivatives are).
  template <std::size_t Order>
  void evaluate(double x, side s, std::size_t count, jets<Order>& results,
                bool in_argument = true) const;

  /// values[k] = f⁽ᵏ⁾(x), k <= Order, at a crossing those of the piece to its left.
  template <std::size_t Order>
  void evaluate(double x, std::array<double, Order + 1>& values, side s = side::left) const;

  /// out[k][i] = f⁽ᵏ⁾(x[i]), k <= Order (0, 1, 2 or 4), at a crossing those of the piece to its
  /// left: by blocks of points in plain doubles, a point by `evaluate` where these overflow or
  /// underflow on the way. The same bits whatever the other points are. Needs no memory beyond what
  /// its thread keeps from the longest formula before.
  template <std::size_t Order>
  void tabulate(std::span<const double> x, std::array<double*, Order + 1> out) const;

 private:
  [[nodiscard]] int sign_at(std::size_t i, double x, side s, double value) const;
};

/// The formula of a text without braces, also where the text has a closed form; its pieces are
/// still to be found by `analyse`.
/// \throws parse_error as parse_activation does at a fault of the text
formula parse_formula(std::string_view text);

}  // namespace loradyn::detail
