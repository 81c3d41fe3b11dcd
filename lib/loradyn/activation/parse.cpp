#include <loradyn/activation/parse.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <loradyn/activation/symbolic.hpp>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <optional>
#include <utility>

namespace loradyn {
namespace {

using detail::primitive;
using detail::rational;
using detail::symbolic;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::vector<std::string> known_names() {
  std::vector<std::string> names{"linear",   "relu", "erf",  "sigmoid", "tanh",
                                 "softplus", "gelu", "silu", "sin",     "cos"};
  for (std::size_t k = 0; k <= max_degree; ++k) {
    names.push_back("he" + std::to_string(k));
  }
  return names;
}

std::optional<symbolic> function_named(std::string_view name) {
  if (name == "linear") return symbolic::identity();
  if (name == "relu") return symbolic::relu();
  if (name == "erf") return symbolic::of(primitive::erf);
  if (name == "sigmoid") return symbolic::of(primitive::sigmoid);
  if (name == "tanh") return symbolic::of(primitive::tanh);
  if (name == "softplus") return symbolic::of(primitive::softplus);
  if (name == "gelu") return symbolic::identity() * symbolic::of(primitive::normal_cdf);
  if (name == "silu") return symbolic::identity() * symbolic::of(primitive::sigmoid);
  if (name == "sin") return symbolic::of(primitive::sin);
  if (name == "cos") return symbolic::of(primitive::cos);
  return std::nullopt;
}

// A recursive-descent reader of the grammar in the header.
class reader {
 public:
  reader(std::string_view text, const brace_parameters* values) : text_(text), values_(values) {}

  symbolic read() {
    symbolic result = sum();
    skip_space();
    if (position_ < text_.size()) {
      if (text_[position_] == ')') {
        throw parse_error("unbalanced bracket: ')' without '('", column());
      }
      throw parse_error("expected + - * ^ or the end, not '" + rest_of_word() + "'", column());
    }
    return result;
  }

  [[nodiscard]] const std::vector<std::string>& parameters() const { return parameters_; }

 private:
  static constexpr int max_depth = 100;

  [[nodiscard]] std::size_t column() const { return position_ + 1; }
  void skip_space() {
    while (position_ < text_.size() && is_space(text_[position_])) {
      ++position_;
    }
  }
  bool take(char c) {
    skip_space();
    if (position_ < text_.size() && text_[position_] == c) {
      ++position_;
      return true;
    }
    return false;
  }
  template <class Predicate>
  std::string_view take_while(Predicate accept) {
    const std::size_t start = position_;
    while (position_ < text_.size() && accept(text_[position_])) {
      ++position_;
    }
    return text_.substr(start, position_ - start);
  }
  [[nodiscard]] std::string rest_of_word() const {
    std::size_t end = position_ + 1;
    const auto wordlike = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
             (static_cast<unsigned char>(c) & 0x80U) != 0;
    };
    while (end < text_.size() && wordlike(text_[position_]) && wordlike(text_[end])) {
      ++end;
    }
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) {
      ++end;
    }
    return std::string(text_.substr(position_, end - position_));
  }

  symbolic sum() {
    symbolic result = product();
    for (;;) {
      if (take('+')) {
        result += product();
      } else if (take('-')) {
        result -= product();
      } else {
        return result;
      }
    }
  }

  symbolic product() {
    symbolic result = factor();
    while (take('*')) {
      const std::size_t here = column();
      result = at(here, [&, right = factor()] { return result * right; });
    }
    return result;
  }

  symbolic factor() {
    const nesting guard(*this);
    if (take('+')) {
      return factor();
    }
    if (take('-')) {
      symbolic result;
      result -= factor();
      return result;
    }
    const symbolic base = atom();
    if (!take('^')) {
      return base;
    }
    skip_space();
    const std::size_t here = column();
    const std::string digits(take_while(is_digit));
    const bool fractional = position_ < text_.size() && (text_[position_] == '.');
    if (digits.empty() || fractional || digits.size() > 3) {
      throw parse_error("a power must be an integer from 0 to " + std::to_string(max_degree), here);
    }
    const auto exponent = static_cast<unsigned>(std::stoul(digits));
    if (exponent > max_degree) {
      throw parse_error("power " + digits + " is above " + std::to_string(max_degree), here);
    }
    if (take('^')) {
      throw parse_error("a power of a power needs brackets", column() - 1);
    }
    return at(here, [&] { return base.power(exponent); });
  }

