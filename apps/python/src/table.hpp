#pragma once

// The rows of a question as columns: what the class Table of the module is.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <loradyn/interruption.hpp>
#include <loradyn/study/control.hpp>
#include <loradyn/study/row.hpp>
#include <mutex>
#include <string>
#include <vector>

#include "arrays.hpp"

namespace loradyn::python {

namespace py = pybind11;

// What is told of a column.
struct told_column {
  std::string name;
  std::string meaning;
  study::measure measured = study::measure::none;
  column_kind kind = column_kind::number;
};

template <class Row>
std::vector<told_column> told(const study::row_description<Row>& description) {
  std::vector<told_column> all;
  for (const study::column<Row>& c : description.columns()) {
    all.push_back({c.name, c.meaning, c.measured, c.kind});
  }
  return all;
}

// Filled from several threads, read from one. A missing row is NaN, 0 and "".
class table {
 public:
  table(std::vector<told_column> columns, shape extent);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const shape& extent() const { return extent_; }
  [[nodiscard]] const std::vector<told_column>& columns() const { return columns_; }

  // Writes the rows from `begin` on, which no other thread does. `row_of(i)` gives a row, or a
  // pointer to one, null where it is missing.
  template <class Row, class RowOf>
  void fill(const study::row_description<Row>& description, std::size_t begin, std::size_t count,
            const RowOf& row_of) {
    text_block texts(*this, count);
    for (std::size_t i = 0; i < count; ++i) {
      put(description, begin + i, row_of(begin + i), texts, i);
    }
    texts.merge(begin);
  }

  // A column as an array that shares the table's memory; a text column as one of strings.
  static py::array column(const py::object& self, const std::string& name);

 private:
  struct text_column {
    std::vector<std::int32_t> codes;
    std::vector<std::string> values;
  };
  struct data {
    std::vector<double> numbers;  // of its kind one is filled
    std::vector<std::int64_t> integers;
    text_column texts;
  };

  // The texts of some rows, with numbers of their own until these are the table's.
  class text_block {
   public:
    text_block(table& whole, std::size_t count);
    void put(std::size_t column, std::size_t i, const std::string& value) {
      text_column& own = own_[column];
      // The rows of a block have few different ones, and mostly that of the row before.
      const std::size_t guess =
          i > 0 ? static_cast<std::size_t>(own.codes[i - 1]) : own.values.size();
      std::size_t code = guess < own.values.size() && own.values[guess] == value ? guess : 0;
      while (code < own.values.size() && own.values[code] != value) {
        ++code;
      }
      if (code == own.values.size()) {
        own.values.push_back(value);
      }
      own.codes[i] = static_cast<std::int32_t>(code);
    }
    void merge(std::size_t begin);

   private:
    table& whole_;
    std::vector<text_column> own_;
  };

  template <class Row>
  void put(const study::row_description<Row>& description, std::size_t at, const Row& row,
           text_block& texts, std::size_t i) {
    put(description, at, &row, texts, i);
  }
  template <class Row>
  void put(const study::row_description<Row>& description, std::size_t at, const Row* row,
           text_block& texts, std::size_t i) {
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      switch (columns_[k].kind) {
        case column_kind::number:
          data_[k].numbers[at] = row != nullptr ? to_number(description.columns()[k].get(*row))
                                                : std::numeric_limits<double>::quiet_NaN();
          break;
        case column_kind::integer:
          data_[k].integers[at] =
              row != nullptr ? std::get<std::int64_t>(description.columns()[k].get(*row)) : 0;
          break;
        case column_kind::text: {
          const cell value = row != nullptr ? description.columns()[k].get(*row) : std::string();
          const auto* text = std::get_if<std::string>(&value);
          texts.put(k, i, text != nullptr ? *text : to_text(value));
          break;
        }
      }
    }
  }

  std::vector<told_column> columns_;
  shape extent_;
  std::size_t size_;
  std::vector<data> data_;
  std::mutex merging_;
};

// A table whose row i is row_at(i), computed on all threads. Throws `interrupted` where it was
// stopped. \param block rows that a thread takes at a time: some 0.1 ms of work, or more
template <class Row, class RowAt>
void compute_rows(table& rows, const study::row_description<Row>& description,
                  const study::study_control& control, std::size_t block, const RowAt& row_at) {
  const std::size_t count = rows.size();
  const std::size_t blocks = (count + block - 1) / block;
  study::study_control of_blocks{control.threads, {}};
  if (control.progress) {
    of_blocks.progress = [&](std::size_t done, std::size_t) {
      control.progress(std::min(count, done * block), count);
    };
  }
  const auto done = study::run_sweep(of_blocks, blocks, 1, [&](std::size_t b) {
    const std::size_t begin = b * block;
    rows.fill(description, begin, std::min(block, count - begin), row_at);
    return true;
  });
  if (done.size() < blocks) {
    throw interrupted();
  }
}

// The class Table.
void define_table(py::module_& module);

}  // namespace loradyn::python
