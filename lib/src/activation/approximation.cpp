#include <loradyn/activation/approximation.hpp>

#include <Eigen/QR>
#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <memory>
#include <sstream>
#include <utility>
#include "nan.hpp"

namespace loradyn {
namespace {

constexpr std::size_t nodes = 16;  // of a panel; the degree is one less
constexpr std::size_t orders = 5;  // f and its first four derivatives

constexpr int last_octave = 40;           // a |w|² of 1e24 ends there, far beyond any rest
constexpr double least_reach = 64.0;      // what averages at |w|² up to some units look at
constexpr std::size_t most_panels = 250;  // of an octave
constexpr double leaf = 0x1p-44;          // the narrowest panel, beside max(1, |x|)
constexpr std::size_t most_kinks = 64;    // more are refused: noise has a kink in every panel
constexpr double narrow = 0x1p-9;         // a panel that may stand beside a kink

using coefficients = std::array<double, nodes>;

// A polynomial in t = (x - centre) / half, which is within [-1, 1] where it was fitted.
struct fitted {
  double centre = 0.0;
  double half = 1.0;
  std::array<coefficients, orders> c{};  // σ⁽ᵏ⁾(x)

  [[nodiscard]] double at(std::size_t order, double x) const {
    const double t = (x - centre) / half;
    double value = 0.0;
    for (std::size_t k = nodes; k-- > 0;) {
      value = value * t + c[order][k];
    }
    return value;
  }
};

struct panel {
  double lo = 0.0;
  double hi = 0.0;
  fitted p;
  bool resolved = false;
};

// ---- Chebyshev interpolation ----

const coefficients& chebyshev_nodes() {
  static const coefficients x = [] {
    coefficients all{};
    for (std::size_t j = 0; j < nodes; ++j) {
      all[j] = -std::cos(boost::math::constants::pi<double>() * (static_cast<double>(j) + 0.5) /
                         static_cast<double>(nodes));
    }
    return all;
  }();
  return x;
}

// The coefficients of the T_k of the polynomial through values at the nodes.
coefficients chebyshev_series(std::span<const double> values) {
  static const std::array<coefficients, nodes> table = [] {
    std::array<coefficients, nodes> t{};
    for (std::size_t k = 0; k < nodes; ++k) {
      for (std::size_t j = 0; j < nodes; ++j) {
        // T_k(x_j) = cos(k(π - θ_j)); the argument is reduced in integers.
        const std::size_t turn = k * (2 * (nodes - 1 - j) + 1) % (4 * nodes);
        const double weight = (k == 0 ? 1.0 : 2.0) / static_cast<double>(nodes);
        t[k][j] = weight * std::cos(boost::math::constants::pi<double>() *
                                    static_cast<double>(turn) / static_cast<double>(2 * nodes));
      }
    }
    return t;
  }();
  coefficients series{};
  for (std::size_t k = 0; k < nodes; ++k) {
    for (std::size_t j = 0; j < nodes; ++j) {
      series[k] += table[k][j] * values[j];
    }
  }
  return series;
}

// The same polynomial in powers of t. Where the series has died out the powers have too.
coefficients powers_of(const coefficients& series) {
  coefficients before{};  // T_{k-1}
  coefficients now{};     // T_k
  now[0] = 1.0;
  coefficients sum{};
  for (std::size_t k = 0; k < nodes; ++k) {
    for (std::size_t i = 0; i <= k; ++i) {
      sum[i] += series[k] * now[i];
    }
    coefficients next{};
    for (std::size_t i = 0; i + 1 < nodes; ++i) {
      next[i + 1] = (k == 0 ? 1.0 : 2.0) * now[i];
    }
    for (std::size_t i = 0; i < nodes; ++i) {
      next[i] -= k == 0 ? 0.0 : before[i];
    }
    before = now;
    now = next;
  }
  return sum;
}

coefficients derivative_of(const coefficients& c, double half) {
  coefficients d{};
  for (std::size_t i = 1; i < nodes; ++i) {
    d[i - 1] = static_cast<double>(i) * c[i] / half;
  }
  return d;
}

// Without the last coefficients that are rounding of the values alone: what they would add to
// derivatives grows with their order.
coefficients without_rounding(coefficients series) {
  double size = 0.0;
  for (const double a : series) {
    size += std::abs(a);
  }
  for (std::size_t k = nodes;
       k-- > 1 && std::abs(series[k]) <= std::numeric_limits<double>::epsilon() * size;) {
    series[k] = 0.0;
  }
  return series;
}

double tail_of(const coefficients& series) {
  return std::max(
      {std::abs(series[nodes - 1]), std::abs(series[nodes - 2]), std::abs(series[nodes - 3])});
}

// ---- panels ----

struct piece {
  double lo = 0.0;
  double hi = 0.0;
  int octave = 0;
  double fit_lo = 0.0;  // the polynomial goes through nodes of a wider interval: its derivatives
  double fit_hi = 0.0;  // lose digits towards the ends of that
};

// |x| from 2^(k-1) to 2^k is octave k, from 0 to 1 octave 0, on either side.
double octave_begin(int k) { return k == 0 ? 0.0 : std::ldexp(1.0, k - 1); }
double octave_end(int k) { return std::ldexp(1.0, k); }
std::size_t slot_of(double middle, int octave) {
  return 2 * static_cast<std::size_t>(octave) + (middle > 0.0 ? 1 : 0);
}

class approximator {
 public:
  approximator(const sampled_function& f, double tolerance) : f_(f), tolerance_(tolerance) {
    for (const sampler* s : {&f.value, &f.first, &f.second}) {
      if (*s) {
        samplers_.push_back(s);
      } else {
        break;
      }
    }
    measure();
  }

