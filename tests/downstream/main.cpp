// The example of the README, built against the installed package.

#include <cstdio>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/search_phase.hpp>
#ifdef HELPER_DIR
#include <filesystem>
#include <loradyn/report/helper.hpp>
#include <loradyn/report/table_io.hpp>
#endif

int main() {
  const loradyn::activation he3 = loradyn::parse_activation("he3");
  const loradyn::population_risk risk(he3, he3);
  const auto phase = loradyn::search_phase(risk, {.alignment = 0.5});
  std::printf("tau = %.6g\n", phase.tau);
  for (const auto& root : loradyn::critical_alignments(risk, {}, 0.0, 1.0)) {
    std::printf("mu_c = %.15g\n", root.alignment);
  }
#ifdef HELPER_DIR
  loradyn::set_helper_directory(HELPER_DIR);
  loradyn::table_file("phase.h5").write({{}, {"tau"}, {{phase.tau}}});
  const bool kept = loradyn::read_table("phase.h5").numbers("tau").at(0) == phase.tau;
  std::filesystem::remove("phase.h5");
  if (!kept) {
    return 1;
  }
#endif
  return phase.status == loradyn::search_status::ok ? 0 : 1;
}
