"""simulate and validate, asked of networks.

The path of the program is in the environment variable LORADYN.
"""

import csv
import io
import os
import signal
import subprocess
import time
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

    def test_stages_are_those_of_the_flow(self):
        (self.path / "s.toml").write_text(
            "[[stage]]\nlr = 0.02\nsteps = 60\n[[stage]]\nflip = true\n"
            "[[stage]]\non = 'source'\nlr = 0.04\ntime = 1\ndecay = 0.1\nlr-ratio = 2\nnoise = 0.1\n")
        words = [w for i, w in enumerate(SIMULATE) if "--lr" not in (w, SIMULATE[i - 1])]
        words += ["--source", "relu", "--source-overlap", "0.3", "--u0", "0.3", "--stages", "s.toml"]
        rows = table(run([*words, "--points", "log:40", "-o", "-", "--format", "csv"], cwd=self.path).stdout)
        self.assertEqual(rows[-1]["step"], "85")
        self.assertAlmostEqual(float(rows[-1]["t"]), 2.2, places=9)
        signs = [float(r["U_1_1_mean"]) > 0 for r in rows]
        self.assertTrue(all(s == (int(r["step"]) <= 60) for s, r in zip(signs, rows)))
        sgd = table(run([*words, "--points", "2", "--engine", "sgd", "--plot", "a.svg"], cwd=self.path).stdout)
        self.assertEqual(sgd[-1]["runs"], "12")

    def test_an_interrupted_run_goes_on_to_the_same_bytes(self):
        for engine in "chain", "sgd":
            words = [LORADYN, *SIMULATE, "--steps", "800000" if engine == "chain" else "10000", "--points", "4",
                     "--engine", engine, "--threads", "1", "-q"]
            subprocess.run([*words, "-o", "whole.csv"], cwd=self.path, check=True)
            rounds = 0
            while not (self.path / "t.csv").exists():
                child = subprocess.Popen([*words, "-o", "t.csv"], cwd=self.path, stderr=subprocess.PIPE, text=True)
                time.sleep(0.25)
                child.send_signal(signal.SIGTERM)
                said = child.communicate(timeout=60)[1]
                if child.returncode == 143:
                    rounds += 1
                    self.assertIn("'t.csv.checkpoint' keeps them. To go on run: loradyn simulate", said)
                    self.assertEqual(self.files(), ["t.csv.checkpoint", "whole.csv"])
                self.assertLess(rounds, 300)
            self.assertGreater(rounds, 0)
            for name in "t.csv", "whole.csv":
                text = (self.path / name).read_text().replace("whole.csv", "t.csv")
                (self.path / name).write_text("".join(
                    line for line in text.splitlines(True) if not line.startswith("# wall")))
            self.assertEqual((self.path / "t.csv").read_text(), (self.path / "whole.csv").read_text())
            self.assertEqual(self.files(), ["t.csv", "whole.csv"])
            # Of another run it is refused.
            child = subprocess.Popen([*words, "-o", "t.csv", "--checkpoint", "k"], cwd=self.path,
                                     stderr=subprocess.DEVNULL)
            time.sleep(0.3)
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=60)
            said = run([*words[1:], "--checkpoint", "k", "--decay", "0.1"], code=2, cwd=self.path).stderr
            self.assertIn("the checkpoint is of a run with 'decay 0', but must be of one with 'decay 0.1'", said)
            for name in self.files():
                (self.path / name).unlink()

    def test_bad_input_gets_one_line(self):
        for name, (words, message) in REFUSED.items():
            with self.subTest(name):
                said = run(words, code=2).stderr
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn(message, said)


if __name__ == "__main__":
    unittest.main()