  // Divides the line at the octaves and the kinks, and further.
  void divide(const std::vector<double>& kinks) {
    kinks_ = kinks;
    panels_.clear();
    dead_.assign(sizes_[0].size(), nan);
    std::vector<std::size_t> counts(dead_.size(), 0);
    std::vector<piece> pieces;
    for (int k = 0; k <= last_octave; ++k) {
      for (const double side : {-1.0, 1.0}) {
        std::vector<double> ends{side * octave_begin(k), side * octave_end(k)};
        std::sort(ends.begin(), ends.end());
        for (const double t : kinks) {
          if (t > ends.front() && t < ends.back()) {
            ends.insert(std::upper_bound(ends.begin(), ends.end(), t), t);
          }
        }
        for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
          pieces.push_back(widened({ends[i], ends[i + 1], k, 0.0, 0.0}));
        }
      }
    }
    while (!pieces.empty()) {
      const std::vector<panel> fits = fit(pieces);
      std::vector<piece> next;
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        const piece& p = pieces[i];
        const double middle = p.lo + 0.5 * (p.hi - p.lo);
        const std::size_t slot = slot_of(middle, p.octave);
        if (!std::isnan(dead_[slot])) {
          continue;
        }
        if (!std::isfinite(fits[i].p.c[0][0])) {
          dead_[slot] = middle;
        } else if (fits[i].resolved || p.hi - p.lo <= leaf * std::max(1.0, std::abs(middle))) {
          panels_.push_back(fits[i]);
          if (++counts[slot] > most_panels) {
            dead_[slot] = middle;
          }
        } else {
          next.push_back(widened({p.lo, middle, p.octave, 0.0, 0.0}));
          next.push_back(widened({middle, p.hi, p.octave, 0.0, 0.0}));
        }
      }
      std::vector<std::size_t> waiting(counts);
      for (const piece& p : next) {
        const std::size_t slot = slot_of(p.lo + 0.5 * (p.hi - p.lo), p.octave);
        if (++waiting[slot] > most_panels && std::isnan(dead_[slot])) {
          dead_[slot] = p.lo;
        }
      }
      pieces = std::move(next);
    }
    reach_ = octave_end(last_octave);
    for (int k = 0; k <= last_octave; ++k) {
      for (const double side : {-1.0, 1.0}) {
        if (const double at = dead_[slot_of(side, k)];
            !std::isnan(at) && octave_begin(k) < reach_) {
          reach_ = octave_begin(k);
          ended_at_ = at;
        }
      }
    }
    std::erase_if(panels_, [this](const panel& p) { return p.hi > reach_ || p.lo < -reach_; });
    std::sort(panels_.begin(), panels_.end(),
              [](const panel& a, const panel& b) { return a.lo < b.lo; });
  }

