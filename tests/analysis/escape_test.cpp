#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/escape.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

struct problem {
  problem(const char* student, const char* teacher)
      : task(parse_activation(student), parse_activation(teacher)), classifier(task) {}
  explicit problem(const char* name) : problem(name, name) {}

  [[nodiscard]] escape_run run(const lora_parameters& p, const overlap_event& event = {},
                               const overlap_state& start = default_start,
                               const integration_options& options = {}) const {
    return escape(flow(task, p), start, event, options, classifier);
  }

  learning_task task;
  outcome_classifier classifier;
};

integration_options tight() {
  integration_options o;
  o.relative_tolerance = 1e-12;
  return o;
}

}  // namespace

TEST_CASE("hitting times that were computed elsewhere") {
  const problem erf("erf");
  const escape_run a = erf.run({.alignment = 0.5});
  CHECK(a.t_hit == Approx(128.706772742).epsilon(1e-10));
  CHECK(a.at_hit.u == Approx(0.085072529).epsilon(1e-8));
  CHECK(problem("he3").run({.alignment = 0.5}).t_hit == Approx(1.312440167).epsilon(1e-9));
  const escape_run b = erf.run({.alignment = 0.5, .misalignment = 0.5, .noise_scale = 0.5},
                               {.at = 0.4}, {1e-6, 0.03, 0.01});
  CHECK(b.t_hit == Approx(23.602680006).epsilon(1e-9));
  CHECK(b.at_hit.s == Approx(-0.500516498).epsilon(1e-8));
}

TEST_CASE("a search of 4e13 is none of rounding") {
  // Next to the target u is 5e-8, of which M = mu + u m keeps 2e-9.
  for (const char* name : {"erf", "tanh", "relu", "he3"}) {
    const learning_task task(parse_activation(name), parse_activation(name));
    const outcome_classifier classifier(task);
    for (const double left : {1e-3, 1e-5, 1e-6}) {
      CAPTURE(name, left);
      const flow f(task, {.alignment = 1.0 - left});
      integration_options tighter;
      tighter.relative_tolerance = 1e-11;
      const escape_run usual = escape(f, default_start, {.at = 0.5}, {}, classifier);
      const escape_run tight = escape(f, default_start, {.at = 0.5}, tighter, classifier);
      CHECK(usual.result == outcome::learned);
      CHECK(usual.status == run_status::ok);
      CHECK(usual.steps < 1500);
      CHECK(usual.t_hit == Approx(tight.t_hit).epsilon(2e-8));
    }
  }
}

TEST_CASE("students whose terms cancel everywhere come to rest") {
  // Of σ² = 1 + x² the power's second derivative is nothing but rounding.
  for (const char* name : {"sqrt(1+x^2)", "sqrt(2+0.3*x^2)", "sqrt(1+erf^2)"}) {
    CAPTURE(name);
    const escape_run r = problem(name).run({.alignment = 0.5}, {.at = 0.5});
    CHECK(r.result == outcome::learned);
    CHECK(r.status == run_status::ok);
  }
}

TEST_CASE("at its target a student of any degree has no risk") {
  // (1 - |m|²) u², a rounding of 4e-17, is .14 of the risk's 1e15.
  const escape_run r = problem("he5^3").run({.alignment = 0.57, .misalignment = 0.45}, {.at = 0.5});
  CHECK(r.result == outcome::learned);
  CHECK(r.M_end == 1.0);
  CHECK(r.risk_end == 0.0);
}

TEST_CASE("a minimum that is low for its student's size is not the target") {
  // R(-w*) = E[he9² z²]/2 = 3447360, 6e-12 of E[g²].
  const problem p("he9*(relu+0.5*he9)");
  const escape_run r = p.run({.alignment = -0.0759, .misalignment = 0.321}, {.at = 0.5});
  CHECK(r.risk_end == Approx(3447360.0).epsilon(1e-9));
  CHECK(r.result == outcome::trapped);
}

