"""What comes from outside: strings that would be commands, files that take others' places, disks
that are full and processes that are killed.

The path of the program is in the environment variable LORADYN.
"""

import csv
import fcntl
import io
import json
import os
import pathlib
import pty
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile
import time
import unittest

import support

LORADYN = os.environ["LORADYN"]

# Ends the quoted string that it may stand in, then runs something, in the ways of gnuplot, of
# shells and of terminals; each leaves the file CANARY or moves the cursor.
ATTACKS = [
    "x\nsystem('touch CANARY')\n",
    "x'\nsystem('touch CANARY')\n#",
    "x'; system('touch CANARY'); print '",
    "x\r\n!touch CANARY\r\n",
    "\"; system(\"touch CANARY\"); \"",
    "`touch CANARY`",
    "$(touch CANARY)",
    "'.system('touch CANARY').'",
    "''.system(\"touch CANARY\").''",
    "a''''b'.system('touch CANARY')",
    "'",
    "''",
    "\\",
    "\"",
    "x\\' , system(\"touch CANARY\") #",
    "x\\\nset output 'CANARY'\n",
    "@ARG1 $x {/Symbol a} %s%n%d %%",
    "\x1b]0;title\x07\x1b[2J\x1b[31mred",
    "\x9b31m \u202egnp.exe\u2028 \x00 \x7f",
    "</text><script>touch()</script>&",
    "x" * 100_000,
]

# A command for each kind of table that can be drawn.
TABLES = {
    "rates": ["rates", "--student", "erf,he3", "--mu", "0.2:0.8:4"],
    "critical": ["critical", "--student", "he3,he4", "--mu", "0.02:0.98"],
    "trajectory": ["trajectory", "--student", "erf", "--mu", "0.5", "--t-end", "20", "--points",
                   "5"],
    "escape": ["escape", "--student", "erf,relu", "--mu", "0.2:0.8:3"],
    "fixed-points": ["fixed-points", "--student", "he3", "--mu", "0.2:0.8:3"],
    "budget": ["budget", "--student", "erf", "--source", "erf", "--rho", "0.5", "--t-pre",
               "0:1:3"],
    "phase": ["phase", "--student", "erf", "--x", "mu=0.2:0.8:3", "--y", "gamma=0,1"],
    "simulate": ["simulate", "--student", "erf", "--mu", "0.5", "--dim", "50", "--batch", "5",
                 "--lr", "0.1", "--steps", "20", "--runs", "3", "--points", "3"],
    "hitting": ["simulate", "--student", "erf", "--mu", "0.5", "--dim", "50", "--batch", "5",
                "--lr", "0.1", "--steps", "20", "--runs", "3", "--event", "m"],
    "validate": ["validate", "--student", "linear", "--mu", "0.5", "--gamma", "1", "--dim",
                 "100,200", "--runs", "4"],
}


def run(*words, **more):
    return subprocess.run([LORADYN, *words], capture_output=True, timeout=120, check=False, **more)


def control_characters(data):
    """Those in a text that are no end of a line."""
    return [c for c in data.decode("utf-8", "replace")
            if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c in "\u2028\u202e\ufffd"]


class InTemporaryDirectory(support.InTemporaryDirectory):
    def call(self, *words, **more):
        return run(*words, cwd=self.path, **more)

    def refused(self, done, code, *parts):
        """One line, of which a terminal shows every character."""
        message = done.stderr.decode()
        self.assertEqual(done.returncode, code, message[:500])
        self.assertEqual(message.count("\n"), 1, message[:500])
        self.assertTrue(message.startswith("loradyn: "), message[:500])
        self.assertEqual(control_characters(done.stderr), [])
        for part in parts:
            self.assertIn(part, message)


