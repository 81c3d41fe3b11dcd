#include "activation/formula_analysis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <optional>
#include <sstream>
#include <string>

namespace loradyn::detail {
namespace {

// The nearest to 0 of the most telling. Heuristic: "averages over sectors are those over the plane"
// passes with 50, not with 10.
constexpr std::size_t most_features = 400;
constexpr std::size_t most_kinks = 400;  // more are refused, as averages sum over pairs of pieces
// To here oscillations are followed.
constexpr double oscillation_range = 100.0;
constexpr double mesh_end = 1e8;
// An angle above this has no digits left.
constexpr double largest_angle = 1e15;
// Operations evaluated for one formula; a bound on the time that a text may take to be read.
constexpr std::size_t work_limit = 3'000'000;

// A function's value and derivatives, clipped to what a double holds; signs are kept.
struct sample {
  double value;
  double slope;
  double curvature;
};

sample sample_of(const jet<2>& f) {
  const auto clipped = [&f](double c) {
    if (f.exponent == 0.0 || c == 0.0) {
      return c;
    }
    constexpr double most = 1e300;  // its inverse, and twice it, are doubles
    const double v = scaled(c, f.exponent);
    return std::copysign(std::clamp(std::abs(v), 1.0 / most, most), c);
  };
  return {clipped(f.c[0]), clipped(f.c[1]), 2.0 * clipped(f.c[2])};
}

int sign_of(double v) { return v > 0.0 ? 1 : v < 0.0 ? -1 : 0; }

std::string text_of(double x) {
  std::ostringstream out;
  out.precision(6);
  out << x;
  return out.str();
}

std::string name_of(operation what) {
  switch (what) {
    case operation::add:
    case operation::shift:
      return "'+'";
    case operation::subtract:
      return "'-'";
    case operation::multiply:
    case operation::scale:
      return "'*'";
    case operation::divide:
      return "'/'";
    case operation::power:
      return "'^'";
    case operation::exp:
      return "'exp'";
    case operation::log:
      return "'log'";
    case operation::sqrt:
      return "'sqrt'";
    case operation::sin:
      return "'sin'";
    case operation::cos:
      return "'cos'";
    default:
      return "this";
  }
}

bool needs_positive(operation what) { return what == operation::log || what == operation::sqrt; }
bool oscillates(operation what) { return what == operation::sin || what == operation::cos; }

// Whether it varies on a scale of its own where what is inside passes zero or turns.
bool is_curved(const formula_node& node) {
  switch (node.what) {
    case operation::divide:
    case operation::exp:
    case operation::log:
    case operation::sqrt:
    case operation::erf:
    case operation::tanh:
    case operation::sigmoid:
    case operation::softplus:
    case operation::gelu:
    case operation::silu:
    case operation::sin:
    case operation::cos:
      return true;
    default:
      return false;
  }
}

// What is known of a function: that it is offset + odd, that it is even + slope x, both or nothing.
// softplus, gelu and silu are even + x/2.
struct halves {
  std::optional<double> offset;
  std::optional<double> slope;

