#include "activation/hermite_projection.hpp"

#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/average.hpp>
#include <loradyn/gaussian/hermite.hpp>
#include <optional>
#include <span>
#include <utility>

namespace loradyn {
namespace {

// A reference to a grid that outlives everything.
std::shared_ptr<const gaussian_grid> borrow(const gaussian_grid& grid) {
  return {std::shared_ptr<const gaussian_grid>(), &grid};
}

// he_n oscillates with a frequency up to √512: the grids of level 0 are too coarse for it.
constexpr int projection_level = 1;

// What is sampled of σ(√q z): its derivatives at ±z_i, first every plus, then every minus.
struct table {
  table(const activation& f, double scale, const gaussian_grid& grid, std::size_t orders)
      : count(grid.nodes().size()), values(5 * 2 * count) {
    std::vector<double> x(2 * count);
    for (std::size_t i = 0; i < count; ++i) {
      x[i] = scale * grid.nodes()[i];
      x[count + i] = -x[i];
    }
    const auto row = [this](std::size_t order) {
      return std::span<double>(values).subspan(order * 2 * count, 2 * count);
    };
    if (orders <= 3) {
      f.tabulate(x, row(0), row(1), row(2));
    } else {
      f.tabulate_all(x, {row(0), row(1), row(2), row(3), row(4)});
    }
  }
  [[nodiscard]] double at(std::size_t order, std::size_t i, bool minus) const {
    return values[(2 * order + (minus ? 1 : 0)) * count + i];
  }

  std::size_t count;
  std::vector<double> values;
};

// Whether the averages of the squares are those on every other node: the grid's own error is then
// about the square of the difference, unless every other node is too coarse as well for what
// oscillates. How fast that is the derivatives tell, which are sampled themselves: a quarter of the
// grid's own frequency at most. he_n up to the table's end adds no more than another half.
bool resolved_by_step(const table& t, const gaussian_grid& grid, std::size_t orders,
                      double variance) {
  constexpr double agreement = 1e-8;
  const double step = grid.nodes()[1] - grid.nodes()[0];
  const double fastest = 0.5 * boost::math::constants::pi<double>() / step;
  double before = 0.0;
  for (std::size_t order = 0; order < orders; ++order) {
    double fine = 0.0;
    double coarse = 0.0;
    for (std::size_t i = 0; i < t.count; ++i) {
      const double plus = t.at(order, i, false);
      const double minus = t.at(order, i, true);
      const double square = grid.weights()[i] * (plus * plus + minus * minus);
      fine += square;
      coarse += i % 2 == 0 ? 2.0 * square : 0.0;
    }
    if (!(std::abs(fine - coarse) <= agreement * fine) ||
        (order > 0 && !(variance * fine <= fastest * fastest * before))) {
      return false;
    }
    before = fine;
  }
  return true;
}

// Whether nodes lie as near to each other as the features of f do: between nodes a function may
// hide that is all at 0 as √q grows.
bool sees_features(const activation& f, double scale, double distance) {
  const std::vector<double>& t = f.features();
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < t.size(); ++i) {
    least = std::min(least, t[i] - t[i - 1]);
  }
  return scale * distance <= least;
}

// The ends of panels in x between the features of f, each interval in equal parts, and from the
// outermost on by doublings, as far as `farthest`.
std::vector<double> feature_panels(const activation& f, double farthest, int parts) {
  std::vector<double> x = f.features();
  if (x.empty()) {
    return {};
  }
  for (double reach = std::max(1.0, x.back()); reach < farthest;) {
    reach *= 2.0;
    x.push_back(reach);
  }
  for (double reach = std::min(-1.0, x.front()); reach > -farthest;) {
    reach *= 2.0;
    x.insert(x.begin(), reach);
  }
  std::vector<double> ends;
  for (std::size_t i = 1; i < x.size(); ++i) {
    for (int k = 0; k < parts; ++k) {
      ends.push_back(x[i - 1] + (x[i] - x[i - 1]) * k / parts);
    }
  }
  return ends;
}

// Whether f times he_n, which grows like e^{z²/4}, is nothing where the grid ends.
bool ends_in(const table& t, const gaussian_grid& grid, std::size_t orders) {
  constexpr double nothing = 1e-14;
  const std::size_t last = t.count - 1;
  const double end = grid.nodes()[last];
  for (std::size_t order = 0; order < orders; ++order) {
    double size = 0.0;
    for (std::size_t i = 0; i < t.count; ++i) {
      size +=
          grid.weights()[i] * (std::abs(t.at(order, i, false)) + std::abs(t.at(order, i, true)));
    }
    const double at_end =
        std::max(std::abs(t.at(order, last, false)), std::abs(t.at(order, last, true)));
    if (grid.weights()[last] * at_end * std::exp(0.25 * end * end) > nothing * size) {
      return false;
    }
  }
  return true;
}

// Whether the last Legendre coefficients have died out on every panel.
bool resolved_by_panels(const table& t, const gaussian_grid& grid, std::size_t orders) {
  struct piece {
    double tail;
    double magnitude;
  };
  std::vector<piece> pieces;
  for (std::size_t order = 0; order < orders; ++order) {
    pieces.clear();
    double size = 0.0;
    for (std::size_t i = 0; i < t.count; i += panel_points) {
      const double half_width = grid.panel_half_width(i / panel_points);
      for (const bool minus : {false, true}) {
        std::array<double, panel_points> weighted;
        double magnitude = 0.0;
        for (std::size_t k = 0; k < panel_points; ++k) {
          const double z = grid.nodes()[i + k];
          weighted[k] = t.at(order, i + k, minus) * std::exp(-0.5 * z * z) /
                        boost::math::constants::root_two_pi<double>();
          magnitude += grid.weights()[i + k] * std::abs(t.at(order, i + k, minus));
        }
        pieces.push_back({half_width * panel_tail(weighted), magnitude});
        size += magnitude;
      }
    }
    const auto resolved = [size](const piece& p) {
      return panel_resolved(p.tail, p.magnitude, size);
    };
    if (!std::all_of(pieces.begin(), pieces.end(), resolved)) {
      return false;
    }
  }
  return true;
}

}  // namespace

