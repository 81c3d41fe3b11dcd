#include <Eigen/Dense>
#include <Eigen/Geometry>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/network_critical.hpp>
#include <loradyn/analysis/network_escape.hpp>
#include <loradyn/analysis/network_search.hpp>
#include <loradyn/analysis/search_phase.hpp>
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

TEST_CASE("one neuron's free adapter that decays escapes where |A| is beyond the decay (14.15)") {
  const double decay = 0.1;
  const population_risk risk(parse_activation("erf"), parse_activation("erf"));
  const network_task task = task_of("erf", "erf");
  const aligned_family family;
  const network_parameters parameters{
      .adapter = adapter_constraint::free, .rate_ratio = 1.3, .decay = decay};
  const auto found = critical_alignments(task, family, parameters, 0.02, 0.98);
  REQUIRE(found.size() == 1);
  const critical_alignment& root = found[0].root;
  CHECK(root.status == critical_status::one_sided);
  CHECK(root.B == -decay);
  CHECK(found[0].rate == 0.0);
  const auto drive = [&](double mu) { return search_phase(risk, {.alignment = mu}).A; };
  CHECK(drive(root.alignment) == test::within(decay, 1e-12));
  const double h = 1e-3;
  CHECK(root.slope ==
        test::within((drive(root.alignment + h) - drive(root.alignment - h)) / (2.0 * h), 1e-5));
  // The flow itself, from a start of |V| = 1 that it has forgotten by then: on one side it leaves
  // W0, on the other it comes back to it.
  for (const double side : {-0.03, 0.03}) {
    const network_flow f(task, family.at(root.alignment + side), parameters);
    network_state x{Eigen::MatrixXd::Constant(1, 1, 1e-9), Eigen::MatrixXd::Constant(1, 1, 1e-3),
                    Eigen::MatrixXd::Constant(1, 1, 1.0 - 1e-6), f.geometry().readout};
    network_overlap_event event;
    event.quantity = network_overlap_quantity::M;
    event.at = 2.0;  // never: the run goes to its rest
    const network_escape_run run = escape(f, x, event, {.end_time = 1e5});
    CAPTURE(side, run.at_end.U(0, 0), run.at_end.C(0, 0), run.t_end);
    CHECK((std::abs(run.at_end.U(0, 0)) > 0.05) == (root.slope * side > 0.0));
    CHECK((std::abs(run.at_end.U(0, 0)) < 1e-6) == (root.slope * side < 0.0));
    // Nothing but a Jacobian by differences at rest in W0 is asked here.
    const Eigen::Index n = 2;  // U and C
    network_state rest = x;
    rest.U.setZero();
    rest.C.setZero();
    rest.P.setZero();
    Eigen::MatrixXd J(n, n);
    const std::vector<double> at = f.pack(rest);
    for (Eigen::Index j = 0; j < n; ++j) {
      std::vector<double> up = at;
      std::vector<double> down = at;
      const double step = 1e-6;
      up[static_cast<std::size_t>(j)] += step;
      down[static_cast<std::size_t>(j)] -= step;
      const std::vector<double> a = f.pack(f.velocity(f.unpack(up)));
      const std::vector<double> b = f.pack(f.velocity(f.unpack(down)));
      for (Eigen::Index i = 0; i < n; ++i) {
        J(i, j) = (a[static_cast<std::size_t>(i)] - b[static_cast<std::size_t>(i)]) / (2.0 * step);
      }
    }
    const double leading = J.eigenvalues().real().maxCoeff();
    CHECK((leading > 0.0) == (root.slope * side > 0.0));
    CHECK(leading == test::within(2.0 * 1.3 / 2.3 * root.slope * side, 0.2 * std::abs(leading)));
  }
}

