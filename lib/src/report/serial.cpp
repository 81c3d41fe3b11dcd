#include "report/serial.hpp"

#include <cstring>
#include <loradyn/error.hpp>
#include <span>

namespace loradyn {
namespace {

struct bytes_sink {
  std::vector<char> bytes;

  void write(const void* data, std::size_t count) {
    const auto* from = static_cast<const char*>(data);
    bytes.insert(bytes.end(), from, from + count);
  }
};

struct bytes_source {
  std::span<const char> rest;

  void read(void* target, std::size_t count) {
    if (rest.size() < count) {
      throw garbled();
    }
    if (count > 0) {
      std::memcpy(target, rest.data(), count);
    }
    rest = rest.subspan(count);
  }
};

}  // namespace

std::vector<char> packed(std::span<const kept_cell> cells) {
  bytes_sink sink;
  for (const kept_cell& c : cells) {
    put(sink, c);
  }
  return std::move(sink.bytes);
}

std::vector<kept_cell> unpacked(std::span<const char> bytes) {
  bytes_source source{bytes};
  std::vector<kept_cell> cells;
  try {
    while (!source.rest.empty()) {
      get(source, cells.emplace_back());
    }
  } catch (const garbled&) {
    throw error("a message between the processes is cut short");
  }
  return cells;
}

}  // namespace loradyn
