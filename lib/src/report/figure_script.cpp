#include "report/figure_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/printable.hpp>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

namespace loradyn {
namespace fs = std::filesystem;

const char* const picture_endings = ".svg, .pdf, .png or .tex";
const char* const script_beginning = "if (!exists('picture')) picture = ";

std::string shown(const std::string& text) {
  constexpr std::size_t most = 400;  // bytes
  if (text.size() <= most) {
    return printable(text);
  }
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;  // not inside a character
  }
  return printable(text.substr(0, end)) + "…";
}

namespace {

// A string of gnuplot's with exactly this text, which holds no control character. gnuplot takes
// what stands in single quotes as it is, but reads '' as a quote only behind another character; so
// a text with a quote, or with anything else that it has a meaning for somewhere, stands in double
// quotes with these characters as octal numbers.
std::string literal(const std::string& text) {
  constexpr std::string_view meaningful = "'\"`\\@$";
  if (text.find_first_of(meaningful) == std::string::npos) {
    return "'" + text + "'";
  }
  std::string result = "\"";
  for (const char c : text) {
    if (meaningful.find(c) == std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("\\{:03o}", static_cast<unsigned>(c));
    }
  }
  return result + "\"";
}

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }

// The number of characters of UTF-8.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

// The first characters of a text.
std::string first_of(const std::string& text, std::size_t count) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (starts_character(text[i]) && seen++ == count) {
      return text.substr(0, i);
    }
  }
  return text;
}

// A text as LaTeX sets it: none of its characters is a command.
std::string tex_text(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 37> known{
      {{"\\", "\\textbackslash{}"},
       {"{", "\\{"},
       {"}", "\\}"},
       {"$", "\\$"},
       {"&", "\\&"},
       {"#", "\\#"},
       {"%", "\\%"},
       {"_", "\\_"},
       {"^", "\\textasciicircum{}"},
       {"~", "\\textasciitilde{}"},
       {"<", "$<$"},
       {">", "$>$"},
       {"|", "$|$"},
       {"μ", "$\\mu$"},
       {"ν", "$\\nu$"},
       {"τ", "$\\tau$"},
       {"γ", "$\\gamma$"},
       {"Δ", "$\\Delta$"},
       {"κ", "$\\kappa$"},
       {"σ", "$\\sigma$"},
       {"η", "$\\eta$"},
       {"λ", "$\\lambda$"},
       {"ρ", "$\\rho$"},
       {"θ", "$\\theta$"},
       {"×", "$\\times$"},
       {"′", "$'$"},
       {"²", "$^2$"},
       {"³", "$^3$"},
       {"₀", "$_0$"},
       {"₁", "$_1$"},
       {"₊", "$_+$"},
       {"→", "$\\to$"},
       {"≥", "$\\ge$"},
       {"≤", "$\\le$"},
       {"…", "\\dots{}"},
       {"–", "--"},
       {"√", "$\\surd$"}}};
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    while (end < text.size() && !starts_character(text[end])) {
      ++end;
    }
    const std::string_view character(text.data() + i, end - i);
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const auto& k) { return k.first == character; });
    result += found == known.end() ? character : found->second;
    i = end;
  }
  return result;
}

// The colours of a theme. The first seven of a light page are Okabe's and Ito's, which the
// colour-blind can tell apart, without the yellow; the seventh is that of what is no curve of a
// family: outlines, runs and markers.
struct theme_colours {
  std::array<const char*, 7> curves;
  // Of a family of more curves, from first to last: they stay legible on the page.
  std::array<unsigned, 4> scale;
  const char* page;  // none: what is under the picture
  const char* text;
  const char* frame;
  const char* grid;  // none: no grid
  const char* field;
};

const theme_colours& colours_of(figure_theme theme) {
  static constexpr theme_colours light{
      {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"},
      {0x0d0887, 0x9c179e, 0xdb5c68, 0xeba229},
      "#ffffff",
      "#000000",
      "#444444",
      "#dddddd",
      "#bbbbbb"};
  static constexpr theme_colours dark{
      {"#56B4E9", "#F28E4B", "#2FC79C", "#E39BC4", "#F2C14B", "#9DB2FF", "#FFFFFF"},
      {0x7b7bff, 0xd65ad8, 0xff8a7a, 0xf5e663},
      "#15181d",
      "#e6e6e6",
      "#aaaaaa",
      "#343a43",
      "#66707d"};
  static constexpr theme_colours print{
      {"#1F4E8C", "#B03A2E", "#1E7B55", "#7D3C98", "#9A6A00", "#2E86A6", "#000000"},
      {0x000000, 0x4b2a7b, 0xa03060, 0xd08030},
      nullptr,
      "#000000",
      "#000000",
      nullptr,
      "#aaaaaa"};
  switch (theme) {
    case figure_theme::dark:
      return dark;
    case figure_theme::print:
      return print;
    case figure_theme::light:
      break;
  }
  return light;
}

// The k-th of n colours.
std::string colour(const theme_colours& theme, std::size_t k, std::size_t n) {
  if (n <= theme.curves.size()) {
    return theme.curves[k % theme.curves.size()];
  }
  const double place = static_cast<double>(k) / static_cast<double>(n - 1) *
                       static_cast<double>(theme.scale.size() - 1);
  const auto left = std::min(static_cast<std::size_t>(place), theme.scale.size() - 2);
  unsigned mixed = 0;
  for (const unsigned shift : {16U, 8U, 0U}) {
    const auto part = [&](std::size_t i) {
      return static_cast<double>((theme.scale[i] >> shift) & 0xffU);
    };
    mixed |= static_cast<unsigned>(std::lround(
                 std::lerp(part(left), part(left + 1), place - static_cast<double>(left))))
             << shift;
  }
  return fmt::format("#{:06x}", mixed);
}

// What is drawn of a curve.
bool is_drawn(const panel& p, double x, double y) {
  return std::isfinite(x) && std::isfinite(y) && (!p.log_x || x > 0.0) && (!p.log_y || y > 0.0);
}

bool is_visible(const panel& p, const curve& c) {
  for (std::size_t i = 0; i < c.x.size(); ++i) {
    if (is_drawn(p, c.x[i], c.y[i])) {
      return true;
    }
  }
  return false;
}

// Whether no two neighbours of a curve are drawn, so that it has no line.
bool is_scattered(const panel& p, const curve& c) {
  for (std::size_t i = 1; i < c.x.size(); ++i) {
    if (is_drawn(p, c.x[i - 1], c.y[i - 1]) && is_drawn(p, c.x[i], c.y[i])) {
      return false;
    }
  }
  return true;
}

struct extent {
  double lo = std::numeric_limits<double>::infinity();
  double hi = -std::numeric_limits<double>::infinity();

  void add(double value) {
    lo = std::min(lo, value);
    hi = std::max(hi, value);
  }
  [[nodiscard]] bool any() const { return lo <= hi; }
};

// From where to where the drawn points of the curves reach.
std::pair<extent, extent> extents_of(const panel& p) {
  std::pair<extent, extent> both;
  for (const curve& c : p.curves) {
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      if (is_drawn(p, c.x[i], c.y[i])) {
        both.first.add(c.x[i]);
        both.second.add(c.y[i]);
      }
    }
  }
  if (p.y_range) {
    both.second.lo = p.y_range->first;
    both.second.hi = p.y_range->second;
  }
  return both;
}

