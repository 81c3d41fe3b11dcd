#pragma once

/// \file
/// Critical alignments of networks: where a mode of the search loses its linear drive
/// (docs/theory.md, section 14).

#include <Eigen/Core>
#include <cstddef>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/model/network_task.hpp>
#include <vector>

namespace loradyn {

/// The networks of `aligned_geometry` over μ, with equal readouts.
struct aligned_family {
  std::ptrdiff_t width = 1;          ///< K
  std::ptrdiff_t teacher_width = 1;  ///< k
  std::ptrdiff_t off_target = 1;     ///< neurons that start at (μ, ν)
  double misalignment = 0.0;         ///< ν
  readout_rule readout = readout_rule::sum;

  /// That at an alignment, without a source task.
  /// \throws argument_error as `aligned_geometry`
  [[nodiscard]] network_geometry at(double alignment) const;
};

/// A root of a mode's drive, a signed singular value of -G0 T', or an unresolved piece.
struct network_critical_alignment {
  /// Of one neuron's search, for this mode: B = -1/(x' (H0 on what is not driven)^-1 x), which is
  /// -x' H0 x where nothing else lacks a drive; the slope is the singular value's.
  critical_alignment root;
  std::size_t modes = 1;    ///< that vanish together, the patterns of a symmetry
  Eigen::VectorXd neurons;  ///< x, K: of one of them, of length 1; its largest entry is positive
  Eigen::VectorXd targets;  ///< y, k: likewise
  double rate = 0.0;        ///< of the fastest mode there; 0 where nothing grows
};

/// Every root in the open interval (lo, hi), in increasing order, then the unresolved pieces.
///
/// Neurons of equal target and start, and targets of equally many such neurons, are exchangeable:
/// -G0 T' falls into blocks of one pattern for each kind, in which roots of the block's determinant
/// are looked for as `critical_alignments` does. A block that is not square, or that is singular
/// throughout, has roots where its largest regular part has one and all of it loses a rank. \param
/// parameters κ is used for the rates, the decay moves B; the rank changes nothing \throws
/// argument_error unless lo < hi, both finite, and where a free adapter decays: its search ends
/// where the drive still is
std::vector<network_critical_alignment> critical_alignments(const network_task& task,
                                                            const aligned_family& family,
                                                            const network_parameters& parameters,
                                                            double lo, double hi);

}  // namespace loradyn
