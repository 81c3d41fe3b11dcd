#pragma once

/// \file
/// The work of a phase diagram that several processes share, or that a store keeps: which cells are
/// to be computed now, and where their values go.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <loradyn/report/ranks.hpp>
#include <loradyn/report/store.hpp>
#include <loradyn/study/phase_plan.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace loradyn {

/// One thread at a time uses it.
class phase_work {
 public:
  virtual ~phase_work() = default;

  /// The next cells, `most` at the most. None where others are computing the last ones, or all are
  /// done.
  [[nodiscard]] std::vector<study::planned_cell> next(std::size_t most);
  /// The values of a cell that `next` gave; any order.
  virtual void take(kept_cell done) = 0;
  /// Cells that `next` gave and that will not come back: they are given again.
  void give_back(const std::vector<study::planned_cell>& cells);
  /// Whether no cell is left, to compute or to wait for.
  [[nodiscard]] virtual bool over() = 0;
  /// Keeps what was taken.
  virtual void flush() {}

  /// For the line of progress.
  [[nodiscard]] virtual std::uint64_t finished() const = 0;
  /// The number of cells, as far as it is known.
  [[nodiscard]] virtual std::uint64_t total() const = 0;
  /// How many finished cells there are of each outcome.
  [[nodiscard]] virtual std::vector<std::pair<std::string, std::uint64_t>> tallies() const = 0;

 protected:
  /// Those that were given back are waited for.
  [[nodiscard]] bool has_returned() const { return !returned_.empty(); }

 private:
  [[nodiscard]] virtual std::vector<study::planned_cell> fresh(std::size_t most) = 0;

  std::vector<study::planned_cell> returned_;
};

/// Without a store: rows go to `sink` in the order of their cells, as soon as those before are
/// there.
class direct_work final : public phase_work {
 public:
  /// Where finished rows go, in order.
  using row_sink = std::function<void(std::vector<cell>)>;
  /// The cells of a grid, whose rows go to the sink.
  direct_work(const study::phase_grid& grid, row_sink sink);

  void take(kept_cell done) override;
  [[nodiscard]] bool over() override;
  [[nodiscard]] std::uint64_t finished() const override { return taken_; }
  /// The number of cells, as far as it is known.
  [[nodiscard]] std::uint64_t total() const override { return plan_.cells(); }
  /// How many finished cells there are of each outcome.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> tallies() const override;

  /// Rows that went to the sink.
  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }

 private:
  [[nodiscard]] std::vector<study::planned_cell> fresh(std::size_t most) override;
  void grow_if_due();

  const study::phase_grid& grid_;
  study::phase_plan plan_;
  row_sink sink_;
  std::map<std::string, std::uint64_t> tallies_;
  std::map<std::uint64_t, std::vector<char>> early_;  // packed: they wait for those before
  std::uint64_t position_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t delivered_ = 0;
};

/// i/n: the cells i-1, i-1+n, … of the grid.
struct phase_shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;
};

/// Reads i/n, of which an empty text is 1/1. \throws argument_error, naming the option
phase_shard read_shard(const std::string& text);

/// Into a store, which other processes may share: cells are claimed, or taken from a shard, and
/// kept some times in a second.
class stored_work final : public phase_work {
 public:
  /// The unfinished cells of a store, of one part of them.
  stored_work(const study::phase_grid& grid, sweep_store& store, const phase_shard& part);

  void take(kept_cell done) override;
  [[nodiscard]] bool over() override;
  void flush() override;
  [[nodiscard]] std::uint64_t finished() const override;
  /// The number of cells, as far as it is known.
  [[nodiscard]] std::uint64_t total() const override { return store_.cells(); }
  /// How many finished cells there are of each outcome.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> tallies() const override {
    return store_.tallies();
  }

  /// Whether the diagram is whole, all shards of it.
  [[nodiscard]] bool complete();

 private:
  using clock = std::chrono::steady_clock;

  [[nodiscard]] std::vector<study::planned_cell> fresh(std::size_t most) override;
  [[nodiscard]] std::vector<std::uint64_t> next_of_shard(std::size_t most);
  // Plans what is in the store.
  bool grow();

  const study::phase_grid& grid_;
  study::phase_plan plan_;
  sweep_store& store_;
  phase_shard part_;
  std::vector<bool> finished_;  // of a shard, when it was opened
  std::uint64_t position_ = 0;
  std::vector<kept_cell> waiting_;
  clock::time_point flushed_ = clock::now();
  double flush_cost_ = 0.0;  // seconds
};

/// The values of cells, by all threads; `take` gets them in order, those of a prefix where a stop
/// is requested. \param threads 0: as many as the machine has \param watch told their places
void compute_cells(const study::phase_grid& grid, const std::vector<study::planned_cell>& cells,
                   std::size_t threads, const std::function<void(kept_cell)>& take,
                   study::point_watch* watch = nullptr);

/// Computes what the work has, by this process, until no cell is left or a stop is requested; what
/// other processes have claimed is waited for. \param progress called as cells are finished
void compute_here(const study::phase_grid& grid, std::size_t threads, phase_work& work,
                  const std::function<void()>& progress, study::point_watch* watch = nullptr);

/// The rank that leads the others. It sends them home where it fails before it has led them.
class phase_leader {
 public:
  /// Of these processes, which must outlive it.
  explicit phase_leader(const ranks& processes) : processes_(processes) {}
  ~phase_leader();
  phase_leader(const phase_leader&) = delete;
  phase_leader& operator=(const phase_leader&) = delete;

  /// The others compute, a few cells at a time, while this one takes what they send; they get none
  /// once a stop is requested. \param progress called as cells are finished
  void lead(phase_work& work, const std::function<void()>& progress);

 private:
  const ranks& processes_;
  bool led_ = false;
};

/// What a store of this diagram is.
sweep_configuration configuration_of(const study::phase_grid& grid);

/// The cells of the diagram in a store, as far as its values tell.
std::uint64_t planned_cells(const study::phase_grid& grid, const sweep_store& store);

}  // namespace loradyn
