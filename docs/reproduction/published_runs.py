"""The published runs themselves, number by number: their seeds, their random numbers, single precision.

The published script draws w* (and, for a misaligned weight, ξ) on the CPU after seed 0, the start v and every batch on the
device after the run's seed. Both generators are public: PyTorch's Mersenne twister, and cuRAND's Philox. The starts of
seeds 20, 21 and 24 have the published |m0|; the batches depend on how many threads the device has, and those of an A100
give the published times.

    published_runs.py 120000    makes the runs of up to so many steps again, and writes replayed.csv: nine minutes of one core

docs/reproduce.sh makes the shortest again, and shows the others as they stand there.
"""

import concurrent.futures
import csv
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = {20: 0.041585, 21: 0.030529, 24: 0.042140}  # and |m0|
DIM, BATCH, RATE = 1000, 500, 0.2
# Runs that were made in calls of so many steps, the last number again and again. A call goes on from a file, but seeds the
# generator as the first did, so that its batches are the first ones again.
CALLS = {("relu", "relu", "0.9"): (3000,), ("erf", "erf", "0.8"): (3000,), ("erf", "erf", "0.9"): (3000,),
         ("sigmoid", "sigmoid", "0.8"): 7 * (3000,) + (9000,), ("sigmoid", "sigmoid", "0.9"): 7 * (3000,) + (9000, 10000),
         ("he3", "he3", "0.1"): (10000,)}


def cpu_normals(seed):
    """torch.manual_seed(seed); torch.randn(n) on the CPU: pairs eight apart by Box and Muller, sixteen at a time."""
    bits = np.random.MT19937()
    bits._legacy_seeding(seed)  # init_genrand, as PyTorch seeds its own

    def uniform(n):
        return (bits.random_raw(n).astype(np.uint32) & np.uint32(2**24 - 1)).astype(np.float32) * np.float32(2.0**-24)

    def normal(n):
        pairs = uniform(n)[:n // 16 * 16].reshape(-1, 2, 8)
        if n % 16:  # the last sixteen are drawn anew
            pairs = np.concatenate([pairs, uniform(16).reshape(1, 2, 8)])
        radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - pairs[:, 0]))
        angle = np.float32(2 * np.pi) * pairs[:, 1]
        z = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)
        return np.concatenate([z[:n - 16], z[-16:]])

    return normal


def target():
    w = cpu_normals(0)(DIM)
    return w / np.linalg.norm(w)


def compiled(folder):
    program = pathlib.Path(folder) / "published_runs"
    wide = ["-mprefer-vector-width=512"] if platform.machine() == "x86_64" else []
    subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-O3", "-march=native", *wide, "-ffast-math",
                    HERE / "published_runs.cpp", "-o", program], check=True)
    return program


def run(program, row, seed, steps, calls=(0,), rate=RATE):
    """|m| after each step, and the loss of its batch."""
    w = target()
    weights = np.concatenate([w, np.float32(row["mu"]) * w]).astype(np.float32).tobytes()
    answer = subprocess.run([program, str(seed), row["student"], str(int(row["teacher"].endswith("^2"))), str(rate),
                             str(steps), ",".join(map(str, calls)), str(BATCH), str(DIM)], input=weights, capture_output=True,
                            check=True).stdout
    m, _, loss = np.frombuffer(answer, np.float32).reshape(-1, 3).T
    return np.abs(m), loss


def calls_of(row):
    return CALLS.get((row["student"], row["teacher"], row["mu"]), (0,))


def again(program, row, in_band):
    """(index, width, seeds) of the published seeds; of a squared teacher, of those that give the number or are nearest."""
    index, width, centre = (float(row[name]) for name in ("index", "width", "centre"))
    shown = tuple(seed for seed, start in SEEDS.items() if f"{start:.4f}" in row["m0"].split())
    choices = [shown] if row["student"] == row["teacher"] else [*((s,) for s in SEEDS), tuple(SEEDS)]
    # The band ends at √3 widths. A run that is not there by then is not among the mean of three.
    steps = int(1.1 * index + 6 * width + 200)
    runs = {seed: run(program, row, seed, steps, calls_of(row))[0] for seed in shown}
    found = []
    for seeds in choices:
        place, spread = in_band(np.mean([runs[s] for s in seeds], axis=0), centre)
        if np.isfinite(place):
            found.append((abs(place - index) + abs(spread - width), place, spread, seeds))
    return min(found)[1:]


def replayed(rows, limit, in_band):
    """{(student, teacher, mu): (index, width, seeds)} of the rows of up to so many steps."""
    short = [row for row in rows if float(row["index"]) <= limit]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        program = compiled(folder)
        answers = pool.map(lambda row: again(program, row, in_band), short)
        return {(r["student"], r["teacher"], r["mu"]): answer for r, answer in zip(short, answers)}


def beside_drawings(rows):
    """Of the rows of drawn.csv {(student, mu, seed): (its rows, [(|m|, loss) in calls, (|m|, loss) uninterrupted])}."""
    by_run = {}
    for row in rows:
        by_run.setdefault((row["student"], row["mu"], int(row["seed"])), []).append(row)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        program = compiled(folder)

        def both(key):
            student, mu, seed = key
            row = {"student": student, "teacher": student, "mu": mu}
            steps = 1 + max(int(r["step"]) for r in by_run[key])
            rate = 0.01 / 18 if student == "he3" else RATE
            return [run(program, row, seed, steps, calls, rate) for calls in (calls_of(row), (0,))]

        return {key: (by_run[key], made) for key, made in zip(by_run, pool.map(both, by_run))}


def stored():
    with open(HERE / "replayed.csv", encoding="utf-8", newline="") as file:
        return {(r["student"], r["teacher"], r["mu"]): (float(r["index"]), float(r["width"]), tuple(map(int, r["seeds"].split())))
                for r in csv.DictReader(file)}


def main():
    sys.path.insert(0, str(HERE.parent))
    import reproduce  # which imports this module

    rows = reproduce.published("hitting")
    found = replayed(rows, float(sys.argv[1]), reproduce.in_band)
    with open(HERE / "replayed.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("student", "teacher", "mu", "index", "width", "seeds"))
        for key, (index, width, seeds) in found.items():
            writer.writerow((*key, repr(index), repr(width), " ".join(map(str, seeds))))


if __name__ == "__main__":
    main()
