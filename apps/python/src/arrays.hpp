#pragma once

// Arrays of arguments, broadcast as NumPy does.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn::python {

namespace py = pybind11;

using shape = std::vector<py::ssize_t>;

// How many elements.
std::size_t size_of(const shape& s);

// Makes `whole` the shape of both, broadcast. Throws argument_error, naming the argument.
void broadcast(shape& whole, const shape& other, std::string_view name);

// For each element of `whole` its place in an array of this shape, which broadcasts to it.
std::vector<std::size_t> places_of(const shape& part, const shape& whole);

// A number, or an array of them.
class numbers {
 public:
  // Throws TypeError for what is neither; argument_error for a number that is not finite.
  numbers(std::string_view name, py::handle value);

  [[nodiscard]] const shape& extent() const { return shape_; }
  [[nodiscard]] std::size_t size() const { return size_of(shape_); }
  // The own elements.
  [[nodiscard]] const double* begin() const { return array_ ? own_ : &value_; }
  [[nodiscard]] const double* end() const { return begin() + size(); }

  // Makes it an array of this shape. Nothing is copied of a number, or where it has this shape.
  void broadcast_to(const shape& whole);
  // Its element there, once broadcast.
  [[nodiscard]] double operator[](std::size_t i) const {
    return data_ != nullptr ? data_[i] : value_;
  }

 private:
  shape shape_;
  double value_ = 0.0;  // of a number
  py::object array_;    // of an array: it keeps the elements
  const double* own_ = nullptr;
  std::vector<double> copies_;
  const double* data_ = nullptr;
};

// f at each element of the broadcast of these, without the interpreter's lock: f(values, out) with
// a number for each argument and the elements of `tail` to fill. A float where nothing is an array.
template <class F>
py::object map_elements(std::vector<numbers> arguments, const std::vector<const char*>& names,
                        const shape& tail, const F& f) {
  shape whole;
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    broadcast(whole, arguments[k].extent(), names[k]);
  }
  for (numbers& n : arguments) {
    n.broadcast_to(whole);
  }
  shape all(whole);
  all.insert(all.end(), tail.begin(), tail.end());
  py::array_t<double> result(all);
  double* out = result.mutable_data();
  const std::size_t each = size_of(tail);
  const std::size_t count = size_of(whole);
  {
    const py::gil_scoped_release released;
    std::vector<double> values(arguments.size());
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t k = 0; k < arguments.size(); ++k) {
        values[k] = arguments[k][i];
      }
      f(values, out + i * each);
    }
  }
  return all.empty() ? py::object(py::float_(*out)) : py::object(std::move(result));
}

// f of every element of an array, as above.
template <class F>
py::object elementwise(const py::array_t<double>& x, const F& f) {
  py::array_t<double> result(shape(x.shape(), x.shape() + x.ndim()));
  const double* in = x.data();
  double* out = result.mutable_data();
  const py::ssize_t count = x.size();
  {
    const py::gil_scoped_release released;
    for (py::ssize_t i = 0; i < count; ++i) {
      out[i] = f(in[i]);
    }
  }
  return x.ndim() == 0 ? py::object(py::float_(*out)) : py::object(std::move(result));
}

}  // namespace loradyn::python
