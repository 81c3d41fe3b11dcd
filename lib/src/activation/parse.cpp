#include <loradyn/activation/parse.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <loradyn/error.hpp>
#include <loradyn/nearest_names.hpp>
#include <optional>
#include <utility>
#include "activation/formula.hpp"
#include "activation/formula_analysis.hpp"
#include "activation/symbolic.hpp"

namespace loradyn {
namespace {

using detail::formula_node;
using detail::operation;
using detail::primitive;
using detail::rational;
using detail::symbolic;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

struct named_function {
  std::string_view name;
  operation what;
  std::optional<primitive> exact;  // what exact algebra knows it by
  bool times_argument;             // f(x) = x · that
};

constexpr std::array named_functions{
    named_function{"relu", operation::relu, std::nullopt, false},
    named_function{"erf", operation::erf, primitive::erf, false},
    named_function{"sigmoid", operation::sigmoid, primitive::sigmoid, false},
    named_function{"tanh", operation::tanh, primitive::tanh, false},
    named_function{"softplus", operation::softplus, primitive::softplus, false},
    named_function{"gelu", operation::gelu, primitive::normal_cdf, true},
    named_function{"silu", operation::silu, primitive::sigmoid, true},
    named_function{"sin", operation::sin, primitive::sin, false},
    named_function{"cos", operation::cos, primitive::cos, false},
    named_function{"step", operation::step, std::nullopt, false},
    named_function{"exp", operation::exp, std::nullopt, false},
    named_function{"log", operation::log, std::nullopt, false},
    named_function{"sqrt", operation::sqrt, std::nullopt, false},
    named_function{"abs", operation::abs, std::nullopt, false},
    named_function{"max", operation::max, std::nullopt, false},
    named_function{"min", operation::min, std::nullopt, false}};

std::vector<std::string> known_names() {
  std::vector<std::string> names{"x", "linear"};
  for (const named_function& f : named_functions) {
    names.emplace_back(f.name);
  }
  for (std::size_t k = 0; k <= max_degree; ++k) {
    names.push_back("he" + std::to_string(k));
  }
  return names;
}

// What has been read: a place in the formula, and its exact form where there is one.
struct value {
  std::size_t place = 0;
  std::optional<symbolic> exact;
};

// Builds the formula and, as far as the budget reaches, its exact form.
class builder {
 public:
  value constant(const rational& number, std::size_t column) {
    return {
        append(
            {.what = operation::constant, .value = number.convert_to<double>(), .column = column}),
        symbolic::constant(number)};
  }

  value argument(std::size_t column) {
    return {append({.what = operation::argument, .column = column}), symbolic::identity()};
  }

  value sum(const value& a, const value& b, int sign, std::size_t column) {
    std::optional<symbolic> exact;
    if (a.exact && b.exact) {
      exact = a.exact->plus(*b.exact, sign, budget_);
    }
    return binary(sign > 0 ? operation::add : operation::subtract, a, b, std::move(exact), column);
  }

  value negative(const value& a, std::size_t column) {
    return product(constant(-1, column), a, column);
  }

  value product(const value& a, const value& b, std::size_t column) {
    std::optional<symbolic> exact;
    if (a.exact && b.exact) {
      exact = a.exact->times(*b.exact, budget_);
    }
    return binary(operation::multiply, a, b, std::move(exact), column);
  }

  value quotient(const value& a, const value& b, std::size_t column) {
    std::optional<symbolic> exact;
    if (b.exact) {
      if (const auto divisor = b.exact->as_constant()) {
        if (*divisor == 0) {
          throw parse_error("'/' divides by zero", column);
        }
        if (a.exact) {
          exact = a.exact->times(symbolic::constant(1 / *divisor), budget_);
        }
      }
    }
    return binary(operation::divide, a, b, std::move(exact), column);
  }

  value power(const value& a, unsigned exponent, std::size_t column) {
    std::optional<symbolic> exact;
    if (a.exact) {
      exact = a.exact->power(exponent, budget_);
    }
    return unary({.what = operation::power, .order = exponent, .column = column}, a,
                 std::move(exact));
  }

