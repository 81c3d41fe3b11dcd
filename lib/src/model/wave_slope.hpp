#pragma once

/// \file
/// The slope by |w|² of the risk of a student that is a sum of waves. Internal to the model room.

#include <loradyn/activation/activation.hpp>
#include <optional>
#include "kernel/wave_pair.hpp"

namespace loradyn {

/// The part of 2R_Q that E[σ²] has, of which the moments that it is the sum of, of size E[σ'²],
/// leave as little as exp(-2Q): summed as waves of σ², each of which decays by itself. Where an
/// even σ meets a teacher c + odd, which it sees as c alone, it is all of 2R_Q, of E[(σ - c)²].
class wave_slope {
 public:
  /// Nothing where the student shows no waves, or they cancel at every variance.
  static std::optional<wave_slope> of(const activation& student, const activation& teacher);

  /// Whether it is to be used at |w|² = Q.
  [[nodiscard]] bool holds_at(double Q) const noexcept { return Q >= least_; }
  /// Whether it has the teacher's part.
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
  [[nodiscard]] double operator()(double Q) const { return 0.5 * curvature_(Q); }

 private:
  wave_slope(const detail::wave_sum& square, double least, bool is_whole);

  wave_average curvature_;
  double least_;
  bool is_whole_;
};

}  // namespace loradyn