  [[nodiscard]] bool odd() const { return offset == 0.0; }
  [[nodiscard]] bool even() const { return slope == 0.0; }
};

constexpr halves unknown_halves{};
constexpr halves even_halves{.offset = std::nullopt, .slope = 0.0};
constexpr halves odd_halves{.offset = 0.0, .slope = std::nullopt};

halves sum_of(const halves& f, const halves& g, double sign) {
  const auto sum = [sign](const std::optional<double>& a, const std::optional<double>& b) {
    return a && b ? std::optional(*a + sign * *b) : std::nullopt;
  };
  return {sum(f.offset, g.offset), sum(f.slope, g.slope)};
}

halves product_of(const halves& f, const halves& g) {
  const bool known = (f.even() || f.odd()) && (g.even() || g.odd());
  return !known ? unknown_halves : f.even() == g.even() ? even_halves : odd_halves;
}

// Of what is applied to an odd function.
halves of_odd(const formula_node& node, bool is_argument) {
  switch (node.what) {
    case operation::erf:
    case operation::tanh:
    case operation::sin:
      return odd_halves;
    case operation::sigmoid:
      return {.offset = 0.5, .slope = std::nullopt};
    case operation::cos:
    case operation::abs:
      return even_halves;
    case operation::power:
    case operation::hermite:
      return node.order % 2 == 0 ? even_halves : odd_halves;
    case operation::relu:
    case operation::softplus:
    case operation::gelu:
    case operation::silu:
      return is_argument ? halves{.offset = std::nullopt, .slope = 0.5} : unknown_halves;
    default:
      return unknown_halves;
  }
}

halves halves_of(const formula& f) {
  std::vector<halves> of(f.nodes.size());
  for (std::size_t i = 0; i < of.size(); ++i) {
    const formula_node& node = f.nodes[i];
    const halves& left = of[node.left];
    const halves& right = of[node.right];
    switch (node.what) {
      case operation::argument:
        of[i] = {.offset = 0.0, .slope = 1.0};
        break;
      case operation::constant:
        of[i] = {.offset = node.value, .slope = 0.0};
        break;
      case operation::shift:
        of[i] = sum_of(left, {.offset = node.value, .slope = 0.0}, 1.0);
        break;
      case operation::scale:
        of[i] = sum_of({.offset = 0.0, .slope = 0.0}, left, node.value);
        break;
      case operation::add:
        of[i] = sum_of(left, right, 1.0);
        break;
      case operation::subtract:
        of[i] = sum_of(left, right, -1.0);
        break;
      case operation::multiply:
      case operation::divide:
        of[i] = product_of(left, right);
        break;
      case operation::max:
      case operation::min:
        of[i] = left.even() && right.even() ? even_halves : unknown_halves;
        break;
      default:
        of[i] = left.even()  ? even_halves
                : left.odd() ? of_odd(node, f.nodes[node.left].what == operation::argument)
                             : unknown_halves;
    }
  }
  return of.back();
}

activation_symmetry symmetry_of(const formula& f) {
  const halves h = halves_of(f);
  if (h.even() || !h.offset) {
    return {.kind = h.even() ? parity::even : parity::none, .slope = h.slope};
  }
  return {.kind = parity::odd, .offset = *h.offset, .slope = h.slope};
}

class analyser {
 public:
  explicit analyser(formula& f) : f_(f) {
    for (std::size_t i = 0; i < f.nodes.size(); ++i) {
      const operation what = f.nodes[i].what;
      oscillating_ = oscillating_ || oscillates(what);
      if (is_switch(what) || is_curved(f.nodes[i])) {
        watched_.push_back(i);
      }
      if (is_switch(what) || needs_positive(what) || what == operation::divide) {
        piecewise_ = true;
      }
    }
  }

  formula_shape run() {
    mesh_ = base_mesh();
    if (!watched_.empty()) {
      for (int round = 0; round < 2; ++round) {
        measure();
        if (!add_features()) {
          break;
        }
      }
      if (piecewise_) {
        if (oscillating_) {
          follow_oscillations();
        }
        measure();
        find_pieces();
      }
    }
    check_growth();
    check_values();
    return {kinks(), kept_features(), symmetry_of(f_)};
  }

 private:
  using table = std::vector<sample>;  // by mesh point

  static std::vector<double> base_mesh() {
    std::vector<double> mesh{0.0};
    const auto both = [&mesh](double x) {
      mesh.push_back(x);
      mesh.push_back(-x);
    };
    for (int k = 4; k <= 24; k += 2) {
      both(std::ldexp(1.0, -k));
    }
    for (int k = 1; k <= 128; ++k) {
      both(k / 16.0);
    }
    for (double x = 8.125; x <= gaussian_range; x += 0.125) {
      both(x);
    }
    for (double x = gaussian_range * 1.1; x < mesh_end; x *= 1.1) {
      both(x);
    }
    tidy(mesh);
    return mesh;
  }

  static void tidy(std::vector<double>& points) {
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
  }

  void evaluate(double x, std::size_t count, bool in_argument = true) {
    work_ += count;
    f_.evaluate<2>(x, side::left, count, results_, in_argument);
  }

