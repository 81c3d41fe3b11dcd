#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/report/problem_text.hpp>
#include <loradyn/report/question.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "support/scratch.hpp"
#include "support/within.hpp"

using namespace loradyn;

namespace {

using word_list = std::vector<std::pair<std::string, std::string>>;

question words_of(const word_list& list) {
  question words;
  for (const auto& [name, text] : list) {
    words.say(name, text);
  }
  return words;
}

// A problem is the same after it is words, JSON, and the parameters of its own table.
template <class Problem>
Problem require_same_again(const word_list& list) {
  const asked<Problem> first = read_question<Problem>(words_of(list));
  const question written = question_of(first.problem);
  INFO(to_json(written));
  CHECK(question_of(read_question<Problem>(written).problem).said() == written.said());
  CHECK(question_of(problem_from_json<Problem>(to_json(written))).said() == written.said());
  CHECK(question_of(read_question<Problem>(question(first.said)).problem).said() == written.said());
  return first.problem;
}

const word_list awkward{{"student", "erf,he3"}, {"teacher", "tanh,1"}, {"seed", "3"}};

word_list with(word_list list, const word_list& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

}  // namespace

TEST_CASE("A question about the search is the same as text", "[question]") {
  const auto p = require_same_again<study::rates_problem>(
      with(awkward, {{"mu", "0.1:0.9:9"}, {"nu", "0,0.30000000000000004"}, {"lr-ratio", "2"}}));
  REQUIRE(p.pairs.size() == 2);
  CHECK(p.pairs[1].teacher() == "1");
  CHECK(p.grid.size() == 18);
  CHECK(p.grid.at(9).parameters.misalignment == 0.1 + 0.2);

  const auto critical = require_same_again<study::critical_problem>(
      {{"student", "he3"}, {"mu", "-1:0.5"}, {"nu", "0.1"}});
  CHECK(critical.range.lo == -1.0);
  CHECK(critical.range.hi == 0.5);
  CHECK(critical.at.parameters.misalignment == 0.1);
}

TEST_CASE("A question about runs in time is the same as text", "[question]") {
  const auto p = require_same_again<study::trajectory_family>({{"student", "erf"},
                                                               {"mu", "0.1,0.2"},
                                                               {"time-unit", "fisher"},
                                                               {"t-end", "30"},
                                                               {"points", "log:7"},
                                                               {"u0", "1e-3"},
                                                               {"s0", "0.1"},
                                                               {"rtol", "1e-7"},
                                                               {"stepper", "stiff"},
                                                               {"max-steps", "12"},
                                                               {"method", "map"},
                                                               {"lr", "0.01"}});
  CHECK(p.each.record.logarithmic);
  CHECK(p.each.record.count == 7);
  CHECK(*p.each.end * p.pair.rate_unit == test::within(30.0, 1e-14));
  CHECK(p.each.protocol.method == tuning_method::map);
  CHECK(p.each.protocol.learning_rate == 0.01);
  CHECK(p.each.integrator.step_limit == 12);
  CHECK(study::problems_of(p).size() == 2);

  const auto escape = require_same_again<study::escape_problem>({{"student", "erf"},
                                                                 {"mu", "0.5"},
                                                                 {"gamma", "1"},
                                                                 {"event", "M"},
                                                                 {"at", "0.6,0.7"},
                                                                 {"signed", "true"},
                                                                 {"t-max", "100"}});
  CHECK(escape.grid.size() == 2);
  CHECK(escape.request.event.is_signed);
  CHECK(escape.request.integrator.end_time == 100.0);
  const auto law = require_same_again<study::escape_problem>(
      {{"student", "erf"}, {"mu", "0.5"}, {"dim", "100,1000"}, {"quantiles", "0.2,0.8"}});
  CHECK(law.grid.at(1).dimension == 1000.0);
  CHECK(law.request.quantiles == std::vector<double>{0.2, 0.8});

  const auto rests = require_same_again<study::fixed_points_problem>(
      {{"student", "he3"}, {"mu", "0.2"}, {"m0", "0.4"}});
  CHECK(rests.grid.otherwise.start.m == 0.4);

  const auto budget = require_same_again<study::budget_problem>({{"student", "he3"},
                                                                 {"source", "he5"},
                                                                 {"rho", "0.7"},
                                                                 {"a0", "0.25"},
                                                                 {"q0", "0.125"},
                                                                 {"t-pre", "0:1:5"},
                                                                 {"noise", "0.1"}});
  CHECK(budget.budget.source.risk.teacher().name() == "he5");
  CHECK(budget.budget.weight_at_start.gap == 0.0625);
  CHECK(budget.times.size() == 5);
  CHECK(budget.budget.event.quantity == overlap_quantity::risk);
}

TEST_CASE("A question about simulations is the same as text", "[question]") {
  const word_list run{{"student", "erf"}, {"mu", "0.5"},   {"dim", "1e4"},
                      {"batch", "20"},    {"lr", "0.02"},  {"noise", "0.1"},
                      {"runs", "7"},      {"seed", "123"}, {"time-unit", "fisher"}};
  for (const char* points : {"4", "log:40"}) {
    const auto p = require_same_again<study::simulate_problem>(
        with(run, {{"t-end", "30"}, {"points", points}, {"m0", "0.1"}, {"s0", "0.2"}}));
    CHECK(p.problem.dimension == 10'000);
    CHECK(p.problem.seed == 123);
    CHECK(p.plan.record.back() == p.problem.steps());
  }
  for (const word_list& event :
       std::vector<word_list>{{{"event", "m"}, {"at", "0.4"}},
                              {{"event", "M"}, {"at", "0.4"}, {"signed", "true"}},
                              {{"event", "risk"}, {"at", "0.01"}}}) {
    const auto p = require_same_again<study::simulate_problem>(
        with(with(run, event), {{"steps", "300"}, {"engine", "sgd"}}));
    CHECK(p.plan.stop_after_events);
    CHECK(p.engine == simulation_engine::sgd);
  }
  const auto v = require_same_again<study::validation_problem>({{"student", "erf"},
                                                                {"mu", "0.5"},
                                                                {"gamma", "1"},
                                                                {"dim", "300,100"},
                                                                {"lr", "0.01"},
                                                                {"t-end", "3"},
                                                                {"runs", "20"},
                                                                {"alpha", "0.05"}});
  CHECK(v.dimensions == std::vector<double>{100.0, 300.0});
  CHECK(v.law_runs == 20);
  CHECK(v.at.start.m == 0.3);
  // Where no time is said it is the event's, and the table tells it.
  const auto by_event = read_question<study::validation_problem>(
      words_of({{"student", "erf"}, {"mu", "0.5"}, {"gamma", "1"}, {"dim", "300"}}));
  CHECK(question(by_event.said).text("t-end") == question_of(by_event.problem).text("t-end"));
}

TEST_CASE("A question about networks is the same as text", "[question]") {
  const word_list net{{"student", "erf"}, {"mu", "0.5"},       {"width", "3"},
                      {"rank", "2"},      {"off-target", "1"}, {"teacher-width", "3"},
                      {"readout", "sqrt"}};
  const auto rates = require_same_again<study::network_rates_problem>(
      with(net, {{"alpha", "4"}, {"scaling", "root"}}));
  CHECK(rates.layout.off_target == 1);
  CHECK(rates.layout.scaling == study::lora_scaling::root);
  require_same_again<study::network_critical_problem>(
      {{"student", "he3"}, {"mu", "0:1"}, {"width", "3"}});
  const auto run =
      require_same_again<study::network_trajectory_problem>(with(net, {{"t-end", "7"},
                                                                       {"points", "0:7:5"},
                                                                       {"dim", "500"},
                                                                       {"seed", "9"},
                                                                       {"start-batch", "100"},
                                                                       {"method", "map"},
                                                                       {"lr", "0.1"}}));
  CHECK(run.start.dimension == 500);
  CHECK(run.start.one_step_batch == 100);
  CHECK(run.learning_rate == 0.1);
  CHECK(run.record.times.size() == 5);
  const auto escape =
      require_same_again<study::network_escape_problem>({{"student", "erf"},
                                                         {"mu", "0.5"},
                                                         {"train", "scratch"},
                                                         {"scratch-norm", "0.2"},
                                                         {"width", "2"},
                                                         {"event", "M_1_1"},
                                                         {"at", "0.8"},
                                                         {"source", "tanh"},
                                                         {"source-overlap", "0.3"}});
  CHECK(escape.start.scale == 0.2);
  CHECK(escape.event.entry == std::pair<std::ptrdiff_t, std::ptrdiff_t>(1, 1));
  CHECK(escape.layout.source->name() == "tanh");
  const auto rests =
      require_same_again<study::network_fixed_points_problem>(with(net, {{"starts", "20"}}));
  CHECK(rests.starts == 20);
  const word_list simulated{{"dim", "100"}, {"batch", "20"}, {"lr", "0.02"}, {"steps", "200"}};
  require_same_again<study::network_simulate_problem>(
      with(with(net, simulated), {{"points", "3"}}));
  const auto hits = require_same_again<study::network_simulate_problem>(
      with(with(net, simulated), {{"event", "risk"}, {"at", "0.1"}, {"u0", "0.01"}}));
  CHECK(hits.u0 == 0.01);
  const auto v = require_same_again<study::network_validation_problem>({{"student", "erf"},
                                                                        {"mu", "0.5"},
                                                                        {"gamma", "1"},
                                                                        {"width", "2"},
                                                                        {"dim", "100"},
                                                                        {"t-end", "2"},
                                                                        {"adapter", "free"}});
  CHECK(v.layout.adapter == adapter_constraint::free);
}

TEST_CASE("A diagram's words are those of its table", "[question]") {
  const auto asked = read_question<study::phase_problem>(words_of({{"student", "he3+{a}*he5"},
                                                                   {"x", "mu=0.1:0.9:3"},
                                                                   {"y", "a=-0.5,0.5"},
                                                                   {"dim", "1000"},
                                                                   {"gamma", "1"},
                                                                   {"engine", "chain"},
                                                                   {"refine", "0"}}));
  CHECK(asked.said == parameters_of(asked.problem));
  CHECK(asked.problem.ensemble->runs == 100);
  const auto network = read_question<study::phase_problem>(
      words_of({{"student", "erf"}, {"x", "mu=0.1:0.9:3"}, {"y", "rank=1,2"}, {"width", "2"}}));
  REQUIRE(network.problem.network);
  CHECK(to_json(phase_problem_of(network.said)) == to_json(network.problem));
}

TEST_CASE("A table's parameters say what was left to a default", "[question]") {
  const auto asked =
      read_question<study::escape_problem>(words_of({{"student", "erf"}, {"mu", "0.50"}}));
  const question said(asked.said);
  CHECK(said.text("mu") == "0.50");  // as it was said
  CHECK(said.text("nu") == "0");
  CHECK(said.text("m0") == "0.03");
  CHECK(said.text("event") == "m");
  CHECK(said.text("at") == "0.5");
  CHECK(said.text("signed") == "false");
  const auto run = read_question<study::simulate_problem>(words_of({{"student", "erf"},
                                                                    {"mu", "0.5"},
                                                                    {"dim", "1000"},
                                                                    {"batch", "20"},
                                                                    {"lr", "0.02"},
                                                                    {"t-end", "30"}}));
  CHECK(question(run.said).text("gamma") == "1");
  CHECK(question(run.said).text("steps") == "1500");
}

TEST_CASE("Words of JSON are numbers, texts and lists", "[question]") {
  const auto p = problem_from_json<study::rates_problem>(
      R"({"student": "erf", "mu": [0.1, 0.2], "nu": 0.5, "seed": 18446744073709551615})");
  CHECK(p.grid.size() == 2);
  CHECK(p.grid.at(1).parameters.alignment == 0.2);
  const auto ask = [](const std::string& text) {
    return problem_from_json<study::rates_problem>(text);
  };
  CHECK_THROWS_WITH(ask("{"), Catch::StartsWith("it is no JSON"));
  CHECK_THROWS_WITH(ask("3"), "it is no object");
  CHECK_THROWS_WITH(ask(R"({"student": "erf", "student": "he3"})"), "'student' is given twice");
  CHECK_THROWS_WITH(ask(R"({"student": "erf", "mu": 0.5, "gama": 1})"), "'gama' is no part of it");
  CHECK_THROWS_WITH(ask(R"({"mu": 0.5})"), Catch::StartsWith("--student is missing"));
  CHECK_THROWS_WITH(ask(std::string(40, '[') + std::string(40, ']')), "it is nested too deep");
  CHECK_THROWS_AS(ask(R"({"student": "erf", "mu": {"a": 1}})"), argument_error);
  CHECK_THROWS_AS(ask(R"({"student": "erf", "mu": true})"), argument_error);
}

TEST_CASE("Whole numbers are read exactly", "[question]") {
  CHECK(read_count("--seed", "18446744073709551615", 0, UINT64_MAX) == UINT64_MAX);
  CHECK(read_count("--seed", "9007199254740993", 0, UINT64_MAX) == 9007199254740993ULL);
  CHECK(read_count("--runs", "1e12", 1, 1'000'000'000'000) == 1'000'000'000'000);
  for (const char* text : {"18446744073709551616", "1e20", "-1", "0.5", "nan", "x", ""}) {
    CAPTURE(text);
    CHECK_THROWS_AS(read_count("--seed", text, 0, UINT64_MAX), argument_error);
  }
  CHECK_THROWS_AS(read_count("--runs", "0", 1, 5), argument_error);
  CHECK_THROWS_AS(read_count("--runs", "6", 1, 5), argument_error);
}

TEST_CASE("What a file says is a part of the question", "[question]") {
  const test::scratch folder;
  const auto file = [&](const char* name, const char* text) {
    const std::string path = (folder.path / name).string();
    std::ofstream(path) << text;
    return path;
  };
  const auto gone = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
      std::filesystem::remove(entry);
    }
  };
  const std::string rows = file("rows.toml",
                                "teacher = [[1, 0], [0, 1]]\nreadout = [1, 0.5]\n"
                                "pretrained = [[0.6, 0.1], [0.2, 0.5]]\n");
  const std::string start = file("start.toml",
                                 "teacher = [[1]]\npretrained = [[0.5], [0.30000000000000004]]\n"
                                 "U = [[1e-3], [0]]\nC = [[0.25]]\nP = [[0.9375]]\n");
  const auto escape = read_question<study::network_escape_problem>(
      words_of({{"student", "erf"}, {"network", text_parameter(rows)}, {"gamma", "0,1"}}));
  const auto run = read_question<study::network_trajectory_problem>(
      words_of({{"student", "erf"}, {"start", text_parameter(start)}, {"t-end", "3"}}));
  const auto staged = read_question<study::network_trajectory_problem>(words_of(
      {{"student", "erf"},
       {"mu", "0.5"},
       {"width", "2"},
       {"stages", file("stages.toml",
                       "[[stage]]\ntime = 2\nnoise = 0.1\n[[stage]]\nflip = true\n[[stage]]\n"
                       "until = \"M_1_1\"\nat = 0.9\ntime = 1e3\n")}}));
  const auto simulated = read_question<study::network_simulate_problem>(words_of(
      {{"student", "erf"},
       {"mu", "0.5"},
       {"dim", "100"},
       {"batch", "20"},
       {"stages", file("simulated.toml",
                       "[[stage]]\nlr = 0.1\nsteps = 30\n[[stage]]\nlr = 0.2\nsteps = 12\n")}}));
  const auto family = read_question<study::trajectory_family>(
      words_of({{"student", "he3"},
                {"mu", "0.2"},
                {"stages", file("one.toml",
                                "[[stage]]\nteacher = \"erf\"\nlabel = \"y^2\"\ntime = 2\n"
                                "[[stage]]\ntime = 3\n")}}));
  gone();

