#include "analysis/roots.hpp"
#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/number_text.hpp>
#include <utility>
#include "nan.hpp"

namespace loradyn {
namespace {

using boost::math::constants::pi;
using function = std::function<scaled_value(double)>;

// A Chebyshev series on an interval, interpolated at the points of the first kind, which leave out
// the ends: there f may not exist (a kinked student of variance 0).
class chebyshev_series {
 public:
  static constexpr std::size_t size = 24;  // decides the cost: intervals are halved to rounding

  template <class Function>
  chebyshev_series(const Function& f, double lo, double hi) : lo_(lo), hi_(hi) {
    std::array<double, size> values{};
    for (std::size_t i = 0; i < size; ++i) {
      values[i] = f(0.5 * (lo + hi) + 0.5 * (hi - lo) * cosines()[1][i]);
    }
    for (std::size_t k = 0; k < size; ++k) {
      double sum = 0.0;
      for (std::size_t i = 0; i < size; ++i) {
        sum += values[i] * cosines()[k][i];
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

  // The size of the last coefficients: the interpolation error. Four, as of an even or an odd f
  // every other one is zero.
  [[nodiscard]] double tail() const {
    double largest = 0.0;
    for (std::size_t k = size - 4; k < size; ++k) {
      largest = std::max(largest, std::abs(coefficients_[k]));
    }
    return largest;
  }

  // What the series can't exceed.
  [[nodiscard]] double bound() const {
    double sum = 0.0;
    for (const double c : coefficients_) {
      sum += std::abs(c);
    }
    return sum;
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
  // T_k at the i-th point.
  using table = std::array<std::array<double, size>, size>;
  static const table& cosines() {
    static const table all = [] {
      table t{};
      for (std::size_t k = 0; k < size; ++k) {
        for (std::size_t i = 0; i < size; ++i) {
          const double angle =
              pi<double>() * (static_cast<double>(i) + 0.5) / static_cast<double>(size);
          t[k][i] = std::cos(static_cast<double>(k) * angle);
        }
      }
      return t;
    }();
    return all;
  }

  double lo_;
  double hi_;
  std::array<double, size> coefficients_{};
};

// f on a part of the interval.
struct piece {
  chebyshev_series series;
  double scale;  // the largest
  double noise;  // of f, where that is more than rounding
  bool narrow;   // f jumps in it
};

// Halves intervals until f is resolved on each.
class subdivision {
 public:
  subdivision(const function& f, double lo, double hi) : f_(f), length_(hi - lo) {}

  void add(double lo, double hi) {
    constexpr double none = std::numeric_limits<double>::infinity();
    resolve(lo, hi, {none, none});
  }

  [[nodiscard]] const std::vector<piece>& pieces() const { return pieces_; }
  [[nodiscard]] const std::vector<unresolved_part>& unresolved() const { return unresolved_; }

 private:
  // The tails of the intervals that this one is the half and the quarter of.
  using larger_tails = std::array<double, 2>;

  void resolve(double lo, double hi, const larger_tails& before) {
    constexpr double rounding = 1e-13;  // of the kernels
    // Heuristic: "what is no smooth function is searched with a bounded number of evaluations" has
    // a noise of 1e-11, and passes with 1e-10.
    constexpr double largest_noise = 1e-8;
    // What is less has lost digits to underflow: e^{-1/2M²}, of a student with a kink at 1.
    constexpr double vanishing = std::numeric_limits<double>::min() / 1e-13;
    // To where a jump is located: "what is no smooth function is searched with a bounded number of
    // evaluations" asks for 1e-9.
    constexpr double narrow = 1e-10;
    // At two halvings the tail of a smooth f falls by decades, at a corner to a quarter, noise not
    // at all. Heuristic: "a weak corner is resolved, and is no noise that hides how near zero f
    // comes" fails with 0.03, "what is no smooth function is searched with a bounded number of
    // evaluations" with 3.
    constexpr double falls = 0.3;
    constexpr double least_failing = 1.0 / 64.0;  // to where the end of what is finite is located
    if (count_ == most_series) {
      give_up(lo, hi);
      return;
    }
    ++count_;
    bool finite = true;
    double scale = 0.0;
    const chebyshev_series series(
        [&](double x) {
          check_stop();
          const scaled_value v = f_(x);
          finite = finite && std::isfinite(v.value) && std::isfinite(v.scale);
          scale = std::max(scale, v.scale);
          return v.value;
        },
        lo, hi);
    const double tail = series.tail();
    const double middle = 0.5 * (lo + hi);
    if (!finite || !std::isfinite(tail)) {
      if (hi - lo <= least_failing * length_) {
        give_up(lo, hi);
        return;
      }
      constexpr double none = std::numeric_limits<double>::infinity();
      resolve(lo, middle, {none, none});
      resolve(middle, hi, {none, none});
      return;
    }
    const bool stands_still = tail > falls * before[1];
    if (tail <= rounding * scale || tail <= vanishing ||
        (stands_still && tail <= largest_noise * scale)) {
      pieces_.push_back({series, scale, tail <= rounding * scale ? 0.0 : tail, false});
      return;
    }
    if (hi - lo <= narrow * std::max(1.0, std::abs(middle))) {
      pieces_.push_back({series, scale, 0.0, true});
      return;
    }
    resolve(lo, middle, {tail, before[0]});
    resolve(middle, hi, {tail, before[0]});
  }

  void give_up(double lo, double hi) {
    if (!unresolved_.empty() && unresolved_.back().hi == lo) {
      unresolved_.back().hi = hi;
    } else {
      unresolved_.push_back({lo, hi});
    }
  }

  const function& f_;
  double length_;
  std::size_t count_ = 0;
  std::vector<piece> pieces_;
  std::vector<unresolved_part> unresolved_;
};

// A point where f may vanish.
struct candidate {
  double x;
  double threshold;     // |f| below this is zero to rounding
  double radius = 0.0;  // of a jump about it
};

// The zeros of a series, by bisection: a part that keeps its sign has none, a part where it is
// monotone at most one, and what stays undecided down to the smallest width may be a double root.
// False where that takes more parts than are left.
bool isolate(const chebyshev_series& series, double threshold, std::size_t& parts,
             std::vector<candidate>& found) {
  constexpr double smallest = 1e-9;  // about an extremum f moves by its square: 1e-18
  if (parts == 0) {
    return false;
  }
  --parts;
  if (series.keeps_sign(0.5 * threshold)) {
    return true;
  }
  if (series.bound() <= threshold) {
    found.push_back({0.5 * (series.lo() + series.hi()), threshold});
    return true;
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
    return true;
  }
  const double middle = 0.5 * (lo + hi);
  if (hi - lo <= smallest * std::max(1.0, std::abs(middle))) {
    if (std::abs(series(middle)) <= threshold) {
      found.push_back({middle, threshold});
    }
    return true;
  }
  return isolate(chebyshev_series(series, lo, middle), threshold, parts, found) &&
         isolate(chebyshev_series(series, middle, hi), threshold, parts, found);
}

// The nearest point on one side of the candidate where f is not zero to rounding; `end` if there is
// none. Steps grow with the distance, up to a part of the interval's length, and the last one is
// halved until it is short beside that, so that no root beyond a wide stretch is passed over.
double step_off(const function& f, const candidate& c, double end, double length) {
  // A shorter excursion from zero is passed over, and beyond a wide stretch a root nearer than the
  // second. Heuristic: "no root beside a stretch of zeros is passed over" passes with twice the
  // first, not with four times, and with a second of 1e-3, not with 5e-3.
  constexpr double longest = 0.005;
  constexpr double tight = 1e-6;
  const double from = c.x;
  const double side = end > from ? 1.0 : -1.0;
  const auto beyond = [&](double reach) {
    return std::abs(f(from + side * reach).value) > c.threshold;
  };
  double inside = 0.0;
  double reach = std::max(c.radius, 1e-15 * std::max(1.0, std::abs(from)));
  while (reach < std::abs(end - from)) {
    if (beyond(reach)) {
      while (reach - inside > tight * length) {
        const double middle = 0.5 * (inside + reach);
        (beyond(middle) ? reach : inside) = middle;
      }
      return from + side * reach;
    }
    inside = reach;
    reach += std::min(3.0 * reach, longest * length);
  }
  return end;
}

// Pieces that take too many parts are added to the unresolved ones.
std::vector<candidate> candidates_of(const std::vector<piece>& pieces, const function& f,
                                     std::vector<unresolved_part>& unresolved) {
  constexpr std::size_t most_parts = 20'000;  // a root takes about thirty
  std::size_t parts = most_parts;
  std::vector<candidate> found;
  for (const piece& p : pieces) {
    constexpr double margin = 4.0;  // the noise is the largest of four coefficients: their sum
    const double threshold = std::max(zero_fraction * p.scale, margin * p.noise);
    if (!p.narrow) {
      if (!isolate(p.series, threshold, parts, found)) {
        unresolved.push_back({p.series.lo(), p.series.hi()});
      }
    } else if (std::signbit(f(p.series.lo()).value) != std::signbit(f(p.series.hi()).value)) {
      found.push_back({0.5 * (p.series.lo() + p.series.hi()), threshold,
                       0.5 * (p.series.hi() - p.series.lo())});
    }
  }
  return found;
}

// The series that holds x, of two that meet there the one on a side; null in a jump and where there
// is none.
const piece* piece_at(const std::vector<piece>& pieces, double x, bool from_left) {
  const auto holds = [x, from_left](const piece& p) {
    return from_left ? p.series.lo() < x && x <= p.series.hi()
                     : p.series.lo() <= x && x < p.series.hi();
  };
  const auto p = std::find_if(pieces.begin(), pieces.end(), holds);
  return p == pieces.end() || p->narrow ? nullptr : &*p;
}

// The slope at x; NaN where f has none.
double slope_at(const std::vector<piece>& pieces, double x) {
  // A series that is exact to 1e-13 has a slope exact to 24² 1e-13 over half its length: 1e-6 from
  // lengths of 1e-4 on.
  constexpr double same = 1e-6;
  const piece* left = piece_at(pieces, x, true);
  const piece* right = piece_at(pieces, x, false);
  if (left == nullptr || right == nullptr) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double scale = std::max(left->scale, right->scale);
  const double before = left->series.derivative()(x);
  const double after = right->series.derivative()(x);
  const bool jumps = std::abs(left->series(x) - right->series(x)) > same * scale;
  const bool turns =
      std::abs(before - after) > same * std::max({std::abs(before), std::abs(after), scale});
  const double slope = left->scale < right->scale ? before : after;
  return jumps || turns ? std::numeric_limits<double>::quiet_NaN() : slope;
}

}  // namespace

root_search find_roots(const function& given, double lo, double hi,
                       std::span<const double> breaks) {
  const function f = [&given](double x) {
    try {
      return given(x);
    } catch (const convergence_error&) {
      return scaled_value{nan, nan};
    }
  };
  subdivision parts(f, lo, hi);
  double from = lo;
  for (const double b : breaks) {
    parts.add(from, b);
    from = b;
  }
  parts.add(from, hi);
  const std::vector<piece>& pieces = parts.pieces();

  root_search result;
  result.unresolved = parts.unresolved();
  double covered = lo;  // the candidates up to here are one root, already reported
  const std::vector<candidate> candidates = candidates_of(pieces, f, result.unresolved);
  std::sort(result.unresolved.begin(), result.unresolved.end(),
            [](const auto& a, const auto& b) { return a.lo < b.lo; });
  for (const candidate& c : candidates) {
    if (c.x <= covered || c.x >= hi) {
      continue;
    }
    // The stretch about the candidate in which f is zero to rounding. One that reaches an end is
    // the zero at that end.
    isolated_root root;
    const double left = step_off(f, c, lo, hi - lo);
    const double right = step_off(f, c, hi, hi - lo);
    covered = right;
    if (left == lo || right == hi) {
      continue;
    }
    const double at_left = f(left).value;
    const double at_right = f(right).value;
    const auto broken =
        std::find_if(breaks.begin(), breaks.end(), [=](double b) { return left < b && b < right; });
    root.crosses = std::signbit(at_left) != std::signbit(at_right);
    if (broken != breaks.end()) {
      root.x = *broken;
    } else if (root.crosses) {
      std::uintmax_t iterations = 200;
      const auto bracket = boost::math::tools::toms748_solve(
          [&f](double x) { return f(x).value; }, left, right, at_left, at_right,
          boost::math::tools::eps_tolerance<double>(), iterations);
      root.x = 0.5 * (bracket.first + bracket.second);
    } else {
      root.x = 0.5 * (left + right);
    }
    root.slope = slope_at(pieces, root.x);
    root.at_break = broken != breaks.end();
    result.roots.push_back(root);
  }
  return result;
}

std::vector<isolated_root> isolate_roots(const function& f, double lo, double hi,
                                         std::span<const double> breaks, const std::string& name) {
  root_search found = find_roots(f, lo, hi, breaks);
  if (!found.unresolved.empty()) {
    const unresolved_part& part = found.unresolved.front();
    throw convergence_error(name + " can't be resolved between " + number_text(part.lo) + " and " +
                            number_text(part.hi));
  }
  return std::move(found.roots);
}

}  // namespace loradyn