// Whether a logarithmic axis is told in powers of ten.
bool spans_decades(const extent& e) { return e.any() && e.hi >= 100.0 * e.lo; }

// The numbers of a logarithmic axis that spans less than two decades, where gnuplot would tell one
// or none; no number where there are more.
std::vector<tick> short_ticks(double lo, double hi) {
  std::vector<tick> ticks;
  if (!(lo > 0.0 && hi > lo && hi < 100.0 * lo)) {
    return ticks;
  }
  static constexpr std::array<double, 3> few{1, 2, 5};
  static constexpr std::array<double, 18> many{1,   1.5, 2,   2.5, 3,   3.5, 4,   4.5, 5,
                                               5.5, 6,   6.5, 7,   7.5, 8,   8.5, 9,   9.5};
  for (const std::span<const double> steps :
       {std::span<const double>(few), std::span<const double>(many)}) {
    ticks.clear();
    for (int power = static_cast<int>(std::floor(std::log10(lo))); power <= std::log10(hi);
         ++power) {
      for (const double step : steps) {
        const double place = step * std::pow(10.0, power);
        if (place >= lo * (1.0 - 1e-9) && place <= hi * (1.0 + 1e-9)) {
          ticks.push_back({place, fmt::format("{:.4g}", place)});
        }
      }
    }
    if (ticks.size() >= 3) {
      return ticks;
    }
  }
  return {};
}

// The same of an axis whose places are logarithms: powers of ten where there are many.
std::vector<tick> log10_ticks(double lo, double hi) {
  std::vector<tick> ticks = short_ticks(std::pow(10.0, lo), std::pow(10.0, hi));
  for (tick& t : ticks) {
    t.x = std::log10(t.x);
  }
  return ticks;
}

// One panel's legend.
enum class legend { key, bar, at_the_curves };

constexpr std::size_t most_in_a_key = 6;  // lines; markers have shapes of their own

legend legend_of(const panel& p) {
  std::size_t lines = 0;
  bool family = true;
  std::set<double> values;
  for (const curve& c : p.curves) {
    if (c.label.empty() || !is_visible(p, c)) {
      continue;
    }
    // What is drawn in one more style of a curve has its colour.
    lines += c.points && c.colour ? 0 : 1;
    if (c.value) {
      values.insert(*c.value);
    }
    family = family && (c.value || c.points);
  }
  if (lines <= most_in_a_key || p.heat) {
    return legend::key;
  }
  return family && values.size() > most_in_a_key ? legend::bar : legend::at_the_curves;
}

// The sizes of a picture, in a unit of its own that a text is 14 of; where the size is asked for, a
// centimetre is 96/2.54 of them.
struct canvas {
  double width = 0.0;
  double height = 0.0;
  double text = 14.0;
  std::size_t columns = 1;
  std::size_t rows = 1;
  bool in_centimetres = false;
  bool fixed = false;  // the height too

  [[nodiscard]] double character() const { return 0.55 * text; }
  [[nodiscard]] double line() const { return 1.25 * text; }
  [[nodiscard]] double panel_width() const { return width / static_cast<double>(columns); }
  // Characters across the axes.
  [[nodiscard]] std::size_t across() const {
    constexpr double beside = 8.0;  // lines for the numbers and the label of y
    return static_cast<std::size_t>(std::max(12.0, (panel_width() - beside * text) / character()));
  }
};

class script_writer {
 public:
  script_writer(const figure& f, const std::string& picture_name, std::string data_name,
                const figure_style& style)
      : figure_(f),
        picture_(picture_name),
        data_(script_file_name(data_name)),
        style_(style),
        theme_(colours_of(style.theme)),
        ending_(fs::path(picture_name).extension().string()) {
    lay_out();
  }

  std::string text() {
    // Once for the footnotes, which take their room from the panels.
    std::string panels = all_panels();
    if (!notes_.empty()) {
      if (!canvas_.fixed) {
        canvas_.height += notes_height();
      }
      reserved_ = notes_height();
      notes_.clear();
      panels = all_panels();
    }
    std::string script = script_beginning + script_file_name(picture_) + "\n" + terminal() + "\n";
    script += "set output picture\nset encoding utf8\n";
    script += fmt::format(
        "set border linecolor rgb '{0}'\nset tics nomirror textcolor rgb '{1}'\n"
        "set title textcolor rgb '{1}'\nset xlabel textcolor rgb '{1}'\n"
        "set ylabel textcolor rgb '{1}'\nset cblabel textcolor rgb '{1}'\n",
        theme_.frame, theme_.text);
    return script + "set multiplot\n" + panels + footnotes() + "\nunset multiplot\nunset output\n";
  }

