#!/usr/bin/env python3
"""Relations that hold whatever the activation, at random ones over the whole grammar.

    property_test.py [--seed N] [--seconds S] [--only KIND] [--replay 'KIND SEED']

Without arguments: as many probes of each kind as FIXED says, with the seeds 0, 1, ... With --seconds:
the kinds in turn, from --seed (random) on. Every violation is a line with the commands that show it
and what replays it; the exit status is 1 then. The program is in the environment variable LORADYN.

The names are those that `rates --help` tells, so that a new one is tested as it comes. What is
compared is what the theory ties together: a function written in two ways; a pair with both scaled by
c, whose rates are c^2 times as large; averages with those of a quadrature written here; roots with
signs; and what no valid input may break: an end, a status, |m| <= 1, a risk that falls at gamma = 0.
"""

import argparse
import csv
import io
import itertools
import math
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

# Probes of each kind without --seconds: together about a minute.
FIXED = {"rates": 24, "averages": 24, "written": 12, "smooth": 8, "escape": 6, "fixed": 4,
         "critical": 5, "same": 2, "signal": 5}
PATIENCE = 120.0  # seconds until a command has no end
DEAF = 20.0       # seconds after a signal


# --- Functions of one number with their derivative, for averages of our own


class Dual:
    """A value and its derivative."""

    __slots__ = ("v", "d")

    def __init__(self, v, d=0.0):
        self.v, self.d = v, d

    def __add__(self, o):
        o = dual(o)
        return Dual(self.v + o.v, self.d + o.d)

    def __sub__(self, o):
        o = dual(o)
        return Dual(self.v - o.v, self.d - o.d)

    def __mul__(self, o):
        o = dual(o)
        return Dual(self.v * o.v, self.d * o.v + self.v * o.d)

    def __truediv__(self, o):
        o = dual(o)
        return Dual(self.v / o.v, (self.d - self.v / o.v * o.d) / o.v)

    def __pow__(self, n):
        n = int(dual(n).v)
        return Dual(self.v**n, n * self.v**(n - 1) * self.d if n else 0.0)

    def __neg__(self):
        return Dual(-self.v, -self.d)

    def __pos__(self):
        return self

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, o):
        return dual(o) - self

    def __rtruediv__(self, o):
        return dual(o) / self


def dual(x):
    return x if isinstance(x, Dual) else Dual(x)


def chained(value, slope):
    return lambda x: Dual(value(x.v), slope(x.v) * x.d)


def logistic(x):
    return 1.0 / (1.0 + math.exp(-x)) if x > 0 else math.exp(x) / (1.0 + math.exp(x))


def density(x):
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def normal(x):
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def hermite(n):
    def values(x):
        before, now = 0.0, 1.0
        for k in range(n):
            before, now = now, x * now - k * before
        return now, before

    return lambda x: Dual(values(x.v)[0], n * values(x.v)[1] * x.d)


OURS = {
    "x": lambda x: x,
    "linear": lambda x: x,
    "relu": lambda x: x if x.v > 0.0 else Dual(0.0),
    "erf": chained(math.erf, lambda x: 2.0 / math.sqrt(math.pi) * math.exp(-x * x)),
    "sigmoid": chained(logistic, lambda x: logistic(x) * logistic(-x)),
    "tanh": chained(math.tanh, lambda x: 4.0 * logistic(2 * x) * logistic(-2 * x)),
    "softplus": chained(lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))), logistic),
    "gelu": chained(lambda x: x * normal(x), lambda x: normal(x) + x * density(x)),
    "silu": chained(lambda x: x * logistic(x),
                    lambda x: logistic(x) * (1.0 + x * logistic(-x))),
    "sin": chained(math.sin, math.cos),
    "cos": chained(math.cos, lambda x: -math.sin(x)),
    "exp": chained(math.exp, math.exp),
    "log": chained(math.log, lambda x: 1.0 / x),
    "sqrt": chained(math.sqrt, lambda x: 0.5 / math.sqrt(x)),
    "abs": lambda x: x if x.v > 0.0 else -x,
    "max": lambda x, y: dual(x) if dual(x).v > dual(y).v else dual(y),
    "min": lambda x, y: dual(x) if dual(x).v < dual(y).v else dual(y),
}


