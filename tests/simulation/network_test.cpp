// Networks' runs: what is checked, what is kept, and that the numbers depend on nothing else.

#include <Eigen/Eigenvalues>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/simulation/network_run.hpp>
#include <string>
#include <vector>
#include "simulation/network_chain.hpp"
#include "simulation/network_sgd.hpp"

#include "support/within.hpp"

using namespace loradyn;

namespace {

network_problem problem_of(std::ptrdiff_t width, std::ptrdiff_t rank, std::ptrdiff_t teacher_width,
                           std::uint64_t batch, const std::string& name = "erf") {
  const activation f = parse_activation(name);
  network_problem problem{.geometry = aligned_geometry(width, teacher_width, 0.5, 0.4, width),
                          .student = f,
                          .teacher = f};
  problem.parameters.rank = rank;
  problem.parameters.label_noise = 0.1;
  problem.dimension = 40;
  problem.batch = batch;
  problem.learning_rate = 0.2;
  problem.steps = 32;
  problem.start.U = Eigen::MatrixXd::Constant(width, rank, 0.7);
  problem.seed = 12;
  return problem;
}

// One of each way that a step is made: sums by neuron and by adapter, U = I; runs in lanes, samples
// in lanes; each adapter.
std::vector<network_problem> one_of_each() {
  std::vector<network_problem> all;
  for (const std::uint64_t batch : {3U, 70U}) {
    all.push_back(problem_of(1, 3, 2, batch));
    all.push_back(problem_of(4, 1, 1, batch));
    all.back().parameters.adapter = adapter_constraint::free;
    all.back().parameters.readout_ratio = 0.5;
    all.push_back(problem_of(3, 2, 2, batch, "erf-0.3*relu+0.1*he3"));
    all.back().learning_rate = 0.002;
    all.push_back(problem_of(3, 1, 2, batch, "relu"));
    all.back().trained = trained_part::full;
    all.back().parameters.adapter = adapter_constraint::free;
    all.back().parameters.decay = 0.1;
    all.back().learning_rate = 0.02;
    all.back().start.U.reset();
    all.push_back(problem_of(3, 1, 2, batch, "tanh"));
    all.back().trained = trained_part::v;
    all.back().parameters.adapter = adapter_constraint::frobenius;
    all.back().start.U.reset();
  }
  return all;
}

bool same(const network_state& a, const network_state& b) {
  return a.U == b.U && a.C == b.C && a.P == b.P && a.a == b.a;
}

bool same(const network_run& a, const network_run& b) {
  bool equal = a.run == b.run && a.outcome == b.outcome && a.steps == b.steps &&
               same(a.last, b.last) && a.hits.size() == b.hits.size() &&
               a.record.size() == b.record.size();
  for (std::size_t i = 0; equal && i < a.record.size(); ++i) {
    equal = same(a.record[i], b.record[i]);
  }
  for (std::size_t i = 0; equal && i < a.hits.size(); ++i) {
    equal = a.hits[i].happened == b.hits[i].happened && a.hits[i].step == b.hits[i].step;
  }
  return equal;
}

}  // namespace

TEST_CASE("every instruction set simulates the same bits of a network") {
  for (const network_problem& problem : one_of_each()) {
    const network_problem adapter = as_adapter(problem);
    const std::vector<std::uint64_t> runs{5};
    const auto end = [&](const detail::batch_kernels& kernels) {
      detail::network_chain engine(adapter, runs, kernels);
      engine.start();
      for (std::uint64_t step = 0; step < 32; ++step) {
        engine.step(step);
      }
      return engine.state(0);
    };
    const network_state expected = end(*detail::available_kernels().front());
    for (const detail::batch_kernels* const kernels : detail::available_kernels()) {
      CAPTURE(kernels->name, problem.batch, problem.geometry.width());
      CHECK(same(end(*kernels), expected));
    }
  }
}

