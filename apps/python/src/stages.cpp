#include "stages.hpp"

#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <loradyn/error.hpp>
#include <memory>
#include <utility>

#include "pairs.hpp"

namespace loradyn::python {
namespace {

std::string with(std::string text, char from, char to) {
  std::replace(text.begin(), text.end(), from, to);
  return text;
}

// One dict. Keys are those of a file with underscores for dashes.
class stage_dict : public study::stage_words {
 public:
  stage_dict(py::dict values, std::string place)
      : values_(std::move(values)), place_(std::move(place)) {}

  [[nodiscard]] std::string place() const override { return place_; }
  [[nodiscard]] std::string written(const std::string& key) const override {
    return with(key, '-', '_');
  }

  [[nodiscard]] std::vector<std::string> keys() const override {
    std::vector<std::string> names;
    for (const auto& [key, value] : values_) {
      if (!py::isinstance<py::str>(key)) {
        throw py::type_error(
            fmt::format("{}: {} must be a str", place_, py::repr(key).cast<std::string>()));
      }
      if (!value.is_none()) {
        names.push_back(with(key.cast<std::string>(), '_', '-'));
      }
    }
    return names;
  }

  [[nodiscard]] std::optional<double> number(const std::string& key) const override {
    const py::object value = at(key);
    return value.is_none() ? std::nullopt : std::optional(number_of(name_of_key(key), value));
  }

  [[nodiscard]] std::optional<std::string> text(const std::string& key) const override {
    const py::object value = at(key);
    if (value.is_none()) {
      return std::nullopt;
    }
    if (!py::isinstance<py::str>(value)) {
      throw py::type_error(fmt::format("{} is {}, but must be a str", name_of_key(key),
                                       py::repr(value).cast<std::string>()));
    }
    return value.cast<std::string>();
  }

  [[nodiscard]] bool flag(const std::string& key) const override {
    const py::object value = at(key);
    if (value.is_none()) {
      return false;
    }
    if (!py::isinstance<py::bool_>(value)) {
      throw py::type_error(fmt::format("{} is {}, but must be True or False", name_of_key(key),
                                       py::repr(value).cast<std::string>()));
    }
    return value.cast<bool>();
  }

  [[nodiscard]] std::optional<activation> function(const std::string& key) const override {
    const py::object value = at(key);
    return value.is_none()
               ? std::nullopt
               : std::optional(activation_from(name_of_key(key).c_str(), value)->function);
  }

 private:
  [[nodiscard]] std::string name_of_key(const std::string& key) const {
    return place_ + ": " + written(key);
  }
  [[nodiscard]] py::object at(const std::string& key) const {
    const py::str name(written(key));
    return values_.contains(name) ? py::object(values_[name]) : py::object(py::none());
  }

  py::dict values_;
  std::string place_;
};

}  // namespace

argument stages_argument(const char* keys) {
  return {"stages", kinds::stages,
          fmt::format("stages one after another, a dict for each with the keys of a [[stage]] of "
                      "the program and underscores for dashes: {}; None: one",
                      keys),
          py::none()};
}

study::stage_list stages_from(const call& given) {
  study::stage_list list;
  if (!given.has("stages")) {
    return list;
  }
  const py::handle value = given["stages"];
  const auto refuse = [&] {
    return py::type_error(fmt::format("stages is {}, but must be a list of dicts",
                                      py::repr(value).cast<std::string>()));
  };
  if (!py::isinstance<py::sequence>(value) || py::isinstance<py::str>(value)) {
    throw refuse();
  }
  for (const py::handle stage : py::reinterpret_borrow<py::sequence>(value)) {
    if (!py::isinstance<py::dict>(stage)) {
      throw refuse();
    }
    list.push_back(std::make_unique<const stage_dict>(py::reinterpret_borrow<py::dict>(stage),
                                                      fmt::format("stage {}", list.size() + 1)));
  }
  if (list.empty()) {
    throw argument_error("stages", "empty", "a list of one dict and more");
  }
  return list;
}

void require_stages_alone(const call& given, std::initializer_list<std::string_view> names) {
  if (given.has("stages")) {
    given.require_left_out(names, "each stage says its own");
  }
}

void tell_stages(py::dict& more, const shape& extent, std::size_t count,
                 const std::vector<std::vector<stage_summary>>& runs) {
  shape whole = extent;
  whole.push_back(static_cast<py::ssize_t>(count));
  py::array_t<double> ends(whole);
  std::fill_n(ends.mutable_data(), ends.size(), std::numeric_limits<double>::quiet_NaN());
  double* end = ends.mutable_data();
  for (const std::vector<stage_summary>& run : runs) {
    for (std::size_t k = 0; k < run.size(); ++k) {
      end[k] = run[k].end;
    }
    end += count;
  }
  more["stage_end"] = ends;
  more["stage_status"] =
      texts_at_points(whole, runs.size() * count, [&](std::size_t i) -> std::string {
        const std::vector<stage_summary>& run = runs[i / count];
        return i % count < run.size() ? std::string(to_string(run[i % count].status)) : "";
      });
}

}  // namespace loradyn::python
