#include <algorithm>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/store.hpp>
#include <map>
#include <optional>
#include <system_error>
#include <utility>
#include "report/sqlite.hpp"
#include "report/store_claims.hpp"
#include "report/store_file.hpp"
#include "report/store_layout.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t merge_block = 4096;

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

}  // namespace

struct sweep_store::implementation {
  implementation(const fs::path& path, access how, std::chrono::milliseconds patience)
      : db(path, how, patience, path),
        writable(how == access::read_write),
        configuration(read_configuration(db)) {
    require_counts();
  }

  // The counts are of this sweep: by others nobody would know when it is complete.
  void require_counts() {
    statement counts(db, "SELECT frontier, finished, cells FROM progress");
    counts.start();
    if (!counts.step()) {
      db.damaged("it does not say how far it is");
    }
    const std::uint64_t total = counts.unsigned_at(2);
    if (total < configuration.cells || counts.unsigned_at(0) > total ||
        counts.unsigned_at(1) > total) {
      db.damaged("it counts " + std::to_string(counts.unsigned_at(1)) + " of " +
                 std::to_string(total) + " cells as finished, of a sweep of " +
                 std::to_string(configuration.cells));
    }
  }

  // Where nothing is left to claim and nobody has claimed anything, every cell is there.
  void require_complete() {
    require_counts();
    if (claims.any()) {
      return;
    }
    const std::uint64_t there = statement(db, "SELECT count(*) FROM cells").number().value_or(0);
    const std::uint64_t counted = finished_count.number().value_or(0);
    if (there != cells() || counted != there) {
      db.damaged("it holds " + std::to_string(there) + " cells, but counts " +
                 std::to_string(counted) + " of " + std::to_string(cells()) +
                 " as finished. What is there loradyn merge takes into a new store");
    }
  }

  database db;
  bool writable;
  sweep_configuration configuration;
  store_claims claims{db};

  statement finished_count{db, "SELECT finished FROM progress"};
  statement cell_count{db, "SELECT cells FROM progress"};
  statement grow_to{db, "UPDATE progress SET cells = max(cells, ?1)"};
  statement add_tally{db,
                      "INSERT INTO tallies VALUES (?1, ?2) "
                      "ON CONFLICT (value) DO UPDATE SET count = count + excluded.count"};
  statement add_finished{db, "UPDATE progress SET finished = finished + ?1"};
  statement insert_cell{db, insertion()};

  [[nodiscard]] std::uint64_t cells() { return cell_count.number().value_or(0); }

  [[nodiscard]] std::string insertion() const {
    std::string values = "?1";
    for (std::size_t i = 0; i < configuration.columns.size() + 1; ++i) {
      values += ", ?" + std::to_string(i + 2);
    }
    return "INSERT INTO cells (" + cell_columns(configuration.columns) + ") VALUES (" + values +
           ") ON CONFLICT (cell) DO NOTHING";
  }

  void require_writable() const {
    if (!writable) {
      throw file_error(quoted(db.path()) + " was opened for reading alone");
    }
  }

  // Runs `body` in a transaction; where it fails, the row of this store is what it was before.
  template <class Body>
  void write(const Body& body) {
    require_writable();
    const store_claims::liveness before = claims.alive();
    try {
      transaction writing(db);
      body();
      writing.commit();
    } catch (...) {
      claims.roll_back(before);
      throw;
    }
  }

  // Calls `visit(row)` for the finished cells of first … first + count - 1, in order.
  template <class Visit>
  void each(std::uint64_t first, std::uint64_t count, const Visit& visit) const {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    first = std::min(first, most);
    const std::uint64_t end = first + std::min(count, most - first);
    statement select(db, "SELECT " + cell_columns(configuration.columns) +
                             " FROM cells WHERE cell >= ?1 AND cell < ?2 ORDER BY cell");
    select.start(first, end);
    while (select.step()) {
      kept_cell row{select.cell_number(first, end), {}, 0.0};
      first = row.cell + 1;
      const auto columns = static_cast<int>(configuration.columns.size());
      row.values.reserve(configuration.columns.size());
      for (int c = 1; c <= columns; ++c) {
        row.values.push_back(select.cell_at(c));
      }
      row.cost = select.real_at(columns + 1);
      visit(std::move(row));
    }
  }

