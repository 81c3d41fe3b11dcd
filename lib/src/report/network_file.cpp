#include <fmt/format.h>

#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/report/file.hpp>
#include <optional>
#include <utility>
#include <vector>
#include "report/file_words.hpp"

namespace loradyn {
namespace {

// A file of rows and readouts, or of where a run ends, which has V and U beside them.
class network_file {
 public:
  network_file(const file_word& file, std::vector<std::string> more)
      : place_(file.place), values_(file.values) {
    std::vector<std::string> keys{"teacher", "pretrained",      "source",
                                  "gram",    "width",           "teacher-width",
                                  "readout", "teacher-readout", "source-readout"};
    keys.insert(keys.end(), more.begin(), more.end());
    for (const auto& [key, node] : values_) {
      const std::string name(key.str());
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
        throw fault(name, fmt::format("is no key; the nearest are {}", nearest_names(name, keys)));
      }
    }
  }

  [[nodiscard]] network_geometry geometry() const {
    network_geometry g;
    if (values_.contains("gram")) {
      for (const char* key : {"teacher", "pretrained", "source"}) {
        if (values_.contains(key)) {
          throw fault(key, "stands beside gram, which says it");
        }
      }
      g = geometry_of_gram(matrix("gram"), size("teacher-width"), size("width"));
    } else {
      for (const char* key : {"width", "teacher-width"}) {
        if (values_.contains(key)) {
          throw fault(key, "belongs to gram; here the rows say it");
        }
      }
      g.teacher = matrix("teacher");
      g.pretrained = matrix("pretrained");
      g.source = values_.contains("source") ? matrix("source")
                                            : Eigen::MatrixXd::Zero(0, g.teacher.cols());
    }
    g.readout = readout("readout", g.pretrained.rows());
    g.teacher_readout = readout("teacher-readout", g.teacher.rows());
    g.source_readout = readout("source-readout", g.source.rows());
    g.validate();
    return g;
  }

  [[nodiscard]] bool has(const char* key) const { return values_.contains(key); }

  [[nodiscard]] Eigen::MatrixXd matrix(const char* key) const {
    const toml::node* node = values_.get(key);
    const toml::array* rows = node == nullptr ? nullptr : node->as_array();
    if (rows == nullptr || rows->empty()) {
      throw fault(key, "must be there, an array of rows");
    }
    Eigen::MatrixXd m;
    Eigen::Index i = 0;
    for (const toml::node& row : *rows) {
      const toml::array* numbers = row.as_array();
      if (numbers == nullptr || numbers->empty() || rows->size() > 4 * study::most_neurons ||
          numbers->size() > 4 * study::most_neurons) {
        throw fault(key, "must be an array of rows of numbers");
      }
      const auto columns = static_cast<Eigen::Index>(numbers->size());
      if (i == 0) {
        m.resize(static_cast<Eigen::Index>(rows->size()), columns);
      } else if (columns != m.cols()) {
        throw fault(key, fmt::format("has rows of {} and of {} numbers", m.cols(), columns));
      }
      for (Eigen::Index j = 0; j < columns; ++j) {
        m(i, j) = number(key, *numbers->get(static_cast<std::size_t>(j)));
      }
      ++i;
    }
    return m;
  }

 private:
  [[nodiscard]] error fault(const std::string& key, const std::string& what) const {
    return error(fmt::format("{}: {} {}", place_, key, what));
  }

  [[nodiscard]] double number(const std::string& key, const toml::node& node) const {
    const auto value = node.is_number() ? node.value<double>() : std::optional<double>();
    if (!value) {
      throw fault(key, "must hold numbers");
    }
    return *value;
  }

  [[nodiscard]] std::ptrdiff_t size(const char* key) const {
    const toml::node* node = values_.get(key);
    const auto value =
        node == nullptr ? std::optional<std::int64_t>() : node->value<std::int64_t>();
    if (!value || !node->is_integer() || *value < 1 ||
        *value > static_cast<std::int64_t>(study::most_neurons)) {
      throw fault(
          key, fmt::format("must be a whole number from 1 to {} beside gram", study::most_neurons));
    }
    return static_cast<std::ptrdiff_t>(*value);
  }

