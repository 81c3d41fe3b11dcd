#include <Eigen/Core>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/analysis/network_escape.hpp>
#include <loradyn/analysis/network_search.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <vector>

#include "support/network_task.hpp"
#include "support/within.hpp"

using namespace loradyn;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::task_of;

namespace {

network_flow flow_of(const std::string& name, network_geometry g, const network_parameters& p) {
  return {task_of(name), std::move(g), p};
}

}  // namespace

TEST_CASE("the search of one neuron is the search phase, at any rank (14.9)") {
  // Rates of 1e-10 too are told from rounding.
  for (const char* name : {"erf", "relu", "he3", "tanh", "1e-5*erf"}) {
    CAPTURE(name);
    const activation a = parse_activation(name);
    lora_parameters single;
    single.alignment = 0.5;
    single.misalignment = 0.3;
    single.rate_ratio = 1.4;
    const search_phase_result expected = search_phase(population_risk(a, a), single);
    network_parameters p;
    p.rank = 3;
    p.rate_ratio = 1.4;
    const network_search_result found =
        network_search(flow_of(name, aligned_geometry(1, 1, 0.5, 0.3, 1), p));
    REQUIRE(found.modes.size() == 1);
    CHECK(found.modes[0].rate == Approx(expected.lambda).epsilon(1e-12));
    CHECK(found.modes[0].u[0] == Approx(expected.unstable.u).epsilon(1e-12));
    CHECK(found.modes[0].v[0] == Approx(expected.unstable.m).epsilon(1e-12));
    CHECK(found.modes[0].v[1] == Approx(expected.unstable.s).epsilon(1e-12));
  }
}

TEST_CASE("a search that can't be, and a first step that can't be taken, say why") {
  network_parameters frozen;
  frozen.rate_ratio = 0.0;
  CHECK(network_search(flow_of("erf", aligned_geometry(2, 1, 0.5, 0.3, 1), frozen)).status ==
        search_status::frozen);
  network_parameters p;
  p.rank = 2;
  const network_flow f = flow_of("erf", aligned_geometry(2, 1, 0.5, 0.3, 1), p);
  CHECK_THROWS_AS(one_step_start(f, 0.0, 100.0, 1e-3), argument_error);
  CHECK_THROWS_AS(one_step_start(f, 1000.0, -1.0, 1e-3), argument_error);
}

TEST_CASE("a mode is what the flow does to a small start along it (14.9)") {
  const char* name = GENERATE("erf", "he3", "relu");
  const auto adapter =
      GENERATE(adapter_constraint::sphere, adapter_constraint::free, adapter_constraint::frobenius);
  const double decay = GENERATE(0.0, 0.05);
  CAPTURE(name, name_of(adapter_constraints, adapter), decay);
  network_geometry g = aligned_geometry(3, 2, 0.5, 0.3, 3);
  g.readout = VectorXd::LinSpaced(3, 0.5, 0.9);
  network_parameters p;
  p.rank = 2;
  p.rate_ratio = 1.3;
  p.adapter = adapter;
  p.decay = decay;
  const network_flow f = flow_of(name, g, p);
  const network_search_result search = network_search(f);
  REQUIRE(!search.modes.empty());
  for (const network_mode& mode : search.modes) {
    CHECK(mode.left_u.dot(mode.u) + mode.left_v.dot(mode.v) == Approx(1.0).epsilon(1e-13));
    CHECK(mode.u.squaredNorm() + mode.v.squaredNorm() == Approx(1.0).epsilon(1e-13));
    const double size = 1e-6;
    network_state x{MatrixXd::Zero(3, 2), MatrixXd::Zero(2, g.directions()),
                    MatrixXd::Identity(2, 2), g.readout};
    x.U.col(0) = size * mode.u;
    x.C.row(0) = size * mode.v.transpose();
    if (adapter == adapter_constraint::frobenius) {
      x.P *= 0.5;
    }
    if (adapter == adapter_constraint::free && decay > 0.0) {
      x.P.setZero();  // where V is when a long search ends
    } else {
      x.P(0, 0) -= size * size * mode.v.squaredNorm();
    }
    const network_state v = f.velocity(x);
    CHECK((v.U - mode.rate * x.U).norm() == test::within(0.0, 1e-4 * size * mode.rate));
    CHECK((v.C - mode.rate * x.C).norm() == test::within(0.0, 1e-4 * size * mode.rate));
  }
}