  // Keeps cells; returns how many were new.
  std::uint64_t keep(std::span<const kept_cell> kept) {
    require_writable();
    const std::uint64_t total = cells();
    for (const kept_cell& row : kept) {
      if (row.cell >= total) {
        throw argument_error("the cell", std::to_string(row.cell),
                             "less than " + std::to_string(total));
      }
      if (row.values.size() != configuration.columns.size()) {
        throw argument_error("the number of values", std::to_string(row.values.size()),
                             std::to_string(configuration.columns.size()));
      }
    }
    if (kept.empty()) {
      return 0;
    }
    db.execute("PRAGMA synchronous = FULL");
    std::uint64_t added = 0;
    write([&] { added = insert(kept); });
    return added;
  }

  std::uint64_t insert(std::span<const kept_cell> kept) {
    std::uint64_t added = 0;
    const std::optional<std::size_t> tally =
        find_column(configuration.columns, configuration.tally);
    std::map<std::string, std::uint64_t> counts;
    for (const kept_cell& row : kept) {
      insert_cell.start(row.cell);
      int index = 1;
      for (const loradyn::cell& value : row.values) {
        insert_cell.bind(++index, value);
      }
      insert_cell.bind(++index, row.cost);
      insert_cell.step();
      if (db.changes() == 0) {
        continue;
      }
      ++added;
      if (tally) {
        ++counts[to_text(row.values[*tally])];
      }
      claims.finish(row.cell);
    }
    claims.settle();
    add_finished.run(added);
    for (const auto& [value, count] : counts) {
      add_tally.run(value, count);
    }
    if (claims.alive().worker) {
      claims.register_worker();
    }
    return added;
  }
};

sweep_store::sweep_store(std::unique_ptr<implementation> opened) : self_(std::move(opened)) {}

sweep_store::sweep_store(const fs::path& path, const sweep_configuration& configuration,
                         std::chrono::milliseconds patience) {
  validate(configuration);
  // In this order: who makes FILE-wal has made the file before.
  std::error_code ignored;
  const fs::path log = beside(path, "-wal");
  const bool has_log = fs::exists(log, ignored);
  if (!fs::exists(path, ignored)) {
    if (has_log) {
      throw file_error(quoted(path) + " can't be created: " + quoted(log) +
                       " belongs to a store that is gone; move it away");
    }
    create_store(path, configuration, patience);
  }
  require_ours(path);
  if (const std::string obstacle = write_obstacle(path); !obstacle.empty()) {
    throw file_error(obstacle);
  }
  self_ = std::make_unique<implementation>(path, access::read_write, patience);
  require_same(path, self_->configuration, configuration);
}

sweep_store sweep_store::open_existing(const fs::path& path, std::chrono::milliseconds patience) {
  require_ours(path);
  std::error_code ignored;
  const fs::path log = beside(path, "-wal");
  access how = access::read_write;  // who closes last takes FILE-wal in
  if (!write_obstacle(path).empty()) {
    // SQLite reads a file in WAL mode only where it can write beside it, unless it is told that
    // nobody changes it.
    how = fs::exists(log, ignored) ? access::read_only : access::immutable;
  }
  auto opened = std::make_unique<implementation>(path, how, patience);
  opened->writable = false;
  opened->db.execute("PRAGMA query_only = ON");
  return sweep_store(std::move(opened));
}

sweep_configuration sweep_store::configuration_of(const fs::path& path) {
  return open_existing(path).configuration();
}

