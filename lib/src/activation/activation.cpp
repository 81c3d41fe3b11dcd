#include <loradyn/activation/activation.hpp>

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/factorials.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/average.hpp>
#include <loradyn/number_text.hpp>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include "activation/differences.hpp"
#include "activation/formula_analysis.hpp"
#include "activation/hermite_projection.hpp"
#include "activation/primitives.hpp"
#include "activation/waves.hpp"

namespace loradyn {
namespace {

using boost::math::constants::root_two_pi;

struct user_body {
  user_function f;

  // σ⁽ᵏ⁾ where it is given.
  [[nodiscard]] const std::function<double(double)>& given(std::size_t k) const {
    const std::array all{&f.value, &f.first, &f.second, &f.third, &f.fourth};
    return *all[k];
  }
  // The highest derivative up to the k-th that is given.
  [[nodiscard]] std::size_t base(std::size_t k) const {
    while (k > 0 && !given(k)) {
      --k;
    }
    return k;
  }

  [[nodiscard]] double derivative(std::size_t k, double x) const {
    const std::size_t known = base(k);
    return known == k ? given(k)(x)
                      : detail::finite_difference{given(known), f.kinks}.derivative(k - known, x);
  }

  template <std::size_t Order>
  void tabulate(std::span<const double> x, const std::array<double*, Order + 1>& out) const {
    if constexpr (Order == 4) {
      if (f.block_of_all) {
        constexpr std::size_t largest = user_function::largest_block;
        for (std::size_t from = 0; from < x.size(); from += largest) {
          const std::size_t n = std::min(largest, x.size() - from);
          std::array<std::span<double>, 5> rows;
          for (std::size_t k = 0; k < rows.size(); ++k) {
            rows[k] = {out[k] + from, n};
          }
          f.block_of_all(x.subspan(from, n), rows);
        }
        return;
      }
    }
    const std::size_t known = f.block ? by_blocks<Order>(x, out) : 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t k = known; k <= Order; ++k) {
        out[k][i] = derivative(k, x[i]);
      }
    }
  }

  // Fills the orders that a block gives; how many those are.
  template <std::size_t Order>
  std::size_t by_blocks(std::span<const double> x,
                        const std::array<double*, Order + 1>& out) const {
    constexpr std::size_t largest = user_function::largest_block;
    constexpr std::size_t wanted = std::min<std::size_t>(Order + 1, 3);
    for (std::size_t from = 0; from < x.size(); from += largest) {
      const std::size_t n = std::min(largest, x.size() - from);
      std::array<std::span<double>, 3> rows;
      for (std::size_t k = 0; k < wanted; ++k) {
        rows[k] = {out[k] + from, n};
      }
      f.block(x.subspan(from, n), rows);
    }
    return wanted;
  }

  [[nodiscard]] double jump(std::size_t k, double t) const {
    // What the value differs by over two neighbouring doubles is no jump.
    constexpr double rounding = 1e-13;
    const std::size_t known = base(k);
    const detail::finite_difference difference{given(known), f.kinks};
    const double right = difference.one_sided(k - known, t, 1.0);
    const double left = difference.one_sided(k - known, t, -1.0);
    const double least = rounding * (1.0 + std::abs(right) + std::abs(left));
    return known == k && std::abs(right - left) <= least ? 0.0 : right - left;
  }
};