TEST_CASE("the law at rank r has as many degrees of freedom, and its checked quantiles (14.10)") {
  // docs/theory.md, section 14: erf, K = 1, μ = .5, d = 1000, γ = η d/B = 1, event M = .75.
  struct row {
    std::ptrdiff_t rank;
    std::array<double, 3> quantiles;
  };
  for (const row& r : {row{1, {134.9, 175.5, 252.2}}, row{2, {122.8, 150.1, 193.1}},
                       row{4, {110.8, 130.0, 156.2}}}) {
    CAPTURE(r.rank);
    network_parameters p;
    p.rank = r.rank;
    p.noise_scale = 1.0;
    p.adapter = adapter_constraint::free;
    const network_flow f = flow_of("erf", aligned_geometry(1, 1, 0.5, 0.0, 1), p);
    network_overlap_event event;
    event.quantity = network_overlap_quantity::M;
    event.at = 0.75;
    const escape_law law = law_of_escape(f, event, 1000.0, 1e-6, {});
    CHECK(law.status == law_status::ok);
    for (std::size_t i = 0; i < 3; ++i) {
      const double q = std::array{0.1, 0.5, 0.9}[i];
      CHECK(law.quantile(q) == test::within(r.quantiles[i], 0.05));
      CHECK(law.cdf(law.quantile(q)) == Approx(q).epsilon(1e-9));
    }
    // The density is the slope of the distribution, and the mean its average.
    const double t = law.quantile(0.4);
    CHECK(law.density(t) == Approx((law.cdf(t + 1e-3) - law.cdf(t - 1e-3)) / 2e-3).epsilon(1e-6));
    double mean = 0.0;
    const int parts = 20000;
    for (int i = 0; i < parts; ++i) {
      mean += law.quantile((i + 0.5) / parts) / parts;
    }
    CHECK(law.mean() == Approx(mean).epsilon(1e-4));
  }
}

TEST_CASE("no law is told of one adapter among several") {
  // The largest of two overlaps reached 0.5 some 7 later, of 75, than one adapter along the mode
  // did, at d = 300 as at d = 3000: |Z| is shared out among them differently in every run.
  network_parameters p;
  p.adapter = adapter_constraint::free;
  p.noise_scale = 1.0;
  for (const std::ptrdiff_t rank : {1, 2}) {
    p.rank = rank;
    const network_flow f = flow_of("erf", aligned_geometry(1, 1, 0.5, 0.0, 1), p);
    network_overlap_event event;
    event.quantity = network_overlap_quantity::m;
    event.at = 0.5;
    if (rank == 1) {
      CHECK(law_of_escape(f, event, 1000.0, 1e-6, {}).status == law_status::ok);
    } else {
      CHECK_THROWS_AS(law_of_escape(f, event, 1000.0, 1e-6, {}), argument_error);
    }
  }
}

