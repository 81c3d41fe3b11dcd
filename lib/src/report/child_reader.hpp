#pragma once

/// \file
/// A table that is read by a child process, for a library that a damaged file may crash.

#include <filesystem>
#include <functional>
#include <vector>

#include <loradyn/report/table.hpp>

namespace loradyn {

using head_visitor = std::function<void(const table_header&)>;
using row_visitor = std::function<void(std::vector<cell>)>;

/// Forks, has `read(head, visit)` done in the child, and calls `head` and `visit` here with what
/// the child's gave. Whatever happens to the child is an exception here: a crash, more than 2 GiB
/// of memory, 5 s of its processor's time without 64 kB of result or the end. Costs a fork, and
/// 0.2 µs a cell. The calling process may have other threads only if `read` waits for no lock that
/// one of them may hold.
/// \throws file_error naming `path`: with what `read` threw, or how the child ended
void read_in_child(
    const std::filesystem::path& path,
    const std::function<void(const head_visitor& head, const row_visitor& visit)>& read,
    const head_visitor& head, const row_visitor& visit);

}  // namespace loradyn