  symbolic atom() {
    skip_space();
    const std::size_t here = column();
    if (position_ == text_.size()) {
      throw parse_error(text_.empty() ? "an activation is missing"
                                      : "an activation, a number or a bracket is missing",
                        here);
    }
    const char c = text_[position_];
    if (c == '(') {
      ++position_;
      symbolic result = sum();
      if (!take(')')) {
        throw parse_error("unbalanced bracket: '(' is not closed", here);
      }
      return result;
    }
    if (c == ')') {
      throw parse_error("unbalanced bracket: ')' where an activation should stand", here);
    }
    if (c == '{') {
      return symbolic::constant(rational(brace()));
    }
    if (is_digit(c) || c == '.') {
      return symbolic::constant(number());
    }
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      return name();
    }
    throw parse_error("'" + rest_of_word() + "' is not in the grammar of activations", here);
  }

  // A decimal number, read exactly.
  rational number() {
    const std::size_t here = column();
    const std::string whole(take_while(is_digit));
    std::string fraction;
    if (position_ < text_.size() && text_[position_] == '.') {
      ++position_;
      fraction = std::string(take_while(is_digit));
    }
    int exponent = 0;
    if (position_ < text_.size() && (text_[position_] == 'e' || text_[position_] == 'E')) {
      const std::size_t mark = position_++;
      const bool negative = position_ < text_.size() && text_[position_] == '-';
      if (position_ < text_.size() && (text_[position_] == '-' || text_[position_] == '+')) {
        ++position_;
      }
      const std::string digits(take_while(is_digit));
      if (digits.empty()) {
        position_ = mark;  // the e of a word such as erf, not of an exponent
      } else if (digits.size() > 3) {
        throw parse_error("a number out of range", here);
      } else {
        exponent = (negative ? -1 : 1) * std::stoi(digits);
      }
    }
    if ((whole + fraction).empty() || fraction.size() > 400 || whole.size() > 300 ||
        std::abs(exponent) > 300) {
      throw parse_error("a number out of range", here);
    }
    exponent -= static_cast<int>(fraction.size());
    std::string digits = whole + fraction;
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    const boost::multiprecision::cpp_int mantissa(digits);
    const boost::multiprecision::cpp_int scale = boost::multiprecision::pow(
        boost::multiprecision::cpp_int(10), static_cast<unsigned>(std::abs(exponent)));
    return exponent >= 0 ? rational(mantissa * scale) : rational(mantissa, scale);
  }

  double brace() {
    const std::size_t here = column();
    ++position_;
    const std::string word(take_while(is_lower));
    if (word.empty() || !take('}')) {
      throw parse_error("a parameter in braces must be a lower-case word, as in {a}", here);
    }
    if (std::find(parameters_.begin(), parameters_.end(), word) == parameters_.end()) {
      parameters_.push_back(word);
    }
    if (values_ == nullptr) {
      return 1.0;  // only the names are wanted
    }
    const auto value = values_->find(word);
    if (value == values_->end()) {
      throw parse_error("nothing sets the parameter {" + word + "}", here);
    }
    if (!std::isfinite(value->second)) {
      throw parse_error("the parameter {" + word + "} is not finite", here);
    }
    return value->second;
  }

  symbolic name() {
    const std::size_t here = column();
    const std::string word(
        take_while([](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }));
    if (auto function = function_named(word)) {
      return *std::move(function);
    }
    const bool hermite =
        word.starts_with("he") && std::all_of(word.begin() + 2, word.end(), is_digit);
    if (hermite && word.size() > 2) {
      return hermite_of_degree(word.size() > 5 ? 999.0 : std::stod(word.substr(2)), here);
    }
    if (hermite && position_ < text_.size() && text_[position_] == '{') {
      return hermite_of_degree(brace(), here);
    }
    throw parse_error(
        "unknown activation '" + word + "'; the nearest are " + nearest_names(word, known_names()),
        here);
  }

  static symbolic hermite_of_degree(double degree, std::size_t here) {
    if (degree < 0.0 || degree != std::floor(degree)) {
      throw parse_error(
          "the degree of he{…} must be an integer from 0 to " + std::to_string(max_degree), here);
    }
    if (degree > static_cast<double>(max_degree)) {
      throw parse_error("a degree above " + std::to_string(max_degree), here);
    }
    return symbolic::hermite(static_cast<std::size_t>(degree));
  }

  // Runs an exact operation and gives what it can't do a place in the text.
  template <class Operation>
  static symbolic at(std::size_t here, Operation operation) {
    try {
      return operation();
    } catch (const argument_error& e) {
      throw parse_error(e.what(), here);
    }
  }

  struct nesting {
    explicit nesting(reader& r) : owner(r) {
      if (++owner.depth_ > max_depth) {
        throw parse_error("brackets or signs nested deeper than " + std::to_string(max_depth),
                          owner.column());
      }
    }
    ~nesting() { --owner.depth_; }
    nesting(const nesting&) = delete;
    nesting& operator=(const nesting&) = delete;
    reader& owner;
  };

  std::string_view text_;
  const brace_parameters* values_;
  std::size_t position_ = 0;
  int depth_ = 0;
  std::vector<std::string> parameters_;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

activation parse_activation(std::string_view text, const brace_parameters& values) {
  const symbolic parsed = reader(text, &values).read();
  try {
    return activation(parsed.compile(), std::string(trimmed(text)));
  } catch (const argument_error& e) {
    throw parse_error(e.what(), 1);
  }
}

std::vector<std::string> brace_parameters_of(std::string_view text) {
  reader names(text, nullptr);
  names.read();
  return names.parameters();
}

}  // namespace loradyn