  // What the i-th operation looks at.
  [[nodiscard]] jet<2> inner_jet(std::size_t i) const {
    const formula_node& node = f_.nodes[i];
    if (node.what == operation::max || node.what == operation::min) {
      return add(results_[node.left], results_[node.right], -1.0);
    }
    return results_[node.what == operation::divide ? node.right : node.left];
  }

  sample inner_at(std::size_t i, double x) {
    const formula_node& node = f_.nodes[i];
    evaluate(x, std::max<std::size_t>(node.left, node.right) + 1U);
    return sample_of(inner_jet(i));
  }

  void measure() {
    tables_.assign(watched_.size(), table(mesh_.size()));
    for (std::size_t p = 0; p < mesh_.size(); ++p) {
      evaluate(mesh_[p], f_.nodes.size());
      for (std::size_t w = 0; w < watched_.size(); ++w) {
        tables_[w][p] = sample_of(inner_jet(watched_[w]));
      }
    }
  }

  // Where `low` turns false between a and b.
  template <class Predicate>
  static std::pair<double, double> bisect(double a, double b, double relative, Predicate low) {
    for (int step = 0; step < 100; ++step) {
      const double middle = 0.5 * (a + b);
      if (!(middle > a && middle < b) || b - a <= relative * std::max(std::abs(a), std::abs(b))) {
        break;
      }
      (low(middle) ? a : b) = middle;
    }
    return {a, b};
  }

  // Marks the centres of what varies, and its sides. Returns whether there is a new one.
  bool add_features() {
    constexpr double precise = 1e-6;
    const std::size_t before = features_.size();
    for (std::size_t w = 0; w < watched_.size() && work_ < work_limit / 2; ++w) {
      const std::size_t i = watched_[w];
      if (!is_curved(f_.nodes[i])) {
        continue;
      }
      const operation what = f_.nodes[i].what;
      const bool relative = what == operation::divide || needs_positive(what);
      for (std::size_t p = 0; p + 1 < mesh_.size() && work_ < work_limit / 2; ++p) {
        const double a = mesh_[p];
        const double b = mesh_[p + 1];
        const sample left = tables_[w][p];
        const sample right = tables_[w][p + 1];
        const int sign = sign_of(left.value);
        if (!relative && sign != sign_of(right.value) && sign_of(right.value) != 0) {
          const double t = sign == 0 ? a : bisect(a, b, precise, [&](double x) {
                                             return sign_of(inner_at(i, x).value) == sign;
                                           }).first;
          mark(t, 1.0 / std::abs(inner_at(i, t).slope));
        }
        const int direction = sign_of(left.slope);
        if (direction != sign_of(right.slope) && sign_of(right.slope) != 0) {
          const double t = direction == 0 ? a : bisect(a, b, precise, [&](double x) {
                                                  return sign_of(inner_at(i, x).slope) == direction;
                                                }).first;
          const sample turn = inner_at(i, t);
          constexpr double saturated = 40.0;  // beyond, what is inside may do as it likes
          const bool seen =
              what == operation::exp || oscillates(what) || std::abs(turn.value) < saturated;
          const double height = relative ? std::abs(turn.value) : 1.0;
          if (relative || seen) {
            mark(t, std::sqrt(2.0 * height / std::abs(turn.curvature)));
          }
        }
      }
    }
    if (features_.size() == before) {
      return false;
    }
    for (std::size_t k = before; k < features_.size(); ++k) {
      mesh_.push_back(features_[k].at);
    }
    tidy(mesh_);
    return true;
  }

  void mark(double centre, double width) {
    // What takes wider than the ±40 of a Gaussian to vary is resolved by panels of any width there.
    constexpr double widest = 64.0;
    constexpr std::size_t most_centres = 4 * most_features;
    if (!(width < widest) || !(width > 0.0) || features_.size() > most_centres) {
      return;
    }
    const auto push = [this, width](double at, int rank) {
      const bool known = std::any_of(features_.begin(), features_.end(), [&](const feature& old) {
        return std::abs(old.at - at) <= 0.05 * std::min(width, old.width);
      });
      if (!known) {
        features_.push_back({at, width, rank});
      }
    };
    push(centre, 0);
    for (int k = -1; k <= 4; ++k) {
      push(centre - std::ldexp(width, k), k + 2);
      push(centre + std::ldexp(width, k), k + 2);
    }
  }

