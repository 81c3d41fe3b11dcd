#pragma once

/// \file
/// Steps for stiff systems: the linearly implicit Euler method, extrapolated (Deuflhard; Hairer and
/// Wanner's SEULEX). Internal to the dynamics room.

#include <Eigen/Core>
#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <loradyn/dynamics/integrate.hpp>
#include <optional>
#include <type_traits>

namespace loradyn {

/// A factor of a step's length, in 256ths: the same on every platform, whose pow rounds in its own
/// way.
inline double of_few_digits(double factor) { return std::ceil(256.0 * factor) / 256.0; }

/// One attempted step of an autonomous system x' = f(x), J its Jacobian: j small steps of
///
///     (1 - h/j J) (x_{i+1} - x_i) = h/j f(x_i)
///
/// for j = 1, 2, …, extrapolated to steps of no length, until two columns of that agree. Column k
/// has order k; which one a step aims at is what costs least (docs/theory.md, section 7).
template <std::size_t N>
class extrapolated_euler {
 public:
  explicit extrapolated_euler(const ode_system<N>& system, const ode_state<N>& shape)
      : x1(shape),
        velocity1(shape),
        system_(system),
        state_(shape),
        size_(static_cast<Eigen::Index>(shape.size())) {
    for (vector& column : table_) {
      column = vector::Zero(size_);
    }
    rounding_ = vector::Zero(size_);
  }

  /// A step over h. `ratio_of(error, x1)` is the largest error over what is allowed.
  /// Afterwards: x1, and velocity1 there where the step is good; the return is the ratio.
  template <class Ratio>
  double attempt(const ode_state<N>& x0, const ode_state<N>& velocity0, double h,
                 const Ratio& ratio_of) {
    ++work.stiff_steps;
    const bool shorter = failed_ && linearised_at_ == x0 && h < failed_->length;
    linearise(x0);
    const std::size_t aim = aim_;
    std::array<double, columns + 1> ratio{};
    best least;
    std::size_t k = 1;
    bool good = false;
    for (; k <= std::min(aim + 1, columns) && !good; ++k) {
      if (!add_row(x0, velocity0, h, k)) {
        break;
      }
      if (k >= 2) {
        ratio[k] = margin * ratio_of(unpacked(difference_), x1);
        good = k + 1 >= aim && (ratio[k] <= 1.0 || margin * ratio_of(beyond_rounding(), x1) <= 1.0);
        if (ratio[k] < least.ratio) {
          least = {ratio[k], k, x1, difference_};
        }
        // Each further column divides the error by k or so: no hope.
        if (k + 1 == aim && ratio[k] > hopeless) {
          ++k;
          break;
        }
      }
    }
    const std::size_t last = k - 1;  // the columns there are
    if (last < 2 || !std::isfinite(ratio[last])) {
      aim_ = std::max(fewest, aim - 1);
      return std::numeric_limits<double>::infinity();
    }
    if (good) {
      rounding_ *= forgets;
      plan(ratio, last, h, true);
    } else if (shorter && least.ratio > gains * failed_->ratio && least.ratio <= most_rounding) {
      rounding_ = 2.0 * least.difference.cwiseAbs();
      x1 = least.x;
      used_ = least.columns;
      aim_ = std::max(fewest, used_);
      next_ = h;
      good = true;
    } else {
      failed_ = failure{h, least.ratio};
      plan(ratio, last, h, false);
      return ratio[last];
    }
    failed_.reset();
    ++work.velocities;
    velocity1 = system_.velocity(x1);
    return std::min(ratio[last], 1.0);
  }

  /// What the next step should be after the last attempt, good or not, of a finite ratio.
  [[nodiscard]] double next() const noexcept { return next_; }

  /// Ends the last attempt at a time t in (0, h]: by a step of that length with as many columns.
  void finish(const ode_state<N>& x0, const ode_state<N>& velocity0, double t) {
    x1 = at(x0, velocity0, t);
    ++work.velocities;
    velocity1 = system_.velocity(x1);
  }

  /// The state at that time alone.
  ode_state<N> at(const ode_state<N>& x0, const ode_state<N>& velocity0, double t) {
    const ode_state<N> end = x1;
    linearise(x0);
    const std::size_t rows = used_;
    for (std::size_t k = 1; k <= rows; ++k) {
      add_row(x0, velocity0, t, k);
    }
    ode_state<N> x = x1;
    x1 = end;
    return x;
  }

  ode_state<N> x1;
  ode_state<N> velocity1;
  integration_work work;

 private:
  static constexpr int dimension = N == any_dimension ? Eigen::Dynamic : static_cast<int>(N);
  using vector = Eigen::Matrix<double, dimension, 1>;
  using matrix = Eigen::Matrix<double, dimension, dimension>;

