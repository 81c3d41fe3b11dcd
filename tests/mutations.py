"""Breaks the formulas of kernel, model, dynamics and analysis one place at a time: each time a test must fail.

    python3 tests/mutations.py              85 of the 2015 places, drawn by seed 1: of every file its share of 72, and 3 at least
    python3 tests/mutations.py --count 400 --seed 2

A copy of the sources is built under build/mutations, with the tests of the core's rooms. A mutant rebuilds one object and
links one room's tests, those of its own file run first; only what survives these meets the other rooms. What survives
all is told, with the reason that tests/mutations.txt gives for it; the exit code is 1 where one has none.
What survives takes two minutes, the others some ten seconds. tests/run.sh --long runs it.
"""

import argparse
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
# The formulas of docs/theory.md; of each the rooms whose tests look at it, the nearest first, and the test files that are
# run before the others of their room.
FILES = {
    "lib/src/kernel/closed_form.cpp": (("kernel", "model", "dynamics", "analysis"), ("pair_kernel", "polynomial_pair")),
    "lib/src/kernel/noise_moment.cpp": (("kernel", "model", "dynamics", "analysis"), ("noise_moment",)),
    "lib/src/kernel/pair_kernel.cpp": (("kernel", "model", "dynamics", "analysis"), ("pair_kernel",)),
    "lib/src/kernel/label_variance.cpp": (("kernel", "model", "dynamics"), ("label_variance",)),
    "lib/src/model/population_risk.cpp": (("model", "kernel", "dynamics", "analysis"), ("population_risk",)),
    "lib/src/model/transformed_labels.cpp": (("model", "dynamics"), ("transformed_labels",)),
    "lib/src/model/network_risk.cpp": (("model", "dynamics", "analysis"), ("network_risk",)),
    "lib/src/dynamics/flow.cpp": (("dynamics", "analysis"), ("flow",)),
    "lib/src/dynamics/pretraining.cpp": (("dynamics", "analysis"), ("protocol",)),
    "lib/src/dynamics/integration.hpp": (("dynamics", "analysis"), ("integrate",)),
    "lib/src/dynamics/extrapolated_euler.hpp": (("dynamics", "analysis"), ("integrate",)),
    "lib/src/dynamics/overlap_event.cpp": (("dynamics", "analysis"), ("protocol",)),
    "lib/src/dynamics/network_flow.cpp": (("dynamics", "analysis"), ("network_flow",)),
    "lib/src/dynamics/network_jacobian.cpp": (("dynamics", "analysis"), ("network_jacobian",)),
    "lib/src/analysis/search_phase.cpp": (("analysis",), ("search_phase",)),
    "lib/src/analysis/escape_law.cpp": (("analysis",), ("escape_law",)),
    "lib/src/analysis/phase_plane.cpp": (("analysis",), ("phase_plane",)),
    "lib/src/analysis/network_search.cpp": (("analysis",), ("network_escape",)),
}
LEAST = 3  # places of a file, however short it is
SWAPS = [(r" \+ ", " - "), (r" - ", " + "), (r" \* ", " / "), (r" / ", " * "), (r" < ", " <= "), (r" > ", " >= "),
         (r" <= ", " < "), (r" >= ", " > "), (r" \+= ", " -= "), (r"\b0\.5\b", "0.25"), (r"\b2\.0\b", "3.0"),
         (r"\b3\.0\b", "2.0"), (r"\b1\.0\b", "1.125"), (r"\bstd::sqrt\(", "std::abs("), (r"-(?=[a-zA-Z])", "")]
SLOWER = 5  # a test that takes so many times longer, and a minute, hangs: it has noticed


