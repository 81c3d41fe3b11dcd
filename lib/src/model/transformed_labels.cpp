#include <algorithm>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/model/transformed_labels.hpp>
#include <loradyn/number_text.hpp>
#include <span>
#include <string>
#include <vector>

namespace loradyn {
namespace {

// Coefficients of 1, y, y², …
using coefficients = std::vector<double>;

// f⁽ᵏ⁾.
coefficients derivative(coefficients f, std::size_t k) {
  for (; k > 0; --k) {
    for (std::size_t n = 1; n < f.size(); ++n) {
      f[n - 1] = static_cast<double>(n) * f[n];
    }
    f.resize(f.empty() ? 0 : f.size() - 1);
  }
  return f;
}

void add(coefficients& sum, const coefficients& f, double factor) {
  sum.resize(std::max(sum.size(), f.size()), 0.0);
  for (std::size_t n = 0; n < f.size(); ++n) {
    sum[n] += factor * f[n];
  }
}

// (10.3): E f(y + √Δ ζ) = Σ_j f⁽²ʲ⁾(y) Δʲ/(2ʲ j!).
coefficients mean_of(const coefficients& f, double label_noise) {
  coefficients mean;
  double factor = 1.0;
  for (std::size_t j = 0; 2 * j < f.size(); ++j) {
    add(mean, derivative(f, 2 * j), factor);
    factor *= label_noise / (2.0 * static_cast<double>(j + 1));
  }
  return mean;
}

// (10.3): Var f(y + √Δ ζ) = Σ_{k >= 1} Δᵏ/k! (E f⁽ᵏ⁾(y + √Δ ζ))², a sum without cancellation.
coefficients variance_of(const coefficients& f, double label_noise) {
  coefficients variance;
  double factor = 1.0;
  for (std::size_t k = 1; k < f.size(); ++k) {
    factor *= label_noise / static_cast<double>(k);
    const coefficients slope = mean_of(derivative(f, k), label_noise);
    coefficients square(2 * slope.size() - 1, 0.0);
    for (std::size_t i = 0; i < slope.size(); ++i) {
      for (std::size_t j = 0; j < slope.size(); ++j) {
        square[i + j] += slope[i] * slope[j];
      }
    }
    add(variance, square, factor);
  }
  return variance;
}

// Σ c_n gⁿ, by the grammar's exact algebra.
activation composed(const coefficients& c, const activation& g) {
  std::string text = "(" + number_text(c.empty() ? 0.0 : c[0]) + ")";
  for (std::size_t n = 1; n < c.size(); ++n) {
    if (c[n] != 0.0) {
      text += "+(" + number_text(c[n]) + ")*(" + g.name() + ")^" + std::to_string(n);
    }
  }
  try {
    return parse_activation(text);
  } catch (const error& e) {
    throw argument_error("the teacher of transformed labels", "'" + g.name() + "'",
                         std::string("one whose transform the grammar takes (") + e.what() + ")");
  }
}

}  // namespace

transformed_labels transform_labels(const activation& teacher, const polynomial& transform,
                                    double label_noise) {
  if (!(label_noise >= 0.0) || !std::isfinite(label_noise)) {
    throw argument_error("noise (label noise)", number_text(label_noise), "finite and >= 0");
  }
  const std::span<const double> c = transform.monomial();
  const coefficients t(c.begin(), c.end());
  // (10.2): v = E[v] + excess.
  transformed_labels labels{composed(mean_of(t, label_noise), teacher), 0.0, std::nullopt};
  coefficients variance = variance_of(t, label_noise);
  const bool is_constant =
      std::all_of(variance.begin() + (variance.empty() ? 0 : 1), variance.end(),
                  [](double coefficient) { return coefficient == 0.0; });
  if (is_constant) {
    labels.label_noise = variance.empty() ? 0.0 : variance[0];
    return labels;
  }
  labels.label_noise = composed(variance, teacher).hermite_coefficient(0, 1.0);
  variance[0] -= labels.label_noise;
  labels.excess = composed(variance, teacher);
  return labels;
}

}  // namespace loradyn
