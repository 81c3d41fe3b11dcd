#include <catch2/catch.hpp>
#include <cstddef>
#include <loradyn/analysis/critical.hpp>
#include <loradyn/analysis/equilibria.hpp>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/analysis/outcome.hpp>
#include <loradyn/analysis/search_phase.hpp>
#include <loradyn/dynamics/integrate.hpp>
#include <string_view>
#include <utility>

using namespace loradyn;

namespace {

template <class T, std::size_t n>
void check(const std::pair<T, std::string_view> (&names)[n]) {
  for (const auto& [member, name] : names) {
    CHECK(to_string(member) == name);
  }
}

}  // namespace

// The words of docs/how-to-choose.md, which tables and Python give.
TEST_CASE("statuses, outcomes and kinds go by their names") {
  check<search_status>({{search_status::ok, "ok"},
                        {search_status::imprecise, "imprecise"},
                        {search_status::diverges, "diverges"},
                        {search_status::frozen, "frozen"},
                        {search_status::undefined, "undefined"},
                        {search_status::overflow, "overflow"}});
  check<critical_status>({{critical_status::diverges, "diverges"},
                          {critical_status::finite, "finite"},
                          {critical_status::marginal, "marginal"},
                          {critical_status::touches, "touches"},
                          {critical_status::possible_double, "possible-double-root"},
                          {critical_status::one_sided, "one-sided"},
                          {critical_status::unresolved, "no-convergence"}});
  check<law_status>({{law_status::ok, "ok"},
                     {law_status::no_instability, "no-instability"},
                     {law_status::no_escape, "no-escape"},
                     {law_status::several_modes, "several-modes"},
                     {law_status::small_dimension, "small-dimension"}});
  check<outcome>({{outcome::learned, "learned"},
                  {outcome::unlearned, "unlearned"},
                  {outcome::trapped, "trapped"},
                  {outcome::diverging, "diverging"},
                  {outcome::cycling, "cycling"},
                  {outcome::searching, "searching"}});
  check<run_status>({{run_status::ok, "ok"},
                     {run_status::time_limit, "time-limit"},
                     {run_status::step_limit, "step-limit"},
                     {run_status::step_underflow, "step-underflow"},
                     {run_status::blow_up, "blow-up"},
                     {run_status::no_convergence, "no-convergence"}});
  check<equilibrium_kind>({{equilibrium_kind::sink, "sink"},
                           {equilibrium_kind::neutral, "neutral"},
                           {equilibrium_kind::saddle, "saddle"},
                           {equilibrium_kind::source, "source"}});
  check<integration_status>({{integration_status::end_time, "end-time"},
                             {integration_status::event, "event"},
                             {integration_status::event_at_start, "event-at-start"},
                             {integration_status::stopped, "stopped"},
                             {integration_status::step_limit, "step-limit"},
                             {integration_status::step_underflow, "step-underflow"},
                             {integration_status::undefined, "undefined"},
                             {integration_status::blow_up, "blow-up"}});
}
