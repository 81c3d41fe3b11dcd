// A text is read as the problem of a phase diagram, or refused with an error. Written out, a
// problem is read back as it is, from its text and from the parameters of a table.

#include <loradyn/error.hpp>
#include <loradyn/report/problem_text.hpp>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace loradyn;
  try {
    const study::phase_problem problem = phase_problem_from_json(fuzz::text_of(data, size));
    const std::string text = to_json(problem);
    fuzz::require(to_json(phase_problem_from_json(text)) == text, "the text reads back as it is");
    fuzz::require(to_json(phase_problem_of(parameters_of(problem))) == text,
                  "the parameters read back as they are");
  } catch (const error&) {
  }
  return 0;
}
