#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/model/parameters.hpp>
#include <loradyn/number_text.hpp>
#include <string>

namespace loradyn {

void lora_parameters::validate() const {
  const auto require = [](bool holds, const char* name, double value, const char* expected) {
    if (!holds || !std::isfinite(value)) {
      throw argument_error(name, number_text(value), expected);
    }
  };
  require(true, "mu (alignment)", alignment, "finite");
  require(misalignment >= 0.0, "nu (misalignment)", misalignment, "finite and >= 0");
  require(noise_scale >= 0.0, "gamma (noise scale)", noise_scale, "finite and >= 0");
  require(label_noise >= 0.0, "noise (label noise)", label_noise, "finite and >= 0");
  require(rate_ratio >= 0.0, "lr-ratio (rate ratio)", rate_ratio, "finite and >= 0");
}

}  // namespace loradyn
