#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/file.hpp>
#include <system_error>
#include <utility>
#include "report/descriptor.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t random_digits = 16;
constexpr std::string_view part_mark = ".part";

[[noreturn]] void cannot_read(const fs::path& path, const std::string& why) {
  throw file_error("'" + path.string() + "' can't be read: " + why);
}

std::string random_name() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
    throw file_error(std::string("there are no random numbers: ") + std::strerror(errno));
  }
  std::array<char, random_digits + 1> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return text.data();
}

// What stands before the random digits, short enough for the whole to be a name.
std::string part_prefix(const fs::path& target) {
  constexpr std::size_t most =
      255 - random_digits - part_mark.size() - 16;  // for two dots, "-journal"
  const std::size_t ending = target.extension().string().size();
  return "." + target.stem().string().substr(0, most - std::min(ending, most)) + ".";
}

// Whether a file is that of a living process: it holds the lock.
bool is_locked(int file) { return ::flock(file, LOCK_EX | LOCK_NB) != 0; }

// Whether an open file still has its name.
bool has_name(int file, const fs::path& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(file, &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

// Removes the parts of the same final name whose processes were killed.
void remove_orphans(const fs::path& directory, const fs::path& target) {
  const std::string prefix = part_prefix(target);
  const std::string suffix = std::string(part_mark) + target.extension().string();
  std::error_code fault;
  for (fs::directory_iterator at(directory, fault), end; !fault && at != end; at.increment(fault)) {
    const std::string name = at->path().filename().string();
    if (name.size() != prefix.size() + random_digits + suffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(suffix) ||
        name.substr(prefix.size(), random_digits).find_first_not_of("0123456789abcdef") !=
            std::string::npos) {
      continue;
    }
    const file_descriptor part(
        ::open(at->path().c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat status {};
    if (part < 0 || ::fstat(part, &status) != 0 || !S_ISREG(status.st_mode) || is_locked(part)) {
      continue;
    }
    std::error_code ignored;
    for (const char* companion : {"", "-journal", "-wal", "-shm"}) {  // SQLite's
      fs::remove(directory / (name + companion), ignored);
    }
  }
}

// Follows symbolic links, of which the last may point to what is not there yet.
fs::path followed(fs::path path) {
  constexpr int most = 40;  // as the system itself follows
  std::error_code fault;
  for (int i = 0; fs::is_symlink(path, fault); ++i) {
    if (i == most) {
      throw file_error("'" + path.string() + "' can't be written: its links have no end");
    }
    const fs::path link = fs::read_symlink(path, fault);
    if (fault) {
      break;
    }
    path = path.parent_path() / link;
  }
  return path;
}

fs::path directory_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

pending_file::pending_file(fs::path final_name) : final_(std::move(final_name)) {
  std::error_code ignored;
  target_ = followed(final_);
  if (!final_.has_filename() || fs::is_directory(target_, ignored)) {
    refuse("it is a directory");
  }
  const fs::path directory = directory_of(target_);
  if (!fs::is_directory(directory, ignored)) {
    refuse("there is no directory '" + directory.string() + "'");
  }
  struct stat status {};
  if (::lstat(target_.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) {
      refuse("it is no regular file");
    }
    constexpr ::mode_t permissions = 07777;
    replaced_ = rights{status.st_mode & permissions, status.st_uid, status.st_gid};
  }
  remove_orphans(directory, target_);
  reserve(directory);
}

void pending_file::reserve(const fs::path& directory) {
  const std::string prefix = part_prefix(target_);
  const std::string suffix = std::string(part_mark) + target_.extension().string();
  constexpr ::mode_t of_ones_own = 0600;  // until the replaced file's mode is given to it
  constexpr ::mode_t usual = 0666;        // less the user's mask
  constexpr int attempts = 16;            // all fail where the names are taken: never
  for (int i = 0; i < attempts; ++i) {
    temporary_ = directory / (prefix + random_name() + suffix);
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         replaced_ ? of_ones_own : usual);
    if (descriptor_ < 0) {
      if (errno != EEXIST) {
        refuse(std::strerror(errno));
      }
      continue;
    }
    // Another process may have taken the file for an orphan before it had its lock. Where the file
    // system knows no locks, nobody takes anything for an orphan.
    if ((!is_locked(descriptor_) || errno != EWOULDBLOCK) && has_name(descriptor_, temporary_)) {
      return;
    }
    ::unlink(temporary_.c_str());
    unlock();
  }
  refuse("no temporary file can be made beside it");
}

void pending_file::refuse(const std::string& why) const {
  throw file_error("'" + final_.string() + "' can't be written: " + why);
}

pending_file::~pending_file() {
  if (!committed_) {
    ::unlink(temporary_.c_str());
  }
  unlock();
}

void pending_file::unlock() noexcept {
  if (descriptor_ >= 0) {
    ::close(std::exchange(descriptor_, -1));
  }
}

void pending_file::write(const std::string& content) const {
  file_writer out(*this);
  out.append(content);
  out.close();
}

void pending_file::commit() {
  if (replaced_ && descriptor_ >= 0) {
    // The mode comes last, as a change of owner takes bits of it away.
    if (::fchown(descriptor_, replaced_->owner, replaced_->group) != 0) {
      static_cast<void>(::fchown(descriptor_, static_cast<::uid_t>(-1), replaced_->group));
    }
    if (::fchmod(descriptor_, replaced_->mode) != 0) {
      refuse(std::strerror(errno));
    }
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    refuse(std::strerror(errno));
  }
  committed_ = true;
  unlock();
}

file_writer::file_writer(const pending_file& file) : file_(file) {
  if (::ftruncate(file_.descriptor_, 0) != 0 || ::lseek(file_.descriptor_, 0, SEEK_SET) != 0) {
    file_.refuse(std::strerror(errno));
  }
}

void file_writer::append(std::string_view text) {
  constexpr std::size_t most = std::size_t{1} << 16;
  buffer_ += text;
  if (buffer_.size() >= most) {
    close();
  }
}

void file_writer::close() {
  for (std::string_view rest = buffer_; !rest.empty();) {
    const ssize_t count = ::write(file_.descriptor_, rest.data(), rest.size());
    if (count < 0 && errno != EINTR) {
      file_.refuse(std::strerror(errno));
    }
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  buffer_.clear();
}

std::ifstream open_to_read(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    cannot_read(path, std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    cannot_read(path, S_ISDIR(status.st_mode) ? "it is a directory" : "it is no regular file");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    cannot_read(path, std::strerror(errno));
  }
  return in;
}

namespace {

// The bytes of an open file to its end, at most `most` of them.
std::string read_to_end(const fs::path& path, int file, std::size_t most) {
  std::string content;
  std::vector<char> buffer(std::size_t{1} << 16);
  for (;;) {
    check_stop();
    const ssize_t count = ::read(file, buffer.data(), buffer.size());
    if (count == 0) {
      return content;
    }
    if (count > 0) {
      content.append(buffer.data(), static_cast<std::size_t>(count));
      if (content.size() > most) {
        cannot_read(path, "it is longer than " + std::to_string(most >> 20U) + " MiB");
      }
    } else if (errno == EAGAIN) {    // a pipe whose writer takes its time
      constexpr int patience = 100;  // ms until the stop is looked at
      ::pollfd waiting{file, POLLIN, 0};
      ::poll(&waiting, 1, patience);
    } else if (errno != EINTR) {
      cannot_read(path, std::strerror(errno));
    }
  }
}

}  // namespace

std::string read_file(const fs::path& path) {
  static_cast<void>(open_to_read(path));  // nothing but a regular file is opened
  const file_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file < 0) {
    cannot_read(path, std::strerror(errno));
  }
  return read_to_end(path, file, std::string().max_size());
}

std::string read_text(const fs::path& path) {
  // Without waiting for a writer where it is a pipe.
  const file_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) {
    cannot_read(path, std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    cannot_read(path, "it is a directory");
  }
  std::string content = read_to_end(path, file, most_text);
  if (content.empty() && S_ISFIFO(status.st_mode)) {
    cannot_read(path, "it is a pipe that nobody writes to");
  }
  return content;
}

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code fault;
  if (fs::equivalent(a, b, fault) && !fault) {
    return true;
  }
  const auto place = [](const fs::path& path) {
    std::error_code ignored;
    const fs::path target = followed(path);
    return fs::weakly_canonical(directory_of(target), ignored) / target.filename();
  };
  return place(a) == place(b);
}

}  // namespace loradyn
