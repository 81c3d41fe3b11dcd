#include "report/sqlite.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <sstream>
#include <thread>
#include "report/one_line.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

// "file:" with every byte that could mean something escaped.
std::string uri(const std::string& name) {
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

}  // namespace

database::database(const fs::path& path, access how, std::chrono::milliseconds patience,
                   const fs::path& said)
    : path_(said), patience_(patience) {
  // An absolute name can't be taken for one of SQLite's special ones (":memory:").
  const std::string name = fs::absolute(path).string();
  const int flags =
      SQLITE_OPEN_URI | (how == access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
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

int database::wait_for_lock(void* self, int tries) {
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

void database::fail(int status) const {
  const int system = sqlite3_system_errno(connection_);
  const std::string why = system != 0 ? std::strerror(system) : sqlite3_errmsg(connection_);
  const std::string name = "'" + path_.string() + "'";
  switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: {
      check_stop();
      std::ostringstream seconds;
      seconds << static_cast<double>(patience_.count()) / 1000.0;
      throw file_error(name + " is locked by another program; waited for " + seconds.str() + " s");
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

void database::damaged(const std::string& how) const {
  throw file_error("'" + path_.string() + "' is damaged: " + one_line(how));
}

bool statement::step() {
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

std::uint64_t statement::unsigned_at(int column) const {
  if (integer_at(column) < 0) {
    db_->damaged("a negative count");
  }
  return static_cast<std::uint64_t>(integer_at(column));
}

std::uint64_t statement::cell_number(std::uint64_t least, std::uint64_t end) const {
  const std::uint64_t number = unsigned_at(0);
  if (number < least || number >= end) {
    db_->damaged("its cells are out of order");
  }
  return number;
}

std::string statement::text_at(int column) const {
  const auto* text = sqlite3_column_text(handle_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
  return size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(text), size);
}

cell statement::cell_at(int column) const {
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

}  // namespace loradyn
