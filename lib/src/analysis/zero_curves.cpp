#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <loradyn/analysis/zero_curves.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <optional>
#include <string>

namespace loradyn {
namespace {

using point = std::array<double, 2>;

double distance(const point& a, const point& b) { return std::hypot(a[0] - b[0], a[1] - b[1]); }

bool inside(const point& p) { return p[0] >= 0.0 && p[0] <= 1.0 && p[1] >= 0.0 && p[1] <= 1.0; }

// f over the unit square.
class tracer {
 public:
  tracer(const std::function<double(double, double)>& f, const plane_rectangle& where,
         std::size_t cells)
      : f_(f), where_(where), cell_(1.0 / static_cast<double>(cells)) {}

  [[nodiscard]] double value(const point& p) const {
    return f_(std::lerp(where_.x0, where_.x1, p[0]), std::lerp(where_.y0, where_.y1, p[1]));
  }

  // The zero between two neighbours on the grid, of different signs.
  [[nodiscard]] point between(const point& a, const point& b, double at_a, double at_b) const {
    std::uintmax_t iterations = 60;  // 40 bits: 1e-12 of a cell, as near as Newton's method comes
    const auto along = [&](double t) {
      return value({std::lerp(a[0], b[0], t), std::lerp(a[1], b[1], t)});
    };
    const auto bracket = boost::math::tools::toms748_solve(
        along, 0.0, 1.0, at_a, at_b, boost::math::tools::eps_tolerance<double>(40), iterations);
    const double t = 0.5 * (bracket.first + bracket.second);
    return {std::lerp(a[0], b[0], t), std::lerp(a[1], b[1], t)};
  }

  [[nodiscard]] plane_curve through(const point& seed) const {
    bool closed = false;
    std::vector<point> forward = follow(seed, 1.0, closed);
    plane_curve curve;
    curve.closed = closed;
    if (!closed) {
      std::vector<point> backward = follow(seed, -1.0, closed);
      std::reverse(backward.begin(), backward.end());
      backward.pop_back();  // the seed
      curve.points = std::move(backward);
    }
    curve.points.insert(curve.points.end(), forward.begin(), forward.end());
    return curve;
  }

  [[nodiscard]] point outward(const point& p) const {
    return {std::lerp(where_.x0, where_.x1, p[0]), std::lerp(where_.y0, where_.y1, p[1])};
  }

 private:
  // ∇f by central differences, that stay inside the square.
  [[nodiscard]] point gradient(const point& p) const {
    constexpr double h = 1e-5;  // the cube root of the rounding: both errors are 1e-10 or so
    point g{};
    for (std::size_t i = 0; i < 2; ++i) {
      point left = p;
      point right = p;
      left[i] = std::max(0.0, p[i] - h);
      right[i] = std::min(1.0, p[i] + h);
      g[i] = (value(right) - value(left)) / (right[i] - left[i]);
    }
    return g;
  }

