#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/kernel/noise_moment.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <loradyn/model/network_noise.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>
#include "gaussian/lattice.hpp"
#include "kernel/four_averages.hpp"
#include "model/conditional_averages.hpp"
#include "model/half_line_averages.hpp"

namespace loradyn {
namespace {

using boost::math::constants::pi;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr std::size_t block = user_function::largest_block;

bool only_erf(const activation_parts& p) {
  return !p.has_rest && p.relu_weight == 0.0 && p.polynomial_part.zero() && p.erf_weight != 0.0;
}

// a x + b relu(x)
struct kinked_line {
  double linear;
  double relu;
};

bool is_kinked_line(const activation_parts& p) {
  const std::span<const double> c = p.polynomial_part.monomial();
  return !p.has_rest && p.erf_weight == 0.0 && c.size() <= 2 && (c.empty() || c[0] == 0.0);
}

kinked_line kinked_line_of(const activation_parts& p) {
  const std::span<const double> c = p.polynomial_part.monomial();
  return {c.size() == 2 ? c[1] : 0.0, p.relu_weight};
}

// Of degrees up to these the moments are few.
constexpr std::size_t most_half_line_coefficients = 5;

std::optional<half_line_function> half_line_function_of(const activation& f) {
  half_line_function of;
  if (const half_line_polynomials* pieces = f.on_half_lines()) {
    of = {pieces->negative, pieces->positive};
  } else if (const polynomial* p = f.as_polynomial()) {
    const std::span<const double> c = p->monomial();
    of = {{c.begin(), c.end()}, {c.begin(), c.end()}};
  } else {
    return std::nullopt;
  }
  if (std::max(of.negative.size(), of.positive.size()) > most_half_line_coefficients) {
    return std::nullopt;
  }
  return of;
}

half_line_function slope_of(const half_line_function& f) {
  const auto derivative = [](const std::vector<double>& c) {
    std::vector<double> slope;
    for (std::size_t n = 1; n < c.size(); ++n) {
      slope.push_back(static_cast<double>(n) * c[n]);
    }
    return slope;
  };
  return {derivative(f.negative), derivative(f.positive)};
}

// Student and teacher fields together: the covariance of [λ; λ*], the weights of their functions
// in δ, and the gaps as far as they are known apart.
struct joint_fields {
  joint_fields(const network_overlaps& o, const MatrixXd& gram, const VectorXd& a,
               const VectorXd& b)
      : width(a.size()),
        covariance(a.size() + b.size(), a.size() + b.size()),
        weights(a.size() + b.size()) {
    covariance << o.weights, o.targets, o.targets.transpose(), gram;
    weights << a, -b;
  }
  Index width;
  MatrixXd covariance;
  VectorXd weights;
};

// A factor X of the covariance, X X' = it, one column for each direction that the rows before did
// not span.
MatrixXd factor_of(const MatrixXd& covariance) {
  // A direction of which a row has less than 1e-6 of its length moves Σ by as much of its
  // derivative times the square: 1e-12.
  constexpr double least = 1e-12;
  const Index n = covariance.rows();
  MatrixXd x = MatrixXd::Zero(n, n);
  Index rank = 0;
  for (Index i = 0; i < n; ++i) {
    const double left = covariance(i, i) - x.row(i).head(rank).squaredNorm();
    if (!(left > least * covariance(i, i))) {
      continue;
    }
    const double root = std::sqrt(left);
    x(i, rank) = root;
    for (Index j = i + 1; j < n; ++j) {
      x(j, rank) = (covariance(j, i) - x.row(j).head(rank).dot(x.row(i).head(rank))) / root;
    }
    ++rank;
  }
  return x.leftCols(rank);
}

// Sums of weight · δ² h h' over points, by blocks.
class point_sum {
 public:
  point_sum(const activation& student, const activation& teacher, const MatrixXd& factor,
            const joint_fields& fields, double label_noise)
      : student_(student),
        teacher_(teacher),
        factor_(factor),
        fields_(fields),
        noise_(label_noise),
        slopes_(static_cast<Index>(block), fields.width),
        sum_(MatrixXd::Zero(fields.width, fields.width)) {}

