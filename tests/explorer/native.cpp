// The explorer's questions asked of the library as the program has it: requests from standard
// input, a line "." after each; for each the milliseconds that its answer took.

#include <chrono>
#include <iostream>
#include <string>

extern "C" const char* explorer_answer(const char* request);

int main() {
  std::string request;
  for (std::string line; std::getline(std::cin, line);) {
    if (line != ".") {
      request += line + '\n';
      continue;
    }
    const auto begin = std::chrono::steady_clock::now();
    const std::string answer = explorer_answer(request.c_str());
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    if (answer.starts_with("{\"error\"")) {
      std::cerr << answer << '\n';
      return 1;
    }
    std::cout << took.count() << '\n';
    request.clear();
  }
}
