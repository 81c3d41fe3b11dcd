#pragma once

// Several processes on one sweep, under MPI.

#include <cstdint>
#include <functional>
#include <loradyn/report/store.hpp>
#include <vector>

namespace loradyn::cli {

// The processes that mpirun started together. One alone where it did not, or where the program was
// built without MPI. Made once, before anything else of MPI.
class ranks {
 public:
  ranks();
  ~ranks();
  ranks(const ranks&) = delete;
  ranks& operator=(const ranks&) = delete;

  [[nodiscard]] bool alone() const { return size_ == 1; }
  [[nodiscard]] bool leads() const { return rank_ == 0; }

  // Rank 0: hands blocks of cells to the others as they ask, and takes what they computed, until
  // `next` has none left and all are answered. `taken` gets every block in the order of arrival.
  void lead(const std::function<std::vector<std::uint64_t>()>& next,
            const std::function<void(std::vector<kept_cell>)>& taken) const;

  // The others: ask, compute and answer until rank 0 has no more.
  void follow(const std::function<std::vector<kept_cell>(const std::vector<std::uint64_t>&)>&
                  compute) const;

 private:
  int rank_ = 0;
  int size_ = 1;
};

// The bytes of computed cells, and back; doubles keep their bits. For messages between ranks of one
// machine type.
std::vector<char> packed(const std::vector<kept_cell>& cells);
std::vector<kept_cell> unpacked(const std::vector<char>& bytes);

}  // namespace loradyn::cli
