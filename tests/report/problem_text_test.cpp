#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <loradyn/activation/parse.hpp>
#include <loradyn/error.hpp>
#include <loradyn/report/problem_text.hpp>
#include <loradyn/report/table_io.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "support/scratch.hpp"

using namespace loradyn;
using json = nlohmann::ordered_json;

namespace {

study::phase_problem plain() {
  study::phase_problem p;
  p.student = "he3+{a}*he5";
  p.x = study::read_axis("--x", "mu=0.1:0.9:33");
  p.y = study::read_axis("--y", "{a}=-0.5,0.1,0.5");
  return p;
}

// Nothing as it is by default, and numbers that need all their digits.
study::phase_problem full() {
  study::phase_problem p;
  p.student = "erf";
  p.teacher = "1";  // a text, though it looks like a number
  p.unit = study::time_unit::fisher;
  p.x = study::read_axis("--x", "gamma=log:0.1:10:5");
  p.y = study::read_axis("--y", "m0=0.1:0.30000000000000004:3");
  p.has_alignment = true;
  p.otherwise.parameters = {-0.3, 1.0 / 3.0, 0.0, 1e-300, 0.5};
  p.otherwise.start = {-0.0, 0.03, 0.1};
  p.otherwise.dimension = 1e15;
  p.request.event = {overlap_quantity::M, -5e-324, true};
  p.request.integrator.end_time = 1e7;
  p.request.integrator.relative_tolerance = 1e-7;
  p.request.integrator.absolute_tolerance = 0.0;
  p.request.integrator.step_limit = std::numeric_limits<std::size_t>::max();
  p.request.integrator.method = stepper::stiff;
  p.request.quantiles = {0.1, 0.123456789012345678};
  study::ensemble_request& e = p.ensemble.emplace();
  e.engine = simulation_engine::sgd;
  e.batch = 7;
  e.learning_rate = 0.1;
  e.runs = 11;
  e.steps = 13;
  e.seed = (std::uint64_t{1} << 53) - 1;
  p.levels = 3;
  p.refine_step = 0.1;
  return p;
}

// A network, of which nothing is as it is by default.
study::phase_problem of_network() {
  study::phase_problem p = full();
  p.ensemble.reset();
  p.y = study::read_axis("--y", "rank=1:3:3");
  p.request.event = {};
  p.otherwise.start.m = 0.03;
  p.otherwise.start.s = 0.0;
  p.otherwise.layout = {5.0, 3.0, 1.0, 0.25, -0.5};
  study::phase_network& n = p.network.emplace();
  n.layout.off_target = 2;
  n.layout.adapter = adapter_constraint::frobenius;
  n.layout.readout = readout_rule::mean;
  n.layout.readout_rate = 0.125;
  n.layout.alpha = 16.0;
  n.layout.scaling = study::lora_scaling::root;
  n.layout.source = parse_activation("he3+0.5*x");
  n.event = network_event_named("M_1_2").value();
  n.event.at = 0.7;
  n.event.is_signed = true;
  n.start.one_step_batch = 77;
  n.start.seed = 9;
  n.forgotten = 0.3;
  return p;
}

std::string fault_of(const json& problem) {
  try {
    phase_problem_from_json(problem.dump());
  } catch (const error& e) {
    return e.what();
  }
  return "none";
}

json object_of(const study::phase_problem& p) { return json::parse(to_json(p)); }

}  // namespace

TEST_CASE("a problem is its text, member by member") {
  CHECK(to_json(plain()) ==
        R"({"student":"he3+{a}*he5","time-unit":"raw",)"
        R"("x":{"parameter":"mu","from":0.1,"to":0.9,"count":33,"logarithmic":false},)"
        R"("y":{"parameter":"a","values":[-0.5,0.1,0.5]},)"
        R"("nu":0,"gamma":0,"noise":0,"lr-ratio":1,"u0":1e-06,"m0":0.03,"s0":0,)"
        R"("event":"m","at":0.5,"signed":false,"rtol":1e-09,"atol":1e-16,"stepper":"auto",)"
        R"("max-steps":1000000,"quantiles":[0.05,0.25,0.5,0.75,0.95],"only":"escape"})");
}