 private:
  // Quoted as the format takes it. These and script_file_name are the only ways for a string into a
  // script.
  [[nodiscard]] std::string quoted(const std::string& text) const {
    const std::string line = shown(text);
    return literal(ending_ == ".tex" ? tex_text(line) : line);
  }
  // The text of a tick, which gnuplot takes for a format of its place.
  [[nodiscard]] std::string quoted_tick(const std::string& text) const {
    const std::string line = ending_ == ".tex" ? tex_text(shown(text)) : shown(text);
    std::string format;
    for (const char c : line) {
      format += c;
      if (c == '%') {
        format += c;
      }
    }
    return literal(format);
  }
  // A label of an axis, in two lines where one has no room.
  [[nodiscard]] std::string quoted_label(const std::string& label, std::size_t room) const {
    const std::string line = shown(label);
    if (length_of(line) <= room) {
      return quoted(label);
    }
    std::size_t best = std::string::npos;
    const auto off = [&](std::size_t at) {
      return at > line.size() / 2 ? at - line.size() / 2 : line.size() / 2 - at;
    };
    for (std::size_t at = line.find(' '); at != std::string::npos; at = line.find(' ', at + 1)) {
      best = best == std::string::npos || off(at) < off(best) ? at : best;
    }
    if (best == std::string::npos || ending_ == ".tex") {
      return quoted(label);
    }
    const auto inside = [](const std::string& part) {
      const std::string text = literal(part);
      return text.substr(1, text.size() - 2);
    };
    return "\"" + inside(line.substr(0, best)) + "\\n" + inside(line.substr(best + 1)) + "\"";
  }

  void lay_out() {
    const std::size_t n = std::max<std::size_t>(1, figure_.panels.size());
    if (style_.size) {
      constexpr double unit = 96.0 / 2.54;
      canvas_.width = style_.size->first * unit;
      canvas_.height = style_.size->second * unit;
      canvas_.text = 40.0 / 3.0;  // 10 pt; small texts have 8
      canvas_.in_centimetres = true;
      canvas_.fixed = canvas_.height > 0.0;
      constexpr double least_panel = 270.0;
      canvas_.columns = n > 1 && canvas_.width >= 2.0 * least_panel ? 2 : 1;
      canvas_.rows = (n + canvas_.columns - 1) / canvas_.columns;
      if (!canvas_.fixed) {
        constexpr double shape = 0.7;
        grow_from(std::clamp(shape * canvas_.panel_width(), 220.0, 360.0));
      }
      return;
    }
    // A map shares its width with its colours, labels at the curves with their texts.
    const bool wide = std::any_of(figure_.panels.begin(), figure_.panels.end(), [](const panel& p) {
      return p.heat || legend_of(p) != legend::key;
    });
    canvas_.columns = n > 1 ? 2 : 1;
    canvas_.rows = (n + canvas_.columns - 1) / canvas_.columns;
    canvas_.width = n == 1 ? 680.0 : (wide ? 560.0 : 440.0) * 2.0;
    constexpr double panel_height = 460.0;
    grow_from(panel_height);
  }

  // The height of the picture, from that of a panel with a legend of two lines.
  void grow_from(double panel_height) {
    double tallest = panel_height;
    for (const panel& p : figure_.panels) {
      double height = panel_height;
      if (legend_of(p) == legend::at_the_curves) {
        constexpr double frame = 110.0;
        height =
            std::max(height, frame + 1.1 * canvas_.text * static_cast<double>(p.curves.size()));
      } else if (legend_of(p) == legend::key) {
        constexpr std::size_t usual = 2;
        const std::size_t lines = key_lines(p);
        height += lines > usual ? canvas_.line() * static_cast<double>(lines - usual) : 0.0;
      }
      height += canvas_.line() * std::max(0.0, tick_lines(p) - 2.0);
      tallest = std::max(tallest, height);
    }
    canvas_.height = tallest * static_cast<double>(canvas_.rows);
  }

  // Slanted texts below the axis need more room than numbers.
  [[nodiscard]] static double tick_lines(const panel& p) {
    std::size_t longest = 0;
    for (const tick& t : p.ticks) {
      longest = std::max(longest, std::min(length_of(t.label), most_in_a_tick));
    }
    constexpr double lines_of_a_character = 0.34;
    return lines_of_a_character * static_cast<double>(longest);
  }

  [[nodiscard]] std::size_t most_in_a_label() const {
    constexpr std::size_t sample = 7;
    constexpr std::size_t most = 40;
    return std::min(most, std::max<std::size_t>(12, canvas_.across() - sample));
  }

  // Columns and lines of a key below the axes.
  [[nodiscard]] std::pair<std::size_t, std::size_t> key_shape(const panel& p) const {
    constexpr std::size_t sample = 7;
    std::size_t entries = 0;
    std::size_t widest = 1;
    for (const curve& c : p.curves) {
      if (!c.label.empty() && is_visible(p, c)) {
        ++entries;
        widest = std::max(widest, std::min(length_of(c.label), most_in_a_label()) + sample);
      }
    }
    const std::size_t columns =
        std::clamp<std::size_t>(canvas_.across() / widest, 1, std::max<std::size_t>(1, entries));
    return {columns, (entries + columns - 1) / columns};
  }
  [[nodiscard]] std::size_t key_lines(const panel& p) const { return key_shape(p).second; }

  // The number of a note below the picture.
  std::size_t add_note(const std::string& text) {
    const auto note = std::find(notes_.begin(), notes_.end(), text);
    const auto number = static_cast<std::size_t>(note - notes_.begin()) + 1;
    if (note == notes_.end()) {
      notes_.push_back(text);
    }
    return number;
  }

  // A text that is not longer; what is cut stands in full below the picture.
  std::string shortened(const std::string& text, std::size_t most) {
    if (length_of(shown(text)) <= most) {
      return text;
    }
    const std::string mark = fmt::format("…[{}]", add_note(text));
    return first_of(shown(text), most - std::min(most, length_of(mark))) + mark;
  }

  // The lines of the notes, none longer than the picture is wide.
  [[nodiscard]] std::vector<std::string> note_lines() const {
    std::vector<std::string> lines;
    constexpr double wide = 0.63;  // of a character of the fonts that take most room
    const auto most = static_cast<std::size_t>(
        std::max(20.0, (canvas_.width - 2.0 * canvas_.text) / (note_size * wide * canvas_.text)));
    for (std::size_t i = 0; i < notes_.size(); ++i) {
      std::string rest = fmt::format("[{}] {}", i + 1, shown(notes_[i]));
      while (length_of(rest) > most) {
        const std::string line = first_of(rest, most);
        lines.push_back(line);
        rest = "     " + rest.substr(line.size());
      }
      lines.push_back(rest);
    }
    // They take no more than a third of a size that is asked for.
    const auto room = static_cast<std::size_t>(canvas_.height / 3.0 / (note_size * canvas_.line()));
    if (canvas_.fixed && lines.size() > std::max<std::size_t>(1, room)) {
      lines.resize(std::max<std::size_t>(1, room));
      lines.back() = "…";
    }
    return lines;
  }
  [[nodiscard]] double notes_height() const {
    return notes_.empty()
               ? 0.0
               : note_size * canvas_.line() * (static_cast<double>(note_lines().size()) + 0.8);
  }

