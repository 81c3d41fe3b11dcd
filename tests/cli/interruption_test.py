"""Signals: SIGINT, SIGTERM and SIGHUP end every command at any moment, and what is finished stays.

The path of the program is in the environment variable LORADYN. The program answers within two
seconds; what fails here is one that is deaf, so that a busy machine is none.
"""

import csv
import os
import signal
import sqlite3
import subprocess
import time
import unittest

import support

LORADYN = os.environ["LORADYN"]
DEAF = 20.0  # seconds
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

# Far longer than any test: a sweep, a search, a run, an ensemble, a drawing, on pairs with and
# without closed forms.
LONG = {
    "rates": ["rates", "--student", "erf*sin,relu*tanh", "--mu", "0.1:0.9:400000"],
    "rates of a product of relu": ["rates", "--student", "relu*tanh*sigmoid", "--teacher",
                                   "relu*gelu", "--mu", "0.1:0.9:100000"],
    "escape": ["escape", "--student", "erf", "--mu", "0.1:0.9:100000", "--gamma", "0.1"],
    "escape of a product of relu": ["escape", "--student", "erf*relu", "--mu", "0.1:0.9:1000"],
    "escape of relu and another, with noise": [
        "escape", "--student", "relu", "--teacher", "relu-0.5*linear", "--mu", "0.1:0.9:1000",
        "--gamma", "0.5"],
    "escape of a sum with relu": ["escape", "--student", "relu+erf", "--mu", "0.1:0.9:1000000"],
    "quantiles": ["escape", "--student", "linear", "--mu", "0.1:0.9:20", "--dim", "1000",
                  "--quantiles", "0.1:0.9:1000000"],
    "fixed-points": ["fixed-points", "--student", "relu*tanh", "--mu", "0.1:0.9:400"],
    "fixed-points with noise": ["fixed-points", "--student", "erf", "--mu", "0.1:0.9:4000", "--nu",
                                "0.3", "--gamma", "1"],
    "critical": ["critical", "--student", ",".join(["he3", "relu*sin", "cos^2*relu"] * 60),
                 "--mu=-3:3"],
    "trajectory": ["trajectory", "--student", "relu*sigmoid", "--mu", "0.5", "--t-end", "1e7",
                   "--gamma", "3", "--rtol", "1e-12", "--points", "200000"],
    "a map": ["trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "1e5", "--method", "map",
              "--lr", "1e-6", "--max-steps", "1000000000000000"],
    "budget": ["budget", "--student", "relu*tanh", "--t-pre", "0:20:1000"],
    "phase": ["phase", "--student", "erf", "--x", "mu=0.05:0.95:600", "--y", "gamma=0:2:600"],
    "phase over the activation": ["phase", "--student", "relu*(tanh+{a}*relu)", "--x",
                                  "mu=0.05:0.95:100", "--y", "a=0:2:100"],
    "phase of ensembles": ["phase", "--student", "erf", "--x", "mu=0.1:0.9:3", "--y",
                           "gamma=0.1:2:3", "--dim", "1000", "--engine", "chain", "--batch",
                           "1e12"],
    "simulate": ["simulate", "--student", "erf", "--mu", "0.5", "--dim", "1000", "--batch", "100",
                 "--lr", "0.01", "--t-end", "20000", "--runs", "500"],
    "one endless step": ["simulate", "--student", "erf", "--mu", "0.5", "--dim", "1000", "--batch",
                         "1e12", "--lr", "0.01", "--steps", "1", "--runs", "1"],
    "one endless step of explicit SGD": ["simulate", "--student", "relu", "--mu", "0.5", "--dim",
                                         "1000", "--batch", "1e9", "--lr", "0.01", "--steps", "1",
                                         "--runs", "1", "--engine", "sgd"],
    "validate": ["validate", "--student", "erf", "--mu", "0.5", "--gamma", "1", "--dim",
                 "300,1000,3000", "--runs", "1000000"],
    "validate of a product of relu": ["validate", "--student", "relu*tanh", "--mu", "0.5",
                                      "--gamma", "1", "--dim", "300", "--runs", "1000000"],
}


