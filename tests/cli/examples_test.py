"""Every example of every --help, of README.md and of docs runs, and draws what it says.

The path of the program is in the environment variable LORADYN. What takes minutes runs with fewer
cells, runs or ranks: SHORTER says how.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

LORADYN = os.environ["LORADYN"]
ROOT = pathlib.Path(__file__).resolve().parents[2]

# The same command with less to do.
SHORTER = [
    (r"(=|:)(-?[\d.]+):(-?[\d.]+):(\d{3,}|[3-9]\d)\b", r"\1\2:\3:9"),
    (r"log:([\d.]+):([\d.]+):([3-9]\d|\d{3,})\b", r"log:\1:\2:9"),
    (r":(13|9)\b(?=.*--engine)", ":4"),
    (r"--runs (\d{3,})", "--runs 100"),
    (r"--law-runs (\d{3,})", "--law-runs 100"),
    (r"--refine \d", "--refine 2"),
]
# A verdict is not asked of shortened runs; a store may be one that is not there.
ALLOWED = {"validate": {0, 1}}


def joined(lines):
    """Lines that end in a backslash with those that they go on in."""
    command = ""
    for line in lines:
        command += line.strip()
        if command.endswith("\\"):
            command = command[:-1]
            continue
        yield command
        command = ""


def examples_of_help():
    names = re.findall(r"^  ([a-z-]+) +\S",
                       subprocess.run([LORADYN, "help"], capture_output=True, text=True,
                                      check=True).stdout.partition("Subcommands")[2], re.M)
    for name in names:
        text = subprocess.run([LORADYN, "help", name], capture_output=True, text=True, check=True,
                              env=dict(os.environ, COLUMNS="120")).stdout
        examples = re.split(r"^Examples?:$", text, flags=re.M)[1:]
        for part in examples:
            yield from ((f"help {name}", c) for c in joined(part.splitlines()) if c)


def examples_of_pages():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        lines = [line for line in page.read_text().splitlines() if line.startswith("    ")]
        for command in joined(lines):
            command = command.partition(" # ")[0].strip()
            if command.startswith("loradyn ") and "COMMAND" not in command and "TARGET" not in command:
                yield page.name, command


class Examples(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = pathlib.Path(self.directory.name)
        (self.path / "bin").mkdir()
        (self.path / "bin/loradyn").symlink_to(LORADYN)
        for name in [".local/share/bash-completion/completions", ".config/fish/completions"]:
            (self.path / name).mkdir(parents=True)
        stage = '[[stage]]\npretrain = "erf"\nrho = 0.7\ntime = 4\n[[stage]]\ntime = 5\n'
        (self.path / "protocol.toml").write_text(stage)
        (self.path / "pretrain.toml").write_text(stage)
        (self.path / "first.toml").write_text('[[stage]]\nlabel = "y^2"\ntime = 2\n')
        (self.path / "tasks.toml").write_text('[[stage]]\ntime = 4\n[[stage]]\non = "source"\ntime = 4\n')
        (self.path / "map.toml").write_text('[phase]\nstudent = "erf"\nx = "mu=0.1:0.9:5"\n'
                                            'y = "gamma=0.1:1:5"\n')
        (self.path / "published.csv").write_text("mu,tau\n0.1,4.48\n0.5,45.6\n")
        self.run_in_shell("loradyn rates --student erf --mu 0.1:0.9:9 -o tau.csv")
        grid = "loradyn phase --student 'he3+{a}*he5' --x mu=0.05:0.95:9 --y a=-0.5:0.5:9 -q"
        for i in [1, 2]:
            self.run_in_shell(f"{grid} --shard {i}/2 --store shard{i}.sqlite -o /dev/null")

    def run_in_shell(self, command):
        env = dict(os.environ, HOME=str(self.path), SLURM_ARRAY_TASK_ID="1",
                   PATH=f"{self.path / 'bin'}:{os.environ['PATH']}")
        return subprocess.run(["bash", "-c", command], cwd=self.path, capture_output=True, text=True,
                              timeout=300, env=env, stdin=subprocess.DEVNULL)

    def check_all(self, examples):
        self.assertGreater(len(examples), 5)
        for where, command in examples:
            with self.subTest(where, command=command):
                short = command
                for pattern, shorter in SHORTER:
                    short = re.sub(pattern, shorter, short)
                if command.startswith("loradyn merge"):
                    (self.path / "map.sqlite").unlink(missing_ok=True)
                if command.startswith("loradyn export") and not (self.path / "map.sqlite").exists():
                    shutil.copy(self.path / "shard1.sqlite", self.path / "map.sqlite")
                begin = time.monotonic()
                done = self.run_in_shell(short)
                if "-v" in sys.argv:
                    print(f"{time.monotonic() - begin:6.1f} s  {short}", file=sys.stderr)
                name = command.split()[1]
                self.assertIn(done.returncode, ALLOWED.get(name, {0}), done.stderr)
                for option in [r"--plot (\S+)", r"-o (\S+\.(?:svg|pdf|png))\b"]:
                    for picture in re.findall(option, short):
                        self.assertGreater((self.path / picture).stat().st_size, 3000)

    def test_of_every_help(self):
        self.check_all(list(examples_of_help()))

    def test_of_every_page(self):
        self.check_all(list(examples_of_pages()))


if __name__ == "__main__":
    unittest.main()
