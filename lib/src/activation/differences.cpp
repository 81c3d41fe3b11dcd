#include "activation/differences.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace loradyn::detail {
namespace {

constexpr std::size_t most_orders = 5;  // f and its first four derivatives
// Of e^x and sin x the steps below then leave 3e-13, 4e-11, 5e-9 and 4e-6 of the orders 1 to 4, the
// first two of them rounding. Seven points leave 1e-4 of the fourth, ten 5e-8.
constexpr std::size_t one_sided_points = 8;

template <std::size_t Points>
using weight_table = std::array<std::array<double, Points>, most_orders>;

// Fornberg's recurrence: weights[n][i] of f at first + i, i < Points, in f⁽ⁿ⁾(0).
template <std::size_t Points>
weight_table<Points> difference_weights(double first) {
  weight_table<Points> w{};
  w[0][0] = 1.0;
  const auto node = [first](std::size_t i) { return first + static_cast<double>(i); };
  double c1 = 1.0;
  for (std::size_t i = 1; i < Points; ++i) {
    double c2 = 1.0;
    for (std::size_t j = 0; j < i; ++j) {
      const double c3 = node(i) - node(j);
      c2 *= c3;
      if (j + 1 == i) {
        for (std::size_t n = most_orders; n-- > 0;) {
          const double lower = n > 0 ? static_cast<double>(n) * w[n - 1][j] : 0.0;
          w[n][i] = c1 * (lower - node(j) * w[n][j]) / c2;
        }
      }
      for (std::size_t n = most_orders; n-- > 0;) {
        const double lower = n > 0 ? static_cast<double>(n) * w[n - 1][j] : 0.0;
        w[n][j] = (node(i) * w[n][j] - lower) / c3;
      }
    }
    c1 = c2;
  }
  return w;
}

// The steps that balance truncation against rounding for functions of unit width.
constexpr std::array<double, most_orders> ideal_step{0.0, 0.012, 0.02, 0.02, 0.03};

}  // namespace

double finite_difference::derivative(std::size_t n, double x) const {
  static const auto narrow = difference_weights<9>(-4.0);
  static const auto wide = difference_weights<11>(-5.0);
  double distance = std::numeric_limits<double>::infinity();
  for (const double t : breaks) {
    distance = std::min(distance, std::abs(x - t));
  }
  if (distance == 0.0) {
    return one_sided(n, x, -1.0);
  }
  const double h = std::min(ideal_step[n] * std::max(1.0, std::abs(x)), distance / 6.0);
  const bool low = n <= 2;
  const int half = low ? 4 : 5;
  double sum = 0.0;
  for (int i = -half; i <= half; ++i) {
    const auto place = static_cast<std::size_t>(i + half);
    const double weight = low ? narrow[n][place] : wide[n][place];
    if (weight != 0.0) {
      sum += weight * f(x + i * h);
    }
  }
  return sum / std::pow(h, static_cast<double>(n));
}

double finite_difference::one_sided(std::size_t n, double t, double side) const {
  static const auto weights = difference_weights<one_sided_points>(0.0);
  double room = std::numeric_limits<double>::infinity();
  for (const double other : breaks) {
    if ((other - t) * side > 0.0) {
      room = std::min(room, std::abs(other - t));
    }
  }
  const double edge = std::nextafter(t, side * std::numeric_limits<double>::infinity());
  if (n == 0) {
    return f(edge);
  }
  const double h =
      std::min(ideal_step[n] * std::max(1.0, std::abs(t)), room / (one_sided_points - 1.0));
  double sum = 0.0;
  for (std::size_t i = 0; i < one_sided_points; ++i) {
    sum += weights[n][i] * f(i == 0 ? edge : t + side * static_cast<double>(i) * h);
  }
  return sum / std::pow(side * h, static_cast<double>(n));
}

}  // namespace loradyn::detail
