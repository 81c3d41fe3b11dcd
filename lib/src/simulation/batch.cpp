#include <loradyn/simulation/batch.hpp>
#include <loradyn/simulation/network_batch.hpp>

#include "activation/instruction_sets.hpp"

#include <Random123/philox.h>

#include <boost/math/constants/constants.hpp>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace loradyn::detail {
namespace {

constexpr double erf_reach = 6.0;  // 1 - erf(6) = 2e-17: below half an ulp of 1
// At |δ| = 1/128 the terms left out are 2e-19 of erf and 2e-16 of its slope, less than an ulp.
constexpr double erf_steps = 64.0;

// erf(k/64) and erf'(k/64), rounded once from the wider type.
const double* erf_table() {
  static const std::vector<double> table = [] {
    std::vector<double> pairs;
    for (int k = 0; k <= static_cast<int>(erf_reach * erf_steps); ++k) {
      const long double y = static_cast<long double>(k) / static_cast<long double>(erf_steps);
      pairs.push_back(static_cast<double>(std::erf(y)));
      pairs.push_back(static_cast<double>(boost::math::constants::two_div_root_pi<long double>() *
                                          std::exp(-y * y)));
    }
    return pairs;
  }();
  return table.data();
}

}  // namespace

namespace portable {
#if defined(__x86_64__)
#define LORADYN_MULTIPLY(a, b) \
  reinterpret_cast<words>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)))
#else
#define LORADYN_MULTIPLY(a, b) (((a)&0xffffffffU) * ((b)&0xffffffffU))
#endif
#define LORADYN_VECTOR_BYTES 16
#define LORADYN_KERNELS_NAME "portable"
#include "simulation/batch_kernels.inc"
#undef LORADYN_KERNELS_NAME
#undef LORADYN_VECTOR_BYTES
#undef LORADYN_MULTIPLY
}  // namespace portable

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LORADYN_WIDE_KERNELS

#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#define LORADYN_MULTIPLY(a, b) \
  reinterpret_cast<words>(     \
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)))
#define LORADYN_VECTOR_BYTES 32
#define LORADYN_KERNELS_NAME "avx2"
#include "simulation/batch_kernels.inc"
#undef LORADYN_KERNELS_NAME
#undef LORADYN_VECTOR_BYTES
#undef LORADYN_MULTIPLY
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")
namespace avx512 {
#define LORADYN_MULTIPLY(a, b) \
  reinterpret_cast<words>(     \
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)))
#define LORADYN_VECTOR_BYTES 64
#define LORADYN_KERNELS_NAME "avx512"
#include "simulation/batch_kernels.inc"
#undef LORADYN_KERNELS_NAME
#undef LORADYN_VECTOR_BYTES
#undef LORADYN_MULTIPLY
}  // namespace avx512
#pragma GCC pop_options
#endif

std::span<const batch_kernels* const> available_kernels() {
#ifdef LORADYN_WIDE_KERNELS
  static const auto available = runnable(portable::kernels, avx2::kernels, avx512::kernels);
#else
  static const std::vector<const batch_kernels*> available{&portable::kernels};
#endif
  return available;
}

const batch_kernels& best_kernels() { return *available_kernels().back(); }

}  // namespace loradyn::detail
