#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/file.hpp>
#include <loradyn/simulation/ensemble.hpp>
#include <loradyn/simulation/run.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <string>
#include <vector>
#include "simulation/bytes.hpp"
#include "simulation/chain.hpp"

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
    problem.stages.back().label = parse_activation("linear^2");
    problem.stages.back().flips = true;
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
            simulated_quantity::s, simulated_quantity::M, simulated_quantity::M_abs,
            simulated_quantity::Q, simulated_quantity::risk}) {
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

TEST_CASE("the values of a state are the quantities' definitions") {
  const simulation_problem problem = small_problem(3, 40);  // mu = 0.4, nu = 0.3
  const simulation_plan plan{.risk = [](double M, double Q) { return 10.0 * M + Q; }};
  const simulated_state x{.u = -2.0, .m = 0.5, .s = -0.25};
  const auto value = [&](simulated_quantity q) { return value_of(q, problem, plan, x); };
  CHECK(value(simulated_quantity::u) == -2.0);
  CHECK(value(simulated_quantity::m) == 0.5);
  CHECK(value(simulated_quantity::m_abs) == 0.5);
  CHECK(value(simulated_quantity::s) == -0.25);
  CHECK(value(simulated_quantity::M) == Approx(-0.6));
  CHECK(value(simulated_quantity::M_abs) == Approx(0.6));
  const double Q = 0.16 + 0.09 - 4.0 * (0.2 - 0.075) + 4.0;
  CHECK(value(simulated_quantity::Q) == Approx(Q));
  CHECK(value(simulated_quantity::risk) == Approx(-6.0 + Q));
}

TEST_CASE("a stage that flips begins with -u, and the record before it does not know") {
  for (const simulation_engine engine : engines) {
    for (const std::uint64_t batch : {3U, 70U}) {
      CAPTURE(static_cast<int>(engine), batch);
      simulation_problem still = small_problem(batch, 10);
      still.stages[0].learning_rate = 1e-30;
      still.stages.push_back(still.stages[0]);
      still.stages[1].flips = true;
      const simulation_plan plan{.record = {0, 10, 11, 20}};
      const run_result once = replay_run(still, engine, plan, 2);
      CHECK(once.record[0].u == 0.3);
      CHECK(once.record[1].u == 0.3);
      CHECK(once.record[2].u == -0.3);
      CHECK(once.record[3].u == -0.3);
      CHECK(once.record[3].m == Approx(once.record[0].m).epsilon(1e-13));
      still.stages[0].flips = true;
      const run_result twice = replay_run(still, engine, plan, 2);
      CHECK(twice.record[0].u == -0.3);
      CHECK(twice.record[2].u == 0.3);
    }
  }
}

TEST_CASE("with a rate ratio of zero u stays, to the bit, and v moves") {
  for (const simulation_engine engine : engines) {
    for (const std::uint64_t batch : {3U, 70U}) {
      simulation_problem problem = small_problem(batch, 40);
      problem.stages[0].rate_ratio = 0.0;
      const run_result run = replay_run(problem, engine, usual_plan(), 1);
      CHECK(run.last.u == 0.3);
      CHECK(std::abs(run.last.m - run.record[0].m) > 1e-3);
    }
  }
}

TEST_CASE("without noise a transformed label is the transformed teacher's") {
  for (const simulation_engine engine : engines) {
    for (const std::uint64_t batch : {3U, 70U}) {
      simulation_problem by_label = small_problem(batch, 40);
      by_label.stages[0].label_noise = 0.0;
      by_label.stages[0].label = parse_activation("linear^2-0.5*linear");
      simulation_problem by_teacher = by_label;
      by_teacher.stages[0].label.reset();
      by_teacher.stages[0].teacher = parse_activation("erf^2-0.5*erf");
      const run_result a = replay_run(by_label, engine, usual_plan(), 3);
      const run_result b = replay_run(by_teacher, engine, usual_plan(), 3);
      CHECK(a.last.u == Approx(b.last.u).epsilon(1e-10));
      CHECK(a.last.m == Approx(b.last.m).epsilon(1e-10));
      // The identity does nothing to noisy labels either.
      simulation_problem plain = small_problem(batch, 40);
      simulation_problem identity = plain;
      identity.stages[0].label = parse_activation("linear");
      CHECK(replay_run(identity, engine, usual_plan(), 3).last.u ==
            Approx(replay_run(plain, engine, usual_plan(), 3).last.u).epsilon(1e-10));
    }
  }
}

TEST_CASE("a run has diverged where its state is too large, or its adapter has lost its length") {
  const activation f = parse_activation("erf");
  const simulation_plan plan{.record = {0}};
  for (const simulation_engine engine : engines) {
    for (const std::uint64_t batch : {3U, 70U}) {
      CAPTURE(static_cast<int>(engine), batch);
      const auto after = [&](double rate_ratio, double learning_rate) {
        simulation_problem problem = make_problem(
            f, f, {.alignment = 0.4, .rate_ratio = rate_ratio}, 25, batch, learning_rate, 1);
        problem.start.u0 = 0.3;
        return replay_run(problem, engine, plan, 0);
      };
      // u of about 10^7, and of about 10^17: finite, and beyond the bound.
      CHECK(after(1e11, 1e-3).outcome == run_outcome::finished);
      CHECK(std::abs(after(1e11, 1e-3).last.u) > 1e5);
      const run_result far = after(1e21, 1e-3);
      CHECK(far.outcome == run_outcome::diverged);
      CHECK(far.steps == 0);
      CHECK(far.last.u == 0.3);
      // A step whose square overflows leaves an adapter of zeros beside a frozen u: no NaN tells
      // it.
      const run_result lost = after(0.0, 1e200);
      CHECK(lost.outcome == run_outcome::diverged);
      CHECK(lost.last.u == 0.3);
      CHECK(std::abs(lost.last.m) <= 1.0);
      // A long step that does not is a step.
      CHECK(after(0.0, 1e100).outcome == run_outcome::finished);
    }
  }
}

TEST_CASE("a checkpoint tells stages apart by their labels and flips") {
  const simulation_problem problem = small_problem(3, 40);
  const auto text = [](const simulation_problem& p) {
    return configuration_text(p, simulation_engine::chain, usual_plan(), 5);
  };
  simulation_problem flipped = problem;
  flipped.stages[0].flips = true;
  simulation_problem squared = problem;
  squared.stages[0].label = parse_activation("linear^2");
  simulation_problem cubed = problem;
  cubed.stages[0].label = parse_activation("linear^3");
  CHECK(text(flipped) != text(problem));
  CHECK(text(squared) != text(problem));
  CHECK(text(squared) != text(cubed));
}

TEST_CASE("a pack that is saved at any step goes on as if it had not been") {
  // Step 0, a recorded one, one beside it, the end of a stage before a flip, and the last.
  for (const simulation_engine engine : engines) {
    for (const std::uint64_t batch : {3U, 70U}) {
      simulation_problem problem = small_problem(batch, 20);
      problem.stages.push_back(problem.stages[0]);
      problem.stages[1].flips = true;
      problem.stages[1].steps = 20;
      const simulation_plan plan = usual_plan();  // records 0, 3, 10, 40
      const std::size_t count = detail::pack_width(problem, engine);
      const auto whole = detail::make_pack(problem, engine, plan, 0, count);
      whole->advance(40);
      const std::vector<run_result> expected = whole->take_results();
      for (const std::uint64_t step : {0U, 1U, 3U, 4U, 10U, 19U, 20U, 21U, 39U}) {
        CAPTURE(static_cast<int>(engine), batch, step);
        const auto first = detail::make_pack(problem, engine, plan, 0, count);
        first->advance(step);
        const auto second = detail::make_pack(problem, engine, plan, 0, count);
        if (step > 0) {
          // In the middle of a step, which then has not begun.
          request_stop();
          CHECK_THROWS_AS(first->advance(1), interrupted);
          clear_stop();
        }
        REQUIRE(second->restore(first->save()));
        CHECK(second->steps_taken() == step);
        second->advance(40);
        CHECK(second->done());
        const std::vector<run_result> results = second->take_results();
        REQUIRE(results.size() == expected.size());
        for (std::size_t i = 0; i < results.size(); ++i) {
          check_equal(results[i], expected[i]);
        }
      }
    }
  }
}

TEST_CASE("a pack takes no state that its problem and plan can't have left") {
  for (const simulation_engine engine : engines) {
    CAPTURE(static_cast<int>(engine));
    const simulation_problem problem = small_problem(3, 40);
    const simulation_plan plan = usual_plan();  // records 0, 3, 10, 40
    const std::size_t count = detail::pack_width(problem, engine);
    const auto taken = [&](const simulation_problem& other, const simulation_plan& other_plan,
                           std::uint64_t steps) {
      const auto saved = detail::make_pack(other, engine, other_plan, 0, count);
      saved->advance(steps);
      return detail::make_pack(problem, engine, plan, 0, count)->restore(saved->save());
    };
    CHECK(taken(problem, plan, 39));
    CHECK(taken(problem, plan, 40));
    // As many states as the plan ever has, too early.
    simulation_plan dense = plan;
    dense.record = {0, 1, 2, 3};
    CHECK_FALSE(taken(problem, dense, 4));
    // At work after the last step.
    CHECK_FALSE(taken(small_problem(3, 50), plan, 40));
    // Finished before the last step.
    simulation_plan early = plan;
    early.record = {0, 3, 10};
    CHECK_FALSE(taken(small_problem(3, 20), early, 20));
  }
}

TEST_CASE("a checkpoint whose runs are not each there once is refused") {
  const simulation_problem problem = small_problem(3, 40);
  const simulation_plan& plan = usual_plan();
  constexpr std::uint64_t runs = 20;
  const auto checkpoint = [&](std::uint64_t next_first, const std::vector<std::uint64_t>& open) {
    const std::string configuration =
        configuration_text(problem, simulation_engine::chain, plan, runs);
    detail::byte_writer body;
    body.put_text(configuration);
    body.put(std::uint64_t{0});  // no run has ended
    body.put(next_first);
    body.put(std::uint64_t{open.size()});
    for (const std::uint64_t first : open) {
      body.put(first);
      body.put_text(detail::make_pack(problem, simulation_engine::chain, plan, first, 4)->save());
    }
    const std::string bytes = body.take();
    std::uint64_t checksum = 0xcbf29ce484222325U;
    for (const char c : bytes) {
      checksum = (checksum ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    detail::byte_writer sum;
    sum.put(checksum);
    return "loradyn ensemble, format 1\n" + sum.take() + bytes;
  };
  const auto result = [&](std::uint64_t next_first, const std::vector<std::uint64_t>& open) {
    return message_of([&] {
      const ensemble done = simulate_ensemble(problem, simulation_engine::chain, plan, runs, {},
                                              checkpoint(next_first, open));
      CHECK(done.complete());
    });
  };
  CHECK(result(0, {}) == "no error");
  CHECK(result(8, {0}) == "no error");
  CHECK(result(24, {8, 0, 16}) == "no error");
  // Missing, twice, to come although under way, and no pack's first.
  CHECK_THAT(result(8, {}), Catch::Contains("inconsistent"));
  CHECK_THAT(result(24, {0, 16}), Catch::Contains("inconsistent"));
  CHECK_THAT(result(~std::uint64_t{7}, {}), Catch::Contains("inconsistent"));
  CHECK_THAT(result(16, {0, 8, 8}), Catch::Contains("inconsistent"));
  CHECK_THAT(result(8, {0, 8}), Catch::Contains("inconsistent"));
  CHECK_THAT(result(4, {0}), Catch::Contains("inconsistent"));
}

TEST_CASE("a lane that has ended stays healthy beside the others") {
  const simulation_problem problem = small_problem(3, 40);
  const std::vector<std::uint64_t> runs{0, 1, 2, 3, 4, 5, 6, 7};
  detail::chain_engine engine(problem, runs, detail::best_kernels());
  engine.start();
  engine.retire(2);
  for (std::uint64_t step = 0; step < 10; ++step) {
    CHECK(engine.step(step, 0));
  }
  CHECK(engine.healthy(2));
}
