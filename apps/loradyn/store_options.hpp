#pragma once

// Phase diagrams in stores.

#include <loradyn/report/store.hpp>
#include <loradyn/report/table.hpp>
#include <string>

#include "flow_options.hpp"
#include "phase_grid.hpp"

namespace loradyn::cli {

// What a store of this diagram is: the parameters without those that only say how it is shown.
sweep_configuration configuration_of(const phase_grid& grid, const described& parameters);

// The command that computes a diagram, from its parameters alone: the same for every run of it,
// whatever threads, stores and shards took part.
std::string canonical_command(const described& parameters);

// The finished cells of a store as a table, `show` being what its figure tells.
table table_of(const sweep_store& store, const std::string& show);

}  // namespace loradyn::cli
