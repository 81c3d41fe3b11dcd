#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests.
#
#   tests/run.sh            the optimised build, the core by clang against libc++, each fuzzer for ten seconds,
#                           and the explorer in browsers
#   tests/run.sh --long     the same, with five minutes for each fuzzer, networks against their simulation at d = 10^5, what
#                           starts threads under ThreadSanitizer, the quickstart, the page of accuracy against its
#                           references, mutations of the formulas, and the paper computed again
#   tests/run.sh --asan     the first under AddressSanitizer and UndefinedBehaviorSanitizer
#   tests/run.sh --native   without the explorer, its compiler and the browsers; with --long too
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=release
fuzz_seconds=10
browser=yes
long=no
for option in "$@"; do
  case "$option" in
    --asan) preset=asan ;;
    --long)
      fuzz_seconds=300
      long=yes
      ;;
    --native) browser=no ;;
    *)
      echo "usage: tests/run.sh [--asan | --long] [--native]" >&2
      exit 2
      ;;
  esac
done

source apps/packages.sh
install_packages "${program_packages[@]}" "${python_packages[@]}" "${test_packages[@]}"

find lib apps tests -name '*.[ch]pp' -print0 | xargs -0 clang-format-14 --dry-run -Werror

# An interpreter that knows no sanitizer can't load the module of an instrumented build.
python=ON
if [[ $preset == asan ]]; then
  python=OFF
fi
cmake --preset "$preset" -DLORADYN_WARNINGS_AS_ERRORS=ON -DLORADYN_BUILD_PYTHON=$python
cmake --build --preset "$preset"
ctest --preset "$preset" --no-tests=error -LE long

if [[ $preset == release ]]; then
  # The core compiles with another compiler and another standard library too, and keeps its numbers.
  cmake --preset clang -DLORADYN_WARNINGS_AS_ERRORS=ON
  cmake --build --preset clang
  ctest --preset clang --no-tests=error

  # docs/fuzzing.md
  cmake --preset fuzz -DLORADYN_WARNINGS_AS_ERRORS=ON
  cmake --build --preset fuzz
  LORADYN_FUZZ_SECONDS=$fuzz_seconds ctest --preset fuzz --no-tests=error -j "$(nproc)"

  # docs/explorer.md
  if [[ $browser == yes ]]; then
    PYTHONPATH=$PWD/build/release/python tests/explorer/run.sh build/release/bin/loradyn
  fi

  if [[ $long == yes ]]; then
    ctest --preset release --no-tests=error -L long
    # docs/contributing.md. Its instrumentation makes GCC warn of what is initialised: warnings stay warnings.
    cmake --preset tsan
    cmake --build --preset tsan
    ctest --preset tsan --no-tests=error
    # Its units are whole rooms, where two files must not give one name to two things.
    apps/quickstart.sh
    # docs/accuracy.md, tests/mutations.txt, docs/reproduction.md
    PYTHONPATH=$PWD/build/release/python /usr/bin/python3 -B docs/accuracy.py --check
    python3 tests/mutations.py
    LORADYN_BUILD_DIR=build/release docs/reproduce.sh
  fi
fi
