#!/usr/bin/env python3
"""High-precision reference values for the tests of loradyn.

    python3 generate.py [search] [kernels] [coefficients] [small-mu]

Needs Python 3 and mpmath only (Debian: python3-mpmath).  Without arguments it writes, beside
itself, search_phase.json, kernels.json and coefficients.json, and prints the table of the limit
mu -> 0 that README.md quotes.  Deterministic; one process.

Nothing here uses the Hermite (Mehler) series of the library.  Expectations are
  * exact rational Gaussian moments when both functions are polynomials, or
  * direct one- and two-dimensional integrals against the Gaussian density.
Each value is computed twice, by different quadrature rules and (where there are two) different
formulas; the program stops when the two disagree by more than TOLERANCE.

JSON has no comments, so the conventions of the files stand here and in README.md.

Inputs: every real number that the C++ library receives as a double (mu, nu, q, c, and constants
inside an activation such as 0.1) is the *double nearest to the decimal* that is written in the
file.  It is converted through float() first, so the reference is for exactly that double.

Arithmetic: mpmath with PREC bits; the long sums run in integers with PREC fractional bits.
"""

import json
import os
import sys
import time
from fractions import Fraction
from math import comb, factorial
from operator import mul

from mpmath import mp, mpf
from mpmath.libmp import to_fixed
from mpmath.libmp.libelefun import exp_fixed, ln2_fixed

PREC = 256                      # about 77 decimal digits
mp.prec = PREC
DIGITS = 25                     # significant digits that are written
TOLERANCE = mpf(10) ** -22      # largest accepted disagreement, relative to the scale of the case
ZERO = mpf(10) ** -32           # below this (both evaluations, relative to scale): zero by symmetry
HERE = os.path.dirname(os.path.abspath(__file__))


def real(text):
    """The double nearest to the decimal, as an mpf."""
    return mpf(float(text))


def fixed(x):
    """mpf -> integer with PREC fractional bits."""
    return to_fixed(mpf(x)._mpf_, PREC)


def unfixed(n, power=1):
    """Integer with power*PREC fractional bits -> mpf."""
    return mp.ldexp(mpf(n), -power * PREC)


def show(x):
    return "0.0" if x == 0 else mp.nstr(x, DIGITS, strip_zeros=False)


def log(message):
    print("[%7.1f s] %s" % (time.time() - START, message), file=sys.stderr, flush=True)


START = time.time()


class Worst:
    """Collects disagreements between two evaluations and stops at the first bad one."""

    def __init__(self):
        self.to_scale = mpf(0)      # relative to the natural scale of the case
        self.to_value = mpf(0)      # relative to the value itself (values that are not zero)
        self.where = self.where_value = ""
        self.count = 0

    def compare(self, first, second, scale, where, relative=None):
        """Return the first value (0 if both are zero to ZERO); complain if they differ."""
        self.count += 1
        if abs(first) <= ZERO * scale and abs(second) <= ZERO * scale:
            return mpf(0)
        gap = abs(first - second)
        if gap / scale > self.to_scale:
            self.to_scale, self.where = gap / scale, where
        if gap > TOLERANCE * scale:
            raise SystemExit("disagreement %s in %s: %s against %s"
                             % (mp.nstr(gap / scale, 3), where, show(first), show(second)))
        to_value = gap / max(abs(first), abs(second))
        if to_value > self.to_value:
            self.to_value, self.where_value = to_value, where
        if relative is not None and to_value > relative:
            raise SystemExit("relative disagreement %s in %s" % (mp.nstr(to_value, 3), where))
        return first

    def report(self, title):
        print("%s: %d comparisons; worst disagreement %s of the scale (%s), %s of the value (%s)"
              % (title, self.count, mp.nstr(self.to_scale, 3), self.where,
                 mp.nstr(self.to_value, 3), self.where_value), flush=True)


# ---------------------------------------------------------------------------------------------
# Activations: truncated Taylor series ("jets") for any function, exact rationals for polynomials
# ---------------------------------------------------------------------------------------------

class Jet:
    """Taylor coefficients c[0..N] of a function about a point."""

    def __init__(self, c):
        self.c = c

    def _other(self, other):
        if isinstance(other, Jet):
            return other
        return Jet([mpf(other)] + [mpf(0)] * (len(self.c) - 1))

    def __add__(self, other):
        return Jet([a + b for a, b in zip(self.c, self._other(other).c)])

    def __neg__(self):
        return Jet([-a for a in self.c])

    def __sub__(self, other):
        return self + (-self._other(other))

    def __rsub__(self, other):
        return self._other(other) - self

    def __mul__(self, other):
        if not isinstance(other, Jet):
            k = mpf(other)
            return Jet([a * k for a in self.c])
        a, b = self.c, other.c
        return Jet([mp.fdot(a[:n + 1], b[n::-1]) for n in range(len(a))])

    def __pow__(self, n):
        result = self
        for _ in range(n - 1):
            result = result * self
        return result

    __radd__, __rmul__ = __add__, __mul__


def hermite_values(x, k):
    """He_0(x) .. He_k(x), probabilists'."""
    h = [mpf(1), x]
    for n in range(1, k):
        h.append(x * h[n] - n * h[n - 1])
    return h[:k + 1]


