#pragma once

// The questions asked of networks: any width, any rank (docs/networks.md).

#include <pybind11/pybind11.h>

#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/phase.hpp>
#include <string>
#include <utility>
#include <vector>

#include "call.hpp"
#include "points.hpp"

namespace loradyn::python {

// The arguments that ask a question of a network; where `alpha` is something else, without LoRA's
// scale. Those of its start, with its dimension where the question has no `dim` of its own.
std::vector<argument> network_arguments(bool with_scale = true);
std::vector<argument> network_start_arguments(bool with_dimension);
argument network_seed_argument();
// The parameters, of which mu may be left out beside `others`, such as "network or stages".
std::vector<argument> beside_network(std::vector<argument> parameters,
                                     const char* others = "network");
// What is told of the fields that a result has of a network alone.
using told_fields = std::vector<std::pair<std::string, std::string>>;
told_fields network_rates_fields();
told_fields network_critical_fields();
told_fields network_fields();
told_fields network_rest_fields();
told_fields network_summary_fields();

// The questions. Each throws argument_error for what a network does not take.
py::dict network_rates(const call& given);
py::dict network_critical(const call& given, double lo, double hi);
py::dict network_fixed_points(const call& given);
py::dict network_trajectory(const call& given);
py::dict network_escape(const call& given);
py::dict network_simulate(const call& given);
py::dict network_validate(const call& given);

// The network of a diagram, whose numbers go to the point. `axes`: what it is over.
study::phase_network phase_network_of(const call& given, const std::vector<std::string>& axes,
                                      study::parameter_point& point);

// The class Network: rows and readouts of the user's own.
const std::vector<argument>& network_class_arguments();
void define_network(py::module_& module);

}  // namespace loradyn::python