  [[nodiscard]] std::vector<double> kept_features() const {
    std::vector<feature> ranked = features_;
    std::stable_sort(ranked.begin(), ranked.end(), [](const feature& a, const feature& b) {
      return a.rank != b.rank ? a.rank < b.rank : std::abs(a.at) < std::abs(b.at);
    });
    ranked.resize(std::min(ranked.size(), most_features));
    std::vector<double> points;
    for (const feature& k : ranked) {
      points.push_back(k.at == 0.0 ? 0.0 : k.at);
    }
    tidy(points);
    return points;
  }

  // Puts mesh points so close that no angle turns by more than a radian between them.
  void follow_oscillations() {
    // A sine has at most one zero and one extremum in an interval that turns by less than π/2: 0.8
    // is half of that. Heuristic: "no kink of what oscillates is passed over" fails with 8.
    constexpr double turn = 0.8;
    // Heuristic: "closed-form parts and kinks are found" passes with 1500 points, not with 500.
    constexpr double most_points = 6000.0;
    measure();
    std::vector<std::pair<double, double>> intervals;  // (|x|, pieces), by mesh interval
    for (std::size_t p = 0; p + 1 < mesh_.size(); ++p) {
      double pieces = 1.0;
      for (std::size_t w = 0; w < watched_.size(); ++w) {
        if (oscillates(f_.nodes[watched_[w]].what)) {
          pieces = std::max(
              pieces, std::ceil(std::abs(tables_[w][p + 1].value - tables_[w][p].value) / turn));
        }
      }
      intervals.emplace_back(std::min(std::abs(mesh_[p]), std::abs(mesh_[p + 1])), pieces);
    }
    std::vector<std::size_t> order(intervals.size());
    for (std::size_t p = 0; p < order.size(); ++p) {
      order[p] = p;
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return intervals[a].first < intervals[b].first;
    });
    reach_ = oscillation_range;
    double total = 0.0;
    std::vector<double> points;
    for (const std::size_t p : order) {
      const auto [distance, pieces] = intervals[p];
      if (distance >= oscillation_range) {
        break;
      }
      total += pieces;
      if (!(total <= most_points)) {
        reach_ = distance;
        break;
      }
      for (double k = 1.0; k < pieces; k += 1.0) {
        points.push_back(mesh_[p] + (mesh_[p + 1] - mesh_[p]) * (k / pieces));
      }
    }
    if (reach_ < gaussian_range) {
      for (const formula_node& node : f_.nodes) {
        if (oscillates(node.what)) {
          throw parse_error("this oscillates too fast for its pieces to be found", node.column);
        }
      }
    }
    mesh_.insert(mesh_.end(), points.begin(), points.end());
    tidy(mesh_);
  }

  void spend() const {
    if (work_ > work_limit) {
      throw parse_error("this has too many pieces", 1);
    }
  }

  void find_pieces() {
    std::vector<switch_pieces> found(f_.nodes.size());
    for (std::size_t w = 0; w < watched_.size(); ++w) {
      const std::size_t i = watched_[w];
      const operation what = f_.nodes[i].what;
      if (is_switch(what)) {
        found[i] = pieces_of(i, tables_[w]);
      } else if (needs_positive(what) || what == operation::divide) {
        check_domain(i, tables_[w]);
      }
    }
    join_neighbours(found);
    f_.pieces = std::move(found);
  }

  // Where |inner| has a minimum between two mesh points of the same sign.
  std::optional<double> minimum_between(std::size_t i, const table& t, std::size_t p) {
    const int sign = sign_of(t[p].value);
    if (sign == 0 || sign_of(t[p + 1].value) != sign || sign_of(t[p].slope) != -sign ||
        sign_of(t[p + 1].slope) != sign) {
      return std::nullopt;
    }
    return bisect(mesh_[p], mesh_[p + 1], 0.0,
                  [&](double x) { return sign_of(inner_at(i, x).slope) == -sign; })
        .first;
  }

