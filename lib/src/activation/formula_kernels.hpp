#pragma once

/// \file
/// Formulas over blocks of points, an array operation for each node: compiled once for each
/// instruction set and picked when the program starts. Every set gives the same bits, because only
/// operations that IEEE 754 rounds exactly are used and no two are ever fused. Internal to the
/// activation room.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "activation/formula.hpp"

namespace loradyn::detail {

/// Points that are worked on together, few enough for the rows of a short formula to stay in the
/// innermost cache.
inline constexpr std::size_t block_points = 64;

/// What a block is worked out in; grows with the longest formula that it met.
struct formula_scratch {
  struct alignas(64) row : std::array<double, block_points> {};
  std::vector<row> rows;
  /// Not 0 where a node left the range in which plain doubles lose nothing.
  alignas(64) std::array<std::uint64_t, block_points> spoilt;
};

/// The loops for one instruction set.
struct formula_kernels {
  /// out[k][i] = f⁽ᵏ⁾(x[i]) for k <= the order and i < n <= block_points, at a crossing those of
  /// the piece to its left, except where the scratch says `spoilt`.
  using evaluator = void (*)(const formula& f, const double* x, std::size_t n,
                             formula_scratch& scratch, double* const* out);
  std::string_view name;
  /// For the orders 0, 1, 2 and 4.
  std::array<evaluator, 4> evaluators;
};

/// Every set that this machine has, the plainest first.
std::span<const formula_kernels* const> available_formula_kernels();

/// formula::tabulate by this set.
template <std::size_t Order>
void tabulate(const formula_kernels& kernels, const formula& f, std::span<const double> x,
              std::array<double*, Order + 1> out);

}  // namespace loradyn::detail
