"""Every ```console block of docs gives what stands there: lines after `$` are run, in one directory for a page.

The path of the program is in the environment variable LORADYN. Numbers are compared to six digits, since the last
ones of a few functions of the C library differ between processors. `transcript_test.py --write` writes what the
commands give into the pages instead.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")


def pages():
    return [page for page in sorted((ROOT / "docs").glob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8"))]


def commands_of(block):
    """The commands of a block, each with the output below it; a backslash at its end continues a command."""
    commands = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append([line[2:], []])
        elif commands and not commands[-1][1] and commands[-1][0].endswith("\\"):
            commands[-1][0] += "\n" + line
        else:
            commands[-1][1].append(line)
    return commands


class Folder:
    """Where the commands of a page run, one after another."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        (self.path / "bin").mkdir()
        (self.path / "bin/loradyn").symlink_to(os.environ["LORADYN"])

    def run(self, command):
        work = self.path / "work"
        work.mkdir(exist_ok=True)
        env = dict(os.environ, HOME=str(work), LC_ALL="C.UTF-8", PATH=f"{self.path / 'bin'}:{os.environ['PATH']}")
        done = subprocess.run(["bash", "-c", command], cwd=work, env=env, stdin=subprocess.DEVNULL, timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.rstrip("\n").splitlines()


def same(got, expected):
    """Whether two lines agree in their words, and in their numbers to six digits or 1e-12."""
    if NUMBER.split(got) != NUMBER.split(expected):
        return False
    pairs = zip(NUMBER.findall(got), NUMBER.findall(expected))
    return all(abs(float(a) - float(b)) <= 1e-6 * abs(float(b)) + 1e-12 for a, b in pairs)


class Transcripts(unittest.TestCase):
    def test_of_every_page(self):
        count = 0
        for page in pages():
            folder = Folder()
            for block in BLOCK.findall(page.read_text(encoding="utf-8")):
                for command, expected in commands_of(block):
                    with self.subTest(page=page.name, command=command):
                        got = folder.run(command)
                        self.assertEqual(len(got), len(expected), "\n".join(got))
                        for a, b in zip(got, expected):
                            self.assertTrue(same(a, b), f"{a}\nwhere the page has\n{b}")
                        count += 1
        self.assertGreaterEqual(count, 12)

    def test_a_wrong_number_is_found(self):
        self.assertTrue(same("he3,0.2,unlearned,-1.0000000001e-3", "he3,0.2,unlearned,-1e-3"))
        self.assertFalse(same("he3,0.2,unlearned", "he3,0.2,learned"))
        self.assertFalse(same("tau 4.4802", "tau 4.4803"))


def write():
    for page in pages():
        folder = Folder()

        def filled(match):
            lines = []
            for command, _ in commands_of(match[1]):
                lines += ["$ " + command, *folder.run(command)]
            return "```console\n" + "\n".join(lines) + "\n```"

        page.write_text(BLOCK.sub(filled, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