TEST_CASE("a network's run is the same alone, in an ensemble and on any number of threads") {
  for (const network_problem& problem : one_of_each()) {
    network_plan plan{.record = {0, 7, 32}};
    plan.events.push_back({.quantity = {.matrix = network_matrix::mean_overlap}, .level = 0.45});
    for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
      const network_ensemble one = simulate_ensemble(problem, engine, plan, 19, {.threads = 1});
      const network_ensemble two = simulate_ensemble(problem, engine, plan, 19, {.threads = 2});
      REQUIRE(one.complete());
      REQUIRE(two.complete());
      CAPTURE(problem.batch, problem.geometry.width(), static_cast<int>(engine));
      for (std::size_t run = 0; run < 19; ++run) {
        CHECK(same(one.runs[run], two.runs[run]));
      }
      for (const std::uint64_t run : {0U, 6U, 18U}) {
        CHECK(same(replay_run(problem, engine, plan, run), one.runs[run]));
      }
      // Runs differ, and so do seeds.
      CHECK_FALSE(same(one.runs[0].last, one.runs[1].last));
      network_problem other = problem;
      ++other.seed;
      CHECK_FALSE(same(replay_run(other, engine, plan, 0).last, one.runs[0].last));
    }
  }
}

TEST_CASE("what an engine tells of a quantity is what the state says") {
  for (const network_problem& problem : one_of_each()) {
    const network_problem adapter = as_adapter(problem);
    std::vector<network_quantity> quantities = moving_entries(problem);
    const Eigen::Index width = problem.geometry.width();
    for (Eigen::Index i = 0; i < width; ++i) {
      for (Eigen::Index j = 0; j < problem.geometry.teacher.rows(); ++j) {
        quantities.push_back({.matrix = network_matrix::M, .row = i, .column = j});
        quantities.push_back(
            {.matrix = network_matrix::M, .row = i, .column = j, .absolute = true});
      }
      for (Eigen::Index j = 0; j < width; ++j) {
        quantities.push_back({.matrix = network_matrix::Q, .row = i, .column = j});
      }
      quantities.push_back({.matrix = network_matrix::a, .row = i});
    }
    for (Eigen::Index a = 0; a < adapter.parameters.rank; ++a) {
      quantities.push_back({.matrix = network_matrix::m, .row = a});
    }
    quantities.push_back({.matrix = network_matrix::largest_overlap});
    quantities.push_back({.matrix = network_matrix::mean_overlap});
    quantities.push_back({.matrix = network_matrix::mean_overlap, .absolute = true});
    const std::vector<std::uint64_t> runs{3};
    const auto check = [&](auto engine) {
      engine.start();
      for (std::uint64_t step = 0; step < 5; ++step) {
        engine.step(step);
      }
      for (const network_quantity& quantity : quantities) {
        CAPTURE(name_of(quantity), problem.batch, width);
        CHECK(engine.value(quantity, 0) ==
              test::within(value_of(quantity, problem, {}, engine.state(0)), 1e-13));
      }
    };
    check(detail::network_chain(adapter, runs, detail::best_kernels()));
    check(detail::network_sgd(adapter, runs, detail::best_kernels()));
  }
}

TEST_CASE("adapters keep what they are held to, and V V' stays a Gram matrix") {
  for (network_problem problem : one_of_each()) {
    problem.steps = 2000;
    const network_plan plan{.record = {0, 2000}};
    for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
      const network_run run = replay_run(problem, engine, plan, 0);
      CAPTURE(problem.batch, problem.geometry.width(), static_cast<int>(engine));
      REQUIRE(run.outcome == run_outcome::finished);
      const Eigen::MatrixXd S = run.last.S();
      CHECK(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(run.last.P).eigenvalues()[0] > -1e-13);
      if (problem.parameters.adapter == adapter_constraint::sphere) {
        CHECK((S.diagonal().array() - 1.0).abs().maxCoeff() < 1e-13);
      } else if (problem.parameters.adapter == adapter_constraint::frobenius) {
        CHECK(S.trace() == test::within(run.record[0].S().trace(), 1e-12));
      } else {
        CHECK(std::abs(S.trace() - run.record[0].S().trace()) > 1e-3);
      }
      CHECK((run.last.a == run.record[0].a) == (problem.parameters.readout_ratio == 0.0));
      CHECK((run.last.U == run.record[0].U) == (problem.trained != trained_part::lora));
    }
  }
}

