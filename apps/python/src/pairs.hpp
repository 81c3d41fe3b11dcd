#pragma once

// Activations and pairs of them, prepared once and kept.

#include <pybind11/pybind11.h>

#include <cstdint>
#include <loradyn/activation/activation.hpp>
#include <loradyn/study/escape.hpp>
#include <loradyn/study/pair.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace loradyn::python {

namespace py = pybind11;

// An activation, with what is known of it where it stands for a Python function.
struct known_activation {
  activation function;
  std::uint64_t id = 0;  // its own: no other's of this process
  double reach = 0.0;    // of a Python function; 0 else
  double error = 0.0;
};
using shared_activation = std::shared_ptr<const known_activation>;

// A new one.
shared_activation know(activation function, double reach = 0.0, double error = 0.0);

// The activation of a text, an Activation or a callable. Those of texts and of callables are kept,
// the last used 512 of them. Throws TypeError for another type, ValueError naming the argument for
// a text that is not in the grammar.
shared_activation activation_from(std::string_view name, py::handle value);

// The approximation of a callable; see the class Activation.
shared_activation approximate_callable(const py::object& function, const py::object& first,
                                       const py::object& second, const py::object& kinks,
                                       const py::object& name, double tolerance);

// A pair as the questions take it.
class kept_pair {
 public:
  kept_pair(const activation& student, const activation& teacher, study::time_unit unit)
      : pair_(study::make_pair(student, teacher, unit)) {}

  [[nodiscard]] const study::activation_pair& pair() const { return pair_; }
  // With all that an escape needs. Of any thread.
  [[nodiscard]] const study::prepared_pair& prepared() const {
    std::call_once(once_, [this] { prepared_.emplace(pair_); });
    return *prepared_;
  }

 private:
  study::activation_pair pair_;
  mutable std::once_flag once_;
  mutable std::optional<study::prepared_pair> prepared_;
};
using shared_pair = std::shared_ptr<const kept_pair>;

// The pair; the last used 64 are kept, so that asking again costs nothing.
shared_pair pair_of(const shared_activation& student, const shared_activation& teacher,
                    study::time_unit unit);

// The class Activation.
void define_activation(py::module_& module);

}  // namespace loradyn::python