  [[nodiscard]] std::string footnotes() const {
    if (notes_.empty()) {
      return {};
    }
    std::string script =
        "\nreset\nunset border\nunset tics\nunset key\nset origin 0,0\nset size 1,1\n";
    const std::vector<std::string> lines = note_lines();
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const double y = (static_cast<double>(lines.size() - i) - 0.2) * note_size * canvas_.line();
      script += fmt::format(
          "set label {} at screen {:.4f},{:.4f} left noenhanced font ',{}' textcolor rgb '{}'\n",
          quoted(lines[i]), canvas_.text / canvas_.width, y / canvas_.height, font_size(note_size),
          theme_.text);
    }
    return script + "plot [0:1] [0:1] NaN notitle\n";
  }

  // The size of a text, as a share of the usual one, in what the terminal counts.
  [[nodiscard]] std::string font_size(double share) const {
    return fmt::format("{:.3g}", share * canvas_.text * points_of_a_unit());
  }
  // SVG counts pixels; the others, points.
  [[nodiscard]] double points_of_a_unit() const {
    if (ending_ == ".svg") {
      return 1.0;
    }
    return canvas_.in_centimetres || ending_ == ".png" ? 0.75 : 0.72;
  }

  [[nodiscard]] std::string terminal() const {
    const std::string family = style_.font.empty() ? "Helvetica" : style_.font;
    const std::string font = fmt::format("'{},{}'", family, font_size(1.0));
    const std::string page =
        theme_.page != nullptr ? fmt::format(" background rgb '{}'", theme_.page) : "";
    // A unit in inches: 100 of them as it always was, 96 where centimetres are asked for.
    const double inch = canvas_.in_centimetres ? 96.0 : 100.0;
    const double thin = canvas_.text / 14.0;
    if (ending_ == ".svg") {
      return fmt::format("set terminal svg size {:.0f},{:.0f} font {} linewidth {:.3g}{}",
                         canvas_.width, canvas_.height, font, thin, page);
    }
    if (ending_ == ".pdf") {
      return fmt::format(
          "set terminal pdfcairo size {:.4f}in,{:.4f}in font {} fontscale 1 linewidth {:.3g} "
          "pointscale {:.3g}{}",
          canvas_.width / inch, canvas_.height / inch, font, 1.4 * thin, 0.7 * thin, page);
    }
    if (ending_ == ".tex") {
      return fmt::format(
          "set terminal cairolatex pdf size {:.4f}in,{:.4f}in font '{},{}' linewidth {:.3g} "
          "pointscale {:.3g}{}",
          canvas_.width / inch, canvas_.height / inch, style_.font, font_size(1.0), 1.4 * thin,
          0.7 * thin, page);
    }
    // Twice as many pixels as units, or 300 in an inch.
    const double pixels = canvas_.in_centimetres ? 300.0 / 96.0 : 2.0;
    return fmt::format(
        "set terminal pngcairo size {:.0f},{:.0f} font {} fontscale {:.4g} linewidth {:.4g} "
        "pointscale {:.4g}{}",
        canvas_.width * pixels, canvas_.height * pixels, font, pixels, thin * pixels, thin * pixels,
        page);
  }

  std::string all_panels() {
    std::string script;
    std::size_t index = 0;
    const double below = reserved_ / canvas_.height;
    const double height = (1.0 - below) / static_cast<double>(canvas_.rows);
    const double width = 1.0 / static_cast<double>(canvas_.columns);
    for (std::size_t i = 0; i < figure_.panels.size(); ++i) {
      const std::size_t row = i / canvas_.columns;
      script += fmt::format("\nset origin {:.5f},{:.5f}\nset size {:.5f},{:.5f}\n",
                            width * static_cast<double>(i % canvas_.columns),
                            1.0 - height * static_cast<double>(row + 1), width, height);
      panel_height_ = height * canvas_.height;
      // A label that stands to the left already is not said again.
      const bool repeated =
          i % canvas_.columns > 0 && figure_.panels[i].y_label == figure_.panels[i - 1].y_label;
      add_panel(script, figure_.panels[i], repeated ? "" : figure_.panels[i].y_label, index);
    }
    return script;
  }

  void add_panel(std::string& script, const panel& p, const std::string& y_label,
                 std::size_t& index);
  struct axis_kind {
    char name;
    bool logarithmic;
    bool of_log10;
    bool slanted;        // the texts of its ticks
    std::size_t across;  // characters that the axis is long
  };
  [[nodiscard]] std::string step_of_ticks(const axis_kind& axis, const extent& reach) const;
  void add_axis(std::string& script, const axis_kind& axis, std::vector<tick> ticks,
                const extent& reach) const;
  // `room`: characters of the label of the colours.
  void add_heat_settings(std::string& script, const panel& p, std::size_t room) const;
  void add_bar_settings(std::string& script, const panel& p, std::size_t room) const;
  // What colours and their names take to the right of the axes.
  [[nodiscard]] static std::size_t characters_beside(const panel& p);
  void add_marks(std::string& script, const panel& p, const extent& x,
                 const std::vector<std::string>& paints) const;
  double add_labels_at_curves(std::string& script, const panel& p, const extent& y,
                              double axes_height, const std::vector<std::string>& paints);
  [[nodiscard]] std::string style_of(const panel& p, const curve& c, std::size_t i,
                                     const std::string& paint, legend kind) const;

  static constexpr double note_size = 0.8;
  // Of slanted texts, which end at their ticks, the first has the margin of the axes for room.
  static constexpr std::size_t most_in_a_tick = 18;

  const figure& figure_;
  std::string picture_;
  std::string data_;
  const figure_style& style_;
  const theme_colours& theme_;
  std::string ending_;
  canvas canvas_;
  double panel_height_ = 0.0;
  double reserved_ = 0.0;  // for the notes
  std::vector<std::string> notes_;
};

