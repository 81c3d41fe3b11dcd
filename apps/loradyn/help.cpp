#include "help.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <utility>
#include <vector>

namespace loradyn::cli {
namespace {

constexpr std::size_t least_width = 40;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

// The words of a line; of an example, what stands in single quotes is a part of one.
std::vector<std::string> words_of(const std::string& line, bool example) {
  std::vector<std::string> words;
  bool quoted = false;
  bool inside = false;
  for (const char c : line) {
    quoted = example && quoted != (c == '\'');
    if (c == ' ' && !quoted) {
      inside = false;
      continue;
    }
    if (!inside) {
      words.emplace_back();
      inside = true;
    }
    words.back() += c;
  }
  return words;
}

// The words of an example, each option in one with its value.
std::vector<std::string> with_values(const std::vector<std::string>& words) {
  std::vector<std::string> joined;
  for (const std::string& word : words) {
    if (!joined.empty() && joined.back().starts_with('-') && !word.starts_with('-') &&
        joined.back().find(' ') == std::string::npos) {
      joined.back() += " " + word;
    } else {
      joined.push_back(word);
    }
  }
  return joined;
}

// Adds the words in lines; `next` begins every line but the first, `broken` ends all but the last.
void append_filled(std::string& text, std::vector<std::string> words, std::size_t width,
                   const std::string& first, const std::string& next, const std::string& broken) {
  std::string line = first;
  bool empty = true;
  // A list without spaces that is longer than a line is broken behind a comma.
  for (std::size_t i = 0; broken.empty() && i < words.size(); ++i) {
    const std::size_t room = width - std::min(width, next.size());
    const std::size_t comma =
        words[i].size() > room ? words[i].rfind(',', room - 1) : words[i].npos;
    if (comma != std::string::npos && comma + 1 < words[i].size()) {
      words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words[i].substr(comma + 1));
      words[i].resize(comma + 1);
    }
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t end = i + 1 < words.size() ? broken.size() : 0;
    if (!empty && line.size() + 1 + words[i].size() + end > width) {
      text += line + broken + "\n";
      line = next;
      empty = true;
    }
    line += (empty ? "" : " ") + words[i];
    empty = false;
  }
  text += line + "\n";
}

// The same as name and text in two columns.
std::string two_columns(const std::string& name, const std::string& text, std::size_t left) {
  std::string result = "  " + name;
  const std::size_t width = help_width();
  const std::string filled = wrapped(text, width, left);
  if (result.size() + 2 > left || filled.empty()) {
    return result + "\n" + filled;
  }
  return result + std::string(left - result.size(), ' ') + filled.substr(left);
}

}  // namespace

std::size_t help_width() {
  std::size_t width = 0;
  if (const char* columns = std::getenv("COLUMNS")) {
    width = static_cast<std::size_t>(std::strtoul(columns, nullptr, 10));
  }
  winsize window{};
  if (width == 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0) {
    width = window.ws_col;
  }
  constexpr std::size_t usual = 80;
  constexpr std::size_t most = 120;  // longer lines are hard to read
  return width == 0 ? usual : std::clamp(width, least_width, most);
}

std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
  std::string result;
  const std::string margin(indent, ' ');
  std::vector<std::string> paragraph;
  const auto end_paragraph = [&] {
    if (!paragraph.empty()) {
      append_filled(result, paragraph, width, margin, margin, "");
      paragraph.clear();
    }
  };
  std::string example;  // so far, where it goes on
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("  ")) {
      end_paragraph();
      example += line;
      if (example.ends_with('\\')) {
        example.pop_back();
        continue;
      }
      append_filled(result, with_values(words_of(example, true)), width, margin + "  ",
                    margin + "    ", " \\");
      example.clear();
    } else if (line.empty()) {
      end_paragraph();
      result += "\n";
    } else {
      const std::vector<std::string> words = words_of(line, false);
      paragraph.insert(paragraph.end(), words.begin(), words.end());
    }
  }
  end_paragraph();
  return result;
}

std::string help_formatter::make_option(const CLI::Option* option, bool is_positional) const {
  const std::size_t left = std::min<std::size_t>(28, help_width() / 3);
  return two_columns(make_option_name(option, is_positional) + make_option_opts(option),
                     make_option_desc(option), left);
}

std::string help_formatter::make_option_opts(const CLI::Option* option) const {
  std::string type = option->get_type_name();
  type = type.substr(0, type.find(':'));  // behind it CLI11 tells the range
  std::string text;
  if (option->get_type_size() != 0 && !type.empty()) {
    text = (option->get_positional() ? "" : " ") + (option->get_positional() ? "" : type);
    if (!option->get_default_str().empty()) {
      text += "=" + option->get_default_str();
    }
  }
  return text;
}

std::string help_formatter::make_subcommand(const CLI::App* command) const {
  constexpr std::size_t left = 16;
  return two_columns(command->get_name(), command->get_description(), left);
}

std::string help_formatter::make_description(const CLI::App* app) const {
  return wrapped(app->get_description(), help_width());
}

std::string help_formatter::make_usage(const CLI::App* app, std::string name) const {
  return wrapped(Formatter::make_usage(app, std::move(name)), help_width());
}

std::string help_formatter::make_footer(const CLI::App* app) const {
  const std::string footer = app->get_footer();
  return footer.empty() ? "" : wrapped(footer, help_width());
}

}  // namespace loradyn::cli
