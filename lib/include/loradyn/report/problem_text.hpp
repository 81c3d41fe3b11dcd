#pragma once

/// \file
/// A question as text, and back: what provenance and stores keep, and `plot` and `export` read.
///
/// The text is a JSON object with a member for each thing that decides the answer, under the names
/// of the program's options. What is not there is not asked for; no value stands for it. Numbers
/// read back to the same bits.

#include <loradyn/report/table.hpp>
#include <loradyn/study/phase.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace loradyn {

/// student, teacher (where it is another), time-unit, x and y, the parameters that no axis sets,
/// event, at, signed, t-max (where there is one), rtol, atol, stepper, max-steps, quantiles, only;
/// engine, batch, lr (where it is given), runs, steps and seed of an ensemble; refine and
/// refine-step of a grid that is refined; of a network, told by its adapter, off-target, readout,
/// adapter, train, readout-rate, alpha and scaling, source, start-batch, scratch-norm, seed and
/// forgotten. An axis is
/// {"parameter": "mu", "from": 0.1, "to": 0.9, "count": 33, "logarithmic": false}, or
/// {"parameter": "mu", "values": [0.1, 0.5]}. \throws argument_error for a number that is not
/// finite
std::string to_json(const study::phase_problem& problem);

/// \throws error where the text is no such object: a member that is missing, given twice, unknown,
/// of another type or of another name than those there are. Ranges are checked by phase_grid.
study::phase_problem phase_problem_from_json(std::string_view text);

/// The same members as a table's parameters.
parameter_list parameters_of(const study::phase_problem& problem);
/// The problem that parameters tell. \throws argument_error for those of none
study::phase_problem phase_problem_of(const parameter_list& parameters);

/// The command line that asks it, `loradyn phase …`, without what its answer does not depend on.
std::string command_of(const study::phase_problem& problem);

/// The grid of the problem that a table or a store holds. \throws error
std::unique_ptr<const study::phase_grid> phase_grid_of(const parameter_list& parameters);

}  // namespace loradyn
