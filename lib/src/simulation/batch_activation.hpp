#pragma once

/// \file
/// Activations over blocks of samples. Internal to the simulation room.

#include <cstddef>
#include <vector>

#include <loradyn/activation/activation.hpp>
#include <loradyn/simulation/batch.hpp>

namespace loradyn::detail {

/// σ and σ' at many points: vectorised where σ is a combination of Hermite polynomials, erf and
/// ReLU, by activation::tabulate otherwise. At a kink σ' is the left derivative.
class batch_activation {
 public:
  batch_activation(const batch_kernels& kernels, activation f);

  /// n is a multiple of lane_count and at most block_size.
  void evaluate(const double* x, std::size_t n, double* value, double* slope) const;
  void values(const double* x, std::size_t n, double* value) const;

 private:
  [[nodiscard]] activation_form form() const noexcept;

  const batch_kernels* kernels_;
  activation f_;
  std::vector<double> hermite_;
  std::vector<double> slope_hermite_;
};

}  // namespace loradyn::detail