TEST_CASE("a network is its text, member by member") {
  study::phase_problem p = of_network();
  const json object = object_of(p);
  CHECK_FALSE(object.contains("m0"));
  CHECK_FALSE(object.contains("rank"));  // on an axis
  CHECK(object["width"] == 5);
  CHECK(object["event"] == "M_1_2");
  CHECK(object["source"] == parse_activation("he3+0.5*x").name());
  const study::phase_problem back = phase_problem_from_json(to_json(p));
  REQUIRE(back.network.has_value());
  const study::phase_network& n = *back.network;
  CHECK(back.otherwise.layout.teacher_width == 3.0);
  CHECK(back.otherwise.layout.decay == 0.25);
  CHECK(back.otherwise.layout.source_overlap == -0.5);
  CHECK(n.layout.off_target == 2);
  CHECK(n.layout.adapter == adapter_constraint::frobenius);
  CHECK(n.layout.trained == trained_part::lora);
  CHECK(n.layout.readout == readout_rule::mean);
  CHECK(n.layout.readout_rate == 0.125);
  CHECK(n.layout.alpha == 16.0);
  CHECK(n.layout.scaling == p.network->layout.scaling);
  CHECK(n.event.at == 0.7);
  CHECK(n.event.is_signed);
  CHECK(to_text(n.event) == "M_1_2");
  CHECK(n.start.one_step_batch == 77);
  CHECK(n.start.seed == 9);
  CHECK(n.forgotten == 0.3);
  p.network->layout.trained = trained_part::scratch;
  p.network->start.scale = 0.3;
  CHECK(phase_problem_from_json(to_json(p)).network->start.scale == 0.3);
  json wrong = object;
  wrong["event"] = "speed";
  CHECK(fault_of(wrong).find("speed") != std::string::npos);
  wrong = object;
  wrong["source"] = "nothing(";
  CHECK(fault_of(wrong) != "none");
  wrong = object;
  wrong["m0"] = 0.1;
  CHECK(fault_of(wrong).find("m0") != std::string::npos);
}

TEST_CASE("a problem is read back from its text to the same bits") {
  for (const study::phase_problem& p : {plain(), full(), of_network()}) {
    const study::phase_problem back = phase_problem_from_json(to_json(p));
    CHECK(to_json(back) == to_json(p));
    CHECK(back.student == p.student);
    CHECK(back.teacher == p.teacher);
    CHECK(back.unit == p.unit);
    CHECK(back.x == p.x);
    CHECK(back.y == p.y);
    CHECK(back.has_alignment == p.has_alignment);
    for (const study::parameter* what : study::all_parameters) {
      CAPTURE(what->name);
      CHECK(what->get(back.otherwise) == what->get(p.otherwise));
    }
    CHECK(std::signbit(back.otherwise.start.u) == std::signbit(p.otherwise.start.u));
    CHECK(back.request.event.quantity == p.request.event.quantity);
    CHECK(back.request.event.at == p.request.event.at);
    CHECK(back.request.event.is_signed == p.request.event.is_signed);
    CHECK(back.request.integrator.end_time == p.request.integrator.end_time);
    CHECK(back.request.integrator.relative_tolerance == p.request.integrator.relative_tolerance);
    CHECK(back.request.integrator.absolute_tolerance == p.request.integrator.absolute_tolerance);
    CHECK(back.request.integrator.step_limit == p.request.integrator.step_limit);
    CHECK(back.request.integrator.method == p.request.integrator.method);
    CHECK(back.request.quantiles == p.request.quantiles);
    CHECK(back.tau_only == p.tau_only);
    REQUIRE(back.ensemble.has_value() == p.ensemble.has_value());
    if (p.ensemble) {
      CHECK(back.ensemble->engine == p.ensemble->engine);
      CHECK(back.ensemble->batch == p.ensemble->batch);
      CHECK(back.ensemble->learning_rate == p.ensemble->learning_rate);
      CHECK(back.ensemble->runs == p.ensemble->runs);
      CHECK(back.ensemble->steps == p.ensemble->steps);
      CHECK(back.ensemble->seed == p.ensemble->seed);
    }
    CHECK(back.levels == p.levels);
    CHECK(back.refine_step == p.refine_step);
  }
}

TEST_CASE("a problem goes through the parameters of a table, whatever its format") {
  const test::scratch dir;
  for (const study::phase_problem& p : {plain(), full(), of_network()}) {
    for (const char* name : {"t.csv", "t.json", "t.h5"}) {
      CAPTURE(name);
      table t;
      t.meta = {"1", "c", parameters_of(p)};
      t.columns = {"a"};
      t.rows = {{1.5}};
      table_file(dir.path / name).write(t);
      const provenance meta = read_table(dir.path / name).meta;
      CHECK(meta.parameters == t.meta.parameters);
      CHECK(to_json(phase_problem_of(meta.parameters)) == to_json(p));
    }
  }
  // Numbers are numbers there.
  table t;
  t.meta = {"1", "c", parameters_of(full())};
  const json parameters = json::parse(to_json(t)).at("meta").at("parameters");
  CHECK(parameters.at("nu").is_number_float());
  CHECK(parameters.at("seed").is_number_integer());
  CHECK(parameters.at("teacher") == "1");
  CHECK(parameters.at("signed") == true);
}