  // A table's parameters ask the same without the files.
  const auto again = read_question<study::network_escape_problem>(question(escape.said));
  CHECK(again.problem.layout.geometry->pretrained == escape.problem.layout.geometry->pretrained);
  CHECK(again.problem.layout.geometry->readout[1] == 0.5);
  CHECK(std::is_permutation(again.said.begin(), again.said.end(), escape.said.begin(),
                            escape.said.end()));
  CHECK(question_of(again.problem).said() == question_of(escape.problem).said());
  CHECK(read_question<study::network_escape_problem>(question_of(escape.problem))
            .problem.layout.geometry->teacher == escape.problem.layout.geometry->teacher);
  CHECK(problem_from_json<study::network_escape_problem>(to_json(question_of(escape.problem)))
            .layout.geometry->teacher == escape.problem.layout.geometry->teacher);

  const auto on = read_question<study::network_trajectory_problem>(question(run.said));
  CHECK(on.problem.start.given->C(0, 0) == 0.25);
  CHECK((*on.problem.start.given->U)(0, 0) == 1e-3);
  CHECK(on.problem.layout.geometry->pretrained(1, 0) == 0.1 + 0.2);
  const auto written =
      read_question<study::network_trajectory_problem>(question_of(run.problem)).problem;
  CHECK(written.start.given->P == run.problem.start.given->P);
  CHECK(written.layout.geometry->pretrained == run.problem.layout.geometry->pretrained);