  // z: points x dimensions, at most a block of them.
  void add(const MatrixXd& z, const VectorXd& weights) {
    const Index count = z.rows();
    lambda_.noalias() = z * factor_.transpose();
    values_.resize(count);
    delta_.setZero(count);
    const auto n = static_cast<std::size_t>(count);
    for (Index m = 0; m < lambda_.cols(); ++m) {
      const std::span<const double> x(lambda_.col(m).data(), n);
      const std::span<double> value(values_.data(), n);
      if (m < fields_.width) {
        student_.tabulate(x, value, {slopes_.col(m).data(), n}, {});
      } else {
        teacher_.tabulate(x, value, {}, {});
      }
      delta_ += fields_.weights[m] * values_;
    }
    scale_ = (delta_.array().square() + noise_) * weights.array();
    for (Index j = 0; j < fields_.width; ++j) {
      for (Index l = 0; l <= j; ++l) {
        sum_(j, l) +=
            (slopes_.col(j).head(count).array() * slopes_.col(l).head(count).array() * scale_)
                .sum();
      }
    }
  }

  // The sum so far, which begins anew.
  MatrixXd take() {
    MatrixXd result = sum_.selfadjointView<Eigen::Lower>();
    const VectorXd a = fields_.weights.head(fields_.width);
    sum_.setZero();
    return a.asDiagonal() * result * a.asDiagonal();
  }

 private:
  const activation& student_;
  const activation& teacher_;
  const MatrixXd& factor_;
  const joint_fields& fields_;
  double noise_;
  MatrixXd slopes_;
  MatrixXd sum_;
  MatrixXd lambda_;
  VectorXd values_;
  VectorXd delta_;
  Eigen::ArrayXd scale_;
};

// All points of a product of rules of n nodes.
MatrixXd tensor_sum(point_sum& sum, const gauss_hermite_rule& rule, Index dimensions) {
  const std::size_t n = rule.nodes.size();
  std::vector<std::size_t> at(static_cast<std::size_t>(dimensions), 0);
  MatrixXd z(static_cast<Index>(block), dimensions);
  VectorXd weights(static_cast<Index>(block));
  Index filled = 0;
  for (;;) {
    double weight = 1.0;
    for (Index d = 0; d < dimensions; ++d) {
      z(filled, d) = rule.nodes[at[static_cast<std::size_t>(d)]];
      weight *= rule.weights[at[static_cast<std::size_t>(d)]];
    }
    weights[filled++] = weight;
    std::size_t d = 0;
    while (d < at.size() && ++at[d] == n) {
      at[d++] = 0;
    }
    const bool last = d == at.size();
    if (filled == static_cast<Index>(block) || last) {
      sum.add(z.topRows(filled), weights.head(filled));
      filled = 0;
    }
    if (last) {
      return sum.take();
    }
  }
}

// A body-centred lattice, Z^n and Z^n + ½ scaled by a length in each direction and shifted, in a
// ball: a trapezoidal rule, whose error for smooth functions falls like e^{-c/h}.
class centred_lattice {
 public:
  // The lengths stand to each other as the scales on which the fields vary, and below what a
  // Gaussian alone needs.
  explicit centred_lattice(const MatrixXd& factor) : n_(factor.cols()), lengths_(n_), shift_(n_) {
    double product = 1.0;
    for (Index d = 0; d < n_; ++d) {
      // "The stated error of points covers what they miss" tells what these numbers reach.
      constexpr double own = 0.25;
      constexpr double finest = 0.5;
      lengths_[d] = finest / std::sqrt(own + factor.col(d).cwiseAbs2().maxCoeff());
      product *= lengths_[d];
      // Fractions that no short vector of the dual lattice makes whole.
      const double root = std::sqrt(static_cast<double>(d) + 2.0);
      shift_[d] = 0.5 * (root - std::floor(root)) + 0.1;
    }
    // Beyond the ball lies 1e-8 of a Gaussian's weight, 1e-5 in five dimensions.
    const auto n = static_cast<double>(n_);
    square_ = n_ <= 4 ? 42.0 + 2.0 * n : 24.0 + 2.0 * n;
    const double ball = std::pow(pi<double>() * square_, 0.5 * n) / std::tgamma(0.5 * n + 1.0);
    constexpr double most_points = 65536.0;  // a bound on the cost; the stated error tells the rest
    const double points = 2.0 * ball / product;
    if (points > most_points) {
      lengths_ *= std::pow(points / most_points, 1.0 / n);
      product *= points / most_points;
    }
    weight_ = 0.5 * product * std::pow(2.0 * pi<double>(), -0.5 * n);
  }

