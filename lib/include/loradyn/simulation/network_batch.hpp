#pragma once

/// \file
/// The inner loops of the chain of any width and rank, beside those of batch.hpp: small matrices
/// applied to blocks of samples, the moments of a batch, and a step of the state. Every instruction
/// set gives the same bits. Internal to the simulation room.

#include <cstddef>
#include <vector>

#include <loradyn/model/network.hpp>
#include <loradyn/simulation/batch.hpp>

namespace loradyn::detail {

/// The constants of a step. n = p + r.
struct network_constants {
  std::size_t width = 1;       ///< K
  std::size_t rank = 1;        ///< r
  std::size_t directions = 1;  ///< p
  /// Whether the sums over a batch are those of the adapters' errors, H_U = H U, or of the neurons'
  /// own, H: the fewer of the two.
  bool by_adapter = false;
  bool trains_adapter_output = true;  ///< whether U moves: κ > 0
  bool trains_readout = false;        ///< whether a moves: κ_a > 0
  bool shared = false;                ///< the lanes are one run: their sums are added up
  adapter_constraint adapter = adapter_constraint::sphere;
  double rate = 0.0;          ///< η/B, of V
  double output_rate = 0.0;   ///< κ η/B, of U
  double readout_rate = 0.0;  ///< κ_a η/B, of a
  double kept = 1.0;          ///< 1 - η ω, what decay leaves of V in a step
  double output_kept = 1.0;   ///< 1 - κ η ω, of U
};

/// A state in each lane. V's coordinates are on E and on an orthonormal basis of what remains of
/// it.
struct network_lanes {
  lane_values* output;   ///< U, K x r
  lane_values* adapter;  ///< [C, L], r x n, where L L' = V V' - C C' is lower triangular
  lane_values* readout;  ///< a, K
};

/// Σ over a batch for each lane. Rows e are the adapters' or the neurons' errors.
struct network_sums {
  lane_values* inputs;    ///< Σ e_i (z, y)_j: r x n, or K x n
  lane_values* squares;   ///< Σ e_i e_j: r x r, or K x K; only i >= j counts
  lane_values* outputs;   ///< by adapter, Σ h_j <V_a, x>: K x r
  lane_values* readouts;  ///< Σ δ σ(λ_j): K
};

/// How many numbers `advance` needs to work with.
[[nodiscard]] constexpr std::size_t network_scratch(std::size_t width, std::size_t rank,
                                                    std::size_t directions) {
  return 2 * width * rank + 5 * rank * rank + rank * (directions + rank);
}

/// A matrix of few entries that are not zero, the same in every lane.
struct sparse_rows {
  std::vector<std::size_t> ends;     ///< of each row in what follows
  std::vector<std::size_t> columns;  ///< of its entries, increasing
  std::vector<double> factors;
};

struct network_kernels {
  /// out_j = Σ_i factors_ji in_i for each sample. Blocks are `stride` numbers apart.
  /// \param factors outputs x inputs
  /// \param add     adds to what is in `out`
  void (*combine)(const double* in, std::size_t inputs, const lane_values* factors,
                  std::size_t outputs, bool add, std::size_t stride, std::size_t rows, double* out);

  /// The same with a sparse matrix.
  void (*select)(const double* in, const sparse_rows& factors, std::size_t stride, std::size_t rows,
                 double* out);

  /// δ = Σ_j a_j σ(λ_j) - Σ_i b_i g(λ*_i) - √Δ ζ, and h_j = δ a_j σ'(λ_j) in the place of σ'(λ_j).
  /// \param zeta may be null
  void (*errors)(const double* student, const lane_values* readout, std::size_t width,
                 const double* teacher, const double* teacher_readout, std::size_t teacher_width,
                 const double* zeta, double noise, std::size_t stride, std::size_t rows,
                 double* delta, double* slope);

  /// sums_ij += Σ left_i right_j over the samples of each lane.
  /// \param lower only i >= j is wanted
  void (*moments)(const double* left, std::size_t lefts, const double* right, std::size_t rights,
                  bool lower, std::size_t stride, std::size_t rows, lane_values* sums);

  /// One step of the state, given a batch's sums, which are changed.
  /// \param rest      the χ² variates of what is orthogonal to all, r
  /// \param mixing    the normals below the diagonal of Bartlett's matrix, by rows
  /// \param frobenius the square of V's Frobenius norm where the adapter keeps it
  /// \return whether Σ|entries| is at most divergence_bound in every lane
  bool (*advance)(const network_constants& constants, const network_sums& sums,
                  const lane_values* rest, const lane_values* mixing, const lane_values& frobenius,
                  const network_lanes& before, const network_lanes& after, lane_values* scratch);

  /// [W0 E' + U C, U L], K x n.
  void (*compose)(const network_constants& constants, const lane_values* pretrained,
                  const network_lanes& state, lane_values* weights);

  /// The lower triangular L with L L' = A, of a matrix that may be singular: a pivot below 16 ulp
  /// of its diagonal entry leaves a column of zeros, for an error of some 1e-8 of A's size at most.
  void (*factor)(const lane_values* symmetric, std::size_t size, lane_values* lower);

  /// V's rows to norm 1.
  void (*normalise)(const network_constants& constants, lane_values* adapter);
};

}  // namespace loradyn::detail
