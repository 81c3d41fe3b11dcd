#pragma once

/// \file
/// Central differences of sixth order.

namespace loradyn::test {

/// f'(0), to 1e-3 h⁶ of f's seventh derivative and rounding over h.
template <class Function>
auto difference(const Function& f, double h) -> decltype(f(h)) {
  return ((f(h) - f(-h)) * 45.0 - (f(2 * h) - f(-2 * h)) * 9.0 + (f(3 * h) - f(-3 * h))) *
         (1.0 / (60.0 * h));
}

}  // namespace loradyn::test
