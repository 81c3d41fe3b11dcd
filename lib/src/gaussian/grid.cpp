#include "gaussian/grid.hpp"

#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/hermite.hpp>
#include <mutex>
#include <string>

#include "gaussian/legendre.hpp"

namespace loradyn {
namespace {

double cutoff(grid_extent extent) { return extent == grid_extent::wide ? 24.0 : 16.0; }

double density(double z) {
  return std::exp(-0.5 * z * z) / boost::math::constants::root_two_pi<double>();
}

// One lazily built grid per level and extent.
class grid_family {
 public:
  explicit grid_family(gaussian_grid (*make)(int, grid_extent)) : make_(make) {}

  const gaussian_grid& at(int level, grid_extent extent) {
    slot& wanted = slots_.at(static_cast<std::size_t>(extent))
                       .at(static_cast<std::size_t>(level - min_grid_level));
    std::call_once(wanted.once, [&] {
      wanted.grid = make_(level, extent);
      wanted.grid.tabulate();
    });
    return wanted.grid;
  }

 private:
  struct slot {
    std::once_flag once;
    gaussian_grid grid;
  };
  gaussian_grid (*make_)(int, grid_extent);
  std::array<std::array<slot, max_grid_level - min_grid_level + 1>, 2> slots_;
};

}  // namespace

gaussian_grid gaussian_grid::equispaced(int level, grid_extent extent) {
  gaussian_grid grid;
  const double step = std::ldexp(1.0, -(level + 2));
  const auto count = static_cast<std::size_t>(cutoff(extent) / step) + 1;
  for (std::size_t i = 0; i < count; ++i) {
    const double z = static_cast<double>(i) * step;
    grid.nodes_.push_back(z);
    // z = 0 stands for itself twice.
    grid.weights_.push_back(step * density(z) * (i == 0 ? 0.5 : 1.0));
  }
  return grid;
}

gaussian_grid gaussian_grid::panels(std::span<const double> breaks, int level, grid_extent extent) {
  static const legendre_rule<16> rule;
  std::vector<double> ends{0.0, cutoff(extent)};
  for (const double b : breaks) {
    if (std::abs(b) > 0.0 && std::abs(b) < cutoff(extent)) {
      ends.push_back(std::abs(b));
    }
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());

  gaussian_grid grid;
  const double width = std::ldexp(2.0, -level);
  for (std::size_t e = 0; e + 1 < ends.size(); ++e) {
    const double length = ends[e + 1] - ends[e];
    const auto count = static_cast<std::size_t>(std::ceil(length / width));
    const double half = 0.5 * length / static_cast<double>(count);
    for (std::size_t p = 0; p < count; ++p) {
      const double centre = ends[e] + (2.0 * static_cast<double>(p) + 1.0) * half;
      grid.half_widths_.push_back(half);
      for (std::size_t i = 0; i < rule.node.size(); ++i) {
        const double z = centre + half * rule.node[i];
        grid.nodes_.push_back(z);
        grid.weights_.push_back(half * rule.weight[i] * density(z));
      }
    }
  }
  return grid;
}

void gaussian_grid::tabulate() {
  const auto half = static_cast<Eigen::Index>(table_size / 2);
  const auto count = static_cast<Eigen::Index>(nodes_.size());
  even_.resize(half, count);
  odd_.resize(half, count);
  std::array<double, table_size> values{};
  for (Eigen::Index i = 0; i < count; ++i) {
    normalised_hermite(nodes_[static_cast<std::size_t>(i)], values);
    for (Eigen::Index j = 0; j < half; ++j) {
      even_(j, i) = values[static_cast<std::size_t>(2 * j)];
      odd_(j, i) = values[static_cast<std::size_t>(2 * j + 1)];
    }
  }
}

const gaussian_grid& shared_equispaced_grid(int level, grid_extent extent) {
  static grid_family family(&gaussian_grid::equispaced);
  return family.at(level, extent);
}

const gaussian_grid& shared_panel_grid(int level, grid_extent extent) {
  static grid_family family(
      +[](int l, grid_extent e) { return gaussian_grid::panels(std::span<const double>(), l, e); });
  return family.at(level, extent);
}

}  // namespace loradyn
