#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/file.hpp>
#include <loradyn/report/store.hpp>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>

namespace loradyn {
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t application_id = 0x6c6f7264;  // "lord"
constexpr std::uint32_t layout = 2;
constexpr std::size_t merge_block = 4096;
// A heartbeat is a write: not more often than this.
constexpr std::int64_t heartbeat_interval = 20;

std::string in_quotes(const fs::path& path) { return "'" + path.string() + "'"; }

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

// --- SQLite

enum class access { read_write, read_only, immutable };

// A connection.
class database {
 public:
  // `said` is the name in messages.
  database(const fs::path& path, access how, std::chrono::milliseconds patience,
           const fs::path& said)
      : path_(said), patience_(patience) {
    // An absolute name can't be taken for one of SQLite's special ones (":memory:").
    const std::string name = fs::absolute(path).string();
    const int flags = SQLITE_OPEN_URI |
                      (how == access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    const int status =
        sqlite3_open_v2((uri(name) + (how == access::immutable ? "?immutable=1" : "")).c_str(),
                        &connection_, flags, nullptr);
    try {
      check(status);
      sqlite3_extended_result_codes(connection_, 1);
      check(sqlite3_busy_handler(connection_, wait_for_lock, this));
      constexpr int most_bytes = 1 << 24;  // of a value; ours have a few hundred
      sqlite3_limit(connection_, SQLITE_LIMIT_LENGTH, most_bytes);
      execute("PRAGMA trusted_schema = OFF");
      execute("PRAGMA cell_size_check = ON");
    } catch (...) {
      sqlite3_close(connection_);
      throw;
    }
  }
  ~database() { sqlite3_close(connection_); }
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  [[nodiscard]] sqlite3* get() const { return connection_; }
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }
  [[nodiscard]] std::uint64_t changes() const {
    return static_cast<std::uint64_t>(sqlite3_changes64(connection_));
  }

  void execute(const std::string& sql) const {
    check(sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr));
  }

  void check(int status) const {
    if (status != SQLITE_OK && status != SQLITE_ROW && status != SQLITE_DONE) {
      fail(status);
    }
  }

  [[noreturn]] void damaged(const std::string& how) const {
    throw file_error(in_quotes(path_) + " is damaged: " + one_line(how));
  }

 private:
  // Whether to try again for a lock that another connection holds.
  static int wait_for_lock(void* self, int tries) {
    const std::chrono::milliseconds pause(tries < 8 ? 2 : 20);
    // What is finished is still kept after a stop is requested, if the lock is free soon.
    constexpr std::chrono::milliseconds last_chance(500);
    auto& db = *static_cast<database*>(self);
    if (tries == 0) {
      db.waited_ = std::chrono::milliseconds(0);
    }
    if (stop_requested()) {
      db.waited_since_stop_ += pause;
    }
    if (db.waited_ >= db.patience_ || db.waited_since_stop_ > last_chance) {
      return 0;
    }
    std::this_thread::sleep_for(pause);
    db.waited_ += pause;
    return 1;
  }

  // "file:" with every byte that could mean something escaped.
  static std::string uri(const std::string& name) {
    std::string result = "file:";
    for (const char c : name) {
      if (c == '%' || c == '?' || c == '#') {
        std::array<char, 4> escaped{};
        std::snprintf(escaped.data(), escaped.size(), "%%%02x", static_cast<unsigned>(c));
        result += escaped.data();
      } else {
        result += c;
      }
    }
    return result;
  }

  [[noreturn]] void fail(int status) const {
    const int system = sqlite3_system_errno(connection_);
    const std::string why = system != 0 ? std::strerror(system) : sqlite3_errmsg(connection_);
    const std::string name = in_quotes(path_);
    switch (status & 0xff) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED: {
        check_stop();
        std::ostringstream seconds;
        seconds << static_cast<double>(patience_.count()) / 1000.0;
        throw file_error(name + " is locked by another program; waited for " + seconds.str() +
                         " s");
      }
      case SQLITE_READONLY:
      case SQLITE_PERM:
        throw file_error(name + " can't be written: it is read-only");
      case SQLITE_FULL:
        throw file_error(name + " can't be written: the disk is full");
      case SQLITE_CANTOPEN:
        throw file_error(name + " can't be opened: " + one_line(why));
      case SQLITE_IOERR:
        throw file_error(name + ": the disk failed: " + one_line(why));
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
      case SQLITE_ERROR:
      case SQLITE_SCHEMA:
        damaged(sqlite3_errmsg(connection_));
      default:
        throw file_error(name + ": " + one_line(sqlite3_errmsg(connection_)));
    }
  }

  fs::path path_;
  std::chrono::milliseconds patience_;
  std::chrono::milliseconds waited_{0};             // for the lock that is wanted now
  std::chrono::milliseconds waited_since_stop_{0};  // for all locks since a stop is requested
  sqlite3* connection_ = nullptr;
};

