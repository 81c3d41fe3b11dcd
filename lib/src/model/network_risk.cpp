#include <cmath>
#include <limits>
#include <loradyn/model/network_risk.hpp>
#include <loradyn/model/population_risk.hpp>

namespace loradyn {
namespace {

using Eigen::Index;

pair_covariance weights_pair(const network_overlaps& o, Index j, Index l) {
  return {o.weights(j, j), o.weights(l, l), o.weights(j, l), o.weight_gaps(j, l)};
}

pair_covariance target_pair(const network_overlaps& o, const Eigen::MatrixXd& gram, Index j,
                            Index i) {
  return {o.weights(j, j), gram(i, i), o.targets(j, i), o.target_gaps(j, i)};
}

}  // namespace

// population_risk refuses a student that jumps.
network_risk::network_risk(const activation& student, const activation& teacher)
    : self_(population_risk(student, teacher).self_kernel()),
      cross_(student, teacher),
      teacher_(teacher, teacher) {}

// (14.1)
double network_risk::value(const network_overlaps& o, const Eigen::MatrixXd& gram,
                           const Eigen::VectorXd& a, const Eigen::VectorXd& b,
                           double label_noise) const {
  double sum = 0.0;
  double size = 0.0;
  const auto add = [&](double term) {
    sum += term;
    size += std::abs(term);
  };
  for (Index j = 0; j < a.size(); ++j) {
    add(0.5 * a[j] * a[j] * self_.value(pair_covariance::diagonal(o.weights(j, j))));
    for (Index l = 0; l < j; ++l) {
      add(a[j] * a[l] * self_.value(weights_pair(o, j, l)));
    }
    for (Index i = 0; i < b.size(); ++i) {
      add(-a[j] * b[i] * cross_.value(target_pair(o, gram, j, i)));
    }
  }
  for (Index i = 0; i < b.size(); ++i) {
    add(0.5 * b[i] * b[i] * teacher_.value(pair_covariance::diagonal(gram(i, i))));
    for (Index h = 0; h < i; ++h) {
      add(b[i] * b[h] * teacher_.value(pair_covariance::of(gram(i, i), gram(h, h), gram(i, h))));
    }
  }
  // Half a mean square: what differs from zero by the rounding of its terms is zero.
  constexpr double rounding = 4.0 * std::numeric_limits<double>::epsilon();
  return (std::abs(sum) <= rounding * size ? 0.0 : sum) + 0.5 * label_noise;
}

// (14.2)
void network_risk::slopes(const network_overlaps& o, const Eigen::MatrixXd& gram,
                          const Eigen::VectorXd& a, const Eigen::VectorXd& b, bool with_readouts,
                          network_slopes& out) const {
  const moment_set value = with_readouts ? moment_set::value : moment_set{};
  const Index width = a.size();
  out.targets.resize(width, b.size());
  out.twice_weights.resize(width, width);
  out.weight_sizes.resize(width);
  out.readouts.setZero(width);
  for (Index j = 0; j < width; ++j) {
    const pair_moments m =
        self_.moments(pair_covariance::diagonal(o.weights(j, j)), moment_set::gradient | value);
    out.twice_weights(j, j) = a[j] * a[j] * (m.e11 + m.e20);
    out.weight_sizes[j] = std::abs(out.twice_weights(j, j));
    out.readouts[j] += a[j] * m.e00;
  }
  for (Index j = 0; j < width; ++j) {
    for (Index l = 0; l < j; ++l) {
      const pair_moments m = self_.moments(weights_pair(o, j, l),
                                           moment_set::gradient | moment_set::gradient2 | value);
      const double weight = a[j] * a[l];
      out.twice_weights(j, l) = out.twice_weights(l, j) = weight * m.e11;
      out.twice_weights(j, j) += weight * m.e20;
      out.twice_weights(l, l) += weight * m.e02;
      out.weight_sizes[j] += std::abs(weight * m.e20);
      out.weight_sizes[l] += std::abs(weight * m.e02);
      out.readouts[j] += a[l] * m.e00;
      out.readouts[l] += a[j] * m.e00;
    }
    for (Index i = 0; i < b.size(); ++i) {
      const pair_moments m =
          cross_.moments(target_pair(o, gram, j, i), moment_set::gradient | value);
      const double weight = a[j] * b[i];
      out.targets(j, i) = -weight * m.e11;
      out.twice_weights(j, j) -= weight * m.e20;
      out.weight_sizes[j] += std::abs(weight * m.e20);
      out.readouts[j] -= b[i] * m.e00;
    }
  }
}

}  // namespace loradyn
