// A file is opened as a store, to read it and to go on with its sweep, or refused with an error.
// What is not noticed of damage does no harm: claimed cells are of the sweep, rows have all
// columns.

#include <filesystem>
#include <loradyn/error.hpp>
#include <loradyn/report/store.hpp>
#include <vector>

#include "fuzz.hpp"

namespace {

using namespace loradyn;
using fuzz::require;
namespace fs = std::filesystem;

fs::path fresh(const fuzz::directory& place, std::string_view content) {
  for (const char* name : {"s.sqlite-wal", "s.sqlite-shm", "s.sqlite-journal"}) {
    fs::remove(place.file(name));
  }
  return place.write("s.sqlite", content);
}

// All that `export` reads; the sweep.
sweep_configuration read_all(const fs::path& path) {
  const sweep_store store = sweep_store::open_existing(path);
  const std::size_t columns = store.configuration().columns.size();
  store.finished_cells([](std::uint64_t) {});
  for (const auto& row : store.rows()) {
    require(row.size() == columns, "a row has a cell for each column");
  }
  require(store.finished() <= store.cells(), "no more cells are finished than there are");
  static_cast<void>(store.complete());
  static_cast<void>(store.tallies());
  return store.configuration();
}

void go_on(const fs::path& path, const sweep_configuration& configuration) {
  sweep_store store(path, configuration);
  const std::vector<std::uint64_t> claimed = store.claim(5);
  require(claimed.size() <= 5, "no more cells are claimed than were asked for");
  std::vector<kept_cell> kept;
  for (const std::uint64_t cell : claimed) {
    require(cell < store.cells(), "a claimed cell is one of the sweep");
    kept.push_back({cell, std::vector<loradyn::cell>(configuration.columns.size(), 0.5), 1.0});
  }
  store.keep(kept);
  for (const std::uint64_t cell : claimed) {
    store.read(cell, 1, [&](std::uint64_t number, const std::vector<loradyn::cell>& values) {
      require(number == cell && values.size() == configuration.columns.size(),
              "what is kept is read back");
    });
  }
  store.grow(store.cells() < 1000 ? store.cells() + 1 : 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::directory place;
  const fs::path path = fresh(place, fuzz::text_of(data, size));
  try {
    go_on(path, read_all(path));
  } catch (const error&) {
  }
  return 0;
}
