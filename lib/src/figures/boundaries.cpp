#include "figures/boundaries.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>

namespace loradyn {
namespace {

using point = std::array<double, 2>;

// A vertex of the curves: on the line between two places, or where several curves meet, between
// four of them.
struct vertex {
  point from;
  point to;
  point at;
  std::vector<std::size_t> next;
};

// The grid with its outermost places once more on its rim, so that curves reach the rim.
class tracer {
 public:
  tracer(const std::vector<signed char>& kinds, std::size_t columns, std::size_t rows)
      : kinds_(kinds), columns_(columns), rows_(rows) {}

  std::vector<boundary_curve> curves() {
    for (std::size_t k = 0; k + 1 < rows_ + 2; ++k) {
      for (std::size_t i = 0; i + 1 < columns_ + 2; ++i) {
        add_square(i, k);
      }
    }
    shorten();
    return chains();
  }

 private:
  [[nodiscard]] signed char kind(std::size_t i, std::size_t k) const {
    return kinds_[std::clamp<std::size_t>(k, 1, rows_) * columns_ - columns_ +
                  std::clamp<std::size_t>(i, 1, columns_) - 1];
  }
  [[nodiscard]] static double place(std::size_t i, std::size_t count) {
    return i == 0           ? -0.5
           : i == count + 1 ? static_cast<double>(count) - 0.5
                            : static_cast<double>(i) - 1.0;
  }
  [[nodiscard]] point middle(std::size_t i, std::size_t k) const {
    return {place(i, columns_), place(k, rows_)};
  }

  // The vertex between (i, k) and its neighbour to the right or above.
  std::size_t vertex_on(std::size_t i, std::size_t k, bool above) {
    const std::uint64_t name = 2 * (k * (columns_ + 2) + i) + (above ? 1 : 0);
    const auto [found, is_new] = names_.try_emplace(name, vertices_.size());
    if (is_new) {
      const point from = middle(i, k);
      const point to = above ? middle(i, k + 1) : middle(i + 1, k);
      vertices_.push_back({from, to, {0.5 * (from[0] + to[0]), 0.5 * (from[1] + to[1])}, {}});
    }
    return found->second;
  }

  void join(std::size_t a, std::size_t b) {
    vertices_[a].next.push_back(b);
    vertices_[b].next.push_back(a);
  }

  void add_square(std::size_t i, std::size_t k) {
    const auto differ = [](signed char a, signed char b) { return a != b && a >= 0 && b >= 0; };
    std::vector<std::size_t> found;
    const auto look = [&](std::size_t x, std::size_t y, bool above) {
      if (differ(kind(x, y), above ? kind(x, y + 1) : kind(x + 1, y))) {
        found.push_back(vertex_on(x, y, above));
      }
    };
    look(i, k, false);
    look(i, k + 1, false);
    look(i, k, true);
    look(i + 1, k, true);
    if (found.size() == 2) {
      join(found[0], found[1]);
    } else if (found.size() > 2) {
      const point a = middle(i, k);
      const point b = middle(i + 1, k + 1);
      vertices_.push_back({a, b, {0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])}, {}});
      const std::size_t meeting = vertices_.size() - 1;
      for (const std::size_t v : found) {
        join(meeting, v);
      }
    }
  }

  // The least sum of squares of the pieces' lengths with every vertex on its line, by projected
  // over-relaxation.
  void shorten() {
    constexpr int rounds = 100;     // heuristic: a step of the stairs of up to 100 cells is gone
    constexpr double beyond = 1.8;  // of the way to the best place
    constexpr double margin = 0.1;  // from a place, as a share of the line
    for (int round = 0; round < rounds; ++round) {
      for (vertex& v : vertices_) {
        if (v.next.empty()) {
          continue;
        }
        point mean{};
        for (const std::size_t n : v.next) {
          mean[0] += vertices_[n].at[0] / static_cast<double>(v.next.size());
          mean[1] += vertices_[n].at[1] / static_cast<double>(v.next.size());
        }
        for (std::size_t a = 0; a < 2; ++a) {
          const double step = v.to[a] - v.from[a];
          v.at[a] = std::clamp(std::lerp(v.at[a], mean[a], beyond), v.from[a] + margin * step,
                               v.to[a] - margin * step);
        }
      }
    }
  }

  // Chains of vertices between ends and meetings, then what is closed.
  std::vector<boundary_curve> chains() {
    std::vector<boundary_curve> all;
    std::vector<char> seen(vertices_.size(), 0);
    const auto follow = [&](std::size_t start, std::size_t second) {
      boundary_curve c{vertices_[start].at};
      std::size_t before = start;
      std::size_t now = second;
      while (true) {
        c.push_back(vertices_[now].at);
        const std::vector<std::size_t>& next = vertices_[now].next;
        if (next.size() != 2 || now == start) {
          break;
        }
        seen[now] = 1;
        const std::size_t after = next[0] == before ? next[1] : next[0];
        before = now;
        now = after;
      }
      all.push_back(std::move(c));
    };
    for (std::size_t v = 0; v < vertices_.size(); ++v) {
      if (vertices_[v].next.size() == 2) {
        continue;
      }
      for (const std::size_t n : vertices_[v].next) {
        // Once from either end; two meetings are never neighbours.
        if (seen[n] == 0 && (vertices_[n].next.size() == 2 || v < n)) {
          follow(v, n);
        }
      }
    }
    for (std::size_t v = 0; v < vertices_.size(); ++v) {
      if (seen[v] == 0 && vertices_[v].next.size() == 2) {
        seen[v] = 1;
        follow(v, vertices_[v].next[0]);
      }
    }
    return all;
  }

  const std::vector<signed char>& kinds_;
  std::size_t columns_;
  std::size_t rows_;
  std::unordered_map<std::uint64_t, std::size_t> names_;
  std::vector<vertex> vertices_;
};

}  // namespace

std::vector<boundary_curve> boundaries(const std::vector<signed char>& kinds, std::size_t columns,
                                       std::size_t rows) {
  return tracer(kinds, columns, rows).curves();
}

}  // namespace loradyn