  switch_pieces pieces_of(std::size_t i, const table& t) {
    struct entry {
      double x;
      int sign;
    };
    std::vector<entry> entries;
    for (std::size_t p = 0; p < mesh_.size(); ++p) {
      spend();
      const int sign = sign_of(t[p].value);
      // A zero between two others is a crossing, or touched only.
      const bool alone = sign == 0 && p > 0 && p + 1 < mesh_.size() && t[p - 1].value != 0.0 &&
                         t[p + 1].value != 0.0;
      if (!alone) {
        entries.push_back({mesh_[p], sign});
      } else if (const int rise = sign_of(t[p].slope); rise != 0) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        entries.push_back({std::nextafter(mesh_[p], -infinity), -rise});
        entries.push_back({std::nextafter(mesh_[p], infinity), rise});
      }
      if (p + 1 < mesh_.size()) {
        if (const auto lowest = minimum_between(i, t, p)) {
          const int there = sign_of(inner_at(i, *lowest).value);
          if (there == -sign) {
            entries.push_back({*lowest, there});
          }
        }
      }
    }
    switch_pieces result;
    result.reach = reach_;
    result.signs.push_back(static_cast<std::int8_t>(entries.front().sign));
    for (std::size_t e = 0; e + 1 < entries.size(); ++e) {
      const int here = entries[e].sign;
      const int next = entries[e + 1].sign;
      if (here == next) {
        continue;
      }
      spend();
      const auto [a, b] = bisect(entries[e].x, entries[e + 1].x, 0.0,
                                 [&](double x) { return sign_of(inner_at(i, x).value) == here; });
      double at = b;
      if (here == 0) {
        at = a;
      } else if (next != 0) {
        const double low = std::abs(inner_at(i, a).value);
        at = std::abs(inner_at(i, b).value) <= low ? b : a;
      }
      if (std::abs(at) > reach_) {
        continue;
      }
      result.crossings.push_back(at);
      result.signs.push_back(static_cast<std::int8_t>(next));
      // Where nothing begins or ends the kink, if there is one, belongs to what is inside.
      if ((here != 0 && next != 0) || f_.nodes[i].what == operation::step) {
        locations_.push_back(at);
        if (locations_.size() > most_kinks) {
          throw parse_error("this has more than " + std::to_string(most_kinks) + " kinks",
                            f_.nodes[i].column);
        }
      }
    }
    // What lies beyond the reach has no part in the sign at its left end.
    const auto first = std::find_if(entries.begin(), entries.end(),
                                    [&](const entry& e) { return e.x >= -reach_; });
    result.signs.front() = static_cast<std::int8_t>(first->sign);
    return result;
  }

  void check_domain(std::size_t i, const table& t) {
    // A minimum this small beside what is about it is a zero that rounding has filled.
    constexpr double rounding = 1e-14;
    const formula_node& node = f_.nodes[i];
    std::optional<double> nearest;  // to 0, of the places where it fails
    const auto fails = [&nearest](double x) {
      if (!nearest || std::abs(x) < std::abs(*nearest)) {
        nearest = x;
      }
    };
    const auto refuse = [&node](double x) {
      const std::string where = " at x = " + text_of(std::abs(x) < 1e-12 ? 0.0 : x);
      if (node.what == operation::divide) {
        throw parse_error("'/' divides by zero" + where, node.column);
      }
      throw parse_error(
          name_of(node.what) + " needs what is above zero everywhere, and it is not" + where,
          node.column);
    };
    const bool positive = needs_positive(node.what);
    for (std::size_t p = 0; p < mesh_.size(); ++p) {
      spend();
      const int sign = sign_of(t[p].value);
      if (sign == 0 || (positive && sign < 0)) {
        fails(mesh_[p]);
      }
      if (p + 1 == mesh_.size()) {
        break;
      }
      const int next = sign_of(t[p + 1].value);
      if (next != 0 && next != sign) {
        fails(bisect(mesh_[p], mesh_[p + 1], 1e-9, [&](double x) {
                return sign_of(inner_at(i, x).value) == sign;
              }).first);
      }
      if (const auto lowest = minimum_between(i, t, p)) {
        const double least = inner_at(i, *lowest).value;
        const double about = std::max(std::abs(t[p].value), std::abs(t[p + 1].value));
        if (sign_of(least) != sign || std::abs(least) < rounding * about) {
          fails(*lowest);
        }
      }
    }
    if (nearest) {
      refuse(*nearest);
    }
  }