class Injection(InTemporaryDirectory):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.TemporaryDirectory()
        cls.tables = pathlib.Path(cls.made.name)
        for name, words in TABLES.items():
            for ending in ["csv", "json", "h5"]:
                done = run(*words, "-o", str(cls.tables / f"{name}.{ending}"))
                assert done.returncode in (0, 1), (name, done.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.made.cleanup()

    def harmless(self, done, what):
        self.assertIn(done.returncode, (0, 2, 3), what)
        self.assertNotIn("CANARY", self.files(), what)
        self.assertEqual(control_characters(done.stderr), [], what)
        self.assertLessEqual(done.stderr.count(b"\n"), 1, what)
        for name in self.files():
            if name.endswith((".gp", ".dat")):
                self.assertEqual(control_characters((self.path / name).read_bytes()), [], what)
            elif name.endswith(".svg"):
                self.assertNotIn(b"<script>", (self.path / name).read_bytes(), what)
        for p in self.path.iterdir():
            p.unlink()

    def plot(self, table, what):
        done = self.call("plot", table, "-o", "f.svg")
        drawn = done.returncode == 0
        self.harmless(done, what)
        return drawn

    def attack_rows(self, name, attack):
        """The table's header lines, header and rows, with every text replaced."""
        lines = (self.tables / f"{name}.csv").read_text().splitlines()
        head = [line for line in lines if line.startswith("#")]
        rows = list(csv.reader(lines[len(head):]))
        texts = {c for row in rows[1:] for c, cell in enumerate(row) if not is_number(cell)}
        for row in rows[1:]:
            for c in texts:
                row[c] = attack
        return head, rows

    def test_cells_of_csv(self):
        drawn = 0
        for name in TABLES:
            for attack in ATTACKS:
                head, rows = self.attack_rows(name, attack)
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows(rows)
                (self.path / "t.csv").write_text("\n".join(head) + "\n" + text.getvalue(), newline="")
                drawn += self.plot("t.csv", (name, attack[:40]))
        self.assertEqual(drawn, len(TABLES) * len(ATTACKS))

    def test_cells_of_json(self):
        for name in TABLES:
            for attack in [ATTACKS[0], "".join(ATTACKS)]:
                document = json.loads((self.tables / f"{name}.json").read_text())
                for row in document["rows"]:
                    row.update({k: attack for k, v in row.items() if isinstance(v, str)})
                (self.path / "t.json").write_text(json.dumps(document))
                self.plot("t.json", (name, attack[:40]))

    def test_cells_of_hdf5(self):
        # The same length, so that the file's structure stays: no library is needed to write it.
        replaced = 0
        for name in TABLES:
            data = (self.tables / f"{name}.h5").read_bytes()
            for old, new in [(b"erf\0", b"'\n\x1b\0"), (b"he3\0", b"\n!'\0"), (b"ok\0", b"'\n\0"),
                             (b"learned\0", b"'\n`id`\x1b\0"), (b"diverges\0", b"'\n!id\n#\n\0")]:
                replaced += old in data
                data = data.replace(old, new)
            (self.path / "t.h5").write_bytes(data)
            self.plot("t.h5", name)
        self.assertGreater(replaced, 10)

    def test_parameters_and_columns(self):
        for name in TABLES:
            for attack in ["".join(ATTACKS[:-1]), ATTACKS[0]]:
                document = json.loads((self.tables / f"{name}.json").read_text())
                meta = document["meta"]
                for key in ["show", "time-unit", "student", "x", "at", "event"]:
                    if key in meta["parameters"]:
                        hurt = json.loads(json.dumps(document))
                        hurt["meta"]["parameters"][key] = attack
                        (self.path / "t.json").write_text(json.dumps(hurt))
                        self.plot("t.json", (name, key, attack[:40]))
                meta["version"] = meta["command"] = attack
                meta["columns"][-1] = attack
                for row in document["rows"]:
                    row[attack] = 1
                (self.path / "t.json").write_text(json.dumps(document))
                self.plot("t.json", (name, "columns", attack[:40]))

    def test_names_of_figures(self):
        shutil.copy(self.tables / "rates.csv", self.path / "t.csv")
        for name in ["x\nsystem('touch CANARY')\n#.svg", "x\x1b[31m.svg", "x\x9b.svg", "x\r.png",
                     "a\tb.pdf"]:
            self.refused(self.call("plot", "t.csv", "-o", name), 2, "without control characters")
            self.refused(self.call(*TABLES["rates"], "--plot", name), 2, "--plot", "\\")
        self.assertEqual(self.files(), ["t.csv"])
        for name in ["<touch CANARY;.svg", "|touch CANARY;.svg", "$x.svg", "~root.svg", "-.svg",
                     "-e.svg", "it's `touch CANARY`.svg", "@x \"$(touch CANARY)\" %s.svg", "#.svg",
                     "x\\.svg", "-.png", "'.svg", "a''b'.svg", "\"`.svg"]:
            done = self.call("plot", "t.csv", f"--output={name}")
            self.assertEqual((done.returncode, done.stderr), (0, b""), name)
            stem = name[:-4]
            self.assertEqual(self.files(), sorted(["t.csv", name, f"{stem}.gp", f"{stem}.dat"]))
            self.assertGreater((self.path / name).stat().st_size, 5000)
            for p in self.path.iterdir():
                if p.name != "t.csv":
                    p.unlink()

    def test_names_on_error_lines(self):
        for name in ["a\nb", "\x1b]0;x\x07", "x\x9b31m", "\u202etxt"]:
            self.refused(self.call("plot", f"{name}.csv", "-o", "x.svg"), 2, "can't be read", "\\")
            self.refused(self.call("export", name), 2, "\\")
            self.refused(self.call(name), 2, "is no command")
            self.refused(self.call("rates", "--student", name, "--mu", "0.5"), 2, "--student")
            self.refused(self.call("rates", f"--{name}"), 2, "is no option")
        (self.path / "t.csv").write_text("\x1b[31m,b\n1,2\n")
        self.refused(self.call("plot", "t.csv", "-o", "x.svg"), 2, "\\x1b[31m,b")
        # Bytes that are no UTF-8.
        done = subprocess.run([os.fsencode(LORADYN), b"plot", b"\xff\xfe.csv", b"-o", b"x.svg"],
                              cwd=self.path, capture_output=True, check=False)
        self.assertIn(b"'\\xff\\xfe.csv'", done.stderr)

    def test_nobodys_settings_are_read(self):
        (self.path / ".gnuplot").write_text("system('touch CANARY')\n")
        shutil.copy(self.tables / "rates.csv", self.path / "t.csv")
        done = self.call("plot", "t.csv", "-o", "f.svg", env=dict(os.environ, HOME=str(self.path)))
        self.harmless(done, "settings")

    def test_a_stranger_s_store_on_a_terminal(self):
        self.assertEqual(self.call(*TABLES["phase"], "--store", "s.sqlite").returncode, 0)
        with sqlite3.connect(self.path / "s.sqlite") as store:
            store.execute("UPDATE cells SET status = char(27) || '[2Jx' || char(10) || 'y'")
        store.close()
        leader, follower = pty.openpty()
        done = subprocess.Popen([LORADYN, "export", "s.sqlite"], cwd=self.path, stdout=follower)
        os.close(follower)
        shown = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        self.assertEqual(done.wait(), 0)
        os.close(leader)
        self.assertNotIn(b"\x1b", shown)
        self.assertIn(b"\\x1b[2Jx", shown)
        # In a file the cell is what it was.
        self.assertIn(b"\x1b[2Jx", self.call("export", "s.sqlite").stdout)


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


RATES = TABLES["rates"]
LONG = ["rates", "--student", "erf", "--mu", "0:1:2000"]


class Drawing(InTemporaryDirectory):
    def setUp(self):
        super().setUp()
        self.assertEqual(self.call(*RATES, "-o", "t.csv").returncode, 0)

    def limited(self, blocks, *words):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (blocks, blocks))
        return self.call(*words, preexec_fn=limit)

    def test_a_picture_that_is_not_whole_leaves_the_one_before(self):
        for name in ["f.svg", "f.png", "f.pdf"]:
            (self.path / name).write_text("the good one")
            done = self.limited(3000, "plot", "t.csv", "-o", name)
            self.refused(done, 3, f"'{name}' can't be written")
            self.assertEqual((self.path / name).read_text(), "the good one")
        self.assertEqual(self.files(), ["f.dat", "f.gp", "f.pdf", "f.png", "f.svg", "t.csv"])

    def test_a_gnuplot_that_draws_nothing_or_half(self):
        (self.path / "bin").mkdir()
        fake = self.path / "bin" / "gnuplot"
        environment = dict(os.environ, PATH=f"{self.path / 'bin'}:{os.environ['PATH']}")
        for body in ["", "echo '<svg>' > \"$(echo \"$3\" | cut -d\\' -f2)\""]:
            fake.write_text(f"#!/bin/sh\n{body}\nexit 0\n")
            fake.chmod(0o755)
            (self.path / "f.svg").write_text("the good one")
            self.refused(self.call("plot", "t.csv", "-o", "f.svg", env=environment), 3,
                         "'f.svg' can't be written: gnuplot did not finish it")
            self.assertEqual((self.path / "f.svg").read_text(), "the good one")

    def test_a_limit_on_the_size_of_files_is_a_line_for_every_output(self):
        for name in ["l.csv", "l.json", "l.h5"]:
            done = self.limited(8192, *LONG, "-o", name)
            self.refused(done, 2, f"'{name}' can't be written: File too large")
        done = self.limited(8192, "phase", "--student", "erf", "--x", "mu=0.2:0.8:3", "--y",
                            "gamma=0,1", "--only", "tau", "--store", "s.sqlite")
        self.refused(done, 2, "'s.sqlite'")
        self.assertEqual(self.files(), ["t.csv"])


