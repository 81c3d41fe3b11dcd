#pragma once

/// \file
/// The inner loops of the simulation over blocks of samples: counter-based normals, activations and
/// the moments of a batch. Compiled once for each instruction set and picked when the program
/// starts; every set gives the same bits, because only operations that IEEE 754 rounds exactly are
/// used and no two are ever fused. Internal to the simulation room.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace loradyn::detail {

/// Elements that are worked on together. A row is one element for each lane.
inline constexpr std::size_t lane_count = 8;
/// Rows in a block: what a caller's buffers hold, small enough for the innermost cache.
inline constexpr std::size_t block_rows = 32;
inline constexpr std::size_t block_size = lane_count * block_rows;
/// From here on a batch fills the lanes better than eight runs do.
inline constexpr std::uint64_t batch_for_lanes = 64;

template <class Number>
struct alignas(64) lanes : std::array<Number, lane_count> {};
using lane_values = lanes<double>;

/// One number for each element of a block.
struct alignas(64) block : std::array<double, block_size> {};

/// Where in the random numbers each lane is: counters of Philox4x32-10 (random.hpp). At step k the
/// element in row r has run `run`, step `step` + k and draw `draw` + r · `stride`.
struct counter_lanes {
  lanes<std::uint64_t> run{};
  lanes<std::uint64_t> step{};
  lanes<std::uint64_t> draw{};
  std::uint64_t stride = 1;
};

/// An activation of the form Σ h_n He_n + erf_weight erf + relu_weight relu.
struct activation_form {
  std::span<const double> hermite;        ///< h_n
  std::span<const double> slope_hermite;  ///< (n+1) h_{n+1}, as many as h_n: the last one is 0
  double erf_weight = 0.0;
  double relu_weight = 0.0;
};

/// One try of Marsaglia and Tsang for a Gamma variate of shape k >= 1 in each lane.
struct gamma_try {
  lane_values value;
  lanes<std::uint64_t> accepted;  ///< 1 or 0
};

/// Σ over the rows of a lane, for h = (σ(λ) - g(z1) - √Δ ζ) σ'(λ).
struct batch_sums {
  lane_values first;   ///< Σ h z1
  lane_values second;  ///< Σ h z2
  lane_values third;   ///< Σ h z3
  lane_values square;  ///< Σ h²
};

/// A run whose state is beyond this, or not a number, has diverged.
inline constexpr double divergence_bound = 1e12;

/// State of the chain in each lane: u, and v's components on w*, ξ and the rest.
struct chain_lanes {
  lane_values u{};
  lane_values m{};
  lane_values s{};
  lane_values c{};
};

struct network_kernels;

/// The loops for one instruction set. `rows` never exceeds block_rows, nor n block_size. What a
/// caller has just written lane by lane would be slow to read as a vector, so that the few numbers
/// that change from step to step are passed by value.
struct batch_kernels {
  std::string_view name;

  /// Independent pairs of standard normals, by Box and Muller from 52-bit uniforms: right in the
  /// tails down to 2^-53.
  void (*normal_pairs)(std::uint64_t key, const counter_lanes& at, std::uint64_t step,
                       std::uint64_t first_row, std::size_t rows, double* first, double* second);

  /// Marsaglia and Tsang's try number `attempt`: one Philox block a lane, in that row.
  void (*try_gamma)(std::uint64_t key, const counter_lanes& at, std::uint64_t step,
                    std::uint64_t attempt, double shape, gamma_try& result);

  /// σ(x) and σ'(x), and σ(x) alone; at a kink the left derivative. Absolute error of erf and erf'
  /// at most 5e-16, relative error of erf at most 1e-15.
  void (*evaluate)(const activation_form& form, const double* x, std::size_t n, double* value,
                   double* slope);
  void (*values)(const activation_form& form, const double* x, std::size_t n, double* value);

  /// λ = (μ + u m) z1 + (ν + u s) z2 + u c z3; z2 may be null, for ν = s = 0.
  void (*student_field)(double mu, double nu, const chain_lanes& state, const double* z1,
                        const double* z2, const double* z3, std::size_t rows, double* out);

  /// Adds a block to the sums, given σ(λ), g(z1) and σ'(λ); noise = √Δ; z2 and zeta may be null.
  /// \param fresh the sums start from zero
  void (*accumulate)(const double* student, const double* teacher, const double* slope,
                     const double* zeta, double noise, const double* z1, const double* z2,
                     const double* z3, std::size_t rows, bool fresh, batch_sums& sums);

  /// One step of the chain in every lane, given the sums over a batch.
  /// \param shared     the lanes are one run: their sums are added up
  /// \param chi_square the χ² variate of the orthogonal part of the gradient
  /// \param rate       η/B
  /// \param rate_ratio κ
  /// \return whether |u| + |m| + |s| + c is at most divergence_bound in every lane
  bool (*advance)(const batch_sums& sums, bool shared, const lane_values& chi_square, double rate,
                  double rate_ratio, const chain_lanes& before, chain_lanes& after);

  /// The loops of any width and rank (network_batch.hpp).
  const network_kernels* network;
};

/// The best set that this machine has.
const batch_kernels& best_kernels();
/// Every set that this machine has, the plainest first.
std::span<const batch_kernels* const> available_kernels();

}  // namespace loradyn::detail
