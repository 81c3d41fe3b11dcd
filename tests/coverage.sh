#!/usr/bin/env bash
# Which lines of lib the tests reach: builds the preset `coverage`, runs its tests, and writes the tables of
# docs/coverage.md and build/coverage/lines.txt, the lines that none reaches.
#
#   tests/coverage.sh           everything by all tests, an hour of one core
#   tests/coverage.sh core      the core's rooms by their own tests
#   tests/coverage.sh above     the rooms above it by their own tests and those of the program
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source apps/packages.sh
install_packages "${program_packages[@]}" "${test_packages[@]}"

build=${LORADYN_BUILD_DIR:-build/coverage}
case ${1:-} in
  "") targets=(all) tests=. ;;
  core)
    targets=(gaussian_test activation_test kernel_test model_test dynamics_test analysis_test)
    tests='^(gaussian|activation|kernel|model|dynamics|analysis)$'
    ;;
  above)
    targets=(simulation_test sweep_test study_test report_test loradyn-program)
    tests='^(simulation|sweep|study|report|program|cli\.(program|property|networks|network_simulation)_test)$'
    ;;
  *)
    echo "usage: tests/coverage.sh [core | above]" >&2
    exit 2
    ;;
esac
if [[ ! -e $build/build.ninja ]]; then
  cmake --preset coverage
fi
find "$build" -name '*.gcda' -delete
cmake --build "$build" --target "${targets[@]}"
# Where a program is killed or can't write, gcov's counters are lost with it, and what others have counted.
ctest --test-dir "$build" --output-on-failure -R "$tests" -E '^cli\.(interruption|mutation|resources|strangers)_test$'
gcovr --root . --object-directory "$build" --exclude-directories CMakeFiles --filter 'lib/' --exclude-throw-branches --exclude-unreachable-branches --gcov-ignore-parse-errors \
  --json "$build/coverage.json"
python3 -B tests/coverage.py "$build/coverage.json" "$build/lines.txt" "$@"