def jet_of(name, x, order, side):
    """Taylor coefficients at x of a named function; side (+1/-1) picks the branch of a kink."""
    one, zero = mpf(1), mpf(0)
    n1 = order + 1

    def sigmoid(u):                     # s' = s(1-s)
        s = [1 / (1 + mp.exp(-u))]
        for n in range(order):
            s.append((s[n] - mp.fdot(s[:n + 1], s[n::-1])) / (n + 1))
        return s

    def gaussian(a):                    # exp(-a x^2)
        e = [mp.exp(-a * x * x)]
        for n in range(order):
            e.append(-2 * a * (x * e[n] + (e[n - 1] if n else 0)) / (n + 1))
        return e

    if name == "linear":
        c = [x, one]
    elif name == "relu":
        c = [x, one] if side > 0 else [zero]
    elif name == "erf":
        e = gaussian(one)
        k = 2 / mp.sqrt(mp.pi)
        c = [mp.erf(x)] + [k * e[n] / (n + 1) for n in range(order)]
    elif name == "sigmoid":
        c = sigmoid(x)
    elif name == "tanh":                # t' = 1 - t^2
        c = [mp.tanh(x)]
        for n in range(order):
            c.append(((1 if n == 0 else 0) - mp.fdot(c[:n + 1], c[n::-1])) / (n + 1))
    elif name == "softplus":
        s = sigmoid(x)
        c = [max(x, zero) + mp.log1p(mp.exp(-abs(x)))] + [s[n] / (n + 1) for n in range(order)]
    elif name == "gelu":
        e = gaussian(one / 2)
        k = 1 / mp.sqrt(2 * mp.pi)
        phi = [mp.erfc(-x / mp.sqrt(2)) / 2] + [k * e[n] / (n + 1) for n in range(order)]
        return Jet([x, one][:n1] + [zero] * (n1 - 2)) * Jet(phi)
    elif name == "silu":
        return Jet([x, one][:n1] + [zero] * (n1 - 2)) * Jet(sigmoid(x))
    elif name in ("sin", "cos"):
        s, co = mp.sin(x), mp.cos(x)
        cycle = [s, co, -s, -co] if name == "sin" else [co, -s, -co, s]
        c = [cycle[n % 4] / factorial(n) for n in range(n1)]
    elif name[:2] == "he":
        k = int(name[2:])               # He_k(x+t) = sum_n C(k,n) He_{k-n}(x) t^n
        h = hermite_values(x, k)
        c = [comb(k, n) * h[k - n] for n in range(min(k, order) + 1)]
    else:
        raise KeyError(name)
    return Jet((c + [zero] * n1)[:n1])


class Poly:
    """Polynomial with exact rational coefficients, lowest first."""

    def __init__(self, c):
        self.c = list(c)

    @staticmethod
    def _of(other):
        return other if isinstance(other, Poly) else Poly([Fraction(other)])

    def __add__(self, other):
        a, b = self.c, self._of(other).c
        n = max(len(a), len(b))
        a, b = a + [Fraction(0)] * (n - len(a)), b + [Fraction(0)] * (n - len(b))
        return Poly([p + q for p, q in zip(a, b)])

    def __neg__(self):
        return Poly([-p for p in self.c])

    def __sub__(self, other):
        return self + (-self._of(other))

    def __rsub__(self, other):
        return self._of(other) - self

    def __mul__(self, other):
        b = self._of(other).c
        r = [Fraction(0)] * (len(self.c) + len(b) - 1)
        for i, p in enumerate(self.c):
            for j, q in enumerate(b):
                r[i + j] += p * q
        return Poly(r)

    def __pow__(self, n):
        r = Poly([Fraction(1)])
        for _ in range(n):
            r = r * self
        return r

    __radd__, __rmul__ = __add__, __mul__

    def diff(self):
        return Poly([n * a for n, a in enumerate(self.c)][1:] or [Fraction(0)])


X = Poly([Fraction(0), Fraction(1)])
HERMITE = [Poly([Fraction(1)]), X]
for _n in range(1, 20):
    HERMITE.append(X * HERMITE[_n] - _n * HERMITE[_n - 1])


class Function:
    """An activation by its name in the grammar of the command line."""

    cache = {}

    def __new__(cls, name):
        if name not in cls.cache:
            self = cls.cache[name] = super().__new__(cls)
            self.name = name
            self.code = compile(name.replace("^", "**"), name, "eval")
            self.names = self.code.co_names
            self.kinked = "relu" in self.names          # not analytic at 0 (nowhere else)
            self.poly = None
            if all(n == "linear" or n.startswith("he") for n in self.names):
                self.poly = eval(self.code, {}, {n: X if n == "linear" else HERMITE[int(n[2:])]
                                                 for n in self.names})
            self.tables = {}
        return cls.cache[name]

    def derivatives(self, x, order, side=None):
        """[f(x), f'(x), ..., f^(order)(x)]; side only matters at a kink (x = 0)."""
        if side is None:
            side = 1 if x > 0 else -1
        jet = eval(self.code, {}, {n: jet_of(n, x, order, side) for n in self.names})
        return [c * factorial(n) for n, c in enumerate(jet.c)]

    def jumps(self, order):
        """Jumps at 0 of f, f', ..., f^(order)."""
        if not self.kinked:
            return [mpf(0)] * (order + 1)
        return [a - b for a, b in zip(self.derivatives(mpf(0), order, 1),
                                      self.derivatives(mpf(0), order, -1))]

    def table(self, nodes, order, scale=None):
        """Rows of f^(n)(scale*x) over the nodes, in fixed point, n = 0..order."""
        s = mpf(1) if scale is None else scale
        return [[fixed(v) for v in column]
                for column in zip(*(self.derivatives(s * x, order) for x in nodes))]

    def kept(self, rule, order=2):
        if rule.key not in self.tables:
            self.tables[rule.key] = self.table(rule.nodes, order)
        return self.tables[rule.key]


# ---------------------------------------------------------------------------------------------
# Quadrature rules for an axis: a lattice for analytic functions, Gauss-Legendre panels that
# meet at 0 for functions with a kink there
# ---------------------------------------------------------------------------------------------

_LEGENDRE = {}


def legendre(n):
    """Nodes and weights of the n-point Gauss-Legendre rule on [-1, 1] (Newton's method)."""
    if n not in _LEGENDRE:
        out = []
        for i in range(n):
            x = mp.cos(mp.pi * (i + mpf(3) / 4) / (n + mpf(1) / 2))
            for _ in range(12):
                p0, p1 = mpf(1), x
                for k in range(2, n + 1):
                    p0, p1 = p1, ((2 * k - 1) * x * p1 - (k - 1) * p0) / k
                slope = n * (x * p1 - p0) / (x * x - 1)
                step = p1 / slope
                x -= step
                if abs(step) < mpf(2) ** (-PREC + 12):
                    break
            out.append((x, 2 / ((1 - x * x) * slope * slope)))
        _LEGENDRE[n] = out[::-1]
    return _LEGENDRE[n]


