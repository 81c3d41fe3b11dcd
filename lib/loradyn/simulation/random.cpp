#include <loradyn/simulation/random.hpp>

#include <algorithm>

namespace loradyn::detail {

counter_lanes successive_draws(std::uint64_t run, std::uint64_t step, std::uint64_t first_draw) {
  counter_lanes at;
  at.run.fill(run);
  at.step.fill(step);
  for (std::size_t e = 0; e < lane_count; ++e) {
    at.draw[e] = first_draw + e;
  }
  at.stride = lane_count;
  return at;
}

void fill_normal_pairs(const batch_kernels& kernels, std::uint64_t key, std::uint64_t run,
                       std::uint64_t step, std::uint64_t first_draw, std::span<double> first,
                       std::span<double> second) {
  const std::size_t whole = first.size() / lane_count * lane_count;
  for (std::size_t i = 0; i < whole; i += block_size) {
    kernels.normal_pairs(key, successive_draws(run, step, first_draw + i),
                         std::min(block_rows, (whole - i) / lane_count), first.data() + i,
                         second.data() + i);
  }
  if (whole < first.size()) {
    lane_values tail_first;
    lane_values tail_second;
    kernels.normal_pairs(key, successive_draws(run, step, first_draw + whole), 1, tail_first.data(),
                         tail_second.data());
    const std::size_t left = first.size() - whole;
    std::copy_n(tail_first.begin(), left, first.begin() + static_cast<std::ptrdiff_t>(whole));
    std::copy_n(tail_second.begin(), left, second.begin() + static_cast<std::ptrdiff_t>(whole));
  }
}

void chi_square(const batch_kernels& kernels, std::uint64_t key, const counter_lanes& place,
                std::uint64_t degrees, lane_values& result) {
  counter_lanes at = place;
  at.draw.fill(0);
  if (degrees == 1) {
    lane_values normal;
    lane_values unused;
    kernels.normal_pairs(key, at, 1, normal.data(), unused.data());
    for (std::size_t e = 0; e < lane_count; ++e) {
      result[e] = normal[e] * normal[e];
    }
    return;
  }
  // χ²(n) = 2 Γ(n/2). The draw counts the tries of a lane.
  const double shape = 0.5 * static_cast<double>(degrees);
  gamma_try attempt;
  kernels.try_gamma(key, at, shape, attempt);
  lanes<std::uint64_t> done = attempt.accepted;
  for (std::size_t e = 0; e < lane_count; ++e) {
    result[e] = 2.0 * attempt.value[e];
  }
  while (std::find(done.begin(), done.end(), 0U) != done.end()) {
    at.draw.fill(at.draw[0] + 1);
    kernels.try_gamma(key, at, shape, attempt);
    for (std::size_t e = 0; e < lane_count; ++e) {
      if (done[e] == 0U && attempt.accepted[e] != 0U) {
        result[e] = 2.0 * attempt.value[e];
        done[e] = 1U;
      }
    }
  }
}

}  // namespace loradyn::detail