TEST_CASE("the law of one neuron is the law of the flow of (u, m, s)") {
  const activation a = parse_activation("erf");
  const learning_task task(a, a);
  const flow single(task, {0.5, 0.2, 1.0, 0.1, 1.3});
  const escape_law expected = law_of_escape(single, {overlap_quantity::m, 0.5, false}, 1000.0, 2e-2,
                                            {}, outcome_classifier(task));
  network_parameters p;
  p.noise_scale = 1.0;
  p.label_noise = 0.1;
  p.rate_ratio = 1.3;
  const escape_law found = law_of_escape(flow_of("erf", aligned_geometry(1, 1, 0.5, 0.2, 1), p),
                                         network_overlap_event{}, 1000.0, 2e-2, {});
  CHECK(found.tau == Approx(expected.tau).epsilon(1e-12));
  CHECK(found.variance == Approx(expected.variance).epsilon(1e-12));
  CHECK(found.mean_amplitude == Approx(expected.mean_amplitude).epsilon(1e-12));
  CHECK(found.nonlinear_time == test::within(expected.nonlinear_time, 1e-7 * expected.tau));
}

TEST_CASE("readouts that train are at their best for W0 while a search goes on (14.9)") {
  network_geometry g = aligned_geometry(2, 2, 0.5, 0.3, 2);
  g.readout << 0.7, 1.2;
  network_parameters p;
  p.readout_ratio = 0.2;
  const network_flow f = flow_of("relu", g, p);
  const network_search_result search = network_search(f);
  // The best readouts: where the flow of a alone ends.
  network_state x{MatrixXd::Zero(2, 1), MatrixXd::Zero(1, g.directions()), MatrixXd::Identity(1, 1),
                  g.readout};
  for (int i = 0; i < 2000; ++i) {
    x.a += f.velocity(x).a;
  }
  REQUIRE(f.velocity(x).a.norm() == test::within(0.0, 1e-13));
  g.readout = x.a;
  p.readout_ratio = 0.0;
  const network_search_result there = network_search(flow_of("relu", g, p));
  REQUIRE(search.modes.size() == there.modes.size());
  REQUIRE(search.modes.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(search.modes[i].rate == Approx(there.modes[i].rate).epsilon(1e-10));
  }
  // Beside them the first rates differ by a third.
  g.readout << 0.7, 1.2;
  CHECK(network_search(flow_of("relu", g, p)).modes[0].rate > 1.3 * search.modes[0].rate);
}

TEST_CASE("the law of rates that move is the law as they stop moving (14.16)") {
  network_overlap_event event;
  event.quantity = network_overlap_quantity::M;
  event.at = 0.75;
  network_parameters p;
  p.rank = 2;
  p.noise_scale = 1.0;
  p.adapter = adapter_constraint::free;
  const network_geometry g = aligned_geometry(1, 1, 0.5, 0.3, 1);
  const double dimension = 1e8;  // beyond the flow's corrections
  const double u0 = 1e-5;
  const escape_law still = law_of_escape(flow_of("erf", g, p), event, dimension, u0, {});
  REQUIRE(still.mean_amplitude > 0.01 * std::sqrt(still.variance));
  const bool of_decay = GENERATE(true, false);
  CAPTURE(of_decay);
  (of_decay ? p.decay : p.readout_ratio) = 1e-9;
  escape_law law = law_of_escape(flow_of("erf", g, p), event, dimension, u0, {});
  CHECK(law.status == law_status::ok);
  for (const double q : {0.01, 0.1, 0.5, 0.9, 0.99}) {
    CHECK(law.quantile(q) == test::within(still.quantile(q), 1e-3 * still.tau));
  }
  // Bent, it is a distribution still.
  (of_decay ? p.decay : p.readout_ratio) = 0.01;
  law = law_of_escape(flow_of("erf", g, p), event, 1000.0, u0, {});
  REQUIRE(law.status == law_status::ok);
  REQUIRE(std::abs(law.bend) > 1e-3 * law.tau);
  double mean = 0.0;
  const int parts = 20000;
  for (int i = 0; i < parts; ++i) {
    mean += law.quantile((i + 0.5) / parts) / parts;
  }
  CHECK(law.mean() == Approx(mean).epsilon(1e-4));
  for (const double q : {0.02, 0.1, 0.3, 0.8, 0.95}) {
    const double t = law.quantile(q);
    CHECK(law.cdf(t) == Approx(q).epsilon(1e-9));
    CHECK(law.density(t) == Approx((law.cdf(t + 1e-3) - law.cdf(t - 1e-3)) / 2e-3).epsilon(1e-5));
  }
}

