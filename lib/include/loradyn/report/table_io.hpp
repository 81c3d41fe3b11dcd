#pragma once

/// \file
/// Tables in files: CSV, JSON and HDF5.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <loradyn/names.hpp>
#include <loradyn/report/file.hpp>
#include <loradyn/report/table.hpp>

namespace loradyn {

/// The formats, told by the ending of a file's name.
enum class table_format { csv, json, hdf5 };

/// Their names.
inline constexpr name_table<table_format, 3> table_formats{
    {{"csv", table_format::csv}, {"json", table_format::json}, {"h5", table_format::hdf5}}};

/// .csv, .json or .h5. \throws argument_error for any other ending
table_format table_format_of(const std::filesystem::path& path);

/// CSV: lines that begin with "# " (program, command, parameters), a header row, a row per point,
/// with RFC 4180 quotes, which a text that looks like a number has too. Numbers read back as the
/// same doubles, texts as the same texts.
std::string to_csv(const table& t);

/// The parts of the same: what stands above the rows, and one row at the end of a text.
std::string csv_head(const table_header& header);
/// Adds one row of csv to a text.
void append_csv_row(std::string& text, std::span<const cell> row);

/// JSON: {"meta": {version, command, parameters, columns}, "rows": [{column: value}]}; NaN is null.
std::string to_json(const table& t);

/// A table's file, checked before the table is computed and written whole or not at all: in one
/// go, or row by row in a memory that does not grow with the rows.
///
/// HDF5: a dataset per column in order, version, command and parameters as attributes of the root.
/// The datasets have chunks of 16384 rows, or of as many as the header expects where these are
/// fewer, and are extended as rows come. The bytes are told by the header and the rows alone.
///
/// HDF5's library is a process's of its own, `loradyn-hdf5` (`helper.hpp`).
///
/// Memory: a row and a buffer of 64 kB; that process a chunk, 2.5 MB at twenty columns, and what
/// the library needs, 15 MB. A million rows of twenty columns take 1.5 s as CSV, 3 s as JSON, 1.1 s
/// as HDF5.
class table_file {
 public:
  /// \param format without it, what the ending of the name says
  /// \param headless of CSV: the rows alone
  /// \throws argument_error, file_error where the table could not be written there, or for HDF5 its
  ///         helper is missing
  explicit table_file(const std::filesystem::path& path,
                      std::optional<table_format> format = std::nullopt, bool headless = false);
  ~table_file();
  table_file(const table_file&) = delete;
  table_file& operator=(const table_file&) = delete;

  /// Begins the table, once. \throws argument_error where the header has not a kind for each
  /// column; file_error where the disk does not take it
  void begin(const table_header& header);

  /// The next row. A column of numbers takes integers as numbers; in HDF5 a column of text takes
  /// numbers as `to_text` writes them.
  /// \throws argument_error where the row has not a cell for each column, or a column of numbers or
  ///         integers is given something else; file_error where the disk does not take it, which
  ///         may be noticed rows later or by `finish`
  void add(std::span<const cell> row);

  /// Gives the finished file its name. \throws file_error where the disk does not take it
  void finish();

  /// All of it: begin, add every row, finish.
  void write(const table& t);

 private:
  class writer;

  writer& begun();

  table_format format_;
  bool headless_;
  pending_file file_;
  std::unique_ptr<writer> writer_;  // from begin to finish
};

/// Reads a table that the program wrote.
/// An .h5 is read by `loradyn-hdf5`, for a damaged one may crash its library.
/// \throws argument_error for an unknown ending; file_error where the file can't be read or is no
///         such table, with the line where there is one
table read_table(const std::filesystem::path& path);

/// The same row by row, in a memory that does not grow with the rows: `head` is given the header,
/// then `visit` the rows. The header tells kinds and number of rows where the file does: in HDF5.
void read_table_rows(const std::filesystem::path& path,
                     const std::function<void(const table_header&)>& head,
                     const std::function<void(std::vector<cell>)>& visit);

}  // namespace loradyn