std::string script_writer::style_of(const panel& p, const curve& c, std::size_t i,
                                    const std::string& paint, legend kind) const {
  const std::string colour = kind == legend::bar && c.value ? fmt::format("palette cb {}", *c.value)
                                                            : fmt::format("rgb '{}'", paint);
  if (c.points || is_scattered(p, c)) {
    constexpr std::array<int, 6> types{7, 6, 8, 2, 5, 13};
    constexpr std::size_t many = 30;
    return fmt::format("points pointtype {} pointsize {} linewidth 1.5 linecolor {}",
                       types[static_cast<std::size_t>(c.shape)], c.x.size() > many ? 0.5 : 1.0,
                       colour);
  }
  // For ink, and where many curves have colours that are near each other, the dashes tell curves
  // apart too.
  constexpr std::array<const char*, 4> many_dashes{"1", "(12,5)", "(12,4,2,4)", "(4,4)"};
  const char* dashes = "1";
  double width = kind == legend::key ? 2.0 : 1.3;
  switch (c.style) {
    case line_style::alternating:
      if (kind == legend::at_the_curves) {
        // The earlier are wider, so that those that lie under others look out from below.
        const auto last = static_cast<double>(p.curves.size() - 1);
        width += 2.2 * (1.0 - static_cast<double>(i) / last);
      }
      if (kind != legend::bar) {
        dashes = style_.theme == figure_theme::print || kind == legend::at_the_curves
                     ? many_dashes[i % many_dashes.size()]
                     : (i % 2 == 0 ? "1" : "(12,5)");
      }
      break;
    case line_style::solid:
      break;
    case line_style::dashed:
      dashes = "(12,5)";
      break;
    case line_style::dotted:
      dashes = "(2,5)";
      break;
  }
  return fmt::format("lines linewidth {:.3g} dashtype {} linecolor {}", width, dashes, colour);
}

// Whether the cells of a map are all of one size, as a picture's are.
bool is_regular(const heat_map& h) {
  const auto even = [](const std::vector<double>& v) {
    constexpr double tolerance = 1e-6;
    for (std::size_t i = 1; i + 1 < v.size(); ++i) {
      const double step = (v.back() - v.front()) / static_cast<double>(v.size() - 1);
      if (std::abs(v[i] - v[i - 1] - step) > tolerance * std::abs(step)) {
        return false;
      }
    }
    return true;
  };
  return even(h.x) && even(h.y);
}

std::size_t script_writer::characters_beside(const panel& p) {
  constexpr std::size_t of_numbers = 8;  // and their colours and label
  if (!p.heat || p.heat->categories.empty()) {
    return p.heat || legend_of(p) == legend::bar ? of_numbers : 0;
  }
  constexpr std::size_t colours_and_label = 4;
  std::size_t longest = 0;
  for (const std::string& name : p.heat->categories) {
    longest = std::max(longest, length_of(name));
  }
  return colours_and_label + longest;
}

// The colours of a heat map: viridis, which reads in grey too, or a colour for each category.
void script_writer::add_heat_settings(std::string& script, const panel& p, std::size_t room) const {
  const heat_map& h = *p.heat;
  script += fmt::format("set colorbox\nunset logscale cb\nset cblabel {} noenhanced offset 0.5,0\n",
                        quoted_label(h.label, room));
  if (h.categories.empty()) {
    script +=
        "set palette defined (0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', 4 '#fde725')\n"
        "set palette maxcolors 0\nset cbtics autofreq\nset rmargin -1\n";
    // gnuplot refuses an empty range, and finds one around a single value.
    script += h.range && h.range->first < h.range->second
                  ? fmt::format("set cbrange [{}:{}]\n", h.range->first, h.range->second)
                  : "set autoscale cb\n";
  } else {
    constexpr std::array<const char*, 7> colours{"#21918c", "#fde725", "#e69f00", "#dddddd",
                                                 "#cc79a7", "#56b4e9", "#882255"};
    std::string steps;
    std::string names;
    // gnuplot leaves room for numbers only.
    for (std::size_t i = 0; i < h.categories.size(); ++i) {
      const char* separator = i == 0 ? "" : ", ";
      const std::size_t own = h.category_colours.empty() ? i : h.category_colours[i];
      steps += fmt::format("{}{} '{}'", separator, i, colours[own % colours.size()]);
      names += fmt::format("{}{} {}", separator, quoted_tick(h.categories[i]), i);
      if (h.categories.size() == 1) {
        steps += fmt::format(", 1 '{}'", colours[own % colours.size()]);  // a palette has two
      }
    }
    script += fmt::format(
        "set palette maxcolors {0}\nset palette defined ({1})\nset cbrange [-0.5:{2}.5]\nset "
        "cbtics "
        "({3}) noenhanced\nset rmargin {4}\n",
        std::max<std::size_t>(2, h.categories.size()), steps, h.categories.size() - 1, names,
        characters_beside(p));
  }
  const std::vector<double> across = cell_edges(h.x);
  const std::vector<double> up = cell_edges(h.y);
  script += fmt::format(
      "set xrange [{}:{}]\nset yrange [{}:{}]\nset style textbox opaque fillcolor rgb '#ffffff' "
      "noborder margins 0.6,0.4\nunset grid\n",
      across.front(), across.back(), up.front(), up.back());
}

