#pragma once

// The options of networks: width, rank, adapters, what trains, a source task.

#include <loradyn/study/network.hpp>
#include <string>

#include "options.hpp"

namespace loradyn::cli {

struct network_options {
  std::string width;
  std::string rank;
  std::string teacher_width;
  std::string adapter;
  std::string train;
  std::string readout;
  std::string off_target;
  std::string decay;
  std::string readout_rate;
  std::string alpha;
  std::string scaling;
  std::string source;
  std::string source_overlap;
  std::string file;
  std::string start_batch;
  std::string scratch_norm;
  std::string dimension;   // of the start, where the command has no --dim of its own
  std::string start_file;  // the end state of a network's trajectory

  // Those of every command, but LoRA's scale where --alpha is something else; those of a start with
  // them.
  void add_to(option_list& options, bool with_scale = true);
  void add_start_to(option_list& options, bool with_dimension);

  // Whether any is given: the command is asked of a network. A --start that is a network's is taken
  // from what one neuron starts from.
  [[nodiscard]] bool given() const;
  [[nodiscard]] bool given_with(start_options& start);
};
described describe(const network_options& options);

// The layout; of a file it takes the place of --mu and --nu. Throws argument_error, file_error.
study::network_layout read_layout(const network_options& options, const shared_options& shared);

// The start, in `dimension` dimensions where that is given.
study::network_start_request read_network_start(const network_options& options,
                                                const shared_options& shared,
                                                const std::string& dimension);

// m, M or the risks, or an entry such as M_1_2.
network_overlap_event read_network_event(const std::string& quantity, const std::string& at,
                                         bool is_signed);

// Refuses what the start of a network does not take.
void require_network_start(const start_options& start);

// The parameters' values; of a layout with rows of its own μ and ν are not asked for.
study::parameter_grid read_network_grid(const study::network_layout& layout,
                                        const shared_options& shared);

}  // namespace loradyn::cli
