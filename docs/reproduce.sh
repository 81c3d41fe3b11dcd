#!/usr/bin/env bash
# Computes the published figures and tables of docs/reproduction.md again, beside the published values: a quarter of an
# hour on two cores, after the program that apps/quickstart.sh builds.
#
#   docs/reproduce.sh            all: docs/figures/reproduction-*.svg and the tables of docs/reproduction.md
#   docs/reproduce.sh --quick    the search times alone, as a table on standard output
#
# The exit code is 1 where a difference is larger than the page says.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

source "$root/apps/packages.sh"
install_packages "${program_packages[@]}" "${python_packages[@]}" python3-scipy

cd "$root"
build=${LORADYN_BUILD_DIR:-} # one that has the program and the module of Python
if [[ -z $build ]]; then
  build=build/quickstart
  cmake --preset quickstart -DLORADYN_BUILD_PYTHON=ON >/dev/null
  cmake --build --preset quickstart
fi
LORADYN="$root/$build/bin/loradyn" PYTHONPATH="$root/$build/python" \
  exec /usr/bin/python3 -B "$root/docs/reproduce.py" "$@"
