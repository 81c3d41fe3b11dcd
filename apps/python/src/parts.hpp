#pragma once

// The library's parts as classes: PairKernel, Flow and EscapeLaw.

#include <pybind11/pybind11.h>

#include <vector>

#include "call.hpp"

namespace loradyn::python {

void define_parts(py::module_& module);

// The arguments of two of them.
const std::vector<argument>& flow_arguments();
const std::vector<argument>& law_arguments();

}  // namespace loradyn::python
