#pragma once

/// \file
/// Loops that are compiled once for each instruction set, and which of them this processor runs.
/// Internal to the library.

#include <vector>

namespace loradyn::detail {

/// The sets of loops that this processor runs, the widest last.
template <class Kernels>
std::vector<const Kernels*> runnable(const Kernels& portable, const Kernels& avx2,
                                     const Kernels& avx512) {
  std::vector<const Kernels*> list{&portable};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) {
    list.push_back(&avx2);
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    list.push_back(&avx512);
  }
#else
  static_cast<void>(avx2);
  static_cast<void>(avx512);
#endif
  return list;
}

}  // namespace loradyn::detail
