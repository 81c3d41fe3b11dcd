#include "output.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <loradyn/error.hpp>
#include <loradyn/version.hpp>

namespace loradyn::cli {
namespace {

// Names the option in what the constructor of a file throws.
template <class File>
void open(std::optional<File>& file, const char* option, const std::string& path) {
  if (path.empty()) {
    return;
  }
  try {
    file.emplace(path);
  } catch (const argument_error& e) {
    throw argument_error(option, e.value(), "a name that ends in " + e.expected());
  } catch (const file_error& e) {
    throw file_error(std::string(option) + " " + e.what());
  }
}

}  // namespace

std::string shell_quoted(const std::string& word) {
  const std::string plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
    return word;
  }
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

outputs::outputs(const shared_options& options) {
  open(table_, "--output", options.output);
  open(figure_, "--plot", options.figure);
}

void outputs::write(const table& t, const std::function<figure(const table&)>& figure_of) {
  if (table_) {
    table_->write(t);
  } else {
    write_stdout(to_csv(t));
  }
  if (figure_) {
    figure_->draw(figure_of(t));
  }
}

void write_stdout(const std::string& text) {
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written != text.size() || std::fflush(stdout) != 0) {
    throw file_error(std::string("standard output can't be written: ") + std::strerror(errno));
  }
}

table make_table(const invocation& call, const shared_options& options, const std::string& mu,
                 std::vector<std::string> columns) {
  table t;
  t.meta.version = version;
  t.meta.command = call.command_line;
  t.meta.parameters = describe(options, mu);
  t.columns = std::move(columns);
  return t;
}

void append(table& t, const std::vector<std::pair<std::string, std::string>>& parameters) {
  t.meta.parameters.insert(t.meta.parameters.end(), parameters.begin(), parameters.end());
}

int exit_code_for(const table& t) {
  const std::vector<std::string> statuses = t.texts("status");
  // A run that met its event is a result, though its rest was not reached.
  std::vector<double> times(statuses.size(), std::nan(""));
  if (t.find("t_hit")) {
    times = t.numbers("t_hit");
  }
  bool all_failed = !statuses.empty();
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const std::string& s = statuses[i];
    const bool failed =
        s == "no-convergence" || s == "blow-up" || s == "step-limit" || s == "step-underflow";
    all_failed = all_failed && failed && std::isnan(times[i]);
  }
  if (all_failed) {
    std::fputs("loradyn: no point came to a result; the table names the status of each\n", stderr);
    return computation_failed;
  }
  return done;
}

}  // namespace loradyn::cli