TEST_CASE("an object that is no problem is refused for its first fault") {
  const auto edited = [](const auto& edit) {
    json object = object_of(full());
    edit(object);
    return fault_of(object);
  };
  CHECK(edited([](json&) {}) == "none");
  const json whole = object_of(full());
  for (const auto& [name, value] : whole.items()) {
    if (name == "teacher" || name == "mu" || name == "dim" || name == "t-max" || name == "lr") {
      continue;  // what may be absent
    }
    CAPTURE(name);
    // Without its engine or levels a problem has nothing to do with what belongs to them.
    const std::string expected = name == "engine"   ? "'batch' is no part of it"
                                 : name == "refine" ? "'refine-step' is no part of it"
                                                    : "'" + name + "' is missing";
    CHECK(edited([key = name](json& o) { o.erase(key); }) == expected);
    const std::string fault = edited([key = name](json& o) { o[key] = nullptr; });
    CHECK(fault.starts_with(name + " is null, but must be "));
  }
  CHECK(edited([](json& o) { o["nus"] = 1; }) == "'nus' is no part of it");
  CHECK(edited([](json& o) { o["gamma"] = 1; }) == "'gamma' is no part of it");  // on an axis
  CHECK(edited([](json& o) { o["x"]["step"] = 1; }) == "'x.step' is no part of it");
  CHECK(edited([](json& o) { o["x"].erase("to"); }) == "'x.to' is missing");
  CHECK(edited([](json& o) { o["x"]["values"] = {1}; }) == "'x.from' is no part of it");
  CHECK(edited([](json& o) { o["x"] = "gamma=0:1:3"; }) ==
        R"(x is "gamma=0:1:3", but must be an object of a parameter and its values)");
  CHECK(edited([](json& o) { o["runs"] = 1.5; }) == "runs is 1.5, but must be a whole number >= 0");
  CHECK(edited([](json& o) { o["runs"] = -1; }) == "runs is -1, but must be a whole number >= 0");
  CHECK(edited([](json& o) { o["stepper"] = "fast"; }) ==
        R"(stepper is "fast", but must be auto, explicit or stiff)");
  CHECK(edited([](json& o) {
          o["quantiles"] = {0.5, "x"};
        }) == R"(quantiles is "x", but must be a number)");

  const auto fault = [](const std::string& text) {
    try {
      phase_problem_from_json(text);
    } catch (const error& e) {
      return std::string(e.what());
    }
    return std::string("none");
  };
  CHECK(fault("[1]") == "it is no object");
  CHECK(fault("{").starts_with("it is no JSON: "));
  CHECK(fault("{").find('\n') == std::string::npos);
  CHECK(fault(R"({"student": "erf", "student": "relu"})") == "'student' is given twice");
  CHECK(fault(R"({"x": {"count": 1, "count": 2}})") == "'x.count' is given twice");
  CHECK(fault("{\"a\":" + std::string(100'000, '[')) == "it is nested too deep");
  CHECK_THROWS_AS(phase_problem_of({{"student", "erf"}, {"student", "erf"}}), error);
}

TEST_CASE("no text stands for a number that JSON has not") {
  study::phase_problem p = plain();
  p.otherwise.start.u = std::nan("");
  CHECK_THROWS_AS(to_json(p), argument_error);
  p = plain();
  p.request.integrator.end_time = std::numeric_limits<double>::infinity();
  CHECK(to_json(p) == to_json(plain()));
}

TEST_CASE("a text that would be taken for another value has quotes") {
  for (const char* text : {"erf", "0.1:1:4", "nan", "inf", "", "he3+{a}*he5", "[1", "01"}) {
    CHECK(text_parameter(text) == text);
  }
  for (const char* text : {"1", "-1e3", " 1", "null", "true", "\"erf\"", "[1]", "{}"}) {
    CAPTURE(text);
    CHECK(text_parameter(text) == json(text).dump());
    CHECK(provenance{"", "", {{"a", text_parameter(text)}}}.parameter("a") == text);
  }
}
