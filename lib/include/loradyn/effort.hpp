#pragma once

/// \file
/// How long a computation may be, counted in evaluations and never by the clock, so that the same
/// question has the same answer on every machine.

#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include <loradyn/error.hpp>

namespace loradyn {

/// Thrown where a computation has spent the evaluations that it was allowed. Not a
/// convergence_error: what takes the failure of one point for "not there" lets this pass.
class effort_error : public error {
 public:
  using error::error;
};

/// Points at which the integrand of an average over the plane may be computed for one row of
/// `escape`, `fixed-points`, `critical` or `rates`: some seconds.
/// Heuristic: of the 169 pairs of the names none needs a hundredth part.
inline constexpr std::uint64_t row_effort = 200'000'000;

/// While it lives, its thread counts evaluations and ends with an effort_error beyond the limit.
/// What was spent by another thread or row on what is shared, a patch of a table, counts as spent
/// by each that uses it: a result depends on its own question alone. Of nested ones the inner
/// counts.
class effort_limit {
 public:
  /// Of so many evaluations.
  explicit effort_limit(std::uint64_t most);
  ~effort_limit();
  effort_limit(const effort_limit&) = delete;
  effort_limit& operator=(const effort_limit&) = delete;

  /// The evaluations so far.
  [[nodiscard]] std::uint64_t spent() const noexcept { return spent_; }

  /// Counts evaluations. \throws effort_error beyond the limit of the thread, if it has one
  static void spend(std::uint64_t evaluations);

  /// Counts those that a shared thing has cost, once for each limit.
  static void spend_on(const void* shared, std::uint64_t evaluations) {
    if (current_ != nullptr && evaluations != 0) {
      current_->count_shared(shared, evaluations);
    }
  }

 private:
  void count(std::uint64_t evaluations);
  void count_shared(const void* shared, std::uint64_t evaluations);

  static thread_local effort_limit* current_;

  std::uint64_t most_;
  std::uint64_t spent_ = 0;
  effort_limit* outer_;
  const void* last_ = nullptr;
  std::unordered_set<const void*> counted_;
};

}  // namespace loradyn