class Rule:
    """Nodes and weights (plain Lebesgue) for integrals over [-radius, radius]."""

    def __init__(self, key, nodes, weights):
        self.key, self.nodes, self.weights = key, nodes, weights
        self.fixed_nodes = [fixed(x) for x in nodes]
        self.fixed_weights = [fixed(w) for w in weights]
        self.one = [fixed(1)] * len(nodes)
        # standard normal weights, for one-dimensional expectations
        k = 1 / mp.sqrt(2 * mp.pi)
        self.normal = [fixed(w * k * mp.exp(-x * x / 2)) for x, w in zip(nodes, weights)]

    @staticmethod
    def lattice(radius, step):
        """Trapezoidal rule (exponentially convergent for analytic functions)."""
        h = mpf(step)
        n = int(mp.ceil(radius / h))
        return Rule(("lattice", radius, step), [k * h for k in range(-n, n + 1)], [h] * (2 * n + 1))

    @staticmethod
    def panels(radius, width, points):
        """Gauss-Legendre panels of one width to the left and right of 0."""
        h = mpf(width)
        n = int(mp.ceil(radius / h))
        xs, ws = [], []
        for p in range(-n, n):
            for t, w in legendre(points):
                xs.append((p + (t + 1) / 2) * h)
                ws.append(w * h / 2)
        return Rule(("panels", radius, width, points), xs, ws)

    def expect(self, *factors):
        """E over z ~ N(0,1) of a product of up to two tables (fixed point) at the nodes."""
        if len(factors) == 1:
            return unfixed(sum(map(mul, self.normal, factors[0])), 2)
        product = map(mul, factors[0], factors[1])
        return unfixed(sum(map(mul, self.normal, product)), 3)


def times(a, b):
    """Product of two tables in fixed point."""
    return [(x * y) >> PREC for x, y in zip(a, b)]


def dot(a, b):
    return unfixed(sum(map(mul, a, b)), 2)


class Bivariate:
    """The bivariate normal density, times the weights, on the product grid of a rule.

    First axis: sd s1, second axis: sd 1, covariance m, so Var(second | first) = 1 - m^2/s1^2.
    Rows are cut off where the density has fallen below exp(-radius^2/2).
    """

    def __init__(self, rule, variance, covariance, radius):
        self.rule = rule
        ln2 = ln2_fixed(PREC)
        slope = covariance / variance
        conditional = 1 - covariance * slope
        sd = mp.sqrt(conditional)
        k_fixed = fixed(1 / (2 * mp.pi * mp.sqrt(variance * conditional)))
        half_precision = fixed(1 / (2 * conditional))
        slope_fixed = fixed(slope)
        reach = fixed(radius * sd)
        nodes, weights = rule.fixed_nodes, rule.fixed_weights
        self.rows = []
        for x, xf, w in zip(rule.nodes, nodes, weights):
            if x * x > radius * radius * variance:
                self.rows.append((0, []))
                continue
            base = fixed(-x * x / (2 * variance))
            centre = (slope_fixed * xf) >> PREC
            low, high = centre - reach, centre + reach
            first = next((j for j, y in enumerate(nodes) if y >= low), 0)
            factor = (k_fixed * w) >> PREC
            row = []
            for j in range(first, len(nodes)):
                d = nodes[j] - centre
                if nodes[j] > high:
                    break
                e = base - ((half_precision * ((d * d) >> PREC)) >> PREC)
                row.append((((exp_fixed(e, PREC, ln2) * factor) >> PREC) * weights[j]) >> PREC)
            self.rows.append((first, row))

    def apply(self, v):
        """sum_j W_ij v_j, in fixed point."""
        return [sum(map(mul, row, v[first:first + len(row)])) >> PREC
                for first, row in self.rows]


# ---------------------------------------------------------------------------------------------
# Search phase: A, B, C
# ---------------------------------------------------------------------------------------------

def moments(variance, covariance, degree):
    """Exact E[lambda^a z^b], a + b <= degree, Var lambda = variance, Var z = 1."""
    table = {}
    for total in range(degree + 1):
        for a in range(total + 1):
            b = total - a
            if total == 0:
                v = Fraction(1)
            elif total % 2:
                v = Fraction(0)
            elif a:
                v = Fraction(0)
                if a > 1:
                    v += (a - 1) * variance * table[a - 2, b]
                if b:
                    v += b * covariance * table[a - 1, b - 1]
            else:
                v = (b - 1) * table[0, b - 2]
            table[a, b] = v
    return table


def rational(fraction):
    return mpf(fraction.numerator) / mpf(fraction.denominator)


def exact_search(student, teacher, mu, nu, table):
    """A, B, C for polynomials, in rationals."""
    s, g = student.poly, teacher.poly
    s1 = s.diff()
    s2 = s1.diff()

    def mean(in_lambda, in_z):
        return sum((p * q * table[a, b] for a, p in enumerate(in_lambda.c) if p
                    for b, q in enumerate(in_z.c) if q), Fraction(0))

    one = Poly([Fraction(1)])
    A = mean(s1, g * X) - mean(s * s1, X)
    B = -mean(s1 * s1, one) + mean(s2, g) - mean(s * s2, one)
    if nu:
        C = (mean(s1 * X, g) - mu * mean(s1, g * X)
             - mean(s * s1 * X, one) + mu * mean(s * s1, X)) / nu
        if C != nu * B:
            raise SystemExit("C = nu B fails for %s, %s" % (student.name, teacher.name))
    else:
        C = Fraction(0)
    if A != mean(s1, g.diff()) + mu * B:
        raise SystemExit("A = D + mu B fails for %s, %s" % (student.name, teacher.name))
    return A, B, C