  // Crossings that differ by rounding become one.
  void join_neighbours(std::vector<switch_pieces>& found) {
    constexpr double rounding = 1e-13;
    tidy(locations_);
    std::vector<double> joined;
    for (const double t : locations_) {
      if (joined.empty() || t - joined.back() > rounding * std::max(1.0, std::abs(t))) {
        joined.push_back(t);
      }
    }
    for (switch_pieces& pieces : found) {
      for (double& t : pieces.crossings) {
        const auto above = std::upper_bound(joined.begin(), joined.end(), t);
        if (above != joined.begin() &&
            t - *std::prev(above) <= rounding * std::max(1.0, std::abs(t))) {
          t = *std::prev(above);
        }
      }
    }
    locations_ = std::move(joined);
  }

  [[nodiscard]] std::vector<kink> kinks() const {
    // What two pieces differ by through rounding is no jump.
    constexpr double rounding = 1e-13;
    constexpr double nearest = 1e-100;  // to 0: derivatives on such a scale overflow
    std::vector<kink> result;
    for (const double t : locations_) {
      if (t != 0.0 && std::abs(t) < nearest) {
        throw parse_error("this has a kink nearer to 0 than 1e-100", 1);
      }
      std::array<double, 5> left{};
      std::array<double, 5> right{};
      f_.evaluate<4>(t, left, side::left);
      f_.evaluate<4>(t, right, side::right);
      double size = 0.0;
      for (std::size_t k = 0; k < 4; ++k) {
        size = std::max({size, std::abs(left[k]), std::abs(right[k])});
      }
      kink found{.location = t == 0.0 ? 0.0 : t, .jumps = {}};
      for (std::size_t k = 0; k < 4; ++k) {
        const double jump = right[k] - left[k];
        found.jumps[k] = std::abs(jump) <= rounding * size ? 0.0 : jump;
      }
      // A kink where the pieces overflow is beyond any average.
      if (std::isfinite(size) && std::all_of(found.jumps.begin(), found.jumps.end(),
                                             [](double v) { return std::isfinite(v); })) {
        result.push_back(found);
      }
    }
    return result;
  }

  void check_values() {
    std::array<double, 5> values{};
    for (const double x : mesh_) {
      if (std::abs(x) > 1e4) {
        continue;
      }
      work_ += f_.nodes.size();
      f_.evaluate<4>(x, values);
      const bool near = std::abs(x) <= gaussian_range;
      double size = 0.0;
      for (const double v : values) {
        size = std::isnan(v) || std::isnan(size) ? std::numeric_limits<double>::quiet_NaN()
                                                 : std::max(size, std::abs(v));
      }
      if (std::isnan(size) || (near && size > largest_derivative)) {
        refuse_value(x, std::isnan(size));
      }
      if (near) {
        check_slopes(x);
      }
      if (near && oscillating_) {
        check_angles(x);
      }
    }
    for (const double t : locations_) {
      if (std::abs(t) <= gaussian_range) {
        check_slopes(t);
      }
    }
  }

  // A part that is finite where its derivatives overflow would count as infinite beside others, one
  // that is no number would not count at all.
  void check_slopes(double x) {
    const std::size_t count = f_.nodes.size();
    work_ += count;
    f_.evaluate<4>(x, side::left, count, series_);
    const auto infinite = [](const jet<4>& f) { return f.infinite() || std::isnan(f.c[0]); };
    if (std::none_of(series_.begin(), series_.begin() + static_cast<std::ptrdiff_t>(count),
                     infinite)) {
      return;
    }
    evaluate(x, count, false);
    for (std::size_t i = 0; i < count; ++i) {
      if (std::isnan(series_[i].c[0])) {
        throw without_value(i, x);
      }
      if (series_[i].infinite() && !unscaled(results_[i]).infinite()) {
        throw too_steep(i, x);
      }
    }
  }

  [[nodiscard]] parse_error without_value(std::size_t i, double x) const {
    return {name_of(f_.nodes[i].what) + " has no value that can be computed at x = " + text_of(x),
            f_.nodes[i].column};
  }

