#pragma once

/// \file
/// The slope by |w|² of a student's average square. Internal to the model room.

#include <loradyn/activation/activation.hpp>
#include <optional>
#include <utility>
#include <variant>
#include "kernel/half_line_pair.hpp"
#include "kernel/piecewise_pair.hpp"
#include "kernel/wave_pair.hpp"

namespace loradyn {

/// d/dQ E[σ(√Q z)²], the student's own part of 2R_Q, along one line and in closed form: of σ² as a
/// polynomial between kinks, or as waves, each of which decays by itself, where E[σ'²] + E[σσ''],
/// terms of size 1, leave as little as exp(-2Q). Where an even sum of waves meets a teacher c +
/// odd, which it sees as c alone, it is all of 2R_Q, of E[(σ - c)²]. (3.6) of docs/theory.md.
class power_slope {
 public:
  /// Nothing where σ² has no such form.
  static std::optional<power_slope> of(const activation& student, const activation& teacher);

  /// Whether it is to be used at |w|² = Q.
  [[nodiscard]] bool holds_at(double Q) const noexcept { return Q >= least_; }
  /// Whether it has the teacher's part.
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
  /// Whether it is to rounding of its own size.
  [[nodiscard]] bool is_of_waves() const noexcept { return square_.index() == 0; }
  [[nodiscard]] double operator()(double Q) const {
    return std::visit([Q](const auto& square) { return square.slope(Q); }, square_);
  }
  /// 2R_Q, of E[σ''g] where the teacher's part is not in it
  [[nodiscard]] double twice_Q(double Q, double cross_e20) const {
    return (*this)(Q) - (is_whole_ ? 0.0 : cross_e20);
  }
  /// d/dQ of the student's own part
  [[nodiscard]] double slope(double Q) const {
    return std::visit([Q](const auto& square) { return square.curvature(Q); }, square_);
  }

 private:
  using average = std::variant<wave_average, half_line_average, knot_average>;
  power_slope(average square, double least, bool is_whole)
      : square_(std::move(square)), least_(least), is_whole_(is_whole) {}

  average square_;
  double least_;
  bool is_whole_;
};

}  // namespace loradyn
