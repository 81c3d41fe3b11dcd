#pragma once

// Reading and writing a problem by its description, the function `members_of`.

#include "report/question_io.hpp"

namespace loradyn {

// A problem before it is read; of some the pair of activations comes first.
template <class Problem>
Problem blank(question_reader&, const Problem*) {
  return {};
}

template <class Problem>
Problem read_members(question_reader& io) {
  constexpr const Problem* which = nullptr;
  Problem problem = blank(io, which);
  members_of(io, problem, which);
  return problem;
}

template <class Problem>
asked<Problem> read_question(const question& words) {
  question_reader io(words);
  Problem problem = read_members<Problem>(io);
  return {std::move(problem), io.said()};
}

template <class Problem>
question question_of(const Problem& problem) {
  question_writer io;
  members_of(io, problem, &problem);
  return io.words();
}

template <class Problem>
Problem problem_from_json(std::string_view text) {
  question_reader io(question_from_json(text));
  Problem problem = read_members<Problem>(io);
  io.require_all_used();
  return problem;
}

}  // namespace loradyn

// Makes the functions of question.hpp for a problem whose description stands above.
#define LORADYN_QUESTION(problem)                                  \
  template asked<problem> read_question<problem>(const question&); \
  template question question_of<problem>(const problem&);          \
  template problem problem_from_json<problem>(std::string_view)
