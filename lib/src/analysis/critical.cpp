#include <algorithm>
#include <cmath>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <numeric>
#include <span>
#include <string>
#include "analysis/critical_roots.hpp"
#include "analysis/roots.hpp"
#include "nan.hpp"

namespace loradyn {
namespace {

// B on the two sides of a root.
struct sides {
  double left;
  double right;

  [[nodiscard]] bool agree(double rounding) const {
    // Taken 1e-9 on either side of a break, a continuous B differs by some 1e-9 of itself; a jump
    // is of its size.
    constexpr double same = 1e-6;
    return std::abs(left - right) <=
           std::max(same * std::max(std::abs(left), std::abs(right)), rounding);
  }
};

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
    case critical_status::one_sided:
      return "one-sided";
    case critical_status::unresolved:
      break;
  }
  return "no-convergence";
}

critical_status status_of_crossing(const followed_drive& of, double left, double right) {
  if (of.has_side) {
    return critical_status::finite;
  }
  const double rounding = zero_fraction * (of.B_size + std::abs(left) + std::abs(right));
  if (std::max(std::abs(left), std::abs(right)) <= rounding) {
    return critical_status::marginal;
  }
  return std::min(left, right) < -rounding ? critical_status::diverges : critical_status::finite;
}

void require_interval(double lo, double hi) {
  if (!std::isfinite(lo) || !std::isfinite(hi) || !(lo < hi)) {
    throw argument_error("the interval of mu", number_text(lo) + ":" + number_text(hi),
                         "lo:hi with lo < hi, both finite");
  }
}

double drive_power(const activation& student, const activation& teacher) {
  return fisher_information(student) +
         pair_kernel(teacher, teacher).value(pair_covariance::diagonal(1.0));
}

std::vector<double> drive_breaks(std::vector<double> meetings, double lo, double hi) {
  meetings.push_back(0.0);
  std::sort(meetings.begin(), meetings.end());
  meetings.erase(std::unique(meetings.begin(), meetings.end()), meetings.end());
  std::erase_if(meetings, [lo, hi](double b) { return !(lo < b && b < hi); });
  return meetings;
}

std::vector<critical_alignment> critical_roots(const followed_drive& of,
                                               const std::vector<double>& breaks, double lo,
                                               double hi) {
  const root_search found = find_roots(of.drive, lo, hi, breaks);
  std::vector<critical_alignment> result;
  for (const isolated_root& r : found.roots) {
    // At a break B need not exist, and may jump.
    const double beside = r.at_break ? 1e-9 : 0.0;
    const sides B{of.B(r.x - beside), of.B(r.x + beside)};
    const double rounding = zero_fraction * (of.B_size + std::abs(B.left) + std::abs(B.right));
    result.push_back({r.x, B.agree(rounding) ? std::midpoint(B.left, B.right) : nan, r.slope,
                      r.crosses    ? status_of_crossing(of, B.left, B.right)
                      : r.at_break ? critical_status::touches
                                   : critical_status::possible_double});
  }
  for (const unresolved_part& part : found.unresolved) {
    result.push_back({nan, nan, nan, critical_status::unresolved, part.lo, part.hi});
  }
  return result;
}

std::vector<critical_alignment> critical_alignments(const population_risk& risk,
                                                    const lora_parameters& parameters, double lo,
                                                    double hi) {
  require_interval(lo, hi);
  const auto phase_at = [&](double mu) {
    lora_parameters p = parameters;
    p.alignment = mu;
    return search_phase(risk, p);
  };
  const followed_drive of{[&](double mu) {
                            const search_phase_result v = phase_at(mu);
                            return scaled_value{v.A, v.A_scale};
                          },
                          [&](double mu) { return phase_at(mu).B; },
                          drive_power(risk.student(), risk.teacher()),
                          parameters.misalignment > 0.0};
  // With ν = 0 a kinked student changes form at μ = 0, and where its kinks meet the teacher's.
  return critical_roots(
      of, drive_breaks(kink_meetings(risk.student().kinks(), risk.teacher().kinks()), lo, hi), lo,
      hi);
}

}  // namespace loradyn