TEST_CASE(
    "the modes of free adapters that decay grow on one side, at the rate of the slope (14.15)") {
  for (const double nu : {0.0, 0.4}) {
    CAPTURE(nu);
    const network_task task = task_of("he3", "he3");
    const aligned_family family{
        .width = 3, .teacher_width = 2, .off_target = 3, .misalignment = nu};
    const network_parameters parameters{
        .rank = 2, .adapter = adapter_constraint::free, .rate_ratio = 0.6, .decay = 3.0};
    const auto found = critical_alignments(task, family, parameters, -0.4, 0.98);
    const auto growing = [&](double mu) {
      return static_cast<std::ptrdiff_t>(search_at(task, family, parameters, mu).modes.size());
    };
    std::ptrdiff_t expected = growing(-0.4);
    for (const network_critical_alignment& c : found) {
      const double mu = c.root.alignment;
      CAPTURE(mu, c.root.slope, c.neurons.transpose(), c.targets.transpose());
      REQUIRE(c.root.status == critical_status::one_sided);
      CHECK(growing(mu - 1e-6) == expected);
      expected += (c.root.slope > 0.0 ? 1 : -1) * static_cast<std::ptrdiff_t>(c.modes);
      CHECK(growing(mu + 1e-6) == expected);
      const double beside = c.root.slope > 0.0 ? 1e-4 : -1e-4;
      const double rate = 2.0 * 0.6 / 1.6 * c.root.slope * beside;
      const network_search_result near = search_at(task, family, parameters, mu + beside);
      std::size_t slow = 0;
      for (const network_mode& mode : near.modes) {
        slow += std::abs(mode.rate / rate - 1.0) < 0.02 ? 1 : 0;
      }
      CHECK(slow == c.modes);
    }
    // No root is missing in between.
    CHECK(growing(0.98) == expected);
    CHECK(found.size() >= 2);
  }
}

TEST_CASE("rows of a file that are those of an aligned network have its critical alignments") {
  for (const auto& [name, decay] : {std::pair("he3", 0.0), {"he3-4*he1", 0.0}, {"he3", 2.0}}) {
    CAPTURE(name, decay);
    const network_task task = task_of(name, name);
    const aligned_family family{.width = 3, .teacher_width = 3, .off_target = 3};
    const network_parameters parameters{
        .rank = 2, .adapter = adapter_constraint::free, .decay = decay};
    const auto expected = critical_alignments(task, family, parameters, 0.02, 0.98);
    // In another basis, with the alignment of no root.
    aligned_family file{.off_target = 3};
    file.rows = family.at(0.7);
    const Eigen::MatrixXd turned =
        Eigen::AngleAxisd(0.8, Eigen::Vector3d(1.0, 2.0, -1.0).normalized()).toRotationMatrix();
    file.rows->teacher = file.rows->teacher * turned;
    file.rows->pretrained = file.rows->pretrained * turned;
    const auto found = critical_alignments(task, file, parameters, 0.02, 0.98);
    std::size_t at = 0;
    for (const network_critical_alignment& c : expected) {
      for (std::size_t i = 0; i < c.modes; ++i) {
        REQUIRE(at < found.size());
        const critical_alignment& other = found[at++].root;
        CHECK(other.alignment == test::within(c.root.alignment, 1e-9));
        CHECK(other.status == c.root.status);
        CHECK(other.B == test::within(c.root.B, 1e-5 * std::abs(c.root.B)));
        CHECK(std::abs(other.slope) ==
              test::within(std::abs(c.root.slope), 1e-5 * std::abs(c.root.slope)));
      }
    }
    CHECK(at == found.size());
    CHECK(at > 0);
  }
}

TEST_CASE("one neuron's rows are one neuron") {
  const network_task task = task_of("he3", "he3");
  for (const double nu : {0.0, 0.3}) {
    const auto expected = critical_alignments(task, {.misalignment = nu}, {}, 0.0, 1.0);
    aligned_family file;
    file.rows = aligned_geometry(1, 1, 0.9, nu, 1);
    const auto found = critical_alignments(task, file, {}, 0.0, 1.0);
    REQUIRE(found.size() == expected.size());
    CHECK(found[0].root.alignment == expected[0].root.alignment);
    CHECK(found[0].root.B == expected[0].root.B);
    CHECK(found[0].root.status == expected[0].root.status);
  }
}

