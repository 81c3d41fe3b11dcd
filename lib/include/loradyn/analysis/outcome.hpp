#pragma once

/// \file
/// Where a run of the flow ends (docs/theory.md, section 8).

#include <cstddef>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/analysis/landscape.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/overlap_event.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace loradyn {

/// What became of a run.
enum class outcome {
  learned,    ///< at a stable equilibrium of least risk
  unlearned,  ///< at a stable equilibrium with |M| <= 0.05 |μ|: the pre-trained signal is gone
  trapped,    ///< at another stable equilibrium
  diverging,  ///< |w|² passed `diverging_power` and still grew, or grows like the logarithm of time
  cycling,    ///< on a closed orbit, which noise (γ > 0) can make stable
  searching,  ///< none of these is known: not at a stable equilibrium when it ended, at rest on the
              ///< line u = 0, or at a rest whose place among the others is not known
};

/// "learned", "unlearned", "trapped", "diverging", "cycling", "searching".
std::string_view to_string(outcome o);

/// A run whose |w|² is beyond this (beyond four times that of its start, where that is more) and
/// still grows is said to diverge. A weight a thousand times as long as the teacher's: nothing that
/// is known of a rest lies out there, and the kernels' reach ends.
inline constexpr double diverging_power = 1e6;

/// Where a risk falls off like e^{-|w|²} the weight grows like √log t and passes no bound. A run
/// diverges too when |w|² has grown over so many stretches of time, each ten times as long as all
/// before, as much in the later half as in the earlier, within a factor of two. What comes to a
/// rest like t^{-p} grows less by 10^{-3p}, what escapes grows more by a thousand.
inline constexpr std::size_t diverging_decades = 6;

/// Where a run goes in the end.
enum class run_destination {
  unknown,   ///< not found out
  rest,      ///< a stable equilibrium
  infinity,  ///< |w| grows for ever
  cycle,     ///< a closed orbit
};

/// How a run came to its end.
enum class run_status {
  ok,              ///< at rest, diverging, or on a closed orbit
  time_limit,      ///< not at rest by the end time
  step_limit,      ///< not at rest after the number of steps allowed
  step_underflow,  ///< the tolerance can't be reached
  blow_up,         ///< the state grew beyond bounds
  no_convergence,  ///< a kernel does not converge, or overflows, beyond the last state or at the
                   ///< rest
};

/// "ok", "time-limit", "step-limit", "step-underflow", "blow-up", "no-convergence".
std::string_view to_string(run_status status);

/// The names of an integration's end.
run_status status_of(integration_status status);

/// A run followed to its rest.
struct run_end {
  overlap_state
      x;  ///< the equilibrium, by Newton's method, the orbit's crest of u, or the last state
  overlap_state last;  ///< the last state
  double t = 0.0;      ///< when the run was near enough to prove where it goes
  run_destination destination = run_destination::unknown;
  equilibrium rest;  ///< where at rest
  run_status status = run_status::ok;
  std::size_t steps = 0;  ///< tried

  /// Whether it is a stable equilibrium that the run goes to.
  [[nodiscard]] bool at_rest() const noexcept { return destination == run_destination::rest; }
};

/// Watches a run for where it goes. It is at rest when it is within 1e-4 of an equilibrium that
/// Newton's method finds from it and whose eigenvalues prove it stable (1e-6 where some are zero).
/// Where a kernel does not converge there is no rest to be found. With γ > 0 it is on a closed
/// orbit when its maxima of u repeat, every one or every few of them: what is left to an orbit that
/// they approach like a geometric series is below 1e-3 of the orbit's range of u, or they stand
/// still to 1e-5 of it. At γ = 0 the risk falls along a run, so that there is none.
class rest_detector {
 public:
  /// Of runs of a flow, which must live longer.
  explicit rest_detector(const flow& f) : flow_(f) {}

  /// Whether it is known where the run goes at the end of a step. Cheap unless the velocity has
  /// fallen since the last attempt, or u has turned.
  bool operator()(const dense_step<3>& step);

  /// Whether the run rests at x, at the cost of Newton's method: for its last state, whose velocity
  /// may be nothing but rounding.
  bool rests_at(const overlap_state& x);

  /// Where the run goes, as far as that is known.
  [[nodiscard]] run_destination destination() const noexcept { return destination_; }
  /// The rest that was found.
  [[nodiscard]] const equilibrium& rest() const noexcept { return rest_; }
  /// The crest of the closed orbit that was found.
  [[nodiscard]] const overlap_state& crest() const noexcept { return crests_.back().x; }

 private:
  const flow& flow_;
  double power_ = -1.0;  // |w|² at the end of the last step
  double bound_ = 0.0;   // beyond which growth is divergence
  run_destination destination_ = run_destination::unknown;
  struct mark {
    double log_time;
    double power;
  };
  std::vector<mark> marks_;  // a decade of time or more apart
  double next_mark_ = 0.0;

  // Whether |w|² grows like the logarithm of time: for the first step that ends after the mark.
  bool grows_by_decades(double t);

  struct crest_of_u {
    overlap_state x;
    double depth;  // of the trough before it
  };
  bool rising_ = false;
  double lowest_ = 0.0;  // u since the last crest
  std::vector<crest_of_u> crests_;

  // Whether u, which turns in this step, does so as it did before.
  bool repeats(const dense_step<3>& step);
  double fastest_ = 0.0;
  double tried_at_ = 0.0;
  equilibrium rest_;
};

/// How an integration that `at_rest` observed has ended.
run_end run_end_of(const integration_result<3>& r, rest_detector& at_rest);

/// What a run that comes to no rest is called.
constexpr outcome outcome_without_rest(run_destination destination) noexcept {
  return destination == run_destination::infinity ? outcome::diverging
         : destination == run_destination::cycle  ? outcome::cycling
                                                  : outcome::searching;
}

/// Follows the flow from x at time t to its rest.
/// \throws argument_error from options.validate()
run_end follow_to_rest(const flow& f, const overlap_state& x, double t,
                       const integration_options& options);

/// Tells outcomes apart for one task. The critical points of the risk are found when they are first
/// needed: never for matched pairs at γ = 0 that learn. Safe from any thread; copies share the
/// work.
class outcome_classifier {
 public:
  /// Finds the least risk and the critical points of a task, once for all its runs.
  explicit outcome_classifier(const learning_task& task);

  /// The outcome of a run that rests at an equilibrium of f. Least risk: with γ = 0 that of the
  /// lowest critical point, to 1e-9 of E[g²]; with γ > 0 the equilibrium that continues such a
  /// point from γ = 0.
  /// \throws convergence_error where the critical points are needed and can't be found
  [[nodiscard]] outcome classify(const flow& f, const equilibrium& rest) const;

  /// Where the flow leads from x, if its risk proves it: γ = 0, κ > 0, u ≠ 0, and R(x) is below
  /// that of w0, of w = 0, of a circle about the origin that x lies in, and of every critical point
  /// but one, or but a mirrored pair of an even risk (docs/theory.md, section 8). Asked for pairs
  /// of closed kernels, whose critical points are cheap; nothing for others. \throws
  /// convergence_error as `critical_points`
  [[nodiscard]] std::optional<equilibrium> proved_rest(const flow& f, const overlap_state& x) const;

  /// The critical points of the risk, by increasing risk.
  /// \throws convergence_error as `landscape_of`, at every call, at the cost of the first
  [[nodiscard]] const std::vector<risk_critical_point>& critical_points() const;

 private:
  struct body;
  std::shared_ptr<body> body_;
};

}  // namespace loradyn
