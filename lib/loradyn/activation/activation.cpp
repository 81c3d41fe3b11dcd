#include <loradyn/activation/activation.hpp>

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/factorials.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/expression.hpp>
#include <loradyn/activation/hermite_projection.hpp>
#include <loradyn/error.hpp>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace loradyn {
namespace {

using boost::math::constants::root_two_pi;

// The distance from x to the nearest kink.
double distance_to(const std::vector<double>& kinks, double x) {
  double distance = std::numeric_limits<double>::infinity();
  for (const double t : kinks) {
    distance = std::min(distance, std::abs(x - t));
  }
  return distance;
}

// Central differences of eighth order for σ' and σ'' over x - 4h … x + 4h. The step is the one that
// balances the truncation against rounding where no kink is near, else it stays within the piece.
struct finite_difference {
  const std::function<double(double)>& f;
  const std::vector<double>& kinks;

  [[nodiscard]] double step(double x, double ideal) const {
    const double h = std::min(ideal * std::max(1.0, std::abs(x)), distance_to(kinks, x) / 5.0);
    // At a kink itself there is no central difference; a step left of it is the left derivative.
    return h > 0.0 ? h : 0.0;
  }

  [[nodiscard]] double first(double x) const {
    const double h = step(x, 0.012);
    if (h == 0.0) {
      return first(std::nextafter(x - 1e-6, x - 1.0));
    }
    const auto odd = [&](double k) { return f(x + k * h) - f(x - k * h); };
    return (odd(1) * 4.0 / 5.0 - odd(2) / 5.0 + odd(3) * 4.0 / 105.0 - odd(4) / 280.0) / h;
  }

  [[nodiscard]] double second(double x) const {
    const double h = step(x, 0.02);
    if (h == 0.0) {
      return second(std::nextafter(x - 1e-4, x - 1.0));
    }
    const auto even = [&](double k) { return f(x + k * h) + f(x - k * h); };
    return (even(1) * 8.0 / 5.0 - even(2) / 5.0 + even(3) * 8.0 / 315.0 - even(4) / 560.0 -
            f(x) * 205.0 / 72.0) /
           (h * h);
  }

  // One-sided derivative at a kink, from the seven points t + side·k·h: the derivative at 0 of the
  // polynomial through them.
  [[nodiscard]] double one_sided_first(double t, double side) const {
    constexpr std::array<double, 7> weights{-49.0 / 20.0, 6.0,       -15.0 / 2.0, 20.0 / 3.0,
                                            -15.0 / 4.0,  6.0 / 5.0, -1.0 / 6.0};
    double room = std::numeric_limits<double>::infinity();
    for (const double other : kinks) {
      if ((other - t) * side > 0.0) {
        room = std::min(room, std::abs(other - t));
      }
    }
    const double h = std::min(0.01 * std::max(1.0, std::abs(t)), room / 6.0);
    double sum = 0.0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      sum += weights[k] * f(t + side * static_cast<double>(k) * h);
    }
    return side * sum / h;
  }
};

struct user_body {
  user_function f;

  [[nodiscard]] double first(double x) const {
    return f.first ? f.first(x) : finite_difference{f.value, f.kinks}.first(x);
  }
  [[nodiscard]] double second(double x) const {
    if (f.second) {
      return f.second(x);
    }
    return f.first ? finite_difference{f.first, f.kinks}.first(x)
                   : finite_difference{f.value, f.kinks}.second(x);
  }
  [[nodiscard]] double one_sided_first(double t, double side) const {
    if (!f.first) {
      return finite_difference{f.value, f.kinks}.one_sided_first(t, side);
    }
    return f.first(std::nextafter(t, side * std::numeric_limits<double>::infinity()));
  }
};

// E[σ²], E[σ'²] and E[σσ''] at unit variance, on the grid of one level.
std::array<double, 3> probe_moments(const activation& f, const gaussian_grid& grid) {
  std::array<double, 3> moments{};
  for (std::size_t i = 0; i < grid.nodes().size(); ++i) {
    for (const double x : {grid.nodes()[i], -grid.nodes()[i]}) {
      const double value = f(x);
      const double slope = f.first(x);
      moments[0] += grid.weights()[i] * value * value;
      moments[1] += grid.weights()[i] * slope * slope;
      moments[2] += grid.weights()[i] * value * f.second(x);
    }
  }
  return moments;
}