// The colours of a family of curves.
void script_writer::add_bar_settings(std::string& script, const panel& p, std::size_t room) const {
  std::vector<double> values;
  for (const curve& c : p.curves) {
    if (c.value) {
      values.push_back(*c.value);
    }
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::string palette;
  for (std::size_t i = 0; i < theme_.scale.size(); ++i) {
    palette += fmt::format("{}{} '#{:06x}'", i == 0 ? "" : ", ", i, theme_.scale[i]);
  }
  const std::size_t n = values.size();
  // Spaced as powers are: the middle one is nearer to the geometric mean than to the other.
  const bool powers = values.front() > 0.0 && values.back() >= 10.0 * values.front() &&
                      values[n / 2] < 0.5 * (0.5 * (values.front() + values.back()) +
                                             std::sqrt(values.front() * values.back()));
  script += fmt::format(
      "set colorbox\nset palette maxcolors 0\nset palette defined ({})\nset cbrange [{}:{}]\n"
      "set cbtics autofreq\nset rmargin -1\n{} logscale cb\nset cblabel {} noenhanced offset "
      "0.5,0\n",
      palette, values.front(), values.back(), powers ? "set" : "unset",
      quoted_label(p.value_label, room));
}

// The name of each curve to the right of the axes, at the height where the curve ends, or as near
// as the others let it. Returns the room for them, in characters.
double script_writer::add_labels_at_curves(std::string& script, const panel& p, const extent& y,
                                           double axes_height,
                                           const std::vector<std::string>& paints) {
  struct label {
    double x;  // where the curve ends
    double y;
    double place;  // the same as a share of the axis
    std::string text;
    std::string paint;
  };
  const auto share = [&p, &y](double value) {
    return p.log_y ? std::log(value / y.lo) / std::log(y.hi / y.lo)
                   : (value - y.lo) / (y.hi - y.lo);
  };
  constexpr std::size_t most = 22;
  std::vector<label> labels;
  for (std::size_t i = 0; i < p.curves.size(); ++i) {
    const curve& c = p.curves[i];
    if (c.label.empty() || c.points) {
      continue;
    }
    std::optional<std::size_t> last;
    for (std::size_t k = 0; k < c.x.size(); ++k) {
      if (is_drawn(p, c.x[k], c.y[k]) && c.y[k] >= y.lo && c.y[k] <= y.hi &&
          (!last || c.x[k] >= c.x[*last])) {
        last = k;
      }
    }
    if (last) {
      labels.push_back({c.x[*last], c.y[*last], share(c.y[*last]), c.label, paints[i]});
    }
  }
  std::stable_sort(labels.begin(), labels.end(),
                   [](const label& a, const label& b) { return a.place < b.place; });
  constexpr double size = 0.8;
  double gap = 1.15 * size * canvas_.text / axes_height;
  const auto fit = static_cast<std::size_t>(1.0 / gap) + 1;
  if (labels.size() > fit) {
    // Evenly taken, from below to above.
    std::vector<label> kept;
    for (std::size_t i = 0; i < fit; ++i) {
      kept.push_back(labels[i * (labels.size() - 1) / std::max<std::size_t>(1, fit - 1)]);
    }
    add_note(fmt::format("{} of the {} curves are named", kept.size(), labels.size()));
    labels = std::move(kept);
  }
  // Each above the one before; then all down again from the upper end.
  std::vector<double> places;
  for (const label& l : labels) {
    places.push_back(places.empty() ? std::max(0.0, l.place)
                                    : std::max(l.place, places.back() + gap));
  }
  double ceiling = 1.0;
  for (std::size_t i = places.size(); i-- > 0;) {
    places[i] = std::min(places[i], ceiling);
    ceiling = places[i] - gap;
  }
  std::size_t longest = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const label& l = labels[i];
    const std::string text = shortened(l.text, most);
    longest = std::max(longest, length_of(text));
    script += fmt::format(
        "set arrow from first {0},{1} to graph 1.03,{2:.4f} nohead linewidth 0.5 linecolor rgb "
        "'{3}'\n"
        "set label {4} at graph 1.035,{2:.4f} left noenhanced font ',{5}' textcolor rgb '{3}'\n",
        l.x, l.y, places[i], l.paint, quoted(text), font_size(size));
  }
  return size * static_cast<double>(longest) + 3.0;
}

// How far the numbers of x are apart where gnuplot, which tells about nine, would let them touch.
std::string script_writer::step_of_ticks(const axis_kind& axis, const extent& reach) const {
  // In characters: those of the longest, and what keeps them apart.
  const std::size_t of_a_number = std::max<std::size_t>(
      5,
      2 + std::max(fmt::format("{:.0f}", reach.lo).size(), fmt::format("{:.0f}", reach.hi).size()));
  const std::size_t most = std::max<std::size_t>(2, axis.across / of_a_number);
  constexpr std::size_t usual = 10;
  if (axis.name != 'x' || most >= usual || !(reach.lo < reach.hi)) {
    return "autofreq";
  }
  const double least = (reach.hi - reach.lo) / static_cast<double>(most);
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * power >= least) {
      return fmt::format("{:.6g}", step * power);
    }
  }
  return fmt::format("{:.6g}", 10.0 * power);
}

// The numbers of an axis, or the texts that stand for them.
void script_writer::add_axis(std::string& script, const axis_kind& axis, std::vector<tick> ticks,
                             const extent& reach) const {
  script += fmt::format("{} logscale {}\n", axis.logarithmic ? "set" : "unset", axis.name);
  if (ticks.empty() && axis.logarithmic) {
    ticks = short_ticks(reach.lo, reach.hi);
  } else if (ticks.empty() && axis.of_log10) {
    ticks = log10_ticks(reach.lo, reach.hi);
  }
  const char* const dollar = ending_ == ".tex" ? "$" : "";
  std::string format = "%g";
  if (axis.of_log10) {
    format = fmt::format("{0}10^{{%g}}{0}", dollar);
  } else if (axis.logarithmic && spans_decades(reach)) {
    format = fmt::format("{0}10^{{%T}}{0}", dollar);
  }
  script += fmt::format("set format {} '{}'\n", axis.name, format);
  if (ticks.empty()) {
    script += fmt::format("set {}tics {} norotate\n", axis.name,
                          axis.logarithmic ? "autofreq" : step_of_ticks(axis, reach));
    return;
  }
  std::string list;
  for (const tick& t : ticks) {
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", quoted_tick(t.label), t.x);
  }
  script += fmt::format("set {}tics ({}) {} noenhanced\n", axis.name, list,
                        axis.slanted ? "rotate by 45 right" : "norotate");
}

// Lines across the axes, and above them a text for each that has room for one, at two heights.
void script_writer::add_marks(std::string& script, const panel& p, const extent& x,
                              const std::vector<std::string>& paints) const {
  std::vector<mark> marks = p.marks;
  std::stable_sort(marks.begin(), marks.end(),
                   [](const mark& a, const mark& b) { return a.x < b.x; });
  // What several curves have in common stands there once.
  marks.erase(
      std::unique(marks.begin(), marks.end(),
                  [](const mark& a, const mark& b) { return a.x == b.x && a.label == b.label; }),
      marks.end());
  const auto share = [&p, &x](double at) {
    return p.log_x ? std::log(at / x.lo) / std::log(x.hi / x.lo) : (at - x.lo) / (x.hi - x.lo);
  };
  constexpr double size = 0.8;
  constexpr std::array<double, 2> heights{0.5, 1.3};
  std::array<double, 2> taken{-1.0, -1.0};
  for (const mark& m : marks) {
    const std::string paint =
        m.curve < paints.size() ? paints[m.curve] : colour(theme_, m.curve, theme_.curves.size());
    script += fmt::format(
        "set arrow from first {0}, graph 0 to first {0}, graph 1 nohead dashtype 2 linewidth 1 "
        "linecolor rgb '{1}'\n",
        m.x, paint);
    const double half = 0.5 * size * static_cast<double>(length_of(m.label) + 1) /
                        static_cast<double>(canvas_.across());
    const double at = share(m.x);
    const auto room =
        std::find_if(taken.begin(), taken.end(), [&](double end) { return !(at - half < end); });
    if (room != taken.end()) {
      *room = at + half;
      script += fmt::format(
          "set label {} at first {}, graph 1.0 offset 0,{} center noenhanced font ',{}' textcolor "
          "rgb '{}'\n",
          quoted(m.label), m.x, heights[static_cast<std::size_t>(room - taken.begin())],
          font_size(size), paint);
    }
  }
}

