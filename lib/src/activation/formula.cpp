#include "activation/formula.hpp"

#include <algorithm>
#include <cmath>
#include <loradyn/error.hpp>
#include <string>
#include "activation/primitives.hpp"

namespace loradyn::detail {
namespace {

// The series of p(x) itself.
template <std::size_t Order>
jet<Order> series(const std::array<double, 5>& derivatives) {
  jet<Order> result{};
  for (std::size_t k = 0; k <= Order; ++k) {
    result.c[k] = derivatives[k] * inverse_factorials[k];
  }
  balance(result);
  return result;
}

template <std::size_t Order>
jet<Order> composed(std::array<double, 5> derivatives, const jet<Order>& inner) {
  for (std::size_t k = 0; k < derivatives.size(); ++k) {
    derivatives[k] *= inverse_factorials[k];
  }
  return compose(derivatives, inner);
}

primitive primitive_of(operation what) {
  switch (what) {
    case operation::erf:
      return primitive::erf;
    case operation::tanh:
      return primitive::tanh;
    case operation::sigmoid:
    case operation::silu:
      return primitive::sigmoid;
    case operation::softplus:
      return primitive::softplus;
    case operation::gelu:
      return primitive::normal_cdf;
    case operation::sin:
      return primitive::sin;
    default:
      return primitive::cos;
  }
}

// The limit of a primitive at ±∞; an angle that large has no digits left, and counts as 0.
template <std::size_t Order>
jet<Order> at_infinity(primitive p, const jet<Order>& inner) {
  const bool positive = inner.c[0] > 0.0;
  switch (p) {
    case primitive::erf:
    case primitive::tanh:
      return constant_jet<Order>(positive ? 1.0 : -1.0);
    case primitive::sigmoid:
    case primitive::normal_cdf:
      return constant_jet<Order>(positive ? 1.0 : 0.0);
    case primitive::softplus:
      return positive ? inner : jet<Order>{};
    case primitive::cos:
      return constant_jet<Order>(1.0);
    default:
      return {};
  }
}

template <std::size_t Order>
jet<Order> apply(primitive p, const jet<Order>& inner, bool at_argument, double x) {
  constexpr double underflowing = 600.0;  // beyond, e^{-x} and its derivatives need an exponent
  if (at_argument && x > -underflowing) {
    return series<Order>(primitive_derivatives(p, x));
  }
  const jet<Order> plain = unscaled(inner);
  if (plain.infinite()) {
    return at_infinity(p, inner);
  }
  if (plain.c[0] < -underflowing && (p == primitive::sigmoid || p == primitive::softplus)) {
    return exponential(plain);
  }
  return composed(primitive_derivatives(p, plain.c[0]), plain);
}

template <std::size_t Order>
jet<Order> hermite_of(unsigned k, const jet<Order>& inner, bool at_argument, double x) {
  constexpr double leading = 1e12;  // from where x^k is He_k to rounding
  if (at_argument && std::abs(x) < largest_hermite_argument) {
    return series<Order>(hermite_derivatives(k, x));
  }
  const jet<Order> plain = unscaled(inner);
  if (plain.infinite() || std::abs(plain.c[0]) > leading) {
    return power(inner, k);
  }
  if (std::abs(plain.c[0]) < largest_hermite_argument) {
    return composed<Order>(hermite_derivatives(k, plain.c[0]), plain);
  }
  // By the recurrence on series, which can't overflow.
  jet<Order> before{};
  jet<Order> last = constant_jet<Order>(1.0);
  for (unsigned n = 0; n < k; ++n) {
    const jet<Order> next = add(multiply(inner, last), scale(before, static_cast<double>(n)), -1.0);
    before = last;
    last = next;
  }
  return last;
}

double folded(const formula_node& node, double left) {
  const jet<2> inner = constant_jet<2>(left);
  switch (node.what) {
    case operation::shift:
      return left + node.value;
    case operation::scale:
      return left * node.value;
    case operation::power:
      return unscaled(power(inner, node.order)).c[0];
    case operation::exp:
      return exponential(left);
    case operation::log:
      return logarithm(left);
    case operation::sqrt:
      return std::sqrt(left);
    case operation::hermite:
      return hermite_derivatives(node.order, left)[0];
    case operation::relu:
      return std::max(left, 0.0);
    case operation::step:
      return left > 0.0 ? 1.0 : 0.0;
    case operation::abs:
      return std::abs(left);
    case operation::gelu:
    case operation::silu:
      return left * apply(primitive_of(node.what), inner, false, 0.0).c[0];
    default:
      return apply(primitive_of(node.what), inner, false, 0.0).c[0];
  }
}

bool is_binary(operation what) {
  switch (what) {
    case operation::add:
    case operation::subtract:
    case operation::multiply:
    case operation::divide:
    case operation::max:
    case operation::min:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_switch(operation what) {
  return what == operation::relu || what == operation::step || what == operation::abs ||
         what == operation::max || what == operation::min;
}

std::size_t formula::append(formula_node node) {
  const auto constant = [&](double value) {
    return append({.what = operation::constant, .value = value, .column = node.column});
  };
  const auto value_of = [this](std::size_t i) -> const double* {
    return nodes[i].what == operation::constant ? &nodes[i].value : nullptr;
  };
  const auto unary = [&](operation what, std::size_t left, double value) {
    return append({.what = what,
                   .left = static_cast<std::uint16_t>(left),
                   .value = value,
                   .column = node.column});
  };
  if (is_binary(node.what)) {
    const double* left = value_of(node.left);
    const double* right = value_of(node.right);
    switch (node.what) {
      case operation::add:
        if (right != nullptr) return unary(operation::shift, node.left, *right);
        if (left != nullptr) return unary(operation::shift, node.right, *left);
        break;
      case operation::subtract:
        if (node.left == node.right) return constant(0.0);
        if (right != nullptr) return unary(operation::shift, node.left, -*right);
        if (left != nullptr) {
          const double value = *left;
          return unary(operation::shift, unary(operation::scale, node.right, -1.0), value);
        }
        break;
      case operation::multiply:
        if (right != nullptr) return unary(operation::scale, node.left, *right);
        if (left != nullptr) return unary(operation::scale, node.right, *left);
        break;
      case operation::divide:
        if (left != nullptr && right != nullptr) return constant(*left / *right);
        break;
      case operation::max:
      case operation::min:
        if (node.left == node.right) return node.left;
        if (left != nullptr && right != nullptr) {
          return constant(node.what == operation::max ? std::max(*left, *right)
                                                      : std::min(*left, *right));
        }
        break;
      default:
        break;
    }
  } else if (node.what != operation::argument && node.what != operation::constant) {
    if (const double* left = value_of(node.left)) return constant(folded(node, *left));
    switch (node.what) {
      case operation::shift:
        if (node.value == 0.0) return node.left;
        break;
      case operation::scale:
        if (node.value == 1.0) return node.left;
        if (node.value == 0.0) return constant(0.0);
        break;
      case operation::power:
        if (node.order == 0) return constant(1.0);
        if (node.order == 1) return node.left;
        break;
      case operation::hermite:
        if (node.order == 0) return constant(1.0);
        if (node.order == 1) return node.left;
        break;
      case operation::sqrt: {
        // √(f^2k) = |f^k|, which has no infinite slope.
        const formula_node inner = nodes[node.left];
        if (inner.what == operation::power && inner.order % 2 == 0) {
          formula_node root = inner;
          root.order /= 2;
          return unary(operation::abs, append(root), 0.0);
        }
        break;
      }
      default:
        break;
    }
  }
  const auto known = std::find(nodes.begin(), nodes.end(), node);
  if (known != nodes.end()) {
    return static_cast<std::size_t>(known - nodes.begin());
  }
  if (nodes.size() == max_nodes) {
    throw argument_error("the number of operations", "above " + std::to_string(max_nodes),
                         "smaller");
  }
  nodes.push_back(node);
  return nodes.size() - 1;
}

formula formula::rooted_at(std::size_t root) const {
  std::vector<bool> needed(root + 1);
  needed[root] = true;
  for (std::size_t i = root + 1; i-- > 0;) {
    const bool leaf = nodes[i].what == operation::argument || nodes[i].what == operation::constant;
    if (needed[i] && !leaf) {
      needed[nodes[i].left] = true;
      if (is_binary(nodes[i].what)) {
        needed[nodes[i].right] = true;
      }
    }
  }
  formula result;
  std::vector<std::uint16_t> place(root + 1);
  for (std::size_t i = 0; i <= root; ++i) {
    if (needed[i]) {
      formula_node node = nodes[i];
      node.left = place[node.left];
      node.right = is_binary(node.what) ? place[node.right] : std::uint16_t{0};
      place[i] = static_cast<std::uint16_t>(result.nodes.size());
      result.nodes.push_back(node);
    }
  }
  return result;
}

int switch_pieces::sign_left_of(double x) const {
  const auto next = std::lower_bound(crossings.begin(), crossings.end(), x);
  return signs[static_cast<std::size_t>(next - crossings.begin())];
}

int formula::sign_at(std::size_t i, double x, side s, double value) const {
  if (!pieces.empty() && std::abs(x) <= pieces[i].reach) {
    if (s == side::left) {
      return pieces[i].sign_left_of(x);
    }
    const std::vector<double>& crossings = pieces[i].crossings;
    const auto next = std::upper_bound(crossings.begin(), crossings.end(), x);
    return pieces[i].signs[static_cast<std::size_t>(next - crossings.begin())];
  }
  return value > 0.0 ? 1 : value < 0.0 ? -1 : 0;
}

template <std::size_t Order>
void formula::evaluate(double x, side s, std::size_t count, jets<Order>& results,
                       bool in_argument) const {
  for (std::size_t i = 0; i < count; ++i) {
    const formula_node& node = nodes[i];
    const jet<Order>& f = results[node.left];
    const jet<Order>& g = results[node.right];
    jet<Order>& result = results[i];
    const bool at_argument = in_argument && nodes[node.left].what == operation::argument;
    switch (node.what) {
      case operation::argument:
        result = constant_jet<Order>(x);
        result.c[1] = in_argument ? 1.0 : 0.0;
        break;
      case operation::constant:
        result = constant_jet<Order>(node.value);
        break;
      case operation::shift:
        result = f;
        if (f.exponent == 0.0) {
          result.c[0] += node.value;
        } else {
          result = add(f, constant_jet<Order>(node.value), 1.0);
        }
        break;
      case operation::scale:
        result = scale(f, node.value);
        break;
      case operation::add:
        result = add(f, g, 1.0);
        break;
      case operation::subtract:
        result = add(f, g, -1.0);
        break;
      case operation::multiply:
        result = multiply(f, g);
        break;
      case operation::divide:
        result = divide(f, g);
        break;
      case operation::power:
        result = power(f, node.order);
        break;
      case operation::exp:
        result = exponential(f);
        break;
      case operation::log:
        result = logarithm(f);
        break;
      case operation::sqrt:
        result = square_root(f);
        break;
      case operation::gelu:
      case operation::silu:
        result = multiply(f, apply(primitive_of(node.what), f, at_argument, x));
        break;
      case operation::hermite:
        result = hermite_of(node.order, f, at_argument, x);
        break;
      case operation::relu:
        result = sign_at(i, x, s, f.c[0]) > 0 ? f : jet<Order>{};
        break;
      case operation::step:
        result = constant_jet<Order>(sign_at(i, x, s, f.c[0]) > 0 ? 1.0 : 0.0);
        break;
      case operation::abs:
        result = sign_at(i, x, s, f.c[0]) < 0 ? scale(f, -1.0) : f;
        break;
      case operation::max:
      case operation::min: {
        const bool known = !pieces.empty() && std::abs(x) <= pieces[i].reach;
        const double difference = known ? 0.0 : add(f, g, -1.0).c[0];
        const bool left = (sign_at(i, x, s, difference) > 0) == (node.what == operation::max);
        result = left ? f : g;
        break;
      }
      default:
        result = apply(primitive_of(node.what), f, at_argument, x);
        break;
    }
  }
}

template <std::size_t Order>
void formula::evaluate(double x, std::array<double, Order + 1>& values, side s) const {
  jets<Order> results;
  evaluate<Order>(x, s, nodes.size(), results);
  const jet<Order> f = results[nodes.size() - 1];
  for (std::size_t k = 0; k <= Order; ++k) {
    values[k] =
        f.exponent == 0.0 ? f.c[k] * factorials[k] : scaled(f.c[k], f.exponent) * factorials[k];
  }
}

template void formula::evaluate<2>(double, side, std::size_t, jets<2>&, bool) const;
template void formula::evaluate<4>(double, side, std::size_t, jets<4>&, bool) const;
template void formula::evaluate<2>(double, std::array<double, 3>&, side) const;
template void formula::evaluate<4>(double, std::array<double, 5>&, side) const;

}  // namespace loradyn::detail