TEST_CASE("a learning rate of nothing moves no network") {
  for (network_problem problem : one_of_each()) {
    problem.learning_rate = 1e-30;
    const network_plan plan{.record = {0, 32}};
    for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
      const network_run run = replay_run(problem, engine, plan, 5);
      CAPTURE(problem.batch, problem.geometry.width(), static_cast<int>(engine));
      CHECK(run.record[1].U == run.record[0].U);
      CHECK((run.record[1].C - run.record[0].C).cwiseAbs().maxCoeff() < 1e-13);
      CHECK((run.record[1].S() - run.record[0].S()).cwiseAbs().maxCoeff() < 1e-13);
    }
  }
}

TEST_CASE("training all of W starts from W0, and V alone from random rows") {
  network_problem full = one_of_each()[3];
  REQUIRE(full.trained == trained_part::full);
  const network_plan plan{.record = {0}};
  for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
    const network_state start = replay_run(full, engine, plan, 0).record[0];
    CHECK(start.U.isIdentity(0.0));
    CHECK((start.C - full.geometry.pretrained).cwiseAbs().maxCoeff() < 1e-14);
    CHECK(start.P.cwiseAbs().maxCoeff() < 1e-14);
    const network_quantity entry{.matrix = network_matrix::M};
    CHECK(value_of(entry, full, plan, start) == test::within(0.5, 1e-14));

    network_problem scratch = full;
    scratch.trained = trained_part::scratch;
    scratch.start.scale = 0.01;
    const network_state small = replay_run(scratch, engine, plan, 0).record[0];
    CHECK((small.S().diagonal().array() - 1e-4).abs().maxCoeff() < 1e-17);
    CHECK(std::abs(value_of(entry, scratch, plan, small)) < 0.01);
  }
}

TEST_CASE("a given start is where a network's run starts") {
  network_problem problem = problem_of(2, 2, 2, 8);
  problem.parameters.adapter = adapter_constraint::free;
  Eigen::MatrixXd C(2, 4);
  C << 0.3, -0.2, 0.1, 0.5, 0.0, 0.4, -0.6, 0.2;
  Eigen::MatrixXd P(2, 2);
  P << 0.5, 0.5, 0.5, 0.5;  // singular
  problem.start.C = C;
  problem.start.P = P;
  const network_plan plan{.record = {0}};
  for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
    const network_state start = replay_run(problem, engine, plan, 0).record[0];
    CHECK((start.C - C).cwiseAbs().maxCoeff() < 1e-14);
    CHECK((start.P - P).cwiseAbs().maxCoeff() < 1e-14);
  }
}

TEST_CASE("a semidefinite factor is one, of singular matrices too") {
  for (const Eigen::Index rank : {0, 1, 2, 5}) {
    Eigen::MatrixXd half(5, rank);
    for (Eigen::Index i = 0; i < 5; ++i) {
      for (Eigen::Index j = 0; j < rank; ++j) {
        half(i, j) = std::sin(static_cast<double>(1 + 3 * i + 5 * j * j));
      }
    }
    const Eigen::MatrixXd A = half * half.transpose();
    const Eigen::MatrixXd L = detail::semidefinite_factor(A);
    CAPTURE(rank);
    CHECK((L * L.transpose() - A).cwiseAbs().maxCoeff() < 1e-13);
    CHECK(L.isLowerTriangular(0.0));
    std::vector<detail::lane_values> lanes(25);
    std::vector<detail::lane_values> lower(25);
    for (Eigen::Index i = 0; i < 25; ++i) {
      lanes[static_cast<std::size_t>(i)].fill(A(i / 5, i % 5));
    }
    detail::best_kernels().network->factor(lanes.data(), 5, lower.data());
    for (Eigen::Index i = 0; i < 25; ++i) {
      CHECK(lower[static_cast<std::size_t>(i)][3] == test::within(L(i / 5, i % 5), 1e-13));
    }
  }
}

