#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/escape.hpp>
#include <loradyn/effort.hpp>
#include <thread>
#include <vector>

using namespace loradyn;

namespace {

constexpr std::uint64_t plenty = 1'000'000'000'000;

// A pair whose risk and noise are averages over the plane.
struct dear_pair {
  learning_task task{parse_activation("relu*tanh"), parse_activation("relu*tanh")};
  outcome_classifier classifier{task};

  [[nodiscard]] escape_run run(double alignment, run_extent extent) const {
    return escape(flow(task, {.alignment = alignment, .noise_scale = 0.3}), {1e-6, 0.03, 0.0},
                  {.at = 0.4}, {}, classifier, extent);
  }
  [[nodiscard]] std::uint64_t effort_of(double alignment,
                                        run_extent extent = run_extent::to_rest) const {
    const effort_limit counted(plenty);
    static_cast<void>(run(alignment, extent));
    return counted.spent();
  }
};

}  // namespace

TEST_CASE("a thread without a limit spends without an end, one with a limit up to it") {
  effort_limit::spend(plenty);
  const effort_limit limit(10);
  effort_limit::spend(10);
  CHECK(limit.spent() == 10);
  {
    const effort_limit inner(3);
    effort_limit::spend(3);
    CHECK_THROWS_AS(effort_limit::spend(1), effort_error);
  }
  CHECK(limit.spent() == 10);
  CHECK_THROWS_AS(effort_limit::spend(1), effort_error);
  CHECK_THROWS_AS(effort_limit::spend(0), effort_error);
}

TEST_CASE("what is shared counts once for each limit") {
  const int shared = 0;
  for (int i = 0; i < 2; ++i) {
    const effort_limit limit(100);
    effort_limit::spend_on(&shared, 60);
    effort_limit::spend_on(&shared, 60);
    CHECK(limit.spent() == 60);
    const int other = 0;
    CHECK_THROWS_AS(effort_limit::spend_on(&other, 60), effort_error);
  }
}

TEST_CASE("a run's effort is its own, whoever made the patches") {
  const std::array<double, 3> alignments{0.2, 0.4, 0.6};
  std::array<std::uint64_t, 3> alone{};
  for (std::size_t i = 0; i < alignments.size(); ++i) {
    alone[i] = dear_pair().effort_of(alignments[i]);
    CHECK(alone[i] > 0);
  }
  const dear_pair shared;
  std::array<std::uint64_t, 3> together{};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < alignments.size(); ++i) {
    threads.emplace_back([&, i] { together[i] = shared.effort_of(alignments[i]); });
  }
  for (std::thread& t : threads) {
    t.join();
  }
  CHECK(together == alone);
  CHECK(shared.effort_of(alignments[0]) == alone[0]);
}

TEST_CASE("a run beyond its effort keeps what it has found") {
  const dear_pair pair;
  const std::uint64_t to_event = pair.effort_of(0.4, run_extent::to_event);
  const std::uint64_t to_rest = pair.effort_of(0.4);
  REQUIRE(to_rest > to_event);
  const escape_run whole = pair.run(0.4, run_extent::to_rest);
  REQUIRE(whole.status == run_status::ok);
  {
    const effort_limit limit(to_event);
    const escape_run run = pair.run(0.4, run_extent::to_rest);
    CHECK(run.status == run_status::no_convergence);
    CHECK(run.result == outcome::searching);
    CHECK(run.t_hit == whole.t_hit);
    CHECK(run.at_hit.u == whole.at_hit.u);
  }
  {
    const effort_limit limit(to_event / 2);
    const escape_run run = pair.run(0.4, run_extent::to_rest);
    CHECK(run.status == run_status::no_convergence);
    CHECK(std::isnan(run.t_hit));
  }
  const effort_limit limit(to_rest);
  CHECK(pair.run(0.4, run_extent::to_rest).status == run_status::ok);
}
