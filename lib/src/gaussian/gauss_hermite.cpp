#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <loradyn/gaussian/hermite.hpp>
#include <string>
#include "decompositions.hpp"

namespace loradyn {

gauss_hermite_rule::gauss_hermite_rule(std::size_t n) {
  constexpr std::size_t most = 100;  // polynomials of degree 40 take 80 for an average of σ'² f²
  if (n < 1 || n > most) {
    throw argument_error("the size of a Gauss-Hermite rule", std::to_string(n), "from 1 to 100");
  }
  // The nodes are the eigenvalues of the Jacobi matrix, to rounding; a Newton step takes off what
  // the eigensolver left. The weights follow from the nodes: those of the eigenvectors lose their
  // digits in the tails, where a polynomial is large.
  const auto size = static_cast<Eigen::Index>(n);
  Eigen::VectorXd off_diagonal(size - 1);
  for (Eigen::Index i = 1; i < size; ++i) {
    off_diagonal[i - 1] = std::sqrt(static_cast<double>(i));
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(Eigen::VectorXd::Zero(size), off_diagonal, Eigen::EigenvaluesOnly);
  std::vector<double> values(n + 1);
  for (Eigen::Index i = 0; i < size; ++i) {
    double z = solver.eigenvalues()[i];
    // he_n' = √n he_{n-1}
    normalised_hermite(z, values);
    z -= values[n] / (std::sqrt(static_cast<double>(n)) * values[n - 1]);
    normalised_hermite(z, values);
    double sum = 0.0;
    for (std::size_t k = 0; k < n; ++k) {
      sum += values[k] * values[k];
    }
    nodes.push_back(z);
    weights.push_back(1.0 / sum);
  }
}

}  // namespace loradyn
