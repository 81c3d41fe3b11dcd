"""How accurate the library is, against references that share nothing with it: writes the tables of docs/accuracy.md.

tests/run.sh --long runs it with --check: the exit code is 1 where an error is larger than the bound of its kind. Needs
mpmath and NumPy, and the module loradyn on PYTHONPATH.
"""

import argparse
import json
import math
import pathlib
import sys

import mpmath as mp
import numpy as np

import loradyn as ld

DOCS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS / "tools"))

import drawing  # noqa: E402
from page import fill, table  # noqa: E402

mp.mp.dps = 40
WIDE = np.longdouble

# |w| and the cosine of its angle to w*. The squares of |w| are doubles, so that cosine 1 is the degenerate pair itself.
RADII = [1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1, 5 / 4, 3 / 2, 2, 5 / 2, 3]
COSINES = [-0.98, -0.9, -0.75, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.75, 0.9, 0.98, 1.0]

# ------------------------------------------------------------------------------------ kernels in closed form


def polynomial(k):
    """He_k × He_k: K = Σ n! a_n(q1) a_n(q2) c^n, a_n(q) = k!/(n! j! 2^j) (q-1)^j for n = k - 2j, in 40 digits."""

    def a(n, q):
        if n > k or (k - n) % 2:
            return mp.mpf(0)
        j = (k - n) // 2
        return mp.factorial(k) / (mp.factorial(n) * mp.factorial(j) * 2**j) * (q - 1) ** j

    def kernel(q1, q2, c):
        value = by_q1 = by_c = mp.mpf(0)
        for n in range(k + 1):
            b = mp.factorial(n) * a(n, q2)
            value += a(n, q1) * b * c**n
            by_q1 += (n + 2) * (n + 1) * a(n + 2, q1) / 2 * b * c**n
            by_c += n * a(n, q1) * b * c ** (n - 1) if n else 0
        return value, by_q1, by_c

    def sizes(q):
        derivatives = [sum(mp.factorial(n) * (mp.ff(n + i, i) * a(n + i, q)) ** 2 * q**n for n in range(k + 1))
                       for i in range(3)]
        return [mp.sqrt(d) for d in derivatives]

    return kernel, sizes


def erf_pair():
    def kernel(q1, q2, c):
        product = (1 + 2 * q1) * (1 + 2 * q2)
        s = 2 * c / mp.sqrt(product)
        slope = 2 / mp.pi / mp.sqrt(1 - s * s)
        return 2 / mp.pi * mp.asin(s), -slope * s / (1 + 2 * q1), slope * 2 / mp.sqrt(product)

    def sizes(q):
        second = mp.quad(lambda z: (4 * mp.sqrt(q) * z / mp.sqrt(mp.pi) * mp.exp(-q * z * z)) ** 2 * mp.npdf(z), [-12, 0, 12])
        return [mp.sqrt(2 / mp.pi * mp.asin(2 * q / (1 + 2 * q))), mp.sqrt(4 / mp.pi / mp.sqrt(1 + 4 * q)), mp.sqrt(second)]

    return kernel, sizes


def relu_parts(q1, q2, c):
    gap = max(q1 * q2 - c * c, mp.mpf(0))
    angle = mp.atan2(mp.sqrt(gap), c)
    value = (mp.sqrt(gap) + (mp.pi - angle) * c) / (2 * mp.pi)
    return value, mp.sqrt(gap) / q1 / (4 * mp.pi), (mp.pi - angle) / (2 * mp.pi), angle, gap


def relu_sum(a, b):
    """a relu(x) + b x. A second derivative is a δ; its part is measured by that of the first."""

    def kernel(q1, q2, c):
        value, by_q1, by_c, _, _ = relu_parts(q1, q2, c)
        return a * a * value + a * b * c + b * b * c, a * a * by_q1, a * a * by_c + a * b + b * b

    def sizes(q):
        first = mp.sqrt(a * a / 2 + a * b + b * b)
        return [mp.sqrt(q) * first, first, first]

    return kernel, sizes


