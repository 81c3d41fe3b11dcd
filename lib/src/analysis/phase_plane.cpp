#include <cmath>
#include <loradyn/analysis/phase_plane.hpp>

namespace loradyn {
namespace {

constexpr std::size_t cells = 200;  // across a picture of 8 cm: 0.4 mm

struct corner {
  double u;
  double m;
  double value;
};

// The piece of the zero line of a function that is linear on a triangle.
void add_triangle(const corner& a, const corner& b, const corner& c,
                  std::vector<plane_segment>& segments) {
  std::vector<std::array<double, 2>> ends;
  const auto edge = [&ends](const corner& p, const corner& q) {
    if (std::signbit(p.value) != std::signbit(q.value) && std::isfinite(p.value) &&
        std::isfinite(q.value)) {
      const double t = p.value / (p.value - q.value);
      ends.push_back({std::lerp(p.u, q.u, t), std::lerp(p.m, q.m, t)});
    }
  };
  edge(a, b);
  edge(b, c);
  edge(c, a);
  if (ends.size() == 2) {
    segments.push_back({ends[0], ends[1]});
  }
}

}  // namespace

phase_plane plane_of(const flow& f, double reach, double s, std::size_t arrows) {
  const double top = std::sqrt(1.0 - s * s);
  phase_plane plane;
  for (std::size_t i = 0; i < arrows; ++i) {
    for (std::size_t k = 0; k < arrows; ++k) {
      const auto at = [arrows](double limit, std::size_t n) {
        return limit * (2.0 * (static_cast<double>(n) + 0.5) / static_cast<double>(arrows) - 1.0);
      };
      plane.places.push_back({at(reach, k), at(top, i), s});
      plane.velocities.push_back(f.velocity(plane.places.back()));
    }
  }
  std::vector<corner> of_u;
  std::vector<corner> of_m;
  for (std::size_t i = 0; i <= cells; ++i) {
    for (std::size_t k = 0; k <= cells; ++k) {
      const auto at = [](double limit, std::size_t n) {
        return limit * (2.0 * static_cast<double>(n) / static_cast<double>(cells) - 1.0);
      };
      const overlap_state x{at(reach, k), at(top, i), s};
      const overlap_state v = f.velocity(x);
      of_u.push_back({x.u, x.m, v.u});
      of_m.push_back({x.u, x.m, v.m});
    }
  }
  const auto lines = [](const std::vector<corner>& grid) {
    std::vector<plane_segment> segments;
    for (std::size_t i = 0; i < cells; ++i) {
      for (std::size_t k = 0; k < cells; ++k) {
        const corner& a = grid[i * (cells + 1) + k];
        const corner& b = grid[i * (cells + 1) + k + 1];
        const corner& c = grid[(i + 1) * (cells + 1) + k];
        const corner& d = grid[(i + 1) * (cells + 1) + k + 1];
        add_triangle(a, b, d, segments);
        add_triangle(a, d, c, segments);
      }
    }
    return segments;
  };
  plane.u_nullcline = lines(of_u);
  plane.m_nullcline = lines(of_m);
  return plane;
}

}  // namespace loradyn
