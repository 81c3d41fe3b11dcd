#pragma once

/// \file
/// Shifted lattice rules for averages over standard normal vectors of any length. Internal to the
/// library.

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace loradyn {

/// Points of a rank-one lattice, folded so that no integrand need be periodic, in `shifts` copies
/// that are shifted at random: the average over a copy is unbiased over the shifts, so that their
/// spread tells the error. The shifts are the same ones always. Safe from any thread.
class normal_lattice {
 public:
  static constexpr std::size_t points = std::size_t{1} << 13;
  static constexpr std::size_t shifts = 8;  ///< an error from so few is known to 1/√14, 27 %
  static constexpr std::size_t max_dimension = 64;  ///< of the generating vector in lattice.cpp

  /// Coordinate number `dimension` of every point, copy after copy; made where it is first asked
  /// for. \pre dimension < max_dimension
  std::span<const double> coordinate(std::size_t dimension) const;

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::size_t, std::vector<double>> coordinates_;
};

}  // namespace loradyn