  const auto stages =
      read_question<study::network_trajectory_problem>(question(staged.said)).problem.stages;
  REQUIRE(stages.size() == 2);
  CHECK(stages[0].task.label_noise == 0.1);
  CHECK(stages[1].flips);
  CHECK(stages[1].until->entry == std::pair<std::ptrdiff_t, std::ptrdiff_t>(1, 1));
  CHECK(stages[1].duration == 1e3);

  const question told(simulated.said);
  CHECK(told.text("lr") == "0.2");
  CHECK(told.text("steps") == "42");
  CHECK(told.text("gamma") == "1");
  CHECK(simulated.problem.record.back() == 42);

  CHECK(question(family.said).text("stages") ==
        R"({"stage":[{"label":"y^2","teacher":"erf","time":2},{"time":3}]})");
}

TEST_CASE("A question says whether it asks of a network", "[question]") {
  CHECK_FALSE(asks_network(words_of({{"student", "erf"}, {"mu", "0.5"}, {"dim", "1000"}})));
  CHECK(asks_network(words_of({{"student", "erf"}, {"decay", "0"}})));
  CHECK(asks_network(words_of({{"student", "erf"}, {"x", "mu=0.1:0.9:3"}, {"y", "rank=1,2"}})));
  CHECK_FALSE(asks_network(words_of({{"student", "erf"}, {"start", "there is none"}})));
  CHECK_THROWS_WITH(read_question<study::network_escape_problem>(
                        words_of({{"student", "erf"}, {"mu", "0.5"}, {"start", "there is none"}})),
                    Catch::Contains("the end state of a network"));
}