  // The kinks on which the panels close in.
  [[nodiscard]] std::vector<double> find_kinks() {
    struct candidate {
      double lo;
      double hi;
    };
    std::vector<candidate> candidates;
    const auto width = [this](std::size_t i) { return panels_[i].hi - panels_[i].lo; };
    for (std::size_t i = 0; i < panels_.size();) {
      std::size_t end = i + 1;
      while (end < panels_.size() && width(end) < 1.5 * width(i) && width(end) > 0.6 * width(i)) {
        ++end;
      }
      const bool lowest = (i == 0 || width(i - 1) > width(i)) &&
                          (end == panels_.size() || width(end) > width(end - 1));
      const double lo = panels_[i].lo;
      const double hi = panels_[end - 1].hi;
      if (lowest && width(i) <= narrow * std::max(1.0, std::abs(lo)) && end - i <= most_beside) {
        candidates.push_back({lo, hi});
      }
      i = end;
    }
    // Heuristic: "kinks are found where they are" passes from 16 to 128, not with 8, where the
    // sides' rounding is too much of them.
    constexpr double wider = 32.0;
    std::vector<piece> sides;
    for (const candidate& c : candidates) {
      const double reach = wider * (c.hi - c.lo);
      const int octave = octave_of(0.5 * (c.lo + c.hi));
      sides.push_back({c.lo - reach, c.lo, octave, c.lo - reach, c.lo});
      sides.push_back({c.hi, c.hi + reach, octave, c.hi, c.hi + reach});
    }
    const std::vector<panel> fits = fit(sides);
    std::vector<double> kinks;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const panel& left = fits[2 * i];
      const panel& right = fits[2 * i + 1];
      if (left.resolved && right.resolved) {
        const place t = meeting(left, right, candidates[i].lo, candidates[i].hi);
        if (!std::isnan(t.x)) {
          kinks.push_back(rounded(t));
        }
      }
    }
    std::sort(kinks.begin(), kinks.end());
    kinks.erase(std::unique(kinks.begin(), kinks.end()), kinks.end());
    return kinks;
  }

  // Throws where it does not stand for the function.
  void require_resolved() const {
    if (reach_ < least_reach) {
      throw convergence_error(fault(ended_at_));
    }
    for (const panel& p : panels_) {
      if (!p.resolved && std::abs(p.lo) < least_reach) {
        throw convergence_error(fault(p.lo));
      }
    }
  }

  // Where panels are narrow by themselves, no place to say more about. Beyond the least reach a
  // kink that can't be found ends the reach.
  void end_at_unresolved() {
    for (const panel& p : panels_) {
      if (!p.resolved) {
        while (reach_ > least_reach && reach_ > std::min(std::abs(p.lo), std::abs(p.hi))) {
          reach_ *= 0.5;
        }
      }
    }
    std::erase_if(panels_, [this](const panel& p) { return p.hi > reach_ || p.lo < -reach_; });
  }

  // The largest difference between the nodes.
  [[nodiscard]] double error() const {
    constexpr std::array<double, 3> places{0.04, 0.55, 0.93};
    std::vector<double> x;
    for (const panel& p : panels_) {
      for (const double t : places) {
        x.push_back(p.lo + t * (p.hi - p.lo));
      }
    }
    std::vector<double> values(x.size());
    f_.value(x, values);
    double worst = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const fitted& p = panels_[i / places.size()].p;
      const double difference =
          std::abs(p.at(0, x[i]) - values[i]) - input_rounding(x[i], p.at(1, x[i]));
      worst = std::max(worst, difference / size_at(0, x[i]));
    }
    return worst;
  }

  // How far neighbouring panels differ about 0, where averages have their weight.
  [[nodiscard]] std::array<double, orders> seams() const {
    constexpr double centre = 4.0;
    std::array<double, orders> largest{};
    for (std::size_t i = 0; i + 1 < panels_.size(); ++i) {
      const double x = panels_[i].hi;
      if (std::abs(x) > centre || std::find(kinks_.begin(), kinks_.end(), x) != kinks_.end()) {
        continue;
      }
      for (std::size_t k = 0; k < orders; ++k) {
        largest[k] =
            std::max(largest[k], std::abs(panels_[i].p.at(k, x) - panels_[i + 1].p.at(k, x)));
      }
    }
    return largest;
  }

  [[nodiscard]] const std::vector<panel>& panels() const { return panels_; }
  [[nodiscard]] double reach() const { return reach_; }

 private:
  // A kink's two sides, and what its rounding spoils.
  static constexpr std::size_t most_beside = 8;

  // Where a kink is, and how far that is known.
  struct place {
    double x;
    double error;
  };

  static int octave_of(double x) {
    return std::abs(x) < 1.0 ? 0 : std::min(last_octave, std::ilogb(x) + 1);
  }

  // The size of each function: from -2 to 2, and on the way outwards.
  void measure() {
    std::vector<double> x;
    for (int k = 0; k <= last_octave; ++k) {
      for (const double side : {-1.0, 1.0}) {
        for (const double t : chebyshev_nodes()) {
          x.push_back(side * std::lerp(octave_begin(k), octave_end(k), 0.5 + 0.5 * t));
        }
      }
    }
    std::vector<double> values(x.size());
    for (const sampler* s : samplers_) {
      (*s)(x, values);
      std::vector<double> sizes(x.size() / nodes);
      for (std::size_t i = 0; i < x.size(); ++i) {
        double& size = sizes[i / nodes];
        size = std::isfinite(values[i]) ? std::max(size, std::abs(values[i])) : size;
      }
      const double centre =
          std::max({sizes[0], sizes[1], sizes[2], sizes[3], std::numeric_limits<double>::min()});
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        sizes[i] = std::max({sizes[i], centre, i >= 2 ? sizes[i - 2] : 0.0});
      }
      sizes_.push_back(std::move(sizes));
    }
  }

  // What the rounding of x does to a function of this slope.
  static double input_rounding(double x, double slope) {
    constexpr double ulps = 4.0;
    return ulps * std::numeric_limits<double>::epsilon() * std::abs(x * slope);
  }

  [[nodiscard]] double size_at(std::size_t k, double x) const {
    return sizes_[k][slot_of(x, octave_of(x))];
  }

  [[nodiscard]] piece widened(piece p) const {
    // A quarter on either side leaves the panel |t| <= 2/3 of the fit, where the k-th derivative of
    // T_15 is at most (15/√(1 - t²))ᵏ = 20ᵏ; at the ends of the fit it is of the order of 15²ᵏ.
    constexpr double part = 0.25;
    const double more = part * (p.hi - p.lo);
    p.fit_lo = p.lo - more;
    p.fit_hi = p.hi + more;
    for (const double t : kinks_) {
      if (t <= p.lo) {
        p.fit_lo = std::max(p.fit_lo, t);
      } else if (t >= p.hi) {
        p.fit_hi = std::min(p.fit_hi, t);
      }
    }
    return p;
  }

  // Every piece's polynomials, by one call of each sampler.
  [[nodiscard]] std::vector<panel> fit(const std::vector<piece>& pieces) const {
    std::vector<double> x;
    x.reserve(pieces.size() * nodes);
    for (const piece& p : pieces) {
      const double centre = p.fit_lo + 0.5 * (p.fit_hi - p.fit_lo);
      const double half = 0.5 * (p.fit_hi - p.fit_lo);
      for (const double t : chebyshev_nodes()) {
        x.push_back(centre + half * t);
      }
    }
    std::vector<panel> fits;
    for (const piece& p : pieces) {
      fits.push_back({p.lo,
                      p.hi,
                      {p.fit_lo + 0.5 * (p.fit_hi - p.fit_lo), 0.5 * (p.fit_hi - p.fit_lo), {}},
                      true});
    }
    std::vector<double> values(x.size());
    for (std::size_t k = 0; k < samplers_.size() && !x.empty(); ++k) {
      (*samplers_[k])(x, values);
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        const coefficients series =
            chebyshev_series(std::span<const double>(values).subspan(i * nodes, nodes));
        const piece& p = pieces[i];
        const double size = sizes_[k][slot_of(p.lo + 0.5 * (p.hi - p.lo), p.octave)];
        double spread = 0.0;
        for (std::size_t j = 1; j < nodes; ++j) {
          spread += std::abs(series[j]);
        }
        const double allowed =
            tolerance_ * size + input_rounding(fits[i].p.centre, spread / fits[i].p.half);
        fits[i].resolved = fits[i].resolved && tail_of(series) <= allowed;
        fits[i].p.c[k] = powers_of(without_rounding(series));
        if (!std::isfinite(fits[i].p.c[k][0])) {
          fits[i].p.c[0][0] = nan;
        }
      }
    }
    for (panel& p : fits) {
      for (std::size_t k = samplers_.size(); k < orders; ++k) {
        p.p.c[k] = derivative_of(p.p.c[k - 1], p.p.half);
      }
    }
    return fits;
  }

  // Where the pieces to the left and to the right of [lo, hi] meet: with d their difference, the
  // root of d⁽ᵏ⁻¹⁾ at which d⁽ᵏ⁾ is the first that does not vanish. NaN where they are the same.
  [[nodiscard]] place meeting(const panel& left, const panel& right, double lo, double hi) const {
    const auto difference = [&](std::size_t k, double x) {
      return right.p.at(k, x) - left.p.at(k, x);
    };
    const double middle = lo + 0.5 * (hi - lo);
    std::array<double, orders> size{};  // of d⁽ᵏ⁾, as what it makes of d over a side
    double largest = 0.0;
    double factor = 1.0;
    for (std::size_t k = 0; k < orders; ++k) {
      size[k] = factor;
      largest = std::max(largest, std::abs(difference(k, middle)) * factor);
      factor *= left.p.half / static_cast<double>(k + 1);
    }
    // Of d = J (x - c)ᵏ/k! that of its own order is the whole; those of lower order are what
    // rounding makes of c: some per cent at the widths that a kink of order 2 or 3 is resolved to.
    constexpr double told = 0.3;
    // A jump in the slope is resolved, with its corner, where it makes some tolerances over a
    // panel: some thousand over a side. What the two polynomials differ by where there is none is a
    // part of one.
    constexpr double beside_rounding = 100.0;
    const double rounding = beside_rounding * (tolerance_ * size_at(0, middle) +
                                               input_rounding(middle, left.p.at(1, lo)));
    if (!(largest > rounding)) {
      // A jump of a derivative that is given closes in further than σ itself tells.
      for (std::size_t k = 1; k < samplers_.size(); ++k) {
        if (std::abs(difference(k, middle)) > beside_rounding * tolerance_ * size_at(k, middle)) {
          return {middle, hi - lo};
        }
      }
      return {nan, 0.0};
    }
    for (std::size_t k = 1; k < orders; ++k) {
      double x = middle;
      constexpr int most_steps = 100;  // of a root of higher order Newton finds a part at a time
      for (int i = 0; i < most_steps; ++i) {
        const double slope = difference(k, x);
        const double step = slope == 0.0 ? 0.0 : difference(k - 1, x) / slope;
        x -= step;
        if (!(std::abs(step) > 1e-17 * std::max(1.0, std::abs(x)))) {
          break;
        }
      }
      const double slack = hi - lo;
      if (x >= lo - slack && x <= hi + slack &&
          std::abs(difference(k, x)) * size[k] > told * largest) {
        return {x, rounding / (size[k - 1] * std::abs(difference(k, x)))};
      }
    }
    return {middle, hi - lo};  // a jump
  }

  // The neighbouring multiple of 1/1024 or of 1/1000, where a kink may be there as well.
  static double rounded(const place& t) {
    for (const double n : {1024.0, 1000.0}) {
      const double r = std::round(t.x * n) / n;
      constexpr double rare = 1e-6;  // and no two of them are so near to each other
      if (std::abs(r - t.x) <= std::min(t.error, rare)) {
        return r + 0.0;  // no -0
      }
    }
    return t.x;
  }

  [[nodiscard]] std::string fault(double x) const {
    std::ostringstream text;
    text << "activation '" << f_.name << "' is not resolved near x = " << x
         << ": it is not finite there, not accurate to rounding (see tolerance), varies on too "
            "short a scale, or has a kink that is not named";
    return text.str();
  }

  const sampled_function& f_;
  double tolerance_;
  std::vector<const sampler*> samplers_;
  std::vector<std::vector<double>> sizes_;  // of each function: by slot
  std::vector<double> kinks_;
  std::vector<panel> panels_;
  std::vector<double> dead_;  // by slot: where it gave up, NaN where it did not
  double reach_ = 0.0;
  double ended_at_ = nan;
};

