#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>
#include <loradyn/analysis/budget.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <string>

namespace loradyn {
namespace {

// Fills in what fine-tuning from where pre-training ended costs.
void fine_tune(const training_budget& budget, const lora_parameters& p,
               const integration_options& options, const outcome_classifier& classifier,
               budget_point& point) {
  const flow f(budget.target, p);
  const bool reached_M =
      budget.event.quantity == overlap_quantity::M &&
      (budget.event.is_signed ? p.alignment : std::abs(p.alignment)) >= budget.event.at;
  if (reached_M || met_by(event_of(f, budget.event, budget.start), budget.start)) {
    point.t_finetune = 0.0;
    point.tau = search_phase(budget.target.risk, p).tau;
    const run_end end = follow_to_rest(f, budget.start, 0.0, options);
    point.status = end.status;
    point.result = outcome_without_rest(end.destination);
    if (end.at_rest()) {
      point.result = classifier.classify(f, end.rest);
    }
  } else {
    const escape_run run = escape(f, budget.start, budget.event, options, classifier);
    point.tau = run.tau;
    point.t_finetune = run.t_hit;
    point.result = run.result;
    point.status = run.status;
  }
}

}  // namespace

budget_point cost_of_pretraining(const training_budget& budget, double t_pre,
                                 const integration_options& options,
                                 const outcome_classifier& classifier) {
  if (!(t_pre >= 0.0) || !std::isfinite(t_pre)) {
    throw argument_error("t-pre", number_text(t_pre), "finite and >= 0");
  }
  const pretraining_flow before(budget.source, budget.pretraining);
  budget_point point;
  point.t_pre = t_pre;
  pretraining_state weight = budget.weight_at_start;
  if (t_pre > 0.0) {
    integration_options until = options;
    until.end_time = t_pre;
    const auto r = integrate<2>(system_of(before), weight.pack(), 0.0, until);
    weight = pretraining_state::unpack(r.x);
    if (r.status != integration_status::end_time) {
      point.t_finetune = point.t_total = point.tau = std::numeric_limits<double>::quiet_NaN();
      point.status = status_of(r.status);
      return point;
    }
  }
  lora_parameters p = before.fine_tuning(weight);
  point.alignment = p.alignment;
  point.misalignment = p.misalignment;
  p.noise_scale = budget.noise_scale;
  p.label_noise = budget.label_noise;
  p.rate_ratio = budget.rate_ratio;
  point.tau = point.t_finetune = std::numeric_limits<double>::quiet_NaN();
  try {
    fine_tune(budget, p, options, classifier, point);
  } catch (const convergence_error&) {
    point.status = run_status::no_convergence;  // what was found before is kept
  }
  point.t_total = t_pre + point.t_finetune;
  return point;
}

std::optional<budget_point> least_cost(const training_budget& budget,
                                       const std::vector<budget_point>& points,
                                       const integration_options& options,
                                       const outcome_classifier& classifier) {
  constexpr int bits = 24;  // about a minimum the cost is flat to the root of its error
  const auto cost = [](const budget_point& p) {
    return std::isnan(p.t_total) ? std::numeric_limits<double>::infinity() : p.t_total;
  };
  const auto cheapest =
      std::min_element(points.begin(), points.end(),
                       [&](const auto& a, const auto& b) { return cost(a) < cost(b); });
  if (cheapest == points.end() || !std::isfinite(cost(*cheapest))) {
    return std::nullopt;
  }
  if (cheapest == points.begin() || cheapest + 1 == points.end()) {
    return *cheapest;
  }
  const auto at = [&](double t) { return cost_of_pretraining(budget, t, options, classifier); };
  const auto minimum = boost::math::tools::brent_find_minima(
      [&](double t) { return cost(at(t)); }, (cheapest - 1)->t_pre, (cheapest + 1)->t_pre, bits);
  const budget_point refined = at(minimum.first);
  return cost(refined) < cost(*cheapest) ? refined : *cheapest;
}

}  // namespace loradyn