TEST_CASE("two modes of like rates are told") {
  // Two neurons that are nothing to each other: the search has two equal modes.
  network_parameters p;
  const network_flow f = flow_of("he2", aligned_geometry(2, 2, 0.5, 0.0, 2), p);
  network_overlap_event event;
  event.quantity = network_overlap_quantity::M;
  event.at = 0.6;
  CHECK(law_of_escape(f, event, 1000.0, 0.0, {}).status == law_status::several_modes);
}

TEST_CASE("a run is told by its words") {
  network_parameters p;
  p.rank = 2;
  p.adapter = adapter_constraint::free;
  const network_geometry g = aligned_geometry(2, 2, 0.5, 0.0, 2);
  network_state x{MatrixXd::Constant(2, 2, 1e-3), MatrixXd(2, 2), MatrixXd::Identity(2, 2),
                  g.readout};
  x.C << 0.1, 0.02, -0.03, 0.08;
  x.P -= x.C * x.C.transpose();
  const network_flow f = flow_of("erf", g, p);
  network_overlap_event event;
  event.quantity = network_overlap_quantity::risk;
  event.at = 1e-4;
  integration_options options;
  const network_escape_run run = escape(f, x, event, options);
  CHECK(run.status == run_status::ok);
  CHECK(run.result == outcome::learned);
  CHECK(run.t_hit > 0.0);
  CHECK(f.risk(*run.at_hit) == Approx(1e-4).epsilon(1e-6));
  CHECK(run.t_end > run.t_hit);
  // He3 below its critical alignment removes what was learnt.
  const network_flow low = flow_of("he3", aligned_geometry(1, 1, 0.2, 0.0, 1), p);
  network_state small{MatrixXd::Constant(1, 2, 1e-4), Eigen::Vector2d(0.03, -0.02),
                      MatrixXd::Identity(2, 2), VectorXd::Ones(1)};
  event.at = 1e-2;
  const network_escape_run lost = escape(low, small, event, options);
  CHECK(std::isnan(lost.t_hit));
  options.end_time = 1.0;
  CHECK(escape(f, x, event, options).status == run_status::time_limit);
  event.at = 1.0;
  CHECK_THROWS_AS(escape(f, x, event, options), argument_error);
  event.quantity = network_overlap_quantity::U;
  CHECK_THROWS_AS(escape(f, x, event, options), argument_error);
  event.entry = {3, 1};
  CHECK_THROWS_AS(escape(f, x, event, options), argument_error);
}

TEST_CASE("an event beside a rest is met before the run is at rest (14.10)") {
  // Rests were taken for reached from 1e-4 on, and what lay between never came.
  network_parameters p;
  p.rank = 2;
  p.adapter = adapter_constraint::free;
  p.decay = 0.06;
  const network_flow f = flow_of("erf", aligned_geometry(2, 2, 0.5, 0.0, 1), p);
  network_state x{MatrixXd::Constant(2, 2, 1e-6), MatrixXd(2, 2), MatrixXd::Identity(2, 2),
                  f.geometry().readout};
  x.C << 0.01, 0.002, -0.003, 0.008;
  x.P -= x.C * x.C.transpose();
  network_overlap_event event{
      .quantity = network_overlap_quantity::M, .at = 0.99, .is_signed = false, .entry = {}};
  const integration_options options;
  const network_escape_run beyond = escape(f, x, event, options);
  REQUIRE(std::isnan(beyond.t_hit));
  CHECK(beyond.result == outcome::trapped);
  const double rest = overlaps_of(f.geometry(), beyond.at_end).targets.trace() / 2.0;
  const auto time = [&](double beside) {
    event.at = rest - beside;
    return escape(f, x, event, options).t_hit;
  };
  // The way to the rest is exponential in the end.
  const double decade = time(1e-5) - time(1e-4);
  CHECK(decade > 0.0);
  CHECK(time(1e-6) - time(1e-5) == Approx(decade).epsilon(0.02));
  CHECK(time(1e-7) - time(1e-6) == Approx(decade).epsilon(0.02));
  event.at = rest - 1e-5;
  CHECK(law_of_escape(f, event, 1e4, 0.0, options).status == law_status::ok);
  event.at = rest + 1e-5;
  CHECK(law_of_escape(f, event, 1e4, 0.0, options).status == law_status::no_escape);
}

