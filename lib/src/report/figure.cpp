#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <loradyn/interruption.hpp>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/printable.hpp>
#include <utility>
#include "report/child_process.hpp"
#include "report/descriptor.hpp"

extern char** environ;

namespace loradyn {
namespace fs = std::filesystem;

namespace {

// Okabe and Ito's palette, which the colour-blind can tell apart; the yellow is left out.
constexpr std::array<const char*, 7> palette{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                             "#E69F00", "#56B4E9", "#000000"};

const char* colour(std::size_t i) { return palette[i % palette.size()]; }

// A text as a picture shows it: a line without control characters, and not longer than anybody
// reads.
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

// A text in a script: this, `quoted_tick` and `file_name` are the only ways for a string into one.
std::string quoted(const std::string& text) { return literal(shown(text)); }

// The same as the text of a tick, which gnuplot takes for a format of its place.
std::string quoted_tick(const std::string& text) {
  std::string format;
  for (const char c : shown(text)) {
    format += c;
    if (c == '%') {
      format += c;
    }
  }
  return literal(format);
}

// The name of a file in a script: one in the script's directory as ./name, so that gnuplot takes
// none of its first characters for a pipe, a home directory or a block of data.
std::string file_name(const fs::path& name) {
  if (!is_printable(name.string())) {
    throw drawing_error("'" + name.string() + "' holds characters that no script can name");
  }
  return literal(name.is_absolute() ? name.string() : "./" + name.string());
}

// In points of a screen.
std::size_t width_of(const figure& f) {
  if (f.panels.size() == 1) {
    return 680;
  }
  // A map shares its width with its colours.
  const bool maps = std::any_of(f.panels.begin(), f.panels.end(),
                                [](const panel& p) { return p.heat.has_value(); });
  return (maps ? 560 : 440) * f.panels.size();
}

std::string terminal(const fs::path& picture, std::size_t width) {
  const std::string ending = picture.extension().string();
  if (ending == ".svg") {
    return fmt::format("set terminal svg size {},460 font 'Helvetica,14' background rgb 'white'",
                       width);
  }
  if (ending == ".pdf") {
    return fmt::format("set terminal pdfcairo size {:.2f}in,4.6in font 'Helvetica,12'",
                       static_cast<double>(width) / 100.0);
  }
  if (ending == ".png") {
    return fmt::format("set terminal pngcairo size {},920 font 'Helvetica,22' linewidth 2",
                       2 * width);
  }
  throw argument_error("the ending of the figure", "'" + picture.string() + "'",
                       ".svg, .pdf or .png");
}

// The last bytes of a file, or all of them.
std::string end_of(const fs::path& path, std::size_t count) {
  std::ifstream in = open_to_read(path);
  in.seekg(0, std::ios::end);
  const auto size = static_cast<std::streamoff>(in.tellg());
  const std::streamoff length = std::min(size, static_cast<std::streamoff>(count));
  std::string text(static_cast<std::size_t>(length), '\0');
  in.seekg(size - length);
  in.read(text.data(), length);
  return in ? text : "";
}

// Whether a picture ends as its format does. gnuplot does not say where the disk took no more.
bool is_whole(const fs::path& picture) {
  constexpr std::size_t tail = 1024;
  const std::string end = end_of(picture, tail);
  const std::string ending = picture.extension().string();
  using namespace std::string_view_literals;
  const std::string_view mark = ending == ".svg"   ? "</svg>"sv
                                : ending == ".pdf" ? "%%EOF"sv
                                                   : "IEND\xae\x42\x60\x82"sv;
  const std::size_t at = end.rfind(mark);
  return at != std::string::npos &&
         end.find_first_not_of("\r\n", at + mark.size()) == std::string::npos;
}

// What comes out of a pipe until all its writers have closed it. \throws interrupted
std::string read_pipe(int pipe) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    check_stop();
    constexpr int patience = 50;  // ms until the stop is looked at
    ::pollfd waiting{pipe, POLLIN, 0};
    if (::poll(&waiting, 1, patience) <= 0) {
      continue;
    }
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count == 0 || (count < 0 && errno != EINTR)) {
      return text;
    }
    // The rest of a long complaint is read and dropped.
    constexpr std::size_t most = std::size_t{1} << 16;
    if (count > 0 && text.size() < most) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }
}

