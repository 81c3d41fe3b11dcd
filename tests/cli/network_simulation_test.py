"""simulate and validate, asked of networks.

The path of the program is in the environment variable LORADYN.
"""

import csv
import io
import os
import subprocess
import unittest

from support import InTemporaryDirectory

LORADYN = os.environ["LORADYN"]
NETWORK = ["--student", "erf", "--mu", "0.5", "--width", "2", "--teacher-width", "2", "--rank", "2"]
SIMULATE = ["simulate", *NETWORK, "--dim", "400", "--batch", "8", "--lr", "0.02", "--runs", "12"]
VALIDATE = ["validate", *NETWORK, "--gamma", "1", "--dim", "1000,4000", "--t-end", "4", "--points", "3",
            "--runs", "60", "--adapter", "free", "--u0", "0.2"]

# The command's words and the one line that refuses them.
REFUSED = {
    "too few dimensions": (
        ["simulate", *NETWORK, "--dim", "5", "--batch", "8", "--lr", "0.02", "--steps", "3"],
        "dim (dimension) is 5, but must be at least 6: 2 frozen directions and twice the rank"),
    "a checkpoint": ([*SIMULATE, "--steps", "3", "--checkpoint", "x"],
                     "--checkpoint is 'x', but must be left out: a network's runs keep none"),
    "no dimension": (["simulate", *NETWORK, "--batch", "8", "--lr", "0.02", "--steps", "3"],
                     "--dim is missing: give the dimension, such as 1000"),
    "an adapter's overlap": (
        [*SIMULATE, "--steps", "3", "--m0", "0.3"],
        "--m0 is '0.3', but must be left out: a network's V starts at random, or by --start-batch"),
    "an entry there is not": ([*SIMULATE, "--steps", "3", "--event", "M_3_1", "--at", "0.5"], "M_3_1"),
    "a batch of its start smaller than the width": (
        [*SIMULATE, "--steps", "3", "--start-batch", "1"],
        "start-batch is 1, but must be at least the width, 2, and below 2^32"),
    "the law of one adapter of two": (
        VALIDATE, "the event of the law is m, but must be M or a risk, the same for all adapters, "
                  "where the rank is more than 1"),
    "a start after one batch": ([*VALIDATE, "--start-batch", "100"],
                                "--start-batch is '100', but must be left out: "
                                "a network's means start at --u0 and --m0"),
}


def run(words, code=0, cwd=None):
    done = subprocess.run([LORADYN, *words], capture_output=True, text=True, timeout=300, cwd=cwd)
    assert done.returncode == code, (words, done.returncode, done.stderr)
    return done


def table(text):
    return list(csv.DictReader(io.StringIO("".join(
        line for line in text.splitlines(True) if not line.startswith("#")))))


class NetworkSimulation(InTemporaryDirectory):
    def test_means_are_told_by_the_entries_names(self):
        rows = table(run([*SIMULATE, "--t-end", "2", "--points", "3"]).stdout)
        self.assertEqual([r["step"] for r in rows], ["0", "50", "100"])
        self.assertEqual(rows[2]["samples"], "800")
        self.assertEqual(rows[0]["runs"], "12")
        for name in ("risk", "M_mean", "U_1_2", "M_2_1", "m_1_1", "S_2_1"):
            for part in ("mean", "sd", "q05", "q50", "q95"):
                self.assertIn(f"{name}_{part}", rows[0])
        self.assertNotIn("S_1_2_mean", rows[0])
        self.assertAlmostEqual(float(rows[0]["M_1_1_mean"]), 0.5, places=3)
        self.assertEqual(float(rows[0]["U_1_1_mean"]), 1 / 400**2)

    def test_the_seed_decides_and_nothing_else(self):
        words = [*SIMULATE, "--steps", "40", "--points", "2"]
        first = table(run([*words, "--threads", "1"]).stdout)
        self.assertEqual(table(run([*words, "--threads", "2"]).stdout), first)
        self.assertNotEqual(table(run([*words, "--seed", "1"]).stdout), first)

    def test_engines_agree_and_a_run_ends_with_its_event(self):
        words = [*SIMULATE, "--steps", "20000", "--event", "M_1_1", "--at", "0.6", "--adapter", "free"]
        chain = table(run(words).stdout)
        sgd = table(run([*("3" if w == "12" else w for w in words), "--engine", "sgd"]).stdout)
        for row in (*chain, *sgd):
            self.assertEqual(row["outcome"], "hit")
            self.assertGreaterEqual(abs(float(row["M_1_1"])), 0.6)
        self.assertEqual(len(chain), 12)

    def test_what_else_trains(self):
        for words in (["--train", "full"], ["--train", "scratch"], ["--train", "v", "--adapter", "frobenius"],
                      ["--readout-rate", "0.5"], ["--start-batch", "50"],
                      ["--source", "relu", "--source-overlap", "0.3"]):
            with self.subTest(words):
                base = SIMULATE if words[0] != "--train" else [
                    w for i, w in enumerate(SIMULATE) if w != "--rank" and SIMULATE[i - 1] != "--rank"]
                rows = table(run([*base, *words, "--steps", "20", "--points", "2"]).stdout)
                self.assertEqual(rows[1]["runs"], "12")
                if words[0] == "--source":
                    self.assertGreater(float(rows[0]["source_risk_mean"]), 0.0)
                if words[0] == "--readout-rate":
                    self.assertNotEqual(rows[1]["a_1_mean"], rows[0]["a_1_mean"])

    def test_a_table_is_drawn_again(self):
        for words in (["--points", "3"], ["--event", "M", "--at", "0.51"]):
            run([*SIMULATE, "--steps", "3000", *words, "-o", "t.csv", "--plot", "a.svg"], cwd=self.path)
            run(["plot", "t.csv", "-o", "b.svg"], cwd=self.path)
            self.assertEqual((self.path / "a.svg").read_text(), (self.path / "b.svg").read_text())

    def test_theory_and_simulation_agree(self):
        rows = table(run([*VALIDATE, "--law-runs", "0"]).stdout)
        names = {r["quantity"] for r in rows}
        self.assertLessEqual({"U_1_2", "S_1_1", "S_2_1", "M_2_2", "m_1_1"}, names)
        self.assertNotIn("fail", {r["verdict"] for r in rows})
        law = table(run(["validate", "--student", "erf", "--mu", "0.5", "--rank", "2", "--adapter", "free",
                         "--gamma", "4", "--dim", "2000", "--batch", "40", "--runs", "4", "--points", "1",
                         "--law-runs", "200", "--event", "M", "--at", "0.75"]).stdout)
        self.assertEqual([r["verdict"] for r in law if r["check"] == "law"], ["pass"])

    def test_bad_input_gets_one_line(self):
        for name, (words, message) in REFUSED.items():
            with self.subTest(name):
                said = run(words, code=2).stderr
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn(message, said)


if __name__ == "__main__":
    unittest.main()