  value hermite(unsigned k, const value& a, std::size_t column) {
    std::optional<symbolic> exact;
    if (a.exact) {
      exact = a.exact->as_signed_argument() == 1 ? symbolic::hermite(k, budget_)
                                                 : exact_hermite(k, *a.exact);
    }
    return unary({.what = operation::hermite, .order = k, .column = column}, a, std::move(exact));
  }

  value call(const named_function& f, const value& a, std::size_t column) {
    return unary({.what = f.what, .column = column}, a, exact_call(f, a));
  }

  // max(a, b) = a + relu(b - a), min(a, b) = a - relu(a - b)
  value extremum(operation what, const value& a, const value& b, std::size_t column) {
    std::optional<symbolic> exact;
    if (a.exact && b.exact) {
      const int sign = what == operation::max ? 1 : -1;
      exact = b.exact->plus(*a.exact, -1, budget_);
      if (exact && sign < 0) {
        exact = exact->times(symbolic::constant(-1), budget_);
      }
      if (exact) exact = exact->where_positive(symbolic::switched::relu, budget_);
      if (exact) exact = a.exact->plus(*exact, sign, budget_);
    }
    return binary(what, a, b, std::move(exact), column);
  }

  activation finish(const value& whole, std::string name) const {
    if (whole.exact) {
      if (const auto parts = whole.exact->closed()) {
        activation closed(*parts, std::move(name));
        check_size(closed);
        return closed;
      }
    }
    const bool kinked = !whole.exact || whole.exact->has_step();
    return activation(formula_of(whole), kinked,
                      whole.exact ? whole.exact->on_half_lines() : std::nullopt, std::move(name));
  }

  [[nodiscard]] detail::formula formula_of(const value& whole) const {
    return formula_.rooted_at(whole.place);
  }

 private:
  // A closed form is finite, but for the range of numbers: the largest is at an end.
  static void check_size(const activation& f) {
    for (const double x : {0.0, -detail::gaussian_range, detail::gaussian_range}) {
      for (const double v : f.all(x)) {
        if (!(std::abs(v) <= detail::largest_derivative)) {
          throw parse_error(
              "this is too large or too steep at x = " + std::to_string(static_cast<int>(x)), 1);
        }
      }
    }
  }

  std::size_t append(formula_node node) {
    const std::size_t column = node.column;
    try {
      return formula_.append(node);
    } catch (const argument_error& e) {
      throw parse_error(e.what(), column);
    }
  }

  value unary(formula_node node, const value& a, std::optional<symbolic> exact) {
    node.left = static_cast<std::uint16_t>(a.place);
    return settled(append(node), std::move(exact), node.column);
  }

  value binary(operation what, const value& a, const value& b, std::optional<symbolic> exact,
               std::size_t column) {
    return settled(append({.what = what,
                           .left = static_cast<std::uint16_t>(a.place),
                           .right = static_cast<std::uint16_t>(b.place),
                           .column = column}),
                   std::move(exact), column);
  }

  // A number is that number, whatever it was made of; one that was too long for exact algebra goes
  // on as it was rounded.
  value settled(std::size_t place, std::optional<symbolic> exact, std::size_t column) {
    if (exact) {
      if (const auto number = exact->as_constant()) {
        place = append(
            {.what = operation::constant, .value = number->convert_to<double>(), .column = column});
      }
    } else if (const formula_node& node = formula_.nodes[place];
               node.what == operation::constant && std::isfinite(node.value)) {
      exact = symbolic::constant(rational(node.value));
    }
    return {place, std::move(exact)};
  }

  // He_{n+1}(f) = f He_n(f) - n He_{n-1}(f)
  std::optional<symbolic> exact_hermite(unsigned k, const symbolic& f) {
    symbolic before;
    std::optional<symbolic> current = symbolic::constant(1);
    for (unsigned n = 0; n < k && current; ++n) {
      auto next = current->times(f, budget_);
      if (next && n > 0) {
        const auto rest = before.times(symbolic::constant(n), budget_);
        next = rest ? next->plus(*rest, -1, budget_) : std::nullopt;
      }
      before = std::move(*current);
      current = std::move(next);
    }
    return current;
  }