  struct shell {
    double inner;  // the squares of its radii, as parts of the ball's
    double outer;
  };

  // The rule over a shell, of the lattice as it is or shifted.
  MatrixXd sum(point_sum& points, const shell& where, bool shifted) const {
    MatrixXd z(static_cast<Index>(block), n_);
    VectorXd weights(static_cast<Index>(block));
    VectorXd at(n_);
    Index filled = 0;
    const double largest = square_ * where.outer;
    const double least = square_ * where.inner;
    double corner = 0.0;
    const auto visit = [&](const auto& self, Index d, double square) -> void {
      if (d == n_) {
        if (square < least) {
          return;
        }
        z.row(filled) = at.transpose();
        weights[filled] = weight_ * std::exp(-0.5 * square);
        if (++filled == static_cast<Index>(block)) {
          points.add(z, weights);
          filled = 0;
        }
        return;
      }
      const double h = lengths_[d];
      const double shift = corner + (shifted ? shift_[d] : 0.0);
      const auto reach = static_cast<long>(std::sqrt(largest - square) / h + 2.0);
      for (long i = -reach; i <= reach; ++i) {
        at[d] = h * (static_cast<double>(i) + shift);
        const double so_far = square + at[d] * at[d];
        if (so_far < largest) {
          self(self, d + 1, so_far);
        }
      }
    };
    for (const double c : {0.0, 0.5}) {
      corner = c;
      visit(visit, 0, 0.0);
    }
    points.add(z.topRows(filled), weights.head(filled));
    return points.take();
  }

 private:
  Index n_;
  VectorXd lengths_;
  VectorXd shift_;
  double square_ = 0.0;  // of the ball's radius
  double weight_ = 0.0;
};

// Beyond, the shifted lattice rules are nearer.
constexpr Index most_centred = 5;

// Exact rules are used for polynomials up to so many points.
constexpr double max_exact_points = 3000.0;

// E[(Σ_m w_m f_m)²] under a covariance, of functions of erf alone: (3.2).
double erf_square(const MatrixXd& q, const VectorXd& weights) {
  double sum = 0.0;
  for (Index m = 0; m < q.rows(); ++m) {
    const double m_scale = 1.0 + 2.0 * std::max(q(m, m), 0.0);
    for (Index i = 0; i <= m; ++i) {
      const double i_scale = 1.0 + 2.0 * std::max(q(i, i), 0.0);
      const double sine = std::clamp(2.0 * q(m, i) / std::sqrt(m_scale * i_scale), -1.0, 1.0);
      sum += (i == m ? 1.0 : 2.0) * weights[m] * weights[i] * std::asin(sine);
    }
  }
  return 2.0 / pi<double>() * sum;
}

}  // namespace

struct network_noise::body {
  body(const activation& s, const activation& t)
      : student(s),
        teacher(t),
        self(s, s),
        cross(s, t),
        targets(t, t),
        pair(s, t),
        line(polynomial::from_monomials({0.0, 1.0})),
        smooth(s.kinks().empty() && t.kinks().empty()),
        student_pieces(half_line_function_of(s)),
        teacher_pieces(half_line_function_of(t)) {}