// Runs gnuplot on a script in its directory, without a shell and without the settings in
// ~/.gnuplot; `output` replaces the name of the picture. \throws drawing_error, interrupted
void run_gnuplot(const fs::path& script, const fs::path& output) {
  const fs::path directory = script.has_parent_path() ? script.parent_path() : fs::path(".");
  const bool beside = output.parent_path() == script.parent_path();
  std::string program = "gnuplot";
  std::string defaults = "-d";
  std::string option = "-e";
  std::string assignment =
      "picture = " + file_name(beside ? output.filename() : fs::absolute(output));
  std::string name = "./" + script.filename().string();
  std::array<char*, 6> arguments{program.data(),    defaults.data(), option.data(),
                                 assignment.data(), name.data(),     nullptr};
  std::array<int, 2> channel{};
  if (::pipe2(channel.data(), O_CLOEXEC) != 0) {
    throw drawing_error(std::string("gnuplot can't be run: ") + std::strerror(errno));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, channel[1], STDERR_FILENO);
  pid_t id = 0;
  const int fault =
      posix_spawnp(&id, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(channel[1]);
  const file_descriptor complaints(channel[0]);
  if (fault != 0) {
    throw drawing_error(fault == ENOENT
                            ? "gnuplot is not installed, so no figure was drawn; '" +
                                  script.string() + "' draws it"
                            : std::string("gnuplot can't be run: ") + std::strerror(fault));
  }
  child_process child(id);
  std::string complaint = read_pipe(complaints);
  if (child.wait_for_end() != 0) {
    std::replace(complaint.begin(), complaint.end(), '\n', ' ');
    throw drawing_error("gnuplot failed on '" + script.string() + "': " + shown(complaint));
  }
}

fs::path with_ending(fs::path picture, const char* ending) {
  terminal(picture, 1);  // refuses a picture's ending that is not known
  return picture.replace_extension(ending);
}

// A picture's name that a script can hold.
const fs::path& drawable(const fs::path& picture) {
  if (!is_printable(picture.string())) {
    throw file_error("'" + picture.string() +
                     "' can't be drawn: a figure's name must be without control characters");
  }
  return picture;
}

// Whether the positive values of a panel span two decades, so that its axis is told in powers of
// ten.
bool spans_decades(const panel& p) {
  double least = std::numeric_limits<double>::infinity();
  double largest = 0.0;
  for (const curve& c : p.curves) {
    for (const double y : c.y) {
      if (y > 0.0 && std::isfinite(y)) {
        least = std::min(least, y);
        largest = std::max(largest, y);
      }
    }
  }
  return largest >= 100.0 * least;
}

// Whether there is anything to draw inside the axes.
bool has_points(const panel& p) {
  return p.heat || !p.field.empty() ||
         std::any_of(p.curves.begin(), p.curves.end(), [&p](const curve& c) {
           for (std::size_t i = 0; i < c.x.size(); ++i) {
             if (std::isfinite(c.x[i]) && std::isfinite(c.y[i]) && (!p.log_x || c.x[i] > 0.0) &&
                 (!p.log_y || c.y[i] > 0.0)) {
               return true;
             }
           }
           return false;
         });
}

std::string style_of(const curve& c, std::size_t i) {
  const char* paint = colour(c.colour.value_or(i));
  if (c.points) {
    constexpr std::array<int, 5> types{7, 6, 8, 2, 5};
    constexpr std::size_t many = 30;
    return fmt::format("points pointtype {} pointsize {} linewidth 1.5 linecolor rgb '{}'",
                       types[static_cast<std::size_t>(c.shape)], c.x.size() > many ? 0.5 : 1.0,
                       paint);
  }
  const char* dashes = "1";
  switch (c.style) {
    case line_style::alternating:
      dashes = i % 2 == 0 ? "1" : "(12,5)";
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
  return fmt::format("lines linewidth 2 dashtype {} linecolor rgb '{}'", dashes, paint);
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

// The colours of a heat map: viridis, which reads in grey too, or a colour for each category.
void add_heat_settings(std::string& script, const panel& p) {
  if (!p.heat) {
    return;
  }
  const heat_map& h = *p.heat;
  script += fmt::format("set cblabel {} noenhanced offset 0.5,0\n", quoted(h.label));
  if (h.categories.empty()) {
    script +=
        "set palette defined (0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', 4 '#fde725')\n"
        "set palette maxcolors 0\nset cbtics autofreq\nset rmargin -1\n";
    // gnuplot refuses an empty range, and finds one around a single value.
    script += h.range && h.range->first < h.range->second
                  ? fmt::format("set cbrange [{}:{}]\n", h.range->first, h.range->second)
                  : "set autoscale cb\n";
  } else {
    constexpr std::array<const char*, 5> colours{"#21918c", "#fde725", "#e69f00", "#dddddd",
                                                 "#cc79a7"};
    std::string steps;
    std::string names;
    // gnuplot leaves room for numbers only; the names, the colours and their label need more.
    constexpr std::size_t room = 4;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < h.categories.size(); ++i) {
      const char* separator = i == 0 ? "" : ", ";
      steps += fmt::format("{}{} '{}'", separator, i, colours[i % colours.size()]);
      names += fmt::format("{}{} {}", separator, quoted_tick(h.categories[i]), i);
      longest = std::max(longest, h.categories[i].size());
    }
    script += fmt::format(
        "set palette maxcolors {0}\nset palette defined ({1})\nset cbrange [-0.5:{2}.5]\nset "
        "cbtics "
        "({3}) noenhanced\nset rmargin {4}\n",
        h.categories.size(), steps, h.categories.size() - 1, names, room + longest);
  }
  const std::vector<double> across = cell_edges(h.x);
  const std::vector<double> up = cell_edges(h.y);
  script += fmt::format(
      "set xrange [{}:{}]\nset yrange [{}:{}]\nset style textbox opaque fillcolor rgb '#ffffff' "
      "noborder margins 0.6,0.4\nunset grid\n",
      across.front(), across.back(), up.front(), up.back());
}

void add_panel(std::string& script, const panel& p, const std::string& data_name,
               std::size_t& index) {
  script +=
      fmt::format("\nset title {} noenhanced\nset xlabel {} noenhanced\nset ylabel {} noenhanced\n",
                  quoted(p.title), quoted(p.x_label), quoted(p.y_label));
  script += p.log_y ? "set logscale y\n" : "unset logscale y\n";
  script += p.log_x ? "set logscale x\nset format x '10^{%T}'\n"
                    : "unset logscale x\nset format x '%g'\n";
  if (p.x_is_log10) {
    script += "set format x '10^{%g}'\n";
  }
  add_heat_settings(script, p);
  script += p.log_y && spans_decades(p) ? "set format y '10^{%T}'\n" : "set format y '%g'\n";
  if (p.y_is_log10) {
    script += "set format y '10^{%g}'\n";
  }
  script += "unset arrow\nunset label\n";
  if (p.ticks.empty()) {
    script += "set xtics autofreq norotate\nset autoscale xfix\nset offsets 0,0,0,0\n";
  } else {
    std::string ticks;
    for (const tick& t : p.ticks) {
      ticks += fmt::format("{}{} {}", ticks.empty() ? "" : ", ", quoted_tick(t.label), t.x);
    }
    script += "set xtics (" + ticks + ") rotate by -45 noenhanced\nset offsets 0.5,0.5,0,0\n";
  }
  for (const panel_text& t : p.texts) {
    script += fmt::format("set label {} at first {},{} center front boxed noenhanced font ',11'\n",
                          quoted(t.text), t.x, t.y);
  }
  bool low = true;
  for (const mark& m : p.marks) {
    script += fmt::format(
        "set arrow from first {0}, graph 0 to first {0}, graph 1 nohead dashtype 2 linewidth 1 "
        "linecolor rgb '{1}'\n"
        "set label {2} at first {0}, graph 1.0 offset 0,{3} center noenhanced font ',10' textcolor "
        "rgb '{1}'\n",
        m.x, colour(m.curve), quoted(m.label), low ? 0.5 : 1.3);
    low = !low;  // neighbours at two heights, so that close ones stay legible
  }
  std::string plots;
  const auto add_plot = [&](const std::string& style, const std::string& label) {
    plots += fmt::format("{}{} index {} with {} {}", plots.empty() ? "" : ", \\\n     ",
                         file_name(data_name), index++, style,
                         label.empty() ? "notitle" : "title " + quoted(label));
  };
  if (p.heat) {
    // As polygons, sharp at any size, unless they are many.
    constexpr std::size_t many = 4096;
    add_plot(!is_regular(*p.heat) ? "boxxyerror fillstyle solid 1.0 noborder linecolor palette"
                                  : (p.heat->z.size() > many ? "image" : "image pixels"),
             "");
  }
  if (!p.field.empty()) {
    add_plot("vectors head size graph 0.008,25 filled linecolor rgb '#bbbbbb'", "");
  }
  for (std::size_t i = 0; i < p.curves.size(); ++i) {
    const curve& c = p.curves[i];
    add_plot(style_of(c, i), c.label);
  }
  // gnuplot finds no range for nothing.
  const std::string ranges = has_points(p) ? ""
                                           : fmt::format("{} {} ", p.log_x ? "[1:10]" : "[0:1]",
                                                         p.log_y ? "[1:10]" : "[0:1]");
  script += plots.empty() ? "set multiplot next\n" : "plot " + ranges + plots + "\n";
}

}  // namespace

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
                           const std::string& data_name) {
  std::string script = "if (!exists('picture')) picture = " + file_name(picture_name) + "\n";
  script += terminal(picture_name, width_of(f)) + "\n";
  script +=
      "set output picture\n"
      "set encoding utf8\n"
      "set key bmargin center horizontal noenhanced samplen 2.5 width 1\n"
      "set border linecolor rgb '#444444'\n"
      "set grid linecolor rgb '#dddddd' linewidth 0.5 dashtype 1\n"
      "set tics nomirror\n";
  const bool marked = std::any_of(f.panels.begin(), f.panels.end(),
                                  [](const panel& p) { return !p.marks.empty(); });
  const bool titled = std::any_of(f.panels.begin(), f.panels.end(),
                                  [](const panel& p) { return !p.title.empty(); });
  // Room for the key below each panel, whose columns are as wide as its longest label.
  const std::size_t line_width = f.panels.size() == 1 ? 64 : 41;
  std::size_t key_lines = 2;
  for (const panel& p : f.panels) {
    constexpr std::size_t sample_width = 8;
    std::size_t entries = 0;
    std::size_t widest = 1;
    for (const curve& c : p.curves) {
      entries += c.label.empty() ? 0 : 1;
      widest = std::max(widest, c.label.size() + sample_width);
    }
    const std::size_t columns = std::max<std::size_t>(1, line_width / widest);
    key_lines = std::max(key_lines, (entries + columns - 1) / columns);
  }
  // Titles stand above the labels of marks.
  script += fmt::format(
      "set title offset 0,{}\nset bmargin {}\nset tmargin {}\nset multiplot layout 1,{}\n",
      marked ? 1.4 : 0.0, 4 + key_lines, marked ? 3.5 : (titled ? 2.5 : 1.5), f.panels.size());
  std::size_t index = 0;
  for (const panel& p : f.panels) {
    add_panel(script, p, data_name, index);
  }
  return script + "\nunset multiplot\nunset output\n";
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

figure_file::figure_file(const fs::path& picture)
    : picture_(drawable(picture)),
      script_(with_ending(picture, ".gp")),
      data_(with_ending(picture, ".dat")) {}

void figure_file::draw(const figure& f) {
  script_.write(gnuplot_script(f, picture_.final_name().filename().string(),
                               data_.final_name().filename().string()));
  file_writer data(data_);
  write_gnuplot_data(f, [&data](std::string_view piece) {
    check_stop();
    data.append(piece);
  });
  data.close();
  data_.commit();
  script_.commit();
  run_gnuplot(script_.final_name(), picture_.path());
  if (!is_whole(picture_.path())) {
    throw drawing_error("'" + picture_.final_name().string() +
                        "' can't be written: gnuplot did not finish it, as on a full disk; '" +
                        script_.final_name().string() + "' draws it");
  }
  picture_.commit();
}

}  // namespace loradyn
