#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <numeric>
#include <span>
#include <string>
#include "analysis/roots.hpp"

namespace loradyn {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// B on the two sides of a root.
struct sides {
  double left;
  double right;

  [[nodiscard]] bool agree(double rounding) const {
    constexpr double same = 1e-6;
    return std::abs(left - right) <=
           std::max(same * std::max(std::abs(left), std::abs(right)), rounding);
  }
};

critical_status classify(const lora_parameters& parameters, const isolated_root& root,
                         const sides& B, double rounding) {
  if (!root.crosses) {
    return root.at_break ? critical_status::touches : critical_status::possible_double;
  }
  if (parameters.misalignment > 0.0) {
    return critical_status::finite;
  }
  const double least = std::min(B.left, B.right);
  if (std::max(std::abs(B.left), std::abs(B.right)) <= rounding) {
    return critical_status::marginal;
  }
  return least < -rounding ? critical_status::diverges : critical_status::finite;
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
    case critical_status::touches:
      return "touches";
    case critical_status::possible_double:
      return "possible-double-root";
    case critical_status::unresolved:
      break;
  }
  return "no-convergence";
}

std::vector<critical_alignment> critical_alignments(const population_risk& risk,
                                                    const lora_parameters& parameters, double lo,
                                                    double hi) {
  if (!std::isfinite(lo) || !std::isfinite(hi) || !(lo < hi)) {
    throw argument_error("the interval of mu", number_text(lo) + ":" + number_text(hi),
                         "lo:hi with lo < hi, both finite");
  }
  const auto phase_at = [&](double mu) {
    lora_parameters p = parameters;
    p.alignment = mu;
    return search_phase(risk, p);
  };
  // With ν = 0 a kinked student changes form at μ = 0, and where its kinks meet the teacher's.
  std::vector<double> breaks = kink_meetings(risk.student().kinks(), risk.teacher().kinks());
  breaks.insert(std::lower_bound(breaks.begin(), breaks.end(), 0.0), 0.0);
  std::erase_if(breaks, [lo, hi](double b) { return !(lo < b && b < hi); });
  const root_search found = find_roots(
      [&](double mu) {
        const search_phase_result v = phase_at(mu);
        return scaled_value{v.A, v.A_scale};
      },
      lo, hi, breaks);
  // What B is made of: its error is relative to that.
  const double power =
      fisher_information(risk.student()) +
      pair_kernel(risk.teacher(), risk.teacher()).value(pair_covariance::diagonal(1.0));
  std::vector<critical_alignment> result;
  for (const isolated_root& r : found.roots) {
    // At a break B need not exist, and may jump.
    const double beside = r.at_break ? 1e-9 : 0.0;
    const sides B{phase_at(r.x - beside).B, phase_at(r.x + beside).B};
    const double rounding = zero_fraction * (power + std::abs(B.left) + std::abs(B.right));
    result.push_back({r.x, B.agree(rounding) ? std::midpoint(B.left, B.right) : nan, r.slope,
                      classify(parameters, r, B, rounding)});
  }
  for (const unresolved_part& part : found.unresolved) {
    result.push_back({nan, nan, nan, critical_status::unresolved, part.lo, part.hi});
  }
  return result;
}

}  // namespace loradyn
