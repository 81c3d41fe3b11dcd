#pragma once

/// \file
/// Figures, drawn by gnuplot.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <loradyn/error.hpp>
#include <loradyn/names.hpp>
#include <loradyn/report/file.hpp>

namespace loradyn {

/// gnuplot is missing or failed. The script and its data are written all the same.
class drawing_error : public error {
 public:
  using error::error;
};

/// How a line is drawn; `alternating` is solid and dashed in turn.
enum class line_style { alternating, solid, dashed, dotted };

/// What marks a point.
enum class point_shape { disc, circle, triangle, cross, square, diamond };

/// One curve. A NaN in y is a gap.
struct curve {
  std::string label;  ///< empty: not in the key
  std::vector<double> x;
  std::vector<double> y;
  bool points = false;  ///< marks instead of a line
  line_style style = line_style::alternating;
  point_shape shape = point_shape::disc;
  std::optional<std::size_t> colour;  ///< of the palette; its own without
  /// Of a family of curves: what tells it from the others. More than six of them have a bar of
  /// colours instead of a key.
  std::optional<double> value = std::nullopt;
};

/// An arrow of a vector field.
struct field_arrow {
  double x = 0.0;
  double y = 0.0;
  double dx = 0.0;
  double dy = 0.0;
};

/// A vertical dashed line with a short text above it, in the colour of a curve.
struct mark {
  double x = 0.0;
  std::string label;
  std::size_t curve = 0;
};

/// A text at a place of an axis.
struct tick {
  double x = 0.0;
  std::string label;
};

/// A map over a grid: z[k * x.size() + i] at (x[i], y[k]), NaN where there is nothing. A cell
/// reaches half of the way to its neighbours; where the places are evenly spaced it is a picture.
struct heat_map {
  std::vector<double> x;  ///< increasing, at least one
  std::vector<double> y;
  std::vector<double> z;
  std::string label;                    ///< of the colours
  std::vector<std::string> categories;  ///< where z counts these, from 0
  /// What the colours reach from and to, so that maps can share a scale; without it, or where the
  /// first is not the lesser, the least and largest z. Not for categories.
  std::optional<std::pair<double, double>> range = std::nullopt;
  std::vector<std::size_t> category_colours = {};  ///< of the palette; in their order without
};

/// Where the cells of a map end: before the first of some places, half of the way between each two,
/// and beyond the last. A single place has a cell of width 1.
std::vector<double> cell_edges(const std::vector<double>& places);

/// A text inside a panel, on a box of its own.
struct panel_text {
  double x = 0.0;
  double y = 0.0;
  std::string text;
};

/// One pair of axes.
struct panel {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool log_y = false;
  bool log_x = false;
  bool x_is_log10 = false;  ///< x is the logarithm of what the axis tells
  bool y_is_log10 = false;
  std::optional<heat_map> heat;    ///< under everything
  std::vector<panel_text> texts;   ///< above everything
  std::vector<field_arrow> field;  ///< under the curves
  std::vector<curve> curves;
  std::vector<mark> marks;
  std::vector<tick> ticks;    ///< instead of numbers on the x axis, where there are any
  std::vector<tick> y_ticks;  ///< the same on the y axis
  std::optional<std::pair<double, double>> y_range =
      std::nullopt;                         ///< without it, that of what is drawn
  std::string value_label;                  ///< of the values of a family of curves
  std::string nothing = "nothing to draw";  ///< what an empty panel says
};

/// Panels side by side, two in a row.
struct figure {
  std::vector<panel> panels;
};

/// Whether there is anything to draw inside the axes.
bool has_content(const panel& p);
/// Whether there is anything to draw.
bool has_content(const figure& f);

/// What the colours are for: a light page, a dark one, or ink.
enum class figure_theme { light, dark, print };

/// Their names.
inline constexpr name_table<figure_theme, 3> figure_themes{
    {{"light", figure_theme::light}, {"dark", figure_theme::dark}, {"print", figure_theme::print}}};

/// Width and height in centimetres of a size in words: W,H, column (8.6 cm) or page (17.8 cm wide),
/// whose height is 0. \throws argument_error for what is none from 3 to 100 cm
std::pair<double, double> read_figure_size(const std::string& option, const std::string& text);

/// What a picture looks like.
struct figure_style {
  /// Width and height in centimetres, with texts of 8 to 10 pt; a height of 0 is what panels and
  /// legend need. Without it the picture is as large as a screen likes.
  std::optional<std::pair<double, double>> size = std::nullopt;
  std::string font = {};  ///< a family; Helvetica without
  figure_theme theme = figure_theme::light;
};

/// The endings of pictures, ".svg, .pdf, .png or .tex".
extern const char* const picture_endings;

/// A picture NAME.svg, .pdf, .png or .tex with the gnuplot script NAME.gp and the data NAME.dat
/// beside it: `gnuplot NAME.gp` in their directory draws the picture again. A .tex is read by
/// \\input and includes NAME.pdf, its lines, which is made too.
class figure_file {
 public:
  /// \throws argument_error for another ending or a font with other characters than letters,
  ///         digits, spaces and hyphens; file_error where one of the files can't be written, or one
  ///         that comes with the picture is there and was not made by a figure
  explicit figure_file(const std::filesystem::path& picture, figure_style style = {});

  /// \throws drawing_error, file_error
  void draw(const figure& f);

 private:
  void commit_tex();

  figure_style style_;
  pending_file picture_;
  pending_file script_;
  pending_file data_;
  std::optional<pending_file> lines_;  // of a .tex
};

/// The script and the data of a figure, as texts.
/// \param picture_name, data_name the file names that the script uses
std::string gnuplot_script(const figure& f, const std::string& picture_name,
                           const std::string& data_name, const figure_style& style = {});
/// The data that the script of a figure reads.
std::string gnuplot_data(const figure& f);

/// The data in pieces of about 64 kB, one after the other, for a map of millions of cells.
void write_gnuplot_data(const figure& f, const std::function<void(std::string_view)>& sink);

}  // namespace loradyn