TEST_CASE("a run that noise keeps from its rest for long comes to it by implicit steps") {
  network_parameters p;
  p.noise_scale = 0.5;
  p.adapter = adapter_constraint::free;
  const network_flow f = flow_of("he3", aligned_geometry(1, 1, 0.5, 0.0, 1), p);
  network_state x;
  x.U = MatrixXd::Constant(1, 1, 1e-3);
  x.C = MatrixXd::Constant(1, 1, 0.1);
  x.P = MatrixXd::Constant(1, 1, 0.99);
  x.a = f.geometry().readout;
  const network_overlap_event event{
      .quantity = network_overlap_quantity::M, .at = 0.9, .is_signed = false, .entry = {}};
  integration_options options;
  options.step_limit = 50000;
  const network_escape_run run = escape(f, x, event, options, run_extent::to_rest);
  CHECK(run.status == run_status::ok);
  CHECK(run.result != outcome::searching);
  CHECK(run.steps < 20000);
  options.method = stepper::explicit_5;
  const network_escape_run slow = escape(f, x, event, options, run_extent::to_rest);
  CHECK(slow.status == run_status::step_limit);
  CHECK(run.t_hit == test::within(slow.t_hit, 1e-6));
}

TEST_CASE("a network rests where its velocity is nothing, a large one where little is left of it") {
  network_parameters p;
  p.noise_scale = 0.05;
  p.adapter = adapter_constraint::free;
  const auto left = [&](Eigen::Index width) {
    p.rank = width;
    const network_flow f = flow_of("erf", aligned_geometry(width, width, 0.5, 0.0, width), p);
    network_state x{MatrixXd::Constant(width, width, 1e-3), 0.1 * MatrixXd::Identity(width, width),
                    MatrixXd::Identity(width, width), f.geometry().readout};
    x.P -= x.C * x.C.transpose();
    const ode_system<any_dimension> system = system_of(f);
    const auto speed = [&](const network_state& at) {
      const std::vector<double> v = system.velocity(f.pack(at));
      return Eigen::Map<const VectorXd>(v.data(), static_cast<Eigen::Index>(v.size()))
          .cwiseAbs()
          .maxCoeff();
    };
    const network_overlap_event event{
        .quantity = network_overlap_quantity::M, .at = 0.8, .is_signed = false, .entry = {}};
    const network_escape_run run = escape(f, x, event, {}, run_extent::to_rest);
    CHECK(run.status == run_status::ok);
    CHECK(run.steps < 5000);  // less than is left costs as much again
    return speed(run.at_end) / speed(*run.at_hit);
  };
  CHECK(left(4) < 2e-9);
  // 265 numbers: a Jacobian of differences costs as many velocities.
  const double of_large = left(10);
  CHECK(of_large < 1e-7);
  CHECK(of_large > 2e-9);
}

