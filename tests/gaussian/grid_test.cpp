#include "gaussian/grid.hpp"
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/gaussian/hermite.hpp>

#include "support/within.hpp"

using namespace loradyn;

namespace {

template <class Function>
double expectation(const gaussian_grid& grid, Function f) {
  double sum = 0.0;
  for (std::size_t i = 0; i < grid.nodes().size(); ++i) {
    sum += grid.weights()[i] * (f(grid.nodes()[i]) + f(-grid.nodes()[i]));
  }
  return sum;
}

// (k-1)!! for even k.
double normal_moment(int k) { return k <= 0 ? 1.0 : (k - 1) * normal_moment(k - 2); }

}  // namespace

TEST_CASE("both kinds of grid give the moments of N(0, 1) at every level") {
  for (int level = min_grid_level; level <= max_grid_level; ++level) {
    CAPTURE(level);
    const auto equispaced = gaussian_grid::equispaced(level);
    const auto panels = gaussian_grid::panels(std::array{0.7, 2.0}, level);
    for (int k = 0; k <= 40; k += 2) {
      CAPTURE(k);
      const auto power = [k](double z) { return std::pow(z, k); };
      // 1e-13: at k = 40 the cutoff at |z| = 13 leaves 1e-16, the sums' rounding the rest.
      CHECK(expectation(equispaced, power) == Approx(normal_moment(k)).epsilon(1e-13));
      CHECK(expectation(panels, power) == Approx(normal_moment(k)).epsilon(1e-13));
    }
    CHECK(expectation(equispaced, [](double z) { return z * z * z; }) == test::within(0.0, 1e-16));
  }
}

TEST_CASE("wide grids give the norm of a degree that the usual ones cut off") {
  const auto square = [](double z) {
    std::array<double, 105> hermite{};
    normalised_hermite(z, hermite);
    return hermite.back() * hermite.back();
  };
  const auto error = [&](const gaussian_grid& grid) {
    return std::abs(expectation(grid, square) - 1.0);
  };
  CHECK(error(gaussian_grid::equispaced(1, grid_extent::wide)) < 1e-12);
  CHECK(error(gaussian_grid::panels(std::array{0.7}, 1, grid_extent::wide)) < 1e-12);
  CHECK(error(gaussian_grid::equispaced(1, grid_extent::usual)) > 1e-2);
}

TEST_CASE("no panel runs across a break") {
  // E|z - 1| with the kink on a break is exact, without one it is not.
  const double exact =
      2.0 * std::exp(-0.5) / std::sqrt(2.0 * M_PI) + std::erf(1.0 / std::sqrt(2.0));
  const auto f = [](double z) { return std::abs(z - 1.0); };
  CHECK(std::abs(expectation(gaussian_grid::panels(std::array{1.0}, 0), f) - exact) < 1e-15);
  CHECK(std::abs(expectation(gaussian_grid::panels(std::array{0.9}, 0), f) - exact) > 1e-6);
}

TEST_CASE("the equispaced error falls like exp(-2 pi y / h) as the step is halved") {
  // A Lorentzian with poles at ±iy: E[y²/(z² + y²)] = y √(π/2) e^{y²/2} erfc(y/√2).
  const double y = 0.25;
  const double exact =
      y * std::sqrt(M_PI / 2) * std::exp(0.5 * y * y) * std::erfc(y / std::sqrt(2.0));
  const auto f = [y](double z) { return y * y / (z * z + y * y); };
  for (int level = 0; level <= 1; ++level) {
    const double h = std::ldexp(1.0, -(level + 2));
    const double error = std::abs(expectation(gaussian_grid::equispaced(level), f) - exact);
    // The residues at the poles: 2 y √(π/2) e^{y²/2}/(e^{2πy/h} - 1), to leading order.
    const double predicted =
        2.0 * y * std::sqrt(M_PI / 2) * std::exp(0.5 * y * y) / std::expm1(2.0 * M_PI * y / h);
    CHECK(error == Approx(predicted).epsilon(1e-3));
  }
}

TEST_CASE("the table of Hermite polynomials is orthonormal under the grid") {
  const gaussian_grid& grid = shared_equispaced_grid(1);
  const Eigen::VectorXd w =
      2.0 * Eigen::Map<const Eigen::VectorXd>(grid.weights().data(),
                                              static_cast<Eigen::Index>(grid.weights().size()));
  for (const Eigen::MatrixXd* table : {&grid.even_table(), &grid.odd_table()}) {
    // Up to he_29, whose square has died out before the last node.
    const auto top = table->topRows(15);
    const Eigen::MatrixXd gram = top * w.asDiagonal() * top.transpose();
    CHECK((gram - Eigen::MatrixXd::Identity(15, 15)).cwiseAbs().maxCoeff() < 1e-13);
  }
}
