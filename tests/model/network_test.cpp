#include <Eigen/Core>
#include <Eigen/LU>
#include <catch2/catch.hpp>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/model/network.hpp>

#include "support/within.hpp"

using namespace loradyn;
using Catch::Matchers::Contains;

TEST_CASE("a geometry of a Gram matrix has that Gram matrix") {
  Eigen::MatrixXd rows(5, 4);  // two targets, two neurons, one row of a source, in three dimensions
  rows << 1.0, 0.0, 0.0, 0.0, 0.3, 0.8, 0.0, 0.0, 0.5, -0.2, 0.7, 0.0, 0.1, 0.1, -0.9, 0.0, 0.4,
      0.4, 0.4, 0.0;
  const Eigen::MatrixXd gram = rows * rows.transpose();
  const network_geometry g = geometry_of_gram(gram, 2, 2);
  CHECK_NOTHROW(g.validate());
  CHECK(g.directions() == 3);
  Eigen::MatrixXd found(5, 3);
  found << g.teacher, g.pretrained, g.source;
  CHECK((found * found.transpose() - gram).norm() == test::within(0.0, 1e-14));
}

TEST_CASE("what is no Gram matrix is refused by what is wrong with it") {
  Eigen::MatrixXd gram = Eigen::MatrixXd::Identity(3, 3);
  gram(0, 1) = gram(1, 0) = 1.25;
  CHECK_THROWS_WITH(geometry_of_gram(gram, 1, 2),
                    Contains("the smallest eigenvalue of the Gram matrix is -0.2"));
  gram(0, 1) = 0.5;
  CHECK_THROWS_WITH(geometry_of_gram(gram, 1, 2), Contains("entry (2, 1) of the Gram matrix"));
  CHECK_THROWS_WITH(geometry_of_gram(gram, 2, 2), Contains("at least 4 rows"));
  gram(0, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(geometry_of_gram(gram, 1, 2), Contains("entry (1, 2)"));
  network_geometry g = aligned_geometry(2, 2, 0.5, 0.0, 2);
  g.readout = Eigen::VectorXd::Ones(3);
  CHECK_THROWS_WITH(g.validate(), "the size of the readouts is 3 x 1, but must be 2 x 1");
}

TEST_CASE("aligned neurons take their targets in turn") {
  // The published W0 = diag(μ, μ, 1, 1) T.
  const network_geometry g = aligned_geometry(4, 4, 0.3, 0.0, 2);
  CHECK(g.directions() == 4);
  CHECK(g.pretrained == Eigen::Vector4d(0.3, 0.3, 1.0, 1.0).asDiagonal().toDenseMatrix());
  CHECK(g.source.rows() == 0);
  const network_geometry wide = aligned_geometry(3, 2, 0.5, 0.2, 3, 0.6);
  CHECK_NOTHROW(wide.validate());
  CHECK(wide.directions() == 5);
  CHECK((wide.teacher * wide.pretrained.transpose())(0, 2) == 0.5);
  CHECK((wide.teacher * wide.pretrained.transpose())(1, 2) == 0.0);
  // The source's overlap with w0 is ρμ + ν √(1 - ρ²).
  CHECK((wide.source * wide.pretrained.transpose())(1, 1) == Approx(0.6 * 0.5 + 0.2 * 0.8));
  CHECK((wide.source * wide.source.transpose() - Eigen::Matrix2d::Identity()).norm() ==
        test::within(0.0, 1e-15));
  CHECK_THROWS_AS(aligned_geometry(2, 2, 0.5, 0.0, 3), argument_error);
  CHECK(readouts(readout_rule::sqrt, 4) == Eigen::Vector4d::Constant(0.5));
  CHECK(readouts(readout_rule::mean, 4) == Eigen::Vector4d::Constant(0.25));
}

TEST_CASE("the overlaps are those of the weights") {
  const network_geometry g = aligned_geometry(2, 1, 0.4, 0.3, 2);
  Eigen::MatrixXd V(2, 5);  // in the three directions of E and two more
  V << 0.1, -0.2, 0.3, 0.5, 0.1, 0.2, 0.1, -0.4, 0.0, 0.7;
  network_state s;
  s.U = Eigen::Matrix2d{{0.5, -0.3}, {0.2, 0.9}};
  s.C = V.leftCols(3);
  s.P = V.rightCols(2) * V.rightCols(2).transpose();
  s.a = g.readout;
  Eigen::MatrixXd W = s.U * V;
  W.leftCols(3) += g.pretrained;
  const network_overlaps o = overlaps_of(g, s);
  CHECK((o.weights - W * W.transpose()).norm() == test::within(0.0, 1e-15));
  CHECK((o.targets - W.leftCols(3) * g.teacher.transpose()).norm() == test::within(0.0, 1e-15));
  CHECK(o.weight_gaps(0, 1) == Approx((W * W.transpose()).determinant()));
  CHECK(o.target_gaps(1, 0) == Approx(W.row(1).squaredNorm() - W(1, 0) * W(1, 0)));
  // A neuron that nearly is another one, or its target, keeps the digits of its gap.
  network_state near = s;
  near.U << 1e-9, 0.0, 0.0, 0.0;
  near.C.setZero();
  network_geometry same = g;
  same.pretrained = Eigen::MatrixXd::Zero(2, 3);
  same.pretrained.col(0).setOnes();
  const network_overlaps close = overlaps_of(same, near);
  CHECK(close.weight_gaps(0, 1) == Approx(1e-18 * s.P(0, 0)).epsilon(1e-7));
  CHECK(close.target_gaps(0, 0) == Approx(1e-18 * s.P(0, 0)).epsilon(1e-7));
  CHECK(close.target_gaps(1, 0) == 0.0);
  network_parameters p;
  p.rank = 2;
  CHECK_THROWS_WITH(s.validate(g, p), Contains("row 1 of V"));
  p.adapter = adapter_constraint::free;
  CHECK_NOTHROW(s.validate(g, p));
  s.P(0, 0) = -1.0;
  CHECK_THROWS_WITH(s.validate(g, p), Contains("the smallest eigenvalue of V V' - C C'"));
}
