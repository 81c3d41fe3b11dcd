#!/usr/bin/env python3
"""The coefficients of the activation room's elementary.inc and normal_tail.inc, from mpmath.

    elementary.py polynomials    # exp and erf
    elementary.py normal_tail    # the rows of the table; clang-format breaks them
"""
import sys

from mpmath import chebyfit, erf, erfc, exp, expm1, mp, mpf, nstr, pi, sqrt

mp.dps = 60


def fit(f, a, b, degree):
    """Monomial coefficients about 0, lowest first, of the interpolant in Chebyshev nodes."""
    coefficients, error = chebyfit(f, [a, b], degree + 1, error=True)
    return coefficients[::-1], error


def text(value):
    return float(value).hex()


def exp_rest(r):
    """(e^r - 1 - r)/r^2"""
    if abs(r) < mpf("1e-8"):
        return mpf(1) / 2 + r / 6 + r * r / 24
    return (expm1(r) - r) / r**2


def erf_rest(w):
    """erf(x)/x - 1 at w = x^2"""
    if w < mpf("1e-16"):
        return 2 / sqrt(pi) * (1 - w / 3) - 1
    x = sqrt(w)
    return erf(x) / x - 1


def scaled_tail(x):
    """e^{x^2/2} Q(x)"""
    return exp(x * x / 2) * erfc(x / sqrt(mpf(2))) / 2


CELLS = 8  # of equal width from 2^k - 1 to 2^{k+1} - 1
TERMS = 12
END = 44  # cells, which reach to x = 47


def cell(i):
    width = mpf(2) ** (i // CELLS) / CELLS
    start = mpf(2) ** (i // CELLS) + (i % CELLS) * width - 1
    return start + width / 2, width / 2


def polynomials():
    half = mpf("0.3466")
    for name, f, a, b, degree in [
        ("exp", exp_rest, -half, half, 10),
        ("erf", erf_rest, mpf(0), mpf("0.4225"), 10),
    ]:
        coefficients, error = fit(f, a, b, degree)
        print(f"{name}: error {nstr(error, 3)}")
        print(",\n".join(text(c) for c in coefficients))


def normal_tail():
    worst = mpf(0)
    for i in range(END):
        centre, half = cell(i)
        coefficients, error = fit(lambda d: scaled_tail(centre + d), -half, half, TERMS - 1)
        worst = max(worst, error / scaled_tail(centre))
        low = coefficients[0] - mpf(float(coefficients[0]))
        row = [text(low)] + [text(c) for c in coefficients]
        print("{" + ", ".join(row) + "},")
    print(f"relative error {nstr(worst, 3)}", file=sys.stderr)


if __name__ == "__main__":
    {"polynomials": polynomials, "normal_tail": normal_tail}[sys.argv[1]]()
