#include "model/wave_slope.hpp"

#include <cmath>

namespace loradyn {

wave_slope::wave_slope(const detail::wave_sum& square, double least, bool is_whole)
    : curvature_(square.derivative().derivative()), least_(least), is_whole_(is_whole) {}

std::optional<wave_slope> wave_slope::of(const activation& student, const activation& teacher) {
  if (student.as_waves() == nullptr) {
    return std::nullopt;
  }
  const detail::wave_sum waves(*student.as_waves());
  const double least = least_variance_of(waves);
  if (!std::isfinite(least)) {
    return std::nullopt;
  }
  const activation_symmetry of_teacher = teacher.symmetry();
  const bool is_whole = student.symmetry().kind == parity::even && of_teacher.kind == parity::odd;
  const detail::wave_sum square = waves.times(waves);
  return wave_slope(is_whole ? square.plus(waves, -2.0 * of_teacher.offset) : square, least,
                    is_whole);
}

}  // namespace loradyn
