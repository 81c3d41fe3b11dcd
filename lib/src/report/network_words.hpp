#pragma once

// The words of a network: its layout, start and event.

#include <loradyn/study/network.hpp>
#include "report/question_io.hpp"

namespace loradyn {

// Whether the words of a network's layout, beside those that set a question apart, have LoRA's
// scale among them: where --alpha is something else they have not.
enum class scale_words { none, alpha };

// Takes the words in the order of tables.
void take_network(question_reader& io);

// The layout; of rows of its own they take the place of --nu and the widths.
study::network_layout read_layout(question_reader& io, scale_words scale = scale_words::alpha);
void say_layout(question_writer& io, const study::network_layout& layout,
                const std::optional<study::network_given_start>& start = {});

// The parameters' values; where W0 has rows that say them, μ is NaN unless it is given.
study::parameter_grid read_network_grid(question_reader& io, bool has_rows);
// The same where there may be one combination only; `expected` says of what, and why.
study::parameter_point read_network_point(question_reader& io, bool has_rows,
                                          const std::string& names, const std::string& expected);

// Refuses what no start of a network takes.
void refuse_start_of_one_neuron(question_reader& io);
// V's start, at the dimension of --dim.
study::network_start_request read_network_start(question_reader& io);
void say_network_start(question_writer& io, const study::network_start_request& start,
                       const study::network_layout& layout);
// The norm of the rows that training from scratch starts from.
void read_scratch_norm(question_reader& io, double& scale);

// m, M or the risks, or an entry such as M_1_2.
network_overlap_event read_network_event(question_reader& io);
void say_network_event(question_writer& io, const network_overlap_event& event);

// What a row with a network's state takes beside `fixed` bytes.
double row_bytes(const study::network_shape& shape, double fixed);

}  // namespace loradyn