TEST_CASE("times and ends keep 1e-8 against a tolerance a thousand times tighter") {
  struct sample {
    const char* name;
    lora_parameters p;
  };
  const std::vector<sample> samples{
      {"erf", {.alignment = 0.2}},
      {"erf", {.alignment = 0.95}},
      {"he3", {.alignment = 0.33}},
      {"he3", {.alignment = 0.1}},
      {"relu", {.alignment = 0.7}},
      {"he6", {.alignment = 0.8}},
      {"linear", {.alignment = 0.9}},
      {"erf", {.alignment = 0.5, .misalignment = 0.3, .rate_ratio = 3.0}},
      {"he2", {.alignment = 0.4, .noise_scale = 0.2, .label_noise = 0.1}},
      {"relu", {.alignment = 0.4, .misalignment = 0.2, .noise_scale = 0.5, .label_noise = 0.2}},
      {"tanh", {.alignment = 0.5}}};
  double worst = 0.0;
  for (const sample& s : samples) {
    CAPTURE(s.name, s.p.alignment, s.p.misalignment);
    const problem p(s.name);
    const overlap_event event{.at = 0.4};
    const escape_run usual = p.run(s.p, event);
    const escape_run exact = p.run(s.p, event, default_start, tight());
    CHECK(usual.t_hit == Approx(exact.t_hit).epsilon(1e-8));
    worst = std::max(worst, std::abs(usual.t_hit / exact.t_hit - 1.0));
    CHECK(usual.at_end.u == Approx(exact.at_end.u).epsilon(1e-8));
    CHECK(usual.at_end.m == Approx(exact.at_end.m).epsilon(1e-8));
    CHECK(usual.at_end.s == test::within(exact.at_end.s, 1e-8));
    CHECK(usual.result == exact.result);
  }
  WARN("largest relative error of t_hit at the usual tolerance: " << worst);
}

TEST_CASE("both steppers agree") {
  const problem p("erf");
  integration_options o;
  o.method = stepper::explicit_5;
  const double a = p.run({.alignment = 0.6}, {}, default_start, o).t_hit;
  o.method = stepper::stiff;
  CHECK(p.run({.alignment = 0.6}, {}, default_start, o).t_hit == Approx(a).epsilon(1e-8));
}

TEST_CASE("He_3 unlearns below its critical alignment and learns above") {
  const problem p("he3");
  for (const double mu : {0.1, 0.2, 0.3, 0.3205, 0.3206}) {
    const escape_run r = p.run({.alignment = mu});
    CAPTURE(mu);
    CHECK(r.result == outcome::unlearned);
    CHECK(r.M_end == test::within(0.0, 1e-8));
    CHECK(r.risk_end == Approx(3.0).epsilon(1e-8));
    CHECK(r.status == run_status::ok);
  }
  for (const double mu : {0.3208, 0.3209, 0.35, 0.5, 0.9}) {
    const escape_run r = p.run({.alignment = mu});
    CAPTURE(mu);
    CHECK(r.result == outcome::learned);
    CHECK(r.M_end == Approx(1.0).epsilon(1e-8));
    CHECK(r.risk_end == test::within(0.0, 1e-8));
  }
}

TEST_CASE("the times diverge with the exponent 2 on both sides") {
  const problem p("he3");
  constexpr double critical = 0.32072434732306754;
  for (const double side : {-1.0, 1.0}) {
    const auto time = [&](double distance) {
      return p.run({.alignment = critical + side * distance}).t_hit;
    };
    const double slope = std::log(time(1e-4) / time(4e-4)) / std::log(4.0);
    CAPTURE(side, slope);
    CHECK(slope > 1.99);
    CHECK(slope < 2.01);
  }
}

TEST_CASE("a trap is told by the equilibrium that is reached") {
  // Between He_10's critical alignments the run moves away from the target, to the lower of them.
  const problem p("he10");
  const escape_run r = p.run({.alignment = 0.45});
  CHECK(r.result == outcome::trapped);
  CHECK(r.M_end == Approx(0.3967893025649656).epsilon(1e-8));
}

TEST_CASE("a search of any length costs the same") {
  const problem p("erf");
  const escape_run near = p.run({.alignment = 0.9});
  const escape_run far = p.run({.alignment = 0.99999});
  CHECK(far.tau > 1e10);
  CHECK(far.result == outcome::learned);
  CHECK(far.steps < 20 * near.steps);
  // t ≈ τ log(at/m0) (1 + …): the nonlinear part of the search is a number of τ.
  CHECK(far.t_hit / far.tau > 0.9 * std::log(0.5 / 0.03));
  CHECK(far.t_hit / far.tau < 1.1 * std::log(0.5 / 0.03));
}

