"""How long the program takes to start: medians of runs in turn, beside an empty iostream program.

    start_bench.py PROGRAM... [--runs N] [--compiler CXX]

Several programs are compared with each other: one before a change, one after.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

EMPTY = '#include <iostream>\nint main() { std::cout << "0\\n"; }\n'
ASKED = [["--version"], ["rates", "--student", "he3", "--mu", "0.5"]]


def seconds(words):
    start = time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("programs", nargs="+", metavar="PROGRAM")
    options.add_argument("--runs", type=int, default=200)
    options.add_argument("--compiler", default="c++")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        empty = pathlib.Path(directory) / "empty"
        source = empty.with_suffix(".cpp")
        source.write_text(EMPTY)
        subprocess.run([given.compiler, "-O2", source, "-o", empty], check=True)
        commands = [[str(empty)]] + [[p, *words] for words in ASKED for p in given.programs]
        times = [[] for _ in commands]
        for _ in range(given.runs):
            for command, measured in zip(commands, times):
                measured.append(seconds(command))
    base = statistics.median(times[0])
    for command, measured in zip(commands, times):
        median = statistics.median(measured)
        print(f"{1e3 * median:8.2f} ms {median / base:6.2f}  "
              f"{'an empty program' if command[0] == str(empty) else ' '.join(command)}")


main()
