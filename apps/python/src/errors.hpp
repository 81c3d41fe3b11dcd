#pragma once

// The library's exceptions as Python's.

#include <pybind11/pybind11.h>

#include <string>

namespace loradyn::python {

namespace py = pybind11;

// argument_error and parse_error become ValueError, convergence_error a ConvergenceError, which is
// an ArithmeticError, file_error OSError, interrupted KeyboardInterrupt.
void register_errors(py::module_& module);

// A message of the library with the names of options, "--lr-ratio", as Python writes them.
std::string in_python(const std::string& message);

}  // namespace loradyn::python
