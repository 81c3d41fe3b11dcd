"""Networks on the command line: width, rank, what trains, a source task, rows of the user's own.

The path of the program is in the environment variable LORADYN.
"""

import csv
import io
import os
import shlex
import shutil
import subprocess
import unittest

import support
from support import mpirun

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

    def test_stages_and_ends(self):
        words = ("--student", "erf", "--adapter", "free", "--source", "erf")
        aligned = ("--mu", "0.5", "--nu", "0.3", "--width", "2", "--teacher-width", "2", "--rank", "2",
                   "--source-overlap", "0.6", "--u0", "0.3")
        (self.path / "first.toml").write_text("[[stage]]\ntime = 40\n")
        (self.path / "rest.toml").write_text(
            "[[stage]]\nflip = true\n[[stage]]\non = 'source'\ngamma = 0.1\nuntil = 'source-risk'\nat = 0.02\n"
            "[[stage]]\nteacher = 'erf^3'\ntime = 5\n")
        (self.path / "all.toml").write_text(
            (self.path / "first.toml").read_text() + (self.path / "rest.toml").read_text())
        whole = self.ask("trajectory", *words, *aligned, "--stages", "all.toml", "--points", "60", "-o", "w.csv",
                         "--plot", "w.svg", "--end-state", "end.toml") or rows((self.path / "w.csv").read_text())
        self.assertEqual({r["stage"] for r in whole}, {"1", "2", "3"})
        self.assertIn("stage 2", (self.path / "w.svg").read_text())
        self.assertEqual(run("plot", "w.csv", "-o", "v.svg", cwd=self.path).returncode, 0)
        self.assertEqual((self.path / "v.svg").read_bytes(), (self.path / "w.svg").read_bytes())
        self.assertRegex((self.path / "w.csv").read_text(), "# stage 2: t = 40 to [0-9.]+: event\n")
        self.ask("trajectory", *words, *aligned, "--stages", "first.toml", "--points", "2", "--end-state", "h.toml",
                 "-o", "h.csv")
        half = rows((self.path / "h.csv").read_text())
        rest = self.ask("trajectory", *words, "--start", "h.toml", "--stages", "rest.toml", "--points", "2")
        for name in "U_1_1", "M_2_1", "m_1_2", "S_2_1", "risk", "source_risk":
            sign = -1 if name[0] == "U" else 1
            if name[0] in "UmS":
                self.assertEqual(float(rest[0][name]), sign * float(half[-1][name]))
            self.assertAlmostEqual(float(rest[-1][name]), float(whole[-1][name]), delta=1e-6)
        # Other commands begin there too, by the same numbers.
        hit = self.ask("escape", *words, "--start", "h.toml", "--event", "risk", "--at", "1e-9")[0]
        self.assertEqual(hit["outcome"], "learned")
        simulated = self.ask("simulate", *words, "--start", "h.toml", "--dim", "60", "--batch", "4", "--lr", "0.1",
                             "--steps", "2", "--points", "2", "--runs", "3")
        for name in "U_1_2", "M_1_1", "S_2_2":
            self.assertAlmostEqual(float(simulated[0][name + "_mean"]), float(half[-1][name]), delta=1e-13)
        # What trains another part has no U to start from; a scratch run has none to leave.
        full = ("trajectory", "--student", "erf", "--train", "scratch", "--t-end", "3", "--points", "2")
        table = self.ask(*full, "--mu", "0.5", "--width", "2", "--end-state", "s.toml")
        self.assertNotIn("U =", (self.path / "s.toml").read_text())
        again = self.ask(*full, "--start", "s.toml")
        self.assertEqual(again[0]["M_1_1"], table[-1]["M_1_1"])
        stage = ("trajectory", *words, *aligned, "--points", "2", "--stages", "bad.toml")
        for text, message in (
                ("on = 'both'\ntime = 1", "stage 1: on is 'both', but must be target or source"),
                ("on = 'source'\nteacher = 'erf'\ntime = 1", "stage 1: teacher must be left out"),
                ("pretrain = 'erf'\ntime = 1", "--mu is '0.5', but must be left out: the first stage pre-trains"),
                ("label = 'y^2'\ntime = 1", "label is of a teacher of 2 neurons"),
                ("label = 'sin(y)'\ntime = 1", "stage 1: label is 'sin(y)', but must be a polynomial in y"),
                ("until = 'N'\nat = 1", "stage 1: until is 'N', but must be"),
                ("until = 'M_3_1'\nat = 1", "the event is M_3_1"),
                ("until = 'M'", "stage 1: at is missing"),
                ("gamma = 1", "the end of stage 1 is open"),
                ("flip = true", "a flip must be followed by a stage that trains")):
            (self.path / "bad.toml").write_text("[[stage]]\n" + text + "\n")
            self.refused(message, *stage)
        # A first stage that makes W0, from which the second is fine-tuned.
        (self.path / "pre.toml").write_text(
            "[[stage]]\npretrain = 'erf'\nrho = 0.6\ntime = 20\n[[stage]]\ntime = 20\n")
        alone = ("trajectory", "--student", "erf", "--width", "2", "--teacher-width", "2", "--rank", "2", "--points", "5")
        table = self.ask(*alone, "--stages", "pre.toml", "--u0", "0.3", "--end-state", "pre-end.toml", "-o", "pre.csv") or \
            rows((self.path / "pre.csv").read_text())
        self.assertEqual([r["stage"] for r in table], ["1", "1", "1", "2", "2"])
        self.assertEqual({r["U_1_2"] for r in table[:3]}, {"0.3"})
        self.assertTrue(float(table[0]["risk"]) > float(table[2]["risk"]))
        self.assertTrue(0.3 < float(table[2]["M_1_1"]) < 0.6 < float(table[4]["M_1_1"]))
        self.ask("escape", "--student", "erf", "--start", "pre-end.toml", "--event", "risk", "--at", "1e-9")
        self.refused("--mu is '0.4', but must be left out: the first stage pre-trains", *alone, "--stages", "pre.toml",
                     "--mu", "0.4")
        self.refused("--nu is '0.1', but must be left out: the first stage pre-trains", *alone, "--stages", "pre.toml",
                     "--nu", "0.1")
        (self.path / "bad.toml").write_text("[[stage]]\ntime = 1\n")
        self.refused("--gamma is '1', but must be left out: each stage says its own", *stage, "--gamma", "1")
        start = ("trajectory", *words, "--t-end", "1", "--points", "2", "--start")
        self.refused("--rank is '2', but must be left out: --start says it", *start, "h.toml", "--rank", "2")
        self.refused("--mu excludes --start", *start, "h.toml", "--mu", "0.5")
        self.refused("U at the start is given", "trajectory", "--student", "erf", "--source", "erf", "--train", "full",
                     "--t-end", "1", "--start", "h.toml")
        good = (self.path / "h.toml").read_text()
        (self.path / "b.toml").write_text(good + "V = [[1]]\n")
        self.refused("--start 'b.toml': V is no key", *start, "b.toml")
        (self.path / "b.toml").write_text(good.replace("\nP = [[", "\nP = [[-"))
        self.refused("the smallest eigenvalue of V V' - C C' is", *start, "b.toml")
        (self.path / "b.toml").write_text("".join(l for l in good.splitlines(True) if not l.startswith("P")))
        self.refused("--start 'b.toml': P must be there", *start, "b.toml")

    def test_critical_alignments(self):
        single, = self.ask("critical", "--student", "he3")
        network, = self.ask("critical", "--student", "he3", "--width", "1", "--rank", "3")
        for column in ("mu_c", "B", "slope"):
            self.assertAlmostEqual(float(network[column]) / float(single[column]), 1.0, 10)
        self.assertEqual(network["status"], single["status"])
        difference, = self.ask("critical", "--student", "he3-4*he1", "--width", "3",
                               "--teacher-width", "3", "-o", "c.csv", "--plot", "c.svg") or \
            rows((self.path / "c.csv").read_text())
        self.assertEqual(difference["modes"], "2")
        self.assertAlmostEqual(float(difference["u_1"]), -float(difference["u_2"]), 12)
        self.assertEqual(run("plot", "c.csv", "-o", "again.svg", cwd=self.path).returncode, 0)
        self.assertEqual((self.path / "again.svg").read_bytes(), (self.path / "c.svg").read_bytes())
        self.assertEqual(self.ask("critical", *PUBLISHED[:2], *PUBLISHED[4:]), [])
        # A free adapter that decays escapes where its drive is beyond the decay, on one side.
        stuck, = self.ask("critical", "--student", "erf", "--adapter", "free", "--decay", "0.05", "-o", "d.csv",
                          "--plot", "d.svg") or rows((self.path / "d.csv").read_text())
        self.assertEqual((stuck["status"], stuck["lambda"]), ("one-sided", "0"))
        self.assertLess(float(stuck["slope"]), 0)
        for side, left in ((-0.05, True), (0.05, False)):
            mu = float(stuck["mu_c"]) + side
            run_ = self.ask("escape", "--student", "erf", "--adapter", "free", "--decay", "0.05", "--mu", repr(mu),
                            "--event", "M", "--at", "2")[0]
            self.assertEqual(abs(float(run_["U_1_1"])) > 0.01, left)
        self.refused("lora", "critical", "--student", "he3", "--train", "full")
        huge = run("critical", "--student", "he3", "--width", "2", "--mu", "0:1e200", cwd=self.path)
        self.assertEqual(rows(huge.stdout)[0]["status"], "no-convergence")

    def test_equilibria(self):
        words = ("fixed-points", "--student", "he3", "--mu", "0.5")
        single = [row for row in self.ask(*words) if float(row["u"]) > 0]
        network = [row for row in self.ask(*words, "--width", "1", "--starts", "100", "--threads", "2")
                   if row["starts"] != "0"]
        self.assertEqual(len(network), len(single))
        for one, other in zip(network, single):
            for column, its in (("risk", "risk"), ("M_1_1", "M")):
                self.assertAlmostEqual(float(one[column]), float(other[its]), 7)
            self.assertEqual(one["kind"], other["kind"])
        self.ask("fixed-points", *PUBLISHED, "--starts", "20", "-o", "r.csv", "--plot", "r.svg")
        table = rows((self.path / "r.csv").read_text())
        self.assertEqual(float(table[0]["risk"]), 0)
        self.assertIn(table[0]["kind"], ("sink", "neutral"))
        self.ask("fixed-points", *PUBLISHED, "--starts", "20", "--threads", "1", "-o", "s.csv")
        self.assertEqual(rows((self.path / "s.csv").read_text()), table)
        self.ask("plot", "r.csv", "-o", "s.svg")
        self.assertEqual((self.path / "r.svg").read_bytes(), (self.path / "s.svg").read_bytes())
        self.refused("--starts", *words, "--starts", "0")

    def test_diagrams(self):
        """A network is part of a diagram's question: stores, plots and its own command bring it back."""
        words = ("phase", "--student", "erf", "--x", "mu=0.3:0.6:2", "--y", "rank=1:2:2", *PUBLISHED[4:10],
                 "--readout", "sqrt", "--event", "risk", "--at", "0.001", "--show", "outcome")
        self.assertEqual(self.ask(*words, "--threads", "1", "-o", "one.csv", "--plot", "one.svg"), [])
        one = (self.path / "one.csv").read_text()
        table = rows(one)
        self.assertEqual([row["rank"] for row in table], ["1", "1", "2", "2"])
        self.assertEqual([row["outcome"] for row in table], ["trapped"] * 2 + ["learned"] * 2)
        alone, = self.ask("escape", "--student", "erf", "--mu", "0.3", "--rank", "2", *PUBLISHED[4:10],
                          "--readout", "sqrt", "--event", "risk", "--at", "0.001", "--max-steps", "50000")
        self.assertEqual(alone["t_hit"], table[2]["t_hit"])
        self.assertEqual(run(*words, "--threads", "2", "--store", "s.sqlite", "--quiet",
                             cwd=self.path).returncode, 0)
        self.ask("export", "s.sqlite", "-o", "two.csv", "--show", "outcome")
        self.assertEqual((self.path / "two.csv").read_text(), one)
        self.ask("plot", "one.csv", "-o", "two.svg")
        self.assertEqual((self.path / "two.svg").read_bytes(), (self.path / "one.svg").read_bytes())
        command = next(line for line in one.splitlines() if line.startswith("# command: loradyn "))
        self.ask(*shlex.split(command.removeprefix("# command: loradyn ")), "--show", "outcome", "-o",
                 "three.csv")
        self.assertEqual((self.path / "three.csv").read_text(), one)

    def test_shards_and_ranks_of_a_diagram_give_the_same_bytes(self):
        words = ("phase", "--student", "erf", "--x", "mu=0.3:0.6:3", "--y", "rank=1:3:3", "--width", "3",
                 "--teacher-width", "3", "--adapter", "free", "--readout", "sqrt", "--event", "risk", "--at", "0.001",
                 "--quiet")
        expected = run(*words, cwd=self.path).stdout
        self.assertEqual(len(rows(expected)), 9)
        names = [f"{i}.sqlite" for i in range(1, 4)]
        for i, name in enumerate(names, start=1):
            self.assertEqual(run(*words, "--store", name, "--shard", f"{i}/3", cwd=self.path).returncode, 0)
        self.assertEqual(run("merge", "all.sqlite", *names, cwd=self.path).returncode, 0)
        self.assertEqual(run("export", "all.sqlite", cwd=self.path).stdout, expected)
        if shutil.which("mpirun"):
            done = mpirun(*words, "-o", "t.csv", cwd=self.path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((self.path / "t.csv").read_text(), expected)

    def test_what_a_run_forgets_is_an_outcome(self):
        words = ("phase", "--student", "erf", "--x", "mu=0.4:0.5:2", "--y", "source-overlap=0:0.9:2", "--nu",
                 "0.3", "--width", "2", "--teacher-width", "2", "--rank", "2", "--source", "erf", "--event",
                 "risk", "--at", "0.001", "--show", "source-risk", "--plot", "f.svg")
        table = self.ask(*words, "--forgotten", "0.3")
        self.assertEqual([row["outcome"] for row in table], ["forgotten"] * 2 + ["learned"] * 2)
        for row in table:
            self.assertEqual(float(row["source_risk_end"]) > 0.3, row["outcome"] == "forgotten")
        self.refused("--source-overlap", *words[:-2], "--source-overlap", "0.1")

    def test_what_diagrams_refuse(self):
        words = ("phase", "--student", "erf", "--y", "rank=1:2:2", "--x")
        for message, *more in (("whole number", "width=1:2:4", "--mu", "0.5"),
                               ("--mu", "width=1:2:2"),
                               ("nu is on an axis", "nu=0.1:0.2:2", "--network", '{"teacher":[[1]],"pretrained":[[1]]}'),
                               ("--width is '2'", "mu=0.1:0.2:2", "--width", "2", "--network",
                                '{"teacher":[[1]],"pretrained":[[1]]}'),
                               ("techer is no key", "mu=0.1:0.2:2", "--network", '{"techer":[[1]]}'),
                               ("0 where rank", "mu=0.1:0.2:2", "--refine", "1"),
                               ("none of a network", "m0=0.1:0.2:2", "--mu", "0.5"),
                               ("simulate nothing", "mu=0.1:0.2:2", "--dim", "100", "--engine", "chain"),
                               ("on an axis", "mu=0.1:0.2:2", "--rank", "2"),
                               ("the width", "mu=0.1:0.2:2", "--train", "full"),
                               ("M or a risk", "mu=0.1:0.2:2", "--dim", "100"),
                               ("2 x 1", "mu=0.1:0.2:2", "--width", "2", "--event", "M_1_2", "--at", "1")):
            self.refused(message, *words, *more)

    def test_weights_beyond_the_kernels_are_a_status(self):
        words = ("--student", "erf", "--mu", "1e200", "--width", "2")
        self.assertEqual(rows(run("escape", *words).stdout)[0]["status"], "undefined")
        self.assertEqual(rows(run("rates", *words).stdout)[0]["status"], "overflow")

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

    def test_rows_at_an_alignment(self):
        """--mu moves the rows along their targets: those of an aligned network are one at any mu."""
        (self.path / "one.toml").write_text("teacher = [[1, 0]]\npretrained = [[0.9, 0.3]]\n")
        words = ("--student", "he3", "--network", "one.toml")
        for command, *more in (("rates", "--mu", "0.2,0.5"), ("critical", "--mu", "0:1"),
                               ("escape", "--mu", "0.2,0.5", "--event", "M", "--at", "0.6"),
                               ("phase", "--x", "mu=0.2:0.5:2", "--y", "gamma=0:0.1:2", "--event", "M", "--at", "0.6")):
            with self.subTest(command):
                found = self.ask(command, *words, *more)
                expected = self.ask(command, "--student", "he3", "--width", "1", "--nu", "0.3", *more)
                self.assertEqual(len(found), len(expected))
                for a, b in zip(found, expected):
                    for column in set(a) & set(b) - {"nu"}:
                        self.assertEqual(a[column], b[column], column)
        # Only the first ones, of rows that are not along their targets.
        (self.path / "two.toml").write_text("teacher = [[1, 0], [0, 1]]\npretrained = [[0.5, 0.2], [0, 0.7]]\n"
                                            "readout = [1, -1]\n")
        run_, = self.ask("trajectory", "--student", "erf", "--network", "two.toml", "--mu", "0.3", "--off-target", "1",
                         "--t-end", "1", "--points", "0:1:2")[:1]
        for column, value in (("M_1_1", 0.3), ("M_1_2", 0.2), ("M_2_1", 0), ("M_2_2", 0.7)):
            self.assertAlmostEqual(float(run_[column]), value, 4)
        self.assertTrue(self.ask("critical", "--student", "he3", "--network", "two.toml", "--mu", "-0.9:0.9"))
        self.refused("--off-target is '3'", "rates", "--student", "erf", "--network", "two.toml", "--mu", "0.3",
                     "--off-target", "3")
        self.refused("--nu is '0.1'", "rates", "--student", "erf", "--network", "two.toml", "--nu", "0.1")

    def test_diagrams_of_rows(self):
        """The rows stand in the question: stores and the table's own command bring them back, without the file."""
        (self.path / "n.toml").write_text("teacher = [[1, 0], [0.3, 0.9]]\npretrained = [[0.1, 0.2], [0.4, 0.7]]\n"
                                          "readout = [1, 0.5]\n")
        words = ("phase", "--student", "he3", "--x", "mu=-0.4:0.8:4", "--y", "lr-ratio=0.5:1:2", "--network", "n.toml",
                 "--only", "tau", "--show", "tau")
        self.ask(*words, "-o", "one.csv", "--plot", "one.svg")
        one = (self.path / "one.csv").read_text()
        (self.path / "n.toml").unlink()
        self.ask("plot", "one.csv", "-o", "again.svg")
        self.assertEqual((self.path / "again.svg").read_bytes(), (self.path / "one.svg").read_bytes())
        self.assertIn("a drive = 0", (self.path / "one.svg").read_text())
        command = next(line for line in one.splitlines() if line.startswith("# command: loradyn "))
        own = shlex.split(command.removeprefix("# command: loradyn "))
        self.ask(*own, "--show", "tau", "-o", "two.csv")
        self.assertEqual((self.path / "two.csv").read_text(), one)
        self.assertEqual(run(*own, "--store", "s.sqlite", "--quiet", cwd=self.path).returncode, 0)
        self.ask("export", "s.sqlite", "-o", "three.csv", "--show", "tau")
        self.assertEqual((self.path / "three.csv").read_text(), one)

    def test_lines_of_diagrams(self):
        """Lines on which a mode loses its drive are those alignments that critical tells."""
        for words, line in ((("--width", "2", "--teacher-width", "2"), "a drive = 0"),
                            (("--adapter", "free", "--decay", "1"), "a drive = ω")):
            with self.subTest(line):
                roots = [float(row["mu_c"]) for row in
                         self.ask("critical", "--student", "he3", *words, "--mu", "0.2:0.8")]
                self.ask("phase", "--student", "he3", "--x", "mu=0.2:0.8:4", "--y", "lr-ratio=0.5:1:2", *words, "--only",
                         "tau", "--show", "tau", "-o", "l.csv", "--plot", "l.svg")
                self.assertIn(line, (self.path / "l.svg").read_text())
                data = (self.path / "l.dat").read_text()
                for root in roots:
                    self.assertIn(f"{root:.9f}"[:8], data)
        self.ask("phase", "--student", "he3", "--x", "mu=0.2:0.8:4", "--y", "lr-ratio=0.5:1:2", "--width", "2", "--nu",
                 "0.2", "--only", "tau", "--show", "tau", "-o", "l.csv", "--plot", "l.svg")
        self.assertNotIn("a drive", (self.path / "l.svg").read_text())

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
