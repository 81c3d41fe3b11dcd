#include "dynamics/rosenbrock.hpp"
#include <algorithm>
#include <boost/numeric/odeint/stepper/rosenbrock4.hpp>
#include <boost/numeric/ublas/matrix.hpp>
#include <boost/numeric/ublas/vector.hpp>
#include <utility>

namespace loradyn {
namespace {

using vector = boost::numeric::ublas::vector<double>;
using matrix = boost::numeric::ublas::matrix<double>;

}  // namespace

struct rosenbrock_stepper::body {
  body(std::size_t n, function v, function j)
      : velocity(std::move(v)), jacobian(std::move(j)), begin(n), end(n), error(n), between(n) {}

  function velocity;
  function jacobian;
  vector begin;
  vector end;
  vector error;
  vector between;
  double length = 0.0;
  bool dense = false;
  boost::numeric::odeint::rosenbrock4<double> stepper;
};

rosenbrock_stepper::rosenbrock_stepper(std::size_t n, function velocity, function jacobian)
    : body_(std::make_unique<body>(n, std::move(velocity), std::move(jacobian))) {}

rosenbrock_stepper::~rosenbrock_stepper() = default;

void rosenbrock_stepper::attempt(const double* x0, double h, double* x1, double* error) {
  body& b = *body_;
  std::copy_n(x0, b.begin.size(), b.begin.begin());
  const auto velocity = [&b](const vector& x, vector& v, double) {
    b.velocity(&x.data()[0], &v.data()[0]);
  };
  const auto jacobian = [&b](const vector& x, matrix& j, double, vector& dfdt) {
    b.jacobian(&x.data()[0], &j.data()[0]);
    std::fill(dfdt.begin(), dfdt.end(), 0.0);
  };
  b.stepper.do_step(std::make_pair(velocity, jacobian), b.begin, 0.0, b.end, h, b.error);
  b.length = h;
  b.dense = false;
  std::copy(b.end.begin(), b.end.end(), x1);
  std::copy(b.error.begin(), b.error.end(), error);
}

void rosenbrock_stepper::at(double t, double* x) {
  body& b = *body_;
  if (!b.dense) {
    b.stepper.prepare_dense_output();
    b.dense = true;
  }
  b.stepper.calc_state(t, b.between, b.begin, 0.0, b.end, b.length);
  std::copy(b.between.begin(), b.between.end(), x);
}

}  // namespace loradyn
