#include "simulation/batch_activation.hpp"

#include <span>
#include <utility>

namespace loradyn::detail {

batch_activation::batch_activation(const batch_kernels& kernels, activation f)
    : kernels_(&kernels), f_(std::move(f)) {
  const std::span<const double> hermite = f_.parts().polynomial_part.hermite();
  hermite_.assign(hermite.begin(), hermite.end());
  slope_hermite_.assign(hermite_.size(), 0.0);
  for (std::size_t n = 1; n < hermite_.size(); ++n) {
    slope_hermite_[n - 1] = static_cast<double>(n) * hermite_[n];
  }
}

activation_form batch_activation::form() const noexcept {
  return {.hermite = hermite_,
          .slope_hermite = slope_hermite_,
          .erf_weight = f_.parts().erf_weight,
          .relu_weight = f_.parts().relu_weight};
}

void batch_activation::evaluate(const double* x, std::size_t n, double* value,
                                double* slope) const {
  if (f_.parts().has_rest) {
    f_.tabulate({x, n}, {value, n}, {slope, n}, {});
  } else {
    kernels_->evaluate(form(), x, n, value, slope);
  }
}

void batch_activation::values(const double* x, std::size_t n, double* value) const {
  if (f_.parts().has_rest) {
    f_.tabulate({x, n}, {value, n}, {}, {});
  } else {
    kernels_->values(form(), x, n, value);
  }
}

}  // namespace loradyn::detail
