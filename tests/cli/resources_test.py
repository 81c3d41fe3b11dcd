"""What no machine can do is refused before it starts, with the option that makes it so large.

The path of the program is in the environment variable LORADYN.
"""

import os
import resource
import subprocess
import tempfile
import unittest

LORADYN = os.environ["LORADYN"]
SIMULATE = ["simulate", "--student", "erf", "--mu", "0.5", "--lr", "0.01", "--dim", "1000"]
VALIDATE = ["validate", "--student", "erf", "--mu", "0.5", "--gamma", "1"]

# Too long, too large for any memory, too slow for any life.
REFUSED = {
    "rows": (["rates", "--student", "erf", "--mu", "0:1:10000", "--nu", "0:1:9000"],
             r"--mu is '0:1:10000', but must be of at most 1.11e\+03 values here: 9e\+07 rows are "
             r"asked for, and 1e\+07 are the most"),
    "rows of two activations": (
        ["escape", "--student", "erf,relu", "--mu", "0.1:0.9:10", "--nu", "0:1:9000000"],
        r"--nu is '0:1:9000000', but must be of at most 5e\+05 values here: 1.8e\+08 rows are "
        r"asked for, and 1e\+07 are the most"),
    "quantiles": (["escape", "--student", "erf", "--mu", "0:1:1000000", "--dim", "1000",
                   "--quantiles", "0.1:0.9:100001"],
                  r"--mu is '0:1:1000000', but must be of at most .* values here: 1e\+06 rows take "
                  r".* GB, and .* GB are free"),
    "record times": ([*SIMULATE, "--batch", "16", "--steps", "100000", "--points", "log:9e7"],
                     r"--points is 'log:9e7', but must be at most 1e\+07 here: 9e\+07 rows are "
                     r"asked for, and 1e\+07 are the most"),
    "runs": ([*SIMULATE, "--batch", "16", "--steps", "1000", "--runs", "4e9", "--points", "400"],
             r"--runs is '4e9', but must be at most .* here: 1.6e\+12 recorded states take "
             r"3.84e\+04 GB, and .* GB are free"),
    "samples": ([*SIMULATE, "--batch", "1e14", "--steps", "1000", "--runs", "100"],
                r"--batch is '1e14', but must be at most 1e\+11 here: 1e\+19 samples take about "
                r"1e\+20 operations, and 1e\+17 are the most"),
    "explicit samples": (
        [*SIMULATE[:-2], "--dim", "1e9", "--batch", "64", "--steps", "1e6", "--runs", "1e4",
         "--engine", "sgd"],
        r"--dim is '1e9', but must be at most .* here: 6.4e\+20 random numbers take about "
        r"1e\+21 operations, and 1e\+17 are the most"),
    "vectors": ([*SIMULATE[:-2], "--dim", "1e14", "--batch", "1", "--steps", "1", "--runs", "1",
                 "--engine", "sgd"],
                r"--dim is '1e14', but must be at most .* here: 1e\+14 numbers in a vector take "
                r".* GB, and .* GB are free"),
    "cells": (["phase", "--student", "erf", "--x", "mu=0:1:100000", "--y", "nu=0:1:1000000"],
              r"--y is 'nu=0:1:1000000', but must be of at most 1e\+04 values here: 1e\+11 cells "
              r"are asked for, and 1e\+09 are the most"),
    "ensembles": (["phase", "--student", "erf", "--x", "mu=0:1:10", "--y", "gamma=0.1:1:10",
                   "--engine", "chain", "--dim", "1000", "--runs", "1e8", "--batch", "1e9"],
                  r"--batch is '1000000000', but must be at most .* here: 1e\+17 samples take "
                  r"about 1e\+20 operations, and 1e\+17 are the most"),
    "validation": ([*VALIDATE, "--dim", "1000,3000", "--runs", "1e7", "--points", "10000"],
                   r"--runs is '1e7', but must be at most .* here: 1e\+11 recorded states take "
                   r"2.4e\+03 GB, and .* GB are free"),
    "explicit validation": (
        [*VALIDATE, "--dim", "1000,1e6", "--engine", "sgd", "--runs", "1e6"],
        r"--(dim|runs) is '.*', but must be .* random numbers take about .* operations, and "
        r"1e\+17 are the most"),
}


class Resources(unittest.TestCase):
    def refused(self, words, message, **settings):
        with tempfile.TemporaryDirectory() as path:
            done = subprocess.run([LORADYN, *words, "-o", "t.csv"], cwd=path, text=True,
                                  capture_output=True, timeout=60, check=False, **settings)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, f"^loradyn: {message}\n$")
            self.assertEqual(os.listdir(path), [])

    def test_what_cannot_be_done(self):
        for name, (words, message) in REFUSED.items():
            with self.subTest(name):
                self.refused(words, message)

    @unittest.skipIf("asan" in LORADYN, "AddressSanitizer reserves all addresses")
    def test_a_limit_of_the_process_counts(self):
        limit = 2 * 10**9
        self.refused(["trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "10", "--points",
                      "1e7"],
                     r"--points is '1e7', but must be at most .* here: 1e\+07 rows take .* GB, and "
                     r".* are free",
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))


if __name__ == "__main__":
    unittest.main()