hermite_projection::hermite_projection(const activation& f, double variance,
                                       std::size_t highest_order)
    : kinks_(f.kinks()), variance_(variance) {
  if (const polynomial* p = f.as_polynomial()) {
    degree_ = p->degree();
  }
  const double scale = std::sqrt(variance);
  sampled_orders_ = highest_order > 2 && kinks_.empty() ? 5 : 3;
  std::vector<double> breaks;
  for (const kink& k : kinks_) {
    breaks.push_back(k.location == 0.0 ? 0.0 : k.location / scale);
  }
  const bool at_zero = std::all_of(breaks.begin(), breaks.end(), [](double t) { return t == 0.0; });
  std::optional<table> t;
  const auto resolves = [&](const gaussian_grid& grid, bool by_step) {
    t.emplace(f, scale, grid, sampled_orders_);
    return by_step ? resolved_by_step(*t, grid, sampled_orders_, variance)
                   : resolved_by_panels(*t, grid, sampled_orders_);
  };
  bool is_own = false;
  for (const grid_extent extent : {grid_extent::usual, grid_extent::wide}) {
    bool fits = true;
    for (int level = projection_level; level <= max_grid_level && !grid_ && fits; ++level) {
      std::shared_ptr<const gaussian_grid> grid;
      if (kinks_.empty()) {
        grid = borrow(shared_equispaced_grid(level, extent));
      } else if (at_zero) {
        grid = borrow(shared_panel_grid(level, extent));
      } else {
        grid = std::make_shared<const gaussian_grid>(gaussian_grid::panels(breaks, level, extent));
        is_own = true;
      }
      const double distance = kinks_.empty() ? grid->nodes()[1] - grid->nodes()[0]
                                             : 2.0 * grid->panel_half_width(0) / panel_points;
      if (!sees_features(f, scale, distance)) {
        continue;
      }
      const bool resolved = resolves(*grid, kinks_.empty());
      fits = extent == grid_extent::wide || ends_in(*t, *grid, sampled_orders_);
      if (fits && resolved) {
        grid_ = std::move(grid);
      }
    }
    if (!fits) {
      continue;
    }
    // What varies fast near its features alone: panels between those.
    constexpr double farthest = 24.0;
    for (const int parts : {2, 4}) {
      if (grid_) {
        break;
      }
      std::vector<double> ends = breaks;
      for (const double x : feature_panels(f, scale * farthest, parts)) {
        ends.push_back(x / scale);
      }
      auto own = std::make_shared<const gaussian_grid>(
          gaussian_grid::panels(ends, projection_level, extent));
      if (resolves(*own, false) &&
          (extent == grid_extent::wide || ends_in(*t, *own, sampled_orders_))) {
        grid_ = std::move(own);
        is_own = true;
      }
    }
    break;
  }
  if (!grid_) {
    throw convergence_error("the Hermite coefficients of '" + f.name() +
                            "' need a grid finer than the finest");
  }
  if (is_own) {
    auto own = std::make_shared<gaussian_grid>(*grid_);
    own->tabulate();
    grid_ = std::move(own);
  }
  for (std::size_t order = 0; order < sampled_orders_; ++order) {
    samples& s = samples_[order];
    s.even.resize(static_cast<Eigen::Index>(t->count));
    s.odd.resize(static_cast<Eigen::Index>(t->count));
    for (std::size_t i = 0; i < t->count; ++i) {
      const double weight = grid_->weights()[i];
      const double plus = t->at(order, i, false);
      const double minus = t->at(order, i, true);
      s.even[static_cast<Eigen::Index>(i)] = weight * (plus + minus);
      s.odd[static_cast<Eigen::Index>(i)] = weight * (plus - minus);
    }
  }
}

