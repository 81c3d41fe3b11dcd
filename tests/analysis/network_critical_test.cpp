#include <Eigen/Dense>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/network_critical.hpp>
#include <loradyn/analysis/network_search.hpp>
#include <loradyn/error.hpp>
#include <string>
#include <vector>

#include "support/network_task.hpp"
#include "support/within.hpp"

using namespace loradyn;
using test::task_of;

namespace {

network_search_result search_at(const network_task& task, const aligned_family& family,
                                const network_parameters& parameters, double mu) {
  return network_search(network_flow(task, family.at(mu), parameters));
}

}  // namespace

TEST_CASE("one neuron's critical alignments are those of the network of one") {
  for (const auto& [student, teacher] : {std::pair("he3", "he3"),
                                         {"he5", "he5"},
                                         {"he10", "he10"},
                                         {"tanh", "relu"},
                                         {"relu", "erf"},
                                         {"gelu", "he3"},
                                         {"erf", "erf"},
                                         {"cos(2*x)", "cos(2*x)"}}) {
    for (const double nu : {0.0, 0.3}) {
      CAPTURE(student, teacher, nu);
      const population_risk risk(parse_activation(student), parse_activation(teacher));
      const auto expected =
          critical_alignments(risk, {.misalignment = nu, .rate_ratio = 0.7}, -0.8, 1.3);
      aligned_family family;
      family.misalignment = nu;
      network_parameters parameters;
      parameters.rate_ratio = 0.7;
      const auto found =
          critical_alignments(task_of(student, teacher), family, parameters, -0.8, 1.3);
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        const critical_alignment& a = found[i].root;
        const critical_alignment& b = expected[i];
        CAPTURE(b.alignment, to_string(b.status));
        CHECK(a.status == b.status);
        CHECK(a.alignment == test::within(b.alignment, 1e-12 * (1.0 + std::abs(b.alignment))));
        CHECK(std::isnan(a.B) == std::isnan(b.B));
        CHECK(std::isnan(a.slope) == std::isnan(b.slope));
        if (!std::isnan(b.B)) {
          CHECK(a.B == test::within(b.B, 1e-10 * (1.0 + std::abs(b.B))));
        }
        if (!std::isnan(b.slope)) {
          CHECK(a.slope == test::within(b.slope, 1e-9 * (1.0 + std::abs(b.slope))));
        }
        CHECK(found[i].modes == 1);
        CHECK(found[i].neurons[0] == 1.0);
        CHECK(found[i].targets[0] == 1.0);
      }
    }
  }
}

TEST_CASE(
    "a mode's search time diverges at its critical alignment as B and the slope say (14.14)") {
  // Of three neurons at μ of their targets there are the sum and twice the difference.
  for (const auto& [name, modes] : {std::pair("he3", 1), {"he3-4*he1", 2}}) {
    CAPTURE(name);
    const network_task task = task_of(name, name);
    const network_parameters parameters{.rank = 2};
    const aligned_family family{.width = 3, .teacher_width = 3, .off_target = 3};
    const auto found = critical_alignments(task, family, parameters, 0.02, 0.98);
    REQUIRE(found.size() == 1);
    const network_critical_alignment& c = found[0];
    CAPTURE(c.root.alignment, c.root.B, c.root.slope, c.rate);
    REQUIRE(c.root.status == critical_status::diverges);
    CHECK(c.modes == static_cast<std::size_t>(modes));
    CHECK(c.neurons.norm() == test::within(1.0, 1e-12));
    CHECK(std::pow(c.neurons.sum(), 2) == test::within(modes == 1 ? 3.0 : 0.0, 1e-12));
    // One mode (two) nearly as slow as the law says, and no other near it.
    const double beside = 1e-4;
    const double expected = std::pow(c.root.slope * beside, 2) / std::abs(c.root.B);
    const network_search_result near =
        search_at(task, family, parameters, c.root.alignment + beside);
    std::size_t slow = 0;
    for (const network_mode& mode : near.modes) {
      slow += std::abs(mode.rate / expected - 1.0) < 0.01 ? 1 : 0;
    }
    CHECK(slow == c.modes);
    // At the root itself the others go on.
    CHECK(c.rate == test::within(near.modes.front().rate, 1e-2));
  }
}

TEST_CASE("modes of neurons off and on their targets, which mix") {
  // Of four neurons on two targets three are off: the sums of three kinds of neurons and two of
  // targets make a block whose largest regular part has roots that are not all its own.
  const network_task task = task_of("relu", "relu");
  const network_parameters parameters{.rank = 2};
  const aligned_family family{.width = 4, .teacher_width = 2, .off_target = 3};
  const auto found = critical_alignments(task, family, parameters, 0.02, 0.98);
  REQUIRE(found.size() == 2);
  for (const network_critical_alignment& c : found) {
    CAPTURE(c.root.alignment, c.neurons.transpose(), c.targets.transpose(), c.root.B);
    CHECK(c.modes == 1);
    CHECK(c.neurons.cwiseAbs().minCoeff() > 0.1);
    REQUIRE(c.root.status == critical_status::diverges);
    const double beside = 1e-5;
    const double expected = std::pow(c.root.slope * beside, 2) / std::abs(c.root.B);
    for (const double side : {-beside, beside}) {
      const network_search_result near =
          search_at(task, family, parameters, c.root.alignment + side);
      std::size_t slow = 0;
      for (const network_mode& mode : near.modes) {
        slow += std::abs(mode.rate / expected - 1.0) < 0.02 ? 1 : 0;
      }
      CHECK(slow == c.modes);
    }
  }
}

TEST_CASE("modes that vanish together are told one by one") {
  const network_task task = task_of("he3", "he3");
  const aligned_family family{.width = 4, .teacher_width = 2, .off_target = 3};
  const auto found = critical_alignments(task, family, {.rank = 1}, -0.2, 0.2);
  REQUIRE(found.size() == 2);
  for (const network_critical_alignment& c : found) {
    CHECK(c.root.alignment == test::within(0.0, 1e-9));
    CHECK(c.root.status == critical_status::diverges);
    CHECK(c.root.B < 0.0);
  }
  CHECK(found[0].targets.dot(found[1].targets) == test::within(0.0, 1e-6));
}

TEST_CASE("what has no drive anywhere has no critical alignment") {
  // Neurons on their targets already pull no difference: that is none of the roots.
  const auto found =
      critical_alignments(task_of("erf", "erf"), {.width = 4, .teacher_width = 4, .off_target = 2},
                          {.rank = 1}, 0.02, 0.98);
  CHECK(found.empty());
}

TEST_CASE("with a misalignment the others' drive makes the time finite") {
  const auto found = critical_alignments(
      task_of("he3", "he3"), {.width = 2, .teacher_width = 2, .off_target = 2, .misalignment = 0.4},
      {.rank = 1}, 0.02, 0.98);
  REQUIRE(!found.empty());
  for (const network_critical_alignment& c : found) {
    CHECK(c.root.status == critical_status::finite);
    CHECK(c.rate > 0.0);
  }
}

TEST_CASE("what a network's critical alignments refuse") {
  const network_task task = task_of("erf", "erf");
  CHECK_THROWS_AS(critical_alignments(task, {}, {.rank = 1}, 1.0, 0.0), argument_error);
  CHECK_THROWS_AS(
      critical_alignments(task, {}, {.adapter = adapter_constraint::free, .decay = 0.1}, 0.0, 1.0),
      argument_error);
  CHECK_THROWS_AS(critical_alignments(task, {.width = 2, .off_target = 3}, {}, 0.0, 1.0),
                  argument_error);
}
