#include <algorithm>
#include <chrono>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/phase_work.hpp>
#include <loradyn/report/problem_text.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/sweep/range.hpp>
#include <loradyn/version.hpp>
#include <optional>
#include <string_view>
#include <thread>

namespace loradyn {
namespace {

using study::planned_cell;

// A cell's values, and what it took. Nothing where it is stopped.
std::optional<kept_cell> compute(const study::phase_grid& grid, const planned_cell& c) {
  const auto start = std::chrono::steady_clock::now();
  auto row = grid.row(c.place);
  if (!row) {
    return std::nullopt;
  }
  return kept_cell{c.cell, grid.columns().cells(*row),
                   std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

// Adds the cells of the plan's next level, once the store has the values of all known ones; those
// of the levels before were taken when this one was planned.
bool grow_from(study::phase_plan& plan, const study::phase_grid& grid, const sweep_store& store) {
  if (plan.over() || store.finished() < plan.cells()) {
    return false;
  }
  std::uint64_t missing = plan.cells() - plan.first();
  store.read(plan.first(), missing, [&](std::uint64_t c, const std::vector<cell>& cells) {
    plan.take(c, grid.columns().row(cells));
    --missing;
  });
  if (missing > 0) {
    throw file_error("the store is damaged: it counts cells as finished that it does not hold");
  }
  return plan.grow();
}

}  // namespace

std::vector<planned_cell> phase_work::next(std::size_t most) {
  if (returned_.empty()) {
    return fresh(most);
  }
  const auto end =
      returned_.begin() + static_cast<std::ptrdiff_t>(std::min(most, returned_.size()));
  std::vector<planned_cell> cells(returned_.begin(), end);
  returned_.erase(returned_.begin(), end);
  return cells;
}

void phase_work::give_back(const std::vector<planned_cell>& cells) {
  returned_.insert(returned_.end(), cells.begin(), cells.end());
}

direct_work::direct_work(const study::phase_grid& grid, row_sink sink)
    : grid_(grid), plan_(grid), sink_(std::move(sink)) {}

std::vector<planned_cell> direct_work::fresh(std::size_t most) {
  grow_if_due();
  std::vector<planned_cell> cells;
  while (cells.size() < most && position_ < plan_.cells()) {
    cells.push_back({position_, plan_.place(position_)});
    ++position_;
  }
  return cells;
}

void direct_work::take(kept_cell done) {
  ++taken_;
  const study::phase_row row = grid_.columns().row(done.values);
  ++tallies_[grid_.outcome_of(row)];
  plan_.take(done.cell, row);
  if (done.cell != delivered_) {
    early_.emplace(done.cell, packed({&done, 1}));
    return;
  }
  sink_(std::move(done.values));
  ++delivered_;
  while (!early_.empty() && early_.begin()->first == delivered_) {
    sink_(std::move(unpacked(early_.begin()->second).front().values));
    early_.erase(early_.begin());
    ++delivered_;
  }
}

bool direct_work::over() {
  grow_if_due();
  return taken_ == plan_.cells();
}

void direct_work::grow_if_due() {
  if (taken_ == plan_.cells()) {
    static_cast<void>(plan_.grow());
  }
}

std::vector<std::pair<std::string, std::uint64_t>> direct_work::tallies() const {
  return {tallies_.begin(), tallies_.end()};
}

stored_work::stored_work(const study::phase_grid& grid, sweep_store& store, const phase_shard& part)
    : grid_(grid), plan_(grid), store_(store), part_(part) {
  if (part_.count > 1) {
    finished_.assign(grid.cells(), false);
    store_.finished_cells([this](std::uint64_t i) {
      if (i >= finished_.size()) {
        throw file_error("the store holds a cell that the sweep does not have: it is damaged");
      }
      finished_[i] = true;
    });
    position_ = part_.index;
  }
}

std::vector<std::uint64_t> stored_work::next_of_shard(std::size_t most) {
  std::vector<std::uint64_t> cells;
  for (; position_ < finished_.size() && cells.size() < most; position_ += part_.count) {
    if (!finished_[position_]) {
      cells.push_back(position_);
    }
  }
  return cells;
}

std::vector<planned_cell> stored_work::fresh(std::size_t most) {
  std::vector<std::uint64_t> cells = part_.count > 1 ? next_of_shard(most) : store_.claim(most);
  if (cells.empty() && part_.count == 1) {
    flush();
    if (grow()) {
      cells = store_.claim(most);
    }
  }
  std::vector<planned_cell> planned;
  for (const std::uint64_t c : cells) {
    // Another process may have planned further than this one.
    while (c >= plan_.cells()) {
      if (!grow()) {
        throw file_error("the cells of the store do not follow from their values: it is damaged");
      }
    }
    planned.push_back({c, plan_.place(c)});
  }
  return planned;
}

void stored_work::take(kept_cell done) {
  // A wait for the disk as often as it costs little: one part in twenty of the time at most.
  constexpr std::size_t most = 8192;
  constexpr double least_interval = 0.05;
  constexpr double spacing = 20.0;
  waiting_.push_back(std::move(done));
  const double since = std::chrono::duration<double>(clock::now() - flushed_).count();
  if (waiting_.size() >= most || since > std::max(least_interval, spacing * flush_cost_)) {
    flush();
  }
}

void stored_work::flush() {
  const clock::time_point start = clock::now();
  store_.keep(waiting_);
  waiting_.clear();
  flushed_ = clock::now();
  flush_cost_ = std::chrono::duration<double>(flushed_ - start).count();
}

bool stored_work::grow() {
  if (!grow_from(plan_, grid_, store_)) {
    return false;
  }
  store_.grow(plan_.cells());
  return true;
}

bool stored_work::over() {
  flush();
  if (part_.count > 1) {
    return position_ >= finished_.size() && !has_returned();
  }
  return complete();
}

bool stored_work::complete() { return store_.complete() && !grow(); }

std::uint64_t stored_work::finished() const { return store_.finished() + waiting_.size(); }

void compute_cells(const study::phase_grid& grid, const std::vector<planned_cell>& cells,
                   std::size_t threads, const std::function<void(kept_cell)>& take,
                   study::point_watch* watch) {
  ordered_map(
      cells.size(), study::stoppable(threads, grid.block()),
      [&](std::size_t i) {
        const study::point_watch::visit here(watch, cells[i].place);
        return compute(grid, cells[i]);
      },
      [&](std::size_t, std::optional<kept_cell> done) {
        if (done) {
          take(*std::move(done));
        }
      });
}

void compute_here(const study::phase_grid& grid, std::size_t threads, phase_work& work,
                  const std::function<void()>& progress, study::point_watch* watch) {
  // A claim, and a wait for the last thread, about every two seconds; some cells for each thread.
  const std::size_t workers =
      threads == 0 ? std::max<std::size_t>(1, std::thread::hardware_concurrency()) : threads;
  const std::size_t least = 4 * workers;
  std::size_t size = least;
  while (!stop_requested()) {
    std::vector<planned_cell> cells;
    try {
      cells = work.next(size);
    } catch (const interrupted&) {
      break;  // while it waited for the store's lock
    }
    if (cells.empty()) {
      if (work.over()) {
        break;
      }
      // Other processes have claimed the rest; what a killed one had is free again.
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      progress();
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    const auto take = [&](kept_cell done) {
      work.take(std::move(done));
      progress();
    };
    compute_cells(grid, cells, threads, take, watch);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    constexpr double wanted = 2.0;
    const double factor = std::clamp(wanted / std::max(seconds, 1e-6), 0.25, 4.0);
    constexpr std::size_t most = 1'000'000;
    size = std::clamp(static_cast<std::size_t>(static_cast<double>(size) * factor), least, most);
  }
  try {
    work.flush();
  } catch (const interrupted&) {
    // The store is locked: it says how many of the cells it keeps.
  }
}

phase_shard read_shard(const std::string& text) {
  if (text.empty()) {
    return {};
  }
  const std::vector<std::string_view> parts = split(text, '/');
  constexpr double most = 1e6;
  if (parts.size() == 2) {
    const double i = parse_number("--shard", parts[0]);
    const double n = parse_number("--shard", parts[1]);
    if (i >= 1.0 && i <= n && n <= most && i == std::floor(i) && n == std::floor(n)) {
      return {static_cast<std::uint64_t>(i) - 1, static_cast<std::uint64_t>(n)};
    }
  }
  throw argument_error("--shard", "'" + text + "'", "i/n with 1 <= i <= n <= 1000000");
}

phase_leader::~phase_leader() {
  if (!led_) {
    processes_.lead({[] { return std::vector<study::planned_cell>(); }, [](const auto&) {},
                     [](const auto&) {}});
  }
}

void phase_leader::lead(phase_work& work, const std::function<void()>& progress) {
  led_ = true;
  constexpr std::size_t block = 64;
  const auto next = [&] {
    return stop_requested() ? std::vector<study::planned_cell>() : work.next(block);
  };
  const auto take = [&](std::vector<kept_cell> done) {
    for (kept_cell& c : done) {
      work.take(std::move(c));
    }
    progress();
  };
  processes_.lead(
      {next, take, [&](const std::vector<study::planned_cell>& cells) { work.give_back(cells); }});
  work.flush();
}

sweep_configuration configuration_of(const study::phase_grid& grid) {
  return {version, parameters_of(grid.problem()), grid.columns().names(), grid.cells(),
          grid.outcome_column()};
}

std::uint64_t planned_cells(const study::phase_grid& grid, const sweep_store& store) {
  study::phase_plan plan(grid);
  while (grow_from(plan, grid, store)) {
  }
  return plan.cells();
}

}  // namespace loradyn
