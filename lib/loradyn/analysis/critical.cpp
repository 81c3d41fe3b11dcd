#include <loradyn/analysis/critical.hpp>

#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <utility>

namespace loradyn {
namespace {

using boost::math::constants::pi;

// A(μ) below this fraction of the scale of its two terms can't be told from zero: the accuracy of
// the kernels with a margin.
constexpr double zero_fraction = 1e-11;

class drive {
 public:
  drive(const population_risk& risk, const lora_parameters& parameters)
      : risk_(risk), parameters_(parameters) {}

  [[nodiscard]] search_phase_result at(double mu) const {
    lora_parameters p = parameters_;
    p.alignment = mu;
    return search_phase(risk_, p);
  }

  double operator()(double mu) const { return at(mu).A; }

 private:
  const population_risk& risk_;
  const lora_parameters& parameters_;
};

// A Chebyshev series on an interval, interpolated at the points of the first kind, which leave out
// the ends: there A may not exist (a kinked student at μ = ν = 0).
class chebyshev_series {
 public:
  static constexpr std::size_t size = 24;

  template <class Function>
  chebyshev_series(const Function& f, double lo, double hi) : lo_(lo), hi_(hi) {
    std::array<double, size> values{};
    for (std::size_t i = 0; i < size; ++i) {
      const double x = std::cos(angle(i));
      values[i] = f(0.5 * (lo + hi) + 0.5 * (hi - lo) * x);
    }
    for (std::size_t k = 0; k < size; ++k) {
      double sum = 0.0;
      for (std::size_t i = 0; i < size; ++i) {
        sum += values[i] * std::cos(static_cast<double>(k) * angle(i));
      }
      coefficients_[k] = sum * (k == 0 ? 1.0 : 2.0) / static_cast<double>(size);
    }
  }

  [[nodiscard]] double lo() const { return lo_; }
  [[nodiscard]] double hi() const { return hi_; }

  [[nodiscard]] double operator()(double mu) const {
    const double x = (2.0 * mu - lo_ - hi_) / (hi_ - lo_);
    double after = 0.0;
    double current = 0.0;
    for (std::size_t k = size - 1; k > 0; --k) {
      after = std::exchange(current, coefficients_[k] + 2.0 * x * current - after);
    }
    return coefficients_[0] + x * current - after;
  }

  // The derivative's series, by its downward recurrence.
  [[nodiscard]] chebyshev_series derivative() const {
    chebyshev_series d(*this);
    std::array<double, size + 1> c{};
    for (std::size_t k = size - 1; k > 0; --k) {
      c[k - 1] = (k + 1 < size ? c[k + 1] : 0.0) + 2.0 * static_cast<double>(k) * coefficients_[k];
    }
    c[0] *= 0.5;
    for (std::size_t k = 0; k < size; ++k) {
      d.coefficients_[k] = 2.0 * c[k] / (hi_ - lo_);
    }
    return d;
  }

  // The size of the last coefficients: the interpolation error.
  [[nodiscard]] double tail() const {
    double largest = 0.0;
    for (std::size_t k = size - 4; k < size; ++k) {
      largest = std::max(largest, std::abs(coefficients_[k]));
    }
    return largest;
  }

  // Whether the mean outweighs all that oscillates by more than a margin: no zero then.
  [[nodiscard]] bool keeps_sign(double margin) const {
    double rest = margin;
    for (std::size_t k = 1; k < size; ++k) {
      rest += std::abs(coefficients_[k]);
    }
    return std::abs(coefficients_[0]) > rest;
  }

 private:
  static double angle(std::size_t i) {
    return pi<double>() * (static_cast<double>(i) + 0.5) / static_cast<double>(size);
  }

