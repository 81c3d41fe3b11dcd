#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/sweep/range.hpp>
#include <string>

namespace loradyn {
namespace {

constexpr const char* range_forms = "a number, a list a,b,c, a range lo:hi:n, or log:lo:hi:n";

[[noreturn]] void refuse(std::string_view name, std::string_view text,
                         const std::string& expected) {
  throw argument_error(std::string(name), "'" + std::string(text) + "'", expected);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

// A number that is a part of `whole`.
double number_in(std::string_view name, std::string_view whole, std::string_view part,
                 const char* expected) {
  part = trimmed(part);
  if (part.starts_with('+')) {
    part.remove_prefix(1);
  }
  double value = 0.0;
  const auto [end, fault] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (fault == std::errc::result_out_of_range) {
    refuse(name, whole, "within the range of a double");
  }
  if (fault != std::errc() || end != part.data() + part.size()) {
    refuse(name, whole, expected);
  }
  if (!std::isfinite(value)) {
    refuse(name, whole, "finite");
  }
  return value;
}

std::uint64_t count_in(std::string_view name, std::string_view whole, std::string_view part) {
  part = trimmed(part);
  std::uint64_t count = 0;
  const auto [end, fault] = std::from_chars(part.data(), part.data() + part.size(), count);
  if (fault == std::errc::result_out_of_range) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  if (fault != std::errc() || end != part.data() + part.size()) {
    refuse(name, whole, "a range with at least 2 points, both its ends");
  }
  return count;
}

// What an interval must be instead; empty where it is one.
std::string fault_of(double lo, double hi) {
  return lo < hi    ? ""
         : lo == hi ? "a range that is not empty, with lo < hi"
                    : "a range that is not reversed, with lo < hi";
}

// What is wrong with a range: what it must be instead; empty where nothing is.
std::string fault_of(const value_range& range) {
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(range.list.begin(), range.list.end(), finite) || !finite(range.from) ||
      !finite(range.to)) {
    return "finite";
  }
  if (!range.list.empty()) {
    return {};
  }
  if (range.count > max_range_size) {
    return "a range of at most " + std::to_string(max_range_size) + " points";
  }
  if (range.count < 2) {
    return "a range with at least 2 points, both its ends";
  }
  if (std::string fault = fault_of(range.from, range.to); !fault.empty()) {
    return fault;
  }
  return range.logarithmic && range.from <= 0.0 ? "a positive range, being logarithmic" : "";
}

void append_number(std::string& text, double value) {
  std::array<char, 32> digits{};
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

// The decimal of 12 digits next to a value, where it is within 2 ulp of the scale: 0.1:0.9:5 has
// 0.7 in it, and not 0.7000000000000001.
double short_decimal(double value, double scale) {
  std::array<char, 32> text{};
  const char* end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 12)
          .ptr;
  double decimal = value;
  std::from_chars(text.data(), end, decimal);
  const double ulp = std::numeric_limits<double>::epsilon() * std::abs(scale);
  return std::abs(decimal - value) <= 2.0 * ulp ? decimal : value;
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(at + 1);
  }
}

value_range read_range(std::string_view name, std::string_view text) {
  std::vector<std::string_view> parts = split(text, ':');
  value_range range;
  if (parts.size() == 1) {
    for (const std::string_view part : split(text, ',')) {
      check_stop();
      range.list.push_back(number_in(name, text, part, range_forms));
    }
    return range;
  }
  range.logarithmic = trimmed(parts.front()) == "log";
  if (range.logarithmic) {
    parts.erase(parts.begin());
  }
  if (parts.size() != 3) {
    refuse(name, text, range_forms);
  }
  range.from = number_in(name, text, parts[0], range_forms);
  range.to = number_in(name, text, parts[1], range_forms);
  range.count = count_in(name, text, parts[2]);
  if (const std::string fault = fault_of(range); !fault.empty()) {
    refuse(name, text, fault);
  }
  return range;
}

std::string to_text(const value_range& range) {
  std::string text;
  for (const double value : range.list) {
    text += text.empty() ? "" : ",";
    append_number(text, value);
  }
  if (range.list.empty()) {
    text = range.logarithmic ? "log:" : "";
    append_number(text, range.from);
    text += ':';
    append_number(text, range.to);
    text += ':' + std::to_string(range.count);
  }
  return text;
}

std::vector<double> values_of(std::string_view name, const value_range& range) {
  if (const std::string fault = fault_of(range); !fault.empty()) {
    refuse(name, to_text(range), fault);
  }
  if (!range.list.empty()) {
    return range.list;
  }
  std::vector<double> values;
  const double steps = static_cast<double>(range.count - 1);
  for (std::uint64_t i = 0; i < range.count; ++i) {
    check_stop();
    const double t = static_cast<double>(i) / steps;
    const double value = between(range.from, range.to, t, range.logarithmic);
    // Points less than an ulp apart may come in the wrong order.
    values.push_back(values.empty() ? value : std::max(values.back(), value));
  }
  values.front() = range.from;
  values.back() = range.to;
  return values;
}

std::vector<double> parse_range(std::string_view name, std::string_view text) {
  return values_of(name, read_range(name, text));
}

double between(double lo, double hi, double t, bool logarithmic) {
  // Weighted so that both ends come out exactly. Where they are a few ulp apart, or near the
  // largest double, the rounding would leave the range.
  const double value = logarithmic ? std::exp((1.0 - t) * std::log(lo) + t * std::log(hi))
                                   : short_decimal((1.0 - t) * lo + t * hi, std::max(-lo, hi));
  return std::clamp(value, std::min(lo, hi), std::max(lo, hi));
}

interval parse_interval(std::string_view name, std::string_view text) {
  constexpr const char* form = "an interval lo:hi";
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() != 2) {
    refuse(name, text, form);
  }
  const interval i{number_in(name, text, parts[0], form), number_in(name, text, parts[1], form)};
  if (const std::string fault = fault_of(i.lo, i.hi); !fault.empty()) {
    refuse(name, text, fault);
  }
  return i;
}

double parse_number(std::string_view name, std::string_view text) {
  return number_in(name, text, text, "a number");
}

}  // namespace loradyn