  std::optional<symbolic> exact_call(const named_function& f, const value& a) {
    if (!a.exact) {
      return std::nullopt;
    }
    switch (f.what) {
      case operation::relu:
        return a.exact->where_positive(symbolic::switched::relu, budget_);
      case operation::step:
        return a.exact->where_positive(symbolic::switched::step, budget_);
      case operation::abs:
        return a.exact->where_positive(symbolic::switched::abs, budget_);
      default:
        break;
    }
    const int sign = a.exact->as_signed_argument();
    if (!f.exact || sign == 0) {
      return std::nullopt;
    }
    symbolic at_x = symbolic::of(*f.exact);
    if (f.times_argument) {
      return sign > 0 ? at_x.times(symbolic::identity(), budget_) : std::nullopt;
    }
    if (sign > 0 || f.what == operation::cos) {
      return at_x;
    }
    switch (f.what) {
      case operation::sigmoid:  // 1 - sigmoid(x)
        return symbolic::constant(1).plus(at_x, -1, budget_);
      case operation::softplus:  // softplus(x) - x
        return at_x.plus(symbolic::identity(), -1, budget_);
      default:  // odd
        return at_x.times(symbolic::constant(-1), budget_);
    }
  }

  detail::formula formula_;
  detail::symbolic_budget budget_;
};

// A recursive-descent reader of the grammar in the header.
class reader {
 public:
  reader(std::string_view text, const brace_parameters* values) : text_(text), values_(values) {}

  value read() {
    if (text_.size() > max_length) {
      throw parse_error("an activation may be " + std::to_string(max_length) + " characters long",
                        max_length + 1);
    }
    value result = sum();
    skip_space();
    if (position_ < text_.size()) {
      if (text_[position_] == ')') {
        throw parse_error("unbalanced bracket: ')' without '('", column());
      }
      if (text_[position_] == ',') {
        throw parse_error("a comma outside max(…, …) and min(…, …)", column());
      }
      throw parse_error("expected + - * / ^ or the end, not '" + rest_of_word() + "'", column());
    }
    return result;
  }

  activation read_activation(std::string name) {
    const value whole = read();
    try {
      return builder_.finish(whole, std::move(name));
    } catch (const argument_error& e) {
      throw parse_error(e.what(), 1);
    }
  }

  detail::formula read_formula() {
    const value whole = read();
    return builder_.formula_of(whole);
  }

  [[nodiscard]] const std::vector<std::string>& parameters() const { return parameters_; }

 private:
  // Texts beyond are refused. A level of brackets takes 2.6 kB of stack in four calls, all of them
  // 260 kB; no formula of max_nodes operations needs so many characters.
  static constexpr int max_depth = 100;
  static constexpr std::size_t max_length = 4000;
  // Stands for a parameter whose value is not known: no text divides by zero for it.
  static constexpr double generic = 0.7390851332151607;

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

  value sum() {
    value result = product();
    for (;;) {
      skip_space();
      const std::size_t here = column();
      if (take('+')) {
        result = builder_.sum(result, product(), 1, here);
      } else if (take('-')) {
        result = builder_.sum(result, product(), -1, here);
      } else {
        return result;
      }
    }
  }

  value product() {
    value result = factor();
    for (;;) {
      skip_space();
      const std::size_t here = column();
      if (take('*')) {
        result = builder_.product(result, factor(), here);
      } else if (take('/')) {
        result = builder_.quotient(result, factor(), here);
      } else {
        return result;
      }
    }
  }

  value factor() {
    const nesting guard(*this);
    skip_space();
    const std::size_t sign = column();
    if (take('+')) {
      return factor();
    }
    if (take('-')) {
      return builder_.negative(factor(), sign);
    }
    const value base = atom();
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
    return builder_.power(base, exponent, here);
  }

  value bracket() {
    const std::size_t here = column();
    ++position_;
    value result = sum();
    if (!take(')')) {
      unclosed(here);
    }
    return result;
  }

  [[noreturn]] void unclosed(std::size_t here) const {
    if (position_ < text_.size() && text_[position_] != ',') {
      throw parse_error("expected + - * / ^ or ')', not '" + rest_of_word() + "'", column());
    }
    if (position_ < text_.size()) {
      throw parse_error("a comma outside max(…, …) and min(…, …)", column());
    }
    throw parse_error("unbalanced bracket: '(' is not closed", here);
  }

