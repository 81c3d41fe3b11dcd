"""Every pair of thirteen activations has an escape time or an outcome. Slow.

The path of the program is in the environment variable LORADYN.
"""

import csv
import io
import math
import os
import subprocess
import unittest

LORADYN = os.environ["LORADYN"]
NAMES = "linear relu erf sigmoid tanh softplus gelu silu sin cos he2 he3 he4".split()


class Pairs(unittest.TestCase):
    def test_all_have_an_answer(self):
        answers = 0
        for teacher in NAMES:
            done = subprocess.run([LORADYN, "escape", "--student", ",".join(NAMES), "--teacher",
                                   ",".join([teacher] * len(NAMES)), "--mu", "0.5"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            lines = [line for line in io.StringIO(done.stdout) if not line.startswith("#")]
            for row in csv.DictReader(lines):
                with self.subTest(student=row["student"], teacher=teacher):
                    # Without a time the run is at rest, or known to diverge.
                    self.assertTrue(math.isfinite(float(row["t_hit"])) or
                                    row["status"] == "no-event", row)
                    answers += 1
        self.assertEqual(answers, len(NAMES) ** 2)


if __name__ == "__main__":
    unittest.main()
