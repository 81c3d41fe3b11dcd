#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <loradyn/report/file.hpp>
#include <loradyn/report/network_file.hpp>
#include <loradyn/study/network.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace loradyn {
namespace {

// A file of rows and readouts, or of where a run ends, which has V and U beside them.
class network_file {
 public:
  network_file(std::string option, const std::string& path, std::vector<std::string> more)
      : place_(fmt::format("{} '{}'", option, path)) {
    try {
      values_ = toml::parse(read_file(path));
    } catch (const toml::parse_error& e) {
      throw error(fmt::format("{}, line {}, column {}: {}", place_, e.source().begin.line,
                              e.source().begin.column, e.description()));
    }
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

  std::string place_;
  toml::table values_;
};

}  // namespace

network_geometry read_network_file(const std::string& path) {
  return network_file("--network", path, {}).geometry();
}

}  // namespace loradyn
