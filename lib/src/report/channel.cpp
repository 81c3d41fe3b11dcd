#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <loradyn/interruption.hpp>
#include <string_view>
#include <utility>
#include "report/channel.hpp"

namespace loradyn {
namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 16;

}  // namespace

channel_sink::channel_sink(int socket, std::function<void()> flushed)
    : socket_(socket), flushed_(std::move(flushed)) {}

void channel_sink::write(const void* bytes, std::size_t count) {
  buffer_.append(static_cast<const char*>(bytes), count);
  if (buffer_.size() >= buffer_size) {
    flush();
  }
}

void channel_sink::flush() {
  for (std::string_view rest = buffer_; !rest.empty();) {
    const ssize_t count = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR) {
      throw broken_channel();
    }
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  buffer_.clear();
  flushed_();
}

channel_source::channel_source(int socket, waiting how)
    : socket_(socket), how_(how), buffer_(buffer_size) {}

bool channel_source::done() {
  while (position_ == filled_) {
    if (how_ == waiting::until_stop) {
      check_stop();
      constexpr int until_stop_is_looked_at = 100;  // ms
      ::pollfd coming{socket_, POLLIN, 0};
      if (::poll(&coming, 1, until_stop_is_looked_at) <= 0) {
        continue;
      }
    }
    const ssize_t count = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (count == 0 || (count < 0 && errno != EINTR)) {
      return true;
    }
    position_ = 0;
    filled_ = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
  return false;
}

void channel_source::read(void* target, std::size_t count) {
  auto* bytes = static_cast<char*>(target);
  while (count > 0) {
    if (done()) {
      throw garbled();
    }
    const std::size_t now = std::min(count, filled_ - position_);
    std::memcpy(bytes, buffer_.data() + position_, now);
    position_ += now;
    bytes += now;
    count -= now;
  }
}

}  // namespace loradyn
