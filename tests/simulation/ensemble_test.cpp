#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <string>
#include <vector>

using namespace loradyn;

namespace {

constexpr simulation_engine engines[] = {simulation_engine::chain, simulation_engine::sgd};

simulation_problem small_problem(std::uint64_t batch, std::uint64_t steps) {
  const activation f = parse_activation("erf");
  simulation_problem problem = make_problem(
      f, f, {.alignment = 0.4, .misalignment = 0.3, .label_noise = 0.1, .rate_ratio = 1.5}, 25,
      batch, 0.05, steps);
  problem.seed = 77;
  problem.start.u0 = 0.3;
  return problem;
}

void check_equal(const run_result& a, const run_result& b) {
  CHECK(a.run == b.run);
  CHECK(a.outcome == b.outcome);
  CHECK(a.steps == b.steps);
  const auto same = [](const simulated_state& x, const simulated_state& y) {
    return x.u == y.u && x.m == y.m && x.s == y.s;
  };
  CHECK(same(a.last, b.last));
  CHECK(std::equal(a.record.begin(), a.record.end(), b.record.begin(), b.record.end(), same));
  CHECK(std::equal(a.hits.begin(), a.hits.end(), b.hits.begin(), b.hits.end(),
                   [&](const event_hit& x, const event_hit& y) {
                     return x.happened == y.happened && x.step == y.step && same(x.state, y.state);
                   }));
}

void check_equal(const ensemble& a, const ensemble& b) {
  CHECK(a.requested == b.requested);
  REQUIRE(a.runs.size() == b.runs.size());
  for (std::size_t i = 0; i < a.runs.size(); ++i) {
    check_equal(a.runs[i], b.runs[i]);
  }
}

const simulation_plan& usual_plan() {
  static const simulation_plan plan{
      .record = {0, 3, 10, 40}, .events = {{.quantity = simulated_quantity::m_abs, .level = 0.4}}};
  return plan;
}

template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const argument_error& fault) {
    return fault.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a run replayed alone is the run of the ensemble, to the last bit") {
  for (const simulation_engine engine : engines) {
    for (const std::uint64_t batch : {1U, 5U, 65U}) {
      CAPTURE(static_cast<int>(engine), batch);
      const simulation_problem problem = small_problem(batch, 40);
      const ensemble all = simulate_ensemble(problem, engine, usual_plan(), 21);
      REQUIRE(all.complete());
      for (const std::uint64_t run : {0U, 7U, 17U, 20U}) {
        check_equal(replay_run(problem, engine, usual_plan(), run), all.runs[run]);
      }
      // And it does not depend on how many runs there are.
      const ensemble fewer = simulate_ensemble(problem, engine, usual_plan(), 10);
      for (std::size_t run = 0; run < 10; ++run) {
        check_equal(fewer.runs[run], all.runs[run]);
      }
    }
  }
}

TEST_CASE("an ensemble is the same on any number of threads") {
  for (const simulation_engine engine : engines) {
    const simulation_problem problem = small_problem(3, 40);
    const ensemble one = simulate_ensemble(problem, engine, usual_plan(), 50, {.threads = 1});
    for (const std::size_t threads : {0U, 2U, 5U}) {
      check_equal(simulate_ensemble(problem, engine, usual_plan(), 50, {.threads = threads}), one);
    }
  }
}