// ---- evaluation ----

class panel_table {
 public:
  explicit panel_table(const std::vector<panel>& panels) : begin_(panels.front().lo) {
    for (const panel& p : panels) {
      ends_.push_back(p.hi);
      evaluated e{p.p.centre, 1.0 / p.p.half, {}};
      for (std::size_t k = 0; k < nodes; ++k) {
        for (std::size_t order = 0; order < orders; ++order) {
          e.c[k][order] = p.p.c[order][k];
        }
      }
      polynomials_.push_back(e);
    }
    std::size_t i = 0;
    for (std::size_t cell = 0; cell < cells; ++cell) {
      while (i + 1 < ends_.size() && ends_[i] < static_cast<double>(cell) * cell_width - near) {
        ++i;
      }
      first_[cell] = i;
    }
  }

  [[nodiscard]] double at(std::size_t order, double x) const {
    const std::size_t i = panel_of(x);
    if (i >= ends_.size()) {
      return nan;
    }
    const evaluated& p = polynomials_[i];
    const double t = (x - p.centre) * p.scale;
    double value = 0.0;
    for (std::size_t k = nodes; k-- > 0;) {
      value = value * t + p.c[k][order];
    }
    return value;
  }

  // The first orders at every x.
  template <std::size_t Orders>
  void tabulate(std::span<const double> x, const std::array<std::span<double>, Orders>& out) const {
    for (std::size_t k = 0; k < x.size(); ++k) {
      const std::size_t i = panel_of(x[k]);
      if (i >= ends_.size()) {
        for (std::size_t order = 0; order < Orders; ++order) {
          out[order][k] = nan;
        }
        continue;
      }
      // Even and odd powers apart, all orders side by side: chains that don't wait for each other.
      const evaluated& p = polynomials_[i];
      const double t = (x[k] - p.centre) * p.scale;
      const double t2 = t * t;
      std::array<double, Orders> even{};
      std::array<double, Orders> odd{};
      for (std::size_t j = nodes; j > 0; j -= 2) {
        for (std::size_t order = 0; order < Orders; ++order) {
          odd[order] = odd[order] * t2 + p.c[j - 1][order];
          even[order] = even[order] * t2 + p.c[j - 2][order];
        }
      }
      for (std::size_t order = 0; order < Orders; ++order) {
        out[order][k] = even[order] + t * odd[order];
      }
    }
  }

