#!/usr/bin/env bash
# Builds the explorer: one HTML file that needs nothing else, build/explorer/loradyn-explorer.html.
#
#   apps/explorer/build.sh [FILE]     installs what is missing, leaves the page at FILE too
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
file=${1:-}

source apps/packages.sh
install_packages "${explorer_packages[@]}"

# Emscripten's own scripts use Debian's modules, which a node that isn't Debian's does not look for there.
export NODE_PATH=/usr/share/nodejs${NODE_PATH:+:$NODE_PATH}

launcher=()
if command -v ccache >/dev/null; then
  launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
emcmake cmake -S apps/explorer -B build/explorer -G Ninja "${launcher[@]}"
cmake --build build/explorer

# uPlot draws the lines; npm holds the archive of a version to its hash.
if [[ ! -e build/explorer/node_modules/uplot/dist/uPlot.iife.min.js ]]; then
  cp apps/explorer/package.json apps/explorer/package-lock.json build/explorer/
  npm ci --prefix build/explorer --no-audit --no-fund --omit=dev
fi

node apps/explorer/bundle.mjs build/explorer build/explorer/loradyn-explorer.html
if [[ -n $file ]]; then
  cp build/explorer/loradyn-explorer.html "$file"
fi
