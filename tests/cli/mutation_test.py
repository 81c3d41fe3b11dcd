"""Damaged and hostile files: tables, configurations, stages, stores and checkpoints, mutated at
random. Whatever is in a file, the program ends with an exit code of its own, says what is wrong on
one line that a terminal can show, and leaves no part behind.

    mutation_test.py [--seed N] [--count N] [--only KIND] [--gnuplot]

draws `count` mutants of each kind. A violation tells its seed, and its file is kept. The path of the
program is in the environment variable LORADYN.
"""

import argparse
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

LORADYN = os.environ["LORADYN"]

# Seconds after which a command is asked to end, and those that it then has: a mutant may ask for
# more work than there is time, so that only deafness is a violation.
PATIENCE = 10
LAST_PATIENCE = 10  # much more than it needs, on a loaded machine
MEMORY = 6 << 30

NUMBERS = ["nan", "inf", "-inf", "0", "-0", "-1", "1", "0.5", "1e308", "-1e308", "1e-320", "1e999",
           "2147483648", "18446744073709551616", "-9223372036854775809", "1e6", "0x10", "1:0:3",
           "0:1:3", "log:0:1:3", "0.5,", ",", "", " "]
TEXTS = ["'", "''", "\"", "\\", "\n", "\r\n", "\t", "\0", "\x1b[2J", "`touch CANARY`", ",", "#", "%n%s",
         "{", "}", "[", "]", "=", ":", "\ufeff", "\u202e", "\xff", "null", "true", "[[", "]]", "{}",
         "'\nsystem('touch CANARY')\n'", "x" * 70000]
INTEGERS = [0, 1, 2, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63,
            2**64 - 1]

TABLES = {
    "rates": ["rates", "--student", "erf,he3", "--mu", "0.2:0.8:4"],
    "critical": ["critical", "--student", "he3,he4", "--mu", "0.02:0.98"],
    "trajectory": ["trajectory", "--student", "linear", "--mu", "0.5", "--t-end", "20", "--points",
                   "5"],
    "escape": ["escape", "--student", "linear,he2", "--mu", "0.2:0.8:3", "--dim", "100"],
    "fixed-points": ["fixed-points", "--student", "he3", "--mu", "0.2:0.8:3"],
    "budget": ["budget", "--student", "linear", "--source", "linear", "--rho", "0.5", "--t-pre",
               "0:1:3"],
    "phase": ["phase", "--student", "linear", "--x", "mu=0.2:0.8:3", "--y", "gamma=0,1"],
    "refined": ["phase", "--student", "linear", "--x", "mu=0.2:0.8:3", "--y", "gamma=0,1",
                "--refine", "1"],
    "simulate": ["simulate", "--student", "linear", "--mu", "0.5", "--dim", "50", "--batch", "5",
                 "--lr", "0.1", "--steps", "20", "--runs", "3", "--points", "3"],
    "hitting": ["simulate", "--student", "linear", "--mu", "0.5", "--dim", "50", "--batch", "5",
                "--lr", "0.1", "--steps", "200", "--runs", "3", "--event", "m"],
    "validate": ["validate", "--student", "linear", "--mu", "0.5", "--gamma", "1", "--dim",
                 "100,200", "--runs", "4"],
}
STORED = {
    "plain": ["phase", "--student", "linear", "--x", "mu=0.2:0.8:3", "--y", "gamma=0,1"],
    "refined": ["phase", "--student", "linear", "--x", "mu=0.2:0.8:3", "--y", "gamma=0,1",
                "--refine", "1"],
}
CONFIG = b"""# Options
student = "linear"
teacher = "linear"
nu = [0, 0.5]
mu = "0.1:0.9:5"
gamma = 0.25
time-unit = "raw"
[rates]
seed = 3
quiet = true
"""
STAGES = b"""[[stage]]
pretrain = "linear"
rho = 0.5
time = 3.5

[[stage]]
teacher = "linear"
noise = 0.1
lr-ratio = 2
time = 5
until = "m"
at = 0.5
signed = false
"""
SIMULATED_STAGES = b"""[[stage]]
teacher = "linear"
noise = 0.1
lr-ratio = 2
lr = 0.1
steps = 20

[[stage]]
lr = 0.05
time = 1.0
"""
LONG_RUN = ["simulate", "--student", "linear", "--mu", "0.5", "--dim", "50", "--batch", "5", "--lr",
            "0.001", "--steps", "60000", "--runs", "300", "--points", "3"]
