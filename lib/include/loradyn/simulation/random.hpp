#pragma once

/// \file
/// Counter-based random numbers. Each is a function of (seed, stream, run, step, draw) and of
/// nothing else, so that a run does not depend on threads, on order or on which other runs exist.
/// Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011) with
///
///     key     = seed, with the stream in its top eleven bits
///     counter = draw (48 bits), step (48 bits), run (32 bits)

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include <loradyn/simulation/batch.hpp>

namespace loradyn {

/// The largest seed: every one below it is exact in a double, so in any table.
inline constexpr std::uint64_t max_seed = (std::uint64_t{1} << 53) - 1;
/// One more than the last run, and than the last step, that have random numbers of their own.
inline constexpr std::uint64_t random_runs = std::uint64_t{1} << 32;
/// The steps that a run has numbers for.
inline constexpr std::uint64_t random_steps = std::uint64_t{1} << 48;

/// The seed of one experiment among many under a user's seed, told apart by the words of its key
/// (its place, its dimension, what is asked): a hash into [0, max_seed], so that neighbouring seeds
/// and keys share nothing but by a chance of 2^-53 a pair. A run repeats by the seed that is
/// returned.
[[nodiscard]] std::uint64_t derived_seed(std::uint64_t seed,
                                         std::initializer_list<std::uint64_t> key);

namespace detail {

/// What a number is for. Streams of the two engines differ, so that they are independent.
enum class random_stream : std::uint64_t {
  chain_start,
  chain_start_rest,
  chain_samples,
  chain_extras,
  chain_rest,
  sgd_target,
  sgd_misaligned,
  sgd_adapter,
  sgd_inputs,
  sgd_labels,
  // Of any width and rank.
  network_start,
  network_start_rest,
  network_start_mixing,
  network_start_samples,
  network_samples,
  network_rest,
  network_mixing,
  network_sgd_basis,
  network_sgd_beside,
  network_sgd_adapter,
  network_sgd_start,
  network_sgd_start_labels,
  network_sgd_inputs,
  network_sgd_labels
};

/// The Philox key of a stream. seed <= max_seed
[[nodiscard]] constexpr std::uint64_t random_key(std::uint64_t seed, random_stream stream) {
  return seed | (static_cast<std::uint64_t>(stream) << 53);
}

/// Counters of one run, whose elements have successive draws.
[[nodiscard]] counter_lanes successive_draws(std::uint64_t run, std::uint64_t first_draw);

/// Fills two spans of equal length with standard normals; element i comes from draw first_draw + i.
/// About 5 ns a pair with 512-bit vectors, 7 ns with 256.
void fill_normal_pairs(const batch_kernels& kernels, std::uint64_t key, std::uint64_t run,
                       std::uint64_t step, std::uint64_t first_draw, std::span<double> first,
                       std::span<double> second);

/// A χ² variate in each lane, for the lane's run and step. The row counts the tries, so `at` should
/// have a stride of 1. The cost does not depend on the degrees of freedom.
/// \param degrees >= 1
void chi_square(const batch_kernels& kernels, std::uint64_t key, const counter_lanes& at,
                std::uint64_t step, std::uint64_t degrees, lane_values& result);

}  // namespace detail
}  // namespace loradyn
