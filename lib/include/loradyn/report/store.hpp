#pragma once

/// \file
/// The store: an SQLite file that keeps every finished cell of a sweep.
///
/// A sweep numbers its cells from 0. Processes claim unfinished cells, compute them and keep their
/// values; several processes on one file share the work. The table `cells` carries the sweep's
/// column names and can be queried by any SQLite program while the sweep runs.
///
/// What is lost: a killed process loses the cells that it had not passed to `keep` yet, and so does
/// a power failure, as `keep` returns once the disk has them. Of claims a power failure may lose
/// the latest, which costs nothing: who had claimed is gone as well.
///
/// Damage to the structure of the file is noticed, a flipped bit inside a value is not.
///
/// The file is in WAL mode: while it is open two more files, FILE-wal and FILE-shm, stand beside
/// it and belong to it. The last process to close it takes them in, so that the file alone is the
/// store. The processes on one store must see one memory (SQLite's WAL): those of one machine, its
/// containers among them. Machines have stores of their own, which `merge` brings together.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <loradyn/report/table.hpp>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace loradyn {

/// What a sweep is: everything that its values depend on, and nothing else (no thread counts, no
/// names of files).
struct sweep_configuration {
  std::string version;  ///< of the program
  /// No name twice; the order does not matter.
  parameter_list parameters;
  std::vector<std::string> columns;  ///< the names of a cell's values
  std::uint64_t cells = 0;           ///< at first: `sweep_store::grow` adds to them
  std::string tally;                 ///< the column whose values `tallies` counts; empty: none

  /// Whether all members are equal.
  bool operator==(const sweep_configuration&) const = default;
};

/// A finished cell.
struct kept_cell {
  std::uint64_t cell = 0;
  std::vector<loradyn::cell> values;  ///< one for each column
  double cost = 0.0;                  ///< seconds, finite
};

/// The bytes of finished cells, and back; numbers keep their bits. For messages between processes
/// on machines of one type. \throws error for bytes that are none of `packed`'s
std::vector<char> packed(std::span<const kept_cell> cells);
/// The cells that `packed` has made bytes of.
std::vector<kept_cell> unpacked(std::span<const char> bytes);

/// An open store. One thread at a time uses it; a process may open several on one file. Every
/// member throws file_error where the disk, a lock or a damaged file stops it; the cells that were
/// kept before stay.
class sweep_store {
 public:
  /// How long a lock of another process is waited for.
  static constexpr std::chrono::milliseconds default_patience = std::chrono::seconds(10);
  /// A claim from another host is free again after this time without a heartbeat.
  static constexpr std::chrono::seconds claim_lifetime = std::chrono::minutes(5);

  /// Opens the store of a sweep, or creates it, whole or not at all.
  /// \throws error where the file holds another sweep, naming the first difference;
  ///         file_error where it is no store of ours (and stays as it is), of a newer layout,
  ///         damaged, locked or read-only, or its directory is missing or the disk full;
  ///         argument_error for a parameter given twice
  sweep_store(const std::filesystem::path& path, const sweep_configuration& configuration,
              std::chrono::milliseconds patience = default_patience);

  /// Opens any store of ours for reading alone; `claim` and `keep` throw. A file in a read-only
  /// place can be read too.
  /// \throws file_error
  static sweep_store open_existing(const std::filesystem::path& path,
                                   std::chrono::milliseconds patience = default_patience);

  /// The sweep that a store holds. \throws file_error
  static sweep_configuration configuration_of(const std::filesystem::path& path);

  /// Gives the unfinished cells that this store has claimed free.
  ~sweep_store();
  /// What it was moved from is closed.
  sweep_store(sweep_store&&) noexcept;
  /// Closes what it was before.
  sweep_store& operator=(sweep_store&&) noexcept;

  /// The sweep that it holds.
  [[nodiscard]] const sweep_configuration& configuration() const noexcept;

  /// The next unfinished cells that no living process has claimed, in order and at most `count`;
  /// they are this store's until it closes. None where every cell is finished or claimed: where the
  /// store is not complete, a later call may give those of a process that died.
  /// Cost: one write without waiting for the disk; a claim is kept as ranges of cells, and only the
  /// finished cells that lie between the claimed ones are looked at, once.
  std::vector<std::uint64_t> claim(std::size_t count);

  /// Keeps cells in one transaction: all of them or, where it throws, none. Results are
  /// deterministic, so that a cell that is kept already stays as it is. Cells need not be claimed.
  /// Values read back as the same bits; of NaN only that it is one. Cost: one wait for the disk
  /// (milliseconds) and some microseconds a cell, so call it for blocks or once in a second.
  /// \throws argument_error for a cell that the sweep does not have, or another number of values
  ///         than columns
  void keep(std::span<const kept_cell> cells);

  /// Tells processes on other hosts that this one lives, as `claim` and `keep` do. For cells that
  /// take minutes.
  void heartbeat();

  /// Makes the sweep one of at least so many cells, for one whose cells depend on the values of
  /// others. It never shrinks.
  void grow(std::uint64_t cells);

  /// The number of cells now, and of those that are finished. Cost: a look-up each.
  [[nodiscard]] std::uint64_t cells() const;
  /// The number of finished cells.
  [[nodiscard]] std::uint64_t finished() const;
  /// Whether every cell is finished.
  [[nodiscard]] bool complete() const;
  /// How many finished cells have each value of the column that the configuration names, by value.
  /// Cost: a look-up.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> tallies() const;

  /// The finished cells, in order, without their values.
  void finished_cells(const std::function<void(std::uint64_t)>& visit) const;

  /// Passes on the finished ones of the cells first … first + count - 1, in order, one at a time.
  void read(std::uint64_t first, std::uint64_t count,
            const std::function<void(std::uint64_t, std::vector<cell>)>& visit) const;
  /// The values of every finished cell, in order: the rows of a table.
  [[nodiscard]] std::vector<std::vector<cell>> rows() const;

  /// Takes over the finished cells of another store of the same sweep. Where it is interrupted, a
  /// second call does the rest. \returns how many were new
  /// \throws error where the other holds another sweep; file_error where it can't be read
  std::uint64_t merge(const std::filesystem::path& source);

 private:
  struct implementation;
  explicit sweep_store(std::unique_ptr<implementation> opened);

  std::unique_ptr<implementation> self_;
};

}  // namespace loradyn
