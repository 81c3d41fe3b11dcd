"""The published runs of two layers, K = k = 4 neurons at d = 100: simulated, and by the map from the same starts.

A simulation of one run and a trajectory with the same `--seed` start at the same V. What is left between them is the
noise of the batches, so that the mean of their differences has a standard error that is small beside the curves. It is small
enough to show what the map leaves out at d = 100: the mean square of U's noise, of order 1/d, which lifts the risk (`lift`).
"""

import concurrent.futures
import os

import numpy as np
import scipy.special
import scipy.stats

import drawing
from page import table
from program import program

WIDTH, OFF_TARGET, DIM, BATCH, STEPS = 4, 2, 100, 5000, 4000
STUDENTS, RANKS, ALIGNMENTS = ("linear", "erf", "relu", "he3"), (1, 2, 3, 4), (0.1, 0.5, 0.9)
STARTS = 16
FURTHEST = 4.5  # standard errors
# Value, slope and curvature of what has one: the noise of U needs all three.
SMOOTH = {"linear": (lambda x: x, np.ones_like, np.zeros_like),
          "erf": (scipy.special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x),
                  lambda x: -4 / np.sqrt(np.pi) * x * np.exp(-x * x)),
          "he3": (lambda x: x**3 - 3 * x, lambda x: 3 * x**2 - 3, lambda x: 6 * x)}
POINTS = 4096  # of an average over the fields: one in a hundred
LONG = 40_000  # steps, of the starts that are shown at the end
COLOURS = dict(zip(ALIGNMENTS, (0, 1, 2)))


def problem(student, rank, mu, seed):
    return ["--student", student, "--mu", mu, "--width", WIDTH, "--teacher-width", WIDTH, "--off-target", OFF_TARGET,
            "--rank", rank, "--readout", "mean" if student == "relu" else "sqrt", "--u0", 1 / DIM**2, "--dim", DIM,
            "--seed", seed]


def learning_rate(student):
    return 0.2 / 18 if student == "he3" else 0.2


def columns(rows, suffix=""):
    return {name.removesuffix(suffix): np.array([float(row[name]) for row in rows]) for name in rows[0]
            if name.endswith(suffix)}


def pair(student, rank, mu, seed):
    """Steps; the overlaps and the risk simulated, and by the map, from one start."""
    rate = learning_rate(student)
    rows = program("simulate", *problem(student, rank, mu, seed), "--lr", repr(rate), "--batch", BATCH, "--steps", STEPS,
                   "--runs", 1, "--points", "log:40")
    steps = np.array([float(row["step"]) for row in rows])
    simulated = columns(rows, "_mean")
    computed = columns(map_of(student, rank, mu, seed, STEPS, ",".join(repr(step * rate) for step in steps)))
    return steps, simulated, {name: computed[name] for name in simulated}


def recorded(run, rank):
    """What the published runs record beside the test error."""
    u = np.array([[run[f"U_{i}_{a}"] for a in range(1, rank + 1)] for i in range(1, WIDTH + 1)])
    tv = np.array([[run[f"m_{a}_{i}"] for a in range(1, rank + 1)] for i in range(1, WIDTH + 1)])
    diagonal = np.array([run[f"M_{i}_{i}"] for i in range(1, rank + 1)])
    return {"mean |T V'|": np.abs(tv).mean((0, 1)), "mean |U|": np.abs(u).mean((0, 1)), "mean U ∘ T V'": (u * tv).mean((0, 1)),
            "mean of the first r (T W')_{ii}": diagonal.mean(0)}


def as_normal(t, starts):
    """The distance of a normal variable that is as rare as this of Student's t: 16 starts give no better error."""
    return scipy.stats.norm.isf(scipy.stats.t.sf(t, starts - 1))


def entries(run, name, at, height, width):
    return np.array([[run[f"{name}_{i}_{j}"][at] for j in range(1, width + 1)] for i in range(1, height + 1)])


def lift(student, rank, mu, steps, run):
    """What U's noise adds to the risk along a run of the map, ½ tr(H Σ): H is the risk's second derivative by U, and
    Σ₊ = (1 - ηH) Σ (1 - ηH) + η² N/B the covariance of U, N that of one sample's gradient. V is taken as it is."""
    value, slope, curvature = SMOOTH[student]
    rate = learning_rate(student)
    normals = scipy.stats.norm.ppf(scipy.stats.qmc.Sobol(WIDTH + rank, seed=1).random(POINTS))
    start = np.array([mu if i < OFF_TARGET else 1.0 for i in range(WIDTH)])
    covariance, lifted = np.zeros((WIDTH * rank, WIDTH * rank)), np.zeros(len(steps))
    for at, step in enumerate(steps):
        u, overlap = entries(run, "U", at, WIDTH, rank), entries(run, "m", at, rank, WIDTH)
        lower = np.array([[run[f"S_{max(a, b)}_{min(a, b)}"][at] for b in range(1, rank + 1)] for a in range(1, rank + 1)])
        squares, axes = np.linalg.eigh(lower - overlap @ overlap.T)
        target = normals[:, :WIDTH]
        adapter = target @ overlap.T + normals[:, WIDTH:] @ (axes * np.sqrt(np.maximum(squares, 0))).T
        field = target * start + adapter @ u.T
        error = (value(field) - value(target)).sum(1) / WIDTH  # with both readouts of 1/√K
        by_u = (slope(field)[:, :, None] * adapter[:, None, :]).reshape(POINTS, -1) / np.sqrt(WIDTH)
        noise = np.cov((error * np.sqrt(WIDTH))[:, None] * by_u, rowvar=False)
        hessian = by_u.T @ by_u / POINTS
        for i, bend in enumerate((error[:, None] * curvature(field)).T):
            block = slice(i * rank, (i + 1) * rank)
            hessian[block, block] += (adapter * bend[:, None]).T @ adapter / POINTS
        lifted[at] = (hessian * covariance).sum() / 2
        if at + 1 < len(steps):
            count = steps[at + 1] - step
            rates, axes = np.linalg.eigh(hessian)
            kept = np.outer(1 - rate * rates, 1 - rate * rates)
            still = np.abs(1 - kept) < 1e-9
            gathered = np.where(still, count, (1 - kept**count) / np.where(still, 1, 1 - kept))
            covariance = axes @ (kept**count * (axes.T @ covariance @ axes)
                                 + gathered * rate**2 / BATCH * (axes.T @ noise @ axes)) @ axes.T
    return lifted


