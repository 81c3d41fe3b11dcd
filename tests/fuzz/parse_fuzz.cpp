// Reads random activations, those of the grammar and those that bytes have been changed in, and
// evaluates what is read: whatever the text, it is read or refused with a column, all derivatives
// come without a crash, and kinks and features keep their order and bounds.
//
//     parse_fuzz [COUNT [SEED]]

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace loradyn;

class writer {
 public:
  explicit writer(std::uint64_t seed) : random_(seed) {}

  std::string expression(int depth) {
    switch (below(depth <= 0 ? 3 : 12)) {
      case 0:
        return name();
      case 1:
        return "x";
      case 2:
        return number();
      case 3:
        return expression(depth - 1) + "+" + expression(depth - 1);
      case 4:
        return expression(depth - 1) + "-" + number() + "*" + expression(depth - 1);
      case 5:
        return "(" + expression(depth - 1) + ")*(" + expression(depth - 1) + ")";
      case 6:
        return "(" + expression(depth - 1) + ")/(" + expression(depth - 1) + ")";
      case 7:
        return "(" + expression(depth - 1) + ")^" +
               std::to_string(below(10) == 0 ? below(45) : below(5));
      case 8:
        return std::string(below(2) == 0 ? "max" : "min") + "(" + expression(depth - 1) + "," +
               expression(depth - 1) + ")";
      case 9:
        return name() + "(" + number() + "*x" + (below(2) == 0 ? "-" + number() : "") + ")";
      case 10:
        return "-" + expression(depth - 1);
      default:
        return name() + "(" + expression(depth - 1) + ")";
    }
  }

  std::string mutated(std::string text) {
    static const std::string bytes = "()+-*/^.,{}eExhe0123456789 \t\n\0\xc3\xff\"'";
    for (std::size_t changes = 1 + below(4); changes > 0 && !text.empty(); --changes) {
      const std::size_t at = below(text.size());
      const char byte = below(3) == 0 ? static_cast<char>(below(256)) : bytes[below(bytes.size())];
      switch (below(4)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        case 2:
          text.erase(at, 1 + below(3));
          break;
        default:
          text.insert(at, text.substr(below(text.size()), below(12)));
          break;
      }
    }
    return text;
  }

  std::size_t below(std::size_t n) { return random_() % n; }
  double normal() { return normal_(random_); }

 private:
  std::string name() {
    static const std::vector<std::string> names{
        "linear", "relu", "erf",  "sigmoid", "tanh", "softplus", "gelu",  "silu", "sin",
        "cos",    "step", "exp",  "log",     "sqrt", "abs",      "he0",   "he1",  "he2",
        "he3",    "he7",  "he40", "relu",    "step", "abs",      "he{k}", "{a}"};
    return names[below(names.size())];
  }

  std::string number() {
    static const std::vector<std::string> numbers{"0",   "1",     "2",    "0.5",   "3",   ".3",
                                                  "10",  "1e-3",  "0.1",  "100",   "1e6", "1e-300",
                                                  "7e9", "1e300", "0.25", "1.702", "{a}"};
    return numbers[below(numbers.size())];
  }

  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

// What is wrong with an activation, or nothing.
std::string fault_of(const activation& f, writer& w) {
  const auto increasing = [](const auto& values) {
    return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
  };
  std::vector<double> locations;
  for (const kink& k : f.kinks()) {
    locations.push_back(k.location);
    for (const double jump : k.jumps) {
      if (!std::isfinite(jump)) return "a jump is not finite";
    }
  }
  if (!increasing(locations) || locations.size() > 400) return "kinks out of order or bounds";
  if (!increasing(f.features()) || f.features().size() > 400) {
    return "features out of order or bounds";
  }
  std::vector<double> points = locations;
  for (int i = 0; i < 6; ++i) points.push_back(w.normal() * (i < 3 ? 1.0 : 5.0));
  for (const double x : points) {
    const derivatives d = f.all(x);
    for (const double v : d) {
      if (!std::isfinite(v) && std::abs(x) < 40.0) {
        return "not finite at " + std::to_string(x);
      }
    }
    if (std::abs(f(x) - d[0]) > 1e-12 * std::abs(d[0])) return "two values at one point";
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const brace_parameters values{{"a", 0.3}, {"k", 3.0}};
  std::uint64_t read = 0;
  std::uint64_t faults = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    writer w(seed * 1'000'003 + i);
    std::string text = w.expression(1 + static_cast<int>(w.below(4)));
    if (w.below(3) == 0) text = w.mutated(text);
    std::string fault;
    try {
      (void)brace_parameters_of(text);
      const activation f = parse_activation(text, values);
      ++read;
      fault = fault_of(f, w);
    } catch (const parse_error& e) {
      if (e.column() < 1 || e.column() > text.size() + 1) fault = e.what();
    } catch (const std::exception& e) {
      fault = e.what();
    }
    if (!fault.empty()) {
      ++faults;
      std::cout << "seed " << seed << " number " << i << ": " << fault << "\n    " << text << '\n';
    }
  }
  std::cout << count << " texts, " << read << " read, " << faults << " faults\n";
  return faults == 0 ? 0 : 1;
}
