#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <loradyn/report/printable.hpp>

namespace loradyn {
namespace {

struct character {
  std::uint32_t code = 0;
  std::size_t size = 0;  // in bytes; 0 where they are no UTF-8
};

// The character at the start of a text that is not empty.
character first_of(std::string_view text) {
  const auto byte = [&text](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80U) {
    return {lead, 1};
  }
  const std::size_t size = (lead & 0xe0U) == 0xc0U   ? 2
                           : (lead & 0xf0U) == 0xe0U ? 3
                           : (lead & 0xf8U) == 0xf0U ? 4
                                                     : 0;
  if (size == 0 || size > text.size()) {
    return {};
  }
  std::uint32_t code = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) {
      return {};
    }
    code = code << 6U | (byte(i) & 0x3fU);
  }
  // The least code of each size: a longer form than needed is no UTF-8.
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80U, 0x800U, 0x10000U};
  const bool surrogate = code >= 0xd800U && code <= 0xdfffU;
  return code < least[size] || code > 0x10ffffU || surrogate ? character{} : character{code, size};
}

bool is_control(std::uint32_t code) { return code < 0x20U || (code >= 0x7fU && code <= 0x9fU); }

// Line and paragraph separators, embeddings, overrides, isolates and marks of direction, and the
// mark of byte order.
bool misleads(std::uint32_t code) {
  return (code >= 0x200eU && code <= 0x200fU) || (code >= 0x2028U && code <= 0x202eU) ||
         (code >= 0x2066U && code <= 0x2069U) || code == 0x61cU || code == 0xfeffU;
}

std::string escaped(std::string_view text, bool lines) {
  std::string result;
  while (!text.empty()) {
    const character c = first_of(text);
    const std::size_t size = c.size == 0 ? 1 : c.size;
    if (c.size == 0) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else if (lines && (c.code == '\n' || c.code == '\t')) {
      result += text.front();
    } else if (c.code == '\n' || c.code == '\t' || c.code == '\r') {
      result += c.code == '\n' ? "\\n" : c.code == '\t' ? "\\t" : "\\r";
    } else if (is_control(c.code)) {
      result += fmt::format("\\x{:02x}", c.code);
    } else if (misleads(c.code)) {
      result += fmt::format("\\u{:04x}", c.code);
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) { return escaped(text, false); }

std::string printable_lines(std::string_view text) { return escaped(text, true); }

bool is_printable(std::string_view text) { return printable(text) == text; }

std::string shell_quoted(const std::string& word) {
  const std::string plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./-_";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
    return word;
  }
  return in_quotes(word);
}

std::string in_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

}  // namespace loradyn
