#pragma once

/// \file
/// How much memory a computation may take.

namespace loradyn {

/// Bytes that can be used without pushing anything out: what the machine has to spare, or what is
/// left of the process's limits (`ulimit -v`, a control group's) where that is less.
double available_memory();

}  // namespace loradyn
