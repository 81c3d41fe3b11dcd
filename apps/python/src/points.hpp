#pragma once

// The points of a question: the broadcast of all arguments that may be arrays.

#include <functional>
#include <loradyn/study/parameter.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arrays.hpp"
#include "call.hpp"
#include "pairs.hpp"

namespace loradyn::python {

// The arguments student, teacher and time_unit.
std::vector<argument> pair_arguments();
argument time_unit_argument();

class points {
 public:
  // Of the pair, these parameters and other arguments that are numbers. What may be None, and is,
  // is left as it is. Throws argument_error for a value out of range.
  points(const call& given, std::span<const study::parameter* const> parameters,
         const std::vector<std::string>& others = {});

  [[nodiscard]] const shape& extent() const { return whole_; }
  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] study::parameter_point at(std::size_t i) const {
    study::parameter_point p = otherwise_;
    for (const auto& [what, values] : swept_) {
      what->set(p, values[i]);
    }
    return p;
  }
  [[nodiscard]] const kept_pair& pair(std::size_t i) const {
    return *pairs_[pair_places_.empty() ? 0 : pair_places_[i]];
  }
  [[nodiscard]] const shared_pair& shared(std::size_t i) const {
    return pairs_[pair_places_.empty() ? 0 : pair_places_[i]];
  }
  // An argument of `others`; the first throws where it is None.
  [[nodiscard]] double other(std::string_view name, std::size_t i) const {
    return optional(name, i).value();
  }
  [[nodiscard]] std::optional<double> optional(std::string_view name, std::size_t i) const {
    const auto found = others_.find(name);
    return found == others_.end() ? std::nullopt : std::optional(found->second[i]);
  }

  // The arrays among the arguments, by name.
  [[nodiscard]] const py::dict& varying() const { return varying_; }

 private:
  struct swept {
    const study::parameter* what;
    numbers values;
  };

  shape whole_;
  std::size_t size_ = 1;
  study::parameter_point otherwise_;
  std::vector<swept> swept_;
  std::map<std::string, numbers, std::less<>> others_;
  std::vector<shared_pair> pairs_;
  std::vector<std::size_t> pair_places_;  // empty where there is one pair
  py::dict varying_;
};

}  // namespace loradyn::python
