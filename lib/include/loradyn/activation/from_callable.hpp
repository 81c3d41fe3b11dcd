#pragma once

/// \file
/// An activation from a generic callable, differentiated automatically.

#include <boost/math/differentiation/autodiff.hpp>
#include <concepts>
#include <cstddef>
#include <string>
#include <utility>

#include <loradyn/activation/activation.hpp>

namespace loradyn {

/// The activation of a generic callable without kinks, such as [](auto x) { return x * tanh(x); }
/// (unqualified calls, so that they find Boost's overloads too). Its derivatives are Boost.Math's
/// automatic ones, exact to rounding.
/// \throws convergence_error where its Gaussian moments don't settle: it has a kink, or grows too
/// fast
template <class Callable>
requires std::invocable<Callable, double> activation
activation_from_callable(Callable f, std::string name = "user") {
  const auto derivative = [f](double x, std::size_t order) {
    return f(boost::math::differentiation::make_fvar<double, 4>(x)).derivative(order);
  };
  user_function user;
  user.name = std::move(name);
  user.value = [f](double x) { return static_cast<double>(f(x)); };
  const auto of_order = [derivative](std::size_t order) {
    return [derivative, order](double x) { return static_cast<double>(derivative(x, order)); };
  };
  user.first = of_order(1);
  user.second = of_order(2);
  user.third = of_order(3);
  user.fourth = of_order(4);
  return activation(std::move(user));
}

}  // namespace loradyn
