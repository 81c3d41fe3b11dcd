#pragma once

/// \file
/// The algebra of sums of waves. Internal to the library.

#include <complex>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include "activation/formula.hpp"

namespace loradyn::detail {

/// Σ Re[amplitude(x) exp(i frequency x)], frequencies >= 0: closed under sums, products and
/// derivatives. Amplitudes are polynomials by their coefficients of xᵏ; that of frequency 0 is
/// real.
class wave_sum {
 public:
  using amplitude = std::vector<std::complex<double>>;

  wave_sum() = default;
  /// of what an activation shows of itself
  explicit wave_sum(const std::vector<wave>& waves);

  static wave_sum constant(double value);
  static wave_sum argument();
  /// Re[c exp(i frequency x)], of any sign of the frequency
  static wave_sum oscillation(double frequency, std::complex<double> c);

  [[nodiscard]] wave_sum plus(const wave_sum& other, double factor) const;
  [[nodiscard]] wave_sum times(const wave_sum& other) const;
  [[nodiscard]] wave_sum derivative() const;

  /// slope and constant, where it is slope x + constant
  struct line {
    double slope = 0.0;
    double constant = 0.0;
  };
  [[nodiscard]] std::optional<line> as_line() const;
  /// The largest degree of an amplitude.
  [[nodiscard]] std::size_t degree() const;
  /// By frequency; none that is zero.
  [[nodiscard]] const std::map<double, amplitude>& terms() const noexcept { return terms_; }

 private:
  void add(double frequency, const amplitude& a, std::complex<double> factor);

  std::map<double, amplitude> terms_;
};

/// What the formula is as a sum of waves, where it is one with a wave that is no polynomial, and of
/// few: at most most_waves frequencies, of degrees up to most_wave_degree.
std::optional<std::vector<wave>> waves_of(const formula& f);

}  // namespace loradyn::detail