// The strip of a function that does not tell it: the widest for which two successive grids agree.
double measured_strip(const activation& f) {
  constexpr double agreement = 1e-11;  // what differences of second order leave of E[σσ'']
  constexpr double level_zero_strip = 1.75;
  std::vector<double> breaks;
  for (const kink& k : f.kinks()) {
    breaks.push_back(k.location);
  }
  const auto moments_at = [&](int level) {
    return probe_moments(f, *grid_for(breaks, std::ldexp(level_zero_strip, -level), level, false));
  };
  std::array<double, 3> coarse = moments_at(0);
  for (int level = 0; level < max_grid_level; ++level) {
    const std::array<double, 3> fine = moments_at(level + 1);
    const double scale = fine[0] + fine[1];
    bool agree = std::isfinite(scale);
    for (std::size_t i = 0; i < fine.size(); ++i) {
      agree = agree && std::abs(fine[i] - coarse[i]) <= agreement * scale;
    }
    if (agree) {
      return std::ldexp(level_zero_strip, -level);
    }
    coarse = fine;
  }
  throw convergence_error("the Gaussian moments of activation '" + f.name() +
                          "' don't settle: name its kinks, or the width of its strip");
}

}  // namespace

namespace detail {

class activation_body {
 public:
  std::string name;
  activation_parts parts;
  std::vector<kink> kinks;
  double strip = std::numeric_limits<double>::infinity();
  std::variant<compiled_expression, user_body> function;
};

}  // namespace detail

namespace {

std::shared_ptr<detail::activation_body> body_of(const detail::expression& e, std::string name) {
  activation_parts parts = detail::parts_of(e);
  std::vector<kink> kinks = detail::kinks_of(e);
  const double strip = detail::strip_of(e);
  return std::make_shared<detail::activation_body>(detail::activation_body{
      std::move(name), std::move(parts), std::move(kinks), strip, detail::compiled_expression(e)});
}

detail::expression expression_of(polynomial p) {
  detail::expression e;
  if (!p.zero()) {
    e.terms.push_back({.step = false, .cofactor = std::move(p), .powers = {}});
  }
  return e;
}

}  // namespace

activation::activation(const detail::expression& e, std::string name)
    : body_(body_of(e, std::move(name))) {}

activation::activation(polynomial p, std::string name)
    : activation(expression_of(std::move(p)), std::move(name)) {}

activation::activation(user_function f) {
  if (!f.value) {
    throw argument_error("the value of activation '" + f.name + "'", "empty", "a function");
  }
  if (!(f.strip >= 0.0)) {
    throw argument_error("the strip of activation '" + f.name + "'", std::to_string(f.strip),
                         "a number >= 0");
  }
  std::sort(f.kinks.begin(), f.kinks.end());
  for (std::size_t i = 0; i < f.kinks.size(); ++i) {
    if (!std::isfinite(f.kinks[i]) || (i > 0 && f.kinks[i] == f.kinks[i - 1])) {
      throw argument_error("a kink of activation '" + f.name + "'", std::to_string(f.kinks[i]),
                           "a finite number, given once");
    }
  }
  user_body user{std::move(f)};
  std::vector<kink> kinks;
  for (const double t : user.f.kinks) {
    kinks.push_back({.location = t,
                     .slope_jump = user.one_sided_first(t, 1.0) - user.one_sided_first(t, -1.0)});
  }
  const double strip = user.f.strip;
  std::string name = user.f.name;
  activation_parts parts;
  parts.has_rest = true;
  auto body = std::make_shared<detail::activation_body>(detail::activation_body{
      std::move(name), std::move(parts), std::move(kinks), strip, std::move(user)});
  body_ = body;
  if (strip == 0.0) {
    body->strip = measured_strip(*this);
  }
}

const std::string& activation::name() const noexcept { return body_->name; }
const std::vector<kink>& activation::kinks() const noexcept { return body_->kinks; }
double activation::strip() const noexcept { return body_->strip; }
const activation_parts& activation::parts() const noexcept { return body_->parts; }

const polynomial* activation::as_polynomial() const noexcept {
  const activation_parts& parts = body_->parts;
  const bool only = !parts.has_rest && parts.erf_weight == 0.0 && parts.relu_weight == 0.0;
  return only ? &parts.polynomial_part : nullptr;
}

double activation::operator()(double x) const {
  return std::visit(
      [x](const auto& function) {
        if constexpr (std::is_same_v<std::decay_t<decltype(function)>, user_body>) {
          return function.f.value(x);
        } else {
          std::array<double, 3> values{};
          function.template evaluate<2>(x, values);
          return values[0];
        }
      },
      body_->function);
}

double activation::first(double x) const { return all(x)[1]; }
double activation::second(double x) const { return all(x)[2]; }

