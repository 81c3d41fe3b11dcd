#include "arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/error.hpp>

#include "call.hpp"

namespace loradyn::python {
namespace {

std::string text_of(const shape& s) {
  return fmt::format("({}{})", fmt::join(s, ", "), s.size() == 1 ? "," : "");
}

}  // namespace

std::size_t size_of(const shape& s) {
  std::size_t count = 1;
  for (const py::ssize_t n : s) {
    count *= static_cast<std::size_t>(n);
  }
  return count;
}

void broadcast(shape& whole, const shape& other, std::string_view name) {
  if (whole.size() < other.size()) {
    whole.insert(whole.begin(), other.size() - whole.size(), 1);
  }
  for (std::size_t k = 1; k <= other.size(); ++k) {
    py::ssize_t& n = whole[whole.size() - k];
    const py::ssize_t m = other[other.size() - k];
    if (n != m && n != 1 && m != 1) {
      throw argument_error(
          std::string(name), "of shape " + text_of(other),
          "one that broadcasts with the others, which have shape " + text_of(whole));
    }
    n = n == 1 ? m : n;
  }
}

std::vector<std::size_t> places_of(const shape& part, const shape& whole) {
  std::vector<std::size_t> strides(whole.size(), 0);
  std::size_t stride = 1;
  for (std::size_t k = 1; k <= part.size(); ++k) {
    const auto n = static_cast<std::size_t>(part[part.size() - k]);
    strides[whole.size() - k] = n == 1 ? 0 : stride;
    stride *= n;
  }
  std::vector<std::size_t> places(size_of(whole));
  std::vector<py::ssize_t> index(whole.size(), 0);
  std::size_t place = 0;
  for (std::size_t& p : places) {
    p = place;
    for (std::size_t k = whole.size(); k-- > 0;) {
      place += strides[k];
      if (++index[k] < whole[k]) {
        break;
      }
      place -= strides[k] * static_cast<std::size_t>(whole[k]);
      index[k] = 0;
    }
  }
  return places;
}

numbers::numbers(std::string_view name, py::handle value) {
  if (PyFloat_Check(value.ptr()) || PyLong_Check(value.ptr())) {
    value_ = number_of(name, value);
    return;
  }
  py::array_t<double, py::array::c_style | py::array::forcecast> array;
  if (!py::isinstance<py::str>(value) && !value.is_none()) {
    array = py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(value);
  }
  if (!array || value.is_none() || py::isinstance<py::str>(value)) {
    PyErr_Clear();
    throw py::type_error(fmt::format("{} is {}, but must be a number or an array of numbers", name,
                                     py::repr(value).cast<std::string>()));
  }
  for (py::ssize_t i = 0; i < array.size(); ++i) {
    if (!std::isfinite(array.data()[i])) {
      throw argument_error(std::string(name), fmt::format("{}", array.data()[i]), "finite numbers");
    }
  }
  if (array.ndim() == 0) {
    value_ = *array.data();
    return;
  }
  shape_.assign(array.shape(), array.shape() + array.ndim());
  own_ = array.data();
  array_ = std::move(array);
}

void numbers::broadcast_to(const shape& whole) {
  if (!array_) {
    return;
  }
  if (size() == size_of(whole)) {
    data_ = own_;
    return;
  }
  if (size() == 1) {
    value_ = *own_;
    return;
  }
  for (const std::size_t p : places_of(shape_, whole)) {
    copies_.push_back(own_[p]);
  }
  data_ = copies_.data();
}

}  // namespace loradyn::python