def line_search(rule, student, teacher, mu):
    """nu = 0: one-dimensional integrals.  A, B, D = E[sigma'(lambda) g'(z)]."""
    key = ("line", rule.key, mu)
    if key not in student.tables:
        student.tables[key] = student.table(rule.nodes, 2, mu)
    s, s1, s2 = student.tables[key]
    g, g1 = teacher.kept(rule)[:2]
    gap = [a - b for a, b in zip(g, s)]
    A = rule.expect(times(gap, s1), rule.fixed_nodes)
    B = rule.expect(gap, s2) - rule.expect(s1, s1)
    jump = student.jumps(1)[1]
    if jump:                            # jump * delta(mu z) (g - sigma)(0)
        B += jump * (teacher.derivatives(mpf(0), 0)[0] - student.derivatives(mpf(0), 0)[0]) \
            / (mp.sqrt(2 * mp.pi) * mu)
    return A, B, rule.expect(s1, g1)


class Plane:
    """nu > 0: two-dimensional integrals on one grid for one (mu, nu)."""

    def __init__(self, rule, mu, nu, radius):
        self.rule, self.mu, self.nu = rule, mu, nu
        self.variance = mu * mu + nu * nu
        self.density = Bivariate(rule, self.variance, mu, radius)
        self.m1 = self.density.apply(rule.one)
        self.mz = self.density.apply(rule.fixed_nodes)
        self.teachers = {}

    def teacher(self, g):
        if g.name not in self.teachers:
            v, v1 = g.kept(self.rule)[:2]
            self.teachers[g.name] = (self.density.apply(v),
                                     self.density.apply(times(v, self.rule.fixed_nodes)),
                                     self.density.apply(v1))
        return self.teachers[g.name]

    def given_zero(self, teacher):
        """E[g(z) delta(lambda)]: z given lambda = 0 has variance nu^2/Q."""
        sd = self.nu / mp.sqrt(self.variance)
        key = ("zero", self.rule.key, sd)
        if key not in teacher.tables:
            teacher.tables[key] = self.rule.expect(teacher.table(self.rule.nodes, 0, sd)[0])
        return teacher.tables[key] / mp.sqrt(2 * mp.pi * self.variance)

    def search(self, student, teacher):
        """A, B, C, D, each by its own definition."""
        s, s1, s2 = student.kept(self.rule)
        m1, mz = self.m1, self.mz
        mg, mzg, mg1 = self.teacher(teacher)
        x = self.rule.fixed_nodes
        ss1 = times(s, s1)
        from_g, from_s = dot(s1, mzg), dot(ss1, mz)
        A = from_g - from_s
        C = (dot(times(x, s1), mg) - self.mu * from_g
             - dot(times(x, ss1), m1) + self.mu * from_s) / self.nu
        B = dot(s2, mg) - dot(times(s, s2), m1) - dot(times(s1, s1), m1)
        jump = student.jumps(1)[1]
        if jump:
            B += jump * (self.given_zero(teacher) - student.derivatives(mpf(0), 0)[0]
                         / mp.sqrt(2 * mp.pi * self.variance))
        return A, B, C, dot(s1, mg1)


MATCHED = (["linear", "relu", "erf", "sigmoid", "tanh", "softplus", "gelu", "silu", "sin", "cos"]
           + ["he%d" % k for k in range(1, 21)]
           + ["he3+0.5*he5", "2*(tanh-0.1*he2)", "erf^2", "relu^2", "tanh*erf", "relu*tanh",
              "erf+0.1*he3", "linear^4-3*linear"])
MIXED = [("erf", "he3"), ("he3", "erf"), ("tanh", "erf"), ("relu", "tanh"), ("tanh", "relu"),
         ("relu", "sigmoid"), ("erf", "relu"), ("relu", "erf"), ("relu", "he2"), ("he2", "relu"),
         ("sigmoid", "silu"), ("gelu", "relu"), ("softplus", "sin"), ("he3", "he5"),
         ("he20", "he18")]
NEAR_ONE = ["erf", "tanh", "relu", "he3", "he7", "sigmoid", "gelu"]
MUS = ["0.001", "0.03", "0.3207", "0.5", "0.77", "0.95", "0.999"]
NUS = ["0", "0.3"]


def search_rules():
    """A lattice for analytic pairs, two sets of panels for pairs with a kink."""
    return (Rule.lattice(17, mpf(1) / 12), Rule.panels(17, mpf(1), 30),
            Rule.panels(17, mpf(4) / 5, 28))