TEST_CASE("an interrupted ensemble goes on from its checkpoint to the same bytes") {
  struct interrupted_case {
    simulation_engine engine;
    std::uint64_t batch;
    std::uint64_t steps;
  };
  // Eight runs in a pack, one, and explicit ones; many times look_every each, in packs that are
  // cut in the middle, at steps that are no multiple of eight.
  for (const auto& [engine, batch, steps] : {interrupted_case{simulation_engine::chain, 4, 40'000},
                                             interrupted_case{simulation_engine::chain, 65, 6'000},
                                             interrupted_case{simulation_engine::sgd, 4, 4'000}}) {
    CAPTURE(static_cast<int>(engine), batch);
    simulation_problem problem = small_problem(batch, steps / 2);
    problem.stages.push_back(problem.stages.front());
    problem.stages.back().label_noise = 0.3;
    simulation_plan plan = usual_plan();
    plan.record = linear_record(steps, 11);
    plan.events.push_back({.quantity = simulated_quantity::u, .level = 0.45});
    const std::uint64_t runs = 40;
    const ensemble expected = simulate_ensemble(problem, engine, plan, runs, {.threads = 2});

    const std::filesystem::path file =
        std::filesystem::temp_directory_path() /
        ("loradyn-checkpoint-" + std::to_string(batch) + std::to_string(steps));
    std::string kept;
    ensemble last;
    std::size_t interruptions = 0;
    for (bool complete = false; !complete; ++interruptions) {
      // Stopped after a single round, every time; the number of threads changes on the way.
      std::size_t asked = 0;
      last = simulate_ensemble(problem, engine, plan, runs,
                               {.threads = 1 + interruptions % 2,
                                .stop = [&asked] { return asked++ == 1; },
                                .keep =
                                    [&](const std::string& checkpoint) {
                                      pending_file out(file);
                                      out.write(checkpoint);
                                      out.commit();
                                    },
                                .look_every = 0.01},
                               kept);
      complete = last.complete();
      if (!complete) {
        kept = read_file(file);
      }
      REQUIRE(interruptions < 1000);
    }
    std::filesystem::remove(file);
    CHECK(interruptions > 1);
    check_equal(last, expected);

    // Another configuration is refused, with its first difference.
    problem.batch = batch + 1;
    CHECK_THAT(message_of([&] { simulate_ensemble(problem, engine, plan, runs, {}, kept); }),
               Catch::Contains("'batch " + std::to_string(batch) + "'") &&
                   Catch::Contains("'batch " + std::to_string(batch + 1) + "'"));
    problem.batch = batch;
    CHECK_THAT(message_of([&] { simulate_ensemble(problem, engine, plan, runs + 1, {}, kept); }),
               Catch::Contains("'runs 40'"));
    // So is one that was cut or changed.
    std::string damaged = kept;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    CHECK_THAT(message_of([&] { simulate_ensemble(problem, engine, plan, runs, {}, damaged); }),
               Catch::Contains("damaged"));
    CHECK_THAT(
        message_of([&] { simulate_ensemble(problem, engine, plan, runs, {}, kept.substr(0, 60)); }),
        Catch::Contains("damaged"));
    CHECK_THAT(message_of([&] { simulate_ensemble(problem, engine, plan, runs, {}, "text"); }),
               Catch::Contains("unknown format"));
  }
}

TEST_CASE("progress reaches the end") {
  double last = 0.0;
  std::size_t ended = 0;
  simulate_ensemble(small_problem(4, 2000), simulation_engine::chain, usual_plan(), 30,
                    {.progress = [&](std::size_t runs, double share) {
                      CHECK(share >= last);
                      last = share;
                      ended = runs;
                    }});
  CHECK(last == 1.0);
  CHECK(ended == 30);
}

TEST_CASE("a diverging run is named, and no average knows of it") {
  const activation f = parse_activation("he3");
  for (const simulation_engine engine : engines) {
    for (const std::uint64_t batch : {2U, 70U}) {
      CAPTURE(static_cast<int>(engine), batch);
      // A learning rate at which some runs diverge and some do not.
      simulation_problem problem =
          make_problem(f, f, {.alignment = 0.6}, 20, batch, batch == 2 ? 0.003 : 0.02, 60);
      problem.start.u0 = 1.2;
      const simulation_plan plan{.record = linear_record(60, 61)};
      const ensemble all = simulate_ensemble(problem, engine, plan, 60);
      std::size_t diverged = 0;
      for (const run_result& run : all.runs) {
        const bool finite = std::isfinite(run.last.u) && std::isfinite(run.last.m);
        CHECK(finite);
        if (run.outcome == run_outcome::diverged) {
          ++diverged;
          CHECK(run.steps < 60);
          // Recorded up to the last finite state, which is the last one recorded.
          REQUIRE(run.record.size() == run.steps + 1);
          CHECK(run.record.back().u == run.last.u);
        } else {
          CHECK(run.outcome == run_outcome::finished);
          CHECK(run.steps == 60);
          CHECK(run.record.size() == 61);
        }
      }
      CHECK(diverged > 5);
      CHECK(diverged < 55);
      const std::vector<simulated_quantity> quantities{simulated_quantity::m};
      const std::vector<double> probabilities{0.5};
      const auto summaries = summarise(all, problem, plan, quantities, probabilities);
      CHECK(summaries.back().diverged == diverged);
      CHECK(summaries.back().runs == 60 - diverged);
      CHECK(summaries.front().runs == 60);
      for (const recorded_summary& summary : summaries) {
        CHECK(summary.runs + summary.diverged == 60);
        CHECK(std::abs(summary.quantities[0].mean) <= 1.0);
        CHECK(std::isfinite(summary.quantities[0].deviation));
      }
      // The neighbours in its pack are the runs that they would be alone.
      check_equal(replay_run(problem, engine, plan, 9), all.runs[9]);
    }
  }
}

TEST_CASE("an event is the first recorded step beyond its level") {
  const std::uint64_t steps = 200;
  for (const simulation_engine engine : engines) {
    for (const std::uint64_t batch : {2U, 64U}) {
      simulation_problem problem = small_problem(batch, steps);
      problem.stages[0].learning_rate = 0.2;
      simulation_plan plan;
      plan.record = linear_record(steps, steps + 1);
      plan.risk = [](double M, double Q) { return 0.5 * (Q - 2.0 * M + 1.0); };
      for (const auto quantity :
           {simulated_quantity::u, simulated_quantity::m, simulated_quantity::m_abs,
            simulated_quantity::s, simulated_quantity::M, simulated_quantity::Q,
            simulated_quantity::risk}) {
        for (const auto direction :
             {event_direction::rising, event_direction::falling, event_direction::either}) {
          plan.events.push_back({.quantity = quantity, .level = 0.37, .direction = direction});
        }
      }
      plan.events.push_back({.quantity = simulated_quantity::u, .level = 1e6});
      const ensemble all = simulate_ensemble(problem, engine, plan, 20);
      std::size_t late = 0;
      for (const run_result& run : all.runs) {
        for (std::size_t i = 0; i < plan.events.size(); ++i) {
          const simulation_event& event = plan.events[i];
          const auto value = [&](std::size_t step) {
            return value_of(event.quantity, problem, plan, run.record[step]);
          };
          bool rising = event.direction == event_direction::rising;
          if (event.direction == event_direction::either) {
            rising = value(0) <= event.level;
          }
          std::size_t first = 0;
          while (first <= steps &&
                 !(rising ? value(first) >= event.level : value(first) <= event.level)) {
            ++first;
          }
          CHECK(run.hits[i].happened == (first <= steps));
          if (first <= steps) {
            CHECK(run.hits[i].step == first);
            CHECK(run.hits[i].state.u == run.record[first].u);
          }
          late += first > 0 && first <= steps ? 1 : 0;
        }
        CHECK_FALSE(run.hits.back().happened);
      }
      CHECK(late > 50);
    }
  }
}

TEST_CASE("runs may end with their events") {
  const simulation_problem problem = small_problem(2, 400);
  simulation_plan plan;
  plan.record = {0, 400};
  plan.events = {{.quantity = simulated_quantity::m_abs, .level = 0.3},
                 {.quantity = simulated_quantity::m_abs, .level = 0.5}};
  const ensemble whole = simulate_ensemble(problem, simulation_engine::chain, plan, 40);
  plan.stop_after_events = true;
  const ensemble cut = simulate_ensemble(problem, simulation_engine::chain, plan, 40);
  std::size_t stopped = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(cut.runs[i].hits[0].step == whole.runs[i].hits[0].step);
    CHECK(cut.runs[i].hits[1].step == whole.runs[i].hits[1].step);
    if (whole.runs[i].hits[1].happened && whole.runs[i].hits[1].step < 400) {
      ++stopped;
      CHECK(cut.runs[i].outcome == run_outcome::stopped);
      CHECK(cut.runs[i].steps == whole.runs[i].hits[1].step);
    } else {
      CHECK(cut.runs[i].outcome == run_outcome::finished);
    }
  }
  CHECK(stopped > 5);
  const auto summaries = summarise(cut, problem, plan, {}, {});
  CHECK(summaries.back().stopped == stopped);
  CHECK(summaries.back().diverged == 0);
  const hitting_times times = hitting_times_of(cut, problem, 1);
  CHECK(times.times.size() >= stopped);
  CHECK(times.times.size() + times.missing == 40);
}

TEST_CASE("equal stages are one longer stage, and another stage is another problem") {
  for (const simulation_engine engine : engines) {
    const simulation_problem whole = small_problem(3, 40);
    simulation_problem parts = whole;
    parts.stages[0].steps = 13;
    parts.stages.push_back(parts.stages[0]);
    parts.stages[1].steps = 27;
    const run_result expected = replay_run(whole, engine, usual_plan(), 4);
    check_equal(replay_run(parts, engine, usual_plan(), 4), expected);
    parts.stages[1].teacher = parse_activation("erf^2");
    parts.stages[1].learning_rate = 0.1;
    const run_result other = replay_run(parts, engine, usual_plan(), 4);
    CHECK(other.record[2].u == expected.record[2].u);  // step 10, still in the first stage
    CHECK(other.record[3].u != expected.record[3].u);
    CHECK(parts.time_at(10) == Approx(0.5));
    CHECK(parts.time_at(40) == Approx(13 * 0.05 + 27 * 0.1));
  }
}
