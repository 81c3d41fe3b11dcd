#include "call.hpp"

#include <fmt/format.h>
#include <pybind11/numpy.h>

#include <algorithm>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>

namespace loradyn::python {

argument argument_of(const study::parameter& p) {
  const std::string range = p.range();
  const std::string name = p.column();
  return {name, kinds::numbers,
          fmt::format("{}{}{}", p.symbol == name ? "" : std::string(p.symbol) + ", the ", p.meaning,
                      range.empty() ? "" : "; " + range),
          p.standard ? py::object(py::float_(*p.standard)) : py::object()};
}

std::vector<argument> arguments_of(std::span<const study::parameter* const> parameters) {
  std::vector<argument> all;
  for (const study::parameter* p : parameters) {
    all.push_back(argument_of(*p));
  }
  return all;
}

call::call(const std::string& function, const std::vector<argument>& arguments,
           std::size_t positional, const py::args& args, const py::kwargs& kwargs)
    : arguments_(arguments), values_(arguments.size()) {
  if (args.size() > positional) {
    throw py::type_error(fmt::format("{}() takes {} positional argument{} but {} were given",
                                     function, positional, positional == 1 ? "" : "s",
                                     args.size()));
  }
  for (std::size_t i = 0; i < args.size(); ++i) {
    values_[i] = args[i];
  }
  for (const auto& [key, value] : kwargs) {
    const auto name = key.cast<std::string_view>();
    std::size_t i = 0;
    while (i < arguments.size() && arguments[i].name != name) {
      ++i;
    }
    if (i == arguments.size()) {
      std::vector<std::string> known;
      for (const argument& a : arguments) {
        known.push_back(a.name);
      }
      throw py::type_error(fmt::format("{}() has no argument '{}'; the nearest are {}", function,
                                       name, nearest_names(name, known)));
    }
    if (values_[i]) {
      throw py::type_error(fmt::format("{}() got two values for '{}'", function, name));
    }
    values_[i] = py::reinterpret_borrow<py::object>(value);
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!values_[i] && !arguments[i].standard && !optional(arguments[i].name)) {
      throw py::type_error(fmt::format("{}() is missing the argument '{}': {}", function,
                                       arguments[i].name, arguments[i].meaning));
    }
  }
}

std::size_t call::index(std::string_view name) const {
  std::size_t i = 0;
  while (arguments_.at(i).name != name) {
    ++i;
  }
  return i;
}

py::handle call::operator[](std::string_view name) const {
  const std::size_t i = index(name);
  const py::handle value = values_[i] ? values_[i] : arguments_[i].standard;
  return value ? value : py::handle(Py_None);
}

bool call::knows(std::string_view name) const {
  return std::any_of(arguments_.begin(), arguments_.end(),
                     [&](const argument& a) { return a.name == name; });
}

bool call::asks_network() const {
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    if (arguments_[i].of_network && values_[i] && !values_[i].is_none()) {
      return true;
    }
  }
  return false;
}

void call::require_left_out(std::initializer_list<std::string_view> names,
                            const std::string& reason) const {
  for (const std::string_view name : names) {
    if (knows(name) && is_given(name)) {
      throw argument_error(std::string(name), "given", "left out: " + reason);
    }
  }
}

bool call::optional(std::string_view name) const {
  const argument& a = arguments_[index(name)];
  if (a.standard) {
    return a.standard.is_none();
  }
  constexpr std::string_view between = " or ";
  for (std::string_view rest = a.unless; !rest.empty();) {
    const std::size_t end = rest.find(between);
    if (has(rest.substr(0, end))) {
      return true;
    }
    rest = end == std::string_view::npos ? "" : rest.substr(end + between.size());
  }
  return false;
}

double number_of(std::string_view name, py::handle value) {
  const double number = PyFloat_AsDouble(value.ptr());
  if (number == -1.0 && PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    throw py::type_error(
        fmt::format("{} is {}, but must be a number", name, py::repr(value).cast<std::string>()));
  }
  if (!std::isfinite(number)) {
    throw argument_error(std::string(name), fmt::format("{}", number), "a finite number");
  }
  return number;
}

double call::number(std::string_view name) const { return number_of(name, (*this)[name]); }

std::optional<double> call::optional_number(std::string_view name) const {
  return has(name) ? std::optional(number(name)) : std::nullopt;
}

double call::positive(std::string_view name) const {
  const double value = number(name);
  if (!(value > 0.0)) {
    throw argument_error(std::string(name), fmt::format("{}", value), "> 0");
  }
  return value;
}

std::uint64_t call::count(std::string_view name, std::uint64_t least, std::uint64_t most) const {
  const double value = number(name);
  if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)) ||
      value != std::floor(value)) {
    throw argument_error(std::string(name), fmt::format("{}", value),
                         fmt::format("a whole number from {} to {}", least, most));
  }
  return static_cast<std::uint64_t>(value);
}

std::string call::text(std::string_view name) const {
  const py::handle value = (*this)[name];
  if (!py::isinstance<py::str>(value)) {
    throw py::type_error(
        fmt::format("{} is {}, but must be a str", name, py::repr(value).cast<std::string>()));
  }
  return value.cast<std::string>();
}

bool call::flag(std::string_view name) const {
  const int truth = PyObject_IsTrue((*this)[name].ptr());
  if (truth < 0) {
    throw py::error_already_set();
  }
  return truth != 0;
}

std::vector<double> call::list(std::string_view name) const {
  const py::handle value = (*this)[name];
  const auto array = py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(value);
  if (!array || array.ndim() > 1) {
    PyErr_Clear();
    throw py::type_error(fmt::format("{} is {}, but must be a number, or numbers in one dimension",
                                     name, py::repr(value).cast<std::string>()));
  }
  if (array.size() == 0) {
    throw argument_error(std::string(name), "empty", "one number at least");
  }
  const std::vector<double> values(array.data(), array.data() + array.size());
  for (const double v : values) {
    if (!std::isfinite(v)) {
      throw argument_error(std::string(name), fmt::format("{}", v), "finite numbers");
    }
  }
  return values;
}

py::dict call::given() const {
  py::dict all;
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    if (values_[i]) {
      all[arguments_[i].name.c_str()] = values_[i];
    }
  }
  return all;
}

}  // namespace loradyn::python