void script_writer::add_panel(std::string& script, const panel& p, const std::string& y_label,
                              std::size_t& index) {
  const legend kind = legend_of(p);
  const bool content = has_content(p);
  auto [x, y] = extents_of(p);
  if (p.heat) {
    const std::vector<double> across = cell_edges(p.heat->x);
    const std::vector<double> up = cell_edges(p.heat->y);
    x = {across.front(), across.back()};
    y = {up.front(), up.back()};
  }
  // Panels side by side have their axes at the same height.
  const bool marked = std::any_of(figure_.panels.begin(), figure_.panels.end(),
                                  [](const panel& other) { return !other.marks.empty(); });
  const bool titled = std::any_of(figure_.panels.begin(), figure_.panels.end(),
                                  [](const panel& other) { return !other.title.empty(); });
  const auto [columns, lines] = key_shape(p);
  const double key =
      kind == legend::key ? static_cast<double>(std::max<std::size_t>(1, lines)) : 0.4;
  const double below = 3.6 + key + std::max(0.0, tick_lines(p) - 1.0);
  const double above = (marked ? 2.7 : 0.9) + (titled ? 1.3 : 0.0);
  const double axes_height =
      std::max(3.0 * canvas_.text, panel_height_ - (below + above) * canvas_.line());
  // A label of y stands beside the middle of the axes, and what is above them is less than what is
  // below.
  const double tall = axes_height + 2.0 * above * canvas_.line();
  const auto up_to = static_cast<std::size_t>(0.95 * tall / canvas_.character());

  script += fmt::format(
      "set title {} noenhanced offset 0,{}\nset xlabel {} noenhanced\nset ylabel {} noenhanced\n"
      "set bmargin {:.3g}\nset tmargin {:.3g}\nset rmargin -1\n",
      quoted(shortened(p.title, canvas_.across())), marked ? 1.4 : 0.0,
      quoted_label(p.x_label, canvas_.across()), quoted_label(y_label, up_to), below, above);
  script +=
      theme_.grid == nullptr
          ? std::string("unset grid\n")
          : fmt::format("set grid linecolor rgb '{}' linewidth 0.5 dashtype 1\n", theme_.grid);
  script += kind == legend::key
                ? fmt::format(
                      "set key bmargin center horizontal noenhanced samplen 2 width 1 "
                      "maxcols {} textcolor rgb '{}'\n",
                      columns, theme_.text)
                : std::string("unset key\n");
  script += "unset arrow\nunset label\nset autoscale x\nset autoscale y\n";
  std::vector<tick> ticks = p.ticks;
  for (tick& t : ticks) {
    t.label = shortened(t.label, most_in_a_tick);
  }
  const std::size_t beside = std::min(canvas_.across() - 1, characters_beside(p));
  add_axis(script, {'x', p.log_x, p.x_is_log10, !ticks.empty(), canvas_.across() - beside}, ticks,
           x);
  add_axis(script, {'y', p.log_y, p.y_is_log10, false, up_to}, p.y_ticks, y);
  script +=
      ticks.empty() ? "set autoscale xfix\nset offsets 0,0,0,0\n" : "set offsets 0.5,0.5,0,0\n";
  if (p.log_x && x.lo < x.hi && ticks.empty()) {
    // A hair wider: gnuplot's own ends are off by a rounding, and leave out the numbers there.
    constexpr double hair = 1e-9;
    script += fmt::format("set xrange [{}:{}]\n", x.lo * (1.0 - hair), x.hi * (1.0 + hair));
  }
  if (p.heat) {
    add_heat_settings(script, p, up_to);
  } else if (kind == legend::bar) {
    add_bar_settings(script, p, up_to);
  } else {
    script += "unset colorbox\n";
  }
  for (const panel_text& t : p.texts) {
    script += fmt::format(
        "set label {} at first {},{} center front boxed noenhanced font ',{}' textcolor rgb "
        "'#000000'\n",
        quoted(t.text), t.x, t.y, font_size(0.8));
  }

  std::size_t colours = 0;
  for (std::size_t i = 0; i < p.curves.size(); ++i) {
    colours = std::max(colours, p.curves[i].colour.value_or(i) + 1);
  }
  std::vector<std::string> paints;
  for (std::size_t i = 0; i < p.curves.size(); ++i) {
    paints.push_back(colour(theme_, p.curves[i].colour.value_or(i), colours));
  }
  add_marks(script, p, x, paints);
  if (p.y_range) {
    script += fmt::format("set yrange [{}:{}]\n", p.y_range->first, p.y_range->second);
  }
  if (p.log_y && y.any() && !p.y_range && !spans_decades(y)) {
    // Not to the next powers of ten.
    constexpr double margin = 1.15;
    script += fmt::format("set yrange [{}:{}]\n", y.lo / margin, y.hi * margin);
  }
  if (kind == legend::at_the_curves && content) {
    if (!p.y_range) {
      // The same that gnuplot would find, but known to the labels.
      if (p.log_y) {
        y = spans_decades(y) ? extent{std::pow(10.0, std::floor(std::log10(y.lo))),
                                      std::pow(10.0, std::ceil(std::log10(y.hi)))}
                             : extent{y.lo / 1.05, y.hi * 1.05};
      } else {
        const double margin = y.hi > y.lo ? 0.05 * (y.hi - y.lo) : std::max(1.0, std::abs(y.hi));
        y = {y.lo - margin, y.hi + margin};
      }
      script += fmt::format("set yrange [{}:{}]\n", y.lo, y.hi);
    }
    script += fmt::format("set rmargin {:.3g}\n",
                          add_labels_at_curves(script, p, y, axes_height, paints));
  }
  std::string plots;
  const auto add_plot = [&](const std::string& style, const std::string& label) {
    plots += fmt::format("{}{} index {} with {} {}", plots.empty() ? "" : ", \\\n     ", data_,
                         index, style, label.empty() ? "notitle" : "title " + quoted(label));
  };
  if (p.heat) {
    // As polygons, sharp at any size, unless they are many; those of a .png have seams.
    constexpr std::size_t many = 4096;
    add_plot(!is_regular(*p.heat)
                 ? "boxxyerror fillstyle solid 1.0 noborder linecolor palette"
                 : (p.heat->z.size() > many || ending_ == ".png" ? "image" : "image pixels"),
             "");
    ++index;
  }
  if (!p.field.empty()) {
    add_plot(
        fmt::format("vectors head size graph 0.008,25 filled linecolor rgb '{}'", theme_.field),
        "");
    ++index;
  }
  for (std::size_t i = 0; i < p.curves.size(); ++i) {
    const curve& c = p.curves[i];
    if (is_visible(p, c)) {
      add_plot(style_of(p, c, i, paints[i], kind), kind == legend::key && !c.label.empty()
                                                       ? shortened(c.label, most_in_a_label())
                                                       : "");
    }
    ++index;
  }
  if (content) {
    script += "plot " + plots + "\n";
    return;
  }
  // gnuplot finds no range for nothing.
  extent known;
  for (const curve& c : p.curves) {
    for (const double value : c.x) {
      if (std::isfinite(value) && (!p.log_x || value > 0.0)) {
        known.add(value);
      }
    }
  }
  if (!(known.lo < known.hi)) {
    known = p.log_x ? extent{1.0, 10.0} : extent{0.0, 1.0};
  }
  script += fmt::format(
      "set label {} at graph 0.5, graph 0.5 center noenhanced textcolor rgb '{}'\n"
      "plot [{}:{}] {} NaN notitle\n",
      quoted(p.nothing), theme_.text, known.lo, known.hi, p.log_y ? "[1:10]" : "[0:1]");
}

}  // namespace

