#pragma once

/// \file
/// Activations that are known by their values at arrays of points, such as a function of another
/// language.

#include <cstddef>
#include <functional>
#include <loradyn/activation/activation.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace loradyn {

/// A function as its values: out[i] = σ(x[i]), for finite x of any size.
using sampler = std::function<void(std::span<const double> x, std::span<double> out)>;

/// What is known of it.
struct sampled_function {
  std::string name = "user";
  sampler value;
  sampler first{};   ///< σ'; empty: that of the approximation of σ
  sampler second{};  ///< σ'' without δ-like parts, likewise of σ'
  /// Where σ is not smooth; nothing: they are found.
  std::optional<std::vector<double>> kinks{};
};

/// An activation that stands for it and calls it no more.
struct approximation {
  activation function;
  /// For |x| up to here, infinite for a closed form; beyond it is NaN, so that an average that
  /// reaches there has no result.
  double reach = 0.0;
  /// The largest difference from σ that was found between the nodes, less what the rounding of x
  /// does, beside the largest |σ| from -2 to 2 and on the way from there to x.
  double error = 0.0;
  std::size_t panels = 0;
};

/// Approximates a function by polynomials of degree 15 through Chebyshev nodes, on panels that are
/// halved until the last coefficients have died out: from 0 outwards in octaves, up to |x| = 2^40
/// or to where it is not finite, or needs more than 250 panels an octave. Kinks, of a jump of σ,
/// σ', σ'' or σ''', are found where halving closes in on a point on whose sides it is resolved
/// without. A function that is, to rounding, a sum of a polynomial of degree up to 12, erf and ReLU
/// is taken for that, with all that has a closed form, unless its derivatives are given; weights
/// that are a multiple of 1/1024 or of 1/1000 to twelve digits are taken for it. The sampler is
/// called some fifty times, with all points of a round of halving, from the calling thread.
///
/// \param tolerance of the last coefficients, beside the size that `error` is told by; more than
///                  its default for a function that is not accurate to rounding itself
/// \throws argument_error without a value, for a kink that is not finite or a tolerance that is
///         not between 1e-15 and 1e-3
/// \throws convergence_error where it is not resolved for |x| <= 64, saying where, or as
///         `activation`
approximation approximate(const sampled_function& f, double tolerance = 4e-15);

}  // namespace loradyn
