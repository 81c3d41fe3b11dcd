#pragma once

// The arguments of a question: what is told of them, and what a call gives.

#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <loradyn/error.hpp>
#include <loradyn/names.hpp>
#include <loradyn/study/parameter.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn::python {

namespace py = pybind11;

struct argument {
  std::string name;
  std::string type;         // as a docstring and a stub say it, of `kinds` below
  std::string meaning;      // in a line or two
  py::object standard;      // what it is where nothing is given; a null object: it must be given,
  std::string unless{};     // or None beside an argument of these names, "a" or "a or b"
  bool of_network = false;  // given, the question is asked of a network
};

// The types that arguments have.
namespace kinds {
inline constexpr const char* numbers = "numbers";          // a number or an array of them
inline constexpr const char* number = "number";            // one
inline constexpr const char* whole = "whole";              // a whole number
inline constexpr const char* flag = "flag";                // True or False
inline constexpr const char* text = "text";                // a str
inline constexpr const char* activation = "activation";    // one activation
inline constexpr const char* activations = "activations";  // or an array of them
inline constexpr const char* interval = "interval";        // a pair of numbers
inline constexpr const char* record = "record";            // how many times, or which
inline constexpr const char* axis = "axis";                // of a diagram
inline constexpr const char* stages = "stages";            // a list of dicts
inline constexpr const char* progress = "progress";        // True, False or a function
inline constexpr const char* matrix = "matrix";            // rows of numbers
inline constexpr const char* network = "network";          // a Network
}  // namespace kinds

// The registry's entry as an argument: name, meaning, range and default.
argument argument_of(const study::parameter& p);
std::vector<argument> arguments_of(std::span<const study::parameter* const> parameters);

// What a call of a function with these arguments gives.
class call {
 public:
  // Throws TypeError for too many arguments, an unknown name (with the nearest known ones), one
  // that is given twice or not at all.
  call(const std::string& function, const std::vector<argument>& arguments, std::size_t positional,
       const py::args& args, const py::kwargs& kwargs);

  // The value, or the standard one.
  [[nodiscard]] py::handle operator[](std::string_view name) const;
  // Whether it is given, and not None.
  [[nodiscard]] bool has(std::string_view name) const { return !(*this)[name].is_none(); }
  // Whether a value is given, the standard one or another.
  [[nodiscard]] bool is_given(std::string_view name) const {
    return values_[index(name)] && has(name);
  }
  // Whether there is an argument of this name.
  [[nodiscard]] bool knows(std::string_view name) const;
  // Whether anything is given that asks of a network.
  [[nodiscard]] bool asks_network() const;
  // Throws argument_error, which says why, where one of these is given.
  void require_left_out(std::initializer_list<std::string_view> names,
                        const std::string& reason) const;

  // Whether it may be None.
  [[nodiscard]] bool optional(std::string_view name) const;

  // Each throws TypeError for another type, argument_error for a value out of range.
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] std::optional<double> optional_number(std::string_view name) const;
  [[nodiscard]] double positive(std::string_view name) const;
  [[nodiscard]] std::uint64_t count(std::string_view name, std::uint64_t least,
                                    std::uint64_t most) const;
  [[nodiscard]] std::string text(std::string_view name) const;
  // One of the names of an enumeration.
  template <class Value, std::size_t N>
  [[nodiscard]] Value choice(std::string_view name, const name_table<Value, N>& table) const {
    const std::string given = text(name);
    if (const auto value = value_named(table, given)) {
      return *value;
    }
    throw argument_error(std::string(name), "'" + given + "'", names_of(table));
  }
  [[nodiscard]] bool flag(std::string_view name) const;
  // One dimension, at least one number.
  [[nodiscard]] std::vector<double> list(std::string_view name) const;

  // The arguments that were given, as a dict.
  [[nodiscard]] py::dict given() const;

 private:
  [[nodiscard]] std::size_t index(std::string_view name) const;

  const std::vector<argument>& arguments_;
  std::vector<py::object> values_;  // null: not given
};

// A Python number as a double. Throws TypeError, naming the argument; argument_error where it is
// not finite.
double number_of(std::string_view name, py::handle value);

}  // namespace loradyn::python
