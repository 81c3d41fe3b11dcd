"""The errors of a network's noise that docs/networks.md tells, as the program tells them with its tables.

The path of the program is in the environment variable LORADYN. Errors are compared to a factor of two, since the
points' are of no more digits. `noise_table_test.py --write` writes the table into the page instead.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "tools"))

from page import fill, table  # noqa: E402

PAGE = ROOT / "docs" / "networks.md"
# K and k, whose fields span K + k dimensions.
SIZES = ((2, 1), (2, 2), (3, 2), (3, 3), (4, 4))
PAIRS = ("erf", "he3", "relu", "sigmoid", "softplus", "gelu", "silu", "tanh", "sin", "relu^2", "erf,relu", "tanh,relu")


def told(pair, width, targets):
    """The method and the error beside the trace, in the middle of training."""
    student, _, teacher = pair.partition(",")
    p = subprocess.run(
        [os.environ["LORADYN"], "trajectory", "--student", student, "--teacher", teacher or student, "--mu", "0.7", "--nu",
         "0.3", "--width", str(width), "--teacher-width", str(targets), "--u0", "0.3", "--rank", "2", "--readout", "mean",
         "--gamma", "1", "--t-end", "1e-9", "--points", "2"], capture_output=True, text=True, timeout=300, check=True)
    method = re.search("^# noise method: (.*)$", p.stdout, re.M).group(1)
    return method, float(re.search("^# noise error: (.*) of the trace$", p.stdout, re.M).group(1))


def rows():
    for pair in PAIRS:
        cells = [told(pair, *size) for size in SIZES]
        methods = []
        for method, _ in cells:
            if method not in methods:
                methods.append(method)
        yield [f"`{pair.replace(',', '`, teacher `')}`", ", ".join(methods), *(f"{error:.0e}" if error > 0 else "rounding" for _, error in cells)]


def cells_of(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.strip().splitlines()]


class Noise(unittest.TestCase):
    def test_the_table_of_the_page(self):
        filled = re.search("<!-- noise -->\n(.*?)<!-- end of noise -->", PAGE.read_text(encoding="utf-8"), re.S)
        page = cells_of(filled.group(1))[2:]
        found = list(rows())
        self.assertEqual([row[:2] for row in page], [row[:2] for row in found])
        for told_there, told_now in zip(page, found):
            for a, b in zip(told_there[2:], told_now[2:]):
                self.assertTrue(a == b or 0.5 <= float(a) / float(b) <= 2, (told_there, told_now))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        head = ["pair", "method", *(f"K, k = {width}, {targets}" for width, targets in SIZES)]
        fill(PAGE, {"noise": table(head, list(rows()))})
    else:
        unittest.main()
