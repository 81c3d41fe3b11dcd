#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include <loradyn/report/start_file.hpp>
#include <optional>
#include <utility>

namespace loradyn {
namespace {

// Key and value of each.
auto members(auto& v) {
  return std::array{std::pair("mu", &v.alignment), std::pair("nu", &v.misalignment),
                    std::pair("u", &v.x.u), std::pair("m", &v.x.m), std::pair("s", &v.x.s)};
}

}  // namespace

start_values read_start_file(const std::string& path) {
  toml::table values;
  try {
    values = toml::parse(read_file(path));
  } catch (const toml::parse_error& e) {
    throw error(fmt::format("--start '{}', line {}, column {}: {}", path, e.source().begin.line,
                            e.source().begin.column, e.description()));
  }
  start_values read;
  for (const auto& [key, target] : members(read)) {
    const toml::node* const node = values.get(key);
    // None, too, for an integer that no double is.
    const auto value =
        node != nullptr && node->is_number() ? node->value<double>() : std::optional<double>();
    if (!value) {
      throw error(fmt::format("--start '{}': {} must be there, and a number", path, key));
    }
    *target = *value;
  }
  if (values.size() != members(read).size()) {
    throw error(fmt::format("--start '{}' must hold mu, nu, u, m and s alone", path));
  }
  return read;
}

void write_start_file(const std::string& path, const start_values& values) {
  pending_file file(path);
  std::string text;
  for (const auto& [key, value] : members(values)) {
    text += fmt::format("{} = {}\n", key, *value);
  }
  file.write(text);
  file.commit();
}

}  // namespace loradyn
