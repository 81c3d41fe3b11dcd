#pragma once

/// \file
/// What is equal to an absolute bound.

#include <catch2/catch.hpp>

namespace loradyn::test {

/// Equal to value within the bound alone; Catch's own margin allows a relative 1e-5 besides.
inline Approx within(double value, double bound) {
  return Approx(value).margin(bound).epsilon(0.0);
}

}  // namespace loradyn::test