 private:
  struct evaluated {
    double centre;
    double scale;
    std::array<std::array<double, orders>, nodes> c;
  };

  // |x| up to here is found by its cell, where most of the points are.
  static constexpr double near = 32.0;
  static constexpr double cell_width = 0.0625;
  static constexpr std::size_t cells = 1024;

  // The panel of x, which an end belongs to from the left; as many as there are for none.
  [[nodiscard]] std::size_t panel_of(double x) const {
    if (std::abs(x) < near) {
      std::size_t i = first_[static_cast<std::size_t>((x + near) / cell_width)];
      while (x > ends_[i]) {
        ++i;
      }
      return i;
    }
    if (!(x >= begin_)) {
      return ends_.size();
    }
    return static_cast<std::size_t>(std::lower_bound(ends_.begin(), ends_.end(), x) -
                                    ends_.begin());
  }

  double begin_;
  std::vector<double> ends_;
  std::vector<evaluated> polynomials_;
  std::array<std::size_t, cells> first_{};  // the panel that holds the lower end of a cell
};

// The ends of panels that are so narrow that a quadrature might not see what is there.
std::vector<double> features_of(const std::vector<panel>& panels) {
  constexpr double short_scale = 0.0625;
  constexpr std::size_t most = 400;
  std::vector<double> features;
  for (const panel& p : panels) {
    if (p.hi - p.lo < short_scale && features.size() < most) {
      features.push_back(p.hi);
    }
  }
  return features;
}

