#include <catch2/catch.hpp>
#include <loradyn/report/printable.hpp>
#include <string>

using namespace loradyn;

TEST_CASE("what a terminal shows stays, what it obeys becomes visible") {
  for (const char* text : {"", "plain", "τ log(at/m0) × E[σ′²]", "it's \\n", "日本 🎉"}) {
    CHECK(printable(text) == text);
    CHECK(is_printable(text));
  }
  CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\rd");
  CHECK(printable("\x1b[31m\x7f") == "\\x1b[31m\\x7f");
  CHECK(printable(std::string("\0x", 2)) == "\\x00x");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\x9b31m");                // C1 in UTF-8
  CHECK(printable("\xe2\x80\xaegnp") == "\\u202egnp");  // right to left
  CHECK(printable("a\xe2\x80\xa8"
                  "b") == "a\\u2028b");  // another end of a line
  CHECK(!is_printable("a\n"));
  CHECK(printable_lines("a\n\tb\x1b") == "a\n\tb\\x1b");
}

TEST_CASE("bytes that are no UTF-8 become visible one by one") {
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("\xce") == "\\xce");  // cut off
  CHECK(printable("\xce"
                  "a") == "\\xcea");
  CHECK(printable("\xc0\x8a") == "\\xc0\\x8a");           // a line feed, longer than needed
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // half of a pair
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(printable("\x80τ") == "\\x80τ");
}
