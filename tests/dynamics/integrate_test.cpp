#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;

namespace {

using state2 = std::array<double, 2>;

// x'' = -x: (cos t, -sin t) from (1, 0).
const ode_system<2> oscillator{[](const state2& x) {
                                 return state2{x[1], -x[0]};
                               },
                               [](const state2&) {
                                 Eigen::Matrix2d j;
                                 j << 0.0, 1.0, -1.0, 0.0;
                                 return j;
                               }};

// y' = -k (y - x²), x' = x: stiff for a large k. On y = x² k/(k + 2) from there.
ode_system<2> slaved(double k) {
  return {[k](const state2& x) {
            return state2{x[0], -k * (x[1] - x[0] * x[0])};
          },
          [k](const state2& x) {
            Eigen::Matrix2d j;
            j << 1.0, 0.0, 2.0 * k * x[0], -k;
            return j;
          }};
}

integration_options with(double tolerance, stepper method, double end) {
  integration_options o;
  o.relative_tolerance = tolerance;
  o.method = method;
  o.end_time = end;
  return o;
}

ode_event<2> when(std::function<double(const state2&)> value,
                  crossing direction = crossing::rising) {
  return {std::move(value), direction};
}

integration_result<2> run(const ode_system<2>& system, const state2& x0,
                          const integration_options& o, std::vector<ode_event<2>> events = {}) {
  return integrate<2>(system, x0, 0.0, o, events);
}

// At constant speed each step is several times the one before.
const ode_system<2> drift{[](const state2&) {
                            return state2{1.0, 0.0};
                          },
                          [](const state2&) { return Eigen::Matrix2d::Zero().eval(); }};

struct span_of_step {
  double begin;
  double length;
};

// The first step from (1, 0) that is longer than 5, and not the last.
span_of_step long_step(const integration_options& options) {
  span_of_step found{};
  integrate<2>(drift, {1.0, 0.0}, 0.0, options, {}, [&](const dense_step<2>& step) {
    found = {step.begin, step.end - step.begin};
    return found.length < 5.0;
  });
  REQUIRE(found.begin + found.length < options.end_time);
  return found;
}

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("the error follows the tolerance at the order of the method") {
  // Error per step ~ h^p at steps ~ tol^(1/p) over a fixed time: the whole error is proportional to
  // tol^((p-1)/p): 4/5 for the pair 5(4), 3/4 for 4(3), a little more where the higher order is
  // kept.
  for (const auto& [method, least, most] :
       {std::tuple(stepper::explicit_5, 0.75, 1.1), std::tuple(stepper::stiff, 0.7, 1.1)}) {
    const auto error = [&, method = method](double tolerance) {
      const auto r = run(oscillator, {1.0, 0.0}, with(tolerance, method, 10.0));
      CHECK(r.status == integration_status::end_time);
      CHECK(r.t == Approx(10.0).epsilon(1e-15));
      return std::hypot(r.x[0] - std::cos(10.0), r.x[1] + std::sin(10.0));
    };
    const double slope = std::log10(error(1e-6) / error(1e-10)) / 4.0;
    CAPTURE(static_cast<int>(method));
    CHECK(slope > least);
    CHECK(slope < most);
    CHECK(error(1e-10) < 1e-8);
  }
}

TEST_CASE("a crossing is found to the accuracy of the integration") {
  for (const stepper method : {stepper::explicit_5, stepper::stiff, stepper::automatic}) {
    for (const double level : {0.9, 0.3, 0.0, -0.77}) {
      CAPTURE(static_cast<int>(method), level);
      const auto r = run(oscillator, {1.0, 0.0}, with(1e-11, method, 10.0),
                         {when([level](const state2& x) { return level - x[0]; })});
      CHECK(r.status == integration_status::event);
      CHECK(r.t == Approx(std::acos(level)).epsilon(1e-9));
      CHECK(r.x[0] == test::within(level, 1e-12));
    }
  }
}

TEST_CASE("directions tell a rise from a fall") {
  // cos t falls through zero at π/2 and rises at 3π/2; from t = 2 on the rise comes first.
  const auto height = [](const state2& x) { return x[0]; };
  const auto from = [&](double t0, crossing direction) {
    return integrate<2>(oscillator, {std::cos(t0), -std::sin(t0)}, t0,
                        with(1e-11, stepper::explicit_5, 10.0),
                        std::vector{when(height, direction)});
  };
  CHECK(from(0.0, crossing::falling).t == Approx(0.5 * M_PI).epsilon(1e-9));
  CHECK(from(0.0, crossing::either).t == Approx(0.5 * M_PI).epsilon(1e-9));
  CHECK(from(2.0, crossing::rising).t == Approx(1.5 * M_PI).epsilon(1e-9));
  CHECK(from(2.0, crossing::either).t == Approx(1.5 * M_PI).epsilon(1e-9));
  CHECK(from(0.0, crossing::rising).status == integration_status::event_at_start);
  CHECK(from(2.0, crossing::falling).status == integration_status::event_at_start);
}

TEST_CASE("no crossing: the run goes on to its end") {
  const auto r = run(oscillator, {1.0, 0.0}, with(1e-9, stepper::explicit_5, 20.0),
                     {when([](const state2& x) { return x[0] - 1.0001; })});
  CHECK(r.status == integration_status::end_time);
}

TEST_CASE("the earliest of several events wins, whatever their order") {
  const auto first = when([](const state2& x) { return 0.5 - x[0]; });
  const auto second = when([](const state2& x) { return 0.499 - x[0]; });
  const auto o = with(1e-6, stepper::explicit_5, 10.0);
  const auto a = run(oscillator, {1.0, 0.0}, o, {first, second});
  const auto b = run(oscillator, {1.0, 0.0}, o, {second, first});
  CHECK(a.event == 0);
  CHECK(b.event == 1);
  CHECK(a.t == b.t);
}

TEST_CASE("an event that is true at the start is said to be") {
  const auto o = with(1e-9, stepper::explicit_5, 10.0);
  const auto r = run(oscillator, {1.0, 0.0}, o,
                     {when([](const state2& x) { return x[0] - 5.0; }),
                      when([](const state2& x) { return x[0] - 0.5; })});
  CHECK(r.status == integration_status::event_at_start);
  CHECK(r.event == 1);
  CHECK(r.t == 0.0);
  CHECK(run(oscillator, {1.0, 0.0}, o, {when([](const state2& x) { return x[1]; })}).status ==
        integration_status::event_at_start);
}

TEST_CASE("two crossings in one step are not missed") {
  // A loose tolerance makes steps of more than one; |x| dips below zero by 1e-3 about t = π.
  const auto dip = when([](const state2& x) { return -(x[0] + 0.999); });
  const auto r = run(oscillator, {1.0, 0.0}, with(1e-2, stepper::explicit_5, 6.0), {dip});
  CHECK(r.status == integration_status::event);
  CHECK(r.t == test::within(std::acos(-0.999), 0.1));
  CHECK(r.steps < 12);
}

TEST_CASE("a dip inside a step is not taken for far from zero") {
  // A smooth dip through zero, as wide as a third of a step, is found wherever it is in there.
  for (const stepper method : {stepper::explicit_5, stepper::stiff}) {
    const integration_options options = with(1e-9, method, 1e3);
    const auto [begin, length] = long_step(options);
    const double width = 0.3 * length;
    for (double part = 0.14; part < 0.88; part += 0.025) {
      const double centre = begin + part * length;
      const auto dip = when([&](const state2& x) {
        const double z = (x[0] - 1.0 - centre) / width;
        return 1.001 * std::exp(-z * z) - 1.0;
      });
      const auto r = run(drift, {1.0, 0.0}, options, {dip});
      CAPTURE(method == stepper::stiff, part);
      CHECK(r.status == integration_status::event);
      CHECK(r.t == Approx(centre - width * std::sqrt(std::log(1.001))).epsilon(1e-6));
    }
  }
}

TEST_CASE("a step that passes an event with a turn on its way finds the first crossing") {
  // (z + 1) z (z - 1)
  for (const stepper method : {stepper::explicit_5, stepper::stiff}) {
    const integration_options options = with(1e-9, method, 1e3);
    const auto [begin, length] = long_step(options);
    const double width = 0.2 * length;
    for (double part = 0.25; part < 0.75; part += 0.025) {
      const double centre = begin + part * length;
      const auto r = run(drift, {1.0, 0.0}, options, {when([&](const state2& x) {
                           const double z = (x[0] - 1.0 - centre) / width;
                           return (z + 1.0) * z * (z - 1.0);
                         })});
      CAPTURE(method == stepper::stiff, part);
      CHECK(r.status == integration_status::event);
      CHECK(r.t == Approx(centre - width).epsilon(1e-9));
    }
  }
}

TEST_CASE("a tangent below the level is no crossing") {
  const auto r = run(oscillator, {1.0, 0.0}, with(1e-11, stepper::explicit_5, 6.0),
                     {when([](const state2& x) { return -(x[0] + 1.0 + 1e-6); })});
  CHECK(r.status == integration_status::end_time);
}

TEST_CASE("a step that leads to NaN is rejected") {
  // √(1 - x) has no value beyond 1, which the solution of x' = √(1 - x) only reaches at t = 2.
  const ode_system<2> system{[](const state2& x) {
                               return state2{std::sqrt(1.0 - x[0]), 0.0};
                             },
                             [](const state2& x) {
                               Eigen::Matrix2d j = Eigen::Matrix2d::Zero();
                               j(0, 0) = -0.5 / std::sqrt(1.0 - x[0]);
                               return j;
                             }};
  const auto r = run(system, {0.0, 0.0}, with(1e-3, stepper::explicit_5, 1.999));
  CHECK(r.status == integration_status::end_time);
  CHECK(r.x[0] == test::within(1.0 - 0.25 * 0.001 * 0.001, 1e-3));
  const auto beyond = run(system, {0.0, 0.0}, with(1e-3, stepper::explicit_5, 2.5));
  CHECK(beyond.status != integration_status::end_time);
  CHECK(std::isfinite(beyond.x[0]));
}

TEST_CASE("an integration stops where velocity or event end to exist, and says so") {
  const ode_system<2> wall{[](const state2& x) {
                             return state2{x[0] < 1.5 ? 1.0 : not_a_number, 0.0};
                           },
                           [](const state2&) { return Eigen::Matrix2d::Zero().eval(); }};
  for (const stepper method : {stepper::explicit_5, stepper::stiff, stepper::automatic}) {
    const auto r = run(wall, {1.0, 0.0}, with(1e-9, method, 5.0));
    CHECK(r.status == integration_status::undefined);
    CHECK(r.t == Approx(0.5).epsilon(1e-6));
    CHECK(r.x[0] == Approx(1.5).epsilon(1e-6));
  }
  const auto height = when([](const state2& x) { return x[0] > 0.25 ? x[0] - 2.0 : not_a_number; },
                           crossing::rising);
  const auto r = run(oscillator, {1.0, 0.0}, with(1e-9, stepper::automatic, 5.0), {height});
  CHECK(r.status == integration_status::undefined);
  CHECK(r.x[0] == Approx(0.25).epsilon(1e-6));
  CHECK(run(oscillator, {0.0, 1.0}, with(1e-9, stepper::automatic, 5.0), {height}).status ==
        integration_status::undefined);
}

TEST_CASE("a solution that grows without bound ends as a blow-up with its last state") {
  const ode_system<2> square{[](const state2& x) {
                               return state2{x[0] * x[0], 0.0};
                             },
                             [](const state2& x) {
                               Eigen::Matrix2d j = Eigen::Matrix2d::Zero();
                               j(0, 0) = 2.0 * x[0];
                               return j;
                             }};
  for (const stepper method : {stepper::explicit_5, stepper::stiff, stepper::automatic}) {
    const auto r = run(square, {1.0, 0.0}, with(1e-8, method, 5.0));
    CHECK(r.status == integration_status::blow_up);
    CHECK(r.t == Approx(1.0).epsilon(1e-6));
    CHECK(std::isfinite(r.x[0]));
  }
  const ode_system<2> broken{[](const state2&) {
                               return state2{not_a_number, 0.0};
                             },
                             [](const state2&) { return Eigen::Matrix2d::Zero().eval(); }};
  CHECK(run(broken, {1.0, 0.0}, with(1e-8, stepper::automatic, 1.0)).status ==
        integration_status::undefined);
}

TEST_CASE("a tolerance that can't be reached ends with a status") {
  // A velocity that flickers in its tenth digit.
  const ode_system<2> noisy{[](const state2& x) {
                              return state2{1.0 + 1e-4 * std::sin(1e17 * x[0]), 0.0};
                            },
                            [](const state2&) { return Eigen::Matrix2d::Zero().eval(); }};
  integration_options o = with(1e-13, stepper::explicit_5, 1e3);
  o.absolute_tolerance = 0.0;
  o.step_limit = 20'000;
  const auto r = run(noisy, {1.0, 0.0}, o);
  CHECK((r.status == integration_status::step_underflow ||
         r.status == integration_status::step_limit));
  CHECK(std::isfinite(r.x[0]));
  o.step_limit = 3;
  CHECK(run(oscillator, {1.0, 0.0}, o).status == integration_status::step_limit);
}

TEST_CASE("a state that rests goes on to the end") {
  const ode_system<2> to_rest{[](const state2& x) {
                                return state2{1.0 - x[0], 3.0 * (x[0] - x[1])};
                              },
                              [](const state2&) {
                                Eigen::Matrix2d j;
                                j << -1.0, 0.0, 3.0, -3.0;
                                return j;
                              }};
  for (const stepper method : {stepper::automatic, stepper::explicit_5, stepper::stiff}) {
    const auto r = run(to_rest, {0.2, -0.3}, with(1e-9, method, 5e4));
    CHECK(r.status == integration_status::end_time);
    CHECK(r.t == 5e4);
    CHECK(r.x[0] == test::within(1.0, 1e-9));
    CHECK(r.x[1] == test::within(1.0, 1e-9));
  }
}

TEST_CASE("stiff problems get implicit steps by themselves") {
  const double k = 1e8;
  const state2 start{1e-3, 1e-6 * k / (k + 2.0)};
  const double end = std::log(1e3);
  const auto automatic = run(slaved(k), start, with(1e-8, stepper::automatic, end));
  CHECK(automatic.status == integration_status::end_time);
  CHECK(automatic.x[0] == Approx(1.0).epsilon(1e-6));
  CHECK(automatic.x[1] == Approx(k / (k + 2.0)).epsilon(1e-6));
  CHECK(automatic.steps < 2000);  // an explicit method is stable with 2e8
  integration_options limited = with(1e-8, stepper::explicit_5, end);
  limited.step_limit = 20'000;
  CHECK(run(slaved(k), start, limited).status == integration_status::step_limit);
}

TEST_CASE("short steps count after a long time") {
  const auto r =
      integrate<2>(oscillator, {1.0, 0.0}, 1e15, with(1e-9, stepper::explicit_5, 1e15 + 8));
  CHECK(r.status == integration_status::end_time);
  CHECK(r.x[0] == Approx(std::cos(8.0)).epsilon(1e-6));
  // Summed in one double, a thousand steps of 1/16 would be lost to rounding at 1e15.
  const auto event =
      integrate<2>(oscillator, {1.0, 0.0}, 1e15, with(1e-9, stepper::explicit_5, inf),
                   std::vector{when([](const state2& x) { return -x[0]; })});
  CHECK(event.x[1] == Approx(-1.0).epsilon(1e-7));
}

TEST_CASE("where an integration can't begin it says why, and at its end it is there") {
  const auto of = [](double velocity) {
    return run({[velocity](const state2&) {
                  return state2{velocity, 0.0};
                },
                [](const state2&) { return Eigen::Matrix2d::Zero().eval(); }},
               {1.0, 0.0}, with(1e-9, stepper::explicit_5, 1.0));
  };
  CHECK(of(not_a_number).status == integration_status::undefined);
  CHECK(of(inf).status == integration_status::blow_up);
  const auto r = integrate<2>(oscillator, {1.0, 0.0}, 2.0, with(1e-9, stepper::explicit_5, 2.0));
  CHECK(r.status == integration_status::end_time);
  CHECK(r.steps == 0);
  CHECK(r.x[0] == 1.0);
}

TEST_CASE("the observer sees every step, with dense output, and may stop") {
  double covered = 0.0;
  double worst = 0.0;
  const auto observer = [&](const dense_step<2>& s) {
    CHECK(s.begin == test::within(covered, 1e-14));
    covered = s.end;
    for (const double part : {0.0, 0.3, 0.8, 1.0}) {
      const double t = std::lerp(s.begin, s.end, part);
      worst = std::max(worst, std::abs(s.at(t)[0] - std::cos(t)));
    }
    return s.end < 5.0;
  };
  const auto r = integrate<2>(oscillator, {1.0, 0.0}, 0.0, with(1e-10, stepper::explicit_5, 100.0),
                              {}, observer);
  CHECK(r.status == integration_status::stopped);
  CHECK(r.t < 6.0);
  CHECK(worst < 1e-8);
}

TEST_CASE("options out of range are named") {
  const auto fault = [](integration_options o) -> std::string {
    try {
      o.validate();
    } catch (const argument_error& e) {
      return e.parameter();
    }
    return "none";
  };
  CHECK(fault({}) == "none");
  CHECK(fault(with(1e-14, stepper::automatic, 1.0)) == "rtol (relative tolerance)");
  CHECK(fault(with(not_a_number, stepper::automatic, 1.0)) == "rtol (relative tolerance)");
  CHECK(fault(with(1e-9, stepper::automatic, not_a_number)) == "the end time");
  integration_options o;
  o.absolute_tolerance = -1.0;
  CHECK(fault(o) == "atol (absolute tolerance)");
}
