"""The figures and tables of arXiv:2602.02855 on one neuron and on two layers, computed again beside the published values.

docs/reproduce.sh runs it. It asks the module `loradyn` and, for stages and for
networks, the program (LORADYN); draws
docs/figures/reproduction-*.svg; and writes the tables of docs/reproduction.md between its marks. What a bound is
given for is checked: the exit code is 1 where one is missed.
"""

import argparse
import csv
import math
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

import loradyn as ld

DOCS = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS / "reproduction"), str(DOCS / "tools")]

import drawing  # noqa: E402
import published_runs  # noqa: E402
import series  # noqa: E402
import two_layers  # noqa: E402
from page import fill, table  # noqa: E402
from program import program  # noqa: E402

# The three initial |m| of every published run at d = 1000.
SEEDS = (0.030529, 0.041585, 0.042140)
# Steps up to which published runs are made again each time; the longer ones stand in reproduction/replayed.csv.
SHORT = 700
D, BATCH = 1000, 500
MISSED = []


def published(name):
    with open(DOCS / "reproduction" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(rows, name):
    return np.array([float(r[name]) for r in rows])


def split(rows, *names):
    """The rows in groups of equal values, in the order of the file."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[n] for n in names), []).append(row)
    return groups.items()


def check(what, value, bound):
    if not value <= bound:
        MISSED.append(f"{what}: {value:.3g}, but at most {bound:g} was expected")


def degree_unit(k):
    return k * math.factorial(k)


def learning_rate(k):
    """Of the published runs with He_k at d = 1000 of which the rate is known, and at d = 100."""
    return 0.01 / degree_unit(k)


def figure(name, panels, **shape):
    drawing.draw(DOCS / "figures" / f"reproduction-{name}.svg", panels, **shape)


# --------------------------------------------------------------------------------------------------- search times


# The tolerance of the published quadrature shows below this alignment: docs/reproduction.md.
CLEAN_MU = 0.15


def search_times():
    rows, reproduced, right = [], 0.0, 0.0
    for (student, teacher, unit, terms), points in split(published("tau"), "student", "teacher", "unit", "terms"):
        mu, tau = column(points, "mu"), column(points, "tau")
        ours = ld.rates(student, teacher, mu=mu, time_unit=unit).tau
        scale = 1 if unit == "raw" else degree_unit(int(student[2:]))
        theirs = [series.published_tau(student, teacher, m, int(terms), scale) for m in mu]
        off, rest = np.abs(tau / ours - 1), np.abs(tau / theirs - 1)
        clean = mu > CLEAN_MU
        reproduced = max(reproduced, rest.max())
        agrees = off[clean].max() < 1e-6
        if agrees:
            right = max(right, off[clean].max())
            why = "–"
        else:
            put_back = [series.tau(student, teacher, m, int(terms), scale, leave_out=False) for m in mu[clean]]
            cut = np.abs(np.array(put_back) / ours[clean] - 1).max()
            zeroth = np.abs(tau[clean] / put_back - 1).max()
            why = " and ".join(w for w, size in (("k = 0 term", zeroth), ("cut", cut)) if size > 1e-6)
        rows.append((student, teacher, terms, len(points), f"{off[clean].max():.1e}", why, f"{off[~clean].max():.1e}" if (~clean).any() else "–", f"{rest.max():.1e}"))
    check("τ where the published sum is right", right, 1e-6)
    check("τ against the published sum made again", reproduced, 1e-8)
    head = ("student", "teacher", "terms", "points", "largest difference, μ > 0.15", "why",
            "largest difference, μ < 0.15", "published sum made again")
    return table(head, rows)


def search_time_figure(name, panels, squared):
    mu = np.linspace(0.02, 0.99, 195)
    shown = [r for r in published("tau") if r["teacher"].endswith("^2") == squared]
    drawn = []
    for title, students, unit in panels:
        panel = drawing.Panel(title, "μ", "τ" if unit == "raw" else "τ k! k", log="y", range_x="0:1",
                              range_y="1:3e4" if not squared else "")
        for i, student in enumerate(students):
            teacher = student + "^2" if squared else student
            panel.curve(i, student, mu, ld.rates(student, teacher, mu=mu, time_unit=unit).tau)
            points = [r for r in shown if r["student"] == student and r["unit"] == unit]
            first = points[0]["terms"]
            points = [r for r in points if r["terms"] == first]
            panel.points(i, "", column(points, "mu"), column(points, "tau"))
            scale = 1 if unit == "raw" else degree_unit(int(student[2:]))
            again = np.array([series.tau(student, teacher, m, int(first), scale) for m in mu[mu > 0.04]])
            ours = ld.rates(student, teacher, mu=mu[mu > 0.04], time_unit=unit).tau
            if np.abs(again / ours - 1).max() > 0.05:
                panel.curve(i, "", mu[mu > 0.04], again, dashed=True)
        drawn.append(panel)
    figure(name, drawn, columns=3)


def mixtures():
    rows, panels = [], []
    mu = np.linspace(0.005, 0.99, 198)
    read = dict(split(published("mixtures"), "difference", "k"))
    for difference in range(5):
        panel = drawing.Panel(f"he_k + he_{{k+{difference}}}", "μ", "τ (k+k')! (k+k')", log="y", range_x="0:1",
                              range_y="0.1:1e4")
        for k in range(1, 6):
            student = f"he{k}+he{k + difference}"
            unit = degree_unit(k + difference)
            panel.curve(k - 1, f"k = {k}", mu, ld.rates(student, mu=mu).tau * unit)
            points = [r for r in read.get((str(difference), str(k)), []) if float(r["mu"]) > 0.01]
            if not points:
                continue
            at, tau = column(points, "mu"), column(points, "tau")
            panel.points(k - 1, "", at[::4], tau[::4])
            ours = ld.rates(student, mu=at).tau * unit
            # Values read off a drawing: where it is steep, what an alignment of 1e-5 moves them.
            slope = np.abs(ld.rates(student, mu=at + 1e-5).tau * unit - ours)
            off = np.abs(tau - ours)
            ratio = (off / (1e-4 * tau + slope)).max()
            check(f"mixture {student} within what a drawing tells", ratio, 2)
            rows.append((difference, student, len(points), f"{np.median(off / ours):.1e}", f"{(off / ours).max():.1e}",
                         f"{at[(off / ours).argmax()]:.3f}", f"{ratio:.2f}"))
        panels.append(panel)
    figure("mixtures", panels, columns=3)
    head = ("k'", "student", "points", "median difference", "largest", "at μ", "over what reading allows")
    return table(head, rows)


# --------------------------------------------------------------------------------------- measured hitting times


def in_band(overlap, centre):
    """Mean and spread of the step indices at which |m| lies within 0.05 of the centre: the published 'time' and 'std'."""
    inside = np.flatnonzero(np.abs(overlap - centre) <= 0.05)
    return (inside.mean(), inside.std()) if inside.size else (math.nan, math.nan)


def simulated_overlaps(row, steps, runs):
    """|m| after each step, (start, run, step)."""
    return [np.abs(ld.simulate(row["student"], row["teacher"], mu=float(row["mu"]), dim=D, batch=BATCH, lr=0.2,
                               u0=1e-6, m0=m0, steps=steps, runs=runs, points=steps + 1, seed=i).runs_m[:, 1:])
            for i, m0 in enumerate(SEEDS)]


def shown_seeds(row):
    return tuple(min(range(3), key=lambda j: abs(SEEDS[j] - float(m))) for m in row["m0"].split())


def hitting(rows, title, squared):
    """Simulated again from the published starts. Of a squared teacher it isn't published which of the three seeds
    a number is of: that whose runs are nearest is told."""
    lines, panels = [], {}
    worst, beyond = 0.0, 0
    for row in rows:
        index, centre, mu = float(row["index"]), float(row["centre"]), float(row["mu"])
        steps = int(1.6 * index) + 250
        runs = 24 if steps < 20000 else 8
        overlaps = simulated_overlaps(row, steps, runs)
        choices = [shown_seeds(row)] if not squared else [(0, 1, 2), (0,), (1,), (2,)]
        found = []
        for choice in choices:
            mean = [np.mean([overlaps[j][run] for j in choice], axis=0) for run in range(runs)]
            times = np.array([in_band(m, centre) for m in mean])
            times = times[np.isfinite(times[:, 0])]
            spread = times[:, 0].std(ddof=1)
            # The mean is known from as many runs as there are.
            z = (index - times[:, 0].mean()) / (spread * math.sqrt(1 + 1 / len(times)))
            found.append((abs(z), z, times[:, 0].mean(), spread, times[:, 1].mean(), choice))
        _, z, mean, spread, width, choice = min(found)
        worst = max(worst, abs(z))
        beyond += abs(z) > 3
        seeds = "all" if len(choice) == 3 else ", ".join(f"{SEEDS[j]:.4f}" for j in choice)
        lines.append((row["student"], row["mu"], f"{index:g}", f"{float(row['width']):.1f}", seeds, f"{mean:.0f}",
                      f"{spread:.1f}", f"{width:.1f}", f"{index / mean - 1:+.1%}", f"{z:+.1f}"))
        panels.setdefault(row["student"], []).append((mu, index, mean, spread))
    drawn = drawing.Panel(title, "μ", "step", log="y", range_x="0:1")
    for i, (student, points) in enumerate(panels.items()):
        mu, index, mean, spread = map(np.array, zip(*points))
        drawn.band(i, mu, mean - spread, mean + spread)
        drawn.curve(i, student, mu, mean)
        drawn.points(i, "", mu, index)
    head = ("student", "μ", "published", "its 'std'", "seeds", "ours", "spread", "band's width", "difference", "z")
    return table(head, lines), drawn, (worst, beyond, len(rows))


def hitting_times():
    rows = published("hitting")
    plain, left, first = hitting([r for r in rows if r["student"] == r["teacher"]],
                                 "matched, |m| in μ ± 0.05", False)
    squares, right, second = hitting([r for r in rows if r["student"] != r["teacher"]],
                                     "squared teacher, |m| in 0.5 ± 0.05", True)
    figure("hitting", [left, right])
    say = "Of {2} numbers {1} are beyond three times our spread; the furthest, {0:.1f}."
    return {"hitting": plain + "\n\n" + say.format(*first), "hitting-squared": squares + "\n\n" + say.format(*second)}


def runs_again():
    """Of the published runs, made again with their own random numbers, which have the published band to the step."""
    rows, stored = published("hitting"), published_runs.stored()
    for key, found in published_runs.replayed(rows, SHORT, in_band).items():
        check(f"the published run {' '.join(key)} made again", max(abs(a - b) for a, b in zip(found[:2], stored[key][:2])), 1e-6)
    lines = []
    for (student, teacher), points in split(rows, "student", "teacher"):
        same, others, left = [], [], []
        for row in points:
            made = stored.get((student, teacher, row["mu"]))
            if made is None:
                left.append(row["mu"])
            elif abs(made[0] - float(row["index"])) + abs(made[1] - float(row["width"])) < 1e-6:
                same.append(row["mu"])
            else:
                others.append(f"{row['mu']}: {made[0]:g} ± {made[1]:.1f} for {float(row['index']):g} ± {float(row['width']):.1f}")
        lines.append((student, teacher, ", ".join(same), "; ".join(others) or "–", ", ".join(left) or "–"))
    return table(("student", "teacher", "the same number, at μ =", "another", "not made again"), lines)


def runs_as_drawn():
    """Published runs that figures draw step by step, beside the same runs in calls and uninterrupted."""
    lines = []
    for (student, mu, _), (rows, made) in published_runs.beside_drawings(published("drawn")).items():
        for (quantity,), points in split(rows, "quantity"):
            at, drawn = column(points, "step").astype(int), column(points, "value")
            which = ("m", "loss").index(quantity)
            scale = np.ones_like(drawn) if quantity == "m" else drawn
            in_calls, plain = (np.abs(pair[which][at] - drawn) / scale for pair in made)
            check(f"{quantity} of {student} at μ = {mu} as drawn", in_calls.max(), 2e-5)
            calls = published_runs.CALLS[student, student, mu][0]
            left = at[plain > 3 * in_calls.max()]
            lines.append((student, mu, {"m": "\\|m\\|", "loss": "loss of the batch, relative"}[quantity], len(points), at.max(), calls,
                          f"{in_calls.max():.1e}", f"{plain.max():.1e}", left.min() if left.size else "–"))
    return table(("student", "μ", "what is drawn", "points", "up to step", "calls of", "largest difference", "uninterrupted",
                  "first apart at"), lines)


def by_degree():
    """Time to |m| = 0.95 at d = 100: the flow from one m0 for all runs."""
    lines, panel = [], drawing.Panel("steps to |m| = 0.95, d = 100", "μ", "steps", log="y", range_x="0:1",
                                     range_y="300:3e5")
    fine = np.linspace(0.05, 0.97, 185)
    start = 0.104815  # that of seed 20: published_runs.py
    for i, ((k,), points) in enumerate(split(published("by-degree"), "k")):
        k = int(k)
        mu, steps = column(points, "mu"), column(points, "steps")
        name, lr = f"he{k}", learning_rate(k)
        ours = ld.escape(name, mu=mu, m0=start, u0=1e-4, at=0.95).t_hit / lr
        off = steps / ours - 1
        implied = start * np.exp(-(steps - ours) * lr / ld.rates(name, mu=mu).tau)
        usual = mu != 0.9
        lines.append((name, len(points), f"{np.median(np.abs(off[usual])):.1%}", f"{np.abs(off[usual]).max():.1%}",
                      f"{mu[usual][np.abs(off[usual]).argmax()]:g}", f"{off[~usual][0]:+.0%}",
                      f"{implied[~usual][0]:.3f}"))
        panel.curve(i, name, fine, ld.escape(name, mu=fine, m0=start, u0=1e-4, at=0.95).t_hit / lr)
        panel.points(i, "", mu, steps)
    head = ("student", "points", "median difference", "largest", "at μ", "at μ = 0.9", "m0 that explains it")
    return table(head, lines), panel


def bias_runs():
    lines = []
    for row in published("bias"):
        student, mu, level, step = row["student"], float(row["mu"]), float(row["level"]), float(row["step"])
        steps = int(2.2 * step) + 500
        run = ld.simulate(student, mu=mu, dim=D, batch=BATCH, lr=float(row["lr"]), u0=1e-6, m0=float(row["m0"]),
                          steps=steps, runs=48, event="m", at=level, seed=1)
        hits = run.t_hit[np.isfinite(run.t_hit)] / float(row["lr"])
        z = (step - hits.mean()) / (hits.std(ddof=1) * math.sqrt(1 + 1 / hits.size))
        share = (hits < step).mean()
        lines.append((student, row["mu"], row["level"], f"{step:g}", f"{hits.mean():.0f}", f"{hits.std(ddof=1):.0f}",
                      f"{step / hits.mean() - 1:+.1%}", f"{z:+.1f}", f"{share:.0%}"))
    head = ("student", "μ", "\\|m\\|", "published step", "ours", "spread", "difference", "z", "runs before it")
    return table(head, lines)


def misaligned():
    lines = []
    rho = -0.01808
    panel = drawing.Panel("w_0 = μ w* + (1-μ) ξ, |m| = 0.35", "μ", "step", log="y", range_x="0:1")
    for i, ((student,), points) in enumerate(split(published("misaligned"), "student")):
        drawn = []
        for row in points:
            nominal = float(row["mu"])
            mu, nu = nominal + (1 - nominal) * rho, (1 - nominal) * math.sqrt(1 - rho**2)
            m0, s0, level, step = (float(row[n]) for n in ("m0", "s0", "level", "step"))
            sim = ld.simulate(student, mu=mu, nu=nu, dim=D, batch=BATCH, lr=0.2, u0=1e-6, m0=m0, s0=s0,
                              steps=int(1.5 * step + 200), runs=200, event="m", at=level, seed=1)
            hits = sim.t_hit[np.isfinite(sim.t_hit)] / 0.2
            z = (step - hits.mean()) / (hits.std(ddof=1) * math.sqrt(1 + 1 / hits.size))
            # The rest of the noiseless flow; without the correction the same at ν = 1 - μ.
            rest, plain = (abs(float(ld.escape(student, mu=a, nu=b, m0=m0, s0=s0).m_end))
                           for a, b in ((mu, nu), (nominal, 1 - nominal)))
            lines.append((student, row["mu"], f"{step:.1f}", f"{hits.mean():.1f}", f"{hits.std(ddof=1):.1f}", f"{z:+.1f}",
                          row["end_m"], f"{rest:.6f}", f"{plain:.6f}"))
            drawn.append((nominal, step, hits.mean(), hits.std(ddof=1)))
        at, step, mean, spread = map(np.array, zip(*drawn))
        panel.band(i, at, mean - spread, mean + spread)
        panel.curve(i, student, at, mean)
        panel.points(i, "", at, step)
        ends = [abs(float(line[6]) - float(line[7])) for line in lines if line[0] == student and line[6]]
        check(f"end of the misaligned {student} runs", max(ends), 1e-4)
    head = ("student", "μ", "published step", "ours", "spread", "z", "published end \\|m\\|", "ours", "with ξ ⟂ w*")
    return table(head, lines), panel


# ----------------------------------------------------------------------------------------------- curves in time


def dynamics():
    """Test error, |m| and |M| of the flow with the band of simulated runs."""
    errors = drawing.Panel("test error", "step", "E[(σ - g)²]", log="xy", range_x="1:1e5", range_y="1e-13:10")
    overlaps = drawing.Panel("|m|", "step", "|m|", log="x", range_x="1:1e5", range_y="0:1.05")
    lines = []
    for i, student in enumerate(("linear", "erf", "relu", "sigmoid", "he2", "he3")):
        mu = 0.5
        lr = 0.2 if not student.startswith("he") else learning_rate(int(student[2:]))
        steps = np.unique(np.round(np.geomspace(1, 1e5, 161)))
        run = ld.trajectory(student, mu=mu, t_end=lr * 1e5, m0=SEEDS[1], u0=1e-6, gamma=lr * D / BATCH,
                            points=steps * lr, rtol=1e-11, atol=1e-18)
        errors.curve(i, student, steps, np.maximum(2 * run.risk, 1e-16))
        overlaps.curve(i, student, steps, np.abs(run.m))
        last = int(min(1e5, 3 * steps[np.argmax(np.abs(run.m) > 0.9)]))
        sim = ld.simulate(student, mu=mu, dim=D, batch=BATCH, lr=lr, u0=1e-6, m0=SEEDS[1], steps=last, runs=50,
                          points="log:40", seed=3)
        flow = ld.trajectory(student, mu=mu, t_end=lr * last, m0=SEEDS[1], u0=1e-6, gamma=lr * D / BATCH,
                             points=sim.step * lr)
        overlaps.band(i, sim.step[1:], sim.m_abs_mean[1:] - sim.m_abs_sd[1:], sim.m_abs_mean[1:] + sim.m_abs_sd[1:])
        spread = np.maximum(sim.m_abs_sd[1:], 1e-3)
        off = np.abs(np.abs(flow.m[1:]) - sim.m_abs_mean[1:])
        lines.append((student, f"{lr:.3g}", last, f"{off.max():.3f}", f"{(off / spread).max():.2f}"))
        check(f"dynamics of {student} within the band", (off / spread).max(), 3)
    figure("dynamics", [errors, overlaps])
    head = ("student", "learning rate", "steps", "largest distance of flow and mean", "over the spread of a run")
    return table(head, lines)


def he3_runs():
    lr = learning_rate(3)
    panel = drawing.Panel("he3 at d = 1000", "step", "|m|", range_x="0:1.1e5", range_y="0:0.6")
    lines = []
    for i, (mu, steps, told) in enumerate(((0.2, 50000, 0.348), (0.325, 110000, None))):
        sim = ld.simulate("he3", mu=mu, dim=D, batch=BATCH, lr=lr, u0=1e-6, m0=SEEDS[0], steps=steps, runs=50,
                          points=56, seed=2)
        flow = ld.trajectory("he3", mu=mu, t_end=lr * steps, m0=SEEDS[0], u0=1e-6, gamma=lr * D / BATCH, points=201)
        panel.curve(i, f"μ = {mu}", flow.t / lr, np.abs(flow.m))
        panel.band(i, sim.step, sim.m_abs_mean - sim.m_abs_sd, sim.m_abs_mean + sim.m_abs_sd)
        if told:
            panel.points(6, "published", [steps], [told])
        lines.append((mu, steps, told or "no escape", f"{abs(flow.m[-1]):.3f}", f"{sim.m_abs_mean[-1]:.3f}",
                      f"{sim.m_abs_sd[-1]:.3f}", f"{float(ld.rates('he3', mu=mu).tau) / lr:.3g}",
                      str(ld.escape("he3", mu=mu, m0=SEEDS[0]).outcome)))
    head = ("μ", "steps", "published \\|m\\|", "flow", "mean of 50 runs", "spread", "τ in steps", "outcome of the flow")
    return table(head, lines), panel


STAGES = {
    "squared, then plain": '[[stage]]\nlabel = "y^2"\n{first}\n[[stage]]\n{second}\n',
    "squared, flip, plain": '[[stage]]\nlabel = "y^2"\n{first}\n[[stage]]\nflip = true\n[[stage]]\n{second}\n',
    "plain from the start": "[[stage]]\n{both}\n",
}


def curriculum():
    lr, steps, batch = learning_rate(3), 25000, 1000
    lines, panel = [], drawing.Panel("he3, labels squared for 25 000 steps", "step", "M", range_x="0:5e4")
    with tempfile.TemporaryDirectory() as folder:
        stages = pathlib.Path(folder) / "stages.toml"
        for i, (name, text) in enumerate(STAGES.items()):
            gamma = lr * D / batch
            each = f"gamma = {gamma!r}\ntime = {{}}"
            stages.write_text(text.format(first=each.format(lr * steps), second=each.format(lr * steps),
                                          both=each.format(2 * lr * steps)), encoding="utf-8")
            run = program("trajectory", "--student", "he3", "--mu", "0.325", "--m0", str(SEEDS[1]), "--u0", "1e-6",
                          "--t-end", repr(2 * lr * steps), "--points", "401", "--stages", str(stages))
            t, m, big = column(run, "t"), column(run, "m"), column(run, "M")
            middle = np.argmin(np.abs(t - lr * steps))
            panel.curve(i, name, t / lr, big)
            lines.append((name, f"{m[middle]:.3f}", f"{big[middle]:.3f}", f"{m[-1]:.3f}", f"{big[-1]:.4f}"))
    squared = ld.simulate("he3", "he3^2", mu=0.325, dim=D, batch=batch, lr=lr, u0=1e-6, m0=SEEDS[1], steps=steps,
                          runs=200, points=2, seed=4)
    low, high = np.quantile(np.abs(squared.runs_m[:, -1]), [0.05, 0.95])
    return table(("labels", "m at 25 000 steps", "M there", "m at 50 000", "M at 50 000"), lines), panel, (low, high)


# ------------------------------------------------------------------------------------------------------ formulas


def formulas():
    lines = []
    # E He_k(√r z) = k! (r-1)^{k/2}/(2^{k/2} (k/2)!), the mean of a student of another radius.
    worst = 0.0
    for k in (2, 4, 6, 8):
        for r in (0.01, 0.25, 0.81, 1.5, 4.0):
            formula = math.factorial(k) * (r - 1) ** (k // 2) / (2 ** (k // 2) * math.factorial(k // 2))
            ours = float(ld.PairKernel(f"he{k}", "x^0").value(r, 1.0, 0.0))
            worst = max(worst, abs(ours - formula) / abs(formula))
    lines.append(("bias: E He_k(√r z), k = 2, 4, 6, 8", f"{worst:.1e}"))
    check("bias expression", worst, 1e-12)

    # Linear student: m = tanh g with g' = -V'(g) where u follows at once, κ -> ∞.
    mu, start, end = 0.5, 0.03, 30.0
    kappa = 1e6
    run = ld.trajectory("linear", mu=mu, t_end=end, lr_ratio=kappa, m0=start, u0=0.0, points=301)
    # g' = (1-μ)² tanh g, so that sinh g = sinh g0 e^{(1-μ)² t}
    expected = np.tanh(np.arcsinh(np.sinh(np.arctanh(start)) * np.exp((1 - mu) ** 2 * run.t)))
    worst = np.abs(run.m - expected).max()
    lines.append(("potential: m = tanh g of a linear student, κ = 1e6", f"{worst:.1e}"))
    check("effective potential", worst, 1e-5)

    # Gradient of a He_k student at u -> 0, with transfer ∝ μ^{k-1}(1 - μ^k) beside what B adds, from scratch ∝ m^{k-1}.
    worst = 0.0
    for k in range(1, 8):
        for mu in (0.1, 0.4, 0.8):
            r = ld.rates(f"he{k}", mu=mu)
            drive = degree_unit(k) * mu ** (k - 1)
            a = float(r.A) - mu * float(r.B)
            worst = max(worst, abs(a / drive - 1))
            scratch = ld.Flow(f"he{k}", mu=0.0, lr_ratio=0).velocity([1.0, mu, 0.0])[1]
            worst = max(worst, abs(scratch / (drive * (1 - mu**2)) - 1))
    lines.append(("gradient: E[σ'(λ) g'(λ*)] = k·k! μ^{k-1}, and m' = k·k! m^{k-1}(1 - m²) from scratch", f"{worst:.1e}"))
    check("gradients", worst, 1e-11)
    return table(("formula", "largest difference"), lines)


def from_scratch():
    """'V only': w = v on the sphere. The time to m = 1/2 from m = 1/√d, as a power of d."""
    dims = np.geomspace(1e2, 1e8, 13)
    lines, panel = [], drawing.Panel("from scratch on the sphere", "d", "t k! k", log="xy")
    for i, (name, law) in enumerate((("he1", "constant"), ("he2", "log d"), ("he3", "√d"), ("he4", "d"))):
        t = ld.escape(name, mu=0.0, lr_ratio=0.0, u0=1.0, m0=1 / np.sqrt(dims), at=0.5).t_hit * degree_unit(i + 1)
        panel.curve(i, name, dims, t)
        slope = np.polyfit(np.log(dims[-6:]), np.log(t[-6:]), 1)[0]
        per_log = np.polyfit(np.log(dims[-6:]), t[-6:], 1)[0]
        lines.append((name, law, f"{slope:.4f}", f"{per_log:.4f}" if name == "he2" else "–"))
        if name in ("he3", "he4"):
            check(f"exponent of {name} from scratch", abs(slope - {"he3": 0.5, "he4": 1.0}[name]), 0.01)
    return table(("student", "t grows like", "exponent of d, fitted", "t per log d"), lines), panel


# ------------------------------------------------------------------------------------------------------- the page


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the search times alone, written to standard output")
    options = parser.parse_args()
    blocks = {"search-times": search_times()}
    if options.quick:
        print(blocks["search-times"])
        return 1 if MISSED else 0

    def timed(name, question, *arguments):
        begin = time.monotonic()
        answer = question(*arguments)
        print(f"{time.monotonic() - begin:6.1f} s  {name}", file=sys.stderr, flush=True)
        return answer

    families = [("raw", ["linear", "erf", "sigmoid", "relu"]), ("fisher", ["he2", "he6", "he10", "he14"]),
                ("fisher", ["he3", "he5", "he7", "he9"])]
    names = ["by name", "even Hermite polynomials", "odd Hermite polynomials"]
    panels = [(title, students, unit) for title, (unit, students) in zip(names, families)]
    timed("search times", search_time_figure, "tau", panels, False)
    timed("squared teachers", search_time_figure, "squared", panels, True)
    blocks["mixtures"] = timed("mixtures", mixtures)
    blocks.update(timed("hitting times", hitting_times))
    blocks["runs-again"] = timed("published runs", runs_again)
    blocks["as-drawn"] = timed("runs as drawn", runs_as_drawn)
    blocks["by-degree"], degrees = timed("by degree", by_degree)
    blocks["misaligned"], beside = timed("misaligned", misaligned)
    figure("runs", [degrees, beside])
    blocks["bias"] = timed("bias runs", bias_runs)
    blocks["dynamics"] = timed("dynamics", dynamics)
    blocks["he3"], left = timed("he3", he3_runs)
    blocks["curriculum"], right, (low, high) = timed("curriculum", curriculum)
    blocks["curriculum"] += f"\n\nOf 200 simulated runs on squared labels nine tenths have \\|m\\| from {low:.2f} to {high:.2f} then."
    figure("he3", [left, right])
    blocks["formulas"] = timed("formulas", formulas)
    blocks["from-scratch"], scratch = timed("from scratch", from_scratch)
    figure("scratch", [scratch], columns=1)
    blocks["two-layers"] = timed("two layers", two_layers.question, check, figure)
    fill(DOCS / "reproduction.md", blocks)
    for line in MISSED:
        print(line, file=sys.stderr)
    return 1 if MISSED else 0


if __name__ == "__main__":
    sys.exit(main())
