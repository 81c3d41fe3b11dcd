#include "activation/formula_kernels.hpp"
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "activation/instruction_sets.hpp"
#include "activation/normal_tail.inc"

namespace loradyn::detail {
namespace {

// Sums of a series' coefficients, by size. Beyond these an overflow or underflow may be on the way:
// a product of two within is a double, and what falls below has lost nothing yet. The larger one is
// below jet.hpp's own bound, as is a logarithm's argument, so that up to there digits are the same.
constexpr double largest_plain = 1e90;
constexpr double smallest_plain = 1e-250;
constexpr double smallest_logarithm = 1e-90;

}  // namespace

namespace portable {
#define LORADYN_VECTOR_BYTES 16
#define LORADYN_KERNELS_NAME "portable"
#include "activation/formula_kernels.inc"
#undef LORADYN_KERNELS_NAME
#undef LORADYN_VECTOR_BYTES
}  // namespace portable

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LORADYN_WIDE_KERNELS

#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#define LORADYN_VECTOR_BYTES 32
#define LORADYN_KERNELS_NAME "avx2"
#include "activation/formula_kernels.inc"
#undef LORADYN_KERNELS_NAME
#undef LORADYN_VECTOR_BYTES
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,prefer-vector-width=512")
namespace avx512 {
#define LORADYN_VECTOR_BYTES 64
#define LORADYN_KERNELS_NAME "avx512"
#include "activation/formula_kernels.inc"
#undef LORADYN_KERNELS_NAME
#undef LORADYN_VECTOR_BYTES
}  // namespace avx512
#pragma GCC pop_options
#endif

std::span<const formula_kernels* const> available_formula_kernels() {
#ifdef LORADYN_WIDE_KERNELS
  static const auto available = runnable(portable::kernels, avx2::kernels, avx512::kernels);
#else
  static const std::vector<const formula_kernels*> available{&portable::kernels};
#endif
  return available;
}

namespace {

formula_scratch& scratch_for(std::size_t rows) {
  thread_local formula_scratch scratch;
  if (scratch.rows.size() < rows) {
    scratch.rows.resize(rows);
  }
  return scratch;
}

}  // namespace

template <std::size_t Order>
void tabulate(const formula_kernels& kernels, const formula& f, std::span<const double> x,
              std::array<double*, Order + 1> out) {
  formula_scratch& scratch = scratch_for(f.nodes.size() * (Order + 2) + 1);
  const formula_kernels::evaluator evaluate = kernels.evaluators[std::min<std::size_t>(Order, 3)];
  for (std::size_t start = 0; start < x.size(); start += block_points) {
    const std::size_t n = std::min(block_points, x.size() - start);
    evaluate(f, x.data() + start, n, scratch, out.data());
    for (std::size_t i = 0; i < n; ++i) {
      if (scratch.spoilt[i] != 0) {
        constexpr std::size_t scalar_order = Order <= 2 ? 2 : 4;  // those that are compiled
        std::array<double, scalar_order + 1> values{};
        f.evaluate<scalar_order>(x[start + i], values);
        for (std::size_t k = 0; k <= Order; ++k) {
          out[k][i] = values[k];
        }
      }
    }
    for (double*& row : out) {
      row += n;
    }
  }
}

template void tabulate<0>(const formula_kernels&, const formula&, std::span<const double>,
                          std::array<double*, 1>);
template void tabulate<1>(const formula_kernels&, const formula&, std::span<const double>,
                          std::array<double*, 2>);
template void tabulate<2>(const formula_kernels&, const formula&, std::span<const double>,
                          std::array<double*, 3>);
template void tabulate<4>(const formula_kernels&, const formula&, std::span<const double>,
                          std::array<double*, 5>);

template <std::size_t Order>
void formula::tabulate(std::span<const double> x, std::array<double*, Order + 1> out) const {
  static const std::span<const formula_kernels* const> sets = available_formula_kernels();
  // A wide vector costs more than a narrow one where most of it is padding.
  detail::tabulate<Order>(x.size() <= 2 ? *sets.front() : *sets.back(), *this, x, out);
}

template void formula::tabulate<0>(std::span<const double>, std::array<double*, 1>) const;
template void formula::tabulate<1>(std::span<const double>, std::array<double*, 2>) const;
template void formula::tabulate<2>(std::span<const double>, std::array<double*, 3>) const;
template void formula::tabulate<4>(std::span<const double>, std::array<double*, 5>) const;

}  // namespace loradyn::detail
