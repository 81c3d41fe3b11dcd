#include <catch2/catch.hpp>
#include <loradyn/report/progress_text.hpp>

using namespace loradyn;

TEST_CASE("a line of progress tells share, count, rate, time left and a note") {
  CHECK(progress_text(2500, 10000, 500.0, "cells", "learned 2000") ==
        " 25 %  2500 of 10000 cells  500/s  15 s left  learned 2000");
  CHECK(progress_text(1, 3, 0.5, "points", "") == " 33 %  1 of 3 points  0.5/s  4 s left");
  // Before the first has come there is no rate.
  CHECK(progress_text(0, 3, 0.0, "points", "slow: erf (4 s)") ==
        "  0 %  0 of 3 points  slow: erf (4 s)");
  CHECK(progress_text(0, 0, 0.0, "cells", "") == "no cells yet");
}

TEST_CASE("a text is cut to characters, not to bytes") {
  CHECK(cut_to_width("γ = 10", 20) == "γ = 10");
  CHECK(cut_to_width("γ = 10", 6) == "γ = 10");
  CHECK(cut_to_width("γ = 10", 5) == "γ = 1");
  CHECK(cut_to_width("γγγ", 1) == "γ");
  CHECK(cut_to_width("γ", 0).empty());
}

TEST_CASE("durations are told in the units of a clock") {
  CHECK(duration_text(0.2) == "1 s");
  CHECK(duration_text(59.0) == "59 s");
  CHECK(duration_text(200.0) == "3 min 20 s");
  CHECK(duration_text(7500.0) == "2 h 5 min");
}
