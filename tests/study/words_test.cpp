#include <catch2/catch.hpp>
#include <loradyn/study/network_simulate.hpp>
#include <loradyn/study/words.hpp>
#include <set>
#include <string>

using namespace loradyn;

TEST_CASE("columns are told in a few words, entries by their first") {
  CHECK(study::text_of_columns({"t", "u", "m"}) == "t,u,m");
  CHECK(study::text_of_columns({"mode", "u_1", "u_2", "m_1", "status"}) ==
        "mode,u_1,...,m_1,status");
  // No entry ends in digits alone; and what stands apart is told again.
  CHECK(study::text_of_columns({"eig1", "eig2", "t_q05", "U_1_1", "t", "U_1_2"}) ==
        "eig1,eig2,t_q05,U_1_1,t,U_1_2");
  CHECK(study::text_of_columns({"t", "m_mean", "m_sd", "m_q05", "m_abs_mean", "m_abs_sd",
                                "m_abs_q05", "M_mean_mean", "M_mean_sd", "M_mean_q05"}) ==
        "t and for each of m,m_abs,M_mean: _mean,_sd,_q05");
  // A mean without a deviation is a column as others are.
  CHECK(study::text_of_columns({"t_mean", "t_q05", "law"}) == "t_mean,t_q05,law");
  CHECK(study::text_of_columns({"sim_mean", "sim_sd", "sim"}) == "sim_mean,sim_sd,sim");
  CHECK(study::text_of_columns({}).empty());
  CHECK(study::text_of_columns(study::network_summary_columns(study::sizes_of_a_help)) ==
        "step,t,samples,runs,diverged and for each of risk,M_mean,U_1_1,...,M_1_1,...,m_1_1,...,"
        "S_1_1,...: _mean,_sd,_q05,_q50,_q95");
}

TEST_CASE("words are told with what they mean, none twice") {
  CHECK(study::text_of({{"ok", ""}, {"corner", "w = 0"}}) == "ok, corner (w = 0)");
  for (const study::word_list& words :
       {study::outcome_words(), study::simulated_outcome_words(), study::kind_words(),
        study::verdict_words(), study::search_words(), study::critical_words(),
        study::escape_words(), study::budget_words(), study::fixed_point_words(),
        study::simulated_words(), study::ensemble_words(), study::law_words(),
        study::comparison_words(), study::stage_end_words()}) {
    std::set<std::string> names;
    for (const auto& [name, meaning] : words) {
      CAPTURE(name);
      CHECK(names.insert(name).second);
    }
    CHECK(names.size() >= 3);
  }
}