TEST_CASE("rows of any kind lose a mode as B and the slope say (14.14)") {
  // Targets that are no orthonormal ones, readouts of both signs, and nothing beside the targets:
  // the vanishing mode is driven by nothing else.
  const network_task task = task_of("he3", "he3");
  aligned_family file{.off_target = 2};
  file.rows = aligned_geometry(3, 2, 0.0, 0.0, 3);
  file.rows->teacher << 1.0, 0.0, 0.4, 0.8;
  file.rows->pretrained << 0.1, 0.2, -0.3, 0.1, 0.6, 0.5;
  file.rows->readout << 1.0, -0.7, 0.4;
  file.rows->teacher_readout << 1.0, 0.5;
  file.rows->pretrained.conservativeResize(2, 2);
  file.rows->readout.conservativeResize(2);
  const network_parameters parameters{.rate_ratio = 1.2};
  const auto found = critical_alignments(task, file, parameters, -0.9, 0.98);
  REQUIRE(found.size() >= 2);
  std::size_t checked = 0;
  for (const network_critical_alignment& c : found) {
    CAPTURE(c.root.alignment, c.root.B, c.root.slope, to_string(c.root.status));
    CHECK(c.modes == 1);
    if (c.root.status != critical_status::diverges) {
      continue;
    }
    const double beside = 1e-5;
    const double rate = std::pow(c.root.slope * beside, 2) / std::abs(c.root.B);
    std::size_t slow = 0;
    for (const network_mode& mode :
         search_at(task, file, parameters, c.root.alignment + beside).modes) {
      slow += std::abs(mode.rate / rate - 1.0) < 0.02 ? 1 : 0;
    }
    CHECK(slow == 1);
    ++checked;
  }
  CHECK(checked > 0);
}

TEST_CASE("a function of networks changes its sign at their critical alignments") {
  for (const bool has_rows : {false, true}) {
    for (const double decay : {0.0, 2.0}) {
      CAPTURE(has_rows, decay);
      const network_task task = task_of("he3", "he3");
      aligned_family family{.width = 2, .teacher_width = 2, .off_target = 2};
      if (has_rows) {
        family.rows = family.at(0.3);
        family.rows->pretrained(0, 1) = 0.2;
      }
      const network_parameters parameters{.adapter = adapter_constraint::free, .decay = decay};
      const auto flow_at = [&](double mu) { return network_flow(task, family.at(mu), parameters); };
      const critical_function f(family, decay > 0.0, {flow_at(0.2), flow_at(0.4), flow_at(0.9)});
      const auto roots = critical_alignments(task, family, parameters, 0.02, 0.98);
      REQUIRE(!roots.empty());
      std::size_t crossings = 0;
      const double step = 2e-4;
      for (double mu = 0.02; mu < 0.98; mu += step) {
        crossings += f(flow_at(mu)) * f(flow_at(mu + step)) < 0.0 ? 1 : 0;
      }
      for (const network_critical_alignment& c : roots) {
        const double mu = c.root.alignment;
        CHECK(f(flow_at(mu - 1e-6)) * f(flow_at(mu + 1e-6)) < 0.0);
      }
      CHECK(crossings == roots.size());
    }
  }
}

TEST_CASE("what a network's critical alignments refuse") {
  const network_task task = task_of("erf", "erf");
  CHECK_THROWS_AS(critical_alignments(task, {}, {.rank = 1}, 1.0, 0.0), argument_error);
  CHECK_THROWS_AS(critical_alignments(task, {.width = 2, .off_target = 3}, {}, 0.0, 1.0),
                  argument_error);
  aligned_family nowhere;
  nowhere.rows = aligned_geometry(1, 1, 0.5, 0.0, 1);
  nowhere.rows->teacher.setZero();
  CHECK_THROWS_AS(critical_alignments(task, nowhere, {}, 0.0, 1.0), argument_error);
}