// E[σ²] and E[σ'²] at unit variance are finite and resolved; E[zσ] = E[σ'] and E[(z² - 1)σ] =
// E[σ''], as by parts, with what the kinks that are named add: one that is not is missing there.
void require_moments(const activation& f) {
  constexpr double agreement = 1e-6;
  constexpr double narrow = 2e-4;  // panels of this width, beside no feature, close in on a kink
  std::vector<double> breaks;
  double scale = narrow;
  for (std::size_t i = 1; i < f.features().size(); ++i) {
    scale = std::min(scale, narrow * (f.features()[i] - f.features()[i - 1]));
  }
  std::array<double, 2> kinks{};
  for (const kink& k : f.kinks()) {
    const double t = k.location;
    breaks.push_back(t);
    const double density = std::exp(-0.5 * t * t) / root_two_pi<double>();
    kinks[0] += k.jumps[0] * density;
    kinks[1] += (k.jumps[1] + k.jumps[0] * t) * density;
  }
  averages moments;
  try {
    moments =
        gaussian_averages(4, breaks, f.features(), [&f](std::span<const double> z, double* values) {
          const std::size_t n = z.size();
          for (std::size_t i = 0; i < n; ++i) {
            const double value = f(z[i]);
            const double slope = f.first(z[i]);
            values[i] = z[i] * value - slope;
            values[n + i] = (z[i] * z[i] - 1.0) * value - f.second(z[i]);
            values[2 * n + i] = value * value;
            values[3 * n + i] = slope * slope;
          }
        });
  } catch (const convergence_error&) {
    throw convergence_error("the Gaussian moments of activation '" + f.name() +
                            "' don't settle: it grows too fast, or has kinks that are not named");
  }
  if (moments.narrowest < scale) {
    throw convergence_error("activation '" + f.name() +
                            "' is not smooth: name its kinks, or the "
                            "features of a short scale");
  }
  for (std::size_t k = 0; k < kinks.size(); ++k) {
    if (!(std::abs(moments.value[k] - kinks[k]) <= agreement * moments.magnitude[k])) {
      throw convergence_error("the derivatives of activation '" + f.name() +
                              "' are not those of its values: they are wrong, or it has kinks that "
                              "are not named");
    }
  }
}

}  // namespace

namespace detail {

// σ = polynomial + erf_weight erf + relu_weight relu.
class closed_function {
 public:
  explicit closed_function(const activation_parts& parts)
      : erf_weight_(parts.erf_weight), relu_weight_(parts.relu_weight) {
    if (parts.polynomial_part.degree() <= 1) {
      const auto c = parts.polynomial_part.monomial();
      constant_ = c.empty() ? 0.0 : c[0];
      slope_ = c.size() > 1 ? c[1] : 0.0;
    } else {
      polynomials_[0] = parts.polynomial_part;
      for (std::size_t k = 1; k < polynomials_.size(); ++k) {
        polynomials_[k] = polynomials_[k - 1].derivative();
      }
    }
  }

  template <std::size_t Order>
  void tabulate(std::span<const double> x, const std::array<double*, Order + 1>& out) const {
    if (erf_weight_ != 0.0) {
      erf_.tabulate<Order>(x, out);
    }
    constexpr std::size_t block = 32;  // points at a time; it changes no value
    std::array<std::array<double, block>, Order + 1> values;
    for (std::size_t from = 0; from < x.size(); from += block) {
      const std::span<const double> at = x.subspan(from, std::min(block, x.size() - from));
      for (std::size_t k = 0; k <= Order; ++k) {
        if (!polynomials_[0].zero()) {
          polynomials_[k].tabulate(at, values[k]);
        } else {
          values[k].fill(k == 1 ? slope_ : 0.0);
        }
      }
      for (std::size_t i = 0; i < at.size(); ++i) {
        if (polynomials_[0].zero()) {
          values[0][i] = constant_ + slope_ * at[i];
        }
        if (erf_weight_ != 0.0) {
          for (std::size_t k = 0; k <= Order; ++k) {
            values[k][i] += erf_weight_ * out[k][from + i];
          }
        }
        if (relu_weight_ != 0.0 && at[i] > 0.0) {
          values[0][i] += relu_weight_ * at[i];
          if constexpr (Order >= 1) {
            values[1][i] += relu_weight_;
          }
        }
        for (std::size_t k = 0; k <= Order; ++k) {
          out[k][from + i] = values[k][i];
        }
      }
    }
  }

 private:
  double constant_ = 0.0;  // the polynomial is constant + slope x, where it is that simple
  double slope_ = 0.0;
  std::array<polynomial, 5> polynomials_;  // and its derivatives; zero where it is
  double erf_weight_;
  double relu_weight_;
  formula erf_ = [] {
    formula f;
    f.append({.what = operation::erf,
              .left = static_cast<std::uint16_t>(f.append({.what = operation::argument}))});
    return f;
  }();
};

class activation_body {
 public:
  std::string name;
  activation_parts parts;
  std::vector<kink> kinks;
  std::vector<double> features;
  activation_symmetry symmetry;
  std::optional<half_line_polynomials> pieces;
  std::optional<std::vector<wave>> waves;
  std::variant<closed_function, formula, user_body> function;
};

}  // namespace detail

