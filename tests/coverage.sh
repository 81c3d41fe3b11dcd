#!/usr/bin/env bash
# Which lines of lib the tests reach: builds the preset `coverage`, runs its tests, and writes the table of
# docs/coverage.md and build/coverage/lines.txt, the lines that none reaches.
#
#   tests/coverage.sh                 everything, an hour of one core
#   tests/coverage.sh core            the core's rooms by their own tests
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source apps/packages.sh
install_packages "${program_packages[@]}" "${test_packages[@]}"

build=${LORADYN_BUILD_DIR:-build/coverage}
rooms=(gaussian activation kernel model dynamics analysis)
if [[ ! -e $build/build.ninja ]]; then
  cmake --preset coverage
fi
find "$build" -name '*.gcda' -delete
if [[ ${1:-} == core ]]; then
  cmake --build "$build" --target "${rooms[@]/%/_test}"
  ctest --test-dir "$build" --output-on-failure -R "^($(IFS='|'; echo "${rooms[*]}"))$"
else
  cmake --build "$build"
  ctest --test-dir "$build" --output-on-failure
fi
gcovr --root . --object-directory "$build" --exclude-directories CMakeFiles --filter 'lib/' --exclude-throw-branches --exclude-unreachable-branches \
  --json "$build/coverage.json"
python3 -B tests/coverage.py "$build/coverage.json" "$build/lines.txt" ${1:+--core}
