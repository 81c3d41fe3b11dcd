#!/usr/bin/env bash
# Makes the site of all of docs, with the references of the library, of Python and of the options, and the explorer:
# build/site/index.html.
#
#   docs/build.sh                      builds what it needs
#   docs/build.sh --without-explorer   leaves out the explorer, whose compiler is large, unless it is there
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

source apps/packages.sh
install_packages "${program_packages[@]}" "${python_packages[@]}" "${site_packages[@]}"

build=${LORADYN_BUILD_DIR:-}
if [[ -z $build ]]; then
  build=build/quickstart
  cmake --preset quickstart -DLORADYN_BUILD_PYTHON=ON >/dev/null
  cmake --build --preset quickstart
fi
if [[ ${1:-} != --without-explorer ]]; then
  apps/explorer/build.sh
fi

work=$PWD/build/site-work
rm -rf "$work" build/site
mkdir -p "$work/static/katex/contrib"
(
  cat docs/site/Doxyfile
  echo "INPUT = lib/include"
  echo "OUTPUT_DIRECTORY = $work/doxygen"
) >"$work/Doxyfile"
mkdir "$work/doxygen"
doxygen "$work/Doxyfile" 2>"$work/doxygen.log" || { cat "$work/doxygen.log" >&2; exit 1; }

# KaTeX typesets the equations where they are read; nothing is loaded from elsewhere.
katex=/usr/share/javascript/katex
cp -rL "$katex/katex.min.css" "$katex/katex.min.js" "$katex/fonts" "$work/static/katex"
cp -L "$katex/contrib/auto-render.js" "$work/static/katex/contrib"
cp docs/site/equations.js "$work/static"
if [[ -e build/explorer/loradyn-explorer.html ]]; then
  cp build/explorer/loradyn-explorer.html "$work/static"
fi

export LORADYN="$PWD/$build/bin/loradyn"
[[ $build == /* ]] && LORADYN="$build/bin/loradyn"
/usr/bin/python3 -B docs/site/stage.py "$work/pages"
if [[ -e $work/static/loradyn-explorer.html ]]; then
  printf '\n<iframe src="_static/loradyn-explorer.html" title="The explorer" style="width:100%%;height:60rem;border:0"></iframe>\n' \
    >>"$work/pages/explorer.md"
fi
[[ $build == /* ]] || build=$PWD/$build
LORADYN_VERSION=$("$LORADYN" --version | cut -d' ' -f2) LORADYN_STATIC=$work/static LORADYN_XML=$work/doxygen/xml \
  PYTHONPATH=$build/python PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m sphinx -q -b html -w "$work/warnings" -c docs/site "$work/pages" build/site 2>/dev/null
# Breathe opens the namespaces again for each header; all else is to be mended.
if grep -v "Duplicate C++ declaration\|^Declaration is '.. cpp:type:: " "$work/warnings" >&2; then
  exit 1
fi
echo "site: build/site/index.html"
