#pragma once

/// \file
/// What a network's questions are made of. Internal to the study room.

#include <loradyn/analysis/network_critical.hpp>
#include <loradyn/model/network.hpp>
#include <loradyn/model/network_task.hpp>
#include <loradyn/study/network.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <string>
#include <vector>

namespace loradyn::study {

/// The entries of a vector by name: u_1, u_2, …
std::vector<std::string> entry_names(const std::string& name, std::ptrdiff_t size);

/// The frozen rows and readouts at a point.
network_geometry geometry_of(const network_layout& l, const parameter_point& at);

/// The networks of a layout over μ; at a point with its ν.
aligned_family family_of(const network_layout& layout, const parameter_point& at);

/// The numbers, LoRA's scale in κ; κ = 0 where not U and V train.
network_parameters parameters_of(const network_layout& l, const parameter_point& at);

/// The columns of a state, without the samples until it.
row_description<network_record> state_columns(const network_shape& shape);

/// A record of nothing, for rows that have none.
network_record no_record(const network_shape& s);

/// One escape, of a problem whose pairs and grid are not asked.
network_escape_row escape_at(const network_escape_problem& problem, const activation_pair& pair,
                             const parameter_point& at);

/// The modes of a point's search; one row without a rate where there is none.
std::vector<network_rates_row> rates_at(const activation_pair& pair, const parameter_point& at,
                                        const network_layout& layout);

/// The activations, with the source's where there is one.
network_task task_of(const activation_pair& pair, const network_layout& layout);

}  // namespace loradyn::study