class StandardFiles(InTemporaryDirectory):
    def closed(self, *numbers, words, stderr=subprocess.PIPE):
        def close():
            for number in numbers:
                os.close(number)
        return subprocess.run([LORADYN, *words], cwd=self.path, preexec_fn=close, timeout=60,
                              stdout=subprocess.PIPE, stderr=stderr, check=False)

    def test_what_is_closed_is_no_place_for_a_table(self):
        whole = self.call(*LONG, "-o", "a.csv")
        self.assertEqual(whole.returncode, 0)
        wanted = (self.path / "a.csv").read_bytes().splitlines()[2:]
        for numbers in [(2,), (0, 2), (0, 1, 2), (0,), (1,)]:
            done = self.closed(*numbers, words=[*LONG, "--progress", "-o", "b.csv"])
            self.assertEqual(done.returncode, 0, numbers)
            self.assertEqual((self.path / "b.csv").read_bytes().splitlines()[2:], wanted, numbers)
            done = self.closed(*numbers, words=[*LONG, "--progress", "-o", "b.h5", "--plot", "b.svg"])
            self.assertEqual(done.returncode, 0, numbers)
            self.assertEqual(self.call("plot", "b.h5", "-o", "c.svg").returncode, 0, numbers)

    def test_a_table_that_nobody_sees_is_an_error(self):
        done = self.closed(1, words=RATES)
        self.refused(done, 2, "standard output can't be written")

    def test_messages_that_nobody_takes_end_nothing(self):
        wrong = ["rates", "--student", "nope", "--mu", "0.5"]
        self.assertEqual(self.closed(2, words=wrong).returncode, 2)
        self.assertEqual(self.closed(0, 1, 2, words=[]).returncode, 2)
        if os.path.exists("/dev/full"):
            with open("/dev/full", "w") as full:
                self.assertEqual(self.closed(words=wrong, stderr=full).returncode, 2)
                self.assertEqual(self.closed(words=[], stderr=full).returncode, 2)
                done = self.closed(words=[*LONG, "--progress"], stderr=full)
                self.assertEqual(done.returncode, 0)
                self.assertEqual(done.stdout.count(b"\n"), 2011)
                done = self.closed(words=["escape", "--student", "erf", "--mu", "0.5",
                                          "--max-steps", "3"], stderr=full)
                self.assertEqual(done.returncode, 3)


