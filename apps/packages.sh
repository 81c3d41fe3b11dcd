# Debian's packages that the project is built on, and how to get them. Sourced by quickstart.sh, by
# tests/run.sh and by explorer/build.sh.

program_packages=(
  g++ cmake ninja-build pkg-config
  libboost1.74-dev libeigen3-dev libfmt-dev nlohmann-json3-dev libtomlplusplus-dev libcli11-dev
  libhdf5-dev libsqlite3-dev libtbb-dev librandom123-dev gnuplot-nox
)
python_packages=(
  python3-dev pybind11-dev python3-numpy
)
test_packages=(
  libopenmpi-dev openmpi-bin catch2 libbenchmark-dev python3 clang-format-14
  clang-14 libclang-rt-14-dev libc++-14-dev libc++abi-14-dev
  python3-scipy python3-matplotlib python3-pandas mypy python3-setuptools python3-wheel python3-pip python3-venv
  texlive-latex-base texlive-latex-recommended
  python3-mpmath dpkg-dev lintian doxygen gcovr
)
# With npm, where none is there yet: one from elsewhere is in the way of Debian's.
explorer_packages=(
  emscripten cmake ninja-build libboost1.74-dev libeigen3-dev libfmt-dev librandom123-dev zopfli
)
if ! command -v npm >/dev/null; then
  explorer_packages+=(npm)
fi
# For docs/build.sh.
site_packages=(doxygen python3-sphinx furo python3-myst-parser python3-breathe libjs-katex)
explorer_test_packages=(chromium firefox-esr)

# Installs those of the given packages that are missing.
install_packages() {
  local package missing=()
  for package in "$@"; do
    if ! dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
      missing+=("$package")
    fi
  done
  if ((${#missing[@]} == 0)); then
    return
  fi
  local as_root=()
  if ((EUID != 0)); then
    as_root=(sudo)
  fi
  echo "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
}
