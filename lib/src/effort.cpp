#include <loradyn/effort.hpp>
#include <string>

namespace loradyn {

thread_local effort_limit* effort_limit::current_ = nullptr;

effort_limit::effort_limit(std::uint64_t most) : most_(most), outer_(current_) { current_ = this; }

effort_limit::~effort_limit() { current_ = outer_; }

void effort_limit::spend(std::uint64_t evaluations) {
  if (current_ != nullptr) {
    current_->count(evaluations);
  }
}

void effort_limit::count(std::uint64_t evaluations) {
  spent_ += evaluations;
  if (spent_ > most_) {
    throw effort_error("more than " + std::to_string(most_) + " evaluations are needed");
  }
}

void effort_limit::count_shared(const void* shared, std::uint64_t evaluations) {
  const bool counted = shared == last_ || !counted_.insert(shared).second;
  last_ = shared;
  count(counted ? 0 : evaluations);
}

}  // namespace loradyn