def search_phase():
    worst, worst_near = Worst(), Worst()
    lattice, panels, finer = search_rules()
    pairs = [(Function(n), Function(n)) for n in MATCHED] \
        + [(Function(a), Function(b)) for a, b in MIXED]
    rows = []

    def norms(f):                       # E f(z)^2, E f'(z)^2
        if "norms" not in f.tables:
            if f.poly:
                table = moments(Fraction(1), Fraction(1), 4 + 2 * len(f.poly.c))
                square = [sum((p * table[a, 0] for a, p in enumerate((h * h).c)), Fraction(0))
                          for h in (f.poly, f.poly.diff())]
                f.tables["norms"] = tuple(rational(v) for v in square)
            else:
                t = f.kept(panels)
                f.tables["norms"] = panels.expect(t[0], t[0]), panels.expect(t[1], t[1])
                t = f.kept(finer)
                worst.compare(f.tables["norms"][1], finer.expect(t[1], t[1]), mpf(1),
                              "scale of " + f.name)
        return f.tables["norms"]

    def add(student, teacher, mu_text, nu_text, values, first, second, tracker, relative=None):
        """first: A, B, C; second: A, B, C and A by another formula."""
        where = "%s/%s mu=%s nu=%s" % (student.name, teacher.name, mu_text, nu_text)
        scale = norms(student)[1]
        unit = scale + mp.sqrt(scale * norms(teacher)[0]) + abs(first[1])
        for name, a, b in zip("ABCA", (first + first[:1]), second):
            v = tracker.compare(a, b, unit, name + " of " + where, relative)
            if name not in values:
                values[name] = v
        rows.append({"student": student.name, "teacher": teacher.name, "mu": mu_text,
                     "nu": nu_text, "A": show(values["A"]), "B": show(values["B"]),
                     "C": show(values["C"]), "scale": show(scale)})

    def line(student, teacher, mu_text, tracker, relative=None):
        mu = real(mu_text)
        if student.poly and teacher.poly:
            q = Fraction(float(mu_text))
            key = (mu_text, "0")
            if key not in tables:
                tables[key] = moments(q * q, q, 42)
            first = tuple(rational(v) for v in exact_search(student, teacher, q, Fraction(0),
                                                            tables[key]))
            A, B, D = line_search(lattice, student, teacher, mu)
        else:
            one, two = (panels, finer) if student.kinked or teacher.kinked else (lattice, panels)
            first = line_search(one, student, teacher, mu)[:2] + (mpf(0),)
            A, B, D = line_search(two, student, teacher, mu)
            worst.compare(B, (A - D) / mu, norms(student)[1] + abs(B) + abs(D) / mu,
                          "B = (A-D)/mu of %s/%s mu=%s" % (student.name, teacher.name, mu_text))
        add(student, teacher, mu_text, "0", {}, first, (A, B, mpf(0), D + mu * B), tracker,
            relative)

    tables = {}
    for mu_text in MUS:
        for student, teacher in pairs:
            line(student, teacher, mu_text, worst)
        for f in Function.cache.values():
            for key in [k for k in f.tables if k[0] == "line"]:
                del f.tables[key]
        log("search phase, nu = 0, mu = %s" % mu_text)
    for name in NEAR_ONE:
        line(Function(name), Function(name), "0.999999", worst_near, mpf(10) ** -22)
    log("search phase, near one")
    for nu_text in NUS[1:]:
        nu = real(nu_text)
        for mu_text in MUS:
            mu = real(mu_text)
            planes = {r.key: Plane(r, mu, nu, 17) for r in (lattice, panels, finer)}
            log("search phase: grids for nu = %s, mu = %s" % (nu_text, mu_text))
            a, b = Fraction(float(mu_text)), Fraction(float(nu_text))
            table = moments(a * a + b * b, a, 42)
            for student, teacher in pairs:
                if student.poly and teacher.poly:
                    first = tuple(rational(v) for v in exact_search(student, teacher, a, b, table))
                    A, B, C, D = planes[lattice.key].search(student, teacher)
                    second = A, B, C, D + mu * B
                else:
                    kinked = student.kinked or teacher.kinked
                    one, two = (panels, finer) if kinked else (lattice, panels)
                    first = planes[one.key].search(student, teacher)[:3]
                    A, B, C, D = planes[two.key].search(student, teacher)
                    second = A, C / nu, nu * B, D + mu * C / nu
                add(student, teacher, mu_text, nu_text, {}, first, second, worst)
            log("search phase, nu = %s, mu = %s" % (nu_text, mu_text))
    write("search_phase.json", rows)
    worst.report("search phase")
    worst_near.report("search phase, mu = 0.999999, relative")


# ---------------------------------------------------------------------------------------------
# Pair kernels and their derivatives
# ---------------------------------------------------------------------------------------------

# derivative of K -> (order in x, order in y, factor) of the density: K_c = int f g d^2p/dxdy,
# K_q1 = 1/2 int f g d^2p/dx^2; equally E[f^(i) g^(j)] times the factor (Price).
ENTRIES = [("K", 0, 0, 1), ("K_q1", 2, 0, 2), ("K_q2", 0, 2, 2), ("K_c", 1, 1, 1),
           ("K_q1q1", 4, 0, 4), ("K_q1q2", 2, 2, 4), ("K_q1c", 3, 1, 2), ("K_q2q2", 0, 4, 4),
           ("K_q2c", 1, 3, 2), ("K_cc", 2, 2, 1)]
PAIRS = [("erf", "erf"), ("relu", "relu"), ("he3", "he3"), ("he3", "erf"), ("tanh", "tanh"),
         ("tanh", "sigmoid"), ("silu", "gelu"), ("sin", "cos"), ("erf", "sin"), ("relu", "tanh"),
         ("relu", "erf"), ("relu", "he4"), ("relu*tanh", "relu*tanh"), ("relu^2", "relu^2"),
         ("softplus", "tanh")]
POINTS = [("1", "1", "0.5"), ("0.7", "1.3", "-0.4"), ("0.25", "1", "0.49"), ("2", "0.5", "0.3"),
          ("0.01", "1", "0.05")]
EDGES = [("0.25", "1", "0.5"), ("1", "1", "1"), ("0.64", "1", "-0.8")]
NEAR_EDGES = [("1", "1", "0.999999"), ("0.25", "1", "0.4999999"), ("0.25", "1", "0.499")]
ORIGIN = [("0", "1", "0")]


def density_polynomials(q1, q2, c):
    """{(i, j): {(a, b): coefficient}} with d^i/dx^i d^j/dy^j p = polynomial(x, y) p."""
    det = q1 * q2 - c * c
    s11, s12, s22 = q2 / det, -c / det, q1 / det

    def differentiate(poly, axis):
        out = {}

        def put(a, b, v):
            out[a, b] = out.get((a, b), mpf(0)) + v
        for (a, b), v in poly.items():
            if axis == 0:
                if a:
                    put(a - 1, b, a * v)
                put(a + 1, b, -s11 * v)
                put(a, b + 1, -s12 * v)
            else:
                if b:
                    put(a, b - 1, b * v)
                put(a + 1, b, -s12 * v)
                put(a, b + 1, -s22 * v)
        return out

    polys = {(0, 0): {(0, 0): mpf(1)}}
    for i in range(5):
        for j in range(5):
            if i:
                polys[i, j] = differentiate(polys[i - 1, j], 0)
            elif j:
                polys[i, j] = differentiate(polys[i, j - 1], 1)
    return polys


