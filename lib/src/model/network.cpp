#include <algorithm>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/number_text.hpp>
#include <string>
#include <vector>
#include "decompositions.hpp"

namespace loradyn {
namespace {

// What of a Gram matrix counts as rounding, beside its largest eigenvalue: entries that were typed
// to 12 digits and more make no direction of their own.
constexpr double gram_rounding = 1e-12;

std::string size_text(Eigen::Index rows, Eigen::Index columns) {
  return std::to_string(rows) + " x " + std::to_string(columns);
}

template <class Matrix>
void require_size(const Matrix& m, Eigen::Index rows, Eigen::Index columns, const char* name) {
  if (m.rows() != rows || m.cols() != columns) {
    throw argument_error("the size of " + std::string(name), size_text(m.rows(), m.cols()),
                         size_text(rows, columns));
  }
}

template <class Matrix>
void require_finite(const Matrix& m, const char* name) {
  for (Eigen::Index i = 0; i < m.rows(); ++i) {
    for (Eigen::Index j = 0; j < m.cols(); ++j) {
      if (!std::isfinite(m(i, j))) {
        throw argument_error(
            "entry (" + std::to_string(i + 1) + ", " + std::to_string(j + 1) + ") of " + name,
            number_text(m(i, j)), "finite");
      }
    }
  }
}

// The eigenvalues of a Gram matrix, in increasing order, and its eigenvectors.
// Rounding is counted beside what the matrix is a difference of, where it is one.
Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> checked_gram(const Eigen::MatrixXd& gram,
                                                            const char* name, double size = 0.0) {
  require_finite(gram, name);
  const double largest = std::max(size, gram.cwiseAbs().maxCoeff());
  for (Eigen::Index i = 0; i < gram.rows(); ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      if (!(std::abs(gram(i, j) - gram(j, i)) <= gram_rounding * largest)) {
        throw argument_error(
            "entry (" + std::to_string(i + 1) + ", " + std::to_string(j + 1) + ") of " + name,
            number_text(gram(i, j)), "that of its mirror image, " + number_text(gram(j, i)));
      }
    }
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(
      Eigen::MatrixXd(0.5 * (gram + gram.transpose())));
  const double least = solver.eigenvalues()[0];
  if (!(least >= -gram_rounding * std::max(size, solver.eigenvalues()[gram.rows() - 1]))) {
    throw argument_error("the smallest eigenvalue of " + std::string(name), number_text(least),
                         ">= 0");
  }
  return solver;
}

// |x|²|y|² - <x, y>² from the product and the square, or, where these have few digits in common
// with it, from |x|² times the square of what of y is beside x. Where all three are rounding, as
// those of a weight that went to nothing, <x, y> is brought back to what a Gram matrix has.
template <class Beside>
double gap_of(double xx, double yy, double& xy, const Beside& beside) {
  // Half the digits of 1e-2 are lost where both ways meet.
  constexpr double close = 1e-2;
  const double product = xx * yy;
  double gap = product - xy * xy;
  if (gap > close * product) {
    return gap;
  }
  gap = xx > 0.0 ? xx * std::max(beside(xy / xx), 0.0) : 0.0;
  // Of a Gram matrix both ways differ by rounding, 1e-15; what is none, as a trial step may be, is
  // taken as it is given.
  constexpr double slack = 1e-8;
  if (!(std::abs(product - xy * xy - gap) <= slack * product)) {
    const double bound = std::sqrt(product);
    xy = std::clamp(xy, -bound, bound);
    gap = std::max(product - xy * xy, 0.0);
  }
  return gap;
}

network_overlaps overlaps_with(const network_geometry& geometry, const Eigen::MatrixXd& targets,
                               const network_state& state) {
  const Eigen::MatrixXd along = geometry.pretrained + state.U * state.C;  // W E'
  network_overlaps o;
  o.weights = state.U * state.P * state.U.transpose();
  // A square, which rounding may make less than nothing.
  o.weights.diagonal() = o.weights.diagonal().cwiseMax(0.0).eval();
  o.weights += along * along.transpose();
  o.targets = along * targets.transpose();
  const Eigen::Index width = along.rows();
  const auto beside = [&](const auto& along_difference, const auto& U_difference) {
    return along_difference.squaredNorm() + U_difference.dot(U_difference * state.P);
  };
  o.weight_gaps = Eigen::MatrixXd::Zero(width, width);
  for (Eigen::Index j = 0; j < width; ++j) {
    for (Eigen::Index l = 0; l < j; ++l) {
      double both = o.weights(j, l);
      const double gap = gap_of(o.weights(j, j), o.weights(l, l), both, [&](double part) {
        return beside((along.row(l) - part * along.row(j)).eval(),
                      (state.U.row(l) - part * state.U.row(j)).eval());
      });
      o.weight_gaps(j, l) = o.weight_gaps(l, j) = gap;
      o.weights(j, l) = o.weights(l, j) = both;
    }
  }
  o.target_gaps.resize(width, targets.rows());
  for (Eigen::Index i = 0; i < targets.rows(); ++i) {
    const double power = targets.row(i).squaredNorm();
    for (Eigen::Index j = 0; j < width; ++j) {
      o.target_gaps(j, i) = gap_of(power, o.weights(j, j), o.targets(j, i), [&](double part) {
        return beside((along.row(j) - part * targets.row(i)).eval(), state.U.row(j).eval());
      });
    }
  }
  return o;
}

void require_count(std::ptrdiff_t value, std::ptrdiff_t least, const char* name) {
  if (value < least) {
    throw argument_error(name, std::to_string(value), "at least " + std::to_string(least));
  }
}

void require_aligned(std::ptrdiff_t width, double alignment, std::ptrdiff_t off_target) {
  if (off_target < 0 || off_target > width) {
    throw argument_error("off-target", std::to_string(off_target),
                         "between 0 and the width, " + std::to_string(width));
  }
  if (!std::isfinite(alignment)) {
    throw argument_error("mu (alignment)", number_text(alignment), "finite");
  }
}

}  // namespace

Eigen::VectorXd readouts(readout_rule rule, std::ptrdiff_t width) {
  require_count(width, 1, "the width of a layer");
  const auto n = static_cast<double>(width);
  switch (rule) {
    case readout_rule::sum:
      return Eigen::VectorXd::Ones(width);
    case readout_rule::mean:
      return Eigen::VectorXd::Constant(width, 1.0 / n);
    case readout_rule::sqrt:
      break;
  }
  return Eigen::VectorXd::Constant(width, 1.0 / std::sqrt(n));
}

void network_geometry::validate() const {
  require_count(width(), 1, "the width of the student");
  require_count(teacher.rows(), 1, "the width of the teacher");
  require_size(pretrained, width(), directions(), "the pre-trained weights");
  if (source.rows() > 0) {
    require_size(source, source.rows(), directions(), "the source's teacher");
  }
  require_size(readout, width(), 1, "the readouts");
  require_size(teacher_readout, teacher.rows(), 1, "the teacher's readouts");
  require_size(source_readout, source.rows(), 1, "the source's readouts");
  require_finite(teacher, "the teacher");
  require_finite(pretrained, "the pre-trained weights");
  require_finite(source, "the source's teacher");
  require_finite(readout, "the readouts");
  require_finite(teacher_readout, "the teacher's readouts");
  require_finite(source_readout, "the source's readouts");
}

network_geometry realigned(network_geometry g, double alignment, std::ptrdiff_t off_target) {
  require_aligned(g.width(), alignment, off_target);
  for (std::ptrdiff_t j = 0; j < off_target; ++j) {
    const Eigen::RowVectorXd target = g.teacher.row(j % g.teacher.rows());
    const double power = target.squaredNorm();
    if (!(power > 0.0)) {
      throw argument_error("the square of a target", number_text(power), "> 0 for an alignment");
    }
    Eigen::RowVectorXd beside = g.pretrained.row(j);
    beside -= beside.dot(target) / power * target;
    // A row along the target leaves rounding alone, which would make a direction of its own.
    constexpr double rounding = 1e-15;
    if (beside.norm() <= rounding * g.pretrained.row(j).norm()) {
      beside.setZero();
    }
    g.pretrained.row(j) = alignment * target + beside;
  }
  return g;
}

void network_parameters::validate() const {
  const auto require = [](double value, const char* name) {
    if (!(value >= 0.0) || !std::isfinite(value)) {
      throw argument_error(name, number_text(value), "finite and >= 0");
    }
  };
  require_count(rank, 1, "rank");
  require(noise_scale, "gamma (noise scale)");
  require(label_noise, "noise (label noise)");
  require(rate_ratio, "lr-ratio (rate ratio)");
  require(readout_ratio, "readout-rate");
  require(decay, "decay (weight decay)");
}

void network_state::validate(const network_geometry& geometry,
                             const network_parameters& parameters) const {
  const Eigen::Index r = parameters.rank;
  require_size(U, geometry.width(), r, "U");
  require_size(C, r, geometry.directions(), "C");
  require_size(P, r, r, "P");
  require_size(a, geometry.width(), 1, "the readouts");
  require_finite(U, "U");
  require_finite(C, "C");
  require_finite(a, "the readouts");
  checked_gram(P, "V V' - C C'", C.squaredNorm());
  if (parameters.adapter == adapter_constraint::sphere) {
    const Eigen::VectorXd squares = S().diagonal();
    for (Eigen::Index i = 0; i < r; ++i) {
      if (!(std::abs(squares[i] - 1.0) <= gram_rounding)) {
        throw argument_error("the square of row " + std::to_string(i + 1) + " of V",
                             number_text(squares[i]), "1 on a sphere");
      }
    }
  }
}

network_overlaps overlaps_of(const network_geometry& geometry, const network_state& state) {
  return overlaps_with(geometry, geometry.teacher, state);
}

network_overlaps source_overlaps_of(const network_geometry& geometry, const network_state& state) {
  return overlaps_with(geometry, geometry.source, state);
}

network_geometry geometry_of_gram(const Eigen::MatrixXd& gram, std::ptrdiff_t teacher_width,
                                  std::ptrdiff_t width) {
  require_count(teacher_width, 1, "the width of the teacher");
  require_count(width, 1, "the width of the student");
  if (gram.rows() != gram.cols() || gram.rows() < teacher_width + width) {
    const std::string least = std::to_string(teacher_width + width);
    throw argument_error("the size of the Gram matrix", size_text(gram.rows(), gram.cols()),
                         "square, with at least " + least + " rows");
  }
  const auto solver = checked_gram(gram, "the Gram matrix");
  const Eigen::VectorXd& values = solver.eigenvalues();
  const double largest = values[gram.rows() - 1];
  const Eigen::Index p = (values.array() > gram_rounding * largest).count();
  const Eigen::MatrixXd rows =
      solver.eigenvectors().rightCols(p) * values.tail(p).cwiseSqrt().asDiagonal();
  network_geometry g;
  g.teacher = rows.topRows(teacher_width);
  g.pretrained = rows.middleRows(teacher_width, width);
  g.source = rows.bottomRows(gram.rows() - teacher_width - width);
  g.readout = Eigen::VectorXd::Ones(width);
  g.teacher_readout = Eigen::VectorXd::Ones(teacher_width);
  g.source_readout = Eigen::VectorXd::Ones(g.source.rows());
  return g;
}

network_geometry aligned_geometry(std::ptrdiff_t width, std::ptrdiff_t teacher_width,
                                  double alignment, double misalignment, std::ptrdiff_t off_target,
                                  std::optional<double> source_overlap) {
  require_count(width, 1, "width");
  require_count(teacher_width, 1, "teacher-width");
  require_aligned(width, alignment, off_target);
  if (!(misalignment >= 0.0) || !std::isfinite(misalignment)) {
    throw argument_error("nu (misalignment)", number_text(misalignment), "finite and >= 0");
  }
  if (source_overlap && !(std::abs(*source_overlap) <= 1.0)) {
    throw argument_error("source-overlap", number_text(*source_overlap), "between -1 and 1");
  }
  const double beside = source_overlap
                            ? std::sqrt((1.0 - *source_overlap) * (1.0 + *source_overlap))
                            : 0.0;  // of the source
  // ξ_j of the neurons off their target and of the source, where anything is along it.
  const std::ptrdiff_t extra = std::max(misalignment > 0.0 ? off_target : std::ptrdiff_t{0},
                                        beside > 0.0 ? teacher_width : std::ptrdiff_t{0});
  const std::ptrdiff_t p = teacher_width + extra;
  network_geometry g;
  g.teacher = Eigen::MatrixXd::Identity(teacher_width, p);
  g.pretrained = Eigen::MatrixXd::Zero(width, p);
  for (std::ptrdiff_t j = 0; j < width; ++j) {
    const bool off = j < off_target;
    g.pretrained(j, j % teacher_width) = off ? alignment : 1.0;
    if (off && misalignment > 0.0) {
      g.pretrained(j, teacher_width + j) = misalignment;
    }
  }
  g.source = Eigen::MatrixXd::Zero(source_overlap ? teacher_width : 0, p);
  if (source_overlap) {
    for (std::ptrdiff_t i = 0; i < teacher_width; ++i) {
      g.source(i, i) = *source_overlap;
      if (beside > 0.0) {
        g.source(i, teacher_width + i) = beside;
      }
    }
  }
  g.readout = Eigen::VectorXd::Ones(width);
  g.teacher_readout = Eigen::VectorXd::Ones(teacher_width);
  g.source_readout = Eigen::VectorXd::Ones(g.source.rows());
  return g;
}

}  // namespace loradyn
