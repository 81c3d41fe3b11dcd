#include "kernel/owens_t.hpp"

#include <algorithm>
#include <boost/math/constants/constants.hpp>
#include <cstdint>
#include <vector>

#include "activation/instruction_sets.hpp"
#include "activation/normal_tail.inc"
#include "gaussian/legendre.hpp"

namespace loradyn {

namespace portable {
#define LORADYN_VECTOR_BYTES 16
#include "kernel/owens_t.inc"
#undef LORADYN_VECTOR_BYTES
}  // namespace portable

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LORADYN_WIDE_KERNELS

#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#define LORADYN_VECTOR_BYTES 32
#include "kernel/owens_t.inc"
#undef LORADYN_VECTOR_BYTES
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")
namespace avx512 {
#define LORADYN_VECTOR_BYTES 64
#include "kernel/owens_t.inc"
#undef LORADYN_VECTOR_BYTES
}  // namespace avx512
#pragma GCC pop_options
#endif

std::span<const owens_kernels* const> available_owens_kernels() {
#ifdef LORADYN_WIDE_KERNELS
  static const auto available = detail::runnable(portable::kernels, avx2::kernels, avx512::kernels);
#else
  static const std::vector<const owens_kernels*> available{&portable::kernels};
#endif
  return available;
}

namespace {

// On [0, 1], with 1/2π in the weights.
template <unsigned N>
struct unit_rule {
  unit_rule() {
    const legendre_rule<N> r;
    for (std::size_t i = 0; i < N; ++i) {
      node[i] = 0.5 * (1.0 + r.node[i]);
      weight[i] = 0.5 * r.weight[i] / boost::math::constants::two_pi<double>();
    }
  }
  std::array<double, N> node;
  std::array<double, N> weight;
};

template <unsigned N>
double by_rule(double top, double power) {
  static const unit_rule<N> rule;
  static const owens_kernels& kernels = *available_owens_kernels().back();
  return top * kernels.sum(rule.node.data(), rule.weight.data(), N, top, power);
}

}  // namespace

double owens_integral(double h, double a) {
  // e^{-z²/2} falls to 1.5e-17 there.
  constexpr double farthest = 8.8;
  const double power = h * h;
  const double reach = h * a;
  const double top = reach > farthest ? farthest / h : a;
  // Eight and sixteen points leave less than 1e-15 there, 24 at any a <= 1: "Owen's function is
  // that of high precision" has both sides of each.
  constexpr double short_reach = 0.8;
  constexpr double short_top = 0.35;
  constexpr double usual_reach = 4.5;
  return top <= short_top && reach <= short_reach ? by_rule<8>(top, power)
         : reach <= usual_reach                   ? by_rule<16>(top, power)
                                                  : by_rule<24>(top, power);
}

}  // namespace loradyn
