#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <loradyn/analysis/roots.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <utility>

namespace loradyn {
namespace {

using boost::math::constants::pi;
using function = std::function<scaled_value(double)>;

// A Chebyshev series on an interval, interpolated at the points of the first kind, which leave out
// the ends: there f may not exist (a kinked student of variance 0).
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

  [[nodiscard]] double operator()(double x0) const {
    const double x = (2.0 * x0 - lo_ - hi_) / (hi_ - lo_);
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

// f on a part of the interval, resolved to rounding.
struct piece {
  chebyshev_series series;
  double scale;  // the largest
};

void resolve(const function& f, double lo, double hi, int depth, const std::string& name,
             std::vector<piece>& pieces) {
  constexpr int max_depth = 40;
  constexpr double rounding = 1e-13;
  double scale = 0.0;
  const chebyshev_series series(
      [&](double x) {
        check_stop();
        const scaled_value v = f(x);
        scale = std::max(scale, v.scale);
        return v.value;
      },
      lo, hi);
  const double tail = series.tail();
  if (!std::isfinite(tail) || !std::isfinite(scale)) {
    throw convergence_error(name + " is not finite between " + std::to_string(lo) + " and " +
                            std::to_string(hi));
  }
  if (tail <= rounding * scale) {
    pieces.push_back({series, scale});
    return;
  }
  if (depth == max_depth) {
    throw convergence_error(name + " can't be resolved near " + std::to_string(lo));
  }
  const double middle = 0.5 * (lo + hi);
  resolve(f, lo, middle, depth + 1, name, pieces);
  resolve(f, middle, hi, depth + 1, name, pieces);
}

// A point where f may vanish.
struct candidate {
  double x;
  double threshold;  // |f| below this is zero to rounding
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

// The nearest point on one side of `from` where f is not zero to rounding; `end` if there is none.
double step_off(const function& f, double from, double end, double threshold) {
  const double side = end > from ? 1.0 : -1.0;
  for (double reach = 1e-15 * std::max(1.0, std::abs(from)); reach < std::abs(end - from);
       reach *= 4.0) {
    const double x = from + side * reach;
    if (std::abs(f(x).value) > threshold) {
      return x;
    }
  }
  return end;
}

}  // namespace

std::vector<isolated_root> isolate_roots(const function& f, double lo, double hi,
                                         std::span<const double> breaks, const std::string& name) {
  std::vector<piece> pieces;
  double from = lo;
  for (const double b : breaks) {
    resolve(f, from, b, 0, name, pieces);
    from = b;
  }
  resolve(f, from, hi, 0, name, pieces);
  std::vector<candidate> candidates;
  for (const piece& p : pieces) {
    isolate(p.series, zero_fraction * p.scale, candidates);
  }
  const auto slope_at = [&pieces](double x) {
    const auto holds = [x](const piece& p) { return p.series.lo() <= x && x <= p.series.hi(); };
    return std::find_if(pieces.begin(), pieces.end(), holds)->series.derivative()(x);
  };

  std::vector<isolated_root> roots;
  double covered = lo;  // the candidates up to here are one root, already reported
  for (const candidate& c : candidates) {
    if (c.x <= covered || c.x >= hi) {
      continue;
    }
    // The stretch about the candidate in which f is zero to rounding. One that reaches an end is
    // the zero at that end.
    const double left = step_off(f, c.x, lo, c.threshold);
    const double right = step_off(f, c.x, hi, c.threshold);
    covered = right;
    if (left == lo || right == hi) {
      continue;
    }
    const double at_left = f(left).value;
    const double at_right = f(right).value;
    double root = 0.5 * (left + right);
    const bool crosses = std::signbit(at_left) != std::signbit(at_right);
    if (crosses) {
      std::uintmax_t iterations = 200;
      const auto bracket = boost::math::tools::toms748_solve(
          [&f](double x) { return f(x).value; }, left, right, at_left, at_right,
          boost::math::tools::eps_tolerance<double>(), iterations);
      root = 0.5 * (bracket.first + bracket.second);
    }
    roots.push_back({root, slope_at(root), crosses});
  }
  return roots;
}

}  // namespace loradyn
