#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <loradyn/error.hpp>
#include <loradyn/report/helper.hpp>
#include <utility>
#include <vector>
#include "report/hdf5_table.hpp"

extern char** environ;

namespace loradyn {
namespace fs = std::filesystem;

namespace {

// Passes on what the helper sends. Returns whether it came to an end.
bool pass_on(int socket, const head_visitor& head, const row_visitor& visit, std::string& fault) {
  channel_source in(socket, channel_source::waiting::until_stop);
  std::size_t width = 0;
  while (!in.done()) {
    message kind{};
    get(in, kind);
    switch (kind) {
      case message::header: {
        table_header header;
        get(in, header);
        width = header.columns.size();
        head(header);
        break;
      }
      case message::row: {
        std::vector<cell> row;
        row.reserve(width);
        get(in, row);
        if (row.size() != width) {
          throw garbled();
        }
        visit(std::move(row));
        break;
      }
      case message::fault:
        get(in, fault);
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

fs::path hdf5_helper(const fs::path& table) {
  return helper_file("loradyn-hdf5", "'" + table.string() + "'");
}

helper_process::helper_process(const fs::path& table, const char* verb, const fs::path& file) {
  const fs::path program = hdf5_helper(table);
  const auto refuse = [&](int fault) {
    throw file_error("'" + table.string() + "' needs '" + program.string() +
                     "', which can't be run: " + std::strerror(fault));
  };
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    refuse(errno);
  }
  socket.reset(ends[0]);
  const file_descriptor theirs(ends[1]);
  std::string name = program.string();
  std::string command = verb;
  std::string path = file.string();
  const std::array<char*, 4> arguments{name.data(), command.data(), path.data(), nullptr};
  // What is asked to stop is this process, which may yet have rows to write.
  ::posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::sigset_t blocked;
  ::sigemptyset(&blocked);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ::sigaddset(&blocked, signal);
  }
  ::posix_spawnattr_setsigmask(&attributes, &blocked);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  ::posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, theirs, STDIN_FILENO);
  ::pid_t id = 0;
  const int fault =
      ::posix_spawn(&id, name.c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (fault != 0) {
    refuse(fault);
  }
  child.reset(id);
}

void read_hdf5(const fs::path& path, const head_visitor& head, const row_visitor& visit) {
  static_cast<void>(open_to_read(path));  // says why it can't be read, if so
  helper_process helper(path, "read", path);
  std::string fault;
  bool ended = false;
  try {
    ended = pass_on(helper.socket, head, visit, fault);
  } catch (const garbled&) {
    // as if it had crashed
  }
  if (!ended) {
    const int status = helper.child.wait_for_end();
    throw file_error("'" + path.string() + "' can't be read: it is damaged, and " +
                     (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU
                          ? "reading it does not end"
                          : "the library that reads it crashes"));
  }
  if (!fault.empty()) {
    throw file_error(fault);
  }
}

hdf5_rows::hdf5_rows(const table_header& header, const pending_file& file)
    : name_(file.final_name()), helper_(name_, "write", file.path()), out_(helper_.socket, [this] {
        ::pollfd told{helper_.socket, POLLIN, 0};
        if (::poll(&told, 1, 0) > 0) {
          throw broken_channel();
        }
      }) {
  sending([&] {
    put(out_, message::header);
    put(out_, header);
  });
}

void hdf5_rows::add(std::span<const cell> row) {
  sending([&] {
    put(out_, message::row);
    put(out_, std::uint64_t{row.size()});
    for (const cell& value : row) {
      put(out_, value);
    }
  });
}

void hdf5_rows::finish() {
  try {
    put(out_, message::end);
    out_.flush();
  } catch (const broken_channel&) {
    // it has said why
  }
  hear_end();
}

template <class Send>
void hdf5_rows::sending(const Send& send) {
  try {
    send();
  } catch (const broken_channel&) {
    hear_end();
  }
}

// Waits for the helper's only word. \throws file_error unless all went well
void hdf5_rows::hear_end() {
  try {
    channel_source in(helper_.socket, channel_source::waiting::always);
    message kind{};
    get(in, kind);
    if (kind == message::end) {
      return;
    }
    std::string why;
    get(in, why);
    refuse(why);
  } catch (const garbled&) {
    refuse("the library that writes it crashes");
  }
}

void hdf5_rows::refuse(const std::string& why) const {
  throw file_error("'" + name_.string() + "' can't be written: " + why);
}

}  // namespace loradyn
