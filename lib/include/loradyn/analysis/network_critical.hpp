#pragma once

/// \file
/// Critical alignments of networks: where a mode of the search loses its linear drive
/// (docs/theory.md, section 14).

#include <Eigen/Core>
#include <cstddef>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/model/network_task.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace loradyn {

/// The networks of `aligned_geometry` over μ, with equal readouts.
struct aligned_family {
  std::ptrdiff_t width = 1;          ///< K
  std::ptrdiff_t teacher_width = 1;  ///< k
  std::ptrdiff_t off_target = 1;     ///< neurons that start at (μ, ν)
  double misalignment = 0.0;         ///< ν
  readout_rule readout = readout_rule::sum;
  /// Rows and readouts of any kind in the place of all but `off_target`: K and k are theirs, and
  /// that at μ is `realigned`.
  std::optional<network_geometry> rows{};

  /// That at an alignment, without a source task.
  /// \throws argument_error as `aligned_geometry` and `realigned`
  [[nodiscard]] network_geometry at(double alignment) const;
};

/// Whether the targets span all that is pre-trained, to rounding, so that nothing beside them
/// drives a search.
bool targets_span_rows(const network_geometry& geometry);

/// A root of a mode's drive, or an unresolved piece. The drives are the signed singular values of
/// -G0 on the directions of the targets; of free adapters that decay those of all of G0, less the
/// decay ω: such a mode grows where its drive is > ω.
struct network_critical_alignment {
  /// Of one neuron's search, for this mode: B = -1/(x' (H0 + ω on what is not driven)^-1 x), which
  /// is -x' (H0 + ω) x where nothing else lacks a drive, and -ω for free adapters that decay, whose
  /// H0 is gone with V; the slope is the singular value's.
  critical_alignment root;
  std::size_t modes = 1;    ///< that vanish together, the patterns of a symmetry
  Eigen::VectorXd neurons;  ///< x, K: of one of them, of length 1; its largest entry is positive
  /// T y, k: the overlaps with the targets of the direction that it would move V in. Of orthonormal
  /// targets and ν = 0 of length 1.
  Eigen::VectorXd targets;
  double rate = 0.0;  ///< of the fastest mode there; 0 where nothing grows
};

/// Every root in the open interval (lo, hi), in increasing order, then the unresolved pieces.
///
/// Neurons of equal target and start, and targets of equally many such neurons, are exchangeable:
/// the drive falls into blocks of one pattern for each kind, in which roots of the block's
/// determinant are looked for as `critical_alignments` does. Rows of any kind make one block, and
/// patterns that a symmetry makes vanish together are told one by one. A block that is not square,
/// or that is singular throughout, has roots where its largest regular part has one and all of it
/// loses a rank. \param parameters κ is used for the rates, the decay moves B; the rank changes
/// nothing \throws argument_error unless lo < hi, both finite
std::vector<network_critical_alignment> critical_alignments(const network_task& task,
                                                            const aligned_family& family,
                                                            const network_parameters& parameters,
                                                            double lo, double hi);

/// A function of networks of one family that changes its sign where a mode loses its drive, or
/// passes the decay: the product over the blocks of the determinants of their regular parts, each
/// divided by what makes it at most 1.
class critical_function {
 public:
  /// \param of     sizes and kinds; its alignment is that of the flows
  /// \param decays whether the flows are of free adapters that decay (0 among them)
  /// \param places some flows, by which the regular parts are chosen; no more are needed than make
  ///               none of them singular by accident
  critical_function(const aligned_family& of, bool decays, const std::vector<network_flow>& places);
  ~critical_function();
  critical_function(const critical_function&) = delete;
  critical_function& operator=(const critical_function&) = delete;

  /// NaN where the flow has no drive, or none that is finite. \throws convergence_error
  [[nodiscard]] double operator()(const network_flow& f) const;

 private:
  struct parts;
  std::unique_ptr<const parts> parts_;
};

}  // namespace loradyn