class Interruption(support.InTemporaryDirectory):
    def start(self, *words, env=None):
        return subprocess.Popen([LORADYN, *words], cwd=self.path, env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self, process, which):
        """Sends the signal; the program ends with its code and one line, and leaves no parts."""
        self.assertIsNone(process.poll(), "it ended by itself")
        process.send_signal(which)
        since = time.monotonic()
        try:
            # Nobody reads its output until it has ended.
            process.wait(timeout=DEAF)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail(f"deaf to {which.name}")
        took = time.monotonic() - since
        if "VERBOSE" in os.environ:
            print(f"{took:.2f} s", process.args)
        output, complaint = process.communicate()
        self.assertEqual(process.returncode, 128 + which, complaint)
        self.assertRegex(complaint.splitlines()[-1], "^loradyn: interrupted")
        self.assertEqual([name for name in self.files() if ".part" in name], [])
        return output, complaint

    def test_every_command_hears_every_signal(self):
        for k, (name, words) in enumerate(LONG.items()):
            with self.subTest(name):
                process = self.start(*words)
                time.sleep(0.2 + 0.1 * (k % 5))
                self.end(process, SIGNALS[k % len(SIGNALS)])

    def test_soon_after_the_start(self):
        for name in ["escape of a product of relu", "fixed-points", "phase over the activation"]:
            with self.subTest(name):
                process = self.start(*LONG[name])
                time.sleep(0.05)
                self.end(process, signal.SIGTERM)

    def test_the_second_signal_ends_at_once(self):
        process = self.start(*LONG["phase"])
        time.sleep(0.3)
        process.send_signal(signal.SIGSTOP)  # both are waiting when it goes on
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=DEAF)
        self.assertIn(process.returncode, [-signal.SIGINT, -signal.SIGTERM])

    def test_a_hang_up_may_come_twice_and_be_ignored(self):
        process = self.start(*LONG["phase"])
        time.sleep(0.3)
        process.send_signal(signal.SIGHUP)
        self.end(process, signal.SIGHUP)
        # As under nohup.
        process = subprocess.Popen(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", LORADYN,
                                    *LONG["phase"]],
                                   cwd=self.path, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        time.sleep(0.5)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        self.end(process, signal.SIGTERM)

    def test_what_is_finished_stays(self):
        process = self.start(*LONG["escape"], "-o", "t.csv")
        time.sleep(2)
        _, complaint = self.end(process, signal.SIGTERM)
        lines = (self.path / "t.csv").read_text().splitlines()
        table = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        self.assertGreater(len(table), 0)
        self.assertIn(f"the {len(table)} of 100000 points that were finished are in the table. "
                      "For all of them run: loradyn escape", complaint)

    def test_an_h5_stays_though_the_terminal_tells_its_writer_too(self):
        process = subprocess.Popen([LORADYN, *LONG["escape"], "-o", "t.h5"], cwd=self.path,
                                   text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
        time.sleep(2)
        os.killpg(process.pid, signal.SIGINT)
        _, complaint = process.communicate(timeout=DEAF)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, complaint)
        self.assertRegex(complaint, r"the [1-9]\d* of 100000 points that were finished are in the")
        done = subprocess.run([LORADYN, "plot", "t.h5", "-o", "f.svg"], cwd=self.path,
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_trajectory_keeps_what_it_reached(self):
        process = self.start(*LONG["a map"], "--points", "100001", "-o", "t.csv")
        time.sleep(2)
        _, complaint = self.end(process, signal.SIGINT)
        lines = (self.path / "t.csv").read_text().splitlines()
        table = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        self.assertGreater(len(table), 0)
        self.assertIn("interrupted in stage 1; the table holds what was reached", complaint)

    def test_a_step_that_is_cut_leaves_a_checkpoint(self):
        process = self.start(*LONG["one endless step"], "-o", "t.csv")
        time.sleep(0.5)
        self.end(process, signal.SIGHUP)
        self.assertEqual(self.files(), ["t.csv.checkpoint"])

    def test_while_a_lock_is_waited_for(self):
        words = ["phase", "--student", "erf", "--x", "mu=0.1:0.9:30", "--y", "gamma=0:1:30",
                 "--only", "tau", "--store", "s.sqlite"]
        done = subprocess.run([LORADYN, *words, "-q"], cwd=self.path, check=False, timeout=120)
        self.assertEqual(done.returncode, 0)
        with sqlite3.connect(self.path / "s.sqlite", isolation_level=None) as other:
            other.execute("DELETE FROM cells WHERE cell < 10")
            other.execute("UPDATE progress SET frontier = 0, finished = finished - 10")
            other.execute("BEGIN EXCLUSIVE")
            process = self.start(*words, "-q")
            time.sleep(1)
            self.end(process, signal.SIGTERM)
            other.execute("COMMIT")
        other.close()

    def test_while_it_draws(self):
        # A gnuplot that never ends, whatever it is asked.
        tools = self.path / "tools"
        tools.mkdir()
        (tools / "gnuplot").write_text(
            "#!/bin/sh\necho $$ > \"$STARTED\"\ntrap '' TERM INT HUP\nwhile :; do sleep 1; done\n")
        (tools / "gnuplot").chmod(0o755)
        started = self.path / "tools" / "started"
        environment = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", STARTED=str(started))
        for words in [["rates", "--student", "erf", "--mu", "0.1:0.9:5", "-o", "t.csv", "--plot",
                       "f.svg"],
                      ["phase", "--student", "erf", "--x", "mu=0.1:0.9:4", "--y", "gamma=0:1:4",
                       "-o", "t.csv", "--plot", "f.svg"],
                      ["plot", "t.csv", "-o", "f.svg"]]:
            with self.subTest(words[0]):
                process = self.start(*words, env=environment)
                for _ in range(600):
                    if started.exists() and started.read_text().strip():
                        break
                    time.sleep(0.05)
                child = int(started.read_text())
                self.end(process, signal.SIGTERM)
                self.assertIn("t.csv", self.files())
                self.assertNotIn("f.svg", self.files())
                with self.assertRaises(ProcessLookupError):
                    os.kill(child, 0)
                started.unlink()

    def test_while_its_reader_sleeps(self):
        process = self.start("rates", "--student", "linear", "--mu", "0:1:200000")
        time.sleep(2)
        self.end(process, signal.SIGTERM)

    def test_while_a_large_table_is_read(self):
        done = subprocess.run([LORADYN, "rates", "--student", "linear", "--mu", "0:1:1000000", "-o",
                               "t.csv"], cwd=self.path, check=False, timeout=600)
        self.assertEqual(done.returncode, 0)
        process = self.start("plot", "t.csv", "-o", "f.svg")
        time.sleep(0.2)
        self.end(process, signal.SIGTERM)
        self.assertEqual(self.files(), ["t.csv"])

    def test_while_record_times_are_filled(self):
        process = self.start("trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "300",
                             "--points", "log:2000000")
        time.sleep(0.1)
        self.end(process, signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
