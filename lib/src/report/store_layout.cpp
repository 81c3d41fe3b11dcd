#include "report/store_layout.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <loradyn/error.hpp>
#include <set>
#include "report/one_line.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

constexpr const char* schema = R"(
CREATE TABLE sweep (version TEXT NOT NULL, cells INTEGER NOT NULL, tally TEXT NOT NULL);
CREATE TABLE parameters (position INTEGER PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL);
CREATE TABLE columns (position INTEGER PRIMARY KEY, name TEXT NOT NULL);

-- A cell below the frontier is finished, in a claim, or in a range of `unclaimed`; none from the
-- frontier on was ever claimed. Ranges may hold finished cells, which who claims skips.
-- `cells` is how many there are now: a sweep may grow.
CREATE TABLE progress (frontier INTEGER NOT NULL, finished INTEGER NOT NULL,
                       cells INTEGER NOT NULL);
-- How many finished cells have a value in the column that the sweep counts.
CREATE TABLE tallies (value TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE unclaimed (first INTEGER PRIMARY KEY, count INTEGER NOT NULL);
-- `remaining` counts the unfinished cells of a claim; without one it is deleted.
CREATE TABLE claims (first INTEGER PRIMARY KEY, count INTEGER NOT NULL,
                     remaining INTEGER NOT NULL, worker INTEGER NOT NULL);
-- An open store that claims. AUTOINCREMENT: a number is never given twice.
CREATE TABLE workers (worker INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL,
                      pid INTEGER NOT NULL, start TEXT NOT NULL, heartbeat INTEGER NOT NULL);
)";

// The names of the columns of `cells`, quoted. SQLite does not tell small letters from capitals,
// and two names are the store's own.
std::vector<std::string> column_names(const std::vector<std::string>& columns) {
  std::set<std::string> taken = {"cell", "cost"};
  const auto folded = [](std::string name) {
    for (char& c : name) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return name;
  };
  std::vector<std::string> names;
  for (std::string name : columns) {
    while (!taken.insert(folded(name)).second) {
      name += '_';
    }
    std::string quoted = "\"";
    for (const char c : name) {
      quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    names.push_back(quoted + '"');
  }
  return names;
}

// SQL that runs by itself, or stands where a table of ours should, is none of ours.
void require_plain_tables(const database& db) {
  statement strange(db, R"(
    SELECT name FROM sqlite_schema
    WHERE type = 'trigger'
       OR (lower(name) IN ('sweep', 'parameters', 'columns', 'progress', 'tallies', 'unclaimed',
                           'claims', 'workers', 'cells')
           AND (type <> 'table' OR sql LIKE 'CREATE VIRTUAL%')))");
  strange.start();
  if (strange.step()) {
    db.damaged("'" + strange.text_at(0) + "' is not what loradyn writes");
  }
}

}  // namespace

std::string cell_columns(const std::vector<std::string>& columns) {
  std::string list = "cell, ";
  for (const std::string& name : column_names(columns)) {
    list += name + ", ";
  }
  return list + "cost";
}

void validate(const sweep_configuration& configuration) {
  std::set<std::string> names;
  for (const auto& [name, value] : configuration.parameters) {
    if (!names.insert(name).second) {
      throw argument_error("the parameter '" + name + "'", "given twice", "given once");
    }
  }
  for (const std::string& name : configuration.columns) {
    if (name.find('\0') != std::string::npos) {
      throw argument_error("the column '" + name.substr(0, name.find('\0')) + "'",
                           "a name with a zero byte", "a text");
    }
  }
  const auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (configuration.cells > limit) {
    throw argument_error("the number of cells", std::to_string(configuration.cells),
                         "at most " + std::to_string(limit));
  }
  if (!configuration.tally.empty() && !find_column(configuration.columns, configuration.tally)) {
    throw argument_error("the column that is counted", "'" + configuration.tally + "'",
                         "one of the columns");
  }
}

void write_layout(const pending_file& file, const sweep_configuration& configuration,
                  std::chrono::milliseconds patience) {
  const database db(file.path(), access::read_write, patience, file.final_name());
  {
    transaction writing(db);
    db.execute("PRAGMA application_id = " + std::to_string(store_application_id));
    db.execute("PRAGMA user_version = " + std::to_string(store_layout));
    db.execute(schema);
    // No types: SQLite converts nothing.
    db.execute("CREATE TABLE cells (" +
               cell_columns(configuration.columns)
                   .replace(0, std::strlen("cell"), "cell INTEGER PRIMARY KEY") +
               ")");
    statement(db, "INSERT INTO sweep VALUES (?1, ?2, ?3)")
        .run(configuration.version, configuration.cells, configuration.tally);
    statement(db, "INSERT INTO progress VALUES (0, 0, ?1)").run(configuration.cells);
    statement parameter(db, "INSERT INTO parameters (name, value) VALUES (?1, ?2)");
    for (const auto& [name, value] : configuration.parameters) {
      parameter.run(name, value);
    }
    statement column(db, "INSERT INTO columns (name) VALUES (?1)");
    for (const std::string& name : configuration.columns) {
      column.run(name);
    }
    writing.commit();
  }
  db.execute("PRAGMA journal_mode = WAL");
}

sweep_configuration read_configuration(const database& db) {
  require_plain_tables(db);
  sweep_configuration configuration;
  statement sweep(db, "SELECT version, cells, tally FROM sweep");
  sweep.start();
  if (!sweep.step()) {
    db.damaged("it does not say what it holds");
  }
  configuration.version = sweep.text_at(0);
  configuration.cells = sweep.unsigned_at(1);
  configuration.tally = sweep.text_at(2);
  statement parameters(db, "SELECT name, value FROM parameters ORDER BY position");
  while (parameters.step()) {
    configuration.parameters.emplace_back(parameters.text_at(0), parameters.text_at(1));
  }
  statement columns(db, "SELECT name FROM columns ORDER BY position");
  while (columns.step()) {
    configuration.columns.push_back(columns.text_at(0));
  }
  return configuration;
}

void require_same(const fs::path& path, const sweep_configuration& stored,
                  const sweep_configuration& asked) {
  const auto refuse = [&path](const std::string& difference) {
    throw error("'" + path.string() + "'" + " holds another sweep: " + one_line(difference));
  };
  const auto find = [](const sweep_configuration& in, const std::string& name) {
    return std::find_if(in.parameters.begin(), in.parameters.end(),
                        [&name](const auto& parameter) { return parameter.first == name; });
  };
  const auto compare = [&refuse](const std::string& what, const std::string& in_store,
                                 const std::string& here) {
    if (in_store != here) {
      refuse(what + " is '" + in_store + "' in the store, but '" + here + "' was asked for");
    }
  };
  for (const auto& [name, value] : asked.parameters) {
    const auto found = find(stored, name);
    if (found == stored.parameters.end()) {
      refuse(name + " is not set in the store, but '" + value + "' was asked for");
    }
    compare(name, found->second, value);
  }
  for (const auto& [name, value] : stored.parameters) {
    if (find(asked, name) == asked.parameters.end()) {
      refuse(name + " is '" + value + "' in the store, but is not set here");
    }
  }
  compare("the version of loradyn", stored.version, asked.version);
  compare("the number of cells", std::to_string(stored.cells), std::to_string(asked.cells));
  compare("the number of columns", std::to_string(stored.columns.size()),
          std::to_string(asked.columns.size()));
  for (std::size_t i = 0; i < asked.columns.size(); ++i) {
    compare("column " + std::to_string(i + 1), stored.columns[i], asked.columns[i]);
  }
  compare("the column that is counted", stored.tally, asked.tally);
}

}  // namespace loradyn