LONG_RUNS = {"neuron": LONG_RUN,
             "network": [*LONG_RUN, "--width", "2", "--teacher-width", "2", "--rank", "2"]}


def mutated_bytes(data, rng):
    """With one to a few changes of bytes."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        at = rng.randrange(len(data) + 1)
        length = rng.choice([1, 1, 2, 4, 8, 64, 1024])
        how = rng.randrange(8)
        if how == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1 and at < len(data):
            data[at] = rng.randrange(256)
        elif how == 2:
            del data[at:at + length]
        elif how == 3:
            data[at:at] = data[at:at + length]
        elif how == 4:
            data[at:at] = rng.randbytes(length)
        elif how == 5:
            del data[at:]
        elif how == 6:
            width = rng.choice([1, 2, 4, 8])
            value = rng.choice(INTEGERS) % (1 << 8 * width)
            data[at:at + width] = value.to_bytes(width, rng.choice(["little", "big"]))
        else:
            other = rng.randrange(len(data) + 1)
            data[at:at + length] = data[other:other + length]
    return bytes(data)


def mutated_text(data, rng):
    """With one to a few words or characters in others' places."""
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        words = list(re.finditer(rb"[\w.+-]+|[^\w\s]|\n", data))
        if not words:
            return data
        word = rng.choice(words)
        how = rng.randrange(6)
        if how == 0:
            new = rng.choice(NUMBERS).encode()
        elif how == 1:
            new = rng.choice(TEXTS).encode()
        elif how == 2:
            new = rng.choice(words).group()
        elif how == 3:
            new = word.group() * rng.choice([2, 3, 1000])
        elif how == 4:
            new = b""
        else:
            lines = data.split(b"\n")
            i, k = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[i], lines[k] = lines[k], rng.choice([lines[i], lines[k], b""])
            data = b"\n".join(lines)
            continue
        data = data[:word.start()] + new + data[word.end():]
    return data


def mutated(data, rng, text):
    return mutated_text(data, rng) if text and rng.random() < 0.7 else mutated_bytes(data, rng)