class KernelGrid:
    """One point (q1, q2, c) on one rule.  Axes are x/sqrt(q1), y/sqrt(q2)."""

    def __init__(self, rule, q1, q2, c, radius):
        self.rule, self.q1, self.q2, self.c = rule, q1, q2, c
        self.r1, self.r2 = mp.sqrt(q1), mp.sqrt(q2)
        self.density = Bivariate(rule, mpf(1), c / (self.r1 * self.r2), radius)
        self.polys = density_polynomials(q1, q2, c)
        self.tables = {}

    def table(self, f, axis):
        key = (f.name, axis)
        if key not in self.tables:
            self.tables[key] = f.table(self.rule.nodes, 4, (self.r1, self.r2)[axis])
        return self.tables[key]

    def by_density(self, f, g):
        """Derivatives act on the density: no derivative of f or g is used."""
        u, v = self.table(f, 0)[0], self.table(g, 1)[0]
        x = self.rule.fixed_nodes
        us, vs = [u], [v]
        for _ in range(4):
            us.append(times(us[-1], x))
            vs.append(times(vs[-1], x))
        ws = [self.density.apply(w) for w in vs]
        # E[x^a f y^b g]
        raw = {(a, b): dot(us[a], ws[b]) * self.r1 ** a * self.r2 ** b
               for a in range(5) for b in range(5 - a)}
        return {name: sum(v * raw[ab] for ab, v in self.polys[i, j].items()) / factor
                for name, i, j, factor in ENTRIES}

    def by_price(self, f, g):
        """E[f^(i)(X) g^(j)(Y)], derivatives as distributions: f^(i) is its piecewise value plus
        sum_k [f^(k)](0) delta^(i-1-k)."""
        u, v = self.table(f, 0), self.table(g, 1)
        ws = [self.density.apply(w) for w in v]
        ju, jv = f.jumps(3), g.jumps(3)
        p0 = 1 / (2 * mp.pi * mp.sqrt(self.q1 * self.q2 - self.c ** 2))

        def on_axis(m, jet, swap):
            """(-1)^m int h(y) d^m/dx^m p(0, y) dy; swap exchanges x and y."""
            nodes, key = self.rule.nodes, ("axis", m, swap)
            q, r = (self.q1, self.r1) if swap else (self.q2, self.r2)
            if key not in self.tables:
                conditional = (self.q2 if swap else self.q1) / (self.q1 * self.q2 - self.c ** 2)
                poly = self.polys[(0, m) if swap else (m, 0)]
                weights = []
                for t, w in zip(nodes, self.rule.weights):
                    y = r * t
                    value = sum(cf * y ** (a if swap else b) for (a, b), cf in poly.items()
                                if (b if swap else a) == 0)
                    weights.append(fixed(w * r * value * p0 * mp.exp(-conditional * y * y / 2)))
                self.tables[key] = weights
            return (-1) ** m * dot(self.tables[key], jet)

        out = {}
        for name, i, j, factor in ENTRIES:
            total = dot(u[i], ws[j])
            for k in range(i):
                if ju[k]:
                    total += ju[k] * on_axis(i - 1 - k, v[j], False)
            for k in range(j):
                if jv[k]:
                    total += jv[k] * on_axis(j - 1 - k, u[i], True)
            for k in range(i):
                for l in range(j):
                    if ju[k] and jv[l]:
                        m, n = i - 1 - k, j - 1 - l
                        total += ju[k] * jv[l] * (-1) ** (m + n) * p0 \
                            * self.polys[m, n].get((0, 0), mpf(0))
            out[name] = total / factor
        return out


def degenerate(rule, f, g, q1, q2, c, terms):
    """Smooth f, g at or close to c^2 = q1 q2, by Taylor's formula about the degenerate point.

    About q* = c^2/q2, where X = (c/q2) Y exactly, K(q* + e) = sum_k (e/2)^k/k! E[f^(2k)(X) g(Y)]
    (heat equation in q1; e may have either sign, so c^2 may pass q1 q2 by a rounding).
    """
    order = 4 + 2 * (terms - 1)
    e = q1 - c * c / q2
    r = mp.sqrt(q2)
    u = f.table(rule.nodes, order, c / r)
    v = g.table(rule.nodes, 4, r)
    return {name: sum((e / 2) ** k / factorial(k) * rule.expect(u[i + 2 * k], v[j])
                      for k in range(terms)) / factor
            for name, i, j, factor in ENTRIES}


def degenerate_other(rule, f, g, q1, q2, c, terms):
    """The same about q2* = c^2/q1, with Y = (c/q1) X (needs q1 > 0)."""
    swapped = degenerate(rule, g, f, q2, q1, c, terms)
    partner = {"K": "K", "K_q1": "K_q2", "K_q2": "K_q1", "K_c": "K_c", "K_q1q1": "K_q2q2",
               "K_q2q2": "K_q1q1", "K_q1q2": "K_q1q2", "K_q1c": "K_q2c", "K_q2c": "K_q1c",
               "K_cc": "K_cc"}
    return {name: swapped[partner[name]] for name in partner}


def at_origin(rule, f, g, q2):
    """q1 = 0, c = 0: X = 0, so E[f^(i)(X) g^(j)(Y)] = f^(i)(0) E[g^(j)(Y)]."""
    u = f.derivatives(mpf(0), 4)
    v = g.table(rule.nodes, 4, mp.sqrt(q2))
    return {name: u[i] * rule.expect(v[j]) / factor for name, i, j, factor in ENTRIES}


def relu_smooth_edge(rule, g, q1, q2, c):
    """relu against a smooth g at c^2 = q1 q2 to rounding: Y = kX, k = c/q1.

    relu' is a step, relu^(i) = delta^(i-2) for i >= 2, and
    E[delta^(m)(X) h(Y)] = (-1)^m d^m/dx^m [p(x) h(kx)] at 0.  The gap q2 - c^2/q1 (a rounding)
    is added to first order: d/dq2 = 1/2 E[f^(i) g^(j+2)].
    """
    k = c / q1
    r = mp.sqrt(q1)
    e = q2 - c * c / q1
    f = Function("relu")
    u = f.table(rule.nodes, 1, r)
    v = g.table(rule.nodes, 6, k * r)
    at0 = g.derivatives(mpf(0), 8)
    p = [1 / mp.sqrt(2 * mp.pi * q1), mpf(0), -1 / (mp.sqrt(2 * mp.pi * q1) * q1)]

    def mean(i, j):
        if i < 2:
            return rule.expect(u[i], v[j])
        m = i - 2
        return (-1) ** m * sum(comb(m, n) * p[m - n] * k ** n * at0[j + n] for n in range(m + 1))

    return {name: (mean(i, j) + e / 2 * mean(i, j + 2)) / factor for name, i, j, factor in ENTRIES}


