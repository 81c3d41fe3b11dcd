#include "model/power_slope.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace loradyn {

std::optional<power_slope> power_slope::of(const activation& student, const activation& teacher) {
  if (student.as_waves() != nullptr) {
    const detail::wave_sum waves(*student.as_waves());
    const double least = least_variance_of(waves);
    if (!std::isfinite(least)) {
      return std::nullopt;
    }
    const activation_symmetry of_teacher = teacher.symmetry();
    const bool is_whole = student.symmetry().kind == parity::even && of_teacher.kind == parity::odd;
    const detail::wave_sum square = waves.times(waves);
    return power_slope(
        wave_average(is_whole ? square.plus(waves, -2.0 * of_teacher.offset) : square), least,
        is_whole);
  }
  if (!student.parts().has_rest) {
    return std::nullopt;  // its kernel is the faster way
  }
  // At the target the moments of student and teacher are the same sums, which cancel to the last
  // bit. Those of degree 4 round by a bit or two; he5*(relu+0.5*he6) ended 4e-16 beside the target.
  constexpr std::size_t most_coefficients = 5;
  constexpr double least = std::numeric_limits<double>::min();  // none at no variance
  if (const half_line_polynomials* pieces = student.on_half_lines();
      pieces != nullptr &&
      std::max(pieces->negative.size(), pieces->positive.size()) <= most_coefficients &&
      is_well_conditioned(*pieces)) {
    return power_slope(half_line_average(product_of(*pieces, *pieces)), least, false);
  }
  if (const auto knots = knot_polynomials_of(student); knots && is_well_conditioned(*knots)) {
    return power_slope(knot_average(product_of(*knots, *knots)), least, false);
  }
  return std::nullopt;
}

}  // namespace loradyn
