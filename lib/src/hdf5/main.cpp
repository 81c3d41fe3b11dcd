// The helper that reads and writes HDF5 for loradyn, so that its libraries are loaded when a table
// is in such a file, and what crashes over a damaged one is not the program.
//
//   loradyn-hdf5 read FILE     sends the table of FILE
//   loradyn-hdf5 write FILE    takes a table to write
//
// over standard input, a socket (report/channel.hpp).

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <filesystem>
#include <fstream>
#include <loradyn/error.hpp>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include "hdf5/table.hpp"
#include "report/channel.hpp"

namespace {

using namespace loradyn;

constexpr int socket_to_program = STDIN_FILENO;
constexpr ::rlim_t patience = 5;                      // s
constexpr ::rlim_t most_memory = ::rlim_t{1} << 31U;  // bytes

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

void renew_patience() {
  ::rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  limit(RLIMIT_CPU, static_cast<::rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + patience);
}

void send_fault(channel_sink& out, const std::string& text) {
  put(out, message::fault);
  put(out, text);
}

void read(const std::filesystem::path& path) {
  limit(RLIMIT_AS, memory_used() + most_memory);
  renew_patience();
  channel_sink out(socket_to_program, renew_patience);
  try {
    read_hdf5_table(
        path,
        [&out](const table_header& header) {
          put(out, message::header);
          put(out, header);
        },
        [&out](const std::vector<cell>& row) {
          put(out, message::row);
          put(out, row);
        });
    put(out, message::end);
  } catch (const std::bad_alloc&) {
    send_fault(out, "'" + path.string() + "' can't be read: it takes too much memory");
  } catch (const std::exception& e) {
    send_fault(out, e.what());
  }
  out.flush();
}

void write(const std::filesystem::path& path) {
  channel_source in(socket_to_program, channel_source::waiting::always);
  channel_sink out(socket_to_program);
  try {
    message kind{};
    get(in, kind);
    table_header header;
    get(in, header);
    hdf5_table_writer table(header, path);
    std::vector<cell> row;
    for (get(in, kind); kind == message::row; get(in, kind)) {
      get(in, row);
      table.add(row);
    }
    table.finish();
    put(out, message::end);
  } catch (const std::bad_alloc&) {
    send_fault(out, "it takes too much memory");
  } catch (const std::exception& e) {
    send_fault(out, e.what());
  }
  out.flush();
  // What the program sent before it knew of a fault.
  std::array<char, 4096> ignored;
  while (::recv(socket_to_program, ignored.data(), ignored.size(), 0) > 0) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc == 3 ? argv[1] : "";
  if (verb != "read" && verb != "write") {
    return 2;
  }
  std::signal(SIGXCPU, SIG_DFL);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like a full disk
  limit(RLIMIT_CORE, 0);
  // What a crashing library says is not the user's business.
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  try {
    verb == "read" ? read(argv[2]) : write(argv[2]);
  } catch (const broken_channel&) {
    ::_exit(1);  // the program has gone or given up
  } catch (const garbled&) {
    ::_exit(1);
  }
  // Without HDF5's own way out, which crashes over what it could not close.
  ::_exit(0);
}