def relu_square():
    def kernel(q1, q2, c):
        relu, _, _, angle, gap = relu_parts(q1, q2, c)
        sine, cosine = mp.sqrt(gap / (q1 * q2)), c / mp.sqrt(q1 * q2)
        value = q1 * q2 * (3 * sine * cosine + (mp.pi - angle) * (1 + 2 * cosine**2)) / (2 * mp.pi)
        return value, q2 * (mp.pi - angle + sine * cosine) / (2 * mp.pi), 4 * relu

    return kernel, lambda q: [mp.sqrt(1.5) * q, mp.sqrt(2 * q), mp.sqrt(2)]


CLOSED = {**{f"he{k}": polynomial(k) for k in (1, 2, 3, 6, 10, 20)}, "erf": erf_pair(), "relu": relu_sum(1, 0),
          "abs": relu_sum(2, -1), "max(x,0.1*x)": relu_sum(1 - mp.mpf(0.1), mp.mpf(0.1)), "relu^2": relu_square()}

# -------------------------------------------------------------------------------------------- smooth kernels


def _sigmoid(x):
    s = 1 / (1 + mp.exp(-x))
    return s, s * (1 - s), s * (1 - s) * (1 - 2 * s)


def _tanh(x):
    t = mp.tanh(x)
    return t, 1 - t * t, -2 * t * (1 - t * t)


def _softplus(x):
    s, first, _ = _sigmoid(x)
    return mp.log1p(mp.exp(-x)) + x if x > 0 else mp.log1p(mp.exp(x)), s, first


def _gelu(x):
    return x * mp.ncdf(x), mp.ncdf(x) + x * mp.npdf(x), (2 - x * x) * mp.npdf(x)


def _silu(x):
    s, first, second = _sigmoid(x)
    return x * s, s + x * first, 2 * first + x * second


SMOOTH = {"tanh": _tanh, "sigmoid": _sigmoid, "softplus": _softplus, "gelu": _gelu, "silu": _silu,
          "sin": lambda x: (mp.sin(x), mp.cos(x), -mp.sin(x)), "cos": lambda x: (mp.cos(x), -mp.sin(x), -mp.cos(x))}

_z = np.arange(-1024, 1025, dtype=WIDE) / 64  # the trapezoidal sum is exact to rounding at this step
_root = np.exp(-_z * _z / 4) / (2 * WIDE(np.pi)) ** WIDE(0.25)
TERMS = 800


def _hermite():
    """Normalised He_k times the root of the weight, so that nothing overflows."""
    h = np.zeros((TERMS, _z.size), dtype=WIDE)
    h[0], h[1] = _root, _z * _root
    for k in range(1, TERMS - 1):
        h[k + 1] = (_z * h[k] - np.sqrt(WIDE(k)) * h[k - 1]) / np.sqrt(WIDE(k + 1))
    return h


class SmoothPair:
    """E[f(X) g(Y)] of 30-digit values by Mehler's series in 64-bit mantissas; on the edge the integral itself."""

    hermite = None

    def __init__(self, f):
        if SmoothPair.hermite is None:
            SmoothPair.hermite = _hermite()
        self.f, self.kept = f, {}

    def at(self, q):
        if q not in self.kept:
            root = mp.sqrt(q)
            with mp.workdps(25):
                values = [[mp.nstr(v, 22) for v in self.f(root * mp.mpf(float(z)))] for z in _z]
            values = np.array(values, dtype=WIDE).T * _root / 64
            self.kept[q] = values, values @ self.hermite.T
        return self.kept[q]

    def kernel(self, q1, q2, c):
        (v1, a), (v2, b) = self.at(q1), self.at(q2)
        if c * c == q1 * q2:
            # Y = c/q1 X: at cosine 1 and q2 = 1 both are the same variable.
            return tuple((v1[i] * v2[j]).sum() * 64 * scale for i, j, scale in ((0, 0, 1), (2, 0, 0.5), (1, 1, 1)))
        powers = (WIDE(c) / np.sqrt(WIDE(q1) * WIDE(q2))) ** np.arange(TERMS)
        return tuple((powers * a[i] * b[j]).sum() * scale for i, j, scale in ((0, 0, 1), (2, 0, WIDE(0.5)), (1, 1, 1)))

    def sizes(self, q):
        return [np.sqrt((v * v).sum() * 64) for v in self.at(q)[0]]