  // Newton's method along the gradient; nothing where it does not settle within a cell.
  [[nodiscard]] std::optional<point> corrected(point p) const {
    constexpr int iterations = 8;  // from within a cell three square the error to what is settled
    constexpr double settled = 1e-10;  // what is left is the slope's error of that
    const point start = p;
    for (int i = 0; i < iterations; ++i) {
      if (!inside(p)) {
        return std::nullopt;
      }
      const double v = value(p);
      const point g = gradient(p);
      const double square = g[0] * g[0] + g[1] * g[1];
      if (!std::isfinite(v) || !(square > 0.0) || !std::isfinite(square)) {
        return std::nullopt;
      }
      const point step{-v * g[0] / square, -v * g[1] / square};
      p = {p[0] + step[0], p[1] + step[1]};
      if (distance(p, start) > cell_) {
        return std::nullopt;
      }
      if (std::hypot(step[0], step[1]) < settled) {
        return inside(p) ? std::optional(p) : std::nullopt;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<point> tangent(const point& p) const {
    const point g = gradient(p);
    const double length = std::hypot(g[0], g[1]);
    if (!(length > 0.0) || !std::isfinite(length)) {
      return std::nullopt;
    }
    return point{-g[1] / length, g[0] / length};
  }

  [[nodiscard]] std::vector<point> follow(const point& seed, double way, bool& closed) const {
    // A turn by 26° at most. Heuristic: "a circle is one closed curve, exactly on it" and "open
    // curves run from rim to rim, and each is found once" pass with 90°.
    constexpr double least_cosine = 0.9;
    // Hundreds of times across the square; what is longer ends open. Steps of 0.1 to 4 cells pass
    // these tests as well.
    constexpr std::size_t most_points = 100'000;
    const double longest = 0.5 * cell_;
    const double least = 1e-6 * cell_;  // how near the rim an open curve ends
    std::vector<point> points{seed};
    closed = false;
    std::optional<point> direction = tangent(seed);
    if (!direction) {
      return points;
    }
    point t{way * (*direction)[0], way * (*direction)[1]};
    double step = longest;
    while (step > least && points.size() < most_points) {
      check_stop();
      const point& from = points.back();
      const point guess{from[0] + step * t[0], from[1] + step * t[1]};
      const std::optional<point> next = inside(guess) ? corrected(guess) : std::nullopt;
      std::optional<point> turned = next ? tangent(*next) : std::nullopt;
      if (turned) {
        *turned = {way * (*turned)[0], way * (*turned)[1]};
      }
      if (!turned || (*turned)[0] * t[0] + (*turned)[1] * t[1] < least_cosine) {
        step *= 0.5;  // too long for the bend, or the rim is near
        continue;
      }
      points.push_back(*next);
      t = *turned;
      // A seed that the last step passed lies within half of it; the rest is for bends.
      if (points.size() > 4 && distance(*next, seed) < 0.75 * step) {
        closed = true;
        break;
      }
      step = std::min(longest, 1.5 * step);
    }
    return points;
  }

  const std::function<double(double, double)>& f_;
  const plane_rectangle& where_;
  double cell_;
};

}  // namespace

std::vector<plane_curve> zero_curves(const std::function<double(double, double)>& f,
                                     const plane_rectangle& where, std::size_t cells) {
  if (!(where.x0 < where.x1) || !(where.y0 < where.y1)) {
    throw argument_error("the rectangle", "empty", "one with x0 < x1 and y0 < y1");
  }
  if (cells < 2) {
    throw argument_error("the number of cells", std::to_string(cells), "at least 2");
  }
  const tracer trace(f, where, cells);
  const auto place = [cells](std::size_t i, std::size_t k) {
    return point{static_cast<double>(i) / static_cast<double>(cells),
                 static_cast<double>(k) / static_cast<double>(cells)};
  };
  std::vector<double> values((cells + 1) * (cells + 1));
  const auto at = [&values, cells](std::size_t i, std::size_t k) -> double& {
    return values[k * (cells + 1) + i];
  };
  for (std::size_t k = 0; k <= cells; ++k) {
    for (std::size_t i = 0; i <= cells; ++i) {
      at(i, k) = trace.value(place(i, k));
    }
  }
  std::vector<plane_curve> curves;  // in the unit square
  // A curve's points are half a cell apart at most: it crosses the grid within a quarter of one.
  const double near = 0.4 / static_cast<double>(cells);
  const auto known = [&](const point& p) {
    return std::any_of(curves.begin(), curves.end(), [&](const plane_curve& c) {
      return std::any_of(c.points.begin(), c.points.end(),
                         [&](const point& q) { return distance(p, q) < near; });
    });
  };
  const auto look = [&](std::size_t i, std::size_t k, std::size_t i2, std::size_t k2) {
    const double a = at(i, k);
    const double b = at(i2, k2);
    if (!std::isfinite(a) || !std::isfinite(b) || std::signbit(a) == std::signbit(b)) {
      return;
    }
    const point seed = trace.between(place(i, k), place(i2, k2), a, b);
    if (!known(seed)) {
      curves.push_back(trace.through(seed));
    }
  };
  for (std::size_t k = 0; k <= cells; ++k) {
    for (std::size_t i = 0; i <= cells; ++i) {
      if (i < cells) {
        look(i, k, i + 1, k);
      }
      if (k < cells) {
        look(i, k, i, k + 1);
      }
    }
  }
  for (plane_curve& c : curves) {
    for (point& p : c.points) {
      p = trace.outward(p);
    }
  }
  return curves;
}

}  // namespace loradyn