TEST_CASE("events of a network are its first steps beyond a level") {
  network_problem problem = problem_of(2, 1, 2, 8);
  problem.steps = 400;
  network_plan plan;
  for (std::uint64_t step = 0; step <= 400; ++step) {
    plan.record.push_back(step);
  }
  const network_quantity first{.matrix = network_matrix::M};
  const network_quantity size{.matrix = network_matrix::Q, .row = 1, .column = 1};
  const network_quantity mean{.matrix = network_matrix::mean_overlap, .absolute = true};
  plan.risk = [&problem](const network_state& x) {
    const network_overlaps o = overlaps_of(problem.geometry, x);
    return o.weights.trace() - 2.0 * o.targets(0, 0) + x.a.sum();
  };
  plan.events = {{first, 0.7, event_direction::rising},
                 {size, 0.5, event_direction::either},
                 {mean, 0.6, event_direction::rising},
                 {{.matrix = network_matrix::risk}, 3.0, event_direction::falling},
                 {first, 100.0, event_direction::rising},
                 {first, 100.0, event_direction::falling}};
  for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
    const network_ensemble runs = simulate_ensemble(problem, engine, plan, 9);
    for (const network_run& run : runs.runs) {
      for (std::size_t i = 0; i < plan.events.size(); ++i) {
        const network_event& event = plan.events[i];
        const auto value = [&](std::uint64_t step) {
          return value_of(event.quantity, problem, plan, run.record[step]);
        };
        const bool rising = event.direction == event_direction::rising ||
                            (event.direction == event_direction::either && value(0) <= event.level);
        std::uint64_t step = 0;
        while (step <= 400 && !(rising ? value(step) >= event.level : value(step) <= event.level)) {
          ++step;
        }
        CAPTURE(static_cast<int>(engine), run.run, i);
        CHECK(run.hits[i].happened == (step <= 400));
        if (run.hits[i].happened) {
          CHECK(run.hits[i].step == step);
          CHECK(same(run.hits[i].state, run.record[step]));
        }
      }
    }
    network_plan stopping = plan;
    stopping.events.resize(1);
    stopping.stop_after_events = true;
    const network_run stopped = replay_run(problem, engine, stopping, 0);
    REQUIRE(runs.runs[0].hits[0].happened);
    CHECK(stopped.outcome == run_outcome::stopped);
    CHECK(stopped.steps == runs.runs[0].hits[0].step);
    CHECK(stopped.record.size() == stopped.steps + 1);
  }
}

TEST_CASE("a network that diverges ends at its last finite state, and the others go on") {
  network_problem problem = problem_of(2, 2, 1, 4, "he3");
  problem.parameters.adapter = adapter_constraint::free;
  problem.learning_rate = 0.0015;
  problem.steps = 300;
  const network_plan plan;
  for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
    const network_ensemble runs = simulate_ensemble(problem, engine, plan, 40);
    std::size_t diverged = 0;
    for (const network_run& run : runs.runs) {
      CHECK(run.last.U.allFinite());
      CHECK(run.last.C.allFinite());
      diverged += run.outcome == run_outcome::diverged ? 1U : 0U;
    }
    CAPTURE(static_cast<int>(engine), diverged);
    CHECK(diverged > 0);
    CHECK(diverged < 40);
  }
}

TEST_CASE("an ensemble of networks stops when it is asked to") {
  network_problem problem = problem_of(2, 2, 2, 64);
  problem.steps = 1'000'000'000;
  std::size_t calls = 0;
  double share = -1.0;
  const network_ensemble asked =
      simulate_ensemble(problem, simulation_engine::chain, {}, 100,
                        {.threads = 2,
                         .stop = [&calls] { return ++calls == 2; },
                         .progress = [&share](std::size_t, double s) { share = s; }});
  CHECK_FALSE(asked.complete());
  CHECK(asked.runs.empty());
  CHECK(calls == 2);
  CHECK(share >= 0.0);
  request_stop();
  const network_ensemble interrupted = simulate_ensemble(problem, simulation_engine::sgd, {}, 100);
  clear_stop();
  CHECK(interrupted.runs.empty());
}