  [[nodiscard]] parse_error too_steep(std::size_t i, double x) const {
    return {name_of(f_.nodes[i].what) + " is too large or too steep at x = " + text_of(x),
            f_.nodes[i].column};
  }

  void check_angles(double x) {
    for (std::size_t i = 0; i < f_.nodes.size(); ++i) {
      if (oscillates(f_.nodes[i].what) && !(std::abs(inner_at(i, x).value) <= largest_angle)) {
        throw parse_error(name_of(f_.nodes[i].what) + " oscillates faster than can be computed",
                          f_.nodes[i].column);
      }
    }
  }

  [[noreturn]] void refuse_value(double x, bool undefined) {
    f_.evaluate<4>(x, side::left, f_.nodes.size(), series_);
    for (std::size_t i = 0; i < f_.nodes.size(); ++i) {
      const jet<4> r = unscaled(series_[i]);
      const bool bad = std::any_of(r.c.begin(), r.c.end(), [&](double v) {
        return undefined ? std::isnan(v) : !(std::abs(v) <= largest_derivative / 24.0);
      });
      if (bad && f_.nodes[i].what == operation::constant) {
        throw parse_error("this is no finite number", f_.nodes[i].column);
      }
      if (bad || i + 1 == f_.nodes.size()) {
        if (!undefined) {
          throw too_steep(i, x);
        }
        throw without_value(i, x);
      }
    }
    throw parse_error("this is not finite", 1);
  }

  // log of the largest of a function's value and derivatives.
  static double log_size(const jet<2>& f) {
    double size = 0.0;
    for (const double v : f.c) {
      size = std::max(size, std::abs(v));
    }
    return std::log(size) + f.exponent * std::log(2.0);
  }

  void check_growth() {
    // A term of the next lower degree is 1e-12 of the highest at the first, and the sizes at both
    // tell the degree by three decades.
    constexpr double far = 1e12;
    constexpr double farther = 1e15;
    constexpr double gaussian_power = 1.75;    // of log |f| in |x|: 1 is exponential, 2 a Gaussian
    constexpr double exponential_power = 0.5;  // of log |f|: half-way from a power, 0, to e^x, 1
    const double ratio = std::log(farther / far);
    for (const double direction : {1.0, -1.0}) {
      evaluate(direction * far, f_.nodes.size());
      std::vector<double> first;
      for (std::size_t i = 0; i < f_.nodes.size(); ++i) {
        first.push_back(log_size(results_[i]));
      }
      evaluate(direction * farther, f_.nodes.size());
      enum class growth { tame, polynomial, gaussian };
      const auto growth_of = [&](std::size_t i) {
        const double second = log_size(results_[i]);
        if (!(second > std::log(farther)) || std::isnan(first[i])) {
          return growth::tame;
        }
        const double power = std::log(second / first[i]) / ratio;
        if (std::isinf(second) || power > gaussian_power) {
          return growth::gaussian;
        }
        const bool high = power < exponential_power &&
                          (second - first[i]) / ratio > static_cast<double>(max_degree) + 0.5;
        return high ? growth::polynomial : growth::tame;
      };
      const growth all = growth_of(f_.nodes.size() - 1);
      for (std::size_t i = 0; all != growth::tame && i < f_.nodes.size(); ++i) {
        if (growth_of(i) == all) {
          throw parse_error(name_of(f_.nodes[i].what) + " grows faster than " +
                                (all == growth::gaussian ? "a Gaussian average allows"
                                                         : "x^" + std::to_string(max_degree)),
                            f_.nodes[i].column);
        }
      }
    }
  }

  struct feature {
    double at;
    double width;
    int rank;
  };

  formula& f_;
  formula::jets<2> results_{};
  formula::jets<4> series_{};
  std::size_t work_ = 0;
  std::vector<std::size_t> watched_;
  bool oscillating_ = false;
  bool piecewise_ = false;
  double reach_ = mesh_end;
  std::vector<double> mesh_;
  std::vector<table> tables_;
  std::vector<feature> features_;
  std::vector<double> locations_;
};

}  // namespace

formula_shape analyse(formula& f) { return analyser(f).run(); }

}  // namespace loradyn::detail
