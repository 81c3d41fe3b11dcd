#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fstream>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include "report/child_process.hpp"
#include "report/child_reader.hpp"
#include "report/descriptor.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 16;
constexpr ::rlim_t patience = 5;                            // s
constexpr ::rlim_t most_memory = ::rlim_t{1} << 31U;        // bytes
constexpr std::uint64_t longest = std::uint64_t{1} << 26U;  // of a text, or of a list

enum class message : unsigned char { header, row, fault, end };

// --- The child

void limit(decltype(RLIMIT_CPU) what, ::rlim_t most) {
  ::rlimit bounds{};
  if (::getrlimit(what, &bounds) == 0) {
    bounds.rlim_cur = std::min(bounds.rlim_max, most);  // RLIM_INFINITY is the largest
    ::setrlimit(what, &bounds);
  }
}

::rlim_t memory_used() {
  ::rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<::rlim_t>(::sysconf(_SC_PAGESIZE));
}

class sender {
 public:
  explicit sender(int pipe) : pipe_(pipe) { renew_patience(); }

  void send(message kind) { send_bytes(&kind, sizeof kind); }
  void send(std::uint64_t value) { send_bytes(&value, sizeof value); }
  void send(std::string_view text) {
    send(static_cast<std::uint64_t>(text.size()));
    send_bytes(text.data(), text.size());
  }
  void send(const std::string& text) { send(std::string_view(text)); }
  void send(column_kind kind) { send_bytes(&kind, sizeof kind); }
  void send(const std::pair<std::string, std::string>& parameter) {
    send(parameter.first);
    send(parameter.second);
  }
  template <class Value>
  void send(const std::vector<Value>& values) {
    send(static_cast<std::uint64_t>(values.size()));
    for (const Value& value : values) {
      send(value);
    }
  }
  void send(const cell& value) {
    const auto kind = static_cast<unsigned char>(value.index());
    send_bytes(&kind, sizeof kind);
    if (const auto* text = std::get_if<std::string>(&value)) {
      send(*text);
    } else if (const auto* number = std::get_if<double>(&value)) {
      send_bytes(number, sizeof *number);
    } else {
      send_bytes(&std::get<std::int64_t>(value), sizeof(std::int64_t));
    }
  }

  void flush() {
    for (std::string_view rest = buffer_; !rest.empty();) {
      const ssize_t count = ::write(pipe_, rest.data(), rest.size());
      if (count < 0 && errno != EINTR) {
        ::_exit(1);  // nobody listens
      }
      rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    buffer_.clear();
    renew_patience();
  }

 private:
  void send_bytes(const void* bytes, std::size_t count) {
    buffer_.append(static_cast<const char*>(bytes), count);
    if (buffer_.size() >= buffer_size) {
      flush();
    }
  }

  static void renew_patience() {
    ::rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    limit(RLIMIT_CPU,
          static_cast<::rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + patience);
  }

  int pipe_;
  std::string buffer_;
};

using reading = std::function<void(const head_visitor&, const row_visitor&)>;

[[noreturn]] void be_child(const fs::path& path, int pipe, const reading& read) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGSEGV, SIGABRT, SIGBUS}) {
    std::signal(signal, SIG_DFL);
  }
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_AS, memory_used() + most_memory);
  // What a crashing library says is not the user's business.
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  sender out(pipe);
  try {
    read(
        [&out](const table_header& h) {
          out.send(message::header);
          out.send(h.meta.version);
          out.send(h.meta.command);
          out.send(h.meta.parameters);
          out.send(h.columns);
          out.send(h.kinds);
          out.send(h.rows);
        },
        [&out](const std::vector<cell>& row) {
          out.send(message::row);
          out.send(row);
        });
    out.send(message::end);
  } catch (const std::bad_alloc&) {
    out.send(message::fault);
    out.send("'" + path.string() + "' can't be read: it takes too much memory");
  } catch (const std::exception& e) {
    out.send(message::fault);
    out.send(std::string_view(e.what()));
  }
  out.flush();
  ::_exit(0);
}

// --- The parent

// What can't have been sent by a child in its right mind.
struct garbled {};

class receiver {
 public:
  explicit receiver(int pipe) : pipe_(pipe), buffer_(buffer_size) {}