namespace {

std::optional<half_line_polynomials> pieces_of(const activation_parts& parts) {
  if (parts.erf_weight != 0.0) {
    return std::nullopt;
  }
  const std::span<const double> c = parts.polynomial_part.monomial();
  half_line_polynomials pieces{{c.begin(), c.end()}, {c.begin(), c.end()}};
  if (parts.relu_weight != 0.0) {
    pieces.positive.resize(std::max<std::size_t>(2, c.size()));
    pieces.positive[1] += parts.relu_weight;
  }
  return pieces;
}

activation_symmetry symmetry_of(const activation_parts& parts) {
  bool odd = parts.relu_weight == 0.0;
  bool even = parts.erf_weight == 0.0;
  const std::span<const double> c = parts.polynomial_part.monomial();
  for (std::size_t n = 2; n < c.size(); ++n) {
    (n % 2 == 0 ? odd : even) &= c[n] == 0.0;
  }
  const double slope = c.size() > 1 ? c[1] : 0.0;
  activation_symmetry symmetry;
  if (even) {
    symmetry.slope = slope + 0.5 * parts.relu_weight;  // relu is x/2 + |x|/2
  }
  if (symmetry.slope == 0.0) {
    symmetry.kind = parity::even;
  } else if (odd) {
    symmetry.kind = parity::odd;
    symmetry.offset = c.empty() ? 0.0 : c[0];
  }
  return symmetry;
}

}  // namespace

activation::activation(activation_parts parts, std::string name) {
  std::vector<kink> kinks;
  if (parts.relu_weight != 0.0) {
    kinks.push_back({.location = 0.0, .jumps = {0.0, parts.relu_weight, 0.0, 0.0}});
  }
  std::vector<double> features;
  if (parts.erf_weight != 0.0) {
    features = {-16.0, -8.0, -4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0};
  }
  const activation_symmetry symmetry = symmetry_of(parts);
  std::optional<half_line_polynomials> pieces = pieces_of(parts);
  detail::closed_function function(parts);
  body_ = std::make_shared<detail::activation_body>(detail::activation_body{
      std::move(name), std::move(parts), std::move(kinks), std::move(features), symmetry,
      std::move(pieces), std::nullopt, std::move(function)});
}

activation::activation(polynomial p, std::string name)
    : activation(activation_parts{.polynomial_part = std::move(p)}, std::move(name)) {}

activation::activation(detail::formula f, bool kinked, std::optional<half_line_polynomials> pieces,
                       std::string name) {
  detail::formula_shape shape = detail::analyse(f);
  if (!kinked) {
    shape.kinks.clear();
  }
  activation_parts parts;
  parts.has_rest = true;
  body_ = std::make_shared<detail::activation_body>(detail::activation_body{
      std::move(name), std::move(parts), std::move(shape.kinks), std::move(shape.features),
      shape.symmetry, std::move(pieces), detail::waves_of(f), std::move(f)});
}

activation::activation(user_function f) {
  if (!f.value) {
    throw argument_error("the value of activation '" + f.name + "'", "empty", "a function");
  }
  std::sort(f.kinks.begin(), f.kinks.end());
  std::sort(f.features.begin(), f.features.end());
  for (std::size_t i = 0; i < f.kinks.size(); ++i) {
    if (!std::isfinite(f.kinks[i]) || (i > 0 && f.kinks[i] == f.kinks[i - 1])) {
      throw argument_error("a kink of activation '" + f.name + "'", number_text(f.kinks[i]),
                           "a finite number, given once");
    }
  }
  user_body user{std::move(f)};
  std::vector<kink> kinks;
  for (const double t : user.f.kinks) {
    kink k{.location = t, .jumps = {}};
    for (std::size_t order = 0; order < k.jumps.size(); ++order) {
      k.jumps[order] = user.jump(order, t);
    }
    kinks.push_back(k);
  }
  std::string name = user.f.name;
  activation_parts parts;
  parts.has_rest = true;
  body_ = std::make_shared<detail::activation_body>(detail::activation_body{std::move(name),
                                                                            std::move(parts),
                                                                            std::move(kinks),
                                                                            user.f.features,
                                                                            {},
                                                                            {},
                                                                            {},
                                                                            std::move(user)});
  require_moments(*this);
}