def mutated_store(path, rng):
    """Through SQL: values, rows and tables that are no store's."""
    store = sqlite3.connect(path)
    values = ["NULL", "''", "'x'", "char(10) || char(27)", "x'00ff'", "1e308", "-1", "0", "1", "3",
              "9223372036854775807", "-9223372036854775808", "zeroblob(100000)", "'1:0:3'", "'nan'"]
    for _ in range(rng.choice([1, 1, 2, 3])):
        tables = [r[0] for r in store.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        table = rng.choice(tables)
        columns = [r[1] for r in store.execute(f"PRAGMA table_info('{table}')")]
        column, other = rng.choice(columns), rng.choice(columns)
        row = (f"rowid IN (SELECT rowid FROM '{table}' "
               f"ORDER BY rowid * {rng.choice([7, 11, 13])} % 17 LIMIT {rng.choice([1, 1, 9])})")
        if table == "tallies":
            row = "1"
        value = rng.choice(values)
        try:
            store.execute(rng.choice([
                f"UPDATE '{table}' SET \"{column}\" = {value} WHERE {row}",
                f"UPDATE '{table}' SET \"{column}\" = {value} WHERE {row}",
                f"UPDATE '{table}' SET \"{column}\" = \"{other}\"",
                f"DELETE FROM '{table}' WHERE {row}",
                f"INSERT INTO '{table}' (\"{column}\") VALUES ({value})",
                f"INSERT INTO claims VALUES ({rng.choice([0, 1, 5, -3])}, "
                f"{rng.choice(INTEGERS[:11])}, 1, {rng.choice([1, 2, 77])})",
                f"INSERT INTO unclaimed VALUES ({rng.choice([0, 1, 5, -3])}, "
                f"{rng.choice(INTEGERS[:11])})",
                f"ALTER TABLE '{table}' RENAME COLUMN \"{column}\" TO \"renamed\"",
                f"ALTER TABLE '{table}' ADD COLUMN more",
                f"DROP TABLE '{table}'",
                "PRAGMA user_version = 3",
            ]))
        except sqlite3.Error:
            pass  # no such change
    try:
        store.commit()
    finally:
        store.close()


class Mutants:
    def __init__(self, seed, real_gnuplot):
        self.seed = seed
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        self.good = self.path / "good"
        self.work = self.path / "work"
        self.good.mkdir()
        self.environment = dict(os.environ, OMP_NUM_THREADS="1")
        if not real_gnuplot:
            # One that does no more than what is checked.
            (self.path / "bin").mkdir()
            gnuplot = self.path / "bin" / "gnuplot"
            gnuplot.write_text("#!/bin/sh\nn=${3#*[\\'\\\"]}\nprintf '</svg>' > \"${n%?}\"\n")
            gnuplot.chmod(0o755)
            self.environment["PATH"] = f"{self.path / 'bin'}:{os.environ['PATH']}"
        self.make_good()
        self.slow = 0
        self.codes = {}

    def make_good(self):
        for name, words in TABLES.items():
            for ending in ["csv", "json", "h5"]:
                self.make(*words, "-o", f"{name}.{ending}", codes=(0, 1))
        for name, words in STORED.items():
            self.make(*words, "--store", f"{name}.sqlite", "-q")
            # One that is not finished.
            shutil.copy(self.good / f"{name}.sqlite", self.good / f"{name}-half.sqlite")
            store = sqlite3.connect(self.good / f"{name}-half.sqlite")
            store.executescript("DELETE FROM cells WHERE cell IN (2, 3);"
                                "UPDATE progress SET finished = finished - 2;"
                                "INSERT INTO unclaimed VALUES (2, 2)")
            store.commit()
            store.close()
        for name, words in LONG_RUNS.items():
            self.interrupt(words, f"{name}.kept")

    def interrupt(self, words, checkpoint):
        for attempt in range(20):
            process = subprocess.Popen([LORADYN, *words, "--checkpoint", checkpoint],
                                       cwd=self.good, stderr=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL)
            time.sleep(0.1 + 0.05 * attempt)
            process.send_signal(signal.SIGTERM)
            process.wait()
            if (self.good / checkpoint).exists():
                return
        raise AssertionError("no checkpoint was left")

    def make(self, *words, codes=(0,)):
        done = subprocess.run([LORADYN, *words], cwd=self.good, capture_output=True, check=False)
        assert done.returncode in codes, (words, done.stderr)

    def fresh(self):
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()

    # Each kind of mutant: what is written into the working folder, and the command that meets it.

    def table(self, rng, ending):
        name = rng.choice(list(TABLES))
        data = (self.good / f"{name}.{ending}").read_bytes()
        (self.work / f"t.{ending}").write_bytes(mutated(data, rng, ending != "h5"))
        return f"t.{ending}", ["plot", f"t.{ending}", "-o", "f.svg"]

    def csv(self, rng):
        return self.table(rng, "csv")

    def json(self, rng):
        return self.table(rng, "json")

    def h5(self, rng):
        return self.table(rng, "h5")

    def config(self, rng):
        (self.work / "c.toml").write_bytes(mutated(CONFIG, rng, True))
        return "c.toml", ["rates", "--config", "c.toml", "-o", "o.csv"]

    def stages(self, rng):
        simulated = rng.random() < 0.5
        (self.work / "s.toml").write_bytes(
            mutated(SIMULATED_STAGES if simulated else STAGES, rng, True))
        if simulated:
            return "s.toml", ["simulate", "--student", "linear", "--mu", "0.5", "--dim", "50",
                              "--batch", "5", "--runs", "2", "--stages", "s.toml", "-o", "o.csv"]
        return "s.toml", ["trajectory", "--student", "linear", "--stages", "s.toml", "--points", "5",
                          "-o", "o.csv"]

    def store(self, rng):
        name = rng.choice(list(STORED))
        file = self.work / "s.sqlite"
        shutil.copy(self.good / f"{name}{rng.choice(['', '-half'])}.sqlite", file)
        if rng.random() < 0.5:
            mutated_store(file, rng)
        else:
            data = file.read_bytes()
            # Behind what tells that it is a store, or else all are refused there.
            keep = rng.choice([0, 100, 100, 100])
            file.write_bytes(data[:keep] + mutated_bytes(data[keep:], rng))
        how = rng.randrange(4)
        if how == 0:
            return None, ["export", "s.sqlite", "-o", "o.csv", "--plot", "f.svg", "-q"]
        if how == 1:
            return None, ["export", "s.sqlite", "-o", "o.h5", "-q"]
        if how == 2:
            return None, ["merge", "m.sqlite", "s.sqlite"]
        return None, [*STORED[name], "--store", "s.sqlite", "-o", "o.json", "-q"]

    def checkpoint(self, rng):
        name = rng.choice(list(LONG_RUNS))
        data = (self.good / f"{name}.kept").read_bytes()
        title, rest = data.split(b"\n", 1)
        if rng.random() < 0.8:
            # With a checksum that fits, so that what it guards is met.
            body = mutated_bytes(rest[8:], rng)
            data = title + b"\n" + struct.pack("<Q", checksum(body)) + body
        else:
            data = mutated_bytes(data, rng)
        (self.work / "run.kept").write_bytes(data)
        return None, [*LONG_RUNS[name], "--checkpoint", "run.kept", "-o", "o.csv", "-q"]

    def judge(self, kind, number):
        """What is wrong with the program's answer to a mutant, or nothing."""
        rng = random.Random(f"{self.seed} {kind} {number}")
        self.fresh()
        untouched, words = getattr(self, kind)(rng)
        before = (self.work / untouched).read_bytes() if untouched else None
        inputs = set(os.listdir(self.work))
        process = subprocess.Popen(
            [LORADYN, *words, "--threads", "1"] if words[0] not in ("plot", "export", "merge")
            else [LORADYN, *words], cwd=self.work, env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=limit)
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            self.slow += 1
            try:
                process.communicate(timeout=LAST_PATIENCE)
                return None
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                return "it is deaf"
        code = process.returncode
        self.codes[code] = self.codes.get(code, 0) + 1
        text = err.decode("utf-8", "replace")
        left = set(os.listdir(self.work)) - inputs
        if code not in (0, 2, 3):
            return f"it ended with {code}: {text[:300]}"
        if text.count("\n") > 1 or (code != 0 and text.count("\n") != 1):
            return f"not one line (code {code}): {text[:500]}"
        if text and not text.startswith("loradyn: "):
            return f"a line of another's: {text[:300]}"
        if any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c == "\ufffd" for c in text):
            return f"a line with control characters: {text[:300]!r}"
        if re.search(r"std::|basic_string|vector::|map::|bad_|_M_|filesystem error|stoi|stod", text):
            return f"a line for programmers: {text[:300]}"
        if any(".part" in name or name == "CANARY" for name in left):
            return f"left behind: {left}"
        if untouched and (self.work / untouched).read_bytes() != before:
            return "it changed its input"
        return None


