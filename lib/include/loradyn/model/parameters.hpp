#pragma once

/// \file
/// The scalar parameters of a LoRA fine-tuning problem (docs/theory.md, section 1).

namespace loradyn {

/// Parameters of the model  w = μ w* + ν ξ + u v  trained by one-pass SGD.
struct lora_parameters {
  double alignment = 0.0;     ///< μ = <w0, w*>, the pre-training alignment; any finite value
  double misalignment = 0.0;  ///< ν >= 0, what pre-training learnt beside the target
  double noise_scale = 0.0;   ///< γ = η d / B >= 0, the SGD noise scale; 0 is gradient flow
  double label_noise = 0.0;   ///< Δ >= 0, the variance of the labels' noise
  double rate_ratio = 1.0;    ///< κ >= 0, u's learning rate over v's (LoRA+); 0 freezes u

  /// Throws argument_error, naming the first parameter that is out of its range.
  void validate() const;
};

}  // namespace loradyn