const std::string& activation::name() const noexcept { return body_->name; }
const std::vector<kink>& activation::kinks() const noexcept { return body_->kinks; }
const std::vector<double>& activation::features() const noexcept { return body_->features; }
activation_symmetry activation::symmetry() const noexcept { return body_->symmetry; }
std::array<double, 5> activation::errors() const noexcept {
  const auto* user = std::get_if<user_body>(&body_->function);
  return user != nullptr ? user->f.errors : std::array<double, 5>{};
}
const half_line_polynomials* activation::on_half_lines() const noexcept {
  return body_->pieces ? &*body_->pieces : nullptr;
}
const std::vector<wave>* activation::as_waves() const noexcept {
  return body_->waves ? &*body_->waves : nullptr;
}
const activation_parts& activation::parts() const noexcept { return body_->parts; }

bool activation::continuous() const noexcept {
  return std::all_of(kinks().begin(), kinks().end(),
                     [](const kink& k) { return k.jumps[0] == 0.0; });
}

bool activation::kinked_at_zero_alone() const noexcept {
  return std::all_of(kinks().begin(), kinks().end(),
                     [](const kink& k) { return k.location == 0.0; });
}

const polynomial* activation::as_polynomial() const noexcept {
  const activation_parts& parts = body_->parts;
  const bool only = !parts.has_rest && parts.erf_weight == 0.0 && parts.relu_weight == 0.0;
  return only ? &parts.polynomial_part : nullptr;
}

double activation::operator()(double x) const {
  double value = 0.0;
  tabulate_orders<0>({&x, 1}, {&value});
  return value;
}

std::vector<double> kink_meetings(std::span<const kink> f, std::span<const kink> g) {
  std::vector<double> M;
  for (const kink& of_f : f) {
    for (const kink& of_g : g) {
      if (of_f.location != 0.0 && of_g.location != 0.0) {
        M.push_back(of_f.location / of_g.location);
      }
    }
  }
  std::sort(M.begin(), M.end());
  M.erase(std::unique(M.begin(), M.end()), M.end());
  return M;
}

double activation::first(double x) const { return derivative(1, x); }
double activation::second(double x) const { return derivative(2, x); }

double activation::derivative(std::size_t order, double x) const {
  if (const auto* user = std::get_if<user_body>(&body_->function)) {
    return user->derivative(order, x);
  }
  std::array<double, 3> values{};
  tabulate_orders<2>({&x, 1}, {&values[0], &values[1], &values[2]});
  return values[order];
}

derivatives activation::all(double x) const {
  derivatives values{};
  tabulate_orders<4>({&x, 1}, {&values[0], &values[1], &values[2], &values[3], &values[4]});
  return values;
}

void activation::tabulate(std::span<const double> x, std::span<double> value,
                          std::span<double> first, std::span<double> second) const {
  if (!second.empty()) {
    tabulate_orders<2>(x, {value.data(), first.data(), second.data()});
  } else if (!first.empty()) {
    tabulate_orders<1>(x, {value.data(), first.data()});
  } else {
    tabulate_orders<0>(x, {value.data()});
  }
}

void activation::tabulate_all(std::span<const double> x,
                              std::array<std::span<double>, 5> out) const {
  tabulate_orders<4>(x,
                     {out[0].data(), out[1].data(), out[2].data(), out[3].data(), out[4].data()});
}

template <std::size_t Order>
void activation::tabulate_orders(std::span<const double> x,
                                 std::array<double*, Order + 1> out) const {
  std::visit([&](const auto& function) { function.template tabulate<Order>(x, out); },
             body_->function);
}

double activation::hermite_coefficient(std::size_t n, double q) const {
  // he_{n-2} at least is summed, and the grid has a table of he_0 … he_511.
  constexpr std::size_t max_order = 500;
  if (!(q >= 0.0) || !std::isfinite(q)) {
    throw argument_error("the variance of a Hermite coefficient", number_text(q),
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
  const std::size_t sampled = kinks().empty() ? 4 : 2;
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
