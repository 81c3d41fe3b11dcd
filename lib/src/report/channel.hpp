#pragma once

/// \file
/// Tables between the program and its helper, over a socket.

#include <cstddef>
#include <functional>
#include <loradyn/report/table.hpp>
#include <string>
#include <vector>
#include "report/serial.hpp"

namespace loradyn {

using head_visitor = std::function<void(const table_header&)>;
using row_visitor = std::function<void(std::vector<cell>)>;

/// What comes next: a table_header, a row's std::vector<cell>, the text of what went wrong, nothing
/// more.
enum class message : unsigned char { header, row, fault, end };

/// Nobody listens any more.
struct broken_channel {};

/// Sends bytes through a buffer of 64 kB. \throws broken_channel
class channel_sink {
 public:
  /// `flushed` is called whenever the buffer was sent.
  explicit channel_sink(
      int socket, std::function<void()> flushed = [] {});

  void write(const void* bytes, std::size_t count);
  void flush();

 private:
  int socket_;
  std::function<void()> flushed_;
  std::string buffer_;
};

/// Receives them.
class channel_source {
 public:
  enum class waiting { until_stop, always };
  channel_source(int socket, waiting how);

  /// Waits; whether nothing comes any more. \throws interrupted where it waits until a stop
  bool done();
  /// \throws garbled at an early end, interrupted
  void read(void* target, std::size_t count);

 private:
  int socket_;
  waiting how_;
  std::vector<char> buffer_;
  std::size_t position_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace loradyn