def our_function(text):
    """The function of an expression, or None where a name is not ours."""
    missing = []

    def translated(match):
        name, call = match.group(1), match.group(2)
        if name.startswith("he") and name[2:].isdigit():
            known = f"hermite({name[2:]})"
        elif name in OURS:
            known = f"OURS['{name}']"
        else:
            missing.append(name)
            return ""
        if name == "x" and not call:
            return "x"
        return known + ("(" if call else "(x)")

    # A number's exponent is no name.
    code = re.sub(r"(?<![\d.a-z])([a-z][a-z0-9]*)(\s*\()?", translated, text.replace("^", "**"))
    if missing:
        return None
    body = compile(code, text, "eval")
    scope = {"OURS": OURS, "hermite": hermite}
    return lambda z: dual(eval(body, scope, {"x": Dual(z, 1.0)}))  # pylint: disable=eval-used


GAUSS = [(0.0, 0.4179591836734694), (0.4058451513773972, 0.3818300505051189),
         (0.7415311855993945, 0.2797053914892767), (0.9491079123427585, 0.1294849661688697)]


def averages(f, count, reach=13.0):
    """E[f(z)] for a tuple of `count` functions, and E|f(z)|: adaptive, to about 1e-11 of the latter;
    a kink is bisected until it does not matter."""

    def panel(a, b):
        middle, half = 0.5 * (a + b), 0.5 * (b - a)
        total, mass = [0.0] * count, [0.0] * count
        for node, weight in GAUSS:
            for z in {middle - half * node, middle + half * node}:
                for k, value in enumerate(f(z)):
                    part = weight * half * density(z) * value
                    total[k] += part
                    mass[k] += abs(part)
        return total, mass

    totals, masses = [0.0] * count, [0.0] * count
    size = [0.0] * count
    edges = [-reach + 0.5 * k for k in range(int(4 * reach) + 1)]
    coarse = [(a, b, *panel(a, b)) for a, b in itertools.pairwise(edges)]
    for _, _, _, mass in coarse:
        size = [s + m for s, m in zip(size, mass)]
    stack = [(*c, 0) for c in coarse]
    while stack:
        a, b, total, mass, depth = stack.pop()
        middle = 0.5 * (a + b)
        left, right = panel(a, middle), panel(middle, b)
        error = max((abs(t - l - r) / s if s else 0.0)
                    for t, l, r, s in zip(total, left[0], right[0], size))
        if error < 1e-13 or depth == 40:
            totals = [t + l + r for t, l, r in zip(totals, left[0], right[0])]
            masses = [m + l + r for m, l, r in zip(masses, left[1], right[1])]
        else:
            stack += [(a, middle, *left, depth + 1), (middle, b, *right, depth + 1)]
    return totals, masses


# --- The program


def number(r, lo, hi, digits=3):
    return float(f"{r.uniform(lo, hi):.{digits}g}")


def value(row, key):
    try:
        return float(row[key])
    except (KeyError, ValueError):
        return math.nan


def close(a, b, tolerance, scale=None):
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= tolerance * (scale if scale else max(abs(a), abs(b), 1e-300))


