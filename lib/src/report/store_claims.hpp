#pragma once

/// \file
/// Which process computes which cells of a store.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>
#include "report/sqlite.hpp"

namespace loradyn {

/// The claims of all processes on a store, to be called within a transaction. Where that is rolled
/// back, so must be `alive`.
class store_claims {
 public:
  /// A store that claims.
  struct liveness {
    std::optional<std::uint64_t> worker;  ///< its row, from its first claim on
    std::int64_t last_heartbeat = 0;
  };

  explicit store_claims(const database& db) : db_(db) {}

  [[nodiscard]] const liveness& alive() const { return alive_; }
  void roll_back(const liveness& before) {
    alive_ = before;
    now_ = {};
  }

  /// Marks this store as alive.
  void register_worker();
  /// Gives the unfinished cells of a worker free.
  void release(std::uint64_t who);
  /// Those of the workers that do not live.
  void release_dead();
  /// Those of workers that do not exist: they would be waited for in vain. Looks at every claim.
  /// \returns whether there were any
  bool release_orphans();
  /// Whether any cell is claimed.
  [[nodiscard]] bool any();

  /// \param total of the cells that there are
  std::vector<std::uint64_t> claim(std::size_t wanted, std::uint64_t total);

  /// Notes that a cell is finished now; `settle` after the last one. Cells come in runs of one
  /// claim: its count is written once.
  void finish(std::uint64_t finished);
  void settle();

 private:
  // Calls `run(first, count)` for the runs of unfinished cells of first … end - 1, in order, until
  // they have `wanted` cells. Returns the cell after the last one looked at.
  template <class Run>
  std::uint64_t unfinished_runs(std::uint64_t first, std::uint64_t end, std::uint64_t wanted,
                                const Run& run) {
    finished_between_.start(first, end);
    while (first < end && wanted > 0) {
      const std::uint64_t stop =
          finished_between_.step() ? finished_between_.cell_number(first, end) : end;
      const std::uint64_t count = std::min(stop - first, wanted);
      if (count > 0) {
        run(first, count);
      }
      wanted -= count;
      first = wanted > 0 ? std::min(stop + 1, end) : first + count;
    }
    finished_between_.start();
    return first;
  }

  struct finishing {
    std::uint64_t first = 0;  // of a claim
    std::uint64_t end = 0;
    std::uint64_t done = 0;
  };

  const database& db_;
  liveness alive_;
  finishing now_;

  statement frontier_{db_, "SELECT frontier FROM progress"};
  statement move_frontier_{db_, "UPDATE progress SET frontier = ?1"};
  statement finished_between_{
      db_, "SELECT cell FROM cells WHERE cell >= ?1 AND cell < ?2 ORDER BY cell"};

  statement first_unclaimed_{db_, "SELECT first, count FROM unclaimed ORDER BY first LIMIT 1"};
  statement insert_unclaimed_{db_, "INSERT INTO unclaimed VALUES (?1, ?2)"};
  statement delete_unclaimed_{db_, "DELETE FROM unclaimed WHERE first = ?1"};

  statement claim_before_{
      db_, "SELECT first, count FROM claims WHERE first <= ?1 ORDER BY first DESC LIMIT 1"};
  statement insert_claim_{db_, "INSERT INTO claims VALUES (?1, ?2, ?2, ?3)"};
  statement shrink_claim_{db_, "UPDATE claims SET remaining = remaining - ?2 WHERE first = ?1"};
  statement drop_claim_{db_, "DELETE FROM claims WHERE first = ?1 AND remaining <= 0"};
  statement orphaned_claims_{
      db_, "SELECT DISTINCT worker FROM claims WHERE worker NOT IN (SELECT worker FROM workers)"};
  statement claims_of_{db_, "SELECT first, count FROM claims WHERE worker = ?1"};
  statement delete_claims_of_{db_, "DELETE FROM claims WHERE worker = ?1"};

  statement workers_{db_, "SELECT worker, host, pid, start, heartbeat FROM workers"};
  statement insert_worker_{
      db_, "INSERT INTO workers (host, pid, start, heartbeat) VALUES (?1, ?2, ?3, ?4)"};
  statement beat_{db_, "UPDATE workers SET heartbeat = ?2 WHERE worker = ?1"};
  statement delete_worker_{db_, "DELETE FROM workers WHERE worker = ?1"};
  statement any_claim_{db_, "SELECT 1 FROM claims LIMIT 1"};
};

}  // namespace loradyn