def limit():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "asan" not in LORADYN:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def checksum(data):
    """FNV-1a, as the checkpoint has it."""
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % (1 << 64)
    return value


KINDS = ["csv", "json", "h5", "config", "stages", "store", "checkpoint"]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--first", type=int, default=0, help="the number of the first mutant")
    options.add_argument("--count", type=int, default=60, help="mutants of each kind")
    options.add_argument("--only", choices=KINDS)
    options.add_argument("--gnuplot", action="store_true", help="draw with gnuplot, not a stand-in")
    given = options.parse_args()
    violations = 0
    mutants = Mutants(given.seed, given.gnuplot)
    for kind in [given.only] if given.only else KINDS:
        mutants.codes, mutants.slow = {}, 0
        for number in range(given.first, given.first + given.count):
            complaint = mutants.judge(kind, number)
            if complaint:
                violations += 1
                kept = tempfile.mkdtemp(prefix=f"loradyn-mutant-{kind}-{number}-")
                shutil.copytree(mutants.work, kept, dirs_exist_ok=True)
                print(f"{kind} --seed {given.seed} --first {number}: {complaint}\n  kept in {kept}",
                      flush=True)
        print(f"{kind}: {given.count} mutants, codes {mutants.codes}, {mutants.slow} slow",
              flush=True)
    mutants.directory.cleanup()
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