namespace {

// Stages of each kind: another teacher with its rates, the source task, and after a flip.
network_problem problem_of_stages(std::uint64_t batch) {
  network_problem problem = problem_of(3, 2, 2, batch);
  problem.geometry = aligned_geometry(3, 2, 0.5, 0.4, 3, 0.6);
  problem.geometry.source_readout = 1.5 * problem.geometry.source_readout;
  const activation f = problem.student;
  problem.stages = {
      {.teacher = parse_activation("tanh"), .label_noise = 0.2, .learning_rate = 0.1, .steps = 12},
      {.teacher = parse_activation("he2"),
       .on_source = true,
       .rate_ratio = 0.5,
       .decay = 0.3,
       .learning_rate = 0.05,
       .steps = 11},
      {.teacher = f, .learning_rate = 0.2, .steps = 17, .flips = true}};
  return problem;
}

}  // namespace

TEST_CASE("equal stages of a network are one longer stage, and another stage is another problem") {
  for (network_problem whole : one_of_each()) {
    network_problem parts = whole;
    parts.stages = stages_of(whole);
    parts.stages[0].steps = 13;
    parts.stages.push_back(parts.stages[0]);
    parts.stages[1].steps = 19;
    CHECK(parts.all_steps() == whole.all_steps());
    CHECK(parts.time_at(20) == test::within(whole.time_at(20), 1e-12));
    const network_plan plan{.record = {0, 13, 14, 32}};
    for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
      CAPTURE(whole.batch, whole.geometry.width(), static_cast<int>(engine));
      const network_run expected = replay_run(whole, engine, plan, 3);
      CHECK(same(replay_run(parts, engine, plan, 3), expected));
      network_problem other = parts;
      other.stages[1].learning_rate *= 0.5;
      const network_run changed = replay_run(other, engine, plan, 3);
      CHECK(same(changed.record[1], expected.record[1]));
      CHECK_FALSE(same(changed.record[2], expected.record[2]));
    }
  }
}

TEST_CASE("a network's stage that flips begins with -U, and the record before it does not know") {
  for (const std::uint64_t batch : {3U, 70U}) {
    network_problem problem = problem_of_stages(batch);
    for (network_stage& stage : problem.stages) {
      stage.learning_rate = 1e-30;
    }
    const network_plan plan{.record = {0, 23, 24, 40}};
    for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
      const network_run run = replay_run(problem, engine, plan, 1);
      CAPTURE(batch, static_cast<int>(engine));
      CHECK(run.record[1].U(0, 0) == 0.7);
      CHECK(run.record[2].U(0, 0) == -0.7);
      CHECK(run.record[3].U(2, 1) == -0.7);
    }
  }
}

TEST_CASE("a stage on the source is one on a target of its rows") {
  network_problem on_source = problem_of_stages(8);
  on_source.stages.erase(on_source.stages.begin());
  on_source.stages.erase(on_source.stages.begin() + 1, on_source.stages.end());
  network_problem on_target = on_source;
  on_target.stages[0].on_source = false;
  std::swap(on_target.geometry.teacher, on_target.geometry.source);
  std::swap(on_target.geometry.teacher_readout, on_target.geometry.source_readout);
  for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
    const network_run a = replay_run(on_source, engine, {}, 2);
    const network_run b = replay_run(on_target, engine, {}, 2);
    CHECK((a.last.U - b.last.U).cwiseAbs().maxCoeff() < 1e-12);
    CHECK((a.last.C - b.last.C).cwiseAbs().maxCoeff() < 1e-12);
    on_source.stages[0].on_source = false;
    CHECK((replay_run(on_source, engine, {}, 2).last.U - b.last.U).cwiseAbs().maxCoeff() > 1e-3);
    on_source.stages[0].on_source = true;
  }
}

