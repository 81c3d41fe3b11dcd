#include <loradyn/interruption.hpp>
#include <loradyn/simulation/random.hpp>

#include <algorithm>

namespace loradyn {

std::uint64_t derived_seed(std::uint64_t seed, std::initializer_list<std::uint64_t> key) {
  // SplitMix64's finaliser (Steele, Lea & Flood, OOPSLA 2014), over one word after the other.
  const auto mixed = [](std::uint64_t z) {
    z += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  };
  std::uint64_t state = mixed(seed);
  for (const std::uint64_t word : key) {
    state = mixed(state ^ word);
  }
  return state & max_seed;
}

namespace detail {

counter_lanes successive_draws(std::uint64_t run, std::uint64_t first_draw) {
  counter_lanes at;
  at.run.fill(run);
  for (std::size_t e = 0; e < lane_count; ++e) {
    at.draw[e] = first_draw + e;
  }
  at.stride = lane_count;
  return at;
}

void fill_normal_pairs(const batch_kernels& kernels, std::uint64_t key, std::uint64_t run,
                       std::uint64_t step, std::uint64_t first_draw, std::span<double> first,
                       std::span<double> second) {
  const counter_lanes at = successive_draws(run, first_draw);
  const std::size_t rows = first.size() / lane_count;
  for (std::size_t row = 0; row < rows; row += block_rows) {
    check_stop();
    kernels.normal_pairs(key, at, step, row, std::min(block_rows, rows - row),
                         first.data() + row * lane_count, second.data() + row * lane_count);
  }
  const std::size_t whole = rows * lane_count;
  if (whole < first.size()) {
    lane_values tail_first;
    lane_values tail_second;
    kernels.normal_pairs(key, at, step, rows, 1, tail_first.data(), tail_second.data());
    std::copy_n(tail_first.data(), first.size() - whole, first.data() + whole);
    std::copy_n(tail_second.data(), first.size() - whole, second.data() + whole);
  }
}

void chi_square(const batch_kernels& kernels, std::uint64_t key, const counter_lanes& at,
                std::uint64_t step, std::uint64_t degrees, lane_values& result) {
  if (degrees == 1) {
    lane_values normal;
    lane_values unused;
    kernels.normal_pairs(key, at, step, 0, 1, normal.data(), unused.data());
    for (std::size_t e = 0; e < lane_count; ++e) {
      result[e] = normal[e] * normal[e];
    }
    return;
  }
  // χ²(n) = 2 Γ(n/2).
  const double shape = 0.5 * static_cast<double>(degrees);
  gamma_try attempt;
  lanes<std::uint64_t> done{};
  for (std::uint64_t tries = 0; std::find(done.begin(), done.end(), 0U) != done.end(); ++tries) {
    kernels.try_gamma(key, at, step, tries, shape, attempt);
    for (std::size_t e = 0; e < lane_count; ++e) {
      if (done[e] == 0U && attempt.accepted[e] != 0U) {
        result[e] = 2.0 * attempt.value[e];
        done[e] = 1U;
      }
    }
  }
}

}  // namespace detail
}  // namespace loradyn
