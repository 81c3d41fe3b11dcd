#include "pairs.hpp"

#include <fmt/format.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <atomic>
#include <limits>
#include <loradyn/activation/approximation.hpp>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <tuple>

#include "arrays.hpp"
#include "kept.hpp"

namespace loradyn::python {
namespace {

// These are used with the interpreter's lock alone, and never torn down: they hold Python objects,
// which the interpreter has taken with it by then.
kept<std::string, shared_activation>& texts() {
  static auto* all = new kept<std::string, shared_activation>(512);
  return *all;
}
// A callable is kept with its approximation, so that no other object takes its address.
kept<PyObject*, std::pair<py::object, shared_activation>>& callables() {
  static auto* all = new kept<PyObject*, std::pair<py::object, shared_activation>>(512);
  return *all;
}
using pair_key = std::tuple<std::uint64_t, std::uint64_t, study::time_unit>;
kept<pair_key, shared_pair>& pairs() {
  static auto* all = new kept<pair_key, shared_pair>(64);
  return *all;
}

// A Python function as the library's sampler: called with an array, it must give one of that
// shape.
sampler sampler_of(const py::object& function, const std::string& name) {
  if (function.is_none()) {
    return {};
  }
  return [function, name](std::span<const double> x, std::span<double> out) {
    const py::array_t<double> points(static_cast<py::ssize_t>(x.size()), x.data());
    const py::object quiet =
        py::module_::import("numpy").attr("errstate")(py::arg("all") = "ignore");
    quiet.attr("__enter__")();
    py::object given;
    try {
      given = function(points);
    } catch (...) {
      quiet.attr("__exit__")(py::none(), py::none(), py::none());
      throw;
    }
    quiet.attr("__exit__")(py::none(), py::none(), py::none());
    const auto values =
        py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(given);
    if (!values || (values.size() != 1 && values.size() != points.size())) {
      PyErr_Clear();
      throw py::type_error(
          fmt::format("the activation {} must take an array of numbers and give one of the same "
                      "shape",
                      name));
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = values.data()[values.size() == 1 ? 0 : i];
    }
  };
}

std::string name_of(const py::object& function) {
  return py::hasattr(function, "__name__")
             ? py::str(function.attr("__name__")).cast<std::string>()
             : py::str(py::type::of(function).attr("__name__")).cast<std::string>();
}

}  // namespace

shared_activation know(activation function, double reach, double error) {
  static std::atomic<std::uint64_t> last{0};
  return std::make_shared<const known_activation>(
      known_activation{std::move(function), ++last, reach, error});
}

shared_activation approximate_callable(const py::object& function, const py::object& first,
                                       const py::object& second, const py::object& kinks,
                                       const py::object& name, double tolerance) {
  if (first.is_none() && !second.is_none()) {
    throw py::type_error("second is given without first");
  }
  sampled_function f;
  f.name = name.is_none() ? name_of(function) : name.cast<std::string>();
  f.value = sampler_of(function, f.name);
  f.first = sampler_of(first, f.name);
  f.second = sampler_of(second, f.name);
  if (!kinks.is_none()) {
    f.kinks = kinks.cast<std::vector<double>>();
  }
  const approximation a = approximate(f, tolerance);
  return know(a.function, a.reach, a.error);
}

shared_activation activation_from(std::string_view name, py::handle value) {
  if (py::isinstance<py::str>(value)) {
    const auto text = value.cast<std::string>();
    if (const shared_activation* found = texts().find(text)) {
      return *found;
    }
    try {
      return texts().add(text, know(parse_activation(text)));
    } catch (const parse_error& e) {
      throw error(fmt::format("{} '{}': {}", name, text, e.what()));
    }
  }
  if (py::isinstance<known_activation>(value)) {
    return value.cast<std::shared_ptr<known_activation>>();
  }
  if (PyCallable_Check(value.ptr()) != 0) {
    if (const auto* found = callables().find(value.ptr())) {
      return found->second;
    }
    const auto function = py::reinterpret_borrow<py::object>(value);
    constexpr double tolerance = 4e-15;
    shared_activation known =
        approximate_callable(function, py::none(), py::none(), py::none(), py::none(), tolerance);
    callables().add(value.ptr(), {function, known});
    return known;
  }
  throw py::type_error(fmt::format(
      "{} is {}, but must be an activation: a name or an expression, an Activation or a function",
      name, py::repr(value).cast<std::string>()));
}

shared_pair pair_of(const shared_activation& student, const shared_activation& teacher,
                    study::time_unit unit) {
  const pair_key key(student->id, teacher->id, unit);
  if (const shared_pair* found = pairs().find(key)) {
    return *found;
  }
  return pairs().add(key,
                     std::make_shared<const kept_pair>(student->function, teacher->function, unit));
}

void define_activation(py::module_& module) {
  using doubles = const py::array_t<double, py::array::c_style | py::array::forcecast>&;
  const auto derivative = [](const known_activation& a, doubles x, int order) {
    if (order < 0 || order > 4) {
      throw argument_error("order", std::to_string(order), "from 0 to 4");
    }
    return elementwise(
        x, [&](double v) { return a.function.all(v)[static_cast<std::size_t>(order)]; });
  };
  py::class_<known_activation, std::shared_ptr<known_activation>>(module, "Activation",
                                                                  R"doc(An activation function σ.

Parameters
----------
function : str or callable
    A name or an expression of the grammar ("he3+0.5*he5", "tanh", "max(x,0.1*x)"), or a function
    that takes an array of numbers and gives one of the same shape. A function is called here, on
    arrays of nodes, until polynomials on panels stand for it to rounding, and never again.
first, second : callable, optional
    σ' and σ'' of a function, without δ-like parts; those that are left out are derived from the
    approximation.
kinks : sequence of float, optional
    Where the function is not smooth; left out, they are found. An empty sequence says that there
    are none.
name : str, optional
    What stands in tables.
tolerance : float
    What the approximation is to reach beside the function's size; more than the default for a
    function that is not computed to rounding.

Raises
------
ValueError
    Where a text is not in the grammar; the message tells the column and the nearest names.
ConvergenceError
    Where a function is not resolved up to |x| = 64; the message says where.

Examples
--------
>>> import numpy as np
>>> swish = ld.Activation(lambda x: x / (1 + np.exp(-x)), name="swish")
>>> swish.kinks
array([], dtype=float64)
>>> bool(abs(swish(1.0) - 0.7310585786300049) < 1e-14)
True
>>> ld.Activation(lambda x: np.abs(x - 0.5)).kinks
array([0.5])
>>> ld.Activation("he3")(np.array([0.0, 1.0, 2.0]))
array([ 0., -2.,  2.])
)doc")
      .def(
          py::init([](const py::object& function, const py::object& first, const py::object& second,
                      const py::object& kinks, const py::object& name, double tolerance) {
            if (py::isinstance<py::str>(function)) {
              return std::const_pointer_cast<known_activation>(
                  activation_from("function", function));
            }
            if (PyCallable_Check(function.ptr()) == 0) {
              throw py::type_error("function must be a str or a callable");
            }
            return std::const_pointer_cast<known_activation>(
                approximate_callable(function, first, second, kinks, name, tolerance));
          }),
          py::arg("function"), py::kw_only(), py::arg("first") = py::none(),
          py::arg("second") = py::none(), py::arg("kinks") = py::none(),
          py::arg("name") = py::none(), py::arg("tolerance") = 4e-15,
          "__init__($self, function, *, first=None, second=None, kinks=None, name=None, "
          "tolerance=4e-15)\n--\n\n")
      .def(
          "__call__",
          [derivative](const known_activation& a, doubles x) { return derivative(a, x, 0); },
          py::arg("x"),
          "__call__($self, x)\n--\n\n"
          "σ(x), elementwise.")
      .def("derivative", derivative, py::arg("x"), py::arg("order") = 1,
           "derivative($self, x, order=1)\n--\n\n"
           "The derivative of order 0 to 4, elementwise, without δ-like parts; at a kink that of "
           "the "
           "piece to the left.")
      .def(
          "hermite_coefficient",
          [](const known_activation& a, std::size_t n, double variance) {
            return a.function.hermite_coefficient(n, variance);
          },
          py::arg("n"), py::arg("variance") = 1.0,
          "hermite_coefficient($self, n, variance=1.0)\n--\n\n"
          "a_n(q) = E[σ⁽ⁿ⁾(√q z)]/n!, the Hermite coefficient at variance q (docs/theory.md, "
          "section 3).")
      .def_property_readonly(
          "name", [](const known_activation& a) { return a.function.name(); },
          "What it was made from.")
      .def_property_readonly(
          "kinks",
          [](const known_activation& a) {
            py::array_t<double> places(static_cast<py::ssize_t>(a.function.kinks().size()));
            for (std::size_t i = 0; i < a.function.kinks().size(); ++i) {
              places.mutable_data()[i] = a.function.kinks()[i].location;
            }
            return places;
          },
          "Where it is not smooth, in increasing order.")
      .def_property_readonly(
          "reach",
          [](const known_activation& a) {
            return a.reach > 0.0 ? a.reach : std::numeric_limits<double>::infinity();
          },
          "The |x| up to which a function is approximated, and beyond which it is NaN; infinite "
          "for a text.")
      .def_property_readonly(
          "error", [](const known_activation& a) { return a.error; },
          "The largest difference from a function that was seen between the nodes, beside the "
          "function's size from 0 to there; 0 for a text.")
      .def("__repr__", [](const known_activation& a) {
        return a.reach > 0.0
                   ? fmt::format("<Activation {}, a function up to |x| = {:g}, error {:.1e}>",
                                 a.function.name(), a.reach, a.error)
                   : fmt::format("Activation({})",
                                 py::repr(py::str(a.function.name())).cast<std::string>());
      });
}

}  // namespace loradyn::python