TEST_CASE("a pack of networks that is saved at any step goes on as if it had not been") {
  std::vector<network_problem> all = one_of_each();
  all.push_back(problem_of_stages(3));
  all.push_back(problem_of_stages(70));
  for (const network_problem& problem : all) {
    const network_problem adapter = as_adapter(problem);
    const std::uint64_t steps = problem.all_steps();
    network_plan plan{.record = {0, 3, 10, steps}};
    plan.events.push_back({.quantity = {.matrix = network_matrix::mean_overlap}, .level = 0.45});
    for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
      const std::size_t count = detail::pack_width(adapter, engine);
      const auto make = [&] { return detail::make_pack(adapter, engine, plan, 0, count); };
      const auto whole = make();
      whole->advance(steps);
      const std::vector<network_run> expected = whole->take_results();
      // Step 0, a recorded one, one beside it, eights of steps and not, the ends of stages.
      for (const std::uint64_t step : {0U, 1U, 3U, 8U, 12U, 13U, 23U, 24U, 31U}) {
        for (const bool in_a_step : {false, true}) {
          CAPTURE(problem.batch, problem.geometry.width(), static_cast<int>(engine), step,
                  in_a_step);
          const auto first = make();
          first->advance(step);
          if (in_a_step && step > 0) {
            request_stop();
            CHECK_THROWS_AS(first->advance(1), interrupted);
            clear_stop();
          }
          const auto second = make();
          REQUIRE(second->restore(first->save()));
          CHECK(second->steps_taken() == step);
          second->advance(steps);
          REQUIRE(second->done());
          const std::vector<network_run> results = second->take_results();
          REQUIRE(results.size() == expected.size());
          for (std::size_t i = 0; i < results.size(); ++i) {
            CHECK(same(results[i], expected[i]));
          }
        }
      }
      // Of another problem's size, too short, or too long.
      const auto some = make();
      some->advance(5);
      const std::string saved = some->save();
      CHECK_FALSE(make()->restore(saved.substr(0, saved.size() - 1)));
      CHECK_FALSE(make()->restore(saved + "x"));
      network_problem wider = adapter;
      ++wider.dimension;
      const bool same_size = engine == simulation_engine::chain;
      CHECK(detail::make_pack(wider, engine, plan, 0, count)->restore(saved) == same_size);
    }
  }
}

TEST_CASE("an ensemble of networks goes on from a checkpoint to the same bits, or refuses it") {
  const network_problem problem = problem_of_stages(3);
  network_plan plan{.record = {0, 20, 40}};
  plan.events.push_back({.quantity = {.matrix = network_matrix::M}, .level = 0.6});
  constexpr std::uint64_t runs = 30;
  for (const simulation_engine engine : {simulation_engine::chain, simulation_engine::sgd}) {
    const network_ensemble expected = simulate_ensemble(problem, engine, plan, runs);
    std::string kept;
    std::size_t rounds = 0;
    std::size_t interruptions = 0;
    network_ensemble done;
    // Rounds of no time: each takes a step of every pack.
    do {
      std::size_t calls = 0;
      done = simulate_ensemble(problem, engine, plan, runs,
                               {.threads = 2,
                                .stop = [&] { return ++calls == 8; },
                                .keep = [&](const std::string& bytes) { kept = bytes; },
                                .look_every = 0.0},
                               kept);
      interruptions += done.complete() ? 0U : 1U;
      REQUIRE(++rounds < 1000);
    } while (!done.complete());
    CHECK(interruptions > 2);
    for (std::size_t i = 0; i < runs; ++i) {
      CHECK(same(done.runs[i], expected.runs[i]));
    }
    const auto refusal = [&](const network_problem& other, const std::string& bytes) {
      try {
        simulate_ensemble(other, engine, plan, runs, {}, bytes);
      } catch (const argument_error& e) {
        return std::string(e.what());
      }
      return std::string();
    };
    CHECK(refusal(problem, kept).empty());
    network_problem other = problem;
    other.stages[1].on_source = false;
    CHECK(refusal(other, kept) ==
          "the checkpoint is of a run with 'on source', but must be of one with 'on target'");
    other = problem;
    other.geometry.pretrained(0, 0) += 1e-9;
    CHECK(refusal(other, kept).find("of a run with 'pretrained rows ") != std::string::npos);
    for (std::size_t place = 0; place < kept.size(); place += 1 + kept.size() / 97) {
      std::string damaged = kept;
      damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
      CHECK_FALSE(refusal(problem, damaged).empty());
    }
    CHECK_FALSE(refusal(problem, kept.substr(0, kept.size() / 2)).empty());
  }
}

