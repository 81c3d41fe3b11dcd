#pragma once

/// \file
/// An activation as the text has it: a list of operations, each on results of earlier ones.
/// Internal to the activation room.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "activation/jet.hpp"

namespace loradyn::detail {

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

  /// The series of the first `count` nodes about x.
  template <std::size_t Order>
  void evaluate(double x, side s, std::size_t count, jets<Order>& results) const;

  /// values[k] = f⁽ᵏ⁾(x), k <= Order, at a crossing those of the piece to its left.
  template <std::size_t Order>
  void evaluate(double x, std::array<double, Order + 1>& values, side s = side::left) const;

 private:
  [[nodiscard]] int sign_at(std::size_t i, double x, side s, double value) const;
};

}  // namespace loradyn::detail