  value atom() {
    skip_space();
    const std::size_t here = column();
    if (position_ == text_.size()) {
      throw parse_error(text_.empty() ? "an activation is missing"
                                      : "an activation, a number or a bracket is missing",
                        here);
    }
    const char c = text_[position_];
    if (c == '(') {
      return bracket();
    }
    if (c == ')') {
      throw parse_error("unbalanced bracket: ')' where an activation should stand", here);
    }
    if (c == '{') {
      return builder_.constant(rational(brace(generic)), here);
    }
    if (is_digit(c) || c == '.') {
      return builder_.constant(number(), here);
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

  double brace(double placeholder) {
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
      return placeholder;  // only the names are wanted
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

  // f alone is f(x).
  value inner() {
    skip_space();
    return position_ < text_.size() && text_[position_] == '(' ? bracket()
                                                               : builder_.argument(column());
  }

  value name() {
    const std::size_t here = column();
    const std::string word(
        take_while([](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }));
    if (word == "x") {
      return builder_.argument(here);
    }
    if (word == "linear") {
      return inner();
    }
    const auto* function = std::find_if(named_functions.begin(), named_functions.end(),
                                        [&word](const auto& f) { return f.name == word; });
    if (function != named_functions.end()) {
      return function->what == operation::max || function->what == operation::min
                 ? extremum(*function, here)
                 : builder_.call(*function, inner(), here);
    }
    const bool hermite =
        word.starts_with("he") && std::all_of(word.begin() + 2, word.end(), is_digit);
    if (hermite && word.size() > 2) {
      return hermite_of_degree(word.size() > 5 ? 999.0 : std::stod(word.substr(2)), here);
    }
    if (hermite && position_ < text_.size() && text_[position_] == '{') {
      return hermite_of_degree(brace(1.0), here);
    }
    throw parse_error(
        "unknown activation '" + word + "'; the nearest are " + nearest_names(word, known_names()),
        here);
  }

  value extremum(const named_function& f, std::size_t here) {
    const std::string example(f.name);
    const auto refuse = [&]() -> parse_error {
      return {example + " takes two expressions, as in " + example + "(x, 0.1*x)", here};
    };
    if (!take('(')) {
      throw refuse();
    }
    const std::size_t open = column() - 1;
    const value a = sum();
    if (!take(',')) {
      if (position_ < text_.size() && text_[position_] == ')') {
        throw refuse();
      }
      unclosed(open);
    }
    const value b = sum();
    if (!take(')')) {
      unclosed(open);
    }
    return builder_.extremum(f.what, a, b, here);
  }

  value hermite_of_degree(double degree, std::size_t here) {
    if (degree < 0.0 || degree != std::floor(degree)) {
      throw parse_error(
          "the degree of he{…} must be an integer from 0 to " + std::to_string(max_degree), here);
    }
    if (degree > static_cast<double>(max_degree)) {
      throw parse_error("a degree above " + std::to_string(max_degree), here);
    }
    return builder_.hermite(static_cast<unsigned>(degree), inner(), here);
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

  builder builder_;
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
  return reader(text, &values).read_activation(std::string(trimmed(text)));
}

detail::formula detail::parse_formula(std::string_view text) {
  static const brace_parameters none;
  return reader(text, &none).read_formula();
}

std::vector<std::string_view> split_activations(std::string_view list) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    depth += list[i] == '(' ? 1 : list[i] == ')' ? -1 : 0;
    if (list[i] == ',' && depth <= 0) {
      parts.push_back(list.substr(start, i - start));
      start = i + 1;
    }
  }
  parts.push_back(list.substr(start));
  return parts;
}

std::string activation_grammar() {
  std::string names = "x, numbers, + - * / ^, brackets, {word} and\nlinear";
  for (const named_function& f : named_functions) {
    names += f.what == operation::step ? '\n' : ' ';
    names += f.name;
  }
  return names + " he0 ... he" + std::to_string(max_degree) +
         ":\nalone, as in erf, or called, as in erf(2*x) and max(x, 0.1*x)";
}

std::vector<std::string> brace_parameters_of(std::string_view text) {
  reader names(text, nullptr);
  names.read();
  return names.parameters();
}

}  // namespace loradyn