// A prepared statement. `start` binds the values to ?1, ?2, … and runs anew.
class statement {
 public:
  statement(const database& db, const std::string& sql) : db_(&db) {
    db.check(sqlite3_prepare_v2(db.get(), sql.c_str(), -1, &handle_, nullptr));
  }
  ~statement() { sqlite3_finalize(handle_); }
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;

  template <class... Values>
  void start(const Values&... values) {
    sqlite3_reset(handle_);
    int index = 0;
    (bind(++index, values), ...);
  }

  // The next row, or none; a statement without one left holds no lock.
  bool step() {
    const int status = sqlite3_step(handle_);
    if (status == SQLITE_ROW) {
      return true;
    }
    if (status != SQLITE_DONE) {
      sqlite3_reset(handle_);  // keeps the message
      db_->check(status);
    }
    sqlite3_reset(handle_);
    return false;
  }

  // Runs to the end.
  template <class... Values>
  void run(const Values&... values) {
    start(values...);
    while (step()) {
    }
  }

  // A statement whose first row is all that counts.
  template <class... Values>
  std::optional<std::uint64_t> number(const Values&... values) {
    start(values...);
    if (!step()) {
      return std::nullopt;
    }
    const std::uint64_t result = unsigned_at(0);
    sqlite3_reset(handle_);
    return result;
  }

  void bind(int index, double value) { db_->check(sqlite3_bind_double(handle_, index, value)); }
  void bind(int index, std::int64_t value) {
    db_->check(sqlite3_bind_int64(handle_, index, value));
  }
  void bind(int index, std::uint64_t value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, const std::string& value) {
    db_->check(sqlite3_bind_text64(handle_, index, value.data(), value.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8));
  }
  void bind(int index, const cell& value) {
    std::visit([&](const auto& v) { bind(index, v); }, value);
  }

  [[nodiscard]] std::int64_t integer_at(int column) const {
    return sqlite3_column_int64(handle_, column);
  }
  [[nodiscard]] std::uint64_t unsigned_at(int column) const {
    if (integer_at(column) < 0) {
      db_->damaged("a negative count");
    }
    return static_cast<std::uint64_t>(integer_at(column));
  }
  [[nodiscard]] double real_at(int column) const { return sqlite3_column_double(handle_, column); }
  [[nodiscard]] std::string text_at(int column) const {
    const auto* text = sqlite3_column_text(handle_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
    return size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(text), size);
  }
  [[nodiscard]] cell cell_at(int column) const {
    switch (sqlite3_column_type(handle_, column)) {
      case SQLITE_NULL:
        return std::numeric_limits<double>::quiet_NaN();
      case SQLITE_FLOAT:
        return real_at(column);
      case SQLITE_INTEGER:
        return integer_at(column);
      case SQLITE_TEXT:
        return text_at(column);
      default:
        db_->damaged("a value that is neither a number nor a text");
    }
  }

 private:
  const database* db_;
  sqlite3_stmt* handle_ = nullptr;
};

