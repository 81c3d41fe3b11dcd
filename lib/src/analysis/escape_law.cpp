#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/non_central_chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/quadrature/tanh_sinh.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <cmath>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <string>
#include "nan.hpp"

namespace loradyn {
namespace {

bool exists(const escape_law& law) {
  return law.status == law_status::ok || law.status == law_status::small_dimension ||
         law.status == law_status::several_modes;
}

// |Z|²/Var Z is a chi-squared with this non-centrality.
double non_centrality(const escape_law& law) {
  return law.mean_amplitude * law.mean_amplitude / law.variance;
}

// (9.2), bent: the time at x = ½ log d - log|Z|.
double time_at(const escape_law& law, double x) {
  const double straight = law.nonlinear_time + law.tau * x;
  if (law.bend == 0.0) {
    return straight;
  }
  const double inside = std::clamp(x, law.bent_from, law.bent_to);
  const double slope = 2.0 * inside - law.bent_from - law.bent_to;
  return straight +
         law.bend * ((inside - law.bent_from) * (inside - law.bent_to) + slope * (x - inside));
}

double slope_at(const escape_law& law, double x) {
  return law.bend == 0.0 ? law.tau
                         : law.tau + law.bend * (2.0 * std::clamp(x, law.bent_from, law.bent_to) -
                                                 law.bent_from - law.bent_to);
}

// The x of a time.
double place_of(const escape_law& law, double t) {
  const double straight = (t - law.nonlinear_time) / law.tau;
  if (law.bend == 0.0) {
    return straight;
  }
  const double before = (t - time_at(law, law.bent_from)) / slope_at(law, law.bent_from);
  if (before <= 0.0) {
    return law.bent_from + before;
  }
  const double beyond = (t - time_at(law, law.bent_to)) / slope_at(law, law.bent_to);
  if (beyond >= 0.0) {
    return law.bent_to + beyond;
  }
  // The root of the parabola that stays as the bend vanishes, without cancellation.
  const double from_start = t - time_at(law, law.bent_from);
  const double slope = slope_at(law, law.bent_from);
  return law.bent_from +
         2.0 * from_start / (slope + std::sqrt(slope * slope + 4.0 * law.bend * from_start));
}

// |Z| at which the event comes at t.
double amplitude_at(const escape_law& law, double t) {
  return std::sqrt(law.dimension) * std::exp(-place_of(law, t));
}

// The value of Z²/Var Z that is exceeded with probability p.
double upper_square(const escape_law& law, double p) {
  using boost::math::complement;
  const boost::math::normal standard;
  const double shift = non_centrality(law);
  if (law.degrees != 1.0) {
    return shift < 1e-12
               ? quantile(complement(boost::math::chi_squared(law.degrees), p))
               : quantile(complement(boost::math::non_central_chi_squared(law.degrees, shift), p));
  }
  if (shift < 1e-12) {  // which moves the quantile by as little
    const double z = quantile(complement(standard, 0.5 * p));
    return z * z;
  }
  return quantile(complement(boost::math::non_central_chi_squared(1.0, shift), p));
}

}  // namespace

std::string_view to_string(law_status status) {
  switch (status) {
    case law_status::ok:
      return "ok";
    case law_status::no_instability:
      return "no-instability";
    case law_status::no_escape:
      return "no-escape";
    case law_status::several_modes:
      return "several-modes";
    case law_status::small_dimension:
      break;
  }
  return "small-dimension";
}

double escape_law::cdf(double t) const {
  if (!exists(*this)) {
    return nan;
  }
  // P(|Z| >= amplitude)
  const boost::math::normal z(mean_amplitude, std::sqrt(variance));
  const double amplitude = amplitude_at(*this, t);
  if (degrees != 1.0) {
    using boost::math::complement;
    const double square = amplitude * amplitude / variance;
    const double shift = non_centrality(*this);
    return shift < 1e-12 ? boost::math::cdf(complement(boost::math::chi_squared(degrees), square))
                         : boost::math::cdf(complement(
                               boost::math::non_central_chi_squared(degrees, shift), square));
  }
  return boost::math::cdf(boost::math::complement(z, amplitude)) + boost::math::cdf(z, -amplitude);
}

double escape_law::density(double t) const {
  if (!exists(*this)) {
    return nan;
  }
  const boost::math::normal z(mean_amplitude, std::sqrt(variance));
  const double slope = slope_at(*this, place_of(*this, t));
  const double amplitude = amplitude_at(*this, t);
  if (degrees != 1.0) {
    const double square = amplitude * amplitude / variance;
    const double shift = non_centrality(*this);
    const double of_square =
        shift < 1e-12
            ? boost::math::pdf(boost::math::chi_squared(degrees), square)
            : boost::math::pdf(boost::math::non_central_chi_squared(degrees, shift), square);
    return 2.0 * square / slope * of_square;
  }
  return amplitude / slope * (boost::math::pdf(z, amplitude) + boost::math::pdf(z, -amplitude));
}

double escape_law::quantile(double p) const {
  if (!(p > 0.0 && p < 1.0)) {
    throw argument_error("the quantile", number_text(p), "between 0 and 1");
  }
  if (!exists(*this)) {
    return nan;
  }
  return time_at(*this, 0.5 * std::log(dimension / (variance * upper_square(*this, p))));
}

double escape_law::mean() const {
  if (!exists(*this)) {
    return nan;
  }
  if (bend != 0.0) {
    boost::math::quadrature::tanh_sinh<double> over;
    constexpr double enough = 1e-9;  // beside the 1e-8 τ to which T_nl is found
    const auto inside = [](double p) {
      return std::clamp(p, std::numeric_limits<double>::min(), std::nextafter(1.0, 0.0));
    };
    return over.integrate([&](double p) { return quantile(inside(p)); }, 0.0, 1.0, enough);
  }
  // E log χ'² of r degrees of freedom: a Poisson mixture of central ones of r + 2j degrees.
  const double half = 0.5 * non_centrality(*this);
  double log_square = 0.0;
  if (half > 300.0) {
    // An expansion in x², the spread relative to Z: of the next term 2e-8 is left at 300. "The mean
    // is that of the law" passes there.
    const double spread = 1.0 / (2.0 * half);
    const double rest = degrees - 2.0;
    log_square = -std::log(spread) + rest * spread - 0.5 * rest * (degrees - 4.0) * spread * spread;
  } else {
    // A Poisson variable of mean 300 is below 2000 by a hundred deviations.
    double weight = std::exp(-half);
    double total = 0.0;
    for (int j = 0; total < 1.0 - 1e-14 && j < 2000; ++j) {
      log_square += weight * (std::log(2.0) + boost::math::digamma(0.5 * degrees + j));
      total += weight;
      weight *= half / (j + 1.0);
    }
  }
  return tau * 0.5 * (std::log(dimension / variance) - log_square) + nonlinear_time;
}

escape_law law_of_escape(const flow& f, const overlap_event& event, double dimension, double u0,
                         const integration_options& options, const outcome_classifier& classifier) {
  if (!(dimension >= 3.0) || !std::isfinite(dimension)) {
    throw argument_error("dim", number_text(dimension), "at least 3");
  }
  if (!std::isfinite(u0)) {
    throw argument_error("u0", number_text(u0), "finite");
  }
  if (event.is_signed && event.quantity == overlap_quantity::m) {
    throw argument_error("the event of the law", "signed in m",
                         "the same for both signs of the start");
  }
  event.validate();
  const lora_parameters& p = f.parameters();
  const search_phase_result phase = search_phase(f.task().risk, p);
  escape_law law;
  law.dimension = dimension;
  law.tau = phase.tau;
  const double pull = std::hypot(phase.A, phase.C);
  if (!(phase.lambda > 0.0) || !std::isfinite(phase.lambda) || !(pull > 0.0)) {
    law.status = law_status::no_instability;
    return law;
  }

  // The left eigenvector of the linear flow, ∝ (λ, κA, κC), normalised against e₊ ∝ (λ, A, C).
  const double kappa = p.rate_ratio;
  const double lambda = phase.lambda;
  const double factor = std::hypot(lambda, pull) / (lambda * lambda + kappa * pull * pull);
  const double left_u = factor * lambda;
  const double left_m = factor * kappa * pull;  // along (A, C)
  const field_overlaps origin = fields({}, p);
  const double V = p.noise_scale > 0.0
                       ? f.task().noise.value(origin.M, origin.Q, origin.gap, p.label_noise)
                       : 0.0;
  const double noise = kappa * left_u;
  // (9.1)
  law.variance = left_m * left_m + noise * noise * p.noise_scale * V / (2.0 * lambda);
  law.mean_amplitude = left_u * std::sqrt(dimension) * u0;

  // So small that the linear search takes it to where its corrections are below the tolerance.
  constexpr double size = 1e-12;
  const overlap_state& e = phase.unstable;
  const overlap_state small{size * e.u, size * e.m, size * e.s};
  if (met_by(event_of(f, event, small), small)) {
    law.status = law_status::no_escape;
    return law;
  }
  const escape_run run = escape(f, small, event, options, classifier, run_extent::to_event);
  law.nonlinear_time = run.t_hit - law.tau * std::log(1.0 / size);
  if (!std::isfinite(run.t_hit)) {
    law.status = law_status::no_escape;
    return law;
  }
  // By definition (docs/theory.md, section 9): corrections to the linear flow, of the square of the
  // overlaps, are a tenth there.
  constexpr double linear_reach = 0.3;
  const double large = std::sqrt(law.variance * upper_square(law, 0.05) / dimension);
  law.status = large > linear_reach ? law_status::small_dimension : law_status::ok;
  return law;
}

}  // namespace loradyn