def closed_form(f, g, q1, q2, c):
    """K of theory.md, section 4, where there is one."""
    if (f, g) == ("erf", "erf"):
        return 2 / mp.pi * mp.asin(2 * c / mp.sqrt((1 + 2 * q1) * (1 + 2 * q2)))
    if (f, g) == ("relu", "relu"):
        t = mp.acos(c / mp.sqrt(q1 * q2))
        return mp.sqrt(q1 * q2) / (2 * mp.pi) * (mp.sin(t) + (mp.pi - t) * mp.cos(t))
    if (f, g) == ("he3", "he3"):
        return 6 * c ** 3 + 9 * c * (q1 - 1) * (q2 - 1)
    if (f, g) == ("sin", "cos"):
        return mpf(0)
    return None


def relu_he4(q1, q2, c):
    """All entries of relu, he4 from the finite sum of theory.md: K = a0 b0 + 2 a2 b2 c^2
    + 24 a4 b4 c^4 with a_2j ~ q1^(1/2-j).  Also valid at c^2 = q1 q2: it checks the formulas
    with delta functions used there."""
    k = 1 / mp.sqrt(2 * mp.pi)
    terms = [(3 * k, mpf(1) / 2, 2, 0), (6 * k, -mpf(1) / 2, 1, 2), (-k, -mpf(3) / 2, 0, 4)]

    def value(d1, d2, dc):              # coefficient q1^s (q2-1)^m c^n
        total = mpf(0)
        for coefficient, s, m, n in terms:
            if m < d2 or n < dc:
                continue
            for i in range(d1):
                coefficient *= s - i
            coefficient *= factorial(m) // factorial(m - d2) * factorial(n) // factorial(n - dc)
            total += coefficient * q1 ** (s - d1) * (q2 - 1) ** (m - d2) * c ** (n - dc)
        return total

    return {"K": value(0, 0, 0), "K_q1": value(1, 0, 0), "K_q2": value(0, 1, 0),
            "K_c": value(0, 0, 1), "K_q1q1": value(2, 0, 0), "K_q1q2": value(1, 1, 0),
            "K_q1c": value(1, 0, 1), "K_q2q2": value(0, 2, 0), "K_q2c": value(0, 1, 1),
            "K_cc": value(0, 0, 2)}


def kernels():
    worst, worst_edge, closed = Worst(), Worst(), Worst()
    pairs = [(Function(a), Function(b)) for a, b in PAIRS]
    rows = []

    def put(f, g, point, first, second, tracker):
        where = "%s/%s at (%s, %s, %s)" % ((f.name, g.name) + point)
        row = {"f": f.name, "g": g.name, "q1": point[0], "q2": point[1], "c": point[2]}
        for name, _, _, _ in ENTRIES:
            if first[name] is None:
                row[name] = None
                continue
            unit = max(mpf(1), abs(first[name]))
            row[name] = show(tracker.compare(first[name], second[name], unit,
                                             "%s of %s" % (name, where)))
        rows.append(row)
        if abs(real(point[2])) ** 2 <= real(point[0]) * real(point[1]):
            value = closed_form(f.name, g.name, *(real(t) for t in point))
            if value is not None:
                closed.compare(first["K"], value, mpf(1), "closed form, " + where)
        if (f.name, g.name) == ("relu", "he4"):
            for name, value in relu_he4(*(real(t) for t in point)).items():
                closed.compare(first[name], value, max(mpf(1), abs(value)),
                               "closed form, %s of %s" % (name, where))

    for point in POINTS:
        q1, q2, c = (real(t) for t in point)
        conditional = mp.sqrt(1 - c * c / (q1 * q2))
        width = min(mpf(1), mp.floor(30 * conditional) / 10)
        radius = 15
        rules = (Rule.lattice(radius, mpf(1) / 16), Rule.panels(radius, width, 30),
                 Rule.panels(radius, width * 4 / 5, 28))
        grids = [KernelGrid(rule, q1, q2, c, radius) for rule in rules]
        log("kernels: grids at %s" % (point,))
        for f, g in pairs:
            one, two = (1, 2) if f.kinked or g.kinked else (0, 1)
            put(f, g, point, grids[one].by_density(f, g), grids[two].by_price(f, g), worst)
        log("kernels at %s" % (point,))

    lattice, panels = Rule.lattice(17, mpf(1) / 16), Rule.panels(17, mpf(3) / 4, 30)
    finer = Rule.panels(17, mpf(3) / 5, 28)
    for point in EDGES + NEAR_EDGES + ORIGIN:
        q1, q2, c = (real(t) for t in point)
        gap = abs(q1 * q2 - c * c)
        for f, g in pairs:
            if f.kinked or g.kinked:
                continue
            if q1 == 0:
                first = at_origin(lattice, f, g, q2)
                second = at_origin(panels, f, g, q2)
            else:
                terms = 3 if gap < mpf(10) ** -15 else 8 if gap < mpf(10) ** -5 else 20
                first = degenerate(lattice, f, g, q1, q2, c, terms)
                second = degenerate_other(panels, f, g, q1, q2, c, terms + 1)
            put(f, g, point, first, second, worst_edge)
        log("kernels at the edge %s" % (point,))
    for point in EDGES:
        q1, q2, c = (real(t) for t in point)
        for name in ("tanh", "erf", "he4"):
            g = Function(name)
            put(Function("relu"), g, point, relu_smooth_edge(panels, g, q1, q2, c),
                relu_smooth_edge(finer, g, q1, q2, c), worst_edge)
        if c > 0:                       # relu, relu: limits of theory.md; second derivatives are
            first = {name: None for name, _, _, _ in ENTRIES}       # not all finite
            first.update({"K": c / 2, "K_c": mpf(1) / 2, "K_q1": mpf(0), "K_q2": mpf(0)})
            u = Function("relu").table(panels.nodes, 1)
            second = dict(first)
            second["K"] = panels.expect(u[0], u[0]) * c
            second["K_c"] = panels.expect(u[1], u[1])
            put(Function("relu"), Function("relu"), point, first, second, worst_edge)
    log("kernels done")
    write("kernels.json", rows)
    worst.report("kernels")
    worst_edge.report("kernels at and near the edge")
    closed.report("kernels against the closed forms of the theory")


