// Ranges, intervals and numbers are read, or refused with an argument_error. Values are finite, a
// range's in order and between its ends; written out, they are read back.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>
#include <vector>

#include "fuzz.hpp"

namespace {

using namespace loradyn;
using fuzz::require;

std::string shortest(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

// Long ranges take seconds under the sanitizers, and differ from short ones in nothing.
bool is_long(std::string_view text) {
  const std::string_view last = split(text, ':').back();
  return std::count_if(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; }) > 4;
}

void check_range(const std::string& text) {
  const value_range range = read_range("--mu", text);
  require(read_range("--mu", to_text(range)) == range, "a range's own text reads back as it is");
  const std::vector<double> values = values_of("--mu", range);
  require(!values.empty(), "a range has a value");
  std::string list;
  for (const double value : values) {
    require(std::isfinite(value), "a range's values are finite");
    list += (list.empty() ? "" : ",") + shortest(value);
  }
  require(parse_range("--mu", list) == values, "a list of the values reads back as they are");
  if (text.find(':') != std::string::npos) {
    require(values.size() >= 2 && values.front() < values.back(), "a range has two ends");
    require(std::is_sorted(values.begin(), values.end()), "a range is in order");
    const std::string ends = shortest(values.front()) + ":" + shortest(values.back());
    const interval i = parse_interval("--mu", ends);
    require(i.lo == values.front() && i.hi == values.back(), "an interval's ends are exact");
    const bool logarithmic = text.find("log") != std::string::npos;
    const std::string again =
        (logarithmic ? "log:" : "") + ends + ":" + std::to_string(values.size());
    require(parse_range("--mu", again) == values, "a range in other words has the same values");
  }
}

template <class Read>
void read_or_refuse(const Read& read) {
  try {
    read();
  } catch (const argument_error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text_of(data, size);
  if (is_long(text)) {
    return 0;
  }
  read_or_refuse([&] { check_range(text); });
  read_or_refuse([&] {
    const interval i = parse_interval("--mu", text);
    require(std::isfinite(i.lo) && std::isfinite(i.hi) && i.lo < i.hi, "an interval has two ends");
  });
  read_or_refuse([&] {
    const double value = parse_number("--mu", text);
    require(std::isfinite(value), "a number is finite");
    require(parse_number("--mu", shortest(value)) == value, "a number reads back as it is");
    require(parse_range("--mu", text) == std::vector<double>{value}, "a number is a range of one");
  });
  return 0;
}