std::size_t hermite_projection::blocks(std::size_t order) const noexcept {
  return order < sampled_orders_ ? max_blocks : max_blocks - 1;
}

const double* hermite_projection::block(std::size_t order, std::size_t b) {
  while (coefficients_[order].size() < (b + 1) * block_size) {
    if (order < sampled_orders_) {
      append_quadrature_block(order);
    } else {
      append_stein_block(order);
    }
  }
  return coefficients_[order].data() + b * block_size;
}

void hermite_projection::complete() {
  for (std::size_t order = 0; order < 3; ++order) {
    block(order, max_blocks - 1);
  }
}

void hermite_projection::append_quadrature_block(std::size_t order) {
  constexpr Eigen::Index half = gaussian_grid::half_block;
  std::vector<double>& target = coefficients_[order];
  const std::size_t first = target.size();
  const auto row = static_cast<Eigen::Index>(first / 2);
  const Eigen::Matrix<double, half, 1> even =
      grid_->even_table().middleRows<half>(row) * samples_[order].even;
  const Eigen::Matrix<double, half, 1> odd =
      grid_->odd_table().middleRows<half>(row) * samples_[order].odd;
  for (Eigen::Index j = 0; j < half; ++j) {
    target.push_back(even[j]);
    target.push_back(odd[j]);
  }
  // A polynomial's coefficients end with its degree, and what is left there is rounding.
  for (std::size_t n = first; degree_ && n < target.size(); ++n) {
    if (n + order > *degree_) {
      target[n] = 0.0;
    }
  }
  // δ-like parts: of σ' where σ jumps, of σ'' where σ' does, and the derivative of the former.
  for (const kink& k : kinks_) {
    const double delta = order == 0 ? 0.0 : k.jumps[order - 1];
    const double slope = order == 2 ? k.jumps[0] : 0.0;
    if (delta == 0.0 && slope == 0.0) {
      continue;
    }
    const double deviation = std::sqrt(variance_);
    const double z = k.location == 0.0 ? 0.0 : k.location / deviation;
    const double density =
        std::exp(-0.5 * z * z) / (boost::math::constants::root_two_pi<double>() * deviation);
    std::array<double, gaussian_grid::table_size + 1> hermite{};
    const std::span<double> needed(hermite.data(), first + block_size + 1);
    normalised_hermite(z, needed);
    for (std::size_t n = first; n < first + block_size; ++n) {
      // d/dz (φ he_n) = -√(n+1) φ he_{n+1}
      const double turned = std::sqrt(static_cast<double>(n) + 1.0) * hermite[n + 1] / deviation;
      target[n] += density * (delta * hermite[n] + slope * turned);
    }
  }
}

void hermite_projection::append_stein_block(std::size_t order) {
  std::vector<double>& target = coefficients_[order];
  const std::size_t shift = order - (sampled_orders_ - 1);
  const std::size_t first = target.size();
  const std::size_t base = sampled_orders_ - 1;
  block(base, first / block_size + 1);
  for (std::size_t n = first; n < first + block_size; ++n) {
    double factor = 1.0;
    for (std::size_t k = 1; k <= shift; ++k) {
      factor *= std::sqrt(static_cast<double>(n + k) / variance_);
    }
    target.push_back(factor * coefficients_[base][n + shift]);
  }
}

}  // namespace loradyn
