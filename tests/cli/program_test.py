"""The program as its user meets it: what it prints, writes and returns.

The path of the program is in the environment variable LORADYN.
"""

import contextlib
import csv
import io
import json
import math
import os
import random
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest
import zlib

import support
from support import mpirun

LORADYN = os.environ["LORADYN"]


def run(*words, env=None, cwd=None):
    return subprocess.run([LORADYN, *words], capture_output=True, text=True, env=env, cwd=cwd,
                          timeout=120)


def inflated(pdf):
    """The compressed streams of a PDF."""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.S):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj().decompress(stream)


def rows(text):
    lines = [line for line in io.StringIO(text) if not line.startswith("#")]
    return list(csv.DictReader(lines))


class InTemporaryDirectory(support.InTemporaryDirectory):
    def write(self, text, name="c.toml"):
        (self.path / name).write_text(text)

    def refused(self, message, *words, code=2):
        """The command ends with this code and one line, and leaves no file."""
        before = self.files()
        done = run(*words, cwd=self.path)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, f"loradyn: {message}\n")
        self.assertEqual(self.files(), before)


class Rates(InTemporaryDirectory):
    def test_columns_and_known_values(self):
        done = run("rates", "--student", "linear,relu", "--mu", "0.25:0.75:3")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        table = rows(done.stdout)
        self.assertEqual(list(table[0]), "student,teacher,mu,nu,A,B,C,lambda,tau,status".split(","))
        self.assertEqual(len(table), 6)
        for row in table:
            half = 1.0 if row["student"] == "linear" else 0.5
            self.assertAlmostEqual(float(row["A"]), half * (1 - float(row["mu"])), places=15)
            self.assertEqual(float(row["B"]), -half)
            self.assertEqual(row["status"], "ok")

    def test_provenance(self):
        done = run("rates", "--student", "he3+0.5*he5", "--mu", "0.5", "--nu=0.25")
        head = [line for line in done.stdout.splitlines() if line.startswith("#")]
        self.assertTrue(head[0].startswith("# loradyn "))
        self.assertEqual(head[1],
                         "# command: loradyn rates --student 'he3+0.5*he5' --mu 0.5 --nu=0.25")
        for line in ["# nu: 0.25", "# lr-ratio: 1", "# time-unit: raw", "# seed: 0"]:
            self.assertIn(line, head)

    def test_mu_runs_fastest_then_nu_then_pairs(self):
        done = run("rates", "--student", "erf,he2", "--teacher", "he3,he2", "--mu", "0.1,0.2",
                   "--nu", "0,0.5")
        order = [(r["student"], r["teacher"], r["nu"], r["mu"]) for r in rows(done.stdout)]
        self.assertEqual(order, [(s, t, nu, mu) for s, t in [("erf", "he3"), ("he2", "he2")]
                                 for nu in ["0", "0.5"] for mu in ["0.1", "0.2"]])

    def test_negative_and_large_alignments_are_legal(self):
        for words in (["--mu", "-0.5:1.5:9"], ["--mu=-0.5,3"]):
            done = run("rates", "--student", "he3", *words)
            self.assertEqual(done.returncode, 0, done.stderr)
            for row in rows(done.stdout):
                # A of he3 is zero at μ = 0 and at μ = 1.
                expected = "diverges" if float(row["mu"]) in (0.0, 1.0) else "ok"
                self.assertEqual(row["status"], expected, row)

    def test_what_has_no_value_is_nan_with_a_status(self):
        done = run("rates", "--student", "linear,relu,he3", "--mu", "0,1,0.32072434732306754")
        by_point = {(r["student"], r["mu"]): r for r in rows(done.stdout)}
        self.assertEqual(by_point["linear", "1"]["tau"], "nan")
        self.assertEqual(by_point["linear", "1"]["lambda"], "0")
        self.assertEqual(by_point["linear", "1"]["status"], "diverges")
        self.assertEqual(by_point["relu", "0"]["A"], "nan")
        self.assertEqual(by_point["relu", "0"]["status"], "undefined")
        self.assertIn(by_point["he3", "0.32072434732306754"]["status"], ("imprecise", "diverges"))
        for row in by_point.values():
            if "nan" in row.values():
                self.assertNotEqual(row["status"], "ok")

    def test_fisher_time(self):
        raw = rows(run("rates", "--student", "he3,tanh", "--mu", "0.5").stdout)
        fisher = rows(run("rates", "--student", "he3,tanh", "--mu", "0.5", "--time-unit",
                          "fisher").stdout)
        self.assertAlmostEqual(float(fisher[0]["tau"]) / float(raw[0]["tau"]), 18.0, places=12)
        for a, b in zip(raw, fisher):
            scale = float(b["tau"]) / float(a["tau"])
            for column in ["A", "B", "C", "lambda"]:
                self.assertAlmostEqual(float(a[column]), float(b[column]) * scale, places=12)

    def test_a_point_that_does_not_converge_is_named(self):
        # sin at a frequency of 4000 is resolved by no grid; alone it needs none.
        done = run("rates", "--student", "tanh*sin", "--teacher", "linear", "--mu", "0.5,4000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([r["status"] for r in rows(done.stdout)], ["ok", "no-convergence"])
        done = run("rates", "--student", "tanh*sin", "--teacher", "linear", "--mu", "4000")
        self.assertEqual(done.returncode, 3)
        self.assertEqual([r["status"] for r in rows(done.stdout)], ["no-convergence"])

    def test_every_format_holds_the_same(self):
        words = ["rates", "--student", "erf,he3", "--mu", "0.1:1:4"]
        for ending in ["csv", "json", "h5"]:
            done = run(*words, "-o", f"t.{ending}", cwd=self.path)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        table = rows((self.path / "t.csv").read_text())
        document = json.loads((self.path / "t.json").read_text())
        self.assertEqual(document["meta"]["parameters"],
                         {"student": "erf,he3", "mu": "0.1:1:4", "nu": 0, "gamma": 0, "noise": 0,
                          "lr-ratio": 1, "time-unit": "raw", "seed": 0})
        self.assertEqual(len(document["rows"]), len(table))
        for a, b in zip(table, document["rows"]):
            for column, text in a.items():
                if b[column] is None:
                    self.assertEqual(text, "nan")
                elif isinstance(b[column], str):
                    self.assertEqual(text, b[column])
                else:
                    self.assertEqual(float(text), b[column])
        self.assertEqual((self.path / "t.h5").read_bytes()[:4], b"\x89HDF")
        self.assertEqual(self.files(), ["t.csv", "t.h5", "t.json"])

    def test_the_number_of_threads_changes_nothing(self):
        results = []
        for threads in ["1", "2", "5", "0"]:
            done = run("rates", "--student", "tanh,he5", "--mu", "0.01:0.99:1500", "--nu", "0,0.2",
                       "--threads", threads)
            results.append([line for line in done.stdout.splitlines() if not line.startswith("#")])
            self.assertEqual(len(results[-1]), 6001)
        self.assertTrue(all(r == results[0] for r in results))

    def test_however_it_is_spelt_a_function_has_the_same_numbers(self):
        for spellings in ("relu,max(x,0),x*step(x),(x+abs(x))/2,relu(2*x)/2",
                          "silu,x/(1+exp(-x)),x*sigmoid,x*exp(x)/(1+exp(x))",
                          "sigmoid,1/(1+exp(-x)),(1+tanh(x/2))/2", "softplus,log(1+exp(x))",
                          "tanh,2*sigmoid(2*x)-1,(exp(x)-exp(-x))/(exp(x)+exp(-x))",
                          "gelu,x*(1+erf(x/sqrt(2)))/2", "he3,x^3-3*x,he3(x)",
                          "max(x,0.1*x),0.9*relu+0.1*x", "relu(x-1),max(x,1)-1,(abs(x-1)+x-1)/2",
                          "sin(3*x),3*sin-4*sin^3", "erf(2*x)*tanh,tanh(x)*erf(x+x)"):
            # The flow of products and of shifted kinks takes long, and adds nothing.
            whole = spellings.split(",")[0] in ("relu", "sigmoid", "tanh", "he3")
            for command in ("rates", "escape") if whole else ("rates",):
                done = run(command, "--student", spellings, "--mu", "0.3,0.6")
                self.assertEqual(done.returncode, 0, done.stderr)
                table = rows(done.stdout)
                self.assertEqual(len(table) // 2, 1 + len(re.findall(r",(?![^()]*\))", spellings)))
                for i, row in enumerate(table):
                    known = table[i % 2]
                    for column in ("A", "B", "tau") if command == "rates" else ("tau", "t_hit"):
                        self.assertAlmostEqual(float(row[column]) / float(known[column]), 1.0,
                                               delta=1e-9, msg=f"{row} {known}")

    def test_bad_input_gets_one_line(self):
        ask = ["rates", "--mu", "0.5", "--student"]
        self.refused("--student 'rellu': unknown activation 'rellu'; the nearest are relu, gelu "
                     "(column 1)", *ask, "rellu")
        self.refused("--student '(erf+he3': unbalanced bracket: '(' is not closed (column 1)", *ask,
                     "(erf+he3")
        self.refused("--student 'erf)': unbalanced bracket: ')' without '(' (column 4)", *ask, "erf)")
        self.refused("--student 'he3+{a}*he5': nothing sets the parameter {a} (column 5)", *ask,
                     "he3+{a}*he5")
        self.refused("--student 'he41': a degree above 40 (column 1)", *ask, "he41")
        self.refused("--student 'linear^20*he21': the degree of a polynomial is 41, but must be at "
                     "most 40 (column 1)", *ask, "linear^20*he21")
        self.refused("--student 'erf+log(x)': 'log' needs what is above zero everywhere, and it is "
                     "not at x = 0 (column 5)", *ask, "erf+log(x)")
        self.refused("--student '2*exp(x^2/8)': 'exp' grows faster than a Gaussian average allows "
                     "(column 3)", *ask, "2*exp(x^2/8)")
        self.refused("the student is 'step(x-1)', which jumps at x = 1, but must be continuous; a "
                     "teacher may jump", *ask, "step(x-1)")
        self.refused("--student '': an activation is missing (column 1)", *ask, "erf,")
        self.refused("--teacher 'err': unknown activation 'err'; the nearest are erf, exp (column 1)",
                     *ask, "erf", "--teacher", "err")
        self.refused("--teacher is 'erf,relu', but must be one activation, or one for each of the 3 "
                     "students", *ask, "erf,relu,tanh", "--teacher", "erf,relu")
        ask = ["rates", "--student", "erf", "--mu"]
        form = "a number, a list a,b,c, a range lo:hi:n, or log:lo:hi:n"
        self.refused("--mu is '1:0:5', but must be a range that is not reversed, with lo < hi", *ask,
                     "1:0:5")
        self.refused("--mu is '1:1:5', but must be a range that is not empty, with lo < hi", *ask,
                     "1:1:5")
        self.refused(f"--mu is 'half', but must be {form}", *ask, "half")
        self.refused("--mu is 'nan', but must be finite", *ask, "nan")
        self.refused("--mu is 'inf', but must be finite", *ask, "inf")
        self.refused("--nu is '-0.1', but must be >= 0", *ask, "0.5", "--nu", "-0.1")
        self.refused("--nu is 'nan', but must be finite", *ask, "0.5", "--nu", "nan")
        self.refused("--lr-ratio is '-1', but must be >= 0", *ask, "0.5", "--lr-ratio=-1")
        self.refused("--time-unit is 'second', but must be raw or fisher", *ask, "0.5",
                     "--time-unit", "second")
        self.refused("--output is 't.txt', but must be a name that ends in .csv, .json or .h5, or "
                     "--format given", *ask, "0.5", "-o", "t.txt")
        self.refused("--output 'no/t.csv' can't be written: there is no directory 'no'", *ask, "0.5",
                     "-o", "no/t.csv")
        self.refused("--plot is 't.bmp', but must be a name that ends in .svg, .pdf, .png or .tex",
                     *ask, "0.5", "-o", "t.csv", "--plot", "t.bmp")
        self.refused("--plot 'no/t.svg' can't be written: there is no directory 'no'", *ask, "0.5",
                     "--plot", "no/t.svg")
        self.refused("--studnet is no option of loradyn rates; the nearest are --student", "rates",
                     "--studnet", "erf")
        self.refused("'rate' is no command of loradyn; the nearest are rates", "rate")
        self.refused("--student is missing: name an activation, such as --student erf", "rates")
        self.refused("--mu is missing: give the alignments, such as --mu 0.1:0.9:9", "rates",
                     "--student", "erf")

    def test_a_student_is_paired_with_each_of_many_teachers(self):
        done = run("rates", "--student", "relu", "--teacher", "relu,erf", "--mu", "0.5", "-o",
                   "t.csv", "--plot", "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = rows((self.path / "t.csv").read_text())
        self.assertEqual([(r["student"], r["teacher"]) for r in found],
                         [("relu", "relu"), ("relu", "erf")])
        for row in found:
            alone = rows(run("rates", "--student", "relu", "--teacher", row["teacher"], "--mu",
                             "0.5").stdout)
            self.assertEqual(alone, [row])
        self.assertIn("'relu / erf'", (self.path / "f.gp").read_text())
        self.refused("--teacher is 'relu,erf,he3', but must be one activation, or one for each of "
                     "the 2 students", "rates", "--student", "relu,erf", "--teacher",
                     "relu,erf,he3", "--mu", "0.5")

    def test_learning_rate_ratios_are_a_sweep(self):
        words = ["rates", "--student", "erf", "--mu", "0.2,0.5", "--lr-ratio", "0.1,1,10"]
        done = run(*words, "-o", "t.csv", "--plot", "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = rows((self.path / "t.csv").read_text())
        self.assertEqual([(r["lr_ratio"], r["mu"]) for r in found],
                         [(k, m) for k in ("0.1", "1", "10") for m in ("0.2", "0.5")])
        for row in found:
            # λ² + 2κR_Q λ = κA², where 2R_Q = -B.
            a, b, rate, ratio = (float(row[name]) for name in ("A", "B", "lambda", "lr_ratio"))
            self.assertAlmostEqual(rate * (rate - ratio * b) / (ratio * a * a), 1.0, delta=1e-9)
        script = (self.path / "f.gp").read_text()
        self.assertIn("'erf, κ = 0.1'", script)
        done = run("plot", "t.csv", "-o", "g.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.path / "f.dat").read_text(), (self.path / "g.dat").read_text())
        self.assertNotIn("lr_ratio", rows(run(*words[:-1], "1").stdout)[0])

    def test_how_numbers_are_made_is_told(self):
        for student, method in [("he3", "polynomials in closed form"), ("erf", "closed forms"),
                                ("tanh", "quadrature, tabulated where a flow goes")]:
            words = ["escape", "--student", student, "--mu", "0.5,0.6"]
            done = run(*words, "--verbose")
            self.assertEqual(rows(done.stdout), rows(run(*words).stdout))
            averages, work, error = done.stderr.splitlines()
            self.assertEqual(averages, f"loradyn: averages of {student}|{student}: {method}")
            sides, _, explicit, stiff, rejected = map(int, re.findall(r" (\d+) ", work))
            # Six for each explicit step, and one at the start of each part.
            self.assertGreaterEqual(sides, 6 * explicit)
            self.assertGreater(explicit, 10)
            self.assertGreaterEqual(explicit + stiff, rejected)
            self.assertRegex(error, "t_hit of mu = 0.[56], which took")
            self.assertLess(float(re.search(r"differs by (\S+) of it", error)[1]), 1e-7)
        for words in (["rates", "--student", "erf", "--mu", "0.5"], ["critical", "--student", "erf"],
                      ["fixed-points", "--student", "erf", "--mu", "0.5"],
                      ["trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "10"],
                      ["budget", "--student", "erf", "--t-pre", "0:2:3"],
                      ["phase", "--student", "erf", "--x", "mu=0.5:0.6:2", "--y", "nu=0:1:2"]):
            self.assertIn("loradyn: ", run(*words, "--verbose").stderr)
            self.assertNotIn(" of erf|erf", run(*words).stderr)

    def test_what_does_nothing_is_refused(self):
        for command in (["rates", "--student", "erf", "--mu", "0.5"], ["critical", "--student", "erf"]):
            for option in ("--gamma", "--noise"):
                self.refused(f"{option} is '0.5', but must be left out: nothing that {command[0]} "
                             "tells depends on it", *command, option, "0.5")
                self.assertEqual(run(*command, option, "0").returncode, 0)
            self.assertNotIn("--gamma", run(*command, "--help").stdout)
        self.write("gamma = 0.5\n")
        ask = ["rates", "--student", "erf", "--mu", "0.5", "--config", "c.toml"]
        self.assertEqual(run(*ask, cwd=self.path).returncode, 0)
        self.write("[rates]\ngamma = 0.5\n")
        self.refused("--gamma is '0.5', but must be left out: nothing that rates tells depends on it",
                     *ask)
        phase = ["phase", "--student", "erf", "--x", "mu=0.1:0.9:3", "--y", "nu=0:1:3"]
        self.refused("--batch is '3', but must be left out: it does nothing without --engine", *phase,
                     "--batch", "3")
        self.refused("--m0 is '0.1', but must be left out: --only tau has no run", *phase, "--only",
                     "tau", "--m0", "0.1")
        self.refused("--signed is 'true', but must be left out: it does nothing without --event or "
                     "--at", "simulate", "--student", "erf", "--mu", "0.5", "--dim", "100", "--batch",
                     "5", "--lr", "0.1", "--steps", "10", "--signed")

    def test_a_full_disk_is_told(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with open("/dev/full", "w") as full:
            done = subprocess.run([LORADYN, "rates", "--student", "erf", "--mu", "0.5"], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr,
                         "loradyn: standard output can't be written: No space left on device\n")

    def test_a_reader_that_goes_away_is_no_error_message(self):
        first = subprocess.run(
            f"'{LORADYN}' rates --student erf --mu 0:1:20000 | head -n 1", shell=True,
            capture_output=True, text=True)
        self.assertTrue(first.stdout.startswith("# loradyn"))
        self.assertEqual(first.stderr, "")

    def test_an_interrupted_sweep_keeps_what_is_finished(self):
        # A pair whose kinks meet has no tables there, and takes the longest.
        words = ["rates", "--student", "relu(x-1)*tanh", "--mu", "0.01:0.99:200000", "--nu", "0.3", "-o",
                 "t.csv"]
        process = subprocess.Popen([LORADYN, *words], stderr=subprocess.PIPE, text=True,
                                   cwd=self.path)
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        complaint = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)
        finished = len(rows((self.path / "t.csv").read_text()))
        self.assertTrue(0 < finished < 200000)
        self.assertEqual(complaint,
                         f"loradyn: interrupted; the {finished} of 200000 points that were finished "
                         "are in the table. For all of them run: loradyn rates --student "
                         "'relu(x-1)*tanh' --mu 0.01:0.99:200000 --nu 0.3 -o t.csv\n")


class Critical(unittest.TestCase):
    def test_columns_and_known_roots(self):
        done = run("critical", "--student", "he2,he3,he4,he6,he8,he10")
        self.assertEqual(done.returncode, 0, done.stderr)
        table = rows(done.stdout)
        self.assertEqual(list(table[0]), "student,teacher,mu_c,B,slope,status".split(","))
        found = [(r["student"], float(r["mu_c"])) for r in table]
        expected = [("he3", 0.3207243473230675), ("he10", 0.3967893025649656),
                    ("he10", 0.5732010245551071)]
        self.assertEqual([s for s, _ in found], [s for s, _ in expected])
        for (_, a), (_, b) in zip(found, expected):
            self.assertAlmostEqual(a, b, places=14)
        self.assertTrue(all(r["status"] == "diverges" for r in table))

    def test_no_root_is_a_table_without_rows(self):
        done = run("critical", "--student", "he2", "--mu", "0:1")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.splitlines()[-1], "student,teacher,mu_c,B,slope,status")

    def test_a_piece_without_an_answer_leaves_the_others(self):
        done = run("critical", "--student", "he3,relu^2", "--teacher", "he3", "--mu=-0.4:0.4")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(r["student"], r["mu_c"], r["status"]) for r in rows(done.stdout)
                          if r["mu_c"] == "0"],
                         [("he3", "0", "diverges"), ("relu^2", "0", "touches")])
        done = run("critical", "--student", "erf,he3", "--mu", "0.1:4e50")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual({r["status"] for r in rows(done.stdout)}, {"no-convergence"})
        self.assertRegex(done.stdout, r"# unresolved: erf\|erf on [0-9.e+]+:4e\+50\n")

    def test_bad_intervals(self):
        for text, expected in [("1:0", "a range that is not reversed, with lo < hi"),
                               ("0:1:5", "an interval lo:hi"), ("0:nan", "finite")]:
            done = run("critical", "--student", "he3", "--mu", text)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr, f"loradyn: --mu is '{text}', but must be {expected}\n")
        done = run("critical", "--student", "he3", "--nu", "0,0.1")
        self.assertEqual(done.returncode, 2)


class Config(InTemporaryDirectory):
    def test_the_command_line_wins_then_the_table_of_the_command(self):
        self.write('student = ["erf,he2", "he3"]\nnu = 0.5\nmu = [0.1, 0.2]\n[rates]\nnu = 0.25\n'
                   '[critical]\nmu = "-1:1"\n')
        done = run("rates", "--config", "c.toml", "--mu", "0.75", cwd=self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(r["student"], r["mu"], r["nu"]) for r in rows(done.stdout)],
                         [(s, "0.75", "0.25") for s in ["erf", "he2", "he3"]])
        self.assertIn("# student: erf,he2 | he3\n", done.stdout)
        done = run("rates", "--config", "c.toml", cwd=self.path)
        self.assertEqual([r["mu"] for r in rows(done.stdout)], ["0.1", "0.2"] * 3)

    def test_faults_are_named(self):
        base = ["rates", "--config", "c.toml"]
        self.write('studnet = "erf"\n')
        self.refused("--config 'c.toml': studnet is no option of this command; the nearest are "
                     "student", *base)
        self.write("[rate]\nmu = 1\n")
        self.refused("--config 'c.toml': [rate] is no command; the nearest are rates", *base)
        self.write("mu = = 1\n")
        done = run(*base, cwd=self.path)
        self.assertEqual(done.returncode, 2)
        self.assertTrue(done.stderr.startswith("loradyn: --config 'c.toml', line 1, column "))
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.refused("'none.toml' can't be read: No such file or directory", "rates", "--config",
                     "none.toml")
        self.write('[rates]\nrefine = 1\n')
        self.refused("--config 'c.toml': refine is no option of this command; the nearest are "
                     "rank, train, noise",
                     *base)

    def test_a_key_at_the_top_may_be_another_commands(self):
        self.write('student = "erf"\nmu = 0.5\nrefine = 2\nt-pre = "0:1:3"\n')
        done = run("rates", "--config", "c.toml", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr, len(rows(done.stdout))), (0, "", 1))

    def test_it_may_be_standard_input(self):
        done = subprocess.run([LORADYN, "rates", "--config", "-", "-o", "-"], capture_output=True,
                              input='student = "erf"\nmu = 0.5\n', text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr, len(rows(done.stdout))), (0, "", 1))


