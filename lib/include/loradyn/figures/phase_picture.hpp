#pragma once

/// \file
/// The figure of a phase diagram.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <loradyn/names.hpp>
#include <loradyn/report/figure.hpp>
#include <loradyn/study/phase.hpp>
#include <string>
#include <vector>

namespace loradyn {

/// What the colours tell: the escape time, its median by the law, the search time, the risk at the
/// end, that on a network's source, or the outcome.
enum class phase_colours { time, law, tau, risk, source_risk, outcome };

/// Their names.
inline constexpr name_table<phase_colours, 6> phase_colour_names{
    {{"t", phase_colours::time},
     {"law", phase_colours::law},
     {"tau", phase_colours::tau},
     {"risk", phase_colours::risk},
     {"source-risk", phase_colours::source_risk},
     {"outcome", phase_colours::outcome}}};

/// The heat map of rows as they come in: all that is kept of a row is what is drawn. Where there
/// are ensembles, the simulated map stands beside that of the theory. Of a refined grid each cell
/// is drawn half of the way to its neighbours. Where there are more than `most_drawn` places, more
/// than a picture has points, every second or third is drawn.
class phase_picture {
 public:
  /// Refers to the grid, which must outlive it. Of search times alone the colours tell these.
  /// \throws argument_error for the law or the source of a grid without one
  phase_picture(const study::phase_grid& grid, phase_colours colours);

  /// The next row, a cell of the grid or of its refinements. \throws argument_error for another
  void add(const study::phase_row& row);

  /// The figure of the rows; once.
  [[nodiscard]] figure drawn();

 private:
  static constexpr double most_drawn = 1.1e6;

  // A value of a row, as a colour.
  struct layer {
    std::string title;
    std::string label;
    std::function<double(const study::phase_row&)> value_of;
    bool outcomes = false;
    std::vector<double> z;
    double value = 0.0;  // of the row that is being added
  };

  void add_layer(const std::string& title, const std::string& label,
                 std::function<double(const study::phase_row&)> value_of);
  [[nodiscard]] std::vector<double> places(const study::phase_axis& axis) const;
  [[nodiscard]] panel line_of(const layer& l, const std::vector<double>& x,
                              const std::vector<double>& y) const;

  const study::phase_grid& grid_;
  std::vector<layer> layers_;
  std::vector<signed char> kinds_;   // the outcome of each place; -1: none
  std::vector<unsigned char> from_;  // the level of the cell that a place is drawn with
  std::uint64_t step_ = 1;           // between places that are drawn
  std::array<std::uint64_t, 2> size_{};
};

}  // namespace loradyn
