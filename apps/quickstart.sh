#!/usr/bin/env bash
# Installs what is missing, builds the program and runs its main job: the search time τ as a function of
# the pre-training alignment μ, for three families of activations, as a table and a figure.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

source "$root/apps/packages.sh"
install_packages "${program_packages[@]}"

(cd "$root" && cmake --preset quickstart >/dev/null && cmake --build --preset quickstart)
loradyn="$root/build/quickstart/bin/loradyn"
results="$root/build/quickstart-results"
mkdir -p "$results"

"$loradyn" rates --student linear,relu,erf,sigmoid --student he2,he6,he10 --student he3,he5,he7 \
  --mu 0.03:0.99:193 --time-unit fisher -o "$results/tau.csv" --plot "$results/tau.svg"

echo
echo "Critical alignments, where tau diverges:"
"$loradyn" critical --student he3,he5,he7,he10 --mu 0:1 | grep -v '^#'
echo
echo "table:  $results/tau.csv"
echo "figure: $results/tau.svg"
echo "in Python: /usr/bin/python3 -m venv --system-site-packages ENV && ENV/bin/pip install --no-build-isolation apps/python"
echo "        (docs/python.md names the packages)"
