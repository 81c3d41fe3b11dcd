#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests.
#
#   tests/run.sh          the optimised build, and the core by clang against libc++
#   tests/run.sh --asan   the first under AddressSanitizer and UndefinedBehaviorSanitizer
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=release
case "${1:-}" in
  '') ;;
  --asan) preset=asan ;;
  *)
    echo "usage: tests/run.sh [--asan]" >&2
    exit 2
    ;;
esac

source apps/packages.sh
install_packages "${program_packages[@]}" "${test_packages[@]}"

find lib apps tests -name '*.[ch]pp' -print0 | xargs -0 clang-format-14 --dry-run -Werror

cmake --preset "$preset" -DLORADYN_WARNINGS_AS_ERRORS=ON
cmake --build --preset "$preset"
ctest --preset "$preset" --no-tests=error

if [[ $preset == release ]]; then
  # The core compiles with another compiler and another standard library too, and keeps its numbers.
  cmake --preset clang -DLORADYN_WARNINGS_AS_ERRORS=ON
  cmake --build --preset clang
  ctest --preset clang --no-tests=error
fi
