#pragma once

/// \file
/// The registry of a problem's scalar parameters. Options, axes, ranges, titles, provenance and the
/// documentation read it; a new one is an entry here and the equation that uses it.

#include <array>
#include <cmath>
#include <limits>
#include <loradyn/model/overlaps.hpp>
#include <loradyn/model/parameters.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn::study {

/// What of a network is a number, and may vary over a diagram.
struct layout_numbers {
  double width = 1.0;          ///< K
  double teacher_width = 1.0;  ///< k
  double rank = 1.0;           ///< r
  double decay = 0.0;          ///< ω
  std::optional<double> source_overlap = std::nullopt;
};

/// A value for every parameter.
struct parameter_point {
  lora_parameters parameters;
  overlap_state start{1e-6, 0.03, 0.0};
  std::optional<double> dimension;             ///< d, where something is asked of a finite one
  std::optional<double> level = std::nullopt;  ///< of the event, where a sweep has several
  layout_numbers layout{};                     ///< where a network is asked
};

/// What is known of a parameter.
struct parameter {
  std::string_view name;     ///< of the option, on an axis, in provenance and in errors
  std::string_view symbol;   ///< in docs/theory.md
  std::string_view meaning;  ///< in a line
  std::string_view title;    ///< of its axis, without the symbol; empty: the name alone
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  std::optional<double> standard;  ///< what it is where nothing is said; none: it must be said
  /// Its value at a point, or none.
  std::optional<double> (*get)(const parameter_point&) = nullptr;
  /// Sets it at a point.
  void (*set)(parameter_point&, double) = nullptr;
  bool whole = false;  ///< a whole number

  /// The name as a column's.
  [[nodiscard]] std::string column() const;
  /// "pre-training alignment μ".
  [[nodiscard]] std::string axis_title() const;
  /// ">= 0", "between -1 and 1"; empty where every number will do.
  [[nodiscard]] std::string range() const;
  /// Whether a value is in its range.
  [[nodiscard]] bool allows(double value) const {
    return value >= least && value <= most && (!whole || value == std::trunc(value));
  }
};

/// Under the names that a user knows.
namespace registry {
extern const parameter mu;        ///< μ
extern const parameter nu;        ///< ν
extern const parameter gamma;     ///< γ
extern const parameter noise;     ///< Δ
extern const parameter lr_ratio;  ///< κ
extern const parameter u0;        ///< u at the start
extern const parameter m0;        ///< m at the start
extern const parameter s0;        ///< s at the start
extern const parameter dim;       ///< d
extern const parameter at;        ///< of `escape` alone: its range is that of the event's quantity
extern const parameter width;     ///< K
extern const parameter teacher_width;   ///< k
extern const parameter rank;            ///< r
extern const parameter decay;           ///< ω
extern const parameter source_overlap;  ///< of the source's targets with the target's
}  // namespace registry

/// Those of the equations, in the order of a sweep, whose first varies fastest; those of the start;
/// and all.
inline constexpr std::array<const parameter*, 5> model_parameters{
    &registry::mu, &registry::nu, &registry::gamma, &registry::noise, &registry::lr_ratio};
/// Those of the start of a run.
inline constexpr std::array<const parameter*, 3> start_parameters{&registry::u0, &registry::m0,
                                                                  &registry::s0};
/// All of them, in the order of tables.
inline constexpr std::array<const parameter*, 9> all_parameters{
    &registry::mu, &registry::nu, &registry::gamma, &registry::noise, &registry::lr_ratio,
    &registry::u0, &registry::m0, &registry::s0,    &registry::dim};

/// Those of a network alone.
inline constexpr std::array<const parameter*, 5> layout_parameters{
    &registry::width, &registry::teacher_width, &registry::rank, &registry::decay,
    &registry::source_overlap};

/// The parameter of a name, or nullptr.
const parameter* parameter_named(std::string_view name);
/// That of a network alone, or nullptr.
const parameter* layout_parameter_named(std::string_view name);

/// The names of all.
std::vector<std::string> parameter_names();

/// A parameter and its values.
struct swept_parameter {
  const parameter* what = nullptr;
  std::vector<double> values;
};

/// Every combination of the values of some parameters; those of the first vary fastest.
struct parameter_grid {
  std::vector<swept_parameter> axes;
  parameter_point otherwise;  ///< what no axis sets

  /// The number of points.
  [[nodiscard]] std::size_t size() const;
  /// Combination i.
  [[nodiscard]] parameter_point at(std::size_t i) const;
  /// Some parameters, and behind them those of the axes that have more than one value.
  [[nodiscard]] std::vector<const parameter*> told(std::span<const parameter* const> always) const;
};

}  // namespace loradyn::study