def kernel_errors(name):
    """Worst errors of K, ∂K/∂q1 and ∂K/∂c over |w| and the angle, each over the sizes of what it averages."""
    if name in CLOSED:
        kernel, sizes = CLOSED[name]
        number = mp.mpf
    else:
        pair = SmoothPair(SMOOTH[name])
        kernel, sizes, number = pair.kernel, pair.sizes, float
    ours = ld.PairKernel(name)
    errors = np.zeros((3, len(COSINES), len(RADII)))
    f2 = sizes(number(1.0))
    for j, radius in enumerate(RADII):
        f1 = sizes(number(radius * radius))
        scale = [f1[0] * f2[0], (f1[2] * f2[0] + f1[1] * f2[1]) / 2, f1[1] * f2[1]]
        for i, cosine in enumerate(COSINES):
            q1, c = radius * radius, radius * cosine
            exact = kernel(number(q1), number(1.0), number(c))
            value, gradient = ours.value(q1, 1.0, c), ours.gradient(q1, 1.0, c)
            for n, got in enumerate((value, gradient[0], gradient[2])):
                errors[n, i, j] = abs(float((type(exact[n])(float(got)) - exact[n]) / scale[n]))
    return errors


# ------------------------------------------------------------------------------------------------ the noise moment

FEWER = RADII[1::2], COSINES[::2]
_double = np.vectorize(math.erf, otypes=[float])


def _wide_sigmoid(x):
    s = 1 / (1 + np.exp(-x))
    return s, s * (1 - s)


def _wide_gelu(x):
    cdf, pdf = (1 + _double((x / np.sqrt(WIDE(2))).astype(float))) / 2, np.exp(-x * x / 2) / np.sqrt(2 * WIDE(np.pi))
    return x * cdf, cdf + x * pdf


def _wide_silu(x):
    s, slope = _wide_sigmoid(x)
    return x * s, s + x * slope


def _wide_hermite(k):
    def both(x):
        before, value = np.zeros_like(x), np.ones_like(x)
        for n in range(k):
            before, value = value, x * value - n * before
        return value, k * before

    return both


# Activations and their slopes in 64-bit mantissas; erf has 53.
WIDE_SMOOTH = {"tanh": lambda x: (np.tanh(x), 1 - np.tanh(x) ** 2), "sigmoid": _wide_sigmoid, "gelu": _wide_gelu, "silu": _wide_silu,
               "softplus": lambda x: (np.maximum(x, 0) + np.log1p(np.exp(-abs(x))), _wide_sigmoid(x)[0]),
               "sin": lambda x: (np.sin(x), np.cos(x)), "cos": lambda x: (np.cos(x), -np.sin(x)),
               "erf": lambda x: (_double(x.astype(float)).astype(WIDE), 2 / np.sqrt(WIDE(np.pi)) * np.exp(-x * x)),
               **{f"he{k}": _wide_hermite(k) for k in (1, 2, 3, 6, 10, 20)}}


def noise_on_grid(name, radius, cosine):
    """V = E[(σ(λ) - σ(λ*))² σ'(λ)²] and E[(|σ(λ)| + |σ(λ*)|)² σ'(λ)²] by the trapezoidal sum over the plane."""
    step = WIDE(1) / (8 if name.startswith("he") else 16)
    reach = 24 if name.startswith("he") else 12
    z = np.arange(-int(reach / step), int(reach / step) + 1, dtype=WIDE) * step
    weight = np.exp(-z * z / 2) * step / np.sqrt(2 * WIDE(np.pi))
    cosine = WIDE(cosine)
    field = WIDE(radius) * (cosine * z[:, None] + np.sqrt(1 - cosine * cosine) * z[None, :])
    value, slope = WIDE_SMOOTH[name](field)
    label = WIDE_SMOOTH[name](z)[0][:, None]
    return tuple(weight @ (part**2 * slope**2) @ weight for part in (value - label, abs(value) + abs(label)))


