#include <array>
#include <cmath>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/roots.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <span>
#include <string>

namespace loradyn {
namespace {

critical_status classify(const lora_parameters& parameters, const search_phase_result& v) {
  if (parameters.misalignment > 0.0) {
    return critical_status::finite;
  }
  if (std::abs(v.B) <= zero_fraction * (v.A_scale + std::abs(v.B))) {
    return critical_status::marginal;
  }
  return v.B < 0.0 ? critical_status::diverges : critical_status::finite;
}

}  // namespace

std::string_view to_string(critical_status status) {
  switch (status) {
    case critical_status::diverges:
      return "diverges";
    case critical_status::finite:
      return "finite";
    case critical_status::marginal:
      return "marginal";
    case critical_status::possible_double:
      break;
  }
  return "possible-double-root";
}

std::vector<critical_alignment> critical_alignments(const population_risk& risk,
                                                    const lora_parameters& parameters, double lo,
                                                    double hi) {
  if (!std::isfinite(lo) || !std::isfinite(hi) || !(lo < hi)) {
    throw argument_error("the interval of mu", std::to_string(lo) + ":" + std::to_string(hi),
                         "lo:hi with lo < hi, both finite");
  }
  const auto phase_at = [&](double mu) {
    lora_parameters p = parameters;
    p.alignment = mu;
    return search_phase(risk, p);
  };
  // With ν = 0 a kinked student changes form at μ = 0.
  const std::array<double, 1> zero{0.0};
  const std::span<const double> breaks = lo < 0.0 && hi > 0.0 ? zero : std::span<const double>();
  std::vector<critical_alignment> roots;
  for (const isolated_root& r : isolate_roots(
           [&](double mu) {
             const search_phase_result v = phase_at(mu);
             return scaled_value{v.A, v.A_scale};
           },
           lo, hi, breaks, "A(mu)")) {
    const search_phase_result v = phase_at(r.x);
    roots.push_back({r.x, v.B, r.slope,
                     r.crosses ? classify(parameters, v) : critical_status::possible_double});
  }
  return roots;
}

}  // namespace loradyn