def places(path):
    """(line number, column, text there, its replacement), in code alone."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        code = line.partition("//")[0]
        if not code.strip() or code.lstrip().startswith(("#", "*", "using", "namespace", "template")) or '"' in code:
            continue
        for pattern, replacement in SWAPS:
            found += [(number, m.start(), m[0], replacement) for m in re.finditer(pattern, code)]
    return sorted(found)


def known_reasons():
    """Reasons by (file, line of code, change)."""
    reasons = {}
    for line in (ROOT / "tests/mutations.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            file, code, change, reason = (part.strip() for part in line.split(" | "))
            reasons[file, code, change] = reason
    return reasons


def drawn(mutants, count, generator):
    """Of each file its share of the places, and LEAST at least."""
    by_file = {}
    for mutant in mutants:
        by_file.setdefault(mutant[0], []).append(mutant)
    return [mutant for of_file in by_file.values()
            for mutant in generator.sample(of_file, min(len(of_file), max(LEAST, round(count * len(of_file) / len(mutants)))))]


def build(folder, targets):
    return subprocess.run(["ninja", "-C", str(folder), *targets], capture_output=True, text=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=72, help="how many places")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--file", action="append", choices=sorted(FILES), help="of these files alone")
    parser.add_argument("--sources", type=pathlib.Path, help="a copy of the sources to break, instead of a new one")
    parser.add_argument("--build", type=pathlib.Path, help="its build directory")
    options = parser.parse_args()
    sources, folder = options.sources, options.build
    if sources is None:
        sources, folder = ROOT / "build/mutations/source", ROOT / "build/mutations/build"
        shutil.rmtree(sources, ignore_errors=True)
        for name in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True,
                                   check=True).stdout.splitlines():
            if (ROOT / name).exists():
                (sources / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, sources / name)
        subprocess.run(["cmake", "-S", sources, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                        "-DCMAKE_CXX_FLAGS_RELEASE=-O1", "-DLORADYN_COMPONENTS=core", "-DLORADYN_BUILD_PROGRAM=OFF"], check=True,
                       stdout=subprocess.DEVNULL)
    files = options.file or list(FILES)
    rooms = sorted({room for name in files for room in FILES[name][0]})
    done = build(folder, [f"{room}_test" for room in rooms])
    if done.returncode:
        raise SystemExit(done.stdout)

    usual = {}

    def passes(room, tests=()):
        limit = SLOWER * usual[room] + 60 if room in usual else None
        only = ["-#", ",".join(f"[#{name}_test]" for name in tests)] if tests else []
        try:
            return subprocess.run([folder / "tests" / f"{room}_test", "-a", *only], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=limit).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    for room in rooms:
        begin = time.monotonic()
        if not passes(room):
            raise SystemExit(f"the tests of {room} fail before anything is broken")
        usual[room] = time.monotonic() - begin

    def verdict_of(name):
        """None where a mutant survives."""
        nearest, tests = FILES[name]
        for room in nearest:
            if build(folder, [f"{room}_test"]).returncode:
                return "does not compile"
            if not (passes(room, tests if room == nearest[0] else ()) and (room != nearest[0] or passes(room))):
                return f"noticed by {room}"
        return None

    mutants = [(name, *place) for name in files for place in places(sources / name)]
    chosen = drawn(mutants, options.count, random.Random(options.seed))
    reasons = known_reasons()
    noticed, stillborn, excused, missed = 0, 0, [], []
    for count, (name, number, at, old, new) in enumerate(chosen, 1):
        path = sources / name
        whole = path.read_text(encoding="utf-8")
        lines = whole.splitlines(keepends=True)
        lines[number] = lines[number][:at] + new + lines[number][at + len(old):]
        begin = time.monotonic()
        path.write_text("".join(lines), encoding="utf-8")
        try:
            verdict = verdict_of(name)
            if verdict is None:
                code = whole.splitlines()[number].strip()
                key = (name, code, f"{old.strip()} -> {new.strip()}")
                (excused if key in reasons else missed).append(f"{name}:{number + 1} | {code} | {key[2]}"
                                                               + (f" | {reasons[key]}" if key in reasons else ""))
                verdict = "SURVIVED"
            elif verdict.startswith("noticed"):
                noticed += 1
            else:
                stillborn += 1
        finally:
            path.write_text(whole, encoding="utf-8")
        print(f"{count:4}/{len(chosen)} {time.monotonic() - begin:6.1f} s  {verdict:20} {name}:{number + 1}"
              f" {old.strip()} -> {new.strip()}", flush=True)
    print(f"{len(chosen)} of {len(mutants)} places: {noticed} noticed, {stillborn} do not compile, {len(excused) + len(missed)} survived")
    print("\n".join(["with a reason:", *excused] if excused else []), end="\n" if excused else "")
    print("\n".join(["without one:", *missed] if missed else []), end="\n" if missed else "")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
