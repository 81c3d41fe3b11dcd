#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <loradyn/interruption.hpp>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/printable.hpp>
#include <loradyn/sweep/range.hpp>
#include <utility>
#include "report/child_process.hpp"
#include "report/descriptor.hpp"
#include "report/figure_script.hpp"

extern char** environ;

namespace loradyn {
namespace fs = std::filesystem;

namespace {

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
                                : ending == ".tex" ? "\\endgroup"sv
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
      "picture = " + script_file_name(beside ? output.filename() : fs::absolute(output));
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
  require_picture_ending(picture);
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

// What a .tex names its lines by: the picture's own name without its ending.
std::string stem_of(const fs::path& picture) { return picture.stem().string(); }

// Whether a script was written by a figure.
bool is_script(const fs::path& script) {
  std::error_code fault;
  if (!fs::is_regular_file(script, fault)) {
    return false;
  }
  std::ifstream in = open_to_read(script);
  std::string beginning(std::string_view(script_beginning).size(), '\0');
  in.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  return in && beginning == script_beginning;
}

// What comes with a picture takes the place of what came with one before, and of nothing else.
fs::path companion(const fs::path& picture, const char* ending) {
  fs::path name = with_ending(picture, ending);
  std::error_code fault;
  if (fs::is_regular_file(name, fault) && fs::file_size(name, fault) > 0 &&
      !is_script(with_ending(picture, ".gp"))) {
    throw file_error("'" + name.string() + "', which comes with '" + picture.string() +
                     "', is there and was made by no figure: give the figure another name");
  }
  return name;
}

void require_family(const std::string& font) {
  const bool plain = std::all_of(font.begin(), font.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == ' ' || c == '-';
  });
  if (!plain) {
    throw argument_error("the font", "'" + shown(font) + "'",
                         "letters, digits, spaces and hyphens");
  }
}

}  // namespace

std::pair<double, double> read_figure_size(const std::string& option, const std::string& text) {
  constexpr double column = 8.6;
  constexpr double page = 17.8;
  constexpr double least = 3.0;
  constexpr double most = 100.0;
  if (text == "column" || text == "page") {
    return {text == "column" ? column : page, 0.0};
  }
  const std::size_t comma = text.find(',');
  if (comma == std::string::npos) {
    throw argument_error(option, "'" + text + "'",
                         "width and height in cm such as 8.6,6, or column or page");
  }
  const auto side = [&](const std::string& number) {
    const double value = parse_number(option, number);
    if (!(value >= least && value <= most)) {
      throw argument_error(option, "'" + text + "'",
                           fmt::format("from {} to {} cm wide and high", least, most));
    }
    return value;
  };
  const double width = side(text.substr(0, comma));
  return {width, side(text.substr(comma + 1))};
}

figure_file::figure_file(const fs::path& picture, figure_style style)
    : style_(std::move(style)),
      picture_(drawable(picture)),
      script_(companion(picture, ".gp")),
      data_(companion(picture, ".dat")) {
  require_family(style_.font);
  if (picture.extension() == ".tex") {
    lines_.emplace(companion(picture, ".pdf"));
  }
}

void figure_file::draw(const figure& f) {
  script_.write(gnuplot_script(f, picture_.final_name().filename().string(),
                               data_.final_name().filename().string(), style_));
  file_writer data(data_);
  write_gnuplot_data(f, [&data](std::string_view piece) {
    check_stop();
    data.append(piece);
  });
  data.close();
  script_.commit();  // first: it tells whose the data are
  data_.commit();
  run_gnuplot(script_.final_name(), picture_.path());
  if (!is_whole(picture_.path())) {
    throw drawing_error("'" + picture_.final_name().string() +
                        "' can't be written: gnuplot did not finish it, as on a full disk; '" +
                        script_.final_name().string() + "' draws it");
  }
  if (lines_) {
    commit_tex();
  }
  picture_.commit();
}

// gnuplot wrote the lines beside the temporary picture, and their temporary name into it.
void figure_file::commit_tex() {
  const fs::path drawn = fs::path(picture_.path()).replace_extension(".pdf");
  const std::string lines = read_file(drawn);
  std::error_code ignored;
  fs::remove(drawn, ignored);
  lines_->write(lines);
  std::string text = read_file(picture_.path());
  const std::string temporary = stem_of(picture_.path());
  const std::string final_stem = stem_of(picture_.final_name());
  for (std::size_t at = text.find(temporary); at != std::string::npos;
       at = text.find(temporary, at + final_stem.size())) {
    // With what gnuplot put before it: the directory, where that is another.
    const std::size_t brace = text.rfind('{', at);
    text.replace(brace + 1, at + temporary.size() - brace - 1, final_stem);
    at = brace;
  }
  picture_.write(text);
  lines_->commit();
}

}  // namespace loradyn
