#include <Random123/philox.h>

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <loradyn/simulation/random.hpp>
#include <loradyn/simulation/statistics.hpp>
#include <set>
#include <vector>

#include "support/within.hpp"

using namespace loradyn;
using namespace loradyn::detail;

namespace {

std::vector<double> normals(std::uint64_t seed, std::uint64_t run, std::size_t pairs) {
  std::vector<double> values(2 * pairs);
  fill_normal_pairs(best_kernels(), random_key(seed, random_stream::chain_samples), run, 0, 0,
                    {values.data(), pairs}, {values.data() + pairs, pairs});
  return values;
}

}  // namespace

TEST_CASE("Philox gives its authors' known answers") {
  const auto answer = [](philox4x32_ctr_t counter, philox4x32_key_t key) {
    const philox4x32_ctr_t block = philox4x32_R(10, counter, key);
    return std::vector<std::uint32_t>(block.begin(), block.end());
  };
  // kat_vectors of Random123.
  CHECK(answer({{0, 0, 0, 0}}, {{0, 0}}) ==
        std::vector<std::uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint32_t ones = 0xffffffff;
  CHECK(answer({{ones, ones, ones, ones}}, {{ones, ones}}) ==
        std::vector<std::uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(answer({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, {{0xa4093822, 0x299f31d0}}) ==
        std::vector<std::uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("normals are Box and Muller's of the Philox words of their counter, in every set") {
  // Counters whose every part needs its high bits.
  const std::uint64_t seed = max_seed - 5;
  const std::uint64_t run = random_runs - 3;
  const std::uint64_t step = random_steps - 20;
  const std::uint64_t draw = (std::uint64_t{1} << 32) - 4;
  const std::uint64_t key = random_key(seed, random_stream::sgd_inputs);
  for (const batch_kernels* const kernels : available_kernels()) {
    CAPTURE(kernels->name);
    std::vector<double> first(77);
    std::vector<double> second(77);
    fill_normal_pairs(*kernels, key, run, step, draw, first, second);
    for (std::size_t i = 0; i < first.size(); ++i) {
      const std::uint64_t at = draw + i;
      const philox4x32_ctr_t counter = {
          {static_cast<std::uint32_t>(at),
           static_cast<std::uint32_t>(at >> 32) | static_cast<std::uint32_t>(step >> 32) << 16,
           static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(run)}};
      const philox4x32_key_t words = {
          {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}};
      const philox4x32_ctr_t block = philox4x32_R(10, counter, words);
      const std::uint64_t radius = std::uint64_t{block[0]} << 32 | block[1];
      const std::uint64_t angle = std::uint64_t{block[2]} << 32 | block[3];
      const long double u = (static_cast<long double>(radius >> 12) + 0.5L) * 0x1p-52L;
      const long double r = std::sqrt(-2.0L * std::log(u));
      const long double fraction =
          (static_cast<long double>((angle >> 10) & 0xfffffffffffffU) + 0.5L) * 0x1p-52L - 0.5L;
      const long double theta = fraction * 1.57079632679489661923132169163975144L;
      const long double large = (angle >> 62 & 1U) != 0 ? -std::cos(theta) : std::cos(theta);
      const bool exchanged = angle >> 63 != 0;
      // 1e-15 of the radius: a few roundings.
      const auto scale = static_cast<double>(r);
      CHECK(first[i] == test::within(static_cast<double>(r * (exchanged ? std::sin(theta) : large)),
                                     1e-15 * scale));
      CHECK(second[i] ==
            test::within(static_cast<double>(r * (exchanged ? large : std::sin(theta))),
                         1e-15 * scale));
    }
  }
}

TEST_CASE("every instruction set draws the same bits") {
  const std::uint64_t key = random_key(9, random_stream::chain_rest);
  const counter_lanes at = successive_draws(3, 11);
  const batch_kernels& plain = *available_kernels().front();
  for (const batch_kernels* const kernels : available_kernels()) {
    CAPTURE(kernels->name);
    block expected_first;
    block expected_second;
    block first;
    block second;
    plain.normal_pairs(key, at, 5, 7, block_rows, expected_first.data(), expected_second.data());
    kernels->normal_pairs(key, at, 5, 7, block_rows, first.data(), second.data());
    CHECK(first == expected_first);
    CHECK(second == expected_second);
    for (const std::uint64_t degrees : {1U, 2U, 5U, 40U, 100000U}) {
      for (std::uint64_t step = 0; step < 50; ++step) {
        lane_values expected;
        lane_values drawn;
        chi_square(plain, key, at, step, degrees, expected);
        chi_square(*kernels, key, at, step, degrees, drawn);
        CHECK(drawn == expected);
      }
    }
  }
}

TEST_CASE("normals have a normal's moments, tails and distribution") {
  const std::size_t pairs = 1'000'000;
  const std::vector<double> z = normals(1, 0, pairs);
  const auto n = static_cast<double>(z.size());
  double sums[5] = {};
  double beyond_four = 0.0;
  double neighbours = 0.0;
  double twins = 0.0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    double power = 1.0;
    for (double& sum : sums) {
      sum += power;
      power *= z[i];
    }
    beyond_four += std::abs(z[i]) > 4.0 ? 1.0 : 0.0;
    neighbours += i + 1 < z.size() ? z[i] * z[i + 1] : 0.0;
    twins += i < pairs ? z[i] * z[i + pairs] : 0.0;
  }
  // Five standard errors; Var z² = 2, Var z³ = 15, Var z⁴ = 96.
  const double se = 5.0 / std::sqrt(n);
  CHECK(sums[1] / n == test::within(0.0, se));
  CHECK(sums[2] / n == test::within(1.0, se * std::sqrt(2.0)));
  CHECK(sums[3] / n == test::within(0.0, se * std::sqrt(15.0)));
  CHECK(sums[4] / n == test::within(3.0, se * std::sqrt(96.0)));
  CHECK(neighbours / n == test::within(0.0, se));
  CHECK(twins / static_cast<double>(pairs) == test::within(0.0, se * std::sqrt(2.0)));
  const boost::math::normal standard;
  const double expected = 2.0 * n * boost::math::cdf(standard, -4.0);
  CHECK(beyond_four == test::within(expected, 5.0 * std::sqrt(expected)));
  const distance_test test =
      kolmogorov_smirnov(std::vector<double>(z.begin(), z.begin() + 200'000),
                         [&](double x) { return boost::math::cdf(standard, x); });
  INFO("distance " << test.distance << ", p " << test.p_value);
  CHECK(test.p_value > 1e-3);
}

TEST_CASE("other seeds, streams, runs and steps give other numbers") {
  const auto draw = [](std::uint64_t seed, random_stream stream, std::uint64_t run,
                       std::uint64_t step) {
    std::vector<double> first(8);
    std::vector<double> second(8);
    fill_normal_pairs(best_kernels(), random_key(seed, stream), run, step, 0, first, second);
    return first;
  };
  const std::vector<double> base = draw(1, random_stream::chain_start, 0, 0);
  CHECK(draw(1, random_stream::chain_start, 0, 0) == base);
  CHECK(draw(2, random_stream::chain_start, 0, 0) != base);
  CHECK(draw(1, random_stream::chain_samples, 0, 0) != base);
  CHECK(draw(1, random_stream::chain_start, 1, 0) != base);
  CHECK(draw(1, random_stream::chain_start, 0, 1) != base);
  CHECK(draw(1, random_stream::chain_start, 0, std::uint64_t{1} << 40) != base);
}

TEST_CASE("derived seeds of neighbouring seeds and keys are all different, and in range") {
  // Adding an index to the seed would give most of these to several.
  std::set<std::uint64_t> seeds;
  std::size_t count = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const std::uint64_t what : {1U, 2U}) {
      for (std::uint64_t place = 0; place < 100; ++place) {
        const std::uint64_t derived = derived_seed(seed, {what, place});
        CHECK(derived <= max_seed);
        seeds.insert(derived);
        ++count;
      }
    }
  }
  CHECK(seeds.size() == count);
  CHECK(derived_seed(3, {1, 2}) != derived_seed(3, {2, 1}));
  CHECK(derived_seed(3, {1}) != derived_seed(3, {1, 0}));
  CHECK(derived_seed(3, {1, 2}) == derived_seed(3, {1, 2}));
}

TEST_CASE("chi-square variates have their distribution at any number of degrees of freedom") {
  const std::uint64_t key = random_key(3, random_stream::chain_rest);
  counter_lanes at;
  for (std::size_t e = 0; e < lane_count; ++e) {
    at.run[e] = e;
  }
  // Seven tests at 1e-3 each: one false alarm in 140 seeds.
  for (const std::uint64_t degrees : {1ULL, 2ULL, 3ULL, 5ULL, 37ULL, 997ULL, 999'999'999'997ULL}) {
    CAPTURE(degrees);
    std::vector<double> sample;
    for (std::uint64_t step = 0; step < 2500; ++step) {
      lane_values drawn;
      chi_square(best_kernels(), key, at, step, degrees, drawn);
      sample.insert(sample.end(), drawn.begin(), drawn.end());
    }
    const auto n = static_cast<double>(degrees);
    const boost::math::chi_squared law(n);
    const boost::math::normal standard;
    const distance_test test = kolmogorov_smirnov(sample, [&](double x) {
      // The incomplete gamma function does not converge at 10^12; the normal limit is good to 1e-7
      // there.
      return degrees < 1'000'000 ? boost::math::cdf(law, x)
                                 : boost::math::cdf(standard, (x - n) / std::sqrt(2.0 * n));
    });
    INFO("distance " << test.distance << ", p " << test.p_value);
    CHECK(test.p_value > 1e-3);
  }
}
