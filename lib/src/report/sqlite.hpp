#pragma once

/// \file
/// SQLite's connections, statements and transactions.

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <loradyn/report/table.hpp>
#include <optional>
#include <string>
#include <variant>

namespace loradyn {

enum class access { read_write, read_only, immutable };

/// A connection. Every member throws file_error, or interrupted while it waits for a lock.
class database {
 public:
  /// \param said the name in messages
  database(const std::filesystem::path& path, access how, std::chrono::milliseconds patience,
           const std::filesystem::path& said);
  ~database() { sqlite3_close(connection_); }
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  [[nodiscard]] sqlite3* get() const { return connection_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
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

  /// \throws file_error
  [[noreturn]] void damaged(const std::string& how) const;

 private:
  // Whether to try again for a lock that another connection holds.
  static int wait_for_lock(void* self, int tries);

  [[noreturn]] void fail(int status) const;

  std::filesystem::path path_;
  std::chrono::milliseconds patience_;
  std::chrono::milliseconds waited_{0};             // for the lock that is wanted now
  std::chrono::milliseconds waited_since_stop_{0};  // for all locks since a stop is requested
  sqlite3* connection_ = nullptr;
};

/// A prepared statement. `start` binds the values to ?1, ?2, … and runs anew.
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

  /// The next row, or none; a statement without one left holds no lock.
  bool step();

  /// Runs to the end.
  template <class... Values>
  void run(const Values&... values) {
    start(values...);
    while (step()) {
    }
  }

  /// A statement whose first row is all that counts.
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

  /// The cell that the first column names. Rows come in the order of their cells, but in a damaged
  /// file. \param least what no cell is below: one more than the last \param end what all are below
  [[nodiscard]] std::uint64_t cell_number(std::uint64_t least, std::uint64_t end) const;

  [[nodiscard]] std::int64_t integer_at(int column) const {
    return sqlite3_column_int64(handle_, column);
  }
  [[nodiscard]] std::uint64_t unsigned_at(int column) const;
  [[nodiscard]] double real_at(int column) const { return sqlite3_column_double(handle_, column); }
  [[nodiscard]] std::string text_at(int column) const;
  [[nodiscard]] cell cell_at(int column) const;

 private:
  const database* db_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Writes: nothing of it stays unless `commit` is reached.
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

}  // namespace loradyn
