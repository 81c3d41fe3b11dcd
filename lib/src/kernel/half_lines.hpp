#pragma once

/// \file
/// An activation and its derivatives on half-lines through 0, as sector_table multiplies them.
/// Internal to the kernel room.

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <loradyn/activation/activation.hpp>
#include <memory>
#include <mutex>
#include <vector>

namespace loradyn {

/// A quadrature along half-lines, of R e^{-R²/2}/2π dR.
struct radial_rule {
  /// To R = 24, not 14.
  bool wide;
  /// How often panels are halved, and graded towards R = 0, 0 … levels.
  std::size_t level;
  /// Each halves the panels of the one before; what the last does not resolve is left to the plane,
  /// so that they decide the cost.
  static constexpr std::size_t levels = 3;

  [[nodiscard]] const std::vector<double>& node() const;
  [[nodiscard]] const std::vector<double>& weight() const;
  friend bool operator==(const radial_rule&, const radial_rule&) = default;
};

/// The map from [0, 1] to itself that spreads what lies near 0. Deviations of one half octave have
/// one map.
struct stretching {
  stretching() = default;
  stretching(double strength, double deviation);
  [[nodiscard]] double sine(double x) const;
  [[nodiscard]] double inverse(double s) const;
  [[nodiscard]] double slope(double x) const;  // of sine(x)
  double k = 0.0;
  friend bool operator==(const stretching&, const stretching&) = default;
};

/// The sines of the angles of half-lines: the zeros of T_size, stretched.
struct half_line_angles {
  std::size_t size;
  double strength;
  friend bool operator==(const half_line_angles&, const half_line_angles&) = default;
};

/// A few angles all over, where a radial rule is tried.
inline constexpr half_line_angles probe_angles{8, 0.0};

/// f⁽ᵏ⁾(± a s R), an activation of a variable of deviation a: computed where they are first asked
/// for, and kept. Safe from any thread.
class half_lines {
 public:
  using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  /// [sign][k](i, j) at s_i and the rule's node j; k up to the order asked for.
  using table = std::array<std::array<matrix, 5>, 2>;

  half_lines(activation f, double deviation);

  [[nodiscard]] double deviation() const noexcept { return deviation_; }

  /// Valid as long as this. Effort is spent (effort_limit) as if nothing had been kept.
  const table& values(const half_line_angles& angles, const radial_rule& rule, std::size_t order);

 private:
  struct entry {
    half_line_angles angles;
    radial_rule rule;
    std::size_t order;
    std::unique_ptr<const table> values;
  };

  [[nodiscard]] table computed(const half_line_angles& angles, const radial_rule& rule,
                               std::size_t order) const;

  activation f_;
  double deviation_;
  std::mutex making_;
  std::vector<entry> entries_;
};

}  // namespace loradyn
