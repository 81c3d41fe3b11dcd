#pragma once

/// \file
/// Values as bytes, for checkpoints. Internal to the simulation room.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace loradyn::detail {

/// FNV-1a.
inline std::uint64_t checksum_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return hash;
}

class byte_writer {
 public:
  template <class Value>
  requires std::is_trivially_copyable_v<Value>
  void put(const Value& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  void put_flag(bool flag) { bytes_.push_back(flag ? '\1' : '\0'); }

  void put_text(std::string_view text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes_.append(text);
  }

  template <class Value>
  void put_list(const std::vector<Value>& values) {
    put(static_cast<std::uint64_t>(values.size()));
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
  }

  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what byte_writer wrote. After a read past the end nothing more is read and `good` is
/// false.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : bytes_(bytes) {}

  template <class Value>
  requires std::is_trivially_copyable_v<Value> Value get() {
    Value value{};
    if (take(sizeof value)) {
      std::memcpy(&value, bytes_.data() + place_ - sizeof value, sizeof value);
    }
    return value;
  }

  bool get_flag() { return get<char>() != '\0'; }

  std::string_view get_text() {
    const auto size = get<std::uint64_t>();
    return take(size) ? bytes_.substr(place_ - size, size) : std::string_view();
  }

  template <class Value>
  std::vector<Value> get_list() {
    const auto size = get<std::uint64_t>();
    if (size > (bytes_.size() - place_) / sizeof(Value)) {
      good_ = false;
      return {};
    }
    std::vector<Value> values(size);
    if (size > 0 && take(size * sizeof(Value))) {
      std::memcpy(values.data(), bytes_.data() + place_ - size * sizeof(Value),
                  size * sizeof(Value));
    }
    return values;
  }

  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool at_end() const noexcept { return good_ && place_ == bytes_.size(); }

 private:
  bool take(std::uint64_t size) {
    good_ = good_ && size <= bytes_.size() - place_;
    place_ += good_ ? size : 0;
    return good_;
  }

  std::string_view bytes_;
  std::size_t place_ = 0;
  bool good_ = true;
};

}  // namespace loradyn::detail
