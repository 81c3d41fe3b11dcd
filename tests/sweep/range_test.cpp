#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <loradyn/error.hpp>
#include <loradyn/sweep/range.hpp>
#include <string>

using namespace loradyn;

namespace {

std::string fault(const std::string& text) {
  try {
    parse_range("--mu", text);
  } catch (const argument_error& e) {
    return e.expected();
  }
  return "none";
}

}  // namespace

TEST_CASE("numbers, lists and ranges") {
  CHECK(parse_range("x", "0.1") == std::vector<double>{0.1});
  CHECK(parse_range("x", "-1e-3") == std::vector<double>{-1e-3});
  CHECK(parse_range("x", " 0.5, +2 ,-1") == std::vector<double>{0.5, 2, -1});
  CHECK(parse_range("x", "0:1:5") == std::vector<double>{0, 0.25, 0.5, 0.75, 1});
  CHECK(parse_range("x", "-0.5:1.5:3") == std::vector<double>{-0.5, 0.5, 1.5});
  CHECK(parse_range("x", "0.1:0.9:5") == std::vector<double>{0.1, 0.3, 0.5, 0.7, 0.9});
  CHECK(parse_range("x", "-0.3:0.3:7") == std::vector<double>{-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3});
  CHECK(parse_range("x", "0:1:4") == std::vector<double>{0, 1.0 / 3, 2.0 / 3, 1});
  const auto logarithmic = parse_range("x", "log:0.01:100:5");
  REQUIRE(logarithmic.size() == 5);
  for (int i = 0; i < 5; ++i) {
    CHECK(logarithmic[static_cast<std::size_t>(i)] == Approx(std::pow(10.0, i - 2)).epsilon(1e-15));
  }
  const auto fine = parse_range("x", "0.03:0.99:193");
  CHECK(fine.front() == 0.03);
  CHECK(fine.back() == 0.99);
  CHECK(std::is_sorted(fine.begin(), fine.end()));
}

TEST_CASE("rounding does not leave a range") {
  for (const char* text :
       {"1.0000000000000002:1.0000000000000009:4", "1.0000000000000004:1.0000000000000013:34",
        "log:1e308:1.7976931348623157e308:7", "log:1e300:1.0000000000000002e300:5",
        "-1.0000000000000009:-1.0000000000000002:4"}) {
    CAPTURE(text);
    const auto values = parse_range("x", text);
    CHECK(std::is_sorted(values.begin(), values.end()));
    CHECK(std::isfinite(values.back()));
  }
}

TEST_CASE("a range is its text, and its values are those of its parts") {
  for (const char* text : {"0.1", "0.1,-2,0.30000000000000004", "0:1:5", "log:1e-06:1e+300:7"}) {
    CAPTURE(text);
    const value_range range = read_range("x", text);
    CHECK(to_text(range) == text);
    CHECK(values_of("x", range) == parse_range("x", text));
  }
  CHECK(read_range("x", " log: 0.50:2 : 3") == value_range{{}, 0.5, 2.0, 3, true});
  const auto refused = [](const value_range& range) {
    try {
      static_cast<void>(values_of("--mu", range));
    } catch (const argument_error& e) {
      return std::string(e.what());
    }
    return std::string("none");
  };
  CHECK(refused({{}, 1.0, 0.0, 5, false}) ==
        "--mu is '1:0:5', but must be a range that is not reversed, with lo < hi");
  CHECK(refused({{}, 0.0, 1.0, 1, false}).ends_with("with at least 2 points, both its ends"));
  CHECK(refused({{}, 0.0, 1.0, 1'000'000'000, false}).ends_with("at most 10000000 points"));
  CHECK(refused({{}, 0.0, 1.0, 5, true}).ends_with("a positive range, being logarithmic"));
  CHECK(refused({{}, 0.0, std::nan(""), 5, false}).ends_with("finite"));
  CHECK(refused({{0.5, std::nan("")}, 0.0, 1.0, 2, false}).ends_with("finite"));
}

TEST_CASE("what is no range is refused with what would be right") {
  CHECK(fault("1:0:5") == "a range that is not reversed, with lo < hi");
  CHECK(fault("1:1:5") == "a range that is not empty, with lo < hi");
  CHECK(fault("0:1:1") == "a range with at least 2 points, both its ends");
  CHECK(fault("0:1:-3") == "a range with at least 2 points, both its ends");
  CHECK(fault("0:1:2.5") == "a range with at least 2 points, both its ends");
  CHECK(fault("0:1:99999999999999999999") == "a range of at most 10000000 points");
  CHECK(fault("log:0:1:3") == "a positive range, being logarithmic");
  CHECK(fault("nan") == "finite");
  CHECK(fault("0:inf:3") == "finite");
  CHECK(fault("1e999") == "within the range of a double");
  for (const char* text : {"", "abc", "0.1,", "0:1", "log:1:2", "1:2:3:4", "0x10", "1 2"}) {
    CAPTURE(text);
    CHECK(fault(text) == "a number, a list a,b,c, a range lo:hi:n, or log:lo:hi:n");
  }
}

TEST_CASE("intervals and single numbers") {
  CHECK(parse_interval("--mu", "-1:1.5").hi == 1.5);
  CHECK_THROWS_AS(parse_interval("--mu", "1:0"), argument_error);
  CHECK_THROWS_AS(parse_interval("--mu", "0:1:5"), argument_error);
  CHECK(parse_number("--gamma", "0.5") == 0.5);
  CHECK_THROWS_AS(parse_number("--gamma", "0.5,1"), argument_error);
}