# (σ, σ', degree) on a ray: homogeneous, so that a radius is integrated exactly and the angle over smooth pieces.
HOMOGENEOUS = {"relu": (lambda x: max(x, 0), lambda x: mp.mpf(x > 0), 1),
               "abs": (abs, mp.sign, 1),
               "max(x,0.1*x)": (lambda x: max(x, mp.mpf(0.1) * x), lambda x: mp.mpf(1) if x > 0 else mp.mpf(0.1), 1),
               "relu^2": (lambda x: max(x, 0) ** 2, lambda x: 2 * max(x, 0), 2)}


def noise_by_angle(name, radius, cosine):
    f, slope, degree = HOMOGENEOUS[name]
    power = 2 * degree + 2 * (degree - 1)
    moment = mp.mpf(2) ** (power // 2) * mp.factorial(power // 2)  # E ρ^power of two normals
    turn = mp.acos(mp.mpf(cosine))
    breaks = sorted({mp.mpf(0), 2 * mp.pi, mp.pi / 2, 3 * mp.pi / 2, *((turn + q * mp.pi / 2) % (2 * mp.pi) for q in (1, 3))})

    def mean(part):
        def integrand(angle):
            field, label = radius * mp.cos(angle - turn), mp.cos(angle)
            return part(f(field), f(label)) ** 2 * slope(field) ** 2

        return moment * mp.quad(integrand, breaks) / (2 * mp.pi)

    return mean(lambda a, b: a - b), mean(lambda a, b: abs(a) + abs(b))


def noise_errors(name):
    """Worst error of V over |w| and the angle, over the size of what it averages, and where. V is read off the flow, at
    a γ beside which the rest of it is nothing."""
    gamma, worst = 1e25, (0.0, 0.0, 0.0)
    flow = ld.Flow(name, mu=0.0, gamma=gamma)
    for radius in FEWER[0]:
        for cosine in FEWER[1]:
            m, s = cosine, math.sqrt((1 - cosine) * (1 + cosine))
            at = 1 if abs(m) > abs(s) else 2
            got = -2 * float(flow.velocity([radius, m, s])[at]) / (gamma * radius**2 * (m, s)[at - 1])
            exact, size = (noise_by_angle if name in HOMOGENEOUS else noise_on_grid)(name, radius, cosine)
            worst = max(worst, (abs(float((type(exact)(got) - exact) / size)), radius, cosine))
    return worst


# --------------------------------------------------------------------------------------- search, rest and times


def search_errors():
    rows = {}
    values = json.loads((DOCS.parent / "tests/reference/search_phase.json").read_text(encoding="utf-8"))
    for v in values:
        r = ld.rates(v["student"], v["teacher"], mu=float(v["mu"]), nu=float(v["nu"]))
        scale = float(v["scale"])
        worst = [abs(float(mp.mpf(float(got)) - mp.mpf(v[n]))) / scale for n, got in (("A", r.A), ("B", r.B), ("C", r.C))]
        rows.setdefault(v["student"], []).append(worst)
    return {name: (len(worst), np.max(worst, axis=0)) for name, worst in rows.items()}


def eigenvalue_error(name):
    """At the target of a matched pair, ν = γ = 0: -E[z²σ'²], -(1-μ)²E[σ'²] and twice the last."""
    if name in CLOSED:
        slope = sp_derivative(name)
        plain = mp.quad(lambda z: slope(z) ** 2 * mp.npdf(z), [-14, 0, 14])
        tilted = mp.quad(lambda z: (z * slope(z)) ** 2 * mp.npdf(z), [-14, 0, 14])
    else:
        plain, tilted = (mp.quad(lambda z, p=p: (z**p * SMOOTH[name](z)[1]) ** 2 * mp.npdf(z), [-14, -4, 0, 4, 14])
                         for p in (0, 1))
    worst = 0.0
    for mu in (0.3, 0.5, 0.8):
        rest = (1 - mp.mpf(mu)) ** 2 * plain
        exact = sorted([-tilted, -rest, -2 * rest], reverse=True)
        f = ld.fixed_points(name, mu=mu)
        at = int(np.argmin(np.abs(f.M - 1) + np.abs(f.Q - 1)))
        got = sorted((float(f[e][at]) for e in ("eig1", "eig2", "eig3")), reverse=True)
        worst = max(worst, *(abs(float((g - e) / e)) for g, e in zip(got, exact)))
    return worst


def sp_derivative(name):
    if name.startswith("he"):
        k = int(name[2:])
        c = [mp.mpf(0)] * k
        c[-1] = mp.mpf(k)

        def slope(z):
            a, b = mp.mpf(1), z
            for n in range(1, k):
                a, b = b, z * b - n * a
            return k * a

        return slope
    return {"erf": lambda z: 2 / mp.sqrt(mp.pi) * mp.exp(-z * z), "relu": lambda z: mp.mpf(z > 0),
            "abs": lambda z: mp.sign(z), "max(x,0.1*x)": lambda z: mp.mpf(1) if z > 0 else mp.mpf(0.1),
            "relu^2": lambda z: 2 * max(z, mp.mpf(0))}[name]


def velocity_of(name, mu):
    """The flow of a matched, aligned pair without noise, in mpmath."""
    kernel = CLOSED[name][0]

    def velocity(u, m):
        p = mu * m
        q, big = mu**2 + 2 * u * p + u * u, mu + u * m
        gap = u * u * (1 - m * m)
        if name == "relu":
            angle = mp.atan2(mp.sqrt(gap), big)
            r_m, r_q = -(mp.pi - angle) / (2 * mp.pi), mp.mpf(0.5) - mp.sqrt(gap) / q / (2 * mp.pi)
        else:
            _, cross_q, cross_c = kernel(q, mp.mpf(1), big)
            _, own_q, own_c = kernel(q, q, q)
            r_m, r_q = -cross_c, 2 * own_q + own_c - 2 * cross_q
        return -(r_m * m + r_q * (p + u)), -u * (r_m * (1 - m * m) + r_q * (mu - m * p))

    return velocity


def extrapolated(velocity, state, h):
    """A step of Gragg's rule with 2, 4, … 20 parts, extrapolated in their squares, and its difference to one column less."""
    rows = []
    for n in range(1, 11):
        small = h / (2 * n)
        before = state
        now = tuple(x + small * v for x, v in zip(state, velocity(*state)))
        for _ in range(2 * n - 1):
            k = velocity(*now)
            before, now = now, tuple(x + 2 * small * v for x, v in zip(before, k))
        k = velocity(*now)
        rows.append([tuple((a + b + small * v) / 2 for a, b, v in zip(before, now, k))])
        for j in range(1, n):
            ratio = (mp.mpf(n) / (n - j)) ** 2 - 1
            rows[-1].append(tuple(a + (a - b) / ratio for a, b in zip(rows[-1][-1], rows[-2][j - 1])))
    return rows[-1][-1], max(abs(a - b) for a, b in zip(rows[-1][-1], rows[-1][-2]))


def hitting_time(name, mu):
    """When m passes 1/2 from u = 1e-6, m = 0.03, in 30 digits; and how much a looser tolerance changes it."""
    velocity = velocity_of(name, mp.mpf(mu))
    found = []
    for tolerance in (1e-16, 1e-19):
        t, state, h = mp.mpf(0), (mp.mpf(1e-6), mp.mpf(0.03)), mp.mpf(0.05)
        while True:
            after, error = extrapolated(velocity, state, h)
            # Beyond what is defined the kernels are complex: the step is too long.
            if any(isinstance(x, mp.mpc) for x in after) or error > tolerance:
                h /= 2
            elif after[1] >= 0.5:
                break
            else:
                t, state, h = t + h, after, h * 1.5
        # Newton's method on the length of the last step.
        part = h * (mp.mpf(0.5) - state[1]) / (after[1] - state[1])
        for _ in range(7):
            after, _ = extrapolated(velocity, state, part)
            part -= (after[1] - mp.mpf(0.5)) / velocity(*after)[1]
        found.append(t + part)
    return found[1], abs(float((found[0] - found[1]) / found[1]))


TIMES = {"he1": (0.2, 0.5, 0.9), "he2": (0.2, 0.5, 0.9), "he3": (0.4, 0.6, 0.9), "he6": (0.2, 0.5, 0.9),
         "erf": (0.2, 0.5, 0.9), "relu": (0.2, 0.5, 0.9)}

# Bounds that --check holds each kind to.
BOUNDS = {"kernels in closed form": 1e-14, "smooth kernels": 1e-14, "A, B, C": 1.3e-13, "eigenvalues": 1e-12,
          "times": 1e-9, "noise moment": 1e-12}


def number(value):
    return f"{value:.1e}" if value else "0"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the bounds")
    options = parser.parse_args()
    worst, rows, maps = {}, [], []

    def note(kind, value):
        worst[kind] = max(worst.get(kind, 0.0), value)

    names = [*CLOSED, *SMOOTH]
    for name in names:
        errors = kernel_errors(name)
        eigenvalues = eigenvalue_error(name)
        note("kernels in closed form" if name in CLOSED else "smooth kernels", errors.max())
        note("eigenvalues", eigenvalues)
        cosine, radius = np.unravel_index(errors.max(axis=0).argmax(), errors.shape[1:])
        rows.append((f"`{name}`", *map(number, errors.max(axis=(1, 2))), f"{RADII[radius]:g}, {COSINES[cosine]:g}",
                     number(eigenvalues)))
        maps.append(errors.max(axis=0))
    noise = []
    for name in names:
        error, radius, cosine = noise_errors(name)
        note("noise moment", error)
        noise.append((f"`{name}`", number(error), f"{radius:g}, {cosine:g}"))
    search = [(f"`{n}`", count, *map(number, e)) for n, (count, e) in search_errors().items()]
    note("A, B, C", max(e.max() for _, e in search_errors().values()))
    times = []
    for name, alignments in TIMES.items():
        for mu in alignments:
            with mp.workdps(30):
                exact, own = hitting_time(name, mu)
            got = float(ld.escape(name, mu=mu).t_hit)
            error = abs(float((mp.mpf(got) - exact) / exact))
            note("times", error)
            times.append((f"`{name}`", mu, mp.nstr(exact, 16), number(error), number(own)))
    late = [f"{kind}: {value:.2g}, bound {BOUNDS[kind]:g}" for kind, value in worst.items() if not value <= BOUNDS[kind]]
    print("\n".join(late) if late else "every error is within its bound", file=sys.stderr)
    if options.check:
        return 1 if late else 0
    blocks = {
        "summary": table(("what", "worst error", "bound of the check"),
                         [(kind, number(value), f"{BOUNDS[kind]:g}") for kind, value in worst.items()]),
        "kernels": table(("activation", "K", "∂K/∂q1", "∂K/∂c", "worst at \\|w\\|, cosine", "eigenvalues"), rows),
        "noise": table(("activation", "V", "worst at \\|w\\|, cosine"), noise),
        "search": table(("student", "points", "A", "B", "C"), search),
        "times": table(("student", "μ", "time of m = ½", "error", "of the reference"), times),
    }
    fill(DOCS / "accuracy.md", blocks)
    panels = []
    for title, chosen in (("polynomials, erf, relu", range(len(CLOSED))), ("smooth", range(len(CLOSED), len(names)))):
        values = np.max([maps[i] for i in chosen], axis=0)
        panels.append(drawing.Map(f"{title}: log_{{10}} of the worst error", "|w|", "cosine", RADII, COSINES,
                                  np.log10(np.maximum(values, 1e-18)), (-17, -12)))
    drawing.draw(DOCS / "figures" / "accuracy.svg", panels)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