def furthest(off):
    """Of mean differences, (run, time): the largest in standard errors."""
    error = off.std(0, ddof=1) / np.sqrt(len(off))
    moved = error > 1e-12  # what does not move has no error but rounding
    return as_normal(np.max(np.abs(off.mean(0))[moved] / error[moved], initial=0.0), len(off))


def differences(pairs, name):
    return np.array([simulated[name] - computed[name] for _, simulated, computed in pairs])


def runs():
    """{(student, rank, mu): pairs}, on every core."""
    cases = [(s, r, mu, seed) for s in STUDENTS for r in RANKS for mu in ALIGNMENTS for seed in range(STARTS)]
    found = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, answer in zip(cases, pool.map(lambda case: pair(*case), cases)):
            found.setdefault(case[:3], []).append(answer)
    return found


def map_of(student, rank, mu, seed, steps, points):
    rate = learning_rate(student)
    return program("trajectory", *problem(student, rank, mu, seed), "--lr", repr(rate), "--method", "map",
                   "--gamma", repr(rate * DIM / BATCH), "--t-end", repr(rate * steps), "--points", points)


def question(check, figure):
    """The table; the figures are drawn."""
    found, lines, errors, overlaps = runs(), [], [], []
    for student in STUDENTS:
        shown = {}
        for rank in RANKS:
            panel = drawing.Panel(f"{student}, rank {rank}", "step", "½ E[(f - y)²]", log="xy", range_x="1:4000",
                                  range_y="1e-8:10")
            line, of_overlaps, of_risk, lifted = [student, rank], [], [], []
            for mu in ALIGNMENTS:
                pairs = found[student, rank, mu]
                steps = pairs[0][0][1:]
                risks = [np.array([run[which]["risk"][1:] for run in pairs]) for which in (1, 2)]
                low, high = np.quantile(risks[1], (0.05, 0.95), axis=0)
                panel.band(COLOURS[mu], steps, low, high)
                panel.curve(COLOURS[mu], f"μ = {mu}", steps, risks[1].mean(0))
                panel.points(COLOURS[mu], "", steps[::3], risks[0].mean(0)[::3])
                line.append(f"{risks[1].mean(0)[-1]:.1e}")
                of_overlaps += [furthest(differences(pairs, name)) for name in pairs[0][2] if name.startswith("M_") and name != "M_mean"]
                of_risk.append(furthest(differences(pairs, "risk")))
                if student in SMOOTH:
                    lifts = [lift(student, rank, mu, pairs[0][0], computed) for _, _, computed in pairs]
                    lifted.append(furthest(differences(pairs, "risk") - lifts))
            pairs = found[student, rank, 0.5]
            own = np.sort([[run[2]["M_1_1"][-1], run[2]["M_2_2"][-1]] for run in pairs], axis=1)
            rest = np.median([float(map_of(student, rank, 0.5, seed, LONG, 2)[-1]["risk"]) for seed in range(5)])
            line += [f"{rest:.1e}", ", ".join(f"{v:.2f}" for v in own.mean(0)),
                     ", ".join(f"{v:.2f}" for v in own.std(0, ddof=1)), f"{max(of_overlaps):.1f}", f"{max(of_risk):.1f}",
                     f"{max(lifted):.1f}" if lifted else "–"]
            lines.append(line)
            check(f"overlaps of {student} at rank {rank}, in standard errors", max(of_overlaps), FURTHEST)
            check(f"risk of {student} at rank {rank}, in standard errors", max(lifted or of_risk), FURTHEST)
            errors.append(panel)
            means = [[recorded(run[which], rank) for run in pairs] for which in (1, 2)]
            for name in means[0][0]:
                one = shown.setdefault(name, drawing.Panel(f"{student}, μ = 0.5", "step", name, log="x", range_x="1:4000"))
                one.curve(rank - 1, f"r = {rank}", steps, np.mean([m[name][1:] for m in means[1]], axis=0))
                one.points(rank - 1, "", steps[::3], np.mean([m[name][1::3] for m in means[0]], axis=0))
        overlaps += shown.values()
    figure("two-layers", errors, columns=len(RANKS), height=330)
    figure("two-layers-overlaps", overlaps, columns=4, height=330)
    head = ("student", "rank", *(f"risk at {STEPS} steps, μ = {mu}" for mu in ALIGNMENTS), f"at {LONG}, μ = 0.5",
            "M_ii of the two, μ = 0.5", "spread over starts", "overlaps: standard errors", "risk: standard errors",
            "with U's noise")
    return table(head, lines)