# ---------------------------------------------------------------------------------------------
# Taylor-Hermite coefficients
# ---------------------------------------------------------------------------------------------

COEFFICIENTS = ["erf", "relu", "tanh", "sigmoid", "gelu", "he7", "relu^2", "sin"]
VARIANCES = ["0.04", "0.5", "1", "2.25"]
TOP = 12


def coefficients():
    worst, closed = Worst(), Worst()
    lattice = Rule.lattice(18, mpf(1) / 24)
    panels, finer = Rule.panels(18, mpf(3) / 5, 32), Rule.panels(18, mpf(1) / 2, 30)
    hermite = {}
    for rule in (lattice, panels, finer):
        columns = zip(*(hermite_values(x, TOP) for x in rule.nodes))
        hermite[rule.key] = [[fixed(v) for v in column] for column in columns]
    rows = []
    for name in COEFFICIENTS:
        f = Function(name)
        jumps = f.jumps(TOP)
        for q_text in VARIANCES:
            q = real(q_text)
            r = mp.sqrt(q)
            one, two = (panels, finer) if f.kinked else (lattice, panels)
            # projection on He_n
            values = f.table(one.nodes, 0, r)[0]
            by_projection = [one.expect(values, hermite[one.key][n]) / (factorial(n) * r ** n)
                             for n in range(TOP + 1)]
            # E[f^(n)], with delta^(m) at 0: (-1)^m p^(m)(0) = (-1)^(m/2) (m-1)!! p(0)/q^(m/2)
            table = f.table(two.nodes, TOP, r)
            for n in range(TOP + 1):
                total = two.expect(table[n])
                for k in range(n):
                    m = n - 1 - k
                    if jumps[k] and m % 2 == 0:
                        total += jumps[k] * (-1) ** (m // 2) * mp.fac2(m - 1) \
                            / (mp.sqrt(2 * mp.pi * q) * q ** (m // 2))
                total /= factorial(n)
                where = "a_%d of %s, q=%s" % (n, name, q_text)
                # zero by symmetry against the scale sqrt(E f^2 / (n! q^n))
                unit = mp.sqrt(one.expect(values, values) / factorial(n)) / r ** n
                value = worst.compare(by_projection[n], total, unit, where)
                rows.append({"f": name, "q": q_text, "n": n, "a": show(value)})
                formula = closed_coefficient(name, n, q)
                if formula is not None:
                    closed.compare(value, formula, unit, "closed form, " + where)
        log("coefficients of %s" % name)
    write("coefficients.json", rows)
    worst.report("coefficients")
    closed.report("coefficients against the closed forms of the theory")


def closed_coefficient(name, n, q):
    """a_n(q) of theory.md, section 4."""
    if name == "erf":
        if n % 2 == 0:
            return mpf(0)
        j = n // 2
        return 2 * (-1) ** j * mp.fac2(2 * j - 1) \
            / (factorial(n) * mp.sqrt(2 * mp.pi) * mp.sqrt(q + mpf(1) / 2) ** n)
    if name == "relu":
        if n == 0:
            return mp.sqrt(q / (2 * mp.pi))
        if n % 2:
            return mpf(1) / 2 if n == 1 else mpf(0)
        j = n // 2
        return (-1) ** (j - 1) * mp.fac2(2 * j - 3) \
            / (factorial(n) * mp.sqrt(2 * mp.pi) * mp.sqrt(q) ** (2 * j - 1))
    if name == "he7":
        j, odd = divmod(7 - n, 2)
        if odd or j < 0:
            return mpf(0)
        return factorial(7) / (mpf(factorial(n)) * factorial(j) * 2 ** j) * (q - 1) ** j
    return None


# ---------------------------------------------------------------------------------------------
# The limit mu -> 0 (printed only; README.md quotes it)
# ---------------------------------------------------------------------------------------------

def small_mu():
    """Local exponents d log|.|/d log mu of A, D = E[sigma'(mu z) g'(z)] and mu B at nu = 0."""
    rule = Rule.panels(17, mpf(3) / 4, 30)
    print("student/teacher   k   slope of D   slope of A   A (mu=1e-4)    D              mu B")
    cases = [("erf", "erf", 1), ("erf", "he3", 3), ("tanh", "he3", 3), ("he3", "he3", 3),
             ("sigmoid", "he3", 3), ("sigmoid", "he2", 2), ("he2", "he2", 2), ("erf", "he2", 2),
             ("relu", "he2", 2), ("relu", "he3", 3), ("relu", "he4", 4), ("he3", "erf", 1),
             ("he4", "he4", 4), ("he5", "he5", 5), ("softplus", "he4", 4),
             ("linear^3", "he3", 3), ("linear^4", "he4", 4)]
    for s, g, k in cases:
        values = []
        for mu in (mpf(10) ** -4, mpf(10) ** -5):
            A, B, D = line_search(rule, Function(s), Function(g), mu)
            values.append((A, D, mu * B))
        slopes = []
        for i in (1, 0):
            a, b = abs(values[0][i]), abs(values[1][i])
            zero = a < mpf(10) ** -30 and b < mpf(10) ** -30
            slopes.append("zero" if zero else mp.nstr(mp.log10(a / b), 5))
        print("%-16s %2d   %-12s %-12s " % (s + "/" + g, k, slopes[0], slopes[1])
              + " ".join("%-14s" % (mp.nstr(v, 8) if abs(v) > mpf(10) ** -30 else "0")
                         for v in values[0]), flush=True)


def write(name, rows):
    """A JSON array with a row per line."""
    path = os.path.join(HERE, name)
    with open(path, "w", encoding="ascii") as out:
        out.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    print("%s: %d rows" % (name, len(rows)), flush=True)


TASKS = {"coefficients": coefficients, "kernels": kernels, "search": search_phase,
         "small-mu": small_mu}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(TASKS)
    for task in chosen:
        if task not in TASKS:
            sys.exit("unknown part '%s'; one of: %s" % (task, " ".join(TASKS)))
    for task in chosen:
        TASKS[task]()
    print("run time: %.0f s" % (time.time() - START))