// ---- closed forms ----

// The neighbouring multiple of 1/1024 or 1/1000, where what a fit leaves is all that is between.
double rounded_weight(double w, double scale) {
  constexpr double near = 1e-12;
  for (const double n : {1024.0, 1000.0}) {
    const double r = std::round(w * n) / n;
    if (std::abs(r - w) <= near * scale) {
      return r + 0.0;
    }
  }
  return w;
}

// A polynomial of low degree, erf and ReLU, where a function is a sum of these to rounding:
// averages of it are closed, and exact zeros stay such.
std::optional<activation> closed_form(const sampled_function& f, double tolerance) {
  constexpr int largest_degree = 12;
  constexpr double reach = 4.0;
  constexpr int samples = 97;  // odd: one is 0
  std::vector<double> x;
  for (int i = 0; i < samples; ++i) {
    x.push_back(reach * std::sin(boost::math::constants::half_pi<double>() * (2 * i - samples + 1) /
                                 (samples - 1)));
  }
  const auto fitted_points = static_cast<Eigen::Index>(x.size());
  constexpr int last_power = 20;  // the far ends, where a wrong degree shows
  for (int k = 3; k <= last_power; ++k) {
    x.push_back(std::ldexp(1.0 + 0.1 * k, k));
    x.push_back(-x.back());
  }
  std::vector<double> y(x.size());
  f.value(x, y);
  for (const double v : y) {
    if (!std::isfinite(v)) {
      return std::nullopt;
    }
  }
  const auto values = Eigen::Map<const Eigen::VectorXd>(y.data(), fitted_points);
  for (int degree = 0; degree <= largest_degree; ++degree) {
    Eigen::MatrixXd basis(fitted_points, degree + 3);
    for (Eigen::Index i = 0; i < fitted_points; ++i) {
      const double t = x[static_cast<std::size_t>(i)];
      for (int k = 0; k <= degree; ++k) {
        basis(i, k) = std::pow(t / reach, k);
      }
      basis(i, degree + 1) = boost::math::erf(t);
      basis(i, degree + 2) = std::max(t, 0.0);
    }
    const Eigen::VectorXd w = basis.colPivHouseholderQr().solve(values);
    const double size = values.cwiseAbs().maxCoeff();
    constexpr double margin = 50.0;  // of a fit's rounding
    if (!((basis * w - values).cwiseAbs().maxCoeff() <= margin * tolerance * size)) {
      continue;
    }
    const double scale = std::max(w.cwiseAbs().maxCoeff(), std::numeric_limits<double>::min());
    std::vector<double> powers;
    for (int k = 0; k <= degree; ++k) {
      powers.push_back(rounded_weight(w[k] / std::pow(reach, k), scale / std::pow(reach, k)));
    }
    const double erf_weight = rounded_weight(w[degree + 1], scale);
    const double relu_weight = rounded_weight(w[degree + 2], scale);
    const activation closed({.polynomial_part = polynomial::from_monomials(powers),
                             .erf_weight = erf_weight,
                             .relu_weight = relu_weight},
                            f.name);
    for (std::size_t i = 0; i < x.size(); ++i) {
      // Beside the terms that it is a sum of.
      double terms = std::abs(erf_weight) + std::abs(relu_weight * x[i]);
      for (std::size_t k = 0; k < powers.size(); ++k) {
        terms += std::abs(powers[k]) * std::pow(std::abs(x[i]), static_cast<double>(k));
      }
      if (!(std::abs(closed(x[i]) - y[i]) <= tolerance * terms)) {
        return std::nullopt;
      }
    }
    return closed;
  }
  return std::nullopt;
}

}  // namespace

