"""τ(μ) as the paper's repository computes it: a Hermite series cut at `terms`, whose B leaves out g_0 E[σ''].

With c_k = E[σ(μz) He_k(z)], g_k = E[g(z) He_k(z)] and e = g - c:

    B = Σ_k e_k c_{k+2}/(k! μ²) - Σ_k c_k²/((k-1)! μ²),     A = Σ_k c_k g_k/((k-1)! μ) + μ B,     k <= terms,

exact for terms -> ∞ (equation (4.2) of docs/theory.md, by Stein's identity). The published curves have
B - g_0 c_2/μ² in place of B in τ, but not within A. `tau` has these sums with exact coefficients, `published_tau` with
the published ones, which are of an adaptive quadrature.
"""

import functools
import math
import warnings

import numpy as np
import scipy.integrate

SIZE = 40  # more coefficients than any published sum has terms, and than He14^2 has

_z = np.linspace(-22, 22, 8801)
_weight = (_z[1] - _z[0]) * np.exp(-_z**2 / 2) / math.sqrt(2 * math.pi)
_hermite = np.zeros((SIZE, _z.size))  # He_k/√k!
_hermite[0], _hermite[1] = 1, _z
for _k in range(1, SIZE - 1):
    _hermite[_k + 1] = (_z * _hermite[_k] - math.sqrt(_k) * _hermite[_k - 1]) / math.sqrt(_k + 1)
_factorial = np.array([float(math.factorial(k)) for k in range(SIZE)])


def activation(name):
    if name.startswith("he"):
        c = np.zeros(int(name[2:]) + 1)
        c[-1] = 1
        return lambda x: np.polynomial.hermite_e.hermeval(x, c)
    return {"linear": lambda x: x, "erf": np.vectorize(math.erf), "relu": lambda x: np.maximum(x, 0),
            "sigmoid": lambda x: 1 / (1 + np.exp(-x))}[name]


def _relu():
    c = np.zeros(SIZE)
    c[:2] = 1 / math.sqrt(2 * math.pi), 0.5
    for j in range(1, SIZE // 2):
        c[2 * j] = (-1) ** (j - 1) * math.prod(range(1, 2 * j - 2, 2)) / math.sqrt(2 * math.pi)
    return c


def coefficients(name, scale):
    """E[f(scale z) He_k(z)]. The trapezoidal sum is exact to rounding for what is smooth; ReLU and its square, homogeneous,
    have them in closed form."""
    base, squared = name.removesuffix("^2"), name.endswith("^2")
    if base == "relu":
        c = _relu()
        if squared:  # (relu²)' = 2 relu: the next coefficient of a derivative
            c = np.concatenate([[0.5], 2 * c[:-1]])
        return scale ** (2 if squared else 1) * c
    f = activation(base)
    values = f(scale * _z)
    return (_hermite @ (_weight * (values**2 if squared else values))) * np.sqrt(_factorial)


def tau(student, teacher, mu, terms, unit=1.0, leave_out=True):
    """τ by the series of `terms`, with its k = 0 term or without; unit is E[σ'(z)²] or 1."""
    c, g = coefficients(student, mu), coefficients(teacher, 1.0)
    k = np.arange(terms + 1)
    squares = sum(c[j] ** 2 / _factorial[j - 1] for j in k[1:]) / mu**2
    products = np.array([(g[j] - c[j]) * c[j + 2] / _factorial[j] for j in k]) / mu**2
    full = products.sum() - squares
    a = (sum(c[j] * g[j] / _factorial[j - 1] for j in k[1:]) / mu + mu * full) / unit
    b = (full - (g[0] * c[2] / mu**2 if leave_out else 0)) / unit
    # Of the two forms the one without a cancellation.
    root = math.sqrt(b * b + 4 * a * a)
    return 2 / (b + root) if b > 0 else (root - b) / (2 * a * a)


def _mean(f):
    """E[f(z)] by QUADPACK, which stops at an error of 1e-10: the published quadrature, and its tolerances."""
    norm = 1 / math.sqrt(2 * math.pi)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return scipy.integrate.quad(lambda z: f(z) * np.exp(-0.5 * z * z) * norm, -np.inf, np.inf, limit=200,
                                    epsabs=1e-10, epsrel=1e-10)[0]


def _hermite_at(k, x):
    before, value = 0.0, 1.0
    for j in range(k):
        before, value = value, x * value - j * before
    return value


def _logistic(x):
    return 1 / (1 + np.exp(-x))


def _with_slope(name):
    if name.startswith("he"):
        k = int(name[2:])
        return lambda x: _hermite_at(k, x), lambda x: k * _hermite_at(k - 1, x)
    return {"linear": (lambda x: x, lambda x: 1.0), "relu": (lambda x: max(x, 0.0), lambda x: float(x > 0)),
            "erf": (math.erf, lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x)),
            "sigmoid": (_logistic, lambda x: _logistic(x) * (1 - _logistic(x)))}[name]


@functools.cache
def _teacher(name, k):
    value = _with_slope(name.removesuffix("^2"))[0]
    power = 2 if name.endswith("^2") else 1
    return _mean(lambda z: _hermite_at(k, z) * value(z) ** power)


def published_tau(student, teacher, mu, terms, unit=1.0):
    """τ with the published quadrature. It averages μ^k He_k(z) σ(μz) and μ^{k+1} z He_k(z) σ'(μz), which are of the size
    of μ^{2k}, so that an error of 1e-10 is large beside them, and divides them by μ^{2k+2}."""
    value, slope = _with_slope(student)
    a = b = 0.0
    for k in range(terms + 1):
        g, power, factorial = _teacher(teacher, k), mu**k, math.factorial(k)
        c = _mean(lambda z: power * _hermite_at(k, z) * value(mu * z))
        bar = _mean(lambda z: mu * z * (power * _hermite_at(k, z)) * slope(mu * z))
        a += bar / (factorial * mu * power) * (g - c / power)
        b -= bar * c / (factorial * (mu * power) ** 2)
        if k:
            b -= g * (k * c - bar) / (factorial * mu**2 * power)
    a, b = a / unit, b / unit
    return (math.sqrt(b * b + 4 * a * a) - b) / (2 * a * a)