TEST_CASE("of a family of rests a network's run ends at the one that the flow leads to") {
  // Adapters may be turned into each other: the rests are a family, along which the start decides.
  network_parameters p;
  p.noise_scale = 0.05;
  p.adapter = adapter_constraint::free;
  p.rank = 2;
  const network_flow f = flow_of("erf", aligned_geometry(2, 2, 0.5, 0.0, 2), p);
  network_state x{MatrixXd(2, 2), MatrixXd(2, 2), MatrixXd::Identity(2, 2), f.geometry().readout};
  x.U << 1e-3, -2e-3, 3e-3, 1e-3;
  x.C << 0.1, 0.05, -0.2, 0.3;
  x.P -= x.C * x.C.transpose();
  const network_overlap_event event{
      .quantity = network_overlap_quantity::M, .at = 0.8, .is_signed = false, .entry = {}};
  const network_escape_run run = escape(f, x, event, {}, run_extent::to_rest);
  REQUIRE(run.status == run_status::ok);
  integration_options options;
  options.end_time = 100.0 * run.t_end;
  const auto later = integrate_network(system_of(f), f.pack(x), 0.0, options);
  const std::vector<double> told = f.pack(run.at_end);
  const Eigen::Map<const VectorXd> end(told.data(), static_cast<Eigen::Index>(told.size()));
  const Eigen::Map<const VectorXd> led(later.x.data(), static_cast<Eigen::Index>(later.x.size()));
  CHECK((end - led).cwiseAbs().maxCoeff() < 4e-6);
}

TEST_CASE("the start after one batch is what was checked against it (14.11)") {
  // docs/theory.md: erf, μ = .5, ν = .3, Δ = .1: d = 1000, 500 samples: m0 .2639, s0 -.3475;
  // 4000 samples: .4886, -.6436.
  network_parameters p;
  p.label_noise = 0.1;
  const network_flow f = flow_of("erf", aligned_geometry(1, 1, 0.5, 0.3, 1), p);
  const network_state few = one_step_start(f, 1000.0, 500.0, 0.0);
  CHECK(few.C(0, 0) == test::within(0.2639, 5e-5));
  CHECK(few.C(0, 1) == test::within(-0.3475, 5e-5));
  const network_state more = one_step_start(f, 1000.0, 4000.0, 0.0);
  CHECK(more.C(0, 0) == test::within(0.4886, 5e-5));
  CHECK(more.C(0, 1) == test::within(-0.6436, 5e-5));
  p.rank = 2;
  CHECK_THROWS_AS(
      one_step_start(flow_of("erf", aligned_geometry(1, 1, 0.5, 0.3, 1), p), 1e3, 1e3, 0.0),
      argument_error);
}

TEST_CASE("on spheres the nonlinear time depends on the direction of the amplitudes, weakly") {
  // Of two adapters with equal amplitudes against one alone; free ones may be rotated into one.
  const auto nonlinear_time = [](adapter_constraint adapter, double share) {
    network_parameters p;
    p.rank = 2;
    p.adapter = adapter;
    const network_flow f = flow_of("erf", aligned_geometry(1, 1, 0.5, 0.0, 1), p);
    const network_mode mode = network_search(f).modes.front();
    const double size = 1e-8;
    const Eigen::Vector2d along(size * std::cos(share), size * std::sin(share));
    network_state x{mode.u * along.transpose(), along * mode.v.transpose(),
                    MatrixXd::Identity(2, 2), f.geometry().readout};
    x.P -= x.C * x.C.transpose();
    network_overlap_event event;
    event.quantity = network_overlap_quantity::M;
    event.at = 0.75;
    integration_options options;
    options.absolute_tolerance = 1e-22;
    return (escape(f, x, event, options, run_extent::to_event).t_hit) * mode.rate -
           std::log(1.0 / size);
  };
  const double quarter = std::atan(1.0);
  CHECK(nonlinear_time(adapter_constraint::free, quarter) ==
        test::within(nonlinear_time(adapter_constraint::free, 0.0), 1e-6));
  const double moved = nonlinear_time(adapter_constraint::sphere, quarter) -
                       nonlinear_time(adapter_constraint::sphere, 0.0);
  // In units of τ, as docs/networks.md tells.
  CHECK(moved == test::within(0.0044, 5e-4));
}