  activation student;
  activation teacher;
  pair_kernel self;
  pair_kernel cross;
  pair_kernel targets;
  noise_moment pair;
  activation line;  // x, the function of the label's noise
  bool smooth;
  std::optional<half_line_function> student_pieces;
  std::optional<half_line_function> teacher_pieces;
  normal_lattice lattice;

  [[nodiscard]] network_noise_value quadrature(const joint_fields& fields,
                                               double label_noise) const;
  [[nodiscard]] MatrixXd erf_student(const joint_fields& fields, double label_noise) const;
  [[nodiscard]] double kernel_square(const MatrixXd& q, const joint_fields& fields) const;
  [[nodiscard]] MatrixXd polynomials(const joint_fields& fields, double label_noise) const;
  [[nodiscard]] MatrixXd kinked(const joint_fields& fields, double label_noise) const;
  [[nodiscard]] MatrixXd half_lines(const joint_fields& fields, double label_noise) const;
  [[nodiscard]] network_noise_value conditional(const joint_fields& fields,
                                                double label_noise) const;
};

network_noise_value network_noise::body::quadrature(const joint_fields& fields,
                                                    double label_noise) const {
  const MatrixXd factor = factor_of(fields.covariance);
  const Index dimensions = factor.cols();
  if (dimensions > static_cast<Index>(normal_lattice::max_dimension)) {
    throw argument_error("the number of dimensions that the fields span",
                         std::to_string(dimensions),
                         "at most " + std::to_string(normal_lattice::max_dimension) +
                             " with noise of these activations");
  }
  point_sum sum(student, teacher, factor, fields, label_noise);
  const auto n = static_cast<std::size_t>(dimensions);
  if (smooth && dimensions <= most_centred) {
    const centred_lattice points(factor);
    constexpr centred_lattice::shell inside{0.0, 0.9};
    constexpr centred_lattice::shell rim{0.9, 1.0};
    const MatrixXd plain = points.sum(sum, inside, false);
    const MatrixXd outer = points.sum(sum, rim, false);
    const MatrixXd shifted = points.sum(sum, inside, true) + points.sum(sum, rim, true);
    MatrixXd mean = 0.5 * (plain + outer + shifted);
    // The shift turns what the lattice misses; beyond the rim there is less than on it.
    const double error = std::abs((plain + outer - shifted).trace()) + std::abs(outer.trace());
    return {std::move(mean), error, noise_method_kind::centred};
  }
  const VectorXd weights = VectorXd::Constant(static_cast<Index>(block),
                                              1.0 / static_cast<double>(normal_lattice::points));
  std::vector<const double*> columns;
  for (std::size_t d = 0; d < n; ++d) {
    columns.push_back(lattice.coordinate(d).data());
  }
  MatrixXd z(static_cast<Index>(block), dimensions);
  MatrixXd mean = MatrixXd::Zero(fields.width, fields.width);
  std::array<double, normal_lattice::shifts> traces{};
  static_assert(normal_lattice::points % block == 0);
  for (std::size_t s = 0; s < normal_lattice::shifts; ++s) {
    check_stop();
    for (std::size_t i = 0; i < normal_lattice::points; i += block) {
      for (std::size_t d = 0; d < n; ++d) {
        std::copy_n(columns[d] + s * normal_lattice::points + i, block,
                    z.col(static_cast<Index>(d)).data());
      }
      sum.add(z, weights);
    }
    const MatrixXd copy = sum.take();
    traces[s] = copy.trace();
    mean += copy / static_cast<double>(normal_lattice::shifts);
  }
  double square = 0.0;
  for (const double t : traces) {
    square += (t - mean.trace()) * (t - mean.trace());
  }
  constexpr auto copies = static_cast<double>(normal_lattice::shifts);
  return {std::move(mean), std::sqrt(square / (copies * (copies - 1.0))),
          noise_method_kind::lattice};
}

// E[(Σ_m w_m f_m)²] under a covariance, by the kernels of the functions.
double network_noise::body::kernel_square(const MatrixXd& q, const joint_fields& fields) const {
  double square = 0.0;
  for (Index m = 0; m < q.rows(); ++m) {
    const double variance = std::max(q(m, m), 0.0);
    const bool m_learns = m < fields.width;
    for (Index i = 0; i < m; ++i) {
      const double other = std::max(q(i, i), 0.0);
      const double bound = std::sqrt(variance * other);
      const double both = std::clamp(q(m, i), -bound, bound);
      // i < m: a target comes after every neuron.
      const pair_kernel& kernel = m_learns ? self : i < fields.width ? cross : targets;
      square += 2.0 * fields.weights[m] * fields.weights[i] *
                kernel.value(pair_covariance{other, variance, both,
                                             std::max(variance * other - both * both, 0.0)});
    }
    square += fields.weights[m] * fields.weights[m] *
              (m_learns ? self : targets).value(pair_covariance::diagonal(variance));
  }
  return square;
}

// (14.4): σ'(λ_j) σ'(λ_l) = (4w²/π) e^{-λ_j² - λ_l²} is a Gaussian weight, under which all fields
// are Gaussian again, with the precision of these two raised by 2 each (by 4 where they are one).
MatrixXd network_noise::body::erf_student(const joint_fields& fields, double label_noise) const {
  const MatrixXd& c = fields.covariance;
  const Index n = c.rows();
  const Index width = fields.width;
  const double weight = student.parts().erf_weight;
  const bool plain = only_erf(teacher.parts());
  VectorXd strengths = fields.weights;
  strengths.head(width) *= weight;
  strengths.tail(n - width) *= plain ? teacher.parts().erf_weight : 0.0;
  MatrixXd result(width, width);
  MatrixXd q(n, n);
  for (Index j = 0; j < width; ++j) {
    for (Index l = 0; l <= j; ++l) {
      // C - C_{·,jl} (½ + C_jl)⁻¹ C_{jl,·}, and det(1 + 2 C_jl).
      double det = 0.0;
      if (j == l) {
        det = 1.0 + 4.0 * c(j, j);
        q.noalias() = c - (4.0 / det) * c.col(j) * c.row(j);
      } else {
        const double jj = 0.5 + c(j, j);
        const double ll = 0.5 + c(l, l);
        const double jl = c(j, l);
        const double minor = jj * ll - jl * jl;
        det = 4.0 * minor;
        q.noalias() = c - (ll / minor) * c.col(j) * c.row(j) - (jj / minor) * c.col(l) * c.row(l) +
                      (jl / minor) * (c.col(j) * c.row(l) + c.col(l) * c.row(j));
      }
      const double square =
          label_noise + (plain ? erf_square(q, strengths) : kernel_square(q, fields));
      result(j, l) = result(l, j) = 4.0 * weight * weight / (pi<double>() * std::sqrt(det)) *
                                    fields.weights[j] * fields.weights[l] * square;
    }
  }
  return result;
}

// (14.5)
MatrixXd network_noise::body::polynomials(const joint_fields& fields, double label_noise) const {
  const polynomial& f = *student.as_polynomial();
  const polynomial& g = *teacher.as_polynomial();
  const MatrixXd factor = factor_of(fields.covariance);
  const std::size_t slope_degree = f.degree() == 0 ? 0 : f.degree() - 1;
  const std::size_t nodes = slope_degree + std::max(f.degree(), g.degree()) + 1;
  if (std::pow(static_cast<double>(nodes), static_cast<double>(factor.cols())) <=
      max_exact_points) {
    // Squares are summed, of which none cancels.
    point_sum sum(student, teacher, factor, fields, label_noise);
    return tensor_sum(sum, gauss_hermite_rule(nodes), factor.cols());
  }
  const MatrixXd& c = fields.covariance;
  const Index n = c.rows();
  const Index width = fields.width;
  std::vector<std::vector<double>> values(static_cast<std::size_t>(n));
  std::vector<std::vector<double>> slopes(static_cast<std::size_t>(width));
  const std::array<double, 1> one{1.0};
  for (Index m = 0; m < n; ++m) {
    auto& value = values[static_cast<std::size_t>(m)];
    const polynomial& p = m < width ? f : g;
    value.resize(p.degree() + 1);
    p.gaussian_derivatives(c(m, m), value);
    if (m < width) {
      // Those of σ' are those of σ one order higher.
      slopes[static_cast<std::size_t>(m)].assign(value.begin() + 1, value.end());
    }
  }
  MatrixXd result(width, width);
  Eigen::Matrix4d four = Eigen::Matrix4d::Zero();
  for (Index j = 0; j < width; ++j) {
    for (Index l = 0; l <= j; ++l) {
      check_stop();
      const auto& sj = slopes[static_cast<std::size_t>(j)];
      const auto& sl = slopes[static_cast<std::size_t>(l)];
      four(0, 1) = c(j, l);
      double square =
          label_noise == 0.0 ? 0.0 : label_noise * polynomial_average({sj, sl, one, one}, four);
      for (Index m = 0; m < n; ++m) {
        for (Index i = 0; i <= m; ++i) {
          four(0, 2) = c(j, m);
          four(0, 3) = c(j, i);
          four(1, 2) = c(l, m);
          four(1, 3) = c(l, i);
          four(2, 3) = c(m, i);
          square += (i == m ? 1.0 : 2.0) * fields.weights[m] * fields.weights[i] *
                    polynomial_average({sj, sl, values[static_cast<std::size_t>(m)],
                                        values[static_cast<std::size_t>(i)]},
                                       four);
        }
      }
      four.setZero();
      result(j, l) = result(l, j) = fields.weights[j] * fields.weights[l] * square;
    }
  }
  return result;
}

// (14.6): σ' = a + b 1(λ > 0) and σ = a λ + b λ 1(λ > 0), multiplied out.
MatrixXd network_noise::body::kinked(const joint_fields& fields, double label_noise) const {
  const kinked_line s = kinked_line_of(student.parts());
  const kinked_line t = kinked_line_of(teacher.parts());
  const Index n = fields.covariance.rows();
  const Index width = fields.width;
  sign_averages averages(fields.covariance);
  // The average over every subset of the indices, with its coefficients.
  const auto expanded = [&](std::span<const Index> indices, std::span<const kinked_line> lines,
                            const auto& average) {
    double sum = 0.0;
    for (unsigned subset = 0; subset < (1u << indices.size()); ++subset) {
      double weight = 1.0;
      std::array<Index, 4> set{};
      std::size_t count = 0;
      for (std::size_t i = 0; i < indices.size(); ++i) {
        const bool in = ((subset >> i) & 1u) != 0;
        weight *= in ? lines[i].relu : lines[i].linear;
        if (in && std::find(set.begin(), set.begin() + count, indices[i]) == set.begin() + count) {
          set[count++] = indices[i];
        }
      }
      if (weight != 0.0) {
        sum += weight * average(std::span<const Index>(set.data(), count));
      }
    }
    return sum;
  };
  MatrixXd result(width, width);
  for (Index j = 0; j < width; ++j) {
    for (Index l = 0; l <= j; ++l) {
      check_stop();
      double square = label_noise == 0.0
                          ? 0.0
                          : label_noise * expanded(std::array{j, l}, std::array{s, s},
                                                   [&](std::span<const Index> set) {
                                                     return averages.probability(set);
                                                   });
      for (Index m = 0; m < n; ++m) {
        for (Index i = 0; i <= m; ++i) {
          const kinked_line& of_m = m < width ? s : t;
          const kinked_line& of_i = i < width ? s : t;
          square +=
              (i == m ? 1.0 : 2.0) * fields.weights[m] * fields.weights[i] *
              expanded(std::array{j, l, m, i}, std::array{s, s, of_m, of_i},
                       [&](std::span<const Index> set) { return averages.product(m, i, set); });
        }
      }
      result(j, l) = result(l, j) = fields.weights[j] * fields.weights[l] * square;
    }
  }
  return result;
}

// (14.17): polynomials on either side of 0, multiplied out likewise.
MatrixXd network_noise::body::half_lines(const joint_fields& fields, double label_noise) const {
  const Index n = fields.covariance.rows();
  const Index width = fields.width;
  const half_line_function slope = slope_of(*student_pieces);
  const half_line_function one{{1.0}, {1.0}};
  half_line_averages averages(fields.covariance);
  MatrixXd result(width, width);
  for (Index j = 0; j < width; ++j) {
    for (Index l = 0; l <= j; ++l) {
      check_stop();
      double square =
          label_noise == 0.0
              ? 0.0
              : label_noise * averages.value({j, l, j, l}, {&slope, &slope, &one, &one});
      for (Index m = 0; m < n; ++m) {
        for (Index i = 0; i <= m; ++i) {
          const half_line_function& of_m = m < width ? *student_pieces : *teacher_pieces;
          const half_line_function& of_i = i < width ? *student_pieces : *teacher_pieces;
          square += (i == m ? 1.0 : 2.0) * fields.weights[m] * fields.weights[i] *
                    averages.value({j, l, m, i}, {&slope, &slope, &of_m, &of_i});
        }
      }
      result(j, l) = result(l, j) = fields.weights[j] * fields.weights[l] * square;
    }
  }
  return result;
}

// (14.18), of a smooth student. A pair of slopes is given two fields, with δ² inside; what is of a
// teacher with kinks is given that and another field, with the slopes inside.
network_noise_value network_noise::body::conditional(const joint_fields& fields,
                                                     double label_noise) const {
  const Index width = fields.width;
  const Index n = fields.covariance.rows();
  // The label's noise is a field of its own.
  MatrixXd c = MatrixXd::Zero(n + 1, n + 1);
  c.topLeftCorner(n, n) = fields.covariance;
  c(n, n) = 1.0;
  std::vector<field_function> inside;
  VectorXd w(n + 1);
  const auto add = [&](Index field, const activation& of, double weight) {
    w[static_cast<Index>(inside.size())] = weight;
    inside.push_back({field, &of, false});
  };
  for (Index m = 0; m < (smooth ? n : width); ++m) {
    add(m, m < width ? student : teacher, fields.weights[m]);
  }
  if (label_noise > 0.0) {
    add(n, line, std::sqrt(label_noise));
  }
  const auto used = static_cast<Index>(inside.size());
  MatrixXd square = 2.0 * w.head(used) * w.head(used).transpose();
  square.diagonal() *= 0.5;
  const conditional_averages averages(c);
  const auto slope_of_field = [&](Index j) { return field_function{j, &student, true}; };
  MatrixXd result = MatrixXd::Zero(width, width);
  double error = 0.0;
  double scale = 0.0;  // of the trace
  // Of the trace. Errors of products with a teacher that has kinks add up.
  const double part = smooth ? 3e-7 : 1.5e-7;
  // The diagonal, of one field given, costs little and tells the trace.
  for (Index j = 0; j < width; ++j) {
    const double a = fields.weights[j];
    const conditional_value v =
        averages.value(slope_of_field(j), slope_of_field(j), inside, a * a * square, {0.0, part});
    result(j, j) =
        a * a *
        v.averages.cwiseProduct(square).triangularView<Eigen::Lower>().toDenseMatrix().sum();
    scale += result(j, j);
    error += v.error;
  }
  double beside = 0.0;  // the largest error off the diagonal
  for (Index j = 0; j < width; ++j) {
    for (Index l = 0; l < j; ++l) {
      const double a = fields.weights[j] * fields.weights[l];
      const conditional_value v = averages.value(slope_of_field(j), slope_of_field(l), inside,
                                                 a * square, {part * scale, 0.0});
      result(j, l) =
          a * v.averages.cwiseProduct(square).triangularView<Eigen::Lower>().toDenseMatrix().sum();
      beside = std::max(beside, v.error);
    }
  }
  if (!smooth) {
    std::vector<field_function> slopes;
    for (Index j = 0; j < width; ++j) {
      slopes.push_back(slope_of_field(j));
    }
    const VectorXd a = fields.weights.head(width);
    const MatrixXd readouts = a * a.transpose();
    const MatrixXd of_trace = a.cwiseAbs2().asDiagonal();
    const auto add_product = [&](Index m, Index i) {
      const double weight = (i == m ? 1.0 : 2.0) * fields.weights[m] * fields.weights[i];
      const conditional_value v =
          averages.value({m, &teacher, false}, {i, i < width ? &student : &teacher, false}, slopes,
                         weight * of_trace, {part * scale, 0.0});
      const MatrixXd product = weight * v.averages.cwiseProduct(readouts);
      result += product;
      error += v.error;
      return product.trace();
    };
    for (Index m = width; m < n; ++m) {
      scale += add_product(m, m);
    }
    for (Index m = width; m < n; ++m) {
      for (Index i = 0; i < m; ++i) {
        add_product(m, i);
      }
    }
  }
  MatrixXd whole = result.selfadjointView<Eigen::Lower>();
  return {std::move(whole), std::max(error, beside), noise_method_kind::conditional};
}

network_noise::network_noise(const activation& student, const activation& teacher)
    : body_(std::make_shared<const body>(student, teacher)) {}

network_noise_value network_noise::by_quadrature(const network_overlaps& overlaps,
                                                 const MatrixXd& teacher_gram,
                                                 const VectorXd& readout,
                                                 const VectorXd& teacher_readout,
                                                 double label_noise) const {
  return body_->quadrature(joint_fields(overlaps, teacher_gram, readout, teacher_readout),
                           label_noise);
}

// (14.3)
network_noise_value network_noise::value(const network_overlaps& o, const MatrixXd& gram,
                                         const VectorXd& a, const VectorXd& b,
                                         double label_noise) const {
  if (a.size() == 1 && b.size() == 1 && gram(0, 0) == 1.0 && a[0] == b[0] && a[0] != 0.0) {
    const double square = a[0] * a[0];
    const double V = body_->pair.prepared_value(o.targets(0, 0), o.weights(0, 0),
                                                o.target_gaps(0, 0), label_noise / square);
    return {MatrixXd::Constant(1, 1, square * square * V), 0.0, noise_method_kind::pair};
  }
  const joint_fields fields(o, gram, a, b);
  const activation_parts& s = body_->student.parts();
  const activation_parts& t = body_->teacher.parts();
  if (only_erf(s) && !t.has_rest) {
    return {body_->erf_student(fields, label_noise), 0.0, noise_method_kind::erf};
  }
  if (body_->student.as_polynomial() != nullptr && body_->teacher.as_polynomial() != nullptr) {
    return {body_->polynomials(fields, label_noise), 0.0, noise_method_kind::polynomial};
  }
  if (is_kinked_line(s) && is_kinked_line(t)) {
    MatrixXd covariance = body_->kinked(fields, label_noise);
    const double error = 1e-9 * covariance.trace();
    return {std::move(covariance), error, noise_method_kind::kinked};
  }
  if (body_->student_pieces && body_->teacher_pieces) {
    MatrixXd covariance = body_->half_lines(fields, label_noise);
    const double error = 1e-9 * covariance.trace();
    return {std::move(covariance), error, noise_method_kind::kinked};
  }
  // Beyond, a value takes seconds: its cost grows like the cube of the widths.
  constexpr Index most_fields = 16;
  if (!body_->student.kinks().empty() || a.size() + b.size() > most_fields) {
    return body_->quadrature(fields, label_noise);
  }
  network_noise_value found = body_->conditional(fields, label_noise);
  // So steep a function is no series of few Hermite polynomials: points may be nearer.
  constexpr double poor = 1e-3;
  if (found.error > poor * found.covariance.trace()) {
    network_noise_value points = body_->quadrature(fields, label_noise);
    if (points.error < found.error) {
      return points;
    }
  }
  return found;
}

}  // namespace loradyn