sweep_store::~sweep_store() {
  if (self_ && self_->claims.alive().worker) {
    try {
      self_->write([this] { self_->claims.release(*self_->claims.alive().worker); });
    } catch (const error&) {
      // The claims stay until this process ends; no cell is lost.
    } catch (const interrupted&) {
      // The same.
    }
  }
}

sweep_store::sweep_store(sweep_store&&) noexcept = default;
sweep_store& sweep_store::operator=(sweep_store&& other) noexcept {
  std::swap(self_, other.self_);
  return *this;
}

const sweep_configuration& sweep_store::configuration() const noexcept {
  return self_->configuration;
}

std::vector<std::uint64_t> sweep_store::claim(std::size_t count) {
  self_->require_writable();
  self_->db.execute("PRAGMA synchronous = NORMAL");
  std::vector<std::uint64_t> cells;
  self_->write([&] {
    self_->claims.register_worker();
    self_->claims.release_dead();
    cells = self_->claims.claim(count, self_->cells());
    if (cells.empty() && count > 0 && self_->claims.release_orphans()) {
      cells = self_->claims.claim(count, self_->cells());
    }
    if (cells.empty() && count > 0) {
      self_->require_complete();
    }
  });
  return cells;
}

void sweep_store::keep(std::span<const kept_cell> cells) { self_->keep(cells); }

void sweep_store::heartbeat() {
  self_->require_writable();
  if (self_->claims.alive().worker) {
    self_->write([this] { self_->claims.register_worker(); });
  }
}

std::uint64_t sweep_store::finished() const { return self_->finished_count.number().value_or(0); }

std::uint64_t sweep_store::cells() const { return self_->cells(); }

bool sweep_store::complete() const {
  return statement(self_->db, "SELECT finished = cells FROM progress").number() == 1;
}

void sweep_store::grow(std::uint64_t cells) {
  if (cells > this->cells()) {
    self_->write([&] { self_->grow_to.run(cells); });
  }
}

std::vector<std::pair<std::string, std::uint64_t>> sweep_store::tallies() const {
  std::vector<std::pair<std::string, std::uint64_t>> result;
  statement select(self_->db, "SELECT value, count FROM tallies ORDER BY value");
  while (select.step()) {
    result.emplace_back(select.text_at(0), select.unsigned_at(1));
  }
  return result;
}

void sweep_store::finished_cells(const std::function<void(std::uint64_t)>& visit) const {
  statement select(self_->db, "SELECT cell FROM cells ORDER BY cell");
  constexpr auto none = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t least = 0;
  while (select.step()) {
    check_stop();
    const std::uint64_t number = select.cell_number(least, none);
    visit(number);
    least = number + 1;
  }
}

void sweep_store::read(std::uint64_t first, std::uint64_t count,
                       const std::function<void(std::uint64_t, std::vector<cell>)>& visit) const {
  self_->each(first, count, [&visit](kept_cell row) { visit(row.cell, std::move(row.values)); });
}

std::vector<std::vector<cell>> sweep_store::rows() const {
  std::vector<std::vector<cell>> result;
  read(0, cells(),
       [&result](std::uint64_t, std::vector<cell> values) { result.push_back(std::move(values)); });
  return result;
}

std::uint64_t sweep_store::merge(const fs::path& source) {
  const sweep_store other = open_existing(source);
  require_same(source, other.configuration(), configuration());
  std::uint64_t added = 0;
  std::vector<kept_cell> block;
  const auto flush = [&] {
    if (!block.empty()) {
      grow(block.back().cell + 1);  // no further than the cells that are here
      added += self_->keep(block);
      block.clear();
    }
  };
  other.self_->each(0, other.cells(), [&](kept_cell row) {
    check_stop();
    block.push_back(std::move(row));
    if (block.size() == merge_block) {
      flush();
    }
  });
  flush();
  grow(other.cells());
  return added;
}

}  // namespace loradyn
