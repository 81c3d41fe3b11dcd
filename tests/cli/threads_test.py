"""What several threads share: pairs' tables, a store, a pipeline of rows, a flag that a signal sets. The answers are those of
one thread, byte for byte; under ThreadSanitizer (`ctest --preset tsan`) nothing else is read while it is written.

The path of the program is in the environment variable LORADYN.
"""

import os
import signal
import subprocess
import time
import unittest

import support

LORADYN = os.environ["LORADYN"]
SLOW = 600.0  # seconds: more than any of these takes under a sanitizer on a busy machine

# Pairs without closed forms, whose tables the threads fill together; the law; networks; ensembles in cells.
QUESTIONS = {
    "rates": ["rates", "--student", "erf,relu*tanh", "--mu", "0.1:0.9:40", "--nu", "0,0.3"],
    "a map of a product": ["phase", "--student", "erf*relu", "--x", "mu=0.2:0.8:4", "--y", "nu=0:0.3:2"],
    "a refined map of a family": ["phase", "--student", "he3+{a}*he5", "--x", "mu=0.2:0.8:4", "--y", "a=-0.3:0.3:3",
                                  "--refine", "1"],
    "a map with ensembles": ["phase", "--student", "erf", "--x", "mu=0.3:0.7:2", "--y", "gamma=0.5,1", "--dim", "100",
                             "--engine", "chain", "--runs", "8"],
    "a map of networks": ["phase", "--student", "erf", "--width", "2", "--x", "mu=0.3:0.7:3", "--y", "rank=1,2"],
    "escapes with the law": ["escape", "--student", "erf*sin", "--mu", "0.3:0.7:6", "--gamma", "0.1", "--dim", "1000"],
    "trajectories": ["trajectory", "--student", "tanh*relu", "--mu", "0.3:0.7:4", "--t-end", "5", "--points", "5"],
    "fixed points": ["fixed-points", "--student", "erf", "--mu", "0.3:0.7:4"],
    "a budget": ["budget", "--student", "erf", "--rho", "0.9", "--t-pre", "0:10:6"],
    "a simulation of overlaps": ["simulate", "--student", "erf", "--mu", "0.5", "--dim", "200", "--batch", "10", "--lr",
                                 "0.05", "--steps", "200", "--runs", "12"],
    "a simulation in all dimensions": ["simulate", "--student", "relu", "--mu", "0.5", "--dim", "40", "--batch", "10", "--lr",
                                       "0.05", "--steps", "100", "--runs", "12", "--engine", "sgd", "--event", "m"],
    "a simulation of networks": ["simulate", "--student", "erf", "--mu", "0.5", "--width", "2", "--dim", "100", "--batch",
                                 "10", "--lr", "0.05", "--steps", "100", "--runs", "6"],
    "a validation": ["validate", "--student", "erf", "--mu", "0.5", "--gamma", "1", "--dim", "100,300", "--runs", "40"],
}


def run(*words, **more):
    return subprocess.run([LORADYN, *words], capture_output=True, text=True, timeout=SLOW, check=False, **more)


def rows(done):
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


class Threads(support.InTemporaryDirectory):
    maxDiff = None

    def test_answers_are_those_of_one(self):
        for name, words in QUESTIONS.items():
            with self.subTest(name):
                one = run(*words, "--threads", "1")
                several = run(*words, "--threads", "4", "--progress")
                self.assertIn(one.returncode, (0, 1), one.stderr)
                self.assertEqual(several.returncode, one.returncode, several.stderr)
                self.assertNotIn("ThreadSanitizer", one.stderr + several.stderr)
                self.assertGreater(len(rows(one)), 1)
                self.assertEqual(rows(several), rows(one))

    def test_a_store_that_two_share_has_the_rows_of_one(self):
        words = ["phase", "--student", "tanh*relu", "--x", "mu=0.2:0.8:6", "--y", "nu=0:0.3:2", "--threads", "3", "-q"]
        several = [subprocess.Popen([LORADYN, *words, "--store", "cells.sqlite"], cwd=self.path, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        for process in several:
            _, said = process.communicate(timeout=SLOW)
            self.assertEqual(process.returncode, 0, said)
            self.assertNotIn("ThreadSanitizer", said)
        self.assertEqual(rows(run("export", "cells.sqlite", cwd=self.path)), rows(run(*words)))

    def test_an_interruption_is_heard_by_all(self):
        for name, words in {
                "a sweep": ["escape", "--student", "erf*relu", "--mu", "0.1:0.9:10000"],
                "a map": ["phase", "--student", "tanh*relu", "--x", "mu=0.1:0.9:300", "--y", "nu=0:0.5:300", "--store", "s"],
                "an ensemble": ["simulate", "--student", "relu", "--mu", "0.5", "--dim", "1000", "--batch", "50", "--lr", "0.01",
                                "--steps", "1000000", "--runs", "40", "--engine", "sgd", "--checkpoint", "kept"],
                "a validation": ["validate", "--student", "erf", "--mu", "0.5", "--gamma", "1", "--dim", "1000,3000,9000",
                                 "--runs", "100000"]}.items():
            with self.subTest(name):
                process = subprocess.Popen([LORADYN, *words, "--threads", "4"], cwd=self.path, text=True,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                time.sleep(2.0)  # at work on all threads; where it is not yet, the signal comes earlier and nothing else changes
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=SLOW)
                self.assertEqual(process.returncode, 128 + signal.SIGINT, said)
                self.assertNotIn("ThreadSanitizer", said)


if __name__ == "__main__":
    unittest.main()
