#pragma once

/// \file
/// Several processes on one diagram, under MPI.

#include <cstdint>
#include <functional>
#include <loradyn/report/store.hpp>
#include <loradyn/study/phase_plan.hpp>
#include <vector>

namespace loradyn {

struct mpi_calls;

/// The processes that mpirun started together; one alone where it did not. Made once, before
/// anything else of MPI. \throws file_error where it did and the program's module for MPI is
/// missing
class ranks {
 public:
  ranks();
  ~ranks();
  ranks(const ranks&) = delete;
  ranks& operator=(const ranks&) = delete;

  /// Whether there is no other rank.
  [[nodiscard]] bool alone() const { return size_ == 1; }
  /// Whether this is rank 0.
  [[nodiscard]] bool leads() const { return rank_ == 0; }

  /// What rank 0 asks its leader for.
  struct leader {
    std::function<std::vector<study::planned_cell>()> next;  ///< none: nothing for now
    std::function<void(std::vector<kept_cell>)> take;        ///< a block's cells, as they arrive
    std::function<void(std::vector<study::planned_cell>)>
        give_back;  ///< that an interrupted rank left
  };

  /// Rank 0: hands blocks of cells to the others as they are free. Returns once all are idle while
  /// `next` has nothing; none of them asks again. Where a stop is requested, or something fails,
  /// they end what they do and send what they have.
  void lead(const leader& l) const;

  /// The others: ask, compute and answer until rank 0 has no more. What `compute` leaves out is
  /// given back.
  void follow(const std::function<std::vector<kept_cell>(const std::vector<study::planned_cell>&)>&
                  compute) const;

 private:
  const mpi_calls* mpi_ = nullptr;  // none for one alone
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace loradyn