  double lo_;
  double hi_;
  std::array<double, size> coefficients_{};
};

// A on a part of the interval, resolved to rounding.
struct piece {
  chebyshev_series series;
  double scale;  // the largest of A's two terms
};

void resolve(const drive& a, double lo, double hi, int depth, std::vector<piece>& pieces) {
  constexpr int max_depth = 40;
  constexpr double rounding = 1e-13;
  double scale = 0.0;
  const chebyshev_series series(
      [&](double mu) {
        const search_phase_result v = a.at(mu);
        scale = std::max(scale, v.A_scale);
        return v.A;
      },
      lo, hi);
  const double tail = series.tail();
  if (!std::isfinite(tail) || !std::isfinite(scale)) {
    throw convergence_error("A(mu) is not finite between mu = " + std::to_string(lo) + " and " +
                            std::to_string(hi));
  }
  if (tail <= rounding * scale) {
    pieces.push_back({series, scale});
    return;
  }
  if (depth == max_depth) {
    throw convergence_error("A(mu) can't be resolved near mu = " + std::to_string(lo));
  }
  const double middle = 0.5 * (lo + hi);
  resolve(a, lo, middle, depth + 1, pieces);
  resolve(a, middle, hi, depth + 1, pieces);
}

// A point where A may vanish.
struct candidate {
  double mu;
  double threshold;  // |A| below this is zero to rounding
};

// The zeros of a series, by bisection: a part that keeps its sign has none, a part where it is
// monotone at most one, and what stays undecided down to the smallest width may be a double root.
void isolate(const chebyshev_series& series, double threshold, std::vector<candidate>& found) {
  constexpr double smallest = 1e-9;
  if (series.keeps_sign(0.5 * threshold)) {
    return;
  }
  const double lo = series.lo();
  const double hi = series.hi();
  const double at_lo = series(lo);
  const double at_hi = series(hi);
  if (series.derivative().keeps_sign(0.0)) {
    if (std::signbit(at_lo) != std::signbit(at_hi)) {
      std::uintmax_t iterations = 100;
      const auto bracket = boost::math::tools::toms748_solve(
          series, lo, hi, at_lo, at_hi, boost::math::tools::eps_tolerance<double>(), iterations);
      found.push_back({0.5 * (bracket.first + bracket.second), threshold});
    } else if (std::min(std::abs(at_lo), std::abs(at_hi)) <= threshold) {
      found.push_back({std::abs(at_lo) < std::abs(at_hi) ? lo : hi, threshold});
    }
    return;
  }
  const double middle = 0.5 * (lo + hi);
  if (hi - lo <= smallest * std::max(1.0, std::abs(middle))) {
    if (std::abs(series(middle)) <= threshold) {
      found.push_back({middle, threshold});
    }
    return;
  }
  isolate(chebyshev_series(series, lo, middle), threshold, found);
  isolate(chebyshev_series(series, middle, hi), threshold, found);
}

// The nearest point on one side of `from` where A is not zero to rounding; `end` if there is none.
double step_off(const drive& a, double from, double end, double threshold) {
  const double side = end > from ? 1.0 : -1.0;
  for (double reach = 1e-15 * std::max(1.0, std::abs(from)); reach < std::abs(end - from);
       reach *= 4.0) {
    const double mu = from + side * reach;
    if (std::abs(a(mu)) > threshold) {
      return mu;
    }
  }
  return end;
}

critical_status classify(const lora_parameters& parameters, const search_phase_result& v) {
  if (parameters.misalignment > 0.0) {
    return critical_status::finite;
  }
  if (std::abs(v.B) <= zero_fraction * (v.A_scale + std::abs(v.B))) {
    return critical_status::marginal;
  }
  return v.B < 0.0 ? critical_status::diverges : critical_status::finite;
}

}  // namespace

std::string_view to_string(critical_status status) {
  switch (status) {
    case critical_status::diverges:
      return "diverges";
    case critical_status::finite:
      return "finite";
    case critical_status::marginal:
      return "marginal";
    case critical_status::possible_double:
      break;
  }
  return "possible-double-root";
}

std::vector<critical_alignment> critical_alignments(const population_risk& risk,
                                                    const lora_parameters& parameters, double lo,
                                                    double hi) {
  if (!std::isfinite(lo) || !std::isfinite(hi) || !(lo < hi)) {
    throw argument_error("the interval of mu", std::to_string(lo) + ":" + std::to_string(hi),
                         "lo:hi with lo < hi, both finite");
  }
  const drive a(risk, parameters);
  std::vector<piece> pieces;
  if (lo < 0.0 && hi > 0.0) {  // with ν = 0 a kinked student changes form at μ = 0
    resolve(a, lo, 0.0, 0, pieces);
    resolve(a, 0.0, hi, 0, pieces);
  } else {
    resolve(a, lo, hi, 0, pieces);
  }
  std::vector<candidate> candidates;
  for (const piece& p : pieces) {
    isolate(p.series, zero_fraction * p.scale, candidates);
  }
  const auto slope_at = [&pieces](double mu) {
    const auto holds = [mu](const piece& p) { return p.series.lo() <= mu && mu <= p.series.hi(); };
    return std::find_if(pieces.begin(), pieces.end(), holds)->series.derivative()(mu);
  };

  std::vector<critical_alignment> roots;
  double covered = lo;  // the candidates up to here are one root, already reported
  for (const candidate& c : candidates) {
    if (c.mu <= covered || c.mu >= hi) {
      continue;
    }
    // The stretch about the candidate in which A is zero to rounding. One that reaches an end is
    // the zero at that end.
    const double left = step_off(a, c.mu, lo, c.threshold);
    const double right = step_off(a, c.mu, hi, c.threshold);
    covered = right;
    if (left == lo || right == hi) {
      continue;
    }
    const double at_left = a(left);
    const double at_right = a(right);
    double root = 0.5 * (left + right);
    const bool crosses = std::signbit(at_left) != std::signbit(at_right);
    if (crosses) {
      std::uintmax_t iterations = 200;
      const auto bracket = boost::math::tools::toms748_solve(
          a, left, right, at_left, at_right, boost::math::tools::eps_tolerance<double>(),
          iterations);
      root = 0.5 * (bracket.first + bracket.second);
    }
    const search_phase_result v = a.at(root);
    roots.push_back({root, v.B, slope_at(root),
                     crosses ? classify(parameters, v) : critical_status::possible_double});
  }
  return roots;
}

}  // namespace loradyn