approximation approximate(const sampled_function& f, double tolerance) {
  if (!f.value) {
    throw argument_error("the value of activation '" + f.name + "'", "empty", "a function");
  }
  constexpr double least = 1e-15;  // some ε: no fit is nearer
  constexpr double most = 1e-3;    // beyond it, another function
  if (!(tolerance >= least && tolerance <= most)) {
    throw argument_error("tolerance", number_text(tolerance), "between 1e-15 and 1e-3");
  }
  std::vector<double> kinks = f.kinks.value_or(std::vector<double>());
  for (const double t : kinks) {
    if (!std::isfinite(t)) {
      throw argument_error("kinks", number_text(t), "finite numbers");
    }
  }
  std::sort(kinks.begin(), kinks.end());
  kinks.erase(std::unique(kinks.begin(), kinks.end()), kinks.end());

  if (const auto closed = closed_form(f, tolerance); closed && !f.first) {
    return {*closed, std::numeric_limits<double>::infinity(), 0.0, 0};
  }
  approximator a(f, tolerance);
  a.divide(kinks);
  constexpr int rounds = 3;  // kinks that stand close to each other are not told apart at first
  for (int round = 0; round < rounds && !f.kinks; ++round) {
    const std::vector<double> found = a.find_kinks();
    std::vector<double> all(kinks);
    all.insert(all.end(), found.begin(), found.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    if (all.size() == kinks.size()) {
      break;
    }
    kinks = std::move(all);
    if (kinks.size() > most_kinks) {
      break;
    }
    a.divide(kinks);
  }
  if (!f.kinks && kinks.size() > most_kinks) {
    throw convergence_error("activation '" + f.name + "' has more than " +
                            std::to_string(most_kinks) +
                            " kinks, or is not accurate to rounding (see tolerance)");
  }
  a.require_resolved();
  a.end_at_unresolved();
  std::erase_if(kinks, [&a](double t) { return std::abs(t) >= a.reach(); });

  const auto table = std::make_shared<const panel_table>(a.panels());
  const auto of_order = [&table](std::size_t order) {
    return [table, order](double x) { return table->at(order, x); };
  };
  user_function user;
  user.name = f.name;
  user.value = of_order(0);
  user.first = of_order(1);
  user.second = of_order(2);
  user.third = of_order(3);
  user.fourth = of_order(4);
  user.block = [table](std::span<const double> x, std::array<std::span<double>, 3> out) {
    if (!out[2].empty()) {
      table->tabulate<3>(x, out);
    } else if (!out[1].empty()) {
      table->tabulate<2>(x, {out[0], out[1]});
    } else {
      table->tabulate<1>(x, {out[0]});
    }
  };
  user.block_of_all = [table](std::span<const double> x, std::array<std::span<double>, 5> out) {
    table->tabulate<5>(x, out);
  };
  user.errors = a.seams();
  user.kinks = kinks;
  user.features = features_of(a.panels());
  return {activation(std::move(user)), a.reach(), a.error(), a.panels().size()};
}

}  // namespace loradyn
