#pragma once

/// \file
/// Steps of odeint's Rosenbrock method on plain arrays. Internal to the dynamics room. Behind this
/// header because uBLAS, which odeint's method is built on, is C++17 in Boost 1.74.

#include <cstddef>
#include <functional>
#include <memory>

namespace loradyn {

/// One attempted step of Rosenbrock 4(3) for an autonomous system of n equations.
class rosenbrock_stepper {
 public:
  /// x -> velocity and x -> Jacobian, row after row.
  using function = std::function<void(const double* x, double* value)>;

  rosenbrock_stepper(std::size_t n, function velocity, function jacobian);
  ~rosenbrock_stepper();
  rosenbrock_stepper(const rosenbrock_stepper&) = delete;
  rosenbrock_stepper& operator=(const rosenbrock_stepper&) = delete;

  /// From x0 over a time h: the end and its error estimate.
  void attempt(const double* x0, double h, double* x1, double* error);

  /// The dense output of the last attempt, at a time t in [0, h] from its beginning.
  void at(double t, double* x);

 private:
  struct body;
  std::unique_ptr<body> body_;
};

}  // namespace loradyn