// Writes: nothing of it stays unless `commit` is reached.
class transaction {
 public:
  explicit transaction(const database& db) : db_(db) { db.execute("BEGIN IMMEDIATE"); }
  ~transaction() {
    if (db_.in_transaction()) {
      sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  void commit() { db_.execute("COMMIT"); }

 private:
  const database& db_;
};

// --- Processes

// When a living process started, in a form that no other process ever has; none where there is no
// such process. A killed one that its parent has not collected yet does not live.
std::optional<std::string> start_of(std::int64_t pid) {
  const auto line_of = [](const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
  };
  const std::string line = line_of("/proc/" + std::to_string(pid) + "/stat");
  // The name of the program stands in parentheses and may hold anything.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream fields(line.substr(name_end + 1));
  std::string state;
  std::string start;
  fields >> state;
  constexpr int start_field = 22;  // the state is field 3
  for (int field = 4; field <= start_field; ++field) {
    fields >> start;
  }
  if (!fields || state == "Z" || state == "X") {
    return std::nullopt;
  }
  // The time counts from the start of the machine.
  return line_of("/proc/sys/kernel/random/boot_id") + " " + start;
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// --- The layout

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

// "cell, <columns>, cost"
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

// Writes an empty store into an empty file.
void write_layout(const pending_file& file, const sweep_configuration& configuration,
                  std::chrono::milliseconds patience) {
  const database db(file.path(), access::read_write, patience, file.final_name());
  {
    transaction writing(db);
    db.execute("PRAGMA application_id = " + std::to_string(application_id));
    db.execute("PRAGMA user_version = " + std::to_string(layout));
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

// --- Files

fs::path beside(const fs::path& path, const char* ending) {
  fs::path result = path;
  return result += ending;
}

// Gives a new store its name, unless there is a file of that name. Returns whether there is one
// now: where not, another process took the temporary file for one that was left.
bool publish(const fs::path& temporary, const fs::path& path) {
  if (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST) {
    return true;
  }
  // Some file systems have no links.
  if (errno == ENOENT ||
      ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
    return errno != ENOENT;
  }
  if (errno != EEXIST) {
    throw file_error(in_quotes(path) + " can't be written: " + std::strerror(errno));
  }
  return true;
}

void create(const fs::path& path, const sweep_configuration& configuration,
            std::chrono::milliseconds patience) {
  std::error_code ignored;
  do {
    pending_file file(path);
    write_layout(file, configuration, patience);
    // Under its final name the store may be open at once in another thread, whose locks would be
    // lost with the closing of any descriptor of this process.
    file.unlock();
    if (publish(file.path(), file.target())) {
      return;
    }
  } while (!fs::exists(path, ignored));
}

// Looks at the first bytes, so that SQLite never opens, and perhaps changes, a file that is not
// ours. What they say never changes once a store has its name.
void require_ours(const fs::path& path) {
  const auto refuse = [&path](const std::string& why) { throw file_error(in_quotes(path) + why); };
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    refuse(" is a directory, not a store");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    refuse(std::string(" can't be read: ") + std::strerror(errno));
  }
  constexpr std::string_view magic("SQLite format 3\0", 16);
  constexpr std::size_t version_at = 60;
  constexpr std::size_t application_at = 68;
  std::string header(100, '\0');
  in.read(header.data(), static_cast<std::streamsize>(header.size()));
  const auto big_endian = [&header](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      value = value << 8U | static_cast<unsigned char>(header[at + i]);
    }
    return value;
  };
  const bool has_log = fs::exists(beside(path, "-wal"), ignored);
  if (!in || !header.starts_with(magic) || big_endian(application_at) != application_id) {
    refuse(" is not a store of loradyn");
  }
  if (big_endian(version_at) != layout) {
    refuse(" was written by another version of loradyn: its layout is " +
           std::to_string(big_endian(version_at)) + ", this program's is " +
           std::to_string(layout));
  }
  // SQLite takes what is missing of the last page for zeros. Only a process that is at work, or was
  // killed, may leave less than a page.
  constexpr std::size_t page_size_at = 14;
  const std::uint32_t page_size = big_endian(page_size_at) & 0xffffU;
  if (!has_log && (page_size == 0 || fs::file_size(path, ignored) % page_size != 0)) {
    refuse(" is damaged: its end is missing");
  }
}

// Why the file or its directory can't be written, or nothing.
std::string write_obstacle(const fs::path& path) {
  const fs::path absolute = fs::absolute(path);
  for (const fs::path& needed : {absolute, absolute.parent_path()}) {
    if (::faccessat(AT_FDCWD, needed.c_str(), W_OK, AT_EACCESS) != 0) {
      return in_quotes(needed == absolute ? path : needed) +
             " can't be written: " + std::strerror(errno);
    }
  }
  return {};
}

void require_same(const fs::path& path, const sweep_configuration& stored,
                  const sweep_configuration& asked) {
  const auto refuse = [&path](const std::string& difference) {
    throw error(in_quotes(path) + " holds another sweep: " + one_line(difference));
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

}  // namespace

// --- The store

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
    if (statement(db, "SELECT 1 FROM claims LIMIT 1").number()) {
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
  std::optional<std::uint64_t> worker;  // this store's row, from its first claim on
  std::int64_t last_heartbeat = 0;

  statement finished_count{db, "SELECT finished FROM progress"};
  statement cell_count{db, "SELECT cells FROM progress"};
  statement grow_to{db, "UPDATE progress SET cells = max(cells, ?1)"};
  statement add_tally{db,
                      "INSERT INTO tallies VALUES (?1, ?2) "
                      "ON CONFLICT (value) DO UPDATE SET count = count + excluded.count"};
  statement frontier{db, "SELECT frontier FROM progress"};
  statement move_frontier{db, "UPDATE progress SET frontier = ?1"};
  statement add_finished{db, "UPDATE progress SET finished = finished + ?1"};
  statement finished_between{db,
                             "SELECT cell FROM cells WHERE cell >= ?1 AND cell < ?2 ORDER BY cell"};
  statement insert_cell{db, insertion()};

  statement first_unclaimed{db, "SELECT first, count FROM unclaimed ORDER BY first LIMIT 1"};
  statement insert_unclaimed{db, "INSERT INTO unclaimed VALUES (?1, ?2)"};
  statement delete_unclaimed{db, "DELETE FROM unclaimed WHERE first = ?1"};

  statement claim_before{
      db, "SELECT first, count FROM claims WHERE first <= ?1 ORDER BY first DESC LIMIT 1"};
  statement insert_claim{db, "INSERT INTO claims VALUES (?1, ?2, ?2, ?3)"};
  statement shrink_claim{db, "UPDATE claims SET remaining = remaining - ?2 WHERE first = ?1"};
  statement drop_claim{db, "DELETE FROM claims WHERE first = ?1 AND remaining <= 0"};
  statement orphaned_claims{
      db, "SELECT DISTINCT worker FROM claims WHERE worker NOT IN (SELECT worker FROM workers)"};
  statement claims_of{db, "SELECT first, count FROM claims WHERE worker = ?1"};
  statement delete_claims_of{db, "DELETE FROM claims WHERE worker = ?1"};

  statement workers{db, "SELECT worker, host, pid, start, heartbeat FROM workers"};
  statement insert_worker{
      db, "INSERT INTO workers (host, pid, start, heartbeat) VALUES (?1, ?2, ?3, ?4)"};
  statement beat{db, "UPDATE workers SET heartbeat = ?2 WHERE worker = ?1"};
  statement delete_worker{db, "DELETE FROM workers WHERE worker = ?1"};

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
      throw file_error(in_quotes(db.path()) + " was opened for reading alone");
    }
  }

  // Calls `run(first, count)` for the runs of unfinished cells of first … end - 1, in order, until
  // they have `wanted` cells. Returns the cell after the last one looked at.
  template <class Run>
  std::uint64_t unfinished_runs(std::uint64_t first, std::uint64_t end, std::uint64_t wanted,
                                const Run& run) {
    finished_between.start(first, end);
    while (first < end && wanted > 0) {
      const std::uint64_t stop = finished_between.step() ? finished_between.unsigned_at(0) : end;
      const std::uint64_t count = std::min(stop - first, wanted);
      if (count > 0) {
        run(first, count);
      }
      wanted -= count;
      first = wanted > 0 ? std::min(stop + 1, end) : first + count;
    }
    finished_between.start();
    return first;
  }

  // Runs `body` in a transaction; where it fails, the row of this store is what it was before.
  template <class Body>
  void write(const Body& body) {
    require_writable();
    const auto before = std::pair(worker, last_heartbeat);
    try {
      transaction writing(db);
      body();
      writing.commit();
    } catch (...) {
      std::tie(worker, last_heartbeat) = before;
      throw;
    }
  }

  // Marks this store as alive.
  void register_worker() {
    const std::int64_t now = seconds_now();
    if (worker) {
      if (now - last_heartbeat < heartbeat_interval) {
        return;
      }
      beat.run(*worker, now);
      if (db.changes() == 0) {
        worker.reset();  // given up as dead after a long silence
      }
    }
    if (!worker) {
      const std::int64_t pid = ::getpid();
      insert_worker.run(host_name(), pid, start_of(pid).value_or(""), now);
      worker = static_cast<std::uint64_t>(sqlite3_last_insert_rowid(db.get()));
    }
    last_heartbeat = now;
  }

  void release(std::uint64_t who) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    claims_of.start(who);
    while (claims_of.step()) {
      ranges.emplace_back(claims_of.unsigned_at(0), claims_of.unsigned_at(1));
    }
    for (const auto& [first, count] : ranges) {
      unfinished_runs(first, first + count, count, [this](std::uint64_t begin, std::uint64_t size) {
        insert_unclaimed.run(begin, size);
      });
    }
    delete_claims_of.run(who);
    delete_worker.run(who);
  }

  static bool is_recent(std::int64_t heartbeat, std::int64_t now) {
    const std::int64_t most = claim_lifetime.count();
    return heartbeat >= now - most && heartbeat <= now + most;  // by whatever clock
  }

  void release_dead() {
    std::vector<std::uint64_t> dead;
    const std::string here = host_name();
    const std::int64_t now = seconds_now();
    workers.start();
    while (workers.step()) {
      const bool alive = workers.text_at(1) == here
                             ? start_of(workers.integer_at(2)) == workers.text_at(3)
                             : is_recent(workers.integer_at(4), now);
      if (!alive) {
        dead.push_back(workers.unsigned_at(0));
      }
    }
    for (const std::uint64_t who : dead) {
      release(who);
    }
  }

  // Claims of workers that do not exist: they would be waited for in vain. Looks at every claim.
  // Returns whether there were any.
  bool release_orphans() {
    std::vector<std::uint64_t> orphaned;
    orphaned_claims.start();
    while (orphaned_claims.step()) {
      orphaned.push_back(orphaned_claims.unsigned_at(0));
    }
    for (const std::uint64_t who : orphaned) {
      release(who);
    }
    return !orphaned.empty();
  }

  std::vector<std::uint64_t> claim(std::size_t wanted) {
    std::vector<std::uint64_t> cells;
    const std::uint64_t total = this->cells();
    const auto take = [&](std::uint64_t first, std::uint64_t end) {
      return unfinished_runs(first, std::min(end, total), wanted - cells.size(),
                             [&](std::uint64_t begin, std::uint64_t size) {
                               insert_claim.run(begin, size, *worker);
                               for (std::uint64_t i = 0; i < size; ++i) {
                                 cells.push_back(begin + i);
                               }
                             });
    };
    while (cells.size() < wanted) {
      first_unclaimed.start();
      if (!first_unclaimed.step()) {
        break;
      }
      const std::uint64_t first = first_unclaimed.unsigned_at(0);
      const std::uint64_t end = first + first_unclaimed.unsigned_at(1);
      first_unclaimed.start();
      delete_unclaimed.run(first);
      const std::uint64_t next = take(first, end);
      if (next < end && cells.size() == wanted) {
        insert_unclaimed.run(next, end - next);
      }
    }
    const std::uint64_t begin = frontier.number().value_or(0);
    const std::uint64_t next = take(begin, total);
    if (next != begin) {
      move_frontier.run(next);
    }
    return cells;
  }

  // Calls `visit(row)` for the finished cells of first … first + count - 1, in order.
  template <class Visit>
  void each(std::uint64_t first, std::uint64_t count, const Visit& visit) const {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    first = std::min(first, most);
    statement select(db, "SELECT " + cell_columns(configuration.columns) +
                             " FROM cells WHERE cell >= ?1 AND cell < ?2 ORDER BY cell");
    select.start(first, first + std::min(count, most - first));
    while (select.step()) {
      kept_cell row{select.unsigned_at(0), {}, 0.0};
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
    // Cells come in runs of one claim: its count is written once.
    std::uint64_t claim_first = 0;
    std::uint64_t claim_end = 0;
    std::uint64_t claim_done = 0;
    const auto close_claim = [&] {
      if (claim_done > 0) {
        shrink_claim.run(claim_first, claim_done);
        drop_claim.run(claim_first);
      }
      claim_done = 0;
    };
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
      if (row.cell < claim_first || row.cell >= claim_end) {
        close_claim();
        claim_first = claim_end = 0;
        claim_before.start(row.cell);
        if (claim_before.step()) {
          claim_first = claim_before.unsigned_at(0);
          claim_end = claim_first + claim_before.unsigned_at(1);
        }
        claim_before.start();
      }
      claim_done += row.cell >= claim_first && row.cell < claim_end ? 1 : 0;
    }
    close_claim();
    add_finished.run(added);
    for (const auto& [value, count] : counts) {
      add_tally.run(value, count);
    }
    if (worker) {
      register_worker();
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
      throw file_error(in_quotes(path) + " can't be created: " + in_quotes(log) +
                       " belongs to a store that is gone; move it away");
    }
    create(path, configuration, patience);
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
  if (self_ && self_->worker) {
    try {
      self_->write([this] { self_->release(*self_->worker); });
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
    self_->register_worker();
    self_->release_dead();
    cells = self_->claim(count);
    if (cells.empty() && count > 0 && self_->release_orphans()) {
      cells = self_->claim(count);
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
  if (self_->worker) {
    self_->write([this] { self_->register_worker(); });
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
  while (select.step()) {
    check_stop();
    visit(select.unsigned_at(0));
  }
}

void sweep_store::read(std::uint64_t first, std::uint64_t count,
                       const std::function<void(std::uint64_t, std::vector<cell>)>& visit) const {
  self_->each(first, count, [&visit](kept_cell row) { visit(row.cell, std::move(row.values)); });
}

std::vector<std::vector<cell>> sweep_store::rows() const {
  std::vector<std::vector<cell>> result;
  result.reserve(finished());
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