bool has_content(const panel& p) {
  return p.heat || !p.field.empty() ||
         std::any_of(p.curves.begin(), p.curves.end(),
                     [&p](const curve& c) { return is_visible(p, c); });
}

bool has_content(const figure& f) {
  return std::any_of(f.panels.begin(), f.panels.end(),
                     [](const panel& p) { return has_content(p); });
}

std::string script_file_name(const fs::path& name) {
  if (!is_printable(name.string())) {
    throw drawing_error("'" + name.string() + "' holds characters that no script can name");
  }
  return literal(name.is_absolute() ? name.string() : "./" + name.string());
}

void require_picture_ending(const fs::path& picture) {
  const std::string ending = picture.extension().string();
  if (ending != ".svg" && ending != ".pdf" && ending != ".png" && ending != ".tex") {
    throw argument_error("the ending of the figure", "'" + picture.string() + "'", picture_endings);
  }
}

std::vector<double> cell_edges(const std::vector<double>& places) {
  std::vector<double> edges;
  const std::size_t n = places.size();
  for (std::size_t i = 0; i + 1 < n; ++i) {
    edges.push_back(0.5 * (places[i] + places[i + 1]));
  }
  const double first = n > 1 ? edges.front() - places.front() : 0.5;
  const double last = n > 1 ? places.back() - edges.back() : 0.5;
  edges.insert(edges.begin(), places.front() - first);
  edges.push_back(places.back() + last);
  return edges;
}

std::string gnuplot_script(const figure& f, const std::string& picture_name,
                           const std::string& data_name, const figure_style& style) {
  require_picture_ending(picture_name);
  return script_writer(f, picture_name, data_name, style).text();
}

std::string gnuplot_data(const figure& f) {
  std::string text;
  write_gnuplot_data(f, [&text](std::string_view piece) { text += piece; });
  return text;
}

void write_gnuplot_data(const figure& f, const std::function<void(std::string_view)>& sink) {
  std::string text;
  // Gives away what has come together, once that is much.
  const auto pass_on = [&](std::size_t at_least) {
    if (text.size() >= at_least) {
      sink(text);
      text.clear();
    }
  };
  const auto add = [&]<class... Values>(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Values>(values)...);
    constexpr std::size_t piece = std::size_t{1} << 16;
    pass_on(piece);
  };
  for (const panel& p : f.panels) {
    if (p.heat) {
      const heat_map& h = *p.heat;
      const bool regular = is_regular(h);
      const std::vector<double> across = cell_edges(h.x);
      const std::vector<double> up = cell_edges(h.y);
      add("# map: x y {}{}\n", regular ? "" : "left right bottom top ", shown(h.label));
      for (std::size_t k = 0; k < h.y.size(); ++k) {
        for (std::size_t i = 0; i < h.x.size(); ++i) {
          const double z = h.z[k * h.x.size() + i];
          if (!regular) {
            if (std::isfinite(z)) {
              add("{} {} {} {} {} {} {}\n", h.x[i], h.y[k], across[i], across[i + 1], up[k],
                  up[k + 1], z);
            }
          } else if (std::isfinite(z)) {
            add("{} {} {}\n", h.x[i], h.y[k], z);
          } else {
            add("{} {} NaN\n", h.x[i], h.y[k]);
          }
        }
      }
      add("\n\n");
    }
    if (!p.field.empty()) {
      add("# field: x y dx dy\n");
      for (const field_arrow& a : p.field) {
        add("{} {} {} {}\n", a.x, a.y, a.dx, a.dy);
      }
      add("\n\n");
    }
    for (const curve& c : p.curves) {
      add("# {}{}{}\n", shown(p.title), p.title.empty() ? "" : ": ", shown(c.label));
      bool any = false;
      bool gap = false;  // between the last point and the next, if one comes
      for (std::size_t i = 0; i < c.x.size(); ++i) {
        if (!std::isfinite(c.x[i]) || !std::isfinite(c.y[i])) {
          gap = any;
          continue;
        }
        add("{}{} {}\n", gap ? "\n" : "", c.x[i], c.y[i]);
        any = true;
        gap = false;
      }
      if (!any) {
        add("NaN NaN\n");
      }
      add("\n\n");
    }
  }
  pass_on(1);
}

}  // namespace loradyn
