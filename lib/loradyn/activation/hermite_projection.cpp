#include <loradyn/activation/hermite_projection.hpp>

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <limits>
#include <loradyn/gaussian/hermite.hpp>

namespace loradyn {
namespace {

// A reference to a grid that outlives everything.
std::shared_ptr<const gaussian_grid> borrow(const gaussian_grid& grid) {
  return {std::shared_ptr<const gaussian_grid>(), &grid};
}

// he_n oscillates with a frequency up to √512: the grids of level 0 are too coarse for it.
constexpr int projection_level = 1;

}  // namespace

std::shared_ptr<const gaussian_grid> grid_for(const std::vector<double>& kinks, double strip,
                                              int least, bool tables) {
  const int level = grid_level(strip, least);
  if (kinks.empty()) {
    return borrow(shared_equispaced_grid(level));
  }
  if (std::all_of(kinks.begin(), kinks.end(), [](double t) { return t == 0.0; })) {
    return borrow(shared_panel_grid(level));
  }
  auto grid = std::make_shared<gaussian_grid>(gaussian_grid::panels(kinks, level));
  if (tables) {
    grid->tabulate();
  }
  return grid;
}

hermite_projection::hermite_projection(const activation& f, double variance,
                                       std::size_t highest_order)
    : kinks_(f.kinks()), variance_(variance) {
  const double scale = std::sqrt(variance);
  std::vector<double> breaks;
  for (const kink& k : kinks_) {
    breaks.push_back(scale > 0.0 ? k.location / scale : std::numeric_limits<double>::infinity());
  }
  const double strip = scale > 0.0 ? f.strip() / scale : std::numeric_limits<double>::infinity();
  grid_ = grid_for(breaks, strip, projection_level, true);

  const std::vector<double>& nodes = grid_->nodes();
  const std::size_t count = nodes.size();
  const auto store = [&](std::size_t order, std::size_t i, double plus, double minus) {
    const double weight = grid_->weights()[i];
    samples_[order].even[static_cast<Eigen::Index>(i)] = weight * (plus + minus);
    samples_[order].odd[static_cast<Eigen::Index>(i)] = weight * (plus - minus);
  };
  const bool high = highest_order > 2 && kinks_.empty();
  sampled_orders_ = high ? 5 : 3;
  for (std::size_t order = 0; order < sampled_orders_; ++order) {
    samples& s = samples_[order];
    s.even.resize(static_cast<Eigen::Index>(count));
    s.odd.resize(static_cast<Eigen::Index>(count));
  }
  if (high) {
    for (std::size_t i = 0; i < count; ++i) {
      const derivatives plus = f.all(scale * nodes[i]);
      const derivatives minus = f.all(-scale * nodes[i]);
      for (std::size_t order = 0; order < 5; ++order) {
        store(order, i, plus[order], minus[order]);
      }
    }
    return;
  }
  std::vector<double> x(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = scale * nodes[i];
    x[count + i] = -x[i];
  }
  std::array<std::vector<double>, 3> values;
  for (auto& v : values) {
    v.resize(x.size());
  }
  f.tabulate(x, values[0], values[1], values[2]);
  for (std::size_t order = 0; order < 3; ++order) {
    for (std::size_t i = 0; i < count; ++i) {
      store(order, i, values[order][i], values[order][count + i]);
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
  if (order != 2) {
    return;
  }
  for (const kink& k : kinks_) {
    if (k.jumps[1] == 0.0) {
      continue;
    }
    const double z = k.location / std::sqrt(variance_);
    const double weight = k.jumps[1] * std::exp(-0.5 * z * z) /
                          (boost::math::constants::root_two_pi<double>() * std::sqrt(variance_));
    std::array<double, gaussian_grid::table_size> hermite{};
    const std::span<double> needed(hermite.data(), first + block_size);
    normalised_hermite(z, needed);
    for (std::size_t n = first; n < first + block_size; ++n) {
      target[n] += weight * hermite[n];
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