TEST_CASE("a network's problem says what is wrong with it in one line") {
  const auto message = [](auto change) {
    network_problem problem = problem_of(2, 3, 2, 8);
    network_plan plan;
    change(problem, plan);
    try {
      problem.validate();
      plan.validate(problem);
    } catch (const argument_error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  using problem_t = network_problem;
  using plan_t = network_plan;
  CHECK(message([](problem_t&, plan_t&) {}).empty());
  // p = 2 + 2 and r = 3.
  CHECK(message([](problem_t& p, plan_t&) { p.dimension = 9; }) ==
        "dim (dimension) is 9, but must be at least 10: 4 frozen directions and twice the rank");
  CHECK(message([](problem_t& p, plan_t&) { p.dimension = 10; }).empty());
  CHECK(message([](problem_t& p, plan_t&) { p.batch = 0; }) ==
        "batch is 0, but must be at least 1 and below 2^32");
  CHECK(message([](problem_t& p, plan_t&) { p.parameters.noise_scale = 1.0; }).find("unset") !=
        std::string::npos);
  CHECK(message([](problem_t& p, plan_t&) { p.geometry.readout.resize(3); }) ==
        "the size of the readouts is 3 x 1, but must be 2 x 1");
  CHECK(message([](problem_t& p, plan_t&) { p.start.U = Eigen::MatrixXd::Zero(3, 2); }) ==
        "U at the start is 3 x 2, but must be 2 x 3");
  CHECK(message([](problem_t& p, plan_t&) { p.start.C = Eigen::MatrixXd::Zero(3, 4); }) ==
        "the start of V is C alone, but must be C and P together");
  CHECK(message([](problem_t& p, plan_t&) {
          p.start.C = Eigen::MatrixXd::Zero(3, 4);
          p.start.P = -Eigen::MatrixXd::Identity(3, 3);
        }) == "the smallest eigenvalue of V V' - C C' is -1, but must be >= 0");
  CHECK(message([](problem_t& p, plan_t&) { p.start.scale = 2.0; }) ==
        "the scale of V at the start is 2, but must be 1 on spheres");
  CHECK(message([](problem_t& p, plan_t&) { p.trained = trained_part::full; }) ==
        "adapter is sphere, but must be free where all of W trains");
  CHECK(message([](problem_t& p, plan_t&) { p.trained = trained_part::v; }) ==
        "U at the start is given, but must be the identity, not given, where no U trains");
  CHECK(message([](problem_t& p, plan_t&) { p.start.one_step_batch = 10; }) ==
        "rank is 3, but must be at most the width, 2");
  CHECK(message([](problem_t& p, plan_t&) { p.learning_rate = -1.0; }) ==
        "lr (learning rate) is -1, but must be finite and > 0");
  CHECK(message([](problem_t& p, plan_t&) {
          p.stages = {{.teacher = p.teacher, .on_source = true}};
        }) ==
        "what a stage trains on is the source task, but must be the target where there is no "
        "source");
  CHECK(message([](problem_t& p, plan_t&) {
          p.stages = {{.teacher = p.teacher, .flips = true}};
          p.start.U.reset();
          p.trained = trained_part::v;
        }) == "a stage is a flip of U, but must be without one where no U trains");
  CHECK(message([](problem_t&, plan_t& plan) {
          plan.events.push_back({.quantity = {.matrix = network_matrix::U, .row = 2}});
        }) == "what an event watches is U_3_1, but must be an entry of 2 rows and 3 columns");
  CHECK(message([](problem_t&, plan_t& plan) {
          plan.events.push_back({.quantity = {.matrix = network_matrix::risk}});
        }) == "the risk that an event watches is missing, but must be a function of the state");
  CHECK(message([](problem_t& p, plan_t& plan) { plan.record = {p.steps + 1}; }) ==
        "the last recorded step is 33, but must be at most the number of steps");
  CHECK_THROWS_AS(simulate_ensemble(problem_of(1, 1, 1, 8), simulation_engine::chain, {}, 0),
                  argument_error);
  CHECK_THROWS_AS(simulate_ensemble(problem_of(1, 1, 1, 8), simulation_engine::chain,
                                    {.record = {0}}, 1'000'000, {.memory_limit = 1e6}),
                  argument_error);
}