TEST_CASE("tiny starts are searched in closed form, to the tolerance") {
  const problem p("erf");
  const lora_parameters parameters{.alignment = 0.5, .misalignment = 0.2, .rate_ratio = 2.0};
  const flow f(p.task, parameters);
  const overlap_state tiny{2e-9, 1e-9, -3e-9};
  const linear_search s = search_linearly(f, tiny, 1e-9);
  CHECK(s.duration > 0.0);
  CHECK(s.x.norm() == Approx(0.03 * std::sqrt(1e-9)).epsilon(1e-12));
  // The same by integration.
  integration_options o = tight();
  o.absolute_tolerance = 1e-30;
  o.end_time = s.duration;
  const auto r = integrate<3>(system_of(f), tiny.pack(), 0.0, o);
  CHECK(r.x[0] == Approx(s.x.u).epsilon(1e-9));
  CHECK(r.x[1] == Approx(s.x.m).epsilon(1e-9));
  CHECK(r.x[2] == Approx(s.x.s).epsilon(1e-9));
  CHECK(search_linearly(f, default_start, 1e-9).duration == 0.0);
  // Every decade of the start costs τ log 10.
  const double a = p.run(parameters, {.at = 0.3}, {0.0, 1e-8, 0.0}).t_hit;
  const double b = p.run(parameters, {.at = 0.3}, {0.0, 1e-10, 0.0}).t_hit;
  const double tau = search_phase(p.task.risk, parameters).tau;
  CHECK(b - a == Approx(2.0 * tau * std::log(10.0)).epsilon(1e-8));
}

TEST_CASE("events by M and by the risk") {
  const problem p("erf");
  const escape_run by_M = p.run({.alignment = 0.5}, {.quantity = overlap_quantity::M, .at = 0.9});
  const flow f(p.task, {.alignment = 0.5});
  CHECK(fields(by_M.at_hit, f.parameters()).M == Approx(0.9).epsilon(1e-10));
  const double risk = f.risk(by_M.at_hit);
  const escape_run by_risk =
      p.run({.alignment = 0.5}, {.quantity = overlap_quantity::risk, .at = risk});
  CHECK(by_risk.t_hit == Approx(by_M.t_hit).epsilon(1e-8));
  // He_3 at μ = 0.2 loses M: it passes 0.1 from above.
  const problem he3("he3");
  const escape_run falls =
      he3.run({.alignment = 0.2}, {.quantity = overlap_quantity::M, .at = 0.1});
  CHECK(std::isfinite(falls.t_hit));
  // Signed m from a negative start never reaches +½.
  const escape_run never =
      p.run({.alignment = 0.5}, {.at = 0.5, .is_signed = true}, {-1e-6, -0.03, 0.0});
  CHECK(std::isnan(never.t_hit));
  CHECK(never.result == outcome::learned);
  CHECK(never.at_end.m == Approx(-1.0));
}

TEST_CASE("runs that don't come to rest say why") {
  const problem p("erf");
  integration_options o;
  o.end_time = 10.0;
  const escape_run early = p.run({.alignment = 0.5}, {}, default_start, o);
  CHECK(early.status == run_status::time_limit);
  CHECK(early.result == outcome::searching);
  CHECK(std::isnan(early.t_hit));
  o = {};
  o.step_limit = 20;
  CHECK(p.run({.alignment = 0.5}, {}, default_start, o).status == run_status::step_limit);
  // At the target already: nothing moves m.
  const escape_run still = p.run({.alignment = 1.0});
  CHECK(std::isnan(still.t_hit));
  CHECK(std::isnan(still.tau));
  CHECK(still.result == outcome::searching);
}

TEST_CASE("a trial step far beyond the domain is rejected, not an error") {
  // He_14's rates of 1e12 make a first step of any size a guess; one led to |w|² = 1e116.
  const problem p("he14");
  for (int i = 0; i < 40; ++i) {
    const double mu = 0.03 + 0.0241 * i;
    CAPTURE(mu);
    CHECK_NOTHROW(p.run({.alignment = mu}));
  }
  const flow f(p.task, {.alignment = 0.5});
  CHECK_FALSE(f.velocity({1e80, 0.5, 0.0}).finite());
}

TEST_CASE("with noise the target is the equilibrium that continues it") {
  const problem p("erf");
  const escape_run r = p.run({.alignment = 0.5, .noise_scale = 1.0, .label_noise = 0.1});
  CHECK(r.result == outcome::learned);
  CHECK(r.risk_end > 0.05);
  CHECK(r.at_end.m < 0.99);
}