TEST_CASE("Stages have words", "[question]") {
  const auto family = require_same_again<study::trajectory_family>(
      {{"student", "erf"},
       {"teacher", "he3"},
       {"time-unit", "fisher"},
       {"stages", R"({"stage":[{"pretrain":"tanh","rho":0.7,"a0":0.1,"q0":0.2,"gamma":0.1,)"
                  R"("noise":0.3,"time":9,"until-risk":0.2},{"flip":true},)"
                  R"({"teacher":"erf","gamma":0.5,"noise":0.1,"lr-ratio":2,"until":"M","at":0.6,)"
                  R"("signed":true},{"label":"y^2","time":3}]})"}});
  const auto& stages = family.each.protocol.stages;
  REQUIRE(stages.size() == 4);
  CHECK(std::get<pretraining_stage>(stages[0]).parameters.source_overlap == 0.7);
  const auto again = read_question<study::trajectory_family>(question_of(family)).problem;
  const auto& read = again.each.protocol.stages;
  REQUIRE(read.size() == 4);
  CHECK(std::get<pretraining_stage>(read[0]).start.gap ==
        std::get<pretraining_stage>(stages[0]).start.gap);
  CHECK(std::get<pretraining_stage>(read[0]).until_risk == 0.2);
  CHECK(std::holds_alternative<flip_stage>(read[1]));
  const auto& tuning = std::get<tuning_stage>(read[2]);
  CHECK(tuning.noise_scale == 0.5);
  CHECK(tuning.label_noise == 0.1);
  CHECK(tuning.rate_ratio == 2.0);
  CHECK(tuning.until->quantity == overlap_quantity::M);
  CHECK(tuning.until->at == 0.6);
  CHECK(tuning.until->is_signed);
  CHECK(!tuning.duration);
  // The square of the pair's teacher.
  const auto& squared = std::get<tuning_stage>(read[3]);
  CHECK(squared.task.risk.value({0.3, 1.0, 0.91}, 0.0) ==
        std::get<tuning_stage>(stages[3]).task.risk.value({0.3, 1.0, 0.91}, 0.0));
  CHECK(*squared.duration == test::within(*std::get<tuning_stage>(stages[3]).duration, 1e-15));

  require_same_again<study::trajectory_family>({{"student", "he3"},
                                                {"mu", "0.2,0.4"},
                                                {"nu", "0.1"},
                                                {"stages", R"({"stage":[{"time":2}]})"}});

  const auto simulated = require_same_again<study::simulate_problem>(
      {{"student", "erf"},
       {"mu", "0.5"},
       {"dim", "100"},
       {"batch", "20"},
       {"stages", R"({"stage":[{"flip":true},{"label":"y^2","noise":0.1,"lr":0.1,"steps":30},)"
                  R"({"teacher":"he3","lr-ratio":2,"lr":0.2,"steps":12}]})"}});
  const auto runs = read_question<study::simulate_problem>(question_of(simulated)).problem;
  REQUIRE(runs.problem.stages.size() == 2);
  CHECK(runs.problem.stages[0].flips);
  CHECK((*runs.problem.stages[0].label)(3.0) == 9.0);
  CHECK(runs.problem.stages[0].label_noise == 0.1);
  CHECK(runs.problem.stages[1].teacher(3.0) == 18.0);
  CHECK(runs.problem.stages[1].rate_ratio == 2.0);
  CHECK(runs.problem.steps() == 42);

  const auto network = require_same_again<study::network_trajectory_problem>(
      {{"student", "erf"},
       {"mu", "0.5"},
       {"width", "2"},
       {"source", "he2"},
       {"source-overlap", "0.5"},
       {"stages", R"({"stage":[{"on":"source","time":2,"noise":0.1},{"flip":true},)"
                  R"({"teacher":"tanh","gamma":0.5,"lr-ratio":2,"until":"M_1_1","at":0.9,)"
                  R"("time":1e3}]})"}});
  REQUIRE(network.stages.size() == 2);
  CHECK(network.stages[0].task.on_source);
  const auto twice = read_question<study::network_trajectory_problem>(question_of(network)).problem;
  CHECK(twice.stages[1].flips);
  CHECK(twice.stages[1].until->entry == network.stages[1].until->entry);
  CHECK(twice.stages[1].noise_scale == 0.5);
  CHECK(twice.stages[1].task.teacher->name() == "tanh");

  const auto trained = require_same_again<study::network_trajectory_problem>(
      {{"student", "erf"},
       {"width", "2"},
       {"stages", R"({"stage":[{"pretrain":"he2","rho":0.5,"a0":0.2,"q0":0.1,"noise":0.1,)"
                  R"("until-risk":0.01,"time":9},{"label":"y^2","time":1}]})"}});
  REQUIRE(trained.stages.size() == 2);
  const auto pretrained =
      read_question<study::network_trajectory_problem>(question_of(trained)).problem;
  REQUIRE(pretrained.stages[0].pretrains);
  CHECK(pretrained.stages[0].pretrains->source_overlap == 0.5);
  CHECK(pretrained.stages[0].pretrains->a == 0.2);
  CHECK(pretrained.stages[0].pretrains->gap == test::within(0.06, 1e-16));
  CHECK(pretrained.stages[0].until->at == 0.01);
  CHECK(pretrained.stages[0].task.label_noise == 0.1);
  CHECK((*pretrained.stages[1].task.label)(3.0) == 9.0);

  const auto chain = require_same_again<study::network_simulate_problem>(
      {{"student", "erf"},
       {"mu", "0.5"},
       {"dim", "100"},
       {"batch", "20"},
       {"stages", R"({"stage":[{"lr":0.1,"steps":30},{"flip":true},{"lr":0.2,"steps":12}]})"}});
  CHECK(read_question<study::network_simulate_problem>(question_of(chain)).problem.stages[1].flips);
}

