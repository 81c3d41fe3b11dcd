"""What the module of Python costs beside the library and the program.

    python_bench.py PROGRAM SEARCH_PHASE_BENCH [--cells N]

PYTHONPATH names the package; SEARCH_PHASE_BENCH is the benchmark of that name, whose sweep of a million
alignments is the library's own.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np


def seconds(ask, runs=1):
    """The least of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        ask()
        times.append(time.perf_counter() - start)
    return min(times)


def library_seconds(bench):
    done = subprocess.run([bench, "--benchmark_filter=a_million_rates", "--benchmark_format=json"],
                          capture_output=True, text=True, check=True)
    (one,) = json.loads(done.stdout)["benchmarks"]
    return one["real_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}[one["time_unit"]]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("program")
    options.add_argument("bench")
    options.add_argument("--cells", type=int, default=512, help="across a diagram")
    given = options.parse_args()
    code = "import numpy, time; t = time.perf_counter(); import loradyn; print(time.perf_counter() - t)"
    imported = min(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                        check=True).stdout) for _ in range(5))
    print(f"import beside NumPy's            {1e3 * imported:8.1f} ms")
    import loradyn as ld

    ld.rates("erf", mu=0.5)
    calls = 20_000

    def call():
        for _ in range(calls):
            ld.rates("erf", mu=0.5)

    one = seconds(call, 3) / calls
    print(f"a point of a prepared pair       {1e6 * one:8.2f} µs")
    mu = np.linspace(0.001, 0.999, 10**6)
    million = seconds(lambda: ld.rates("erf", mu=mu, threads=1), 5)
    print(f"a million alignments, one thread {million:8.3f} s, {million / library_seconds(given.bench):.2f}"
          " of the library's")
    x, y = f"mu=0.05:0.95:{given.cells}", f"a=-0.5:0.5:{given.cells}"
    student = "he3+{a}*he5"
    words = [given.program, "phase", "--student", student, "--x", x, "--y", y, "--quiet"]
    program = seconds(lambda: subprocess.run(words, stdout=subprocess.DEVNULL, check=True))
    phase = seconds(lambda: ld.phase(student, x=x, y=y))
    print(f"a diagram of {given.cells}²             {phase:8.2f} s, {phase / program:.2f} of the program's")
    mu = np.linspace(0.03, 0.99, 97)
    for name, function in (("tanh", np.tanh), ("silu", lambda x: x / (1 + np.exp(-x))),
                           ("sin", np.sin), ("max(x,0)+exp(min(x,0))-1",
                                             lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))))):
        named = seconds(lambda: ld.escape(name, mu=mu))
        mine = seconds(lambda: ld.escape(ld.Activation(function), mu=mu))
        print(f"97 escapes of a function, {name:26} {mine:6.3f} s, {mine / named:.2f} of its name's")


main()