TEST_CASE("a mismatched pair learns what it can") {
  // An erf student of He_3 does best at a large negative M; from μ = ½ it is led to w = 0 instead.
  const problem p("erf", "he3");
  const escape_run r = p.run({.alignment = 0.5});
  CHECK(r.result == outcome::unlearned);
  const escape_run negative = p.run({.alignment = -0.5});
  CHECK(negative.result == outcome::learned);
  CHECK(negative.M_end == Approx(p.classifier.critical_points().front().M).epsilon(1e-8));
}

TEST_CASE(
    "unlearned is an M below a twentieth of the pre-trained one, and a risk above the least") {
  const problem p("he3");
  const flow f(p.task, {.alignment = 0.4});
  equilibrium rest;
  rest.x = {0.4, -1.0, 0.0};
  rest.kind = equilibrium_kind::sink;
  rest.risk = 3.0;
  const auto with_M = [&](double M) {
    rest.M = M;
    return p.classifier.classify(f, rest);
  };
  CHECK(with_M(0.0199) == outcome::unlearned);
  CHECK(with_M(-0.0199) == outcome::unlearned);
  CHECK(with_M(0.0201) == outcome::trapped);
  CHECK(with_M(-0.0201) == outcome::trapped);
  rest.risk = 1e-12;
  CHECK(with_M(0.0) == outcome::learned);
  rest.risk = 3.0;
  rest.kind = equilibrium_kind::saddle;
  CHECK(with_M(0.0) == outcome::searching);
  rest.kind = equilibrium_kind::sink;
  rest.x.u = 0.0;
  CHECK(with_M(0.0) == outcome::searching);
}

TEST_CASE("the event stays in the row when the run can't be followed to its rest") {
  const problem p("tanh");  // of a closed pair the risk may prove the rest at the event
  const flow f(p.task, {.alignment = 0.5});
  const escape_run whole = p.run({.alignment = 0.5});
  const std::size_t to_event =
      escape(f, default_start, {}, {}, p.classifier, run_extent::to_event).steps;
  integration_options o;
  o.step_limit = to_event + 3;
  const escape_run cut = p.run({.alignment = 0.5}, {}, default_start, o);
  CHECK(cut.t_hit == whole.t_hit);
  CHECK(cut.at_hit.u == whole.at_hit.u);
  CHECK(cut.status == run_status::step_limit);
  CHECK(cut.result == outcome::searching);
  CHECK(cut.steps <= o.step_limit);
  o.step_limit = to_event;
  CHECK(p.run({.alignment = 0.5}, {}, default_start, o).t_hit == whole.t_hit);
  o = {};
  o.end_time = whole.t_hit + 1.0;
  const escape_run late = p.run({.alignment = 0.5}, {}, default_start, o);
  CHECK(late.t_hit == whole.t_hit);
  CHECK(late.status == run_status::time_limit);
}

TEST_CASE("a weight that grows for ever diverges") {
  const auto seen = [](rest_detector& d, double before, double after) {
    const std::array<double, 3> a{before, 1.0, 0.0};
    const std::array<double, 3> b{after, 1.0, 0.0};
    const std::array<double, 3> moving{1e3, 0.0, 0.0};
    return d(dense_step<3>{0.0, 1.0, a, b, moving, {}});
  };
  const problem linear("linear");
  const flow f(linear.task, {.alignment = 0.5});
  rest_detector growing(f);
  CHECK_FALSE(seen(growing, 1.0, 900.0));
  CHECK_FALSE(seen(growing, 900.0, 999.0));
  CHECK(seen(growing, 999.0, 1001.0));
  CHECK(growing.destination() == run_destination::infinity);
  rest_detector shrinking(f);
  CHECK_FALSE(seen(shrinking, 1500.0, 1400.0));
  CHECK_FALSE(seen(shrinking, 1400.0, 2000.0));  // not yet twice as long as at its start
  CHECK(seen(shrinking, 2000.0, 3100.0));
  CHECK(rest_detector(f).destination() == run_destination::unknown);
}