TEST_CASE("Labels that are transformed have the words that asked for them", "[question]") {
  const auto family = require_same_again<study::trajectory_family>(
      {{"student", "erf"},
       {"teacher", "he3"},
       {"stages", R"({"stage":[{"pretrain":"tanh","label":"y^3+y","noise":0.2,"time":2},)"
                  R"({"teacher":"erf","label":"y^2","noise":0.1,"gamma":0.5,"time":3},)"
                  R"({"label":"2*y","noise":0.3,"time":1}]})"}});
  const auto again = problem_from_json<study::trajectory_family>(to_json(question_of(family)));
  const auto words = nlohmann::json::parse(question_of(family).text("stages")).at("stage");
  CHECK(words.at(0).at("pretrain") == "tanh");
  CHECK(words.at(1).at("teacher") == "erf");
  CHECK(words.at(1).at("noise") == 0.1);
  CHECK(words.at(2).at("teacher") == "he3");
  CHECK(words.at(2).at("noise") == 0.3);
  // The same targets with the same noise, which depends on the input in the first two.
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    const auto task_of = [i](const study::trajectory_family& f) {
      return std::visit(
          [](const auto& stage) -> std::pair<learning_task, double> {
            if constexpr (std::is_same_v<std::decay_t<decltype(stage)>, flip_stage>) {
              throw error("no stage trains");
            } else if constexpr (std::is_same_v<std::decay_t<decltype(stage)>, tuning_stage>) {
              return {stage.task, stage.label_noise};
            } else {
              return {stage.task, stage.parameters.label_noise};
            }
          },
          f.each.protocol.stages.at(i));
    };
    const auto& [task, noise] = task_of(family);
    const auto& [read, read_noise] = task_of(again);
    CHECK(noise > 0.0);
    CHECK(read_noise == noise);
    CHECK(read.risk.value({0.3, 1.0, 0.91}, noise) == task.risk.value({0.3, 1.0, 0.91}, noise));
    CHECK(read.noise.value(0.3, 1.0, 0.91, noise) == task.noise.value(0.3, 1.0, 0.91, noise));
  }
}