class Probe:
    """Runs the program and keeps what was violated."""

    def __init__(self, program):
        self.program = program
        self.kind, self.seed, self.last = "", 0, ""
        self.violations = 0
        self.skipped = 0
        self.grammar = Grammar(self)

    def run(self, *words, allowed=(0, 3)):
        """The rows, or None where the command fails; a failure is a violation."""
        words = [str(w) for w in words]
        self.last = "loradyn " + " ".join(f"'{w}'" if set(w) & set("*^+() {},/<>") else w
                                          for w in words)
        try:
            done = subprocess.run([self.program, *words], capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            self.violation(f"no end within {PATIENCE:.0f} s")
            return None
        if done.returncode not in allowed:
            self.violation(f"exit {done.returncode}: {done.stderr.strip()[-200:]}")
            return None
        lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
        return list(csv.DictReader(io.StringIO("\n".join(lines))))

    def help(self):
        return subprocess.run([self.program, "rates", "--help"], capture_output=True, text=True,
                              timeout=PATIENCE, check=True).stdout

    def accepts(self, text):
        return subprocess.run([self.program, "rates", "--student", text, "--mu", "0.5"],
                              capture_output=True, timeout=PATIENCE, check=False).returncode == 0

    def violation(self, what):
        self.violations += 1
        print(f"{self.kind} {self.seed}: {what}\n    {self.last}\n"
              f"    --replay '{self.kind} {self.seed}'", flush=True)


class Grammar:
    """Random expressions over the names that the program tells."""

    FORMS = ["{0}", "{0}(1+x^2)", "{0}(x,0.1*x)", "x*{0}(x)"]
    # The same functions without their names.
    WRITTEN = {"relu": "max(x,0)", "sigmoid": "1/(1+exp(-x))", "silu": "x/(1+exp(-x))",
               "softplus": "max(x,0)+log(1+exp(-abs(x)))", "tanh": "2*sigmoid(2*x)-1",
               "gelu": "0.5*x*(1+erf(x/sqrt(2)))", "he2": "x^2-1", "he3": "x^3-3*x",
               "he4": "x^4-6*x^2+3", "linear": "x", "abs": "relu(x)+relu(-x)", "cos":
               "sin(x+1.5707963267948966)"}

    def __init__(self, probe):
        found = re.search(r"\b(linear(?:\s+[a-z]+)*)\s+he0\s+\.\.\.\s+he(\d+)", probe.help())
        if not found:
            sys.exit("rates --help tells no names of activations")
        self.degree = int(found.group(2))
        self.names = [self.usable(probe, name) for name in found.group(1).split()]
        self.hermite = [f"he{k}" for k in (1, 2, 2, 3, 3, 4, 5, 6, 9, 14)]

    def usable(self, probe, name):
        """A form in which a name alone is an activation."""
        for form in self.FORMS:
            if probe.accepts(form.format(name)):
                return form.format(name)
        sys.exit(f"the name {name} can't be used as {', '.join(f.format(name) for f in self.FORMS)}")

    def leaf(self, r):
        """A name, a call or a polynomial, with a bound of its degree."""
        kind = r.choice(["name", "name", "name", "hermite", "kinked", "call", "call", "polynomial"])
        if kind == "hermite":
            name = r.choice(self.hermite)
            return name, int(name[2:])
        if kind == "kinked":
            return r.choice(["relu", "relu", "abs", f"relu(x-{number(r, .1, 1.5, 2)})",
                             f"max(x,{number(r, .05, .9, 2)}*x)"]), 1
        if kind == "call":
            a, b = number(r, .3, 2.5, 2), number(r, -1, 1, 2)
            name = r.choice(["erf", "tanh", "sigmoid", "softplus", "gelu", "silu", "sin", "cos",
                             "relu"])
            return r.choice([f"{name}({a}*x)", f"{name}(x+{b})" if b >= 0 else f"{name}(x{b})"]), 1
        if kind == "polynomial":
            return f"(x^{r.choice([2, 3])}-{number(r, .1, 2, 2)}*x)", 3
        name = r.choice(self.names)
        return (f"({name})" if name.startswith("x*") else name), 1

    def activation(self, r):
        """An expression, and the same function written differently."""
        while True:
            (a, p), (b, q), (c, s) = (self.leaf(r) for _ in range(3))
            w, v = number(r, -2, 2), number(r, -1, 1)
            n = r.choice([2, 2, 3])
            kind = r.choice(["one", "product", "product", "power", "sum", "weighted", "quotient"])
            text, other, degree = {
                "one": (a, f"0.25*{a}+0.75*{a}", p),
                "product": (f"{a}*({b}+0.5*{c})", f"{a}*{b}+0.5*{a}*{c}", p + max(q, s)),
                "power": (f"{a}^{n}", "*".join([a] * n), n * p),
                "sum": (f"{a}+{w}*{b}", f"{w}*{b}+{a}", max(p, q)),
                "weighted": (f"{w}*({a}+{v}*{b})", f"{w}*{a}+{w * v!r}*{b}", max(p, q)),
                "quotient": (f"({a}+{v}*{b})/(1+x^2)", f"{a}/(1+x^2)+{v}*{b}/(1+x^2)", max(p, q)),
            }[kind]
            if degree <= min(self.degree, 20):
                return text, other

    def pair(self, r, matched):
        student, other = self.activation(r)
        teacher = student if r.random() < matched else self.activation(r)[0]
        return student, other, teacher


# --- What is probed


def rates(p, r):
    """tau of its own A, B, C; both scaled by c; a product written out."""
    s, other, t = p.grammar.pair(r, 0.5)
    mu, nu = number(r, -1, 2), r.choice([0, 0, number(r, .05, 1)])
    c = number(r, .3, 3)
    words = ["--mu", mu, "--nu", nu]
    rows = p.run("rates", "--student", s, "--teacher", t, *words)
    if not rows:
        return
    A, B, C, tau = (value(rows[0], k) for k in ("A", "B", "C", "tau"))
    if rows[0]["status"] == "no-convergence":
        p.violation("no-convergence")
        return
    if not all(map(math.isfinite, (A, B, C))):
        p.violation(f"not finite under status {rows[0]['status']}")
        return
    size = max(abs(A), abs(B), abs(C), 1e-300)
    pull = A * A + C * C
    if math.isfinite(tau) and pull > 1e-20 * size * size:
        root = math.sqrt(B * B + 4 * pull)
        growth = (B + root) / 2 if B >= 0 else 2 * pull / (root - B)
        if not close(tau, 1 / growth, 1e-9):
            p.violation(f"tau is {tau}, 1/lambda of A, B and C is {1 / growth}")
    # What cancels in A, B and C is noise of its own.
    scale = max(size, 1e-3 * mass_of(s, t, math.hypot(mu, nu)))
    for what, words_of in [("both scaled", ["--student", f"{c}*({s})", "--teacher", f"{c}*({t})"]),
                           ("written out", ["--student", other, "--teacher", t])]:
        again = p.run("rates", *words_of, *words)
        factor = c * c if what == "both scaled" else 1.0
        for key, expected in (("A", A), ("B", B), ("C", C)) if again else ():
            if not close(value(again[0], key), factor * expected, 1e-9, factor * scale):
                p.violation(f"{what} {key} = {again[0][key]}, but {factor * expected} follows")


def our_rates(s, t, mu):
    """A and B of eq. (4.2) at nu = 0 by parts, so that first derivatives are enough, and how large
    what is averaged is; None where a name is not ours."""
    student, teacher = our_function(s), our_function(t)
    if student is None or teacher is None or "step" in s + t:
        return None

    def integrands(z):
        a, g = student(mu * z), teacher(z)
        return (-(a.v - g.v) * a.d * z, -a.d * (z * (a.v - g.v) + g.d) / mu)

    return averages(integrands, 2)


def mass_of(s, t, mu):
    try:
        ours = our_rates(s, t, mu) if abs(mu) > 1e-3 else None
    except (OverflowError, ZeroDivisionError, ValueError):
        ours = None
    return max(ours[1]) if ours else 0.0


def averages_of(p, r):
    """A and B against a quadrature of our own."""
    s, _, t = p.grammar.pair(r, 0.4)
    mu = r.choice([-1, 1]) * number(r, .1, 1.8)
    try:
        ours = our_rates(s, t, mu)
    except (OverflowError, ZeroDivisionError, ValueError):
        ours = None
    if not ours:
        p.skipped += 1
        return
    rows = p.run("rates", "--student", s, "--teacher", t, "--mu", mu)
    if not rows or rows[0]["status"] == "no-convergence":
        if rows:
            p.violation("no-convergence")
        return
    (A, B), masses = ours
    for key, expected, mass in (("A", A, masses[0]), ("B", B, masses[1])):
        if not close(value(rows[0], key), expected, 1e-9, max(masses)):
            p.violation(f"{key} = {rows[0][key]}, a quadrature gives {expected} of mass {mass:.3g}")


def written(p, r):
    """A name and the same function without it."""
    names = [n for n in p.grammar.WRITTEN
             if p.grammar.WRITTEN[n] and (n in p.grammar.names or n.startswith("he"))]
    name = r.choice(names)
    a, _ = p.grammar.leaf(r)
    wrapped = r.choice(["{}", f"{{}}*({a})", f"({{}})^2", f"{{}}+0.3*({a})"])
    text, other = wrapped.format(name), wrapped.format(f"({p.grammar.WRITTEN[name]})")
    mu, nu = number(r, -1, 2), r.choice([0, number(r, .05, 1)])
    words = ["--teacher", "he2", "--mu", mu, "--nu", nu]
    one, two = (p.run("rates", "--student", w, *words) for w in (text, other))
    if one and two:
        size = max(abs(value(one[0], k)) for k in "ABC")
        size = max(size, 1e-3 * mass_of(text, "he2", math.hypot(mu, nu)))
        for key in "ABC":
            if not close(value(one[0], key), value(two[0], key), 1e-9, size):
                p.violation(f"{key} = {two[0][key]}, but {one[0][key]} as {text}")


def step_in(rows):
    """The first row of nine whose eighth difference in A, B or C is more than rounding, with what
    it says; or None."""
    binomial = [(-1)**j * math.comb(8, j) for j in range(9)]
    for i in range(len(rows) - 8):
        nine = rows[i:i + 9]
        size = max(abs(value(row, k)) for row in nine for k in "ABC")
        for key in "ABC":
            difference = sum(b * value(row, key) for b, row in zip(binomial, nine))
            if not abs(difference) <= 5e-9 * size:
                return i, f"{key} steps by about {abs(difference) / 50 / size:.0e} of its size"
    return None


def smooth(p, r):
    """A, B, C are analytic in mu off 0: a difference that finer points don't shrink is a step."""
    s, _, t = p.grammar.pair(r, 0.3)
    if "step" in s + t:
        p.skipped += 1
        return
    lo = number(r, .1, 1.5)
    words = ["rates", "--student", s, "--teacher", t, "--nu", r.choice([0, 0, number(r, .1, 1)])]
    rows = p.run(*words, "--mu", f"{lo}:{lo + number(r, .5, 1.5)}:301")
    found = rows and step_in(rows)
    if found:
        rows = p.run(*words, "--mu", f"{rows[found[0]]['mu']}:{rows[found[0] + 8]['mu']}:257")
        found = rows and step_in(rows)
    if found:
        p.violation(f"{found[1]} between mu = {rows[found[0]]['mu']} and "
                    f"{rows[found[0] + 8]['mu']}")


def escape(p, r):
    """A run ends with a status; |m| <= 1; the risk falls at gamma = 0; times scale with 1/c^2."""
    s, _, t = p.grammar.pair(r, 0.5)
    gamma = r.choice([0, 0, number(r, .05, 2)])
    words = ["--mu", number(r, -.6, .95), "--gamma", gamma, "--nu",
             r.choice([0, 0, number(r, .05, .6)])]
    rows = p.run("escape", "--student", s, "--teacher", t, *words)
    if not rows:
        return
    row = rows[0]
    if row["status"] == "ok":
        for key in ("t_hit", "u_hit", "m_hit", "u_end", "m_end", "risk_end"):
            if math.isnan(value(row, key)):
                p.violation(f"{key} is nan under status ok")
                return
    if value(row, "t_hit") < 0 or value(row, "risk_end") < 0:
        p.violation(f"t_hit is {row['t_hit']}, risk_end {row['risk_end']}")
    for key in ("m_hit", "m_end"):
        if abs(value(row, key)) > 1:
            p.violation(f"{key} = {row[key]}")
    if gamma == 0 and math.isfinite(value(row, "risk_end")):
        first = p.run("trajectory", "--student", s, "--teacher", t, *words, "--t-end", "1e-6",
                      "--points", "2")
        before = value(first[0], "risk") if first else math.nan
        if value(row, "risk_end") > before * (1 + 1e-7) + 1e-12:
            p.violation(f"the risk grew from {before} to {row['risk_end']} at gamma = 0")
    if s == t and gamma == 0 and math.isfinite(value(row, "t_hit")):
        c = number(r, .5, 2)
        again = p.run("escape", "--student", f"{c}*({s})", "--teacher", f"{c}*({s})", *words)
        if again and not close(value(again[0], "t_hit") * c * c, value(row, "t_hit"), 2e-6):
            p.violation(f"t_hit c^2 = {value(again[0], 't_hit') * c * c} for both scaled by {c}, "
                        f"but {row['t_hit']} unscaled")


def target_eigenvalues(rows):
    found = []
    for row in rows:
        if value(row, "risk") < 1e-10 and abs(value(row, "M") - 1) < 1e-6:
            found.append(sorted(value(row, k) for k in ("eig1", "eig2", "eig3")))
    return found


def fixed(p, r):
    """The target of a matched pair is an equilibrium, stable, with the eigenvalues of theory."""
    s, _ = p.grammar.activation(r)
    if "step" in s:
        p.skipped += 1
        return
    mu, kappa = number(r, .05, .9), r.choice([1, 1, number(r, .3, 3)])
    rows = p.run("fixed-points", "--student", s, "--mu", mu, "--lr-ratio", kappa)
    if not rows:
        return
    found = target_eigenvalues(rows)
    if not found:
        p.violation("no target among the equilibria")
        return
    f = our_function(s)
    expected = None
    if f is not None:
        try:
            (radial, across), _ = averages(lambda z: (z * z * f(z).d**2, f(z).d**2), 2)
            across *= -(1 - mu)**2
            expected = sorted([-kappa * radial, across, 2 * across])
        except (OverflowError, ZeroDivisionError, ValueError):
            pass
    for values in found:
        if values[-1] > 1e-7 * max(1.0, abs(values[0])):
            p.violation(f"the target has eigenvalues {values}")
        elif expected and not all(close(a, b, 1e-6, abs(expected[0]))
                                  for a, b in zip(values, expected)):
            p.violation(f"the target's eigenvalues are {values}, theory has {expected}")


def critical(p, r):
    """A is zero at every root that is told, and no sign change is missing."""
    s, _, t = p.grammar.pair(r, 0.4)
    lo, hi = number(r, .03, .3), number(r, .6, .97)
    rows = p.run("critical", "--student", s, "--teacher", t, "--mu", f"{lo}:{hi}")
    if rows is None:
        return
    command = p.last
    grid = p.run("rates", "--student", s, "--teacher", t, "--mu", f"{lo}:{hi}:201")
    if not grid:
        return
    p.last = command
    if any(row["status"] == "no-convergence" for row in rows):
        p.violation("no-convergence")
        return
    scale = max(max(abs(value(g, "A")), abs(value(g, "B"))) for g in grid)
    scale = max(scale, 1e-3 * mass_of(s, t, hi))
    roots = [value(row, "mu_c") for row in rows]
    slack = 1e-3 * (hi - lo) / 200
    for a, b in itertools.pairwise(grid):
        at_a, at_b = value(a, "A"), value(b, "A")
        if math.isnan(at_a) or (at_a * at_b < 0 and max(abs(at_a), abs(at_b)) > 1e-9 * scale and
                                not any(value(a, "mu") - slack <= x <= value(b, "mu") + slack
                                        for x in roots)):
            p.violation(f"A is {at_a} at {a['mu']} and {at_b} at {b['mu']}, and no root is told")
    for root in roots:
        near = p.run("rates", "--student", s, "--teacher", t, "--mu", repr(root))
        if near and not abs(value(near[0], "A")) <= 1e-7 * scale:
            p.violation(f"A = {near[0]['A']} at the root {root} of\n    {command}")


def same(p, r):
    """A cell of a diagram is the row of escape."""
    s, _ = p.grammar.activation(r)
    mu = sorted({number(r, .1, .9), number(r, .1, .9)})
    gamma = sorted({number(r, 0, 1.5), number(r, 0, 1.5)})
    axes = [f"{name}={','.join(map(str, values))}" for name, values in (("mu", mu),
                                                                         ("gamma", gamma))]
    cells = p.run("phase", "--student", s, "--x", axes[0], "--y", axes[1])
    if not cells:
        return
    cell = r.choice(cells)
    rows = p.run("escape", "--student", s, "--mu", cell["mu"], "--gamma", cell["gamma"])
    if rows and any(rows[0][k] != cell[k] for k in ("t_hit", "outcome", "status", "risk_end")):
        p.violation(f"phase has {cell['t_hit']} {cell['outcome']} {cell['status']}, escape "
                    f"{rows[0]['t_hit']} {rows[0]['outcome']} {rows[0]['status']}")


def signalled(p, r):
    """SIGTERM ends any command."""
    s, _ = p.grammar.activation(r)
    words = r.choice([
        ["escape", "--mu", "0.03:0.97:100000", "--gamma", "0.7"],
        ["fixed-points", "--mu", "0.1:0.9:100000"],
        ["budget", "--t-pre", "0:20:100000"],
        ["simulate", "--mu", "0.5", "--dim", "1000", "--batch", "100", "--lr", "0.01", "--t-end",
         "2000", "--runs", "100000"],
        ["phase", "--x", "mu=0.05:0.95:300", "--y", "gamma=0:2:300"]])
    words = [words[0], "--student", s, *words[1:]]
    p.last = "loradyn " + " ".join(words)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([p.program, *words], stdout=output, stderr=subprocess.DEVNULL)
        time.sleep(r.uniform(.1, 1))
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(DEAF)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            p.violation("deaf to SIGTERM")
            return
    if code not in (0, 3, 128 + signal.SIGTERM):
        p.violation(f"exit {code} at SIGTERM")


KINDS = {"rates": rates, "averages": averages_of, "written": written, "smooth": smooth,
         "escape": escape, "fixed": fixed, "critical": critical, "same": same, "signal": signalled}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--replay")
    options = parser.parse_args()
    p = Probe(os.environ["LORADYN"])
    counts = dict.fromkeys(KINDS, 0)

    def probe(kind, seed):
        p.kind, p.seed = kind, seed
        KINDS[kind](p, random.Random(f"{kind} {seed}"))
        counts[kind] += 1

    kinds = [options.only] if options.only else list(KINDS)
    if options.replay:
        kind, seed = options.replay.split()
        probe(kind, int(seed))
    elif options.seconds is not None:
        first = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
        end = time.monotonic() + options.seconds
        for i in itertools.count():
            if time.monotonic() > end:
                break
            probe(kinds[i % len(kinds)], first + i)
    else:
        for kind in kinds:
            for seed in range(FIXED[kind]):
                probe(kind, (options.seed or 0) + seed)
    print(f"{sum(counts.values())} probes {counts}, {p.skipped} of them idle, "
          f"{p.violations} violations")
    return 1 if p.violations else 0


if __name__ == "__main__":
    sys.exit(main())