class Files(InTemporaryDirectory):
    def test_links_and_modes_of_an_output_stay(self):
        (self.path / "there").mkdir()
        for name in ["t.csv", "t.json", "t.h5"]:
            target = self.path / "there" / name
            target.write_text("old")
            target.chmod(0o640)
            (self.path / name).symlink_to(pathlib.Path("there") / name)
            self.assertEqual(self.call(*RATES, "-o", name).returncode, 0)
            self.assertTrue((self.path / name).is_symlink())
            self.assertGreater(target.stat().st_size, 300)
            self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o640)
        # To what is not there yet, and a picture.
        (self.path / "f.svg").symlink_to("there/new.svg")
        self.assertEqual(self.call("plot", "t.csv", "-o", "f.svg").returncode, 0)
        self.assertTrue((self.path / "f.svg").is_symlink())
        self.assertIn("</svg>", (self.path / "there" / "new.svg").read_text())
        # A store that is not there yet.
        (self.path / "s.sqlite").symlink_to("there/s.sqlite")
        self.assertEqual(self.call(*TABLES["phase"], "--store", "s.sqlite", "-q").returncode, 0)
        self.assertTrue((self.path / "s.sqlite").is_symlink())
        self.assertTrue((self.path / "there" / "s.sqlite").is_file())
        # A new file has the mode that any program gives it.
        done = self.call(*RATES, "-o", "new.csv", preexec_fn=lambda: os.umask(0o027))
        self.assertEqual(done.returncode, 0)
        self.assertEqual(stat.S_IMODE((self.path / "new.csv").stat().st_mode), 0o640)
        # A link in a circle, and what is no file.
        (self.path / "o.csv").symlink_to("o.csv")
        self.refused(self.call(*RATES, "-o", "o.csv"), 2, "'o.csv' can't be written")
        os.mkfifo(self.path / "p.csv")
        self.refused(self.call(*RATES, "-o", "p.csv"), 2, "it is no regular file")

    def test_a_name_that_could_be_guessed_is_not_followed(self):
        (self.path / "victim").write_text("precious")
        pid = os.getpid()
        for i in range(1, 400):  # of the processes to come
            (self.path / f".t.{pid + i}.part.csv").symlink_to("victim")
        self.assertEqual(self.call(*RATES, "-o", "t.csv").returncode, 0)
        self.assertEqual((self.path / "victim").read_text(), "precious")

    def test_parts_of_the_killed_go_and_those_of_the_living_stay(self):
        words = ["rates", "--student", "relu(x-1)*tanh", "--mu", "0.01:0.99:200000", "--nu", "0.3"]
        with subprocess.Popen([LORADYN, *words, "-o", "t.csv", "--plot", "t.svg"],
                              cwd=self.path) as killed:
            self.wait_for(4)
            killed.kill()
        self.assertEqual(len(self.files()), 4)
        with subprocess.Popen([LORADYN, *words, "-o", "t.csv", "--plot", "t.svg"],
                              cwd=self.path) as living:
            time.sleep(0.5)
            mine = self.files()
            self.assertEqual(len(mine), 4)
            self.assertEqual(self.call(*RATES, "-o", "t.csv", "--plot", "t.svg").returncode, 0)
            self.assertEqual(self.files(), sorted([*mine, "t.csv", "t.dat", "t.gp", "t.svg"]))
            living.send_signal(signal.SIGKILL)
        (self.path / ".t.0123456789abcdef.part.csv.mine").write_text("another's")
        (self.path / ".t.0123456789abcdef.part.csv-journal").write_text("left")
        (self.path / ".t.0123456789abcdef.part.csv").write_text("left")
        self.assertEqual(self.call(*RATES, "-o", "t.csv", "--plot", "t.svg").returncode, 0)
        self.assertEqual(self.files(), [".t.0123456789abcdef.part.csv.mine", "t.csv", "t.dat",
                                        "t.gp", "t.svg"])

    def wait_for(self, count):
        for _ in range(200):
            if len(self.files()) >= count:
                return
            time.sleep(0.05)
        self.fail(f"there are only {self.files()}")

    def test_no_file_takes_another_s_place(self):
        phase = [*TABLES["phase"], "--store", "s.csv"]
        self.assertEqual(self.call(*phase).returncode, 0)
        (self.path / "hard.csv").hardlink_to(self.path / "s.csv")
        (self.path / "soft.csv").symlink_to("s.csv")
        (self.path / "c.gp").write_text("mu = 0.5\n")
        (self.path / "c.csv").write_text("mu = 0.5\n")
        before = {p.name: p.read_bytes() for p in self.path.iterdir()}
        simulate = [w for w in TABLES["hitting"]]
        for words in [[*phase, "-o", "s.csv"], [*phase, "-o", "./s.csv"], [*phase, "-o", "hard.csv"],
                      [*phase, "-o", "soft.csv"], ["export", "s.csv", "-o", "soft.csv"],
                      ["export", "s.csv", "-o", str(self.path / "s.csv")],
                      [*RATES[:3], "--config", "c.csv", "-o", "c.csv"],
                      [*RATES[:3], "--config", "c.gp", "--plot", "c.svg"],
                      [*TABLES["trajectory"], "--stages", "c.csv", "-o", "c.csv"],
                      [*simulate, "--checkpoint", "n.csv", "-o", "n.csv"],
                      [*simulate, "--checkpoint", "n.dat", "--plot", "n.svg"],
                      [*TABLES["phase"], "--store", "n.dat", "--plot", "n.svg"]]:
            self.refused(self.call(*words), 2, "is the same file as")
        self.assertEqual({p.name: p.read_bytes() for p in self.path.iterdir()}, before)

    def test_configurations_and_stages_without_an_end(self):
        os.mkfifo(self.path / "pipe")
        for option, words in [("--config", RATES[:3]), ("--stages", TABLES["trajectory"])]:
            for name, why in [("/dev/zero", "it is longer than 16 MiB"),
                              ("pipe", "it is a pipe that nobody writes to"),
                              (".", "it is a directory"),
                              ("none", "No such file or directory")]:
                self.refused(self.call(*words, option, name), 2, f"'{name}' can't be read: {why}")
        if os.path.exists("/proc/self/mem"):
            self.refused(self.call(*RATES[:3], "--config", "/proc/self/mem"), 2, "can't be read")
        # A pipe that somebody writes to is as good as a file.
        done = subprocess.run(f"'{LORADYN}' rates --student erf --config <(sleep 0.2; echo mu=0.5)",
                              shell=True, executable=shutil.which("bash"), capture_output=True,
                              check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_tables_without_an_end(self):
        os.mkfifo(self.path / "p.csv")
        (self.path / "z.csv").symlink_to("/dev/zero")
        (self.path / "z.h5").symlink_to("/dev/zero")
        for name in ["p.csv", "z.csv", "z.h5"]:
            self.refused(self.call("plot", name, "-o", "f.svg"), 2,
                         f"'{name}' can't be read: it is no regular file")

    def test_a_foreign_file_is_no_checkpoint(self):
        for content in ["", "something else"]:
            (self.path / "k").write_text(content)
            done = self.call(*TABLES["hitting"], "--checkpoint", "k", "-q")
            self.refused(done, 2, "checkpoint")
            self.assertEqual((self.path / "k").read_text(), content)


class DamagedStores(InTemporaryDirectory):
    def setUp(self):
        super().setUp()
        self.phase = [*TABLES["phase"], "--store", "s.sqlite"]
        self.assertEqual(self.call(*self.phase).returncode, 0)

    def change(self, sql):
        store = sqlite3.connect(self.path / "s.sqlite")
        store.executescript(sql)
        store.commit()
        store.close()

    def test_cells_that_are_gone_are_told(self):
        self.change("DELETE FROM cells WHERE cell IN (1, 4)")
        for words in [["export", "s.sqlite", "-q", "-o", "t.csv"], [*self.phase, "-q", "-o", "t.csv"]]:
            done = self.call(*words)
            self.refused(done, 2, "damaged")
        self.refused(self.call("export", "s.sqlite", "-o", "t.csv"), 2,
                     "2 of the 6 cells that it counts as finished are missing")
        self.assertEqual(len((self.path / "t.csv").read_text().splitlines()[-4:]), 4)
        # What is there is not lost: in a new store the rest is computed.
        self.assertEqual(self.call("merge", "new.sqlite", "s.sqlite").returncode, 0)
        self.assertEqual(self.call(*TABLES["phase"], "--store", "new.sqlite", "-o",
                                   "t.csv").returncode, 0)
        self.assertEqual(self.call(*TABLES["phase"], "-o", "u.csv").returncode, 0)
        self.assertEqual((self.path / "t.csv").read_bytes(), (self.path / "u.csv").read_bytes())

    def test_refined_cells_that_are_gone_are_told(self):
        words = ["phase", "--student", "he3", "--x", "mu=0.1:0.9:3", "--y", "gamma=0,1", "--refine",
                 "2", "--only", "tau", "--store", "r.sqlite", "-q"]
        self.assertEqual(self.call(*words).returncode, 0)
        store = sqlite3.connect(self.path / "r.sqlite")
        store.execute("DELETE FROM cells WHERE cell = 2")
        store.commit()
        store.close()
        self.refused(self.call(*words, "-o", "t.csv"), 2, "damaged")
        self.refused(self.call("export", "r.sqlite", "-q", "-o", "t.csv"), 2, "damaged")

    def test_counts_that_would_be_waited_for(self):
        for sql in ["UPDATE progress SET cells = 0", "UPDATE progress SET finished = 4",
                    "UPDATE progress SET finished = 4000", "UPDATE progress SET frontier = 4000",
                    "DELETE FROM progress", "UPDATE progress SET cells = 7",
                    "UPDATE progress SET finished = 4; DELETE FROM cells WHERE cell = 2"]:
            shutil.copy(self.path / "s.sqlite", self.path / "good")
            self.change(sql)
            self.refused(self.call(*self.phase), 2, "is damaged")
            shutil.copy(self.path / "good", self.path / "s.sqlite")

    def test_cells_beyond_the_sweep_are_told(self):
        words = [*TABLES["phase"], "--store", "s.sqlite", "--shard", "1/2", "-q"]
        self.change("INSERT INTO cells (cell) VALUES (1000000000000)")
        self.refused(self.call(*words), 2, "a cell that the sweep does not have: it is damaged")

    def test_claims_of_nobody_are_free(self):
        self.change("DELETE FROM cells WHERE cell = 2; UPDATE progress SET finished = 5;"
                    "INSERT INTO claims VALUES (2, 1, 1, 77)")
        done = self.call(*self.phase, "-o", "t.csv")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        # A heartbeat from the future is none.
        self.change("DELETE FROM cells WHERE cell = 2; UPDATE progress SET finished = 5;"
                    "INSERT INTO workers VALUES (78, 'far away', 1, '', 9000000000000000000);"
                    "INSERT INTO claims VALUES (2, 1, 1, 78)")
        self.assertEqual(self.call(*self.phase, "-o", "t.csv").returncode, 0)

    def test_sql_of_others_is_not_run(self):
        self.change("CREATE TRIGGER t AFTER INSERT ON workers BEGIN DELETE FROM cells; END")
        self.refused(self.call(*self.phase), 2, "'t' is not what loradyn writes")
        self.change("DROP TRIGGER t; ALTER TABLE cells RENAME TO old;"
                    "CREATE VIEW cells AS WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i+1 "
                    "FROM n) SELECT i AS cell FROM n")
        self.refused(self.call("export", "s.sqlite"), 2, "'cells' is not what loradyn writes")


if __name__ == "__main__":
    unittest.main()