  [[nodiscard]] Eigen::VectorXd readout(const char* key, Eigen::Index count) const {
    const toml::node* node = values_.get(key);
    if (node == nullptr) {
      return Eigen::VectorXd::Ones(count);
    }
    const toml::array* numbers = node->as_array();
    if (numbers == nullptr) {
      throw fault(key, "must be an array of numbers");
    }
    Eigen::VectorXd v(static_cast<Eigen::Index>(numbers->size()));
    for (std::size_t i = 0; i < numbers->size(); ++i) {
      v[static_cast<Eigen::Index>(i)] = number(key, *numbers->get(i));
    }
    return v;
  }

  const std::string& place_;
  const toml::table& values_;
};

std::string to_toml(const Eigen::VectorXd& v) {
  std::string text = "[";
  for (Eigen::Index i = 0; i < v.size(); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", v[i]);
  }
  return text + "]";
}

std::string to_toml(const Eigen::MatrixXd& m) {
  std::string text = "[";
  for (Eigen::Index i = 0; i < m.rows(); ++i) {
    text += (i == 0 ? "" : ", ") + to_toml(Eigen::VectorXd(m.row(i)));
  }
  return text + "]";
}

// Each array of a geometry, and of where a run ends, under its key.
template <class Visit>
void visit_members(const network_geometry& g, const Visit& visit) {
  visit("teacher", g.teacher);
  visit("pretrained", g.pretrained);
  visit("readout", g.readout);
  visit("teacher-readout", g.teacher_readout);
  if (g.source.rows() > 0) {
    visit("source", g.source);
    visit("source-readout", g.source_readout);
  }
}

template <class Visit>
void visit_members(const network_start_values& values, const Visit& visit) {
  visit_members(values.geometry, visit);
  if (values.start.U) {
    visit("U", *values.start.U);
  }
  visit("C", values.start.C);
  visit("P", values.start.P);
}

// Arrays stand in JSON as they do in TOML.
template <class Values>
std::string to_json(const Values& values) {
  std::string text;
  visit_members(values, [&](const char* key, const auto& value) {
    text += fmt::format("{}\"{}\":{}", text.empty() ? "{" : ",", key, to_toml(value));
  });
  return text + "}";
}

file_word start_of(const std::string& path) {
  return {"--start", path, file_word::source::regular};
}

}  // namespace

network_geometry read_network(const file_word& file) { return network_file(file, {}).geometry(); }

network_start_values read_network_start(const file_word& file) {
  const network_file said(file, {"U", "C", "P"});
  network_start_values values{said.geometry(), {}};
  if (said.has("U")) {
    values.start.U = said.matrix("U");
  }
  values.start.C = said.matrix("C");
  values.start.P = said.matrix("P");
  return values;
}

std::string text_of(const network_geometry& rows) { return to_json(rows); }
std::string text_of(const network_start_values& start) { return to_json(start); }

network_geometry network_of_text(const std::string& text) {
  if (!text.starts_with('{')) {
    throw error("network: it is no table in braces");
  }
  return read_network({"network", text, file_word::source::regular});
}

bool is_network_start_file(const std::string& path) {
  try {
    return start_of(path).values.contains("C");
  } catch (const error&) {
    return false;
  }
}

network_start_values read_network_start_file(const std::string& path) {
  return read_network_start(start_of(path));
}

void write_network_start_file(const std::string& path, const network_start_values& values) {
  std::string text;
  visit_members(values, [&](const char* key, const auto& value) {
    text += fmt::format("{} = {}\n", key, to_toml(value));
  });
  pending_file file(path);
  file.write(text);
  file.commit();
}

}  // namespace loradyn