derivatives activation::all(double x) const {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  return std::visit(
      [x](const auto& function) -> derivatives {
        if constexpr (std::is_same_v<std::decay_t<decltype(function)>, user_body>) {
          return {function.f.value(x), function.first(x), function.second(x), nan, nan};
        } else {
          derivatives values{};
          function.template evaluate<4>(x, values);
          return values;
        }
      },
      body_->function);
}

bool activation::has_high_derivatives() const noexcept {
  return std::holds_alternative<detail::compiled_expression>(body_->function);
}

void activation::tabulate(std::span<const double> x, std::span<double> value,
                          std::span<double> first, std::span<double> second) const {
  std::visit(
      [&](const auto& function) {
        for (std::size_t i = 0; i < x.size(); ++i) {
          if constexpr (std::is_same_v<std::decay_t<decltype(function)>, user_body>) {
            value[i] = function.f.value(x[i]);
            first[i] = function.first(x[i]);
            second[i] = function.second(x[i]);
          } else {
            std::array<double, 3> values{};
            function.template evaluate<2>(x[i], values);
            value[i] = values[0];
            first[i] = values[1];
            second[i] = values[2];
          }
        }
      },
      body_->function);
}

double activation::hermite_coefficient(std::size_t n, double q) const {
  constexpr std::size_t max_order = 500;
  if (!(q >= 0.0) || !std::isfinite(q)) {
    throw argument_error("the variance of a Hermite coefficient", std::to_string(q),
                         "a finite number >= 0");
  }
  if (n > max_order) {
    throw argument_error("the order of a Hermite coefficient", std::to_string(n),
                         "at most " + std::to_string(max_order));
  }
  const auto factorial = [](std::size_t k) {
    return boost::math::tgamma(static_cast<double>(k) + 1.0);
  };
  const activation_parts& parts = body_->parts;
  const bool closed = !parts.has_rest && n + 1 < boost::math::max_factorial<double>::value;
  if (closed) {
    std::vector<double> moments(n + 1);
    std::vector<double> polynomial_moments(n + 1);
    parts.polynomial_part.gaussian_derivatives(q, polynomial_moments);
    add_erf_derivatives(q, parts.erf_weight, moments);
    add_relu_derivatives(q, parts.relu_weight, moments);
    return (moments[n] + polynomial_moments[n]) / factorial(n);
  }
  // a_n = φ_{k,n-k} √((n-k)!) / (n! q^{(n-k)/2}): as few divisions by √q as the derivatives allow.
  hermite_projection projection(*this, q, 4);
  const std::size_t sampled = has_high_derivatives() && kinks().empty() ? 4 : 2;
  const std::size_t order = std::min(n, sampled);
  const std::size_t rest = n - order;
  const double coefficient = projection.block(
      order, rest / hermite_projection::block_size)[rest % hermite_projection::block_size];
  double factor = std::pow(q, -0.5 * static_cast<double>(rest));
  for (std::size_t k = rest + 1; k <= n; ++k) {
    factor /= static_cast<double>(k);
  }
  for (std::size_t k = 1; k <= rest; ++k) {
    factor /= std::sqrt(static_cast<double>(k));
  }
  return coefficient * factor;
}

void add_erf_derivatives(double q, double weight, std::span<double> moments) {
  if (weight == 0.0) {
    return;
  }
  // E[erf^(2j+1)(√q z)] = 2 (-1)^j (2j-1)!! / (√(2π) ς^{2j+1}), ς² = q + ½.
  const double inverse = 1.0 / (q + 0.5);
  double term = weight * 2.0 * std::sqrt(inverse) / root_two_pi<double>();
  for (std::size_t n = 1; n < moments.size(); n += 2) {
    moments[n] += term;
    term *= -static_cast<double>(n) * inverse;
  }
}

void add_relu_derivatives(double q, double weight, std::span<double> moments) {
  if (weight == 0.0) {
    return;
  }
  const double scale = std::sqrt(q);
  if (!moments.empty()) {
    moments[0] += weight * scale / root_two_pi<double>();
  }
  if (moments.size() > 1) {
    moments[1] += 0.5 * weight;
  }
  // E[relu^(2j)(√q z)] = (-1)^{j-1} (2j-3)!! / (√(2π) q^{j-½}).
  double term = weight / (root_two_pi<double>() * scale);
  for (std::size_t n = 2; n < moments.size(); n += 2) {
    moments[n] += term;
    term *= -static_cast<double>(n - 1) / q;
  }
}

}  // namespace loradyn
