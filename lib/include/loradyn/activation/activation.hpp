#pragma once

/// \file
/// Activations: σ, its derivatives, its kinks and its Hermite coefficients.

#include <array>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <loradyn/activation/polynomial.hpp>

namespace loradyn {

/// A point where σ's formula changes, so that some derivative jumps, or σ itself.
struct kink {
  double location = 0.0;
  /// jumps[k] = σ⁽ᵏ⁾(t+) - σ⁽ᵏ⁾(t-); jumps[1] is the weight of δ(x - t) in σ''.
  std::array<double, 4> jumps{};
};

/// The M ≠ 0 at which a kink of f(Mz) is one of g(z), increasing.
std::vector<double> kink_meetings(std::span<const kink> f, std::span<const kink> g);

/// f(x), f'(x), …, f⁗(x); at a kink those of the piece to the left.
using derivatives = std::array<double, 5>;

/// A function of the user's own: what the library needs to know of it.
struct user_function {
  std::string name = "user";
  std::function<double(double)> value;  ///< of at most polynomial growth
  /// σ' … σ⁗; where empty, by central differences of eighth order of the highest derivative that is
  /// given before, which do not reach across a kink (errors measured on tanh, from its value: 2e-14
  /// for σ', 3e-12 for σ'', 4e-10 for σ''', 2e-8 for σ⁗).
  std::function<double(double)> first = {};
  std::function<double(double)> second = {};
  std::function<double(double)> third = {};
  std::function<double(double)> fourth = {};
  /// The most points of a block.
  static constexpr std::size_t largest_block = 64;
  /// σ, σ' and σ'' at a block of points at once, where that is cheaper than point by point; else
  /// empty. The spans have equal lengths, at most largest_block, or the last or the last two are
  /// empty, for what isn't wanted.
  std::function<void(std::span<const double> x, std::array<std::span<double>, 3> out)> block = {};
  /// The same for σ … σ⁗.
  std::function<void(std::span<const double> x, std::array<std::span<double>, 5> out)>
      block_of_all = {};
  /// How far σ … σ⁗ are known, where that is not to rounding: smooth averages are not refined
  /// beyond it.
  std::array<double, 5> errors{};
  /// The points where σ is not smooth. A kink that is not named here costs accuracy.
  std::vector<double> kinks = {};
  /// The points, besides the kinks, about which σ varies on a short scale. One that is not named
  /// may cost accuracy.
  std::vector<double> features = {};
};

namespace detail {
class activation_body;
class formula;
}  // namespace detail

/// The closed form of an activation, σ = polynomial + erf_weight erf + relu_weight relu, where
/// `has_rest` is false; where it is true, it has none.
struct activation_parts {
  polynomial polynomial_part;
  double erf_weight = 0.0;
  double relu_weight = 0.0;
  bool has_rest = false;
};

/// A polynomial on either side of 0: the coefficients of xᵏ, exact but for one rounding.
struct half_line_polynomials {
  std::vector<double> negative;  ///< for x < 0
  std::vector<double> positive;  ///< for x > 0
};

/// What σ(-x) has to do with σ(x), where σ's text shows it.
enum class parity {
  none,  ///< nothing that is known
  even,  ///< σ(-x) = σ(x)
  odd    ///< σ(-x) - c = -(σ(x) - c)
};

/// The parity of an activation: σ is even, or σ - offset is odd, or, where it has neither, its odd
/// part may still be known.
struct activation_symmetry {
  parity kind = parity::none;
  double offset = 0.0;  ///< c, 0 where σ is not odd
  /// s where σ(x) - s x is even: 0 of an even σ, ½ of ReLU and GELU
  std::optional<double> slope = {};
};

/// cosine(x) cos(frequency x) + sine(x) sin(frequency x)
struct wave {
  double frequency = 0.0;  ///< >= 0
  polynomial cosine;
  polynomial sine;
};

/// A scalar activation σ: smooth between finitely many kinks. A cheap, immutable value: copies
/// share their data.
class activation {
 public:
  /// A polynomial of degree <= max_degree.
  explicit activation(polynomial p, std::string name = "polynomial");

  /// The user's function.
  /// \throws argument_error where it has no value, or a kink is out of range
  /// \throws convergence_error where its Gaussian moments at unit variance don't settle
  explicit activation(user_function f);

