#pragma once

/// \file
/// Eigen's decompositions of matrices of any size, compiled once: each takes longer to compile than
/// the files that ask for it. Small ones of a fixed size have the same bits and no file of their
/// own. Internal to the library.

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>

// Their constructors compile what they are given: give them a matrix, not an expression.
extern template class Eigen::EigenSolver<Eigen::MatrixXd>;
extern template Eigen::EigenSolver<Eigen::MatrixXd>& Eigen::EigenSolver<Eigen::MatrixXd>::compute(
    const Eigen::EigenBase<Eigen::MatrixXd>&, bool);
extern template class Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>;
extern template Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>&
Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>::compute(const Eigen::EigenBase<Eigen::MatrixXd>&,
                                                        int);
extern template class Eigen::JacobiSVD<Eigen::MatrixXd>;
extern template class Eigen::ColPivHouseholderQR<Eigen::MatrixXd>;

namespace loradyn {

/// The eigenvalues of a square matrix with finite entries, in Eigen's order.
inline Eigen::VectorXcd eigenvalues_of(const Eigen::MatrixXd& matrix) {
  return Eigen::EigenSolver<Eigen::MatrixXd>(matrix, false).eigenvalues();
}

/// The shortest x of least |A x - b|, where pivots below `threshold` times the largest count as
/// zero.
Eigen::VectorXd shortest_solution(const Eigen::MatrixXd& A, const Eigen::VectorXd& b,
                                  double threshold);

}  // namespace loradyn
