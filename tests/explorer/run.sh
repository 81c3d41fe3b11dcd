#!/usr/bin/env bash
# Builds the explorer and tests it in Debian's Chromium, and a little in its Firefox, against the program.
#
#   tests/explorer/run.sh LORADYN     the program to compare with; where its build has tests, times are compared too
set -euo pipefail
program=$(realpath "${1:?usage: tests/explorer/run.sh LORADYN}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

source apps/packages.sh
install_packages "${explorer_test_packages[@]}"
apps/explorer/build.sh

modules=$PWD/build/explorer/test
mkdir -p "$modules"
cp apps/explorer/package.json apps/explorer/package-lock.json "$modules"
npm ci --prefix "$modules" --no-audit --no-fund

native=$(dirname "$program")/../tests/explorer_native
if [[ ! -x $native ]]; then
  native=
fi
LORADYN=$program NATIVE=$native PAGE=$PWD/build/explorer/loradyn-explorer.html PICTURES=$PWD/build/explorer/pictures \
  MODULES=$modules FIREFOX=$(command -v firefox-esr) \
  node --test --test-concurrency=1 tests/explorer/explorer_test.mjs
