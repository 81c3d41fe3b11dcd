"""Networks on the command line: width, rank, what trains, a source task, rows of the user's own.

The path of the program is in the environment variable LORADYN.
"""

import csv
import io
import os
import subprocess
import unittest

import support

LORADYN = os.environ["LORADYN"]
PUBLISHED = ("--student", "erf", "--mu", "0.5", "--width", "4", "--teacher-width", "4", "--off-target",
             "2", "--rank", "2", "--readout", "sqrt")


def run(*words, cwd=None):
    return subprocess.run([LORADYN, *words], capture_output=True, text=True, cwd=cwd, timeout=120)


def rows(text):
    return list(csv.DictReader(line for line in io.StringIO(text) if not line.startswith("#")))


class Networks(support.InTemporaryDirectory):
    def ask(self, *words):
        p = run(*words, cwd=self.path)
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assertEqual(p.stderr, "")
        return rows(p.stdout)

    def refused(self, message, *words):
        p = run(*words, cwd=self.path)
        self.assertEqual(p.returncode, 2, p.stderr)
        self.assertEqual(p.stdout, "")
        self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        self.assertIn(message, p.stderr)

    def test_one_neuron_is_what_it_was(self):
        """An option that says the standard makes a network of one neuron, with the same escape."""
        words = ("escape", "--student", "erf", "--mu", "0.5", "--event", "M", "--at", "0.9", "--dim",
                 "1000")
        single, network = self.ask(*words)[0], self.ask(*words, "--width", "1")[0]
        for column in ("tau", "t_mean", "t_q50"):
            self.assertAlmostEqual(float(network[column]) / float(single[column]), 1.0, 6)
        self.assertEqual(network["outcome"], single["outcome"])

    def test_matrices_by_the_names_of_their_entries(self):
        table = self.ask("trajectory", *PUBLISHED, "--t-end", "3000", "--points", "3")
        for column in ("t", "risk", "M_mean", "U_4_2", "M_1_4", "m_2_3", "S_2_1"):
            self.assertIn(column, table[0])
        self.assertAlmostEqual(float(table[0]["M_1_1"]), 0.5, 4)
        self.assertAlmostEqual(float(table[0]["M_3_3"]), 1.0, 4)
        self.assertAlmostEqual(float(table[-1]["M_mean"]), 1.0, 6)
        self.assertLess(float(table[-1]["risk"]), 1e-12)
        # The seed decides where V starts.
        other = self.ask("trajectory", *PUBLISHED, "--t-end", "1", "--points", "2", "--seed", "2")
        self.assertNotEqual(other[0]["m_1_1"], table[0]["m_1_1"])

    def test_what_is_forgotten_is_a_column_and_an_event(self):
        words = ("--student", "erf", "--mu", "0.5", "--nu", "0.3", "--width", "2", "--teacher-width",
                 "2", "--rank", "2", "--source", "erf", "--source-overlap", "0.6")
        table = self.ask("trajectory", *words, "--t-end", "100", "--points", "2")
        self.assertGreater(float(table[-1]["source_risk"]), float(table[0]["source_risk"]))
        level = 0.5 * (float(table[-1]["source_risk"]) + float(table[0]["source_risk"]))
        hit = self.ask("escape", *words, "--event", "source-risk", "--at", str(level))[0]
        self.assertTrue(0 < float(hit["t_hit"]) < 100)

    def test_rows_of_a_file(self):
        (self.path / "n.toml").write_text(
            "teacher = [[1, 0], [0, 1]]\npretrained = [[0.5, 0], [0, 0.5]]\n"
            "readout = [1, 1]\nteacher-readout = [1, 1]\n")
        (self.path / "g.toml").write_text(
            "width = 2\nteacher-width = 2\ngram = [[1, 0, 0.5, 0], [0, 1, 0, 0.5], [0.5, 0, 0.25, 0], "
            "[0, 0.5, 0, 0.25]]\n")
        expected = self.ask("rates", "--student", "he3", "--mu", "0.5", "--width", "2",
                            "--teacher-width", "2")
        for name in ("n.toml", "g.toml"):
            found = self.ask("rates", "--student", "he3", "--network", name)
            self.assertEqual(len(found), len(expected))
            for a, b in zip(found, expected):
                self.assertAlmostEqual(float(a["lambda"]) / float(b["lambda"]), 1.0, 10)

    def test_a_figure_is_redrawn_from_its_table(self):
        for name, words in (("trajectory", (*PUBLISHED, "--t-end", "100", "--points", "20")),
                            ("escape", (*PUBLISHED, "--event", "M", "--at", "0.9", "--dim", "1000")),
                            ("rates", ("--student", "erf", "--mu", "0.1:0.9:9", "--width", "2",
                                       "--teacher-width", "2"))):
            with self.subTest(name):
                p = run(name, *words, "-o", f"{name}.csv", "--plot", f"{name}.svg", cwd=self.path)
                self.assertEqual((p.returncode, p.stderr), (0, ""))
                p = run("plot", f"{name}.csv", "-o", f"{name}-again.svg", cwd=self.path)
                self.assertEqual(p.returncode, 0, p.stderr)
                self.assertEqual((self.path / f"{name}.dat").read_bytes(),
                                 (self.path / f"{name}-again.dat").read_bytes())

    def test_what_does_not_fit_is_refused_in_a_line(self):
        base = ("trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "1")
        for message, words in (
                ("--width is '0'", ("--width", "0")),
                ("--rank is '2'", ("--train", "full", "--rank", "2")),
                ("--adapter is 'sphere'", ("--train", "scratch", "--adapter", "sphere")),
                ("at least 9", ("--rank", "4", "--dim", "8")),
                ("--off-target is '3'", ("--width", "2", "--off-target", "3")),
                ("--source is missing", ("--source-overlap", "0.5")),
                ("--source-overlap is missing", ("--source", "erf")),
                ("--source-overlap is '1.5'", ("--source", "erf", "--source-overlap", "1.5")),
                ("--alpha is missing", ("--scaling", "root")),
                ("--m0 is '0.2'", ("--rank", "2", "--m0", "0.2")),
                ("--decay is '-1'", ("--decay", "-1")),
                ("--end-state is 'x'", ("--rank", "2", "--end-state", "x")),
                ("--scratch-norm", ("--scratch-norm", "0.1")),
                ("rank", ("--rank", "3", "--start-batch", "100"))):
            with self.subTest(message):
                self.refused(message, *base, *words)
        self.refused("the event is M_3_1", "escape", "--student", "erf", "--mu", "0.5", "--width", "2",
                     "--event", "M_3_1", "--at", "0.9")
        self.refused("--event is 'Q'", "escape", "--student", "erf", "--mu", "0.5", "--width", "2",
                     "--event", "Q", "--at", "0.9")
        self.refused("--train is 'full'", "rates", "--student", "erf", "--mu", "0.5", "--train", "full")
        for message, text in (
                ("smallest eigenvalue of the Gram matrix",
                 "width = 1\nteacher-width = 1\ngram = [[1, 2], [2, 1]]"),
                ("entry (2, 1) of the Gram matrix",
                 "width = 1\nteacher-width = 1\ngram = [[1, 0.5], [0.2, 1]]"),
                ("the size of the readouts",
                 "teacher = [[1, 0]]\npretrained = [[1, 0]]\nreadout = [1, 1]"),
                ("the size of the pre-trained weights",
                 "teacher = [[1, 0]]\npretrained = [[1, 0, 0]]"),
                ("has rows of 2 and of 1 numbers", "teacher = [[1, 0], [1]]\npretrained = [[1, 0]]"),
                ("techer is no key", "techer = [[1]]"),
                ("teacher must be there", "pretrained = [[1]]"),
                ("must hold numbers", "teacher = [['x']]\npretrained = [[1]]"),
                ("finite", "teacher = [[inf]]\npretrained = [[1]]"),
                ("line 1", "teacher = [[1")):
            with self.subTest(message):
                (self.path / "bad.toml").write_text(text)
                self.refused(message, "rates", "--student", "erf", "--network", "bad.toml")


if __name__ == "__main__":
    unittest.main()
