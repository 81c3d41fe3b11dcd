#include <loradyn/gaussian/hermite.hpp>

#include <cmath>
#include <cstddef>

namespace loradyn {

void normalised_hermite(double z, std::span<double> values) {
  double previous = 0.0;
  double current = 1.0;
  for (std::size_t n = 0; n < values.size(); ++n) {
    values[n] = current;
    const double k = static_cast<double>(n);
    const double next = (z * current - std::sqrt(k) * previous) / std::sqrt(k + 1.0);
    previous = current;
    current = next;
  }
}

double hermite_series(std::span<const double> coefficients, double x) {
  double after = 0.0;
  double current = 0.0;
  for (std::size_t n = coefficients.size(); n-- > 0;) {
    const double next = coefficients[n] + x * current - (static_cast<double>(n) + 1.0) * after;
    after = current;
    current = next;
  }
  return current;
}

}  // namespace loradyn