TEST_CASE("A task of transformed labels that doesn't tell them has no words", "[question]") {
  auto family = read_question<study::trajectory_family>(
                    words_of({{"student", "erf"},
                              {"mu", "0.2"},
                              {"stages", R"({"stage":[{"label":"y^2","noise":0.1,"time":3}]})"}}))
                    .problem;
  std::get<tuning_stage>(family.each.protocol.stages.front()).labels.reset();
  CHECK_THROWS_WITH(question_of(family), Catch::Contains("the task of a stage"));
}

TEST_CASE("A simulation of stages refuses what each of them says", "[question]") {
  const auto ask = [](const char* name, const char* value) {
    return read_question<study::simulate_problem>(
        words_of({{"student", "erf"},
                  {"mu", "0.5"},
                  {"dim", "100"},
                  {"batch", "20"},
                  {"stages", R"({"stage":[{"lr":0.1,"steps":30}]})"},
                  {name, value}}));
  };
  for (const auto& [name, other, own] : {std::array{"noise", "0.3", "0"},
                                         {"lr-ratio", "2", "1"},
                                         {"lr", "0.2", "0.1"},
                                         {"steps", "31", "30"},
                                         {"gamma", "2", "0.5"}}) {
    CAPTURE(name);
    CHECK_THROWS_WITH(ask(name, other), Catch::Contains("left out"));
    CHECK_NOTHROW(ask(name, own));
  }
}
