#pragma once

// Stages of training, as lists of dicts.

#include <cstdint>
#include <loradyn/dynamics/protocol.hpp>
#include <loradyn/study/stage_words.hpp>
#include <vector>

#include "question.hpp"

namespace loradyn::python {

// The argument, of a run in time or of a simulation.
argument stages_argument(const char* keys);

// What it gives; none where it is left out. Throws TypeError for what is no list of dicts.
study::stage_list stages_from(const call& given);

// Throws argument_error for what each stage says itself.
void require_stages_alone(const call& given, std::initializer_list<std::string_view> names);

// When each stage of the runs ended and by what, an axis of stages behind that of the points.
// `stages_of` one run's; those that it did not come to are NaN and "".
void tell_stages(py::dict& more, const shape& extent, std::size_t count,
                 const std::vector<std::vector<stage_summary>>& runs);

}  // namespace loradyn::python