  // None at the end.
  bool receive(message& kind) { return refill() && (get_bytes(&kind, sizeof kind), true); }
  void get(std::uint64_t& value) { get_bytes(&value, sizeof value); }
  void get(column_kind& kind) { get_bytes(&kind, sizeof kind); }
  void get(std::string& text) {
    text.resize(length());
    get_bytes(text.data(), text.size());
  }
  void get(std::pair<std::string, std::string>& parameter) {
    get(parameter.first);
    get(parameter.second);
  }
  template <class Value>
  void get(std::vector<Value>& values) {
    values.clear();
    for (std::uint64_t left = length(); left > 0; --left) {
      get(values.emplace_back());
    }
  }
  void get(cell& value) {
    unsigned char kind = 0;
    get_bytes(&kind, sizeof kind);
    switch (kind) {
      case 0:
        get_bytes(&value.emplace<0>(), sizeof(double));
        break;
      case 1:
        get_bytes(&value.emplace<1>(), sizeof(std::int64_t));
        break;
      case 2:
        get(value.emplace<2>());
        break;
      default:
        throw garbled();
    }
  }

 private:
  std::size_t length() {
    std::uint64_t count = 0;
    get(count);
    if (count > longest) {
      throw garbled();
    }
    return static_cast<std::size_t>(count);
  }

  void get_bytes(void* target, std::size_t count) {
    auto* bytes = static_cast<char*>(target);
    while (count > 0) {
      if (!refill()) {
        throw garbled();
      }
      const std::size_t now = std::min(count, filled_ - position_);
      std::memcpy(bytes, buffer_.data() + position_, now);
      position_ += now;
      bytes += now;
      count -= now;
    }
  }

  // Whether there is a next byte. \throws interrupted
  bool refill() {
    while (position_ == filled_) {
      check_stop();
      constexpr int until_stop_is_looked_at = 100;  // ms
      ::pollfd waiting{pipe_, POLLIN, 0};
      if (::poll(&waiting, 1, until_stop_is_looked_at) <= 0) {
        continue;
      }
      const ssize_t count = ::read(pipe_, buffer_.data(), buffer_.size());
      if (count == 0 || (count < 0 && errno != EINTR)) {
        return false;
      }
      position_ = 0;
      filled_ = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    }
    return true;
  }

  int pipe_;
  std::vector<char> buffer_;
  std::size_t position_ = 0;
  std::size_t filled_ = 0;
};

// Passes on what the child sends. Returns whether it came to an end.
bool pass_on(int pipe, const head_visitor& head, const row_visitor& visit, std::string& fault) {
  receiver in(pipe);
  std::size_t width = 0;
  for (message kind{}; in.receive(kind);) {
    switch (kind) {
      case message::header: {
        table_header h;
        in.get(h.meta.version);
        in.get(h.meta.command);
        in.get(h.meta.parameters);
        in.get(h.columns);
        in.get(h.kinds);
        in.get(h.rows);
        width = h.columns.size();
        head(h);
        break;
      }
      case message::row: {
        std::vector<cell> row;
        row.reserve(width);
        in.get(row);
        if (row.size() != width) {
          throw garbled();
        }
        visit(std::move(row));
        break;
      }
      case message::fault:
        in.get(fault);
        return true;
      case message::end:
        return true;
      default:
        throw garbled();
    }
  }
  return false;
}

}  // namespace

void read_in_child(const fs::path& path, const reading& read, const head_visitor& head,
                   const row_visitor& visit) {
  const auto refuse = [&path](const std::string& why) {
    throw file_error("'" + path.string() + "' can't be read: " + why);
  };
  std::array<int, 2> channel{};
  if (::pipe2(channel.data(), O_CLOEXEC) != 0) {
    refuse(std::strerror(errno));
  }
  const file_descriptor from(channel[0]);
  file_descriptor to(channel[1]);
  const pid_t id = ::fork();
  if (id < 0) {
    refuse(std::strerror(errno));
  }
  if (id == 0) {
    be_child(path, to, read);
  }
  child_process child(id);
  to.close();
  std::string fault;
  bool ended = false;
  try {
    ended = pass_on(from, head, visit, fault);
  } catch (const garbled&) {
    // as if it had crashed
  }
  if (!ended) {
    const int status = child.wait_for_end();
    refuse(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU
               ? "it is damaged, and reading it does not end"
               : "it is damaged, and the library that reads it crashes");
  }
  child.wait_for_end();
  if (!fault.empty()) {
    throw file_error(fault);
  }
}

}  // namespace loradyn