class Escape(InTemporaryDirectory):
    def test_known_times_and_outcomes(self):
        done = run("escape", "--student", "erf,he3", "--mu", "0.5")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        erf, he3 = rows(done.stdout)
        self.assertAlmostEqual(float(erf["t_hit"]), 128.706772742, delta=1e-6)
        self.assertAlmostEqual(float(erf["u_hit"]), 0.085072529, delta=1e-8)
        self.assertAlmostEqual(float(he3["t_hit"]), 1.312440167, delta=1e-8)
        self.assertEqual((erf["outcome"], erf["status"]), ("learned", "ok"))
        self.assertAlmostEqual(float(erf["t_linear"]), float(erf["tau"]) * math.log(0.5 / 0.03))
        done = run("escape", "--student", "he3", "--mu", "0.1,0.32,0.33")
        self.assertEqual([r["outcome"] for r in rows(done.stdout)],
                         ["unlearned", "unlearned", "learned"])

    def test_events_close_to_rest_are_met(self):
        for name, mu, at, t in [("erf", "0.5", "0.99999", 252.05410905),
                                ("relu", "0.5", "0.99999", 80.361812),
                                ("linear", "0.5", "0.99999", 40.375552),
                                ("he2", "0.4", "0.99995", 5.01486116)]:
            done = run("escape", "--student", name, "--mu", mu, "--event", "M", "--at", at)
            row, = rows(done.stdout)
            self.assertEqual((row["outcome"], row["status"]), ("learned", "ok"))
            self.assertAlmostEqual(float(row["t_hit"]) / t, 1, delta=2e-8)
        done = run("escape", "--student", "relu", "--mu", "0.5", "--nu", "0.2", "--event", "risk",
                   "--at", "1e-10")
        self.assertAlmostEqual(float(rows(done.stdout)[0]["t_hit"]), 102.24496, delta=2e-5)

    def test_what_was_found_before_a_limit_stays(self):
        whole, = rows(run("escape", "--student", "tanh", "--mu", "0.5").stdout)
        limit = str(float(whole["t_hit"]) + 0.3)
        row, = rows(run("escape", "--student", "tanh", "--mu", "0.5", "--t-max", limit).stdout)
        self.assertEqual((row["outcome"], row["status"]), ("searching", "time-limit"))
        self.assertEqual(row["t_hit"], whole["t_hit"])
        # Of a pair with closed kernels the risk proves at the event where the run leads.
        row, = rows(run("escape", "--student", "erf", "--mu", "0.5", "--t-max", "129").stdout)
        self.assertEqual((row["outcome"], row["status"]), ("learned", "ok"))
        self.assertAlmostEqual(float(row["t_hit"]), 128.706772742, delta=1e-6)

    def test_a_number_too_large_for_the_kernels_costs_its_own_row_alone(self):
        for mu in ["1e60", "1e160", "1e200", "1e308"]:
            for student in ["erf", "relu", "he3", "tanh", "relu*tanh"]:
                done = run("rates", "--student", student, "--mu", f"0.5,{mu}")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual([r["status"] for r in rows(done.stdout)], ["ok", "overflow"])
                self.assertEqual(rows(done.stdout)[1]["tau"], "nan")
        for words in [["escape"], ["fixed-points"], ["escape", "--dim", "100"]]:
            done = run(*words, "--student", "erf,he3", "--mu", "0.5,1e200")
            self.assertEqual(done.returncode, 0, done.stderr)
            table = rows(done.stdout)
            self.assertTrue(all(r["status"] == "ok" for r in table if r["mu"] == "0.5"))
            self.assertTrue(all(r["status"] != "ok" for r in table if r["mu"] != "0.5"))

    def test_no_fault_of_ours_is_told_as_one_of_the_input(self):
        for words in [["escape", "--student", "relu", "--teacher", "he3", "--mu", "0.5"],
                      ["escape", "--student", "relu", "--teacher", "he3+0.5*he5", "--mu=.5,4.5",
                       "--nu", ".16", "--gamma", ".096"],
                      ["fixed-points", "--student", "relu-0.5*linear", "--teacher", "sin", "--mu",
                       ".5"],
                      ["critical", "--student", "relu*he2", "--mu=-2:5"]]:
            done = run(*words)
            self.assertIn(done.returncode, (0, 3), done.stderr)
            self.assertTrue(rows(done.stdout))

    def test_the_law(self):
        done = run("escape", "--student", "erf", "--mu", "0.5,1", "--gamma", "1", "--dim", "1000",
                   "--quantiles", "0.07,0.1,0.5,0.975")
        at_half, at_one = rows(done.stdout)
        self.assertAlmostEqual(float(at_half["t_q10"]), 103.26, delta=0.05)
        self.assertAlmostEqual(float(at_half["t_q50"]), 143.9, delta=0.05)
        self.assertIn("t_q97.5", at_half)
        self.assertIn("t_q07", at_half)
        # One row that has no law does not take the others'.
        done = run("escape", "--student", "erf", "--mu", "0.2,0.5", "--u0", "-0.3", "--m0", "0.9",
                   "--event", "risk", "--at", "0.04", "--dim", "1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(rows(done.stdout)[1]["law"], "no-escape")
        self.assertEqual(at_half["law"], "ok")
        self.assertEqual((at_one["t_q50"], at_one["law"]), ("nan", "no-instability"))

    def test_dimensions_and_levels_are_sweeps(self):
        ask = ["escape", "--student", "erf", "--mu", "0.5", "--gamma", "0.5"]
        done = run(*ask, "--dim", "100,1000,10000", "--at", "0.1,0.5", "-o", "t.csv", "--plot",
                   "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = rows((self.path / "t.csv").read_text())
        self.assertEqual([(r["at"], r["dim"]) for r in found],
                         [(a, d) for a in ("0.1", "0.5") for d in ("100", "1000", "10000")])
        for row in found:
            alone = rows(run(*ask, "--dim", row["dim"], "--at", row["at"]).stdout)[0]
            self.assertEqual(alone, {k: v for k, v in row.items() if k not in ("dim", "at")})
            samples = float(row["t_hit"]) * float(row["dim"]) / 0.5
            self.assertAlmostEqual(float(row["samples"]) / samples, 1.0, delta=1e-14)
        script = (self.path / "f.gp").read_text()
        self.assertIn("'dimension d'", script)
        self.assertIn("'erf, at = 0.1'", script)
        run("plot", "t.csv", "-o", "g.svg", cwd=self.path)
        self.assertEqual((self.path / "f.dat").read_text(), (self.path / "g.dat").read_text())
        self.assertEqual(rows(run(*ask[:-2], "--dim", "100").stdout)[0]["samples"], "nan")

    def test_the_rate_of_the_end_is_the_slowest_at_rest(self):
        for words in (["--mu", "0.2"], ["--mu", "0.5", "--nu", "0.2", "--gamma", "0.1"]):
            end = rows(run("escape", "--student", "he3", *words).stdout)[0]
            rests = rows(run("fixed-points", "--student", "he3", *words).stdout)
            near = min(rests, key=lambda r: abs(float(r["M"]) - float(end["M_end"])))
            self.assertEqual(near["kind"], "sink")
            self.assertAlmostEqual(float(end["rate_end"]) / -float(near["eig1"]), 1.0, delta=1e-6)
        cut = rows(run("escape", "--student", "he3", "--mu", "0.5", "--t-max", "0.1").stdout)[0]
        self.assertEqual(cut["rate_end"], "nan")

    def test_fisher_time(self):
        raw = rows(run("escape", "--student", "he3", "--mu", "0.5").stdout)[0]
        fisher = rows(run("escape", "--student", "he3", "--mu", "0.5", "--time-unit",
                          "fisher").stdout)[0]
        for column in ["tau", "t_hit", "t_linear"]:
            self.assertAlmostEqual(float(fisher[column]), 18 * float(raw[column]), places=9)

    def test_a_sweep_over_every_parameter_is_the_same_on_any_number_of_threads(self):
        words = ["escape", "--student", "erf,relu", "--mu", "0.2:0.8:13", "--nu", "0,0.2",
                 "--gamma", "0,0.5", "--noise", "0.1", "--lr-ratio", "1,2"]
        one = run(*words, "--threads", "1")
        self.assertEqual(one.returncode, 0, one.stderr)
        self.assertEqual(len(rows(one.stdout)), 2 * 13 * 2 * 2 * 2)
        two = run(*words, "--threads", "2")
        self.assertEqual(one.stdout.replace("--threads 1", ""), two.stdout.replace("--threads 2", ""))

    def test_a_failed_point_has_a_status_and_the_sweep_goes_on(self):
        done = run("escape", "--student", "erf", "--mu", "0.9,0.2", "--max-steps", "100")
        self.assertEqual(done.returncode, 0)
        self.assertEqual([r["status"] for r in rows(done.stdout)], ["ok", "step-limit"])
        # The event came, the rest did not: a result.
        done = run("escape", "--student", "erf", "--mu", "0.9", "--max-steps", "60", "--at",
                   "0.05", "--gamma", "1e-9")
        self.assertEqual((done.returncode, rows(done.stdout)[0]["status"]), (0, "step-limit"))
        # Beside a critical alignment of rates of 1e10 the velocity at rest is rounding.
        done = run("escape", "--student", "he14", "--mu", "0.35383")
        self.assertEqual([(r["outcome"], r["status"]) for r in rows(done.stdout)],
                         [("trapped", "ok")])
        done = run("escape", "--student", "erf", "--mu", "0.9,0.95", "--max-steps", "50")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        done = run("escape", "--student", "relu", "--mu", "0,0.5")
        self.assertEqual([r["status"] for r in rows(done.stdout)][1], "ok")
        for row in rows(done.stdout):
            if row["t_hit"] == "nan":
                self.assertNotEqual(row["status"], "ok")

    def test_faults_are_named(self):
        base = ["escape", "--student", "erf", "--mu", "0.5"]
        for words, message in [
            (["--m0", "0.9", "--s0", "0.9"],
             "--m0 0.9 with --s0 0.9 is m0^2 + s0^2 = 1.62, but must be at most 1"),
            (["--u0", "inf"], "--u0 is 'inf', but must be finite"),
            (["--gamma", "-1"], "--gamma is '-1', but must be >= 0"),
            (["--noise=-1"], "--noise is '-1', but must be >= 0"),
            (["--lr-ratio=-1"], "--lr-ratio is '-1', but must be >= 0"),
            (["--at", "1.5"], "--at is '1.5', but must be between 0 and 1 for |m|"),
            (["--event", "risk"], "--at is missing: give the value that risk reaches"),
            (["--event", "loss"], "--event is 'loss', but must be m, M or risk"),
            (["--m0", "0.7"],
             "--event m --at 0.5 is met by the start, but must be an event that the start does "
             "not meet"),
            (["--dim", "2"], "--dim is '2', but must be >= 3"),
            (["--at", "0.1,1.5"], "--at is '1.5', but must be between 0 and 1 for |m|"),
            (["--quantiles", "0.1"],
             "--quantiles is '0.1', but must be left out: it does nothing without --dim"),
            (["--event", "risk", "--at", "0.1", "--signed"],
             "--signed is given, but must be left out: it does nothing for the risk"),
            (["--dim", "100", "--signed"],
             "--signed is given with --dim, but must be left out: half of the random starts lead "
             "to the other sign"),
            (["--rtol", "1"], "--rtol is '1', but must be between 1e-13 and 0.1"),
            (["--stepper", "euler"], "--stepper is 'euler', but must be auto, explicit or stiff"),
        ]:
            self.refused(message, *base, *words)

    def test_its_figure(self):
        done = run("escape", "--student", "he3,erf", "--mu", "0.1:0.9:17", "-o", "t.json", "--plot",
                   "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        data = (self.path / "f.dat").read_text()
        for label in ["# he3", "# erf", "# learned", "# unlearned", "log(at/m0)"]:
            self.assertIn(label, data)


class FixedPoints(InTemporaryDirectory):
    def test_he3_below_its_critical_alignment(self):
        done = run("fixed-points", "--student", "he3", "--mu", "0.2", "--plot", "f.svg",
                   cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = [(round(float(r["M"]), 6), r["kind"]) for r in rows(done.stdout)]
        self.assertEqual(found, [(1.0, "sink"), (0.0, "sink"), (0.2, "saddle"),
                                 (0.320724, "saddle")])
        self.assertIn("vectors", (self.path / "f.gp").read_text())

    def test_its_plane_has_all_of_the_edge_and_tells_what_is_off_it(self):
        done = run("fixed-points", "--student", "he3", "--mu", "0.2", "--plot", "f.svg", "-o",
                   "t.csv", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        part = (self.path / "f.dat").read_text().split("# m′ = 0\n")[1].split("\n\n\n")[0]
        edges = [[tuple(map(float, line.split())) for line in piece.splitlines()]
                 for piece in part.split("\n\n")][-2:]
        for edge, m in zip(edges, [1, -1]):
            self.assertEqual([p[1] for p in edge], [m, m])
            self.assertEqual(edge[0][0], -edge[1][0])
            self.assertGreater(edge[1][0], 0.8)
        self.assertNotIn("another s", (self.path / "f.gp").read_text())
        done = run("fixed-points", "--student", "erf", "--mu", "0.3", "--nu", "0.5", "--gamma", "0.2",
                   "--plot", "f.svg", "-o", "t.csv", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        script = (self.path / "f.gp").read_text()
        self.assertIn("set title 'the plane s = 0'", script)
        self.assertIn("title 'sink at another s'", script)

    def test_over_mu(self):
        done = run("fixed-points", "--student", "erf", "--mu", "0.1:0.9:5", "--gamma", "0.5",
                   "--noise", "0.1", "--plot", "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual({r["mu"] for r in rows(done.stdout)}, {"0.1", "0.3", "0.5", "0.7", "0.9"})


class FrozenAmplitude(InTemporaryDirectory):
    scratch = ["--mu", "0", "--u0", "1", "--m0", "0.1", "--lr-ratio", "0"]

    def test_from_scratch_on_the_sphere(self):
        table = rows(run("escape", "--student", "linear,erf,relu,he2,he3", *self.scratch).stdout)
        # A linear student: m' = 1 - m².
        self.assertAlmostEqual(float(table[0]["t_hit"]), math.atanh(0.5) - math.atanh(0.1), places=8)
        for row in table:
            self.assertEqual((row["status"], row["outcome"], row["u_hit"], row["u_end"], row["tau"]),
                             ("ok", "learned", "1", "1", "nan"))
            self.assertAlmostEqual(float(row["m_end"]), 1.0, places=6)

    def test_with_noise_it_learns_as_far_as_noise_lets_it(self):
        row = rows(run("escape", "--student", "erf", *self.scratch, "--gamma", "0.2", "--noise",
                       "0.1").stdout)[0]
        self.assertEqual((row["status"], row["outcome"], row["u_end"]), ("ok", "learned", "1"))
        self.assertLess(float(row["m_end"]), 0.999)
        self.assertGreater(float(row["m_end"]), 0.98)

    def test_an_amplitude_that_is_too_small_is_no_target(self):
        row = rows(run("escape", "--student", "erf", "--mu", "0", "--u0", "0.5", "--m0", "0.1",
                       "--lr-ratio", "0").stdout)[0]
        self.assertEqual((row["status"], row["outcome"], row["u_end"]), ("ok", "trapped", "0.5"))
        self.assertAlmostEqual(float(row["M_end"]), 0.5, places=6)

    def test_there_is_no_search_and_no_law(self):
        row = rows(run("rates", "--student", "erf", "--mu", "0.5", "--lr-ratio", "0").stdout)[0]
        self.assertEqual((row["status"], row["lambda"], row["tau"]), ("frozen", "0", "nan"))
        row = rows(run("escape", "--student", "erf", *self.scratch, "--dim", "1000").stdout)[0]
        self.assertEqual((row["law"], row["t_q50"]), ("no-instability", "nan"))
        self.refused("--lr-ratio is '0', but must be > 0 here: with u frozen the equilibria are "
                     "curves over u", "fixed-points", "--student", "erf", "--mu", "0.5",
                     "--lr-ratio", "0")


class Trajectory(InTemporaryDirectory):
    def test_a_run_and_its_map(self):
        flow = rows(run("trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "100",
                        "--points", "11").stdout)
        self.assertEqual([float(r["t"]) for r in flow], [10.0 * i for i in range(11)])
        by_map = rows(run("trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "100",
                          "--points", "11", "--method", "map", "--lr", "0.01").stdout)
        self.assertAlmostEqual(float(flow[-1]["m"]), float(by_map[-1]["m"]), delta=1e-3)
        self.assertNotEqual(flow[-1]["m"], by_map[-1]["m"])
        log = rows(run("trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "100",
                       "--points", "log:5").stdout)
        self.assertEqual(float(log[-1]["t"]), 100.0)
        some = rows(run("trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "100",
                        "--points", "0:200:5").stdout)
        self.assertEqual([float(r["t"]) for r in some], [0.0, 50.0, 100.0])
        self.assertAlmostEqual(float(log[0]["t"]), 0.01)

    def test_stages(self):
        self.write("""[[stage]]
pretrain = "erf"
rho = 0.7
a0 = 0.1
time = 8
[[stage]]
teacher = "erf^2"
time = 5
[[stage]]
gamma = 0.1
noise = 0.01
until = "risk"
at = 0.05
""", "s.toml")
        done = run("trajectory", "--student", "erf", "--stages", "s.toml", "--plot", "f.svg", "-o",
                   "t.csv", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = (self.path / "t.csv").read_text()
        table = rows(text)
        self.assertEqual({r["stage"] for r in table}, {"1", "2", "3"})
        self.assertIn("# stage 1: t = 0 to 8: end-time\n", text)
        self.assertRegex(text, "# stage 3: t = 13 to [0-9.]+: event\n")
        self.assertAlmostEqual(float(table[-1]["risk"]), 0.05, places=6)

    def test_an_end_is_the_start_of_other_commands(self):
        ask = ["trajectory", "--student", "erf", "--points", "2", "-q"]
        whole = run(*ask, "--mu", "0.5", "--nu", "0.3", "--t-end", "20")
        half = run(*ask, "--mu", "0.5", "--nu", "0.3", "--t-end", "8", "--end-state", "e.toml",
                   cwd=self.path)
        self.assertEqual((half.returncode, half.stderr), (0, ""))
        rest = run(*ask, "--start", "e.toml", "--t-end", "12", cwd=self.path)
        self.assertEqual((rest.returncode, rest.stderr), (0, ""))
        first, last = rows(rest.stdout)
        for name in ["u", "m", "s", "M", "Q"]:
            self.assertEqual(first[name], rows(half.stdout)[-1][name])
            self.assertAlmostEqual(float(last[name]), float(rows(whole.stdout)[-1][name]), delta=1e-7)
        self.assertIn("# nu: 0.3\n", rest.stdout)
        escape = run("escape", "--student", "erf", "--start", "e.toml", "--event", "M", "--at",
                     "0.9", cwd=self.path)
        straight = run("escape", "--student", "erf", "--mu", "0.5", "--nu", "0.3", "--event", "M",
                       "--at", "0.9")
        self.assertAlmostEqual(float(rows(escape.stdout)[0]["t_hit"]) + 8,
                               float(rows(straight.stdout)[0]["t_hit"]), delta=1e-5)
        simulated = run("simulate", "--student", "erf", "--start", "e.toml", "--dim", "100",
                        "--batch", "4", "--lr", "0.1", "--steps", "2", "--points", "2", "--runs",
                        "2", cwd=self.path)
        for name in ["u", "m", "s", "Q"]:
            self.assertAlmostEqual(float(rows(simulated.stdout)[0][name + "_mean"]),
                                   float(first[name]), delta=1e-14)
        # Pre-training leaves its weight; a run that ends on the sphere's edge can be taken up.
        self.write("[[stage]]\npretrain = 'erf'\nrho = 0.7\ntime = 8\n", "s.toml")
        run(*ask, "--stages", "s.toml", "--end-state", "p.toml", cwd=self.path)
        self.assertRegex((self.path / "p.toml").read_text(), "^mu = 0[.].*\nnu = 0[.].*\nu = 1e-06\n")
        run("trajectory", "--student", "linear", "--mu", "0.3", "--nu", "0.4", "--t-end", "400",
            "--end-state", "edge.toml", "-q", cwd=self.path)
        edge = run(*ask[:1], "--student", "linear", "--start", "edge.toml", "--t-end", "1",
                   cwd=self.path)
        self.assertEqual((edge.returncode, edge.stderr), (0, ""))
        self.refused("--mu excludes --start", *ask, "--mu", "0.5", "--start", "e.toml", "--t-end",
                     "1")
        self.write("mu = 0.5\nnu = 0\nu = 1\nm = 0\n", "bad.toml")
        self.refused("--start 'bad.toml': s must be there, and a number", *ask, "--start",
                     "bad.toml", "--t-end", "1")
        self.write("mu = 9007199254740993\nnu = 0\nu = 1\nm = 0\ns = 0\n", "bad.toml")
        self.refused("--start 'bad.toml': mu must be there, and a number", *ask, "--start",
                     "bad.toml", "--t-end", "1")
        self.write("mu = 0.5\nnu = 0\nu = 1\nm = 0\ns = 0\nt = 1\n", "bad.toml")
        self.refused("--start 'bad.toml' must hold mu, nu, u, m and s alone", *ask, "--start",
                     "bad.toml", "--t-end", "1")

    def test_labels_and_flips(self):
        self.write("[[stage]]\nlabel = 'y^2'\nnoise = 0.1\ngamma = 0.5\ntime = 5\n[[stage]]\n"
                   "flip = true\n[[stage]]\ntime = 5\n", "s.toml")
        ask = ["trajectory", "--student", "erf", "--mu", "0.4", "--u0", "0.5", "--m0", "0.3",
               "--points", "0,5,5.001", "--stages"]
        done = run(*ask, "s.toml", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        table = rows(done.stdout)
        self.assertAlmostEqual(float(table[1]["u"]), -float(table[2]["u"]), delta=1e-3)
        self.assertGreater(abs(float(table[1]["u"])), 0.05)
        # A line through the label is a line through the teacher, and scales the noise.
        self.write("[[stage]]\nlabel = '2*y-1'\nnoise = 0.1\ntime = 5\n", "line.toml")
        self.write("[[stage]]\nteacher = '2*erf-1'\nnoise = 0.4\ntime = 5\n", "same.toml")
        for a, b in zip(rows(run(*ask, "line.toml", cwd=self.path).stdout),
                        rows(run(*ask, "same.toml", cwd=self.path).stdout)):
            self.assertAlmostEqual(float(a["m"]), float(b["m"]), delta=1e-12)
            self.assertAlmostEqual(float(a["risk"]), float(b["risk"]), delta=1e-12)
        self.write("[[stage]]\ntime = 5\n[[stage]]\nflip = true\n", "last.toml")
        self.refused("stage 2 is a flip, but must be followed by a stage that trains", *ask,
                     "last.toml")
        self.write("[[stage]]\nlr = 0.1\nsteps = 5\n[[stage]]\nflip = true\n", "last.toml")
        self.refused("--stages 'last.toml', stage 2: a flip must be followed by a stage that trains",
                     "simulate", "--student", "erf", "--mu", "0.4", "--dim", "50", "--batch", "2",
                     "--stages", "last.toml")
        self.write("[[stage]]\nflip = true\ntime = 5\n", "last.toml")
        self.refused("--stages 'last.toml', stage 1: time is no key of this stage; the nearest are "
                     "flip", *ask, "last.toml")
        self.write("[[stage]]\nlabel = 'erf'\ntime = 5\n", "last.toml")
        self.refused("--stages 'last.toml', stage 1: label is 'erf', but must be a polynomial in y, "
                     "such as y^2", *ask, "last.toml")
        self.write("[[stage]]\ntime = 5\n", "last.toml")
        several = run(*ask, "last.toml", "--nu", "0.1,0.2", cwd=self.path)
        self.assertEqual({row["nu"] for row in rows(several.stdout)}, {"0.1", "0.2"})

    def test_several_runs_are_a_family(self):
        words = ["trajectory", "--student", "erf", "--t-end", "200", "--points", "21"]
        done = run(*words, "--mu", "0.2,0.5", "-o", "t.csv", "--plot", "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = rows((self.path / "t.csv").read_text())
        self.assertEqual(len(found), 2 * 21)
        for mu in ("0.2", "0.5"):
            alone = rows(run(*words, "--mu", mu).stdout)
            self.assertEqual([{"mu": mu, **row} for row in alone],
                             [row for row in found if row["mu"] == mu])
        self.assertIn("# stage 1 at mu = 0.2: t = 0 to 200: end-time", (self.path / "t.csv").read_text())
        script = (self.path / "f.gp").read_text()
        self.assertEqual(script.count("title 'μ = 0.5'"), 4)
        done = run("plot", "t.csv", "-o", "g.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.path / "f.dat").read_text(), (self.path / "g.dat").read_text())
        # Two parameters, more than a key holds, any number of threads.
        wide = [*words, "--mu", "0.1:0.9:9", "--gamma", "0,1"]
        one, two = (run(*wide, "--threads", n).stdout for n in ("1", "2"))
        self.assertEqual(one.replace("--threads 1", ""), two.replace("--threads 2", ""))
        self.assertEqual(len(rows(one)), 9 * 2 * 21)
        self.refused("--end-state is 'e.toml', but must be left out: several runs have several ends",
                     *words, "--mu", "0.2,0.5", "--end-state", "e.toml")
        cut = run(*words, "--mu", "0.2,0.5", "--max-steps", "20")
        self.assertEqual(cut.returncode, 3)
        self.assertEqual(len(cut.stderr.splitlines()), 1)

    def test_faults_are_named(self):
        base = ["trajectory", "--student", "erf", "--mu", "0.5"]
        self.refused("--t-end is missing: say how long the run is", *base)
        self.refused("--lr is missing: the map needs a learning rate", *base, "--t-end", "1",
                     "--method", "map")
        self.refused("--lr is '0.1', but must be left out, or given with --method map", *base,
                     "--t-end", "1", "--lr", "0.1")
        self.write("[[stage]]\nteacher = 'erf'\n", "s.toml")
        self.refused("the end of stage 1 is open, but must be a duration or an event", *base,
                     "--stages", "s.toml")
        self.write("[[stage]]\ntime = 1\n", "s.toml")
        self.refused("--gamma is '5', but must be left out: each stage says its own", *base,
                     "--stages", "s.toml", "--gamma", "5")
        self.write("[[stage]]\nlr = 0.1\nsteps = 2\n", "s.toml")
        self.refused("--noise is '0.3', but must be left out: each stage says its own", "simulate",
                     *base[1:], "--dim", "60", "--batch", "4", "--stages", "s.toml", "--noise", "0.3")
        self.write("[[stage]]\ntecher = 'erf'\ntime = 1\n", "s.toml")
        self.refused("--stages 's.toml', stage 1: techer is no key of this stage; the nearest are "
                     "teacher", *base, "--stages", "s.toml")
        self.write("[[stage]]\npretrain = 'erf'\nrho = 1.5\ntime = 1\n", "s.toml")
        self.refused("rho (source overlap) is 1.5, but must be between -1 and 1",
                     "trajectory", "--student", "erf", "--stages", "s.toml")


class Budget(InTemporaryDirectory):
    def test_the_usual_event_is_a_tenth_of_what_a_student_of_zero_has_above_the_noise(self):
        # E[erf²] = asin(2/3) 2/π.
        power = 2 / math.pi * math.asin(2 / 3)
        for noise in ["0", "0.4"]:
            done = run("budget", "--student", "erf", "--t-pre", "1", "--noise", noise)
            at = float(re.search("# at: (.*)", done.stdout).group(1))
            self.assertAlmostEqual(at, 0.05 * power + float(noise) / 2, places=12)
        self.assertIn("noise/2 and a tenth of E[g^2]/2", " ".join(run("budget", "--help").stdout.split()))

    def test_the_best_time_is_told(self):
        done = run("budget", "--student", "erf", "--rho", "0.8", "--t-pre", "0:10:21", "--plot",
                   "f.svg", cwd=self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the least total cost is", done.stderr)
        table = rows(done.stdout)
        best = float(re.search("# best t_total: (.*)", done.stdout).group(1))
        self.assertLessEqual(best, min(float(r["t_total"]) for r in table
                                       if r["t_total"] != "nan"))
        for row in table:
            self.assertAlmostEqual(float(row["mu"]) ** 2 * (1 - 0.64) / 0.64,
                                   float(row["nu"]) ** 2, places=9)

    def test_faults_are_named(self):
        base = ["budget", "--student", "erf"]
        self.refused("--rho is '1.2', but must be between -1 and 1", *base, "--t-pre", "1",
                     "--rho", "1.2")
        self.refused("--nu is '0.1', but must be left out: pre-training decides it", *base,
                     "--t-pre", "1", "--nu", "0.1")
        self.refused("--t-pre is missing: give the pre-training times, such as --t-pre 0:20:81",
                     *base)


class Simulate(InTemporaryDirectory):
    base = ["simulate", "--student", "erf", "--mu", "0.5", "--dim", "200", "--batch", "8", "--lr",
            "0.05", "--t-end", "20"]

    def test_a_table_of_averages(self):
        done = run(*self.base, "--runs", "50", "--points", "5")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("# gamma: 1.25\n", done.stdout)
        table = rows(done.stdout)
        self.assertEqual([int(r["step"]) for r in table], [0, 100, 200, 300, 400])
        self.assertEqual([float(r["t"]) for r in table], [0, 5, 10, 15, 20])
        self.assertEqual({r["runs"] for r in table}, {"50"})
        for row in table:
            self.assertLessEqual(float(row["m_q05"]), float(row["m_q50"]))
            self.assertGreaterEqual(float(row["risk_mean"]), 0)
            self.assertEqual(float(row["s_mean"]), 0)

    def test_runs_depend_on_the_seed_alone(self):
        words = [*self.base, "--runs", "40", "--event", "m", "--at", "0.1"]
        one = rows(run(*words, "--threads", "1").stdout)
        two = rows(run(*words, "--threads", "2").stdout)
        fewer = rows(run(*[w if w != "40" else "7" for w in words]).stdout)
        other = rows(run(*words, "--seed", "1").stdout)
        self.assertEqual(one, two)
        self.assertEqual(one[:7], fewer)
        self.assertNotEqual(one, other)
        for row in one:
            self.assertEqual(row["status"] == "ok", row["t_hit"] != "nan")

    def test_both_engines_and_every_parameter(self):
        for engine in ["chain", "sgd"]:
            done = run(*self.base, "--runs", "5", "--engine", engine, "--nu", "0.3", "--noise",
                       "0.1", "--lr-ratio", "2", "--m0", "0.3", "--s0", "-0.1", "--u0", "0.01",
                       "--points", "log:4")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            first = rows(done.stdout)[0]
            self.assertEqual((first["m_mean"], first["s_mean"]), ("0.3", "-0.1"))

    def test_the_chain_runs_at_any_dimension(self):
        done = run("simulate", "--student", "erf", "--mu", "0.5", "--dim", "1e12", "--batch", "4",
                   "--lr", "0.01", "--steps", "50", "--runs", "3", "--m0", "0.1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_an_event_of_M_is_of_its_absolute_value_unless_signed(self):
        # M starts at -0.5 and goes to -1.
        ask = ["simulate", "--student", "he2", "--mu", "-0.5", "--dim", "200", "--batch", "20",
               "--lr", "0.005", "--t-end", "10", "--m0", "0.3", "--u0", "0.1", "--runs", "5",
               "--event", "M"]
        table = rows(run(*ask, "--at", "0.9").stdout)
        self.assertEqual({r["outcome"] for r in table}, {"hit"})
        flow = rows(run("escape", "--student", "he2", "--mu=-0.5", "--gamma", "0.05", "--m0", "0.3",
                        "--u0", "0.1", "--event", "M", "--at", "0.9").stdout)
        self.assertEqual(flow[0]["status"], "ok")
        for r in table:
            self.assertAlmostEqual(float(r["t_hit"]), float(flow[0]["t_hit"]), delta=1.0)
        signed = rows(run(*ask, "--at", "-0.9", "--signed").stdout)
        self.assertEqual([r["t_hit"] for r in signed], [r["t_hit"] for r in table])
        for command in [ask, ["escape", "--student", "he2", "--mu", "0.5", "--event", "M"]]:
            self.refused("--at is '-0.9', but must be >= 0 for |M|; --signed takes M itself",
                         *command, "--at=-0.9")

    def test_a_run_that_diverges_is_named_and_left_out(self):
        done = run("simulate", "--student", "he3", "--mu", "0.5", "--dim", "100", "--batch", "1",
                   "--lr", "0.3", "--steps", "400", "--runs", "20", "--m0", "0.3", "--points", "3")
        last = rows(done.stdout)[-1]
        self.assertGreater(int(last["diverged"]), 0)
        self.assertEqual(int(last["diverged"]) + int(last["runs"]), 20)
        self.assertIn("runs diverged, the first of them run ", done.stderr)

    def test_an_interrupted_ensemble_goes_on_with_the_same_bytes(self):
        words = ["simulate", "--student", "erf", "--mu", "0.5", "--dim", "1000", "--batch", "16",
                 "--lr", "0.01", "--t-end", "400", "--runs", "400", "--points", "5", "--threads",
                 "1", "-q", "-o", "t.csv"]
        whole = run(*words, cwd=self.path)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        expected = (self.path / "t.csv").read_text()
        (self.path / "t.csv").unlink()
        stopped = 0
        for _ in range(10):
            process = subprocess.Popen([LORADYN, *words], cwd=self.path, stderr=subprocess.PIPE,
                                       text=True)
            time.sleep(0.4)
            process.send_signal(signal.SIGINT)
            error = process.communicate()[1]
            if process.returncode == 0:
                break
            stopped += 1
            self.assertEqual(process.returncode, 130)
            self.assertIn("'t.csv.checkpoint' keeps them. To go on run: loradyn simulate", error)
            self.assertEqual(self.files(), ["t.csv.checkpoint"])
        self.assertGreater(stopped, 0)
        if not (self.path / "t.csv").exists():
            done = run(*words, cwd=self.path)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.path / "t.csv").read_text(), expected)
        self.assertEqual(self.files(), ["t.csv"])

    def test_figures(self):
        for words in [["--runs", "20", "--points", "6"],
                      ["--runs", "60", "--event", "m", "--at", "0.2"]]:
            done = run(*self.base, *words, "-o", "t.json", "--plot", "f.svg", cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            done = run("plot", "t.json", "-o", "g.svg", cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual((self.path / "f.dat").read_text(), (self.path / "g.dat").read_text())

    def test_stages(self):
        self.write("[[stage]]\nlr = 0.05\nsteps = 100\n[[stage]]\nteacher = 'erf^2'\n"
                   "lr = 0.01\ntime = 1\n", "s.toml")
        done = run("simulate", "--student", "erf", "--mu", "0.5", "--dim", "100", "--batch", "4",
                   "--stages", "s.toml", "--runs", "4", "--points", "3", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([float(r["t"]) for r in rows(done.stdout)], [0.0, 5.0, 6.0])

    def test_faults_are_named(self):
        def changed(option, value):
            words = list(self.base)
            words[words.index(option) + 1] = value
            return words

        whole = "a whole number from {} to {}"
        for words, message in [
            (changed("--dim", "2"),
             "--dim is '2', but must be " + whole.format(3, 2 ** 53)),
            ([*changed("--dim", "3"), "--nu", "0.1"],
             "--dim is '3', but must be " + whole.format(4, 2 ** 53)),
            (changed("--batch", "0"), "--batch is '0', but must be " + whole.format(1, 2 ** 53)),
            (changed("--batch", "1.5"),
             "--batch is '1.5', but must be " + whole.format(1, 2 ** 53)),
            (changed("--lr", "0"), "--lr is '0', but must be > 0"),
            ([*self.base, "--runs", "0"],
             "--runs is '0', but must be " + whole.format(1, 2 ** 32 - 1)),
            ([*self.base, "--seed", "9007199254740992"],
             "--seed is 9007199254740992, but must be at most 9007199254740991"),
            ([*self.base, "--gamma", "1"],
             "--gamma is '1', but must be left out: --dim, --batch and --lr make it"),
            ([*self.base, "--engine", "adam"], "--engine is 'adam', but must be chain or sgd"),
            ([*self.base, "--steps", "5"], "give either --steps or --t-end, the length of a run"),
        ]:
            self.refused(message, *words)
        done = run(*self.base, "--runs", "4000000000", "--points", "400", cwd=self.path)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "^loradyn: --runs is '4000000000', but must be at most .* "
                                      "here: 1.6e.12 recorded states take 3.84e.04 GB, and .* GB "
                                      "are free\n")
        self.assertEqual(len(done.stderr.splitlines()), 1)


class Validate(InTemporaryDirectory):
    def test_a_right_theory_passes(self):
        done = run("validate", "--student", "erf", "--mu", "0.5", "--gamma", "1", "--dim",
                   "300,1000", "--runs", "200", "--plot", "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        table = rows(done.stdout)
        self.assertEqual({r["check"] for r in table}, {"mean", "limit", "slope", "law"})
        self.assertNotIn("fail", {r["verdict"] for r in table})
        for row in table:
            if row["verdict"] == "untested":
                self.assertNotEqual(row["status"], "ok")

    def test_two_seeds_are_two_pieces_of_evidence(self):
        def at_1000(seed, dims):
            done = run("validate", "--student", "erf", "--mu", "0.5", "--gamma", "1", "--dim", dims,
                       "--seed", seed, "--runs", "20", "--points", "1", "--alpha", "1e-9", "-q")
            self.assertEqual(done.returncode, 0)
            return {(r["check"], r["quantity"]): (r["simulated"], r["seed"])
                    for r in rows(done.stdout) if r["dim"] == "1000"}

        one, other = at_1000("0", "300,1000"), at_1000("1", "1000,3000")
        self.assertEqual(one.keys(), other.keys())
        for key, (simulated, seed) in one.items():
            self.assertNotEqual(simulated, other[key][0])
            self.assertNotEqual(seed, other[key][1])
        self.assertNotEqual(one["mean", "m"][1], one["law", "t_hit"][1])
        # The reported seed repeats the ensemble.
        simulated, seed = one["mean", "m"]
        table = run("validate", "--student", "erf", "--mu", "0.5", "--gamma", "1", "--dim", "1000",
                    "--seed", "0", "--runs", "20", "--points", "1", "-q")
        t = next(r["t"] for r in rows(table.stdout) if r["check"] == "mean")
        again = run("simulate", "--student", "erf", "--mu", "0.5", "--dim", "1000", "--batch", "16",
                    "--lr", "0.016", "--t-end", t, "--u0", "1e-6", "--m0", "0.3", "--s0", "0",
                    "--runs", "20", "--points", "2", "--seed", seed)
        self.assertEqual(rows(again.stdout)[-1]["m_mean"], simulated)

    def test_a_theory_that_does_not_fit_fails(self):
        # At d = 60 the law of the escape time, of leading order in 1/d, is several percent off.
        done = run("validate", "--student", "erf", "--mu", "0.5", "--gamma", "4", "--dim", "60,100",
                   "--batch", "4", "--runs", "50", "--law-runs", "4000")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "^loradyn: [0-9]+ of [0-9]+ comparisons failed\n$")
        self.assertEqual({r["verdict"] for r in rows(done.stdout) if r["check"] == "law"}, {"fail"})

    def test_faults_are_named(self):
        base = ["validate", "--student", "erf", "--mu", "0.5", "--gamma", "1"]
        self.refused("--dim is missing: give the dimensions, such as --dim 300,1000,3000", *base)
        self.refused("--gamma is '0', but must be > 0 here: a simulation has batches", "validate",
                     "--student", "erf", "--mu", "0.5", "--dim", "100")
        self.refused("--dim is '2', but must be whole numbers from 4 to 9e15", *base, "--dim", "2")
        self.refused("--alpha is '2', but must be between 0 and 1", *base, "--dim", "100",
                     "--alpha", "2")


class Phase(InTemporaryDirectory):
    def test_its_command_makes_it_again(self):
        for words in [["--student", "he3+{a}*he5", "--x", "mu=0.1,0.5,0.8", "--y", "a=-0.4:0.4:3",
                       "--refine", "1", "--t-max", "1e5"],
                      ["--student", "relu", "--teacher", "tanh", "--x", "m0=0.01:0.2:3", "--y",
                       "u0=log:1e-6:1e-2:2", "--mu", "0.4", "--event", "m", "--signed", "--at",
                       "0.3", "--stepper", "stiff"],
                      ["--student", "erf", "--x", "mu=0.2:0.8:2", "--y", "dim=log:100:200:2",
                       "--engine", "chain", "--lr", "0.01", "--runs", "5", "--seed", "3",
                       "--quantiles", "0.1:0.9:3"],
                      ["--student", "erf", "--x", "mu=0.2:0.8:2", "--y", "nu=0:1:2", "--only",
                       "tau", "--time-unit", "fisher"]]:
            done = run("phase", *words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            command = re.search("# command: loradyn (.*)", done.stdout).group(1)
            self.assertEqual(run(*shlex.split(command)).stdout, done.stdout)

    def test_its_table_holds_the_problem_and_no_more(self):
        done = run("phase", "--student", "erf", "--x", "mu=0.2:0.8:2", "--y", "gamma=0.5,1", "-o",
                   "t.json", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        document = json.loads((self.path / "t.json").read_text())
        self.assertEqual(document["meta"]["parameters"], {
            "student": "erf", "time-unit": "raw",
            "x": {"parameter": "mu", "from": 0.2, "to": 0.8, "count": 2, "logarithmic": False},
            "y": {"parameter": "gamma", "values": [0.5, 1]},
            "nu": 0, "noise": 0, "lr-ratio": 1, "u0": 1e-6, "m0": 0.03, "s0": 0, "event": "m",
            "at": 0.5, "signed": False, "rtol": 1e-9, "atol": 1e-16, "stepper": "auto",
            "max-steps": 50000, "quantiles": [0.05, 0.25, 0.5, 0.75, 0.95], "only": "escape",
            "show": "t"})
        for change, fault in [({"x": "mu=0.2:0.8:2"},
                               'x is "mu=0.2:0.8:2", but must be an object of a parameter and its '
                               "values"),
                              ({"rtol": "1e-9"}, 'rtol is "1e-9", but must be a number'),
                              ({"teachers": "erf"}, "'teachers' is no part of it"),
                              ({"rtol": 1}, "rtol (relative tolerance) is 1, but must be "
                                            "between 1e-13 and 0.1"),
                              ({"noise": -1}, "--noise is -1, but must be >= 0")]:
            hurt = json.loads(json.dumps(document))
            hurt["meta"]["parameters"].update(change)
            (self.path / "h.json").write_text(json.dumps(hurt))
            self.refused("TABLE 'h.json': its parameters are no phase diagram's of this version of "
                         f"loradyn: {fault}", "plot", "h.json", "-o", "h.svg")

    def test_a_cell_is_the_escape_there(self):
        done = run("phase", "--student", "he3", "--x", "mu=0.2:0.8:4", "--y", "nu=0,0.1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        table = rows(done.stdout)
        escapes = rows(run("escape", "--student", "he3", "--mu", "0.2:0.8:4", "--nu",
                           "0,0.1").stdout)
        self.assertEqual(table, escapes)

    def test_every_parameter_may_be_an_axis(self):
        for axis, column in [("gamma=0,1", "gamma"), ("noise=0,0.1", "noise"),
                             ("lr-ratio=log:0.5:2:3", "lr_ratio"), ("m0=0.01,0.1", "m0"),
                             ("dim=1000,10000", "dim"), ("a=0,0.2", "a"), ("{a}=0,0.2", "a")]:
            student = "erf+{a}*he3" if "a=" in axis.replace("gamma", "") or "{a}" in axis else "erf"
            done = run("phase", "--student", student, "--x", "mu=0.3,0.6", "--y", axis)
            self.assertEqual((done.returncode, done.stderr), (0, ""), axis)
            table = rows(done.stdout)
            self.assertEqual(len({r[column] for r in table}), len(table) // 2, axis)
        self.assertIn("t_q50", rows(run("phase", "--student", "erf", "--x", "mu=0.3,0.6", "--y",
                                        "dim=1000,10000").stdout)[0])

    def test_degrees_as_an_axis(self):
        done = run("phase", "--student", "he{k}", "--x", "mu=0.5,0.6", "--y", "k=1:5:5",
                   "--time-unit", "fisher")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        he3 = rows(run("escape", "--student", "he3", "--mu", "0.5", "--time-unit",
                       "fisher").stdout)[0]
        cell = [r for r in rows(done.stdout) if r["k"] == "3" and r["mu"] == "0.5"][0]
        self.assertEqual(cell["t_hit"], he3["t_hit"])

    def test_the_search_time_alone(self):
        done = run("phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:5", "--y", "a=0,0.2",
                   "--only", "tau", "-o", "t.csv", "--plot", "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        table = rows((self.path / "t.csv").read_text())
        whole = rows(run("phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:5", "--y",
                         "a=0,0.2").stdout)
        self.assertEqual([r["tau"] for r in table], [r["tau"] for r in whole])
        self.assertEqual(list(table[0])[-2:], ["tau", "status"])

    def test_any_number_of_threads_gives_the_same_bytes(self):
        words = ["phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:17", "--y",
                 "a=-0.4:0.4:19", "-o", "t.csv"]
        texts = []
        for threads in ["1", "2"]:
            done = run(*words, "--threads", threads, cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            texts.append((self.path / "t.csv").read_text().replace(f"--threads {threads}", ""))
        self.assertEqual(*texts)

    def test_its_figure(self):
        for show in ["t", "tau", "risk", "outcome"]:
            done = run("phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:9", "--y",
                       "a=-0.4:0.4:9", "--show", show, "-o", "t.h5", "--plot", "f.svg",
                       cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        data = (self.path / "f.dat").read_text()
        self.assertIn("# map: x y outcome", data)
        self.assertIn("# A = 0", data)
        script = (self.path / "f.gp").read_text()
        self.assertIn("set label 'learned'", script)
        self.assertIn("set label 'unlearned'", script)
        done = run("plot", "t.h5", "-o", "g.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.path / "g.dat").read_text(), data)

    def test_a_map_of_outcomes_tells_those_that_it_has(self):
        done = run("phase", "--student", "he3", "--x", "mu=0.1:0.9:9", "--y", "noise=0:1:2", "--show",
                   "outcome", "-o", "t.csv", "--plot", "f.svg", cwd=self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({r["outcome"] for r in rows((self.path / "t.csv").read_text())},
                         {"learned", "unlearned"})
        script = (self.path / "f.gp").read_text()
        self.assertIn("set palette maxcolors 2\n", script)
        self.assertNotIn("searching", script)

    def test_the_command_in_a_table_makes_it_again(self):
        for words in [
            ["--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:4", "--y", "a=-0.4:0.4:4", "--refine",
             "1", "--event", "M", "--at", "0.2", "--signed", "--time-unit", "fisher"],
            ["--student", "erf", "--mu", "0.5", "--x", "dim=100,200", "--y", "noise=0,0.1",
             "--engine", "chain", "--lr", "0.1", "--runs", "5", "--seed", "3", "--show", "tau"],
        ]:
            done = run("phase", *words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            command = [line for line in done.stdout.splitlines()
                       if line.startswith("# command: loradyn ")][0]
            again = run(*shlex.split(command)[3:])
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertEqual(rows(again.stdout), rows(done.stdout))

    def test_of_a_large_map_a_million_places_are_drawn(self):
        done = run("phase", "--student", "he3", "--x", "mu=0.1:0.9:1101", "--y", "noise=0:1:1001",
                   "--only", "tau", "-o", "t.csv", "--plot", "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(self.path / "t.csv") as table:
            self.assertEqual(sum(1 for line in table if line[0] != "#"), 1 + 1101 * 1001)
        points = (self.path / "f.dat").read_text().split("\n\n")[0].splitlines()
        self.assertEqual(len(points), 1 + 551 * 501)
        self.assertTrue(points[2].startswith("0.10145454545"))

    def test_faults_are_named(self):
        x = ["--x", "mu=0.1:0.9:3"]
        for words, message in [
            ([*x, "--y", "mu=0.1:0.9:3", "--student", "erf"],
             "--y is 'mu=0.1:0.9:3', but must be another parameter than that of --x"),
            ([*x, "--y", "nu=0,0.1", "--student", "he3+{a}*he5"],
             "{a} in an activation is on no axis: give it with --x or --y"),
            ([*x, "--y", "b=0,0.1", "--student", "erf"],
             "--y 'b=0,0.1': b is neither a parameter nor in braces in an activation; the nearest "
             "are mu, nu, u0"),
            (["--x", "nu=0,0.1", "--y", "gamma=0,1", "--student", "erf"],
             "--mu is missing, but must be given, or on an axis"),
            ([*x, "--y", "nu=0,0.1", "--student", "erf", "--mu", "0.5"],
             "--mu is given, but must be left out: it is on an axis"),
            ([*x, "--y", "nu=-1,0", "--student", "erf"], "--y is 'nu=-1,0', but must be >= 0"),
            (["--x", "mu=0:1:100000", "--y", "nu=0:1:100000", "--student", "erf"],
             "--x is 'mu=0:1:100000', but must be of at most 1e+04 values here: 1e+10 cells are "
             "asked for, and 1e+09 are the most"),
            ([*x, "--student", "erf"], "--y is '', but must be PARAM=R, such as mu=0.1:0.9:33"),
            ([*x, "--y", "nu=0,1", "--student", "erf", "--show", "x"],
             "--show is 'x', but must be t, law, tau, risk, source-risk or outcome"),
            ([*x, "--y", "nu=0,1", "--student", "erf", "--show", "law", "--plot", "f.svg"],
             "--show is 'law', but must be t, tau, risk or outcome without --dim"),
            ([*x, "--y", "tau=0,0.1", "--student", "he3+{tau}*he5"],
             "{tau} in an activation is the name of a column; take another"),
            ([*x, "--y", "nu=0,0.1", "--student", "he3+{nu}*he5"],
             "--student 'he3+{nu}*he5': {nu} is the name of a parameter; take another"),
            ([*x, "--y", "nu=0,0.1", "--student", "erf", "--dim", "100", "--signed"],
             "--signed is given with --dim, but must be left out: half of the random starts lead "
             "to the other sign"),
        ]:
            self.refused(message, "phase", *words)


class Refinement(InTemporaryDirectory):
    base = ["phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:9", "--y", "a=-0.4:0.4:5",
            "--refine-step", "0.3", "-q", "--refine", "3"]

    def test_cells_are_added_where_neighbours_differ_and_nowhere_else(self):
        full = rows(run("phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:65", "--y",
                        "a=-0.4:0.4:33", "-q").stdout)
        cells = {(i % 65, i // 65): row for i, row in enumerate(full)}

        def differ(x, y, side):
            corners = [cells[x + i, y + k] for i in (0, side) for k in (0, side)]
            times = [math.log10(float(c["t_hit"])) for c in corners if c["t_hit"] != "nan"]
            return (len({c["outcome"] for c in corners}) > 1 or 0 < len(times) < 4 or
                    (len(times) == 4 and max(times) - min(times) > 0.3))

        expected = [(x, y) for y in range(0, 33, 8) for x in range(0, 65, 8)]
        squares = [(x, y) for x in range(0, 64, 8) for y in range(0, 32, 8)]
        for side in (8, 4, 2):
            half = side // 2
            divided = [s for s in squares if differ(*s, side)]
            added = {(x + i, y + k) for x, y in divided for i in (0, half, side)
                     for k in (0, half, side) if half in (i, k)}
            expected += sorted(added, key=lambda p: (p[1], p[0]))
            squares = [(x + i, y + k) for x, y in divided for i in (0, half) for k in (0, half)]
        refined = rows(run(*self.base).stdout)
        self.assertEqual(refined, [cells[p] for p in expected])
        self.assertLess(len(refined), len(full) // 2)

    def test_any_threads_stores_and_ranks_give_the_same_bytes(self):
        expected = run(*self.base, "--threads", "1")
        self.assertEqual((expected.returncode, expected.stderr), (0, ""))
        self.assertEqual(run(*self.base, "--threads", "2").stdout, expected.stdout)
        words = [LORADYN, *self.base, "--threads", "1", "--store", "s.sqlite"]
        moments = random.Random(7)
        for _ in range(8):
            process = subprocess.Popen(words, cwd=self.path, stderr=subprocess.DEVNULL)
            time.sleep(moments.uniform(0.01, 0.1))
            process.send_signal(signal.SIGKILL)
            process.wait()
        done = run("export", "s.sqlite", cwd=self.path)
        both = [subprocess.Popen(words, cwd=self.path, stderr=subprocess.PIPE, text=True)
                for _ in range(2)]
        for process in both:
            error = process.communicate(timeout=120)[1]
            self.assertEqual((process.returncode, error), (0, ""))
        done = run("export", "s.sqlite", cwd=self.path)
        self.assertEqual((done.stdout, done.stderr), (expected.stdout, ""))
        done = run("merge", "m.sqlite", "s.sqlite", cwd=self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("export", "m.sqlite", cwd=self.path).stdout, expected.stdout)
        if shutil.which("mpirun"):
            for more in [["-o", "t.csv"], ["-o", "t.csv", "--store", "r.sqlite"]]:
                done = mpirun(*self.base, *more, cwd=self.path)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual((self.path / "t.csv").read_text(), expected.stdout)

    def test_its_figure_and_that_of_its_table(self):
        done = run(*self.base, "-o", "t.h5", "--plot", "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        data = (self.path / "f.dat").read_text()
        self.assertEqual(len(data.split("\n\n")[0].splitlines()), 1 + 65 * 33)
        self.assertEqual(run("plot", "t.h5", "-o", "g.svg", cwd=self.path).returncode, 0)
        self.assertEqual((self.path / "g.dat").read_text(), data)

    def test_faults_are_named(self):
        self.refused("--refine is '40', but must be a whole number from 0 to 20", *self.base[:-2],
                     "--refine", "40")
        self.refused("--refine-step is '0.3', but must be left out: it does nothing without "
                     "--refine", *self.base[:-2])
        self.refused("--refine-step is '0', but must be > 0", *self.base[:-5], "--refine-step",
                     "0", "--refine", "2")
        self.refused("--refine is '20', but must be at most 12 here: the grid has up to 3.52e+13 "
                     "cells, and 1e+09 are the most",
                     *self.base[:-2], "--refine", "20")
        self.refused("--refine is 1, but must be 0 where an axis has one value", "phase",
                     "--student", "erf", "--x", "mu=0.5", "--y", "nu=0,0.1", "--refine", "1")
        done = run("phase", "--student", "he{k}", "--x", "mu=0.1,0.2", "--y", "k=1,2,3",
                   "--refine", "1")
        self.assertEqual(done.returncode, 2)
        self.assertTrue(done.stderr.startswith("loradyn: --refine: between the values of the axes"),
                        done.stderr)
        self.refused("--shard is '1/2', but must be left out with --refine, whose cells depend on "
                     "all others: several processes share a store, and ranks of MPI the work",
                     *self.base, "--shard", "1/2", "--store", "s.sqlite")


class Ensembles(InTemporaryDirectory):
    base = ["phase", "--student", "erf", "--x", "mu=0.3,0.5", "--y", "gamma=2,4", "--dim", "1000",
            "--engine", "chain", "--batch", "20", "--runs", "200", "-q"]

    def test_the_simulated_map_is_that_of_the_law(self):
        table = rows(run(*self.base).stdout)
        self.assertEqual(len(table), 4)
        for row in table:
            self.assertEqual((row["sim"], row["sim_runs"], row["sim_hit"]), ("ok", "200", "200"))
            # 200 runs have a median within 3 standard errors, of about tau / sqrt(200).
            self.assertLess(abs(float(row["sim_q50"]) - float(row["t_q50"])),
                            0.25 * float(row["tau"]))
            self.assertGreater(float(row["sim_p"]), 1e-4)
        self.assertEqual(len({row["sim_seed"] for row in table}), 4)

    def test_a_cell_can_be_simulated_alone(self):
        row = rows(run(*self.base).stdout)[1]
        done = run("simulate", "--student", "erf", "--mu", row["mu"], "--dim", "1000", "--batch",
                   "20", "--lr", "0.04", "--steps", "1000000", "--runs", "200", "--event", "m",
                   "--seed", row["sim_seed"])
        times = sorted(float(r["t_hit"]) for r in rows(done.stdout))
        self.assertEqual(row["gamma"], "2")
        self.assertAlmostEqual((times[99] + times[100]) / 2, float(row["sim_q50"]), places=9)

    def test_any_threads_stores_and_grids_give_the_same(self):
        expected = run(*self.base, "--threads", "1")
        self.assertEqual((expected.returncode, expected.stderr), (0, ""))
        self.assertEqual(run(*self.base, "--threads", "2").stdout, expected.stdout)
        done = run(*self.base, "--store", "s.sqlite", "-o", "t.csv", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.path / "t.csv").read_text(), expected.stdout)
        one = list(self.base)
        one[one.index("mu=0.3,0.5")] = "mu=0.5"
        self.assertEqual(rows(run(*one).stdout)[1], rows(expected.stdout)[3])
        other = rows(run(*self.base, "--seed", "1").stdout)
        self.assertNotEqual(other[0]["sim_q50"], rows(expected.stdout)[0]["sim_q50"])
        self.assertEqual(other[0]["t_q50"], rows(expected.stdout)[0]["t_q50"])

    def test_a_dimension_as_an_axis_and_a_fixed_learning_rate(self):
        table = rows(run("phase", "--student", "erf", "--mu", "0.5", "--x", "dim=log:300:1000:3",
                         "--y", "noise=0,0.1", "--engine", "chain", "--lr", "0.1", "--runs", "20",
                         "-q").stdout)
        self.assertEqual([row["dim"] for row in table[:3]], ["300", "548", "1000"])
        for row, gamma in zip(table, [1.875, 3.425, 6.25]):
            self.assertAlmostEqual(float(row["gamma"]), gamma, places=12)

    def test_fixed_starts_follow_the_ode(self):
        table = rows(run("phase", "--student", "erf", "--mu", "0.5", "--x", "m0=0.1,0.3", "--y",
                         "gamma=0.5,1", "--dim", "10000", "--engine", "chain", "--runs", "50",
                         "-q").stdout)
        for row in table:
            self.assertEqual(row["sim_p"], "nan")
            self.assertLess(abs(float(row["sim_q50"]) / float(row["t_hit"]) - 1.0), 0.1)

    def test_runs_without_the_event_are_told(self):
        row = rows(run(*self.base, "--steps", "500").stdout)[2]
        self.assertEqual((row["mu"], row["sim"], row["sim_mean"]), ("0.3", "some-missing", "nan"))
        self.assertGreater(float(row["sim_q05"]), 0.0)
        self.assertEqual(row["sim_q95"], "nan")
        row = rows(run(*self.base, "--steps", "10").stdout)[0]
        self.assertEqual((row["sim"], row["sim_hit"], row["sim_q05"]), ("no-event", "0", "nan"))

    def test_its_figure_has_both_maps_on_one_scale(self):
        done = run(*self.base, "--plot", "f.svg", "-o", "t.json", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        script = (self.path / "f.gp").read_text()
        self.assertIn("set title 'law'", script)
        self.assertIn("set title 'median of 200 runs'", script)
        ranges = re.findall(r"set cbrange \[.*\]", script)
        self.assertEqual((len(ranges), len(set(ranges))), (2, 1))

    def test_faults_are_named(self):
        words = ["phase", "--student", "erf", "--x", "mu=0.3,0.5", "--engine", "chain"]
        for more, message in [
            (["--y", "gamma=1,2"],
             "--dim is missing: --engine simulates at a finite dimension, such as --dim 1000"),
            (["--y", "noise=0,1", "--dim", "100"],
             "--gamma is 0, but must be > 0 with --engine, or --lr given: it has noise"),
            (["--y", "gamma=1,2", "--dim", "100", "--lr", "0.1"],
             "--gamma is given with --lr, but must be left out: --lr, --batch and --dim make it"),
            (["--y", "nu=0,0.1", "--dim", "3", "--gamma", "1"],
             "--dim is 3, but must be a whole number from 4 to 2^53 with --engine and --nu"),
            (["--y", "noise=0,1", "--dim", "100.5", "--gamma", "1"],
             "--dim is 100.5, but must be a whole number up to 2^53 with --engine"),
            (["--y", "gamma=1,2", "--dim", "100", "--only", "tau"],
             "--only is 'tau', but must be left out with --engine"),
            (["--y", "gamma=1,2", "--dim", "100", "--runs", "0"],
             "--runs is '0', but must be a whole number from 1 to 100000000"),
        ]:
            self.refused(message, *words, *more)
        self.refused("--runs is '10', but must be left out: it does nothing without --engine",
                     *words[:-2], "--y", "gamma=1,2", "--runs", "10")

    def test_an_interruption_ends_a_long_cell(self):
        words = [LORADYN, "phase", "--student", "he3", "--x", "mu=0.1,0.2", "--y", "gamma=0.1,0.2",
                 "--dim", "100000", "--engine", "chain", "--runs", "1000", "--store", "s.sqlite"]
        process = subprocess.Popen(words, cwd=self.path, stderr=subprocess.PIPE, text=True)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        error = process.communicate(timeout=60)[1]
        self.assertLess(time.monotonic() - begun, 10.0)
        self.assertEqual(process.returncode, 130)
        self.assertRegex(error, "keeps [0-3] of 4 cells. To go on run: loradyn phase ")


class Store(InTemporaryDirectory):
    base = ["phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:41", "--y", "a=-0.4:0.4:41",
            "-q"]

    def exported(self, store):
        done = run("export", store, cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def uninterrupted(self):
        done = run(*self.base, cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_a_store_a_table_and_any_threads_hold_the_same(self):
        expected = self.uninterrupted()
        for threads in ["1", "2"]:
            name = f"{threads}.sqlite"
            done = run(*self.base, "--threads", threads, "--store", name, "-o", f"{threads}.csv",
                       cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual((self.path / f"{threads}.csv").read_text(), expected)
            self.assertEqual(self.exported(name), expected)

    def test_every_format_is_the_same_from_a_store(self):
        for name in ["csv", "json", "h5"]:
            done = run(*self.base, "-o", f"d.{name}", cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = run(*self.base, "--store", "s.sqlite", cwd=self.path)
        for name in ["csv", "json", "h5"]:
            done = run("export", "s.sqlite", "-o", f"e.{name}", cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual((self.path / f"d.{name}").read_bytes(),
                             (self.path / f"e.{name}").read_bytes(), name)

    def test_progress_counts_outcomes(self):
        words = [LORADYN, "phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:1500", "--y",
                 "a=-0.4:0.4:1500", "--store", "s.sqlite", "--progress", "--threads", "1"]
        process = subprocess.Popen(words, cwd=self.path, stderr=subprocess.PIPE)
        told = b""
        while told.count(b"\r") < 3:  # the second line is whole when the third begins
            told += process.stderr.read1(1000)
        process.terminate()
        process.communicate(timeout=60)
        self.assertRegex(told.split(b"\r")[2].decode(),
                         r"^\x1b\[K *\d+ %  \d+ of 2250000 cells  [\d.e+]+/s  .* left  "
                         r"((learned|trapped|unlearned|searching) \d+(, |$))+$")

    def finished(self, store):
        """How many cells a store holds, while others write to it."""
        if not (self.path / store).exists():
            return 0
        with contextlib.closing(sqlite3.connect(self.path / store, timeout=30)) as connection:
            return connection.execute("SELECT finished FROM progress").fetchone()[0]

    def test_killed_at_twenty_moments_it_loses_nothing(self):
        large = ["phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:101", "--y",
                 "a=-0.4:0.4:101", "-q"]
        expected = run(*large).stdout
        words = [LORADYN, *large, "--threads", "1", "--store", "s.sqlite"]
        moments = random.Random(5)
        kept = [0]
        for i in range(20):
            process = subprocess.Popen(words, cwd=self.path, stderr=subprocess.DEVNULL)
            # Every other time at any moment at all, between these soon after cells were kept.
            while i % 2 == 0 and self.finished("s.sqlite") == kept[-1] and process.poll() is None:
                time.sleep(0.002)
            time.sleep(moments.uniform(0.0, 0.02 if i % 2 == 0 else 0.06))
            process.send_signal(signal.SIGKILL)
            process.wait()
            if (self.path / "s.sqlite").exists():
                table = rows(run("export", "s.sqlite", "-q", cwd=self.path).stdout)
                self.assertGreaterEqual(len(table), kept[-1])
                kept.append(len(table))
        self.assertGreater(len({n for n in kept if 0 < n < 10201}), 3)
        done = subprocess.run(words, cwd=self.path, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.exported("s.sqlite"), expected)

    def test_two_processes_share_the_work(self):
        expected = self.uninterrupted()
        words = [LORADYN, *self.base, "--threads", "1", "--store", "s.sqlite"]
        both = [subprocess.Popen(words, cwd=self.path, stderr=subprocess.PIPE, text=True)
                for _ in range(2)]
        for process in both:
            error = process.communicate(timeout=120)[1]
            self.assertEqual((process.returncode, error), (0, ""))
        self.assertEqual(self.exported("s.sqlite"), expected)

    def test_shards_merge_to_the_same_bytes(self):
        expected = self.uninterrupted()
        names = [f"{i}.sqlite" for i in range(1, 5)]
        for i, name in enumerate(names, start=1):
            done = run(*self.base, "--store", name, "--shard", f"{i}/4", cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = run("export", names[0], cwd=self.path)
        self.assertEqual(done.stderr, "loradyn: 421 of 1681 cells are finished\n")
        done = run("merge", "all.sqlite", *names, cwd=self.path)
        self.assertEqual((done.returncode, done.stdout),
                         (0, "1681 of 1681 cells are in 'all.sqlite'\n"))
        self.assertEqual(self.exported("all.sqlite"), expected)

    def test_an_interruption_says_how_to_go_on(self):
        words = [LORADYN, "phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:300", "--y",
                 "a=-0.4:0.4:300", "--store", "s.sqlite", "--threads", "1"]
        process = subprocess.Popen(words, cwd=self.path, stderr=subprocess.PIPE, text=True)
        time.sleep(0.7)
        process.send_signal(signal.SIGTERM)
        error = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 143)
        self.assertRegex(error, "^loradyn: interrupted; 's.sqlite' keeps [1-9][0-9]* of 90000 "
                                "cells. To go on run: loradyn phase .*\n$")

    def test_faults_are_named(self):
        done = run(*self.base, "--store", "s.sqlite", cwd=self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        before = (self.path / "s.sqlite").read_bytes()
        self.refused("'s.sqlite' holds another sweep: nu is '0' in the store, but '0.1' was asked "
                     "for", *self.base, "--nu", "0.1", "--store", "s.sqlite")
        self.assertEqual((self.path / "s.sqlite").read_bytes(), before)
        (self.path / "t.sqlite").write_text("not a store\n" * 1000)
        for words in [[*self.base, "--store", "t.sqlite"], ["export", "t.sqlite"],
                      [*self.base, "--store", "none/s.sqlite"], ["export", "none.sqlite"]]:
            done = run(*words, cwd=self.path)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertTrue(done.stderr.startswith("loradyn: '"))
        self.assertEqual((self.path / "t.sqlite").read_text(), "not a store\n" * 1000)
        self.refused("--shard needs --store: each shard has a store of its own", *self.base,
                     "--shard", "1/2")
        self.refused("--shard is '3/2', but must be i/n with 1 <= i <= n <= 1000000", *self.base,
                     "--shard", "3/2", "--store", "s.sqlite")


@unittest.skipUnless(shutil.which("mpirun"), "mpirun is not installed")
class Ranks(InTemporaryDirectory):
    base = ["phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:31", "--y", "a=-0.4:0.4:31",
            "-q"]

    def test_three_ranks_give_the_same_bytes(self):
        expected = run(*self.base).stdout
        done = mpirun(*self.base, "-o", "t.csv", cwd=self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.path / "t.csv").read_text(), expected)
        done = mpirun(*self.base, "--store", "s.sqlite", cwd=self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("export", "s.sqlite", cwd=self.path).stdout, expected)

    def test_a_fault_is_told_once_and_ends_all_ranks(self):
        (self.path / "s.sqlite").write_text("not a store")
        for words, message in [(["--store", "s.sqlite"], "loradyn: 's.sqlite' is "),
                               (["--show", "x"], "loradyn: --show is 'x', but must be ")]:
            done = mpirun(*self.base, *words, cwd=self.path)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(done.stderr.count(message), 1, done.stderr)


class Plot(InTemporaryDirectory):
    def test_a_figure_comes_with_its_script_and_data(self):
        done = run("rates", "--student", "linear,erf", "--student", "he3,he10", "--mu",
                   "0.03:0.99:97", "-o", "t.csv", "--plot", "one.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.files(), ["one.dat", "one.gp", "one.svg", "t.csv"])
        for name in ["two.svg", "two.pdf", "two.png"]:
            done = run("plot", "t.csv", "-o", name, cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertGreater((self.path / name).stat().st_size, 5000)
        self.assertEqual((self.path / "one.dat").read_text(), (self.path / "two.dat").read_text())
        script = (self.path / "one.gp").read_text()
        self.assertEqual(script.count("set origin"), 2)
        self.assertEqual(script.count("set arrow from first"), 3)  # he3's root and he10's two
        (self.path / "one.svg").unlink()
        subprocess.run(["gnuplot", "one.gp"], cwd=self.path, check=True)
        self.assertTrue((self.path / "one.svg").exists())

    def test_odd_names_are_names(self):
        name = "it's $(odd) \"name\""
        done = run("critical", "--student", "he3", "-o", f"{name}.json", "--plot", f"{name}.png",
                   cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.files(), [f"{name}.{e}" for e in ["dat", "gp", "json", "png"]])

    def test_without_gnuplot_the_table_and_the_script_are_there(self):
        empty = self.path / "bin"
        empty.mkdir()
        done = run("rates", "--student", "erf", "--mu", "0:1:3", "-o", "t.csv", "--plot", "t.svg",
                   cwd=self.path, env={"PATH": str(empty)})
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr, "loradyn: gnuplot is not installed, so no figure was drawn; "
                                      "'t.gp' draws it\n")
        self.assertEqual(self.files(), ["bin", "t.csv", "t.dat", "t.gp"])

    def test_a_gnuplot_that_fails_is_told(self):
        folder = self.path / "bin"
        folder.mkdir()
        fake = folder / "gnuplot"
        fake.write_text("#!/bin/sh\necho no terminal >&2\nexit 1\n")
        fake.chmod(0o755)
        done = run("rates", "--student", "erf", "--mu", "0:1:3", "--plot", "t.svg", cwd=self.path,
                   env={"PATH": str(folder)})
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr, "loradyn: gnuplot failed on 't.gp': no terminal \n")
        self.assertNotIn("t.svg", self.files())

    def test_what_is_no_table_is_refused(self):
        (self.path / "a.csv").write_text("a,b\n1,2\n")
        self.refused("TABLE 'a.csv': the header of the table is 'a,b', but must be that of a table "
                     "that loradyn wrote", "plot", "a.csv", "-o", "t.svg")
        (self.path / "a.csv").write_text("a,b\n1\n")
        self.refused("'a.csv', line 2: 1 values in a table of 2 columns", "plot", "a.csv", "-o",
                     "t.svg")
        self.refused("'none.csv' can't be read: No such file or directory", "plot", "none.csv", "-o",
                     "t.svg")
        self.refused("TABLE 'a.txt': the ending of the table is 'a.txt', but must be .csv, .json or "
                     ".h5", "plot", "a.txt", "-o", "t.svg")
        self.refused("--output is missing: name the figure, such as -o tau.svg", "plot", "a.csv")


    def test_nothing_to_draw_is_a_figure_that_says_so(self):
        for words, said in [
                (["rates", "--student", "linear", "--mu", "1"], "nothing to draw"),
                (["critical", "--student", "linear"], "no critical alignment in 0:1"),
                (["escape", "--student", "linear", "--mu", "1"], "nothing to draw"),
                (["simulate", "--student", "erf", "--mu", "0.5", "--dim", "1000", "--batch", "20",
                  "--lr", "0.02", "--t-end", "1", "--runs", "5", "--event", "m"],
                 "nothing to draw")]:
            for name in ["f.svg", "f.png"]:
                done = run(*words, "-o", "t.csv", "--plot", name, cwd=self.path)
                self.assertIn(f"loradyn: the figure is empty: {said}\n", done.stderr)
                self.assertIn(said, (self.path / "f.gp").read_text())
            self.assertIn(f">{said}<", (self.path / "f.svg").read_text())
            self.assertIn(done.returncode, [0, 3])  # 3 where no row is a result
            done = run("plot", "t.csv", "-o", "g.svg", cwd=self.path)
            self.assertEqual((done.returncode, done.stderr),
                             (0, f"loradyn: the figure is empty: {said}\n"))

    def test_a_map_of_one_row_or_column_is_a_line(self):
        for axes in [["--x", "mu=0.1:0.9:9", "--y", "gamma=1"], ["--x", "gamma=1", "--y", "mu=0.1:0.9:9"]]:
            for show in ["t", "outcome"]:
                done = run("phase", "--student", "he3", *axes, "--show", show, "-o", "t.csv",
                           "--plot", "f.svg", cwd=self.path)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                script = (self.path / "f.gp").read_text()
                self.assertIn("set title 'noise scale γ = 1'", script)
                self.assertNotIn("with image", script)

    def test_the_search_time_rises_to_the_frame_at_the_alignments_of_critical(self):
        root = float(rows(run("critical", "--student", "he3").stdout)[0]["mu_c"])
        done = run("rates", "--student", "he3", "--mu", "0.03:0.99:13", "-o", "t.csv", "--plot",
                   "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        script = (self.path / "f.gp").read_text()
        self.assertIn(f"set label '{root:.4g}'", script)
        top = float(re.search(r"set yrange \[.*:(.*)\]", script)[1])
        points = [[float(v) for v in line.split()] for line in
                  (self.path / "f.dat").read_text().splitlines() if line and line[0] != "#"]
        for side in [-1, 1]:
            near = max((p for p in points if (p[0] - root) * side > 0), key=lambda p: p[1])
            self.assertGreater(near[1], top)
        done = run("escape", "--student", "he3", "--mu", "0.03:0.99:13", "-o", "t.csv", "--plot",
                   "f.svg", cwd=self.path)
        self.assertIn(f"set label '{root:.4g}'", (self.path / "f.gp").read_text())

    def test_logarithmic_ranges_have_logarithmic_axes(self):
        for words in [["rates", "--student", "erf", "--mu", "log:0.01:0.9:9"],
                      ["rates", "--student", "erf", "--mu", "0.5", "--nu", "log:0.01:1:9"],
                      ["escape", "--student", "erf", "--mu", "0.5", "--gamma", "log:0.01:1:9"],
                      ["escape", "--student", "erf", "--mu", "0.5", "--dim", "log:100:10000:5"],
                      ["fixed-points", "--student", "he3", "--mu", "log:0.1:0.9:9"],
                      ["budget", "--student", "he3", "--rho", "0.7", "--a0", "0.3", "--t-pre",
                       "log:0.01:10:9"],
                      ["trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "30", "--points",
                       "log:9"],
                      ["simulate", "--student", "erf", "--mu", "0.5", "--dim", "100", "--batch",
                       "20", "--lr", "0.02", "--t-end", "90", "--runs", "5", "--points", "log:9"]]:
            done = run(*words, "-o", "t.csv", "--plot", "f.svg", cwd=self.path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("\nset logscale x\n", (self.path / "f.gp").read_text(), words)

    def test_measured_points_over_the_theory(self):
        run("rates", "--student", "erf", "--mu", "0.1:0.9:9", "-o", "t.csv", cwd=self.path)
        (self.path / "measured.csv").write_text("who,mu,tau\nme,0.2,4.5\nme,0.4,20\n")
        done = run("plot", "t.csv", "--over", "measured.csv", "-o", "f.svg", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("# measured\n0.2 4.5\n0.4 20\n", (self.path / "f.dat").read_text())
        self.assertRegex((self.path / "f.gp").read_text(), "with points .* title 'measured'")
        (self.path / "texts.csv").write_text("a,b\nx,1\n")
        self.refused("--over is 'texts.csv', but must be one with rows and two columns of numbers",
                     "plot", "t.csv", "--over", "texts.csv", "-o", "n.svg")

    def test_a_file_that_no_figure_made_stays(self):
        ask = ["rates", "--student", "erf", "--mu", "0:1:3", "--plot", "my.svg"]
        (self.path / "my.dat").write_text("1 2\n")
        self.refused("--plot 'my.dat', which comes with 'my.svg', is there and was made by no "
                     "figure: give the figure another name", *ask)
        (self.path / "my.dat").unlink()
        for _ in range(2):
            self.assertEqual(run(*ask, cwd=self.path).returncode, 0)


class Help(unittest.TestCase):
    def test_help_and_version(self):
        self.assertEqual(run("--version").stdout.split()[0], "loradyn")
        for command in ["rates", "critical", "plot"]:
            done = run(command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("Example", done.stdout)
            self.assertIn(command, run("--help").stdout)
        self.assertEqual(run().returncode, 2)

    def commands(self):
        return re.findall(r"^  ([a-z-]+) +\S", run("help").stdout.partition("Subcommands")[2], re.M)

    def test_it_is_as_wide_as_the_terminal(self):
        self.assertEqual(len(self.commands()), 15)
        for command in self.commands():
            self.assertEqual(run("help", command).stdout, run(command, "--help").stdout)
            for columns in [40, 60, 80, 100]:
                done = run("help", command, env=dict(os.environ, COLUMNS=str(columns)))
                self.assertEqual(done.returncode, 0, done.stderr)
                for line in done.stdout.splitlines():
                    # A word that is longer, an activation or a file, stays one, as an option of an
                    # example and its value do.
                    words = line.split()
                    pairs = zip(words, [*words[1:], ""]) if line.startswith("  ") else []
                    longest = max([0, *map(len, words), *(len(f"{a} {b}") for a, b in pairs
                                                          if a.startswith("-"))])
                    self.assertLessEqual(len(line), max(columns, longest + 8), command)
        done = run("help", "rate")
        self.assertEqual((done.returncode, done.stderr),
                         (2, "loradyn: 'rate' is no command of loradyn; the nearest are rates\n"))

    def test_shells_complete_and_man_reads(self):
        for shell in ["bash", "zsh", "fish"]:
            done = run("completion", shell)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for word in [*self.commands(), "time-unit", "raw", "fisher", "end-state", "refine"]:
                self.assertIn(word, done.stdout)
            if shutil.which(shell):
                checked = subprocess.run([shell, "-n"], input=done.stdout, text=True,
                                         capture_output=True, timeout=60)
                self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        self.assertEqual(run("completion", "tcsh").returncode, 2)
        page = run("man")
        self.assertEqual((page.returncode, page.stderr), (0, ""))
        if shutil.which("groff"):
            checked = subprocess.run(["groff", "-man", "-ww", "-z"], input=page.stdout, text=True,
                                     capture_output=True, timeout=60)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))

    def completed(self, *words):
        script = ('eval "$("$LORADYN" completion bash)"; COMP_WORDS=("$@"); '
                  'COMP_CWORD=$(($# - 1)); _loradyn; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True,
                              timeout=60, check=True)
        return done.stdout.split()

    def test_bash_completes(self):
        self.assertEqual(self.completed("loradyn", "ra"), ["rates"])
        self.assertEqual(self.completed("loradyn", "rates", "--time-unit", ""), ["raw", "fisher"])
        self.assertEqual(self.completed("loradyn", "phase", "--refine-"), ["--refine-step"])
        self.assertEqual(self.completed("loradyn", "completion", "b"), ["bash"])
        self.assertEqual(self.completed("loradyn", "rates", "--mu", ""), [])


class Outputs(InTemporaryDirectory):
    ask = ["rates", "--student", "he3,erf", "--mu", "0.1:0.9:3"]

    def test_standard_output_has_many_names(self):
        plain = run(*self.ask).stdout
        for name in ["-", "/dev/stdout"]:
            done = run(*self.ask, "-o", name, cwd=self.path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(rows(done.stdout), rows(plain))
        done = run(*self.ask, "-o", "/dev/null", cwd=self.path)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.files(), [])

    def test_every_format_goes_everywhere(self):
        for form in ["csv", "json", "h5"]:
            words = [*self.ask, "--format", form]
            done = subprocess.run([LORADYN, *words], capture_output=True, timeout=120)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            (self.path / f"piped.{form}").write_bytes(done.stdout)
            self.assertEqual(run(*words, "-o", "t.txt", cwd=self.path).returncode, 0)
            (self.path / "t.txt").rename(self.path / f"named.{form}")
            for name in ["piped", "named"]:
                done = run("plot", f"{name}.{form}", "-o", f"{name}.svg", cwd=self.path)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(*((self.path / f"{n}.dat").read_text() for n in ["piped", "named"]))
        self.refused("--format is 'xml', but must be csv, json or h5", *self.ask, "--format", "xml")

    def test_rows_alone(self):
        done = run(*self.ask, "--no-header")
        self.assertEqual(done.stdout.splitlines(),
                         [line for line in run(*self.ask).stdout.splitlines()
                          if line[0] != "#" and not line.startswith("student,")])
        run(*self.ask, "--no-header", "-o", "t.csv", cwd=self.path)
        self.assertEqual((self.path / "t.csv").read_text(), done.stdout)
        self.refused("--no-header is of csv alone", *self.ask, "--no-header", "-o", "t.json")

    def test_sizes_fonts_and_styles(self):
        for ending in ["svg", "png", "pdf", "tex"]:
            for style in ["light", "dark", "print"]:
                done = run(*self.ask, "-o", "t.csv", "--plot", f"f.{ending}", "--size", "8.6,6",
                           "--style", style, "--font", "DejaVu Serif", cwd=self.path)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
        svg = run(*self.ask, "-o", "t.csv", "--plot", "f.svg", "--size", "8.6,6", cwd=self.path)
        text = (self.path / "f.svg").read_text()
        self.assertIn('width="325" height="227"', text)
        sizes = [float(v) for v in re.findall(r'font-size="([\d.]+)"', text)]
        self.assertTrue(sizes)
        for size in sizes:  # in pixels of 0.75 pt; 8 to 10 pt
            self.assertGreaterEqual(0.75 * size, 7.9)
            self.assertLessEqual(0.75 * size, 10.1)
        png = run("plot", "t.csv", "-o", "g.png", "--size", "page", cwd=self.path)
        self.assertEqual((png.returncode, png.stderr), (0, ""))
        width = int.from_bytes((self.path / "g.png").read_bytes()[16:20], "big")
        self.assertAlmostEqual(width / 300 * 2.54, 17.8, delta=0.02)
        run("plot", "t.csv", "-o", "g.pdf", "--size", "8.6,6", cwd=self.path)
        pdf = (self.path / "g.pdf").read_bytes()
        box = re.search(rb"/MediaBox \[ *0 0 ([\d.]+) ([\d.]+)", pdf)
        for side, asked in zip(box.groups(), [8.6, 6]):
            self.assertAlmostEqual(float(side) / 72 * 2.54, asked, delta=0.05)
        streams = b"".join(inflated(pdf))
        self.assertRegex(pdf + streams, rb"/FontFile[23]?")  # the fonts are inside
        for fault, words in [("--size is '1,1', but must be from 3 to 100 cm wide and high", ["--size", "1,1"]),
                             ("--style is 'x', but must be light, dark or print", ["--style", "x"]),
                             ("--font is 'a;b', but must be letters, digits, spaces and hyphens",
                              ["--font", "a;b"])]:
            self.refused(fault, *self.ask, "--plot", "n.svg", *words)
        self.refused("--size, --font and --style are of a figure: give --plot too", *self.ask,
                     "--size", "page")

    def test_tex_is_the_picture_and_its_lines(self):
        done = run("rates", "--student", "he3,he3+0.5*he5", "--mu", "0.1:0.9:33", "-o", "t.csv",
                   "--plot", "f.tex", "--size", "column", cwd=self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.files(), ["f.dat", "f.gp", "f.pdf", "f.tex", "t.csv"])
        text = (self.path / "f.tex").read_text()
        self.assertIn("{f}", text)
        self.assertNotIn(".part", text)
        self.assertIn("search time $\\tau$", text)
        self.assertIn("$10^{", text)
        self.assertEqual((self.path / "f.pdf").read_bytes()[:4], b"%PDF")
        if shutil.which("pdflatex"):
            (self.path / "d.tex").write_text("\\documentclass{article}\\usepackage{graphicx,xcolor}"
                                             "\\begin{document}\\input{f}\\end{document}")
            subprocess.run(["pdflatex", "-interaction=batchmode", "d.tex"], cwd=self.path, check=True,
                           stdout=subprocess.DEVNULL, timeout=120)


if __name__ == "__main__":
    unittest.main()