  // More columns than 8 gain nothing at 1e-9, and amplify rounding like e^k; with fewer than 4 the
  // order is no better than that of one-step methods. They and the factors decide the cost alone:
  // "both steppers agree".
  static constexpr std::size_t columns = 8;
  static constexpr std::size_t fewest = 4;
  static constexpr double hopeless = 1e4;
  static constexpr double least_factor = 0.1;
  static constexpr double largest_factor = 10.0;
  // Explicit steps that stability limits are better than their tolerance; these are as good as
  // theirs, and a third of it gives times as exact as explicit ones have them (docs/theory.md,
  // section 7).
  static constexpr double margin = 3.0;
  // What a shorter step does not halve is no error of the method, whose order is two at least, but
  // the velocity's rounding. It is no worse in the next steps, and below a thousand times the
  // tolerance: "a search of 4e13 is none of rounding".
  static constexpr double gains = 0.5;
  static constexpr double most_rounding = 1e3;
  static constexpr double forgets = 0.9;

  struct best {
    double ratio = std::numeric_limits<double>::infinity();
    std::size_t columns = 0;
    ode_state<N> x{};
    vector difference{};
  };
  struct failure {
    double length;
    double ratio;  // the best of its columns
  };

  // Right-hand sides of k columns, the Jacobian counted as two.
  static constexpr double cost(std::size_t k) {
    return 3.0 + 0.5 * static_cast<double>(k * (k - 1));
  }

  void linearise(const ode_state<N>& x0) {
    if (!jacobian_ || linearised_at_ != x0) {
      ++work.jacobians;
      jacobian_ = system_.jacobian(x0);
      linearised_at_ = x0;
    }
  }

  // The k-th row of the table: x1 by k columns, and its difference from k - 1.
  bool add_row(const ode_state<N>& x0, const ode_state<N>& velocity0, double h, std::size_t k) {
    const double small = h / static_cast<double>(k);
    matrix m = -small * *jacobian_;
    m.diagonal().array() += 1.0;
    // The inverse of a small matrix costs less than the solves, and its error is that of another J.
    if constexpr (N == any_dimension) {
      solver_.compute(m);
    } else {
      solver_ = m.inverse();
    }
    // Extrapolated is the change, whose rounding is small beside the state's.
    vector change = vector::Zero(size_);
    for (std::size_t i = 0; i < k; ++i) {
      if (i > 0) {
        for (std::size_t n = 0; n < state_.size(); ++n) {
          state_[n] = x0[n] + change[static_cast<Eigen::Index>(n)];
        }
        ++work.velocities;
        state_ = system_.velocity(state_);
      }
      const ode_state<N>& v = i > 0 ? state_ : velocity0;
      const Eigen::Map<const vector> f(v.data(), size_);
      if constexpr (N == any_dimension) {
        change += small * solver_.solve(f);
      } else {
        change += small * (solver_ * f);
      }
    }
    // Aitken and Neville, from the row before.
    for (std::size_t j = 1; j < k; ++j) {
      const double weight = static_cast<double>(k - j) / static_cast<double>(j);
      const vector better = change + (change - table_[j]) * weight;
      table_[j] = change;
      difference_ = better - change;
      change = better;
    }
    table_[k] = change;
    bool finite = true;
    for (std::size_t n = 0; n < state_.size(); ++n) {
      x1[n] = x0[n] + change[static_cast<Eigen::Index>(n)];
      finite = finite && std::isfinite(x1[n]);
    }
    used_ = k;
    return finite;
  }

  // The length and the columns of the next step: those of the least work for their length.
  void plan(const std::array<double, columns + 1>& ratio, std::size_t last, double h, bool good) {
    constexpr double safety = 0.9;
    const auto length = [&](std::size_t k) {
      const double factor =
          ratio[k] > 0.0 ? of_few_digits(safety * std::pow(ratio[k], -1.0 / static_cast<double>(k)))
                         : largest_factor;
      // A good step of rounding alone is no reason for a shorter one.
      return h * std::clamp(factor, ratio[last] > 1.0 && good ? 1.0 : least_factor, largest_factor);
    };
    aim_ = std::max(fewest, last);
    next_ = length(last);
    const auto work_of = [&](std::size_t k) { return cost(k) / length(k); };
    if (last > fewest && ratio[last - 1] > 0.0 && work_of(last - 1) < 0.8 * work_of(last)) {
      aim_ = last - 1;
      next_ = length(aim_);
    } else if (good && last < columns &&
               (last <= fewest || work_of(last) < 0.9 * work_of(last - 1))) {
      aim_ = last + 1;
      next_ = length(last) * of_few_digits(cost(aim_) / cost(last));
    }
    next_ = good ? next_ : std::min(next_, 0.7 * h);
  }

  ode_state<N> unpacked(const vector& v) const {
    ode_state<N> x = state_;
    std::copy_n(v.data(), x.size(), x.begin());
    return x;
  }

  // The difference of the last two columns, less what rounding makes of it.
  ode_state<N> beyond_rounding() const {
    return unpacked((difference_.cwiseAbs() - rounding_).cwiseMax(0.0));
  }

  const ode_system<N>& system_;
  ode_state<N> state_;
  Eigen::Index size_;
  std::optional<ode_matrix<N>> jacobian_;
  ode_state<N> linearised_at_;
  std::conditional_t<N == any_dimension, Eigen::PartialPivLU<matrix>, matrix> solver_;
  std::array<vector, columns + 1> table_;
  vector difference_;
  vector rounding_;  // of differences
  std::optional<failure> failed_;
  std::size_t aim_ = 6;
  std::size_t used_ = 0;
  double next_ = 0.0;
};

}  // namespace loradyn
