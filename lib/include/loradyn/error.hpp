#pragma once

/// \file
/// The exceptions of the library. Everything it throws on purpose derives from `loradyn::error`.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace loradyn {

/// Base of every exception that the library throws on purpose.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A caller's mistake: a value outside the range that a function is defined on.
class argument_error : public error {
 public:
  /// \param parameter the name of the offending parameter
  /// \param value     the value that was given, as text
  /// \param expected  what would be right, as text ("a finite number >= 0")
  argument_error(std::string parameter, std::string value, std::string expected)
      : error(parameter + " is " + value + ", but must be " + expected),
        parameter_(std::move(parameter)),
        value_(std::move(value)),
        expected_(std::move(expected)) {}

  /// The name of the parameter.
  [[nodiscard]] const std::string& parameter() const noexcept { return parameter_; }
  /// What was given, as text.
  [[nodiscard]] const std::string& value() const noexcept { return value_; }
  /// What would be right.
  [[nodiscard]] const std::string& expected() const noexcept { return expected_; }

 private:
  std::string parameter_;
  std::string value_;
  std::string expected_;
};

/// An activation's text that is not in the grammar. The message names the column.
class parse_error : public error {
 public:
  /// \param message what is wrong, as one line
  /// \param column  where, counted from 1
  parse_error(const std::string& message, std::size_t column)
      : error(message + " (column " + std::to_string(column) + ")"), column_(column) {}

  /// Where it is, counted from 1.
  [[nodiscard]] std::size_t column() const noexcept { return column_; }

 private:
  std::size_t column_;
};

/// A quadrature, a series or a search that did not reach its tolerance.
class convergence_error : public error {
 public:
  using error::error;
};

/// A file that can't be read or written.
class file_error : public error {
 public:
  using error::error;
};

}  // namespace loradyn