TEST_CASE("a weight that grows like the logarithm of time diverges, one that slows down does not") {
  const problem linear("linear");
  const flow f(linear.task, {.alignment = 0.5});
  const auto diverges = [&](auto u, double end) {
    rest_detector d(f);
    const std::array<double, 3> moving{1.0, 0.0, 0.0};
    for (double t = 1.0; t < end; t *= 1.5) {
      const std::array<double, 3> a{u(t), 0.0, 0.0};
      const std::array<double, 3> b{u(1.5 * t), 0.0, 0.0};
      if (d(dense_step<3>{t, 1.5 * t, a, b, moving, {}})) {
        return d.destination() == run_destination::infinity;
      }
    }
    return false;
  };
  const auto logarithm = [](double t) { return std::sqrt(1.0 + std::log(t)); };
  CHECK(diverges(logarithm, 1e9));
  CHECK_FALSE(diverges(logarithm, 1e5));
  CHECK_FALSE(diverges([](double t) { return 2.0 - std::pow(t, -0.2); }, 1e15));
  CHECK_FALSE(diverges([](double t) { return 2.0 - std::exp(-1e-9 * t); }, 1e15));
  CHECK_FALSE(diverges([](double t) { return 1e-9 * t; }, 1e11));
}

TEST_CASE("a run on a closed orbit is told by its crests") {
  const problem he3("he3");
  for (const double mu : {0.33, 0.345, 0.36}) {
    CAPTURE(mu);
    const escape_run r = he3.run({.alignment = mu, .noise_scale = 1.0});
    CHECK(r.result == outcome::cycling);
    CHECK(r.status == run_status::ok);
    CHECK(std::isnan(r.rate_end));
    CHECK(r.steps < 20'000);
    // The orbit by itself: from its crest to the next.
    const flow f(he3.task, {.alignment = mu, .noise_scale = 1.0});
    integration_options off = tight();
    off.end_time = 0.1 * r.tau;
    const auto begun = integrate<3>(system_of(f), r.at_end.pack(), 0.0, off);
    double lowest = r.at_end.u;
    const std::array<ode_event<3>, 1> turn{
        {{[&f](const std::array<double, 3>& x) { return f.velocity(overlap_state::unpack(x)).u; },
          crossing::falling}}};
    off.end_time = 1e6;
    const auto round =
        integrate<3>(system_of(f), begun.x, 0.0, off, turn, [&lowest](const dense_step<3>& step) {
          lowest = std::min(lowest, step.at_end[0]);
          return true;
        });
    REQUIRE(round.status == integration_status::event);
    CHECK(distance(overlap_state::unpack(round.x), r.at_end) < 2e-3 * (r.at_end.u - lowest));
  }
  // Without noise the risk falls, and the run learns.
  CHECK(he3.run({.alignment = 0.345}).result == outcome::learned);
}

TEST_CASE("runs beside the birth of a closed orbit") {
  const problem he3("he3");
  const auto at = [&he3](double mu) {
    return flow(he3.task, {.alignment = mu, .noise_scale = 1.0});
  };
  const auto focus = [&at](double mu) {
    const auto e = nearest_equilibrium(at(mu), {0.21, 0.3, 0.0}, landscape_radius, 0.5);
    REQUIRE(e);
    return *e;
  };
  double unstable = 0.36;
  double stable = 0.37;
  REQUIRE(focus(unstable).eigenvalues[0].real() > 0.0);
  REQUIRE(focus(stable).eigenvalues[0].real() < 0.0);
  for (int i = 0; i < 40; ++i) {
    const double middle = 0.5 * (unstable + stable);
    (focus(middle).eigenvalues[0].real() > 0.0 ? unstable : stable) = middle;
  }
  for (const double away : {1e-3, 1e-4, 1e-5}) {
    CAPTURE(away);
    const auto ends = [&](double mu) {
      // Near the rest, and far from it: from inside the orbit and from outside.
      const overlap_state x = focus(mu).x;
      std::vector<outcome> found;
      for (const double off : {1e-3, 0.05}) {
        found.push_back(
            he3.run({.alignment = mu, .noise_scale = 1.0}, {.at = 0.99}, {x.u + off, x.m, 0.0})
                .result);
      }
      return found;
    };
    CHECK(ends(unstable - away) == std::vector<outcome>(2, outcome::cycling));
    CHECK(ends(stable + away) == std::vector<outcome>(2, outcome::trapped));
  }
}

TEST_CASE("no end lies outside the disc or below the risk of the labels' noise") {
  for (const char* name : {"linear", "relu", "erf", "he3", "he4", "tanh"}) {
    const problem p(name);
    for (int i = 0; i < 12; ++i) {
      for (const double nu : {0.0, 0.3}) {
        const escape_run r = p.run({.alignment = 0.13 + 0.07 * i, .misalignment = nu});
        CAPTURE(name, i, nu);
        CHECK(std::hypot(r.at_end.m, r.at_end.s) <= 1.0);
        CHECK(r.risk_end >= 0.0);
      }
    }
  }
}

// (8.2)
TEST_CASE("the rest that the risk proves is the one that the run reaches") {
  const std::vector<std::pair<const char*, const char*>> pairs{
      {"erf", "erf"},         {"relu", "relu"},       {"he2", "he2"},
      {"he3", "he3"},         {"he4", "he4"},         {"he3+0.5*he5", "he3+0.5*he5"},
      {"linear", "erf"},      {"erf", "he3"},         {"erf+0.1*he3", "he3"},
      {"he2+0.4*he3", "he2"}, {"abs(x)", "abs(x)"},   {"relu", "he2"},
      {"he3-0.3*he2", "he3"}, {"erf", "relu"},        {"relu+0.3*erf", "erf"},
      {"linear", "linear"},   {"he5", "he5+0.2*he3"}, {"he4+he2", "he4"}};
  int proved = 0;
  int asked = 0;
  for (const auto& [student, teacher] : pairs) {
    INFO(student << " on " << teacher);
    const problem p(student, teacher);
    for (const double mu : {-0.4, 0.1, 0.5, 0.9}) {
      for (const double nu : {0.0, 0.3}) {
        for (const double m0 : {0.03, -0.2}) {
          const flow f(p.task, {.alignment = mu, .misalignment = nu, .rate_ratio = 1.7});
          // Points along a run: as soon as the rest is proved it is the run's.
          const run_end end = follow_to_rest(f, {1e-3, m0, 0.05}, 0.0, {});
          for (const double share : {0.2, 0.5, 0.8, 0.95}) {
            integration_options until;
            until.end_time = share * end.t;
            const run_end part = follow_to_rest(f, {1e-3, m0, 0.05}, 0.0, until);
            if (part.destination != run_destination::unknown) {
              continue;
            }
            ++asked;
            if (const auto rest = p.classifier.proved_rest(f, part.last)) {
              ++proved;
              INFO("mu " << mu << " nu " << nu << " m0 " << m0 << " share " << share);
              REQUIRE(end.at_rest());
              CHECK(distance(rest->x, end.rest.x) < 1e-7);
              CHECK(rest->kind == equilibrium_kind::sink);
            }
          }
        }
      }
    }
  }
  CHECK(asked > 500);
  CHECK(4 * proved > asked);
}

TEST_CASE("a risk proves nothing where it does not descend, or where the kernels are not closed") {
  const overlap_state close{0.5, 0.95, 0.0};
  const problem erf("erf");
  CHECK(erf.classifier.proved_rest(flow(erf.task, {.alignment = 0.5}), close));
  CHECK_FALSE(
      erf.classifier.proved_rest(flow(erf.task, {.alignment = 0.5, .noise_scale = 0.1}), close));
  CHECK_FALSE(
      erf.classifier.proved_rest(flow(erf.task, {.alignment = 0.5, .rate_ratio = 0.0}), close));
  CHECK_FALSE(erf.classifier.proved_rest(flow(erf.task, {.alignment = 0.5}), {0.0, 0.3, 0.0}));
  const problem tanh("tanh");
  CHECK_FALSE(tanh.classifier.proved_rest(flow(tanh.task, {.alignment = 0.5}), close));
  // Below its critical alignment He_3 has a barrier: at m = 0.5 it is not passed.
  const problem he3("he3");
  CHECK_FALSE(he3.classifier.proved_rest(flow(he3.task, {.alignment = 0.2}), {0.1, 0.5, 0.0}));
}

TEST_CASE("what can't be a start or an event is refused") {
  const problem p("erf");
  const double nan_value = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(p.run({.alignment = 0.5}, {}, {0.0, 0.9, 0.9}), argument_error);
  CHECK_NOTHROW(validate_start({0.0, 0.1, std::sqrt(0.99)}));  // 1 + 2e-16
  CHECK_THROWS_AS(validate_start({0.0, 1.0, 1e-5}), argument_error);
  CHECK_THROWS_AS(p.run({.alignment = 0.5}, {}, {nan_value, 0.1, 0.0}), argument_error);
  CHECK_THROWS_AS(p.run({.alignment = 0.5}, {}, {0.0, 0.6, 0.0}), argument_error);
  CHECK_THROWS_AS(p.run({.alignment = 0.5}, {.at = 1.5}), argument_error);
  CHECK_THROWS_AS(p.run({.alignment = 0.5}, {.quantity = overlap_quantity::risk, .at = 1.0}),
                  argument_error);
}