  /// Used by the parser: a sum of closed parts, without a rest.
  activation(activation_parts parts, std::string name);
  /// Used by the parser: a formula.
  /// \param kinked whether it has kinks where its pieces meet; they may cancel
  /// \param pieces what it is on half-lines, where that is polynomials
  /// \throws parse_error where it is not a finite function with Gaussian averages
  activation(detail::formula f, bool kinked, std::optional<half_line_polynomials> pieces,
             std::string name);

  /// The text it was made from.
  [[nodiscard]] const std::string& name() const noexcept;

  /// σ(x)
  double operator()(double x) const;
  /// σ'(x); at a kink the left derivative
  [[nodiscard]] double first(double x) const;
  /// σ''(x) without its δ-like part; at a kink the left one
  [[nodiscard]] double second(double x) const;
  /// σ … σ⁗ at x, without δ-like parts; at a kink those of the piece to its left.
  [[nodiscard]] derivatives all(double x) const;

  /// Tabulates σ, σ', σ'' (without δ-like parts) at the points x; the spans have equal lengths, or
  /// the last or the last two are empty, for what isn't wanted. A formula takes 2 to 20 ns a point
  /// and operation where there are 16 points or more.
  void tabulate(std::span<const double> x, std::span<double> value, std::span<double> first,
                std::span<double> second) const;
  /// The same for σ … σ⁗: out[k][i] = σ⁽ᵏ⁾(x[i]).
  void tabulate_all(std::span<const double> x, std::array<std::span<double>, 5> out) const;

  /// The kinks, in increasing order.
  [[nodiscard]] const std::vector<kink>& kinks() const noexcept;
  /// Whether no kink is a jump of σ itself.
  [[nodiscard]] bool continuous() const noexcept;
  /// Whether no kink lies elsewhere than at 0.
  [[nodiscard]] bool kinked_at_zero_alone() const noexcept;
  /// Besides the kinks the points about which σ varies on a short scale, in increasing order, at
  /// most 400: the centres of its sigmoids and bumps, and points at their sides, at distances that
  /// double from half their width on.
  [[nodiscard]] const std::vector<double>& features() const noexcept;
  /// Whether σ is even, or odd about a constant, as far as its text shows; a user's is not known.
  [[nodiscard]] activation_symmetry symmetry() const noexcept;
  /// A user's: how far its derivatives are known (user_function::errors); else zeros.
  [[nodiscard]] std::array<double, 5> errors() const noexcept;
  /// The sum of closed forms that it is, and what is left.
  [[nodiscard]] const activation_parts& parts() const noexcept;
  /// The polynomials that σ is on either side of 0, or null.
  [[nodiscard]] const half_line_polynomials* on_half_lines() const noexcept;
  /// The waves that σ is the sum of, by increasing frequency, where its text shows a short such sum
  /// of more than a polynomial; else null.
  [[nodiscard]] const std::vector<wave>* as_waves() const noexcept;
  /// The polynomial that σ is, or null.
  [[nodiscard]] const polynomial* as_polynomial() const noexcept;

  /// a_n(q) = E[σ⁽ⁿ⁾(√q z)]/n!, the coefficient of the Hermite expansion at variance q, n <= 500
  /// (docs/theory.md, section 3). Closed for polynomials, erf, ReLU and their combinations,
  /// otherwise quadrature by Stein's identity, absolute error about 1e-15 E[σ²]^½/(√n! q^{n/2}).
  /// \param q the variance, >= 0; at q = 0 only σ's own derivatives up to the fourth exist
  /// \throws argument_error for q < 0, not finite, or too large an n
  [[nodiscard]] double hermite_coefficient(std::size_t n, double q) const;

  /// Whether two values share their data, so that they are certainly the same function.
  [[nodiscard]] bool same_as(const activation& other) const noexcept {
    return body_ == other.body_;
  }

 private:
  // 0 <= order <= 2
  [[nodiscard]] double derivative(std::size_t order, double x) const;
  template <std::size_t Order>
  void tabulate_orders(std::span<const double> x, std::array<double*, Order + 1> out) const;

  std::shared_ptr<const detail::activation_body> body_;
};

/// Adds weight · E[σ⁽ⁿ⁾(√q z)] = weight · n! a_n(q) to moments[n], for every n < moments.size():
/// the closed forms of erf, for q >= 0, and of ReLU, for q > 0.
void add_erf_derivatives(double q, double weight, std::span<double> moments);
/// The same of ReLU.
void add_relu_derivatives(double q, double weight, std::span<double> moments);

}  // namespace loradyn
