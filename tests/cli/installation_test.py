"""What a run loads, and where the program finds the rest of its installation.

The path of the program is in the environment variable LORADYN, the directory of its build in
LORADYN_BUILD_DIR, and CMake in CMAKE.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

LORADYN = os.environ["LORADYN"]
BUILD = os.environ["LORADYN_BUILD_DIR"]
ONE_POINT = ["rates", "--student", "he3", "--mu", "0.5"]
MAP = ["phase", "--student", "he3+{a}*he5", "--x", "mu=0.1:0.9:9", "--y", "a=-0.4:0.4:9", "-q"]
# Half a second a cell, half a minute a block of a rank.
LONG_MAP = ["phase", "--student", "erf", "--x", "mu=0.1:0.9:60", "--y", "gamma=0.1:2:60", "--dim",
            "1000", "--engine", "chain", "--runs", "2", "--batch", "10", "-q"]


def run(program, *words, cwd=None, env=None):
    return subprocess.run([program, *words], capture_output=True, text=True, cwd=cwd, timeout=120,
                          env=env and dict(os.environ, **env))


class Libraries(unittest.TestCase):
    def test_the_program_loads_neither_hdf5_nor_mpi(self):
        names = re.findall(r"^\s*(\S+)", run("ldd", LORADYN).stdout, re.M)
        self.assertIn("libc.so.6", names)
        self.assertEqual([n for n in names if re.search("hdf5|mpi|curl|krb5|ldap|ssl", n)], [])
        # A new one is a decision: each costs every start.
        known = r"linux-vdso|/lib.*/ld-linux|lib(tomlplusplus|fmt|tbb|sqlite3|stdc\+\+|m|gcc_s|c|dl|pthread|[a-z]+san|gcov)\.so"
        self.assertEqual([n for n in names if not re.match(known, n)], [])


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.directory.name)
        subprocess.run([os.environ["CMAKE"], "--install", BUILD, "--prefix", cls.path / "first"],
                       check=True, capture_output=True)
        cls.prefix = (cls.path / "first").rename(cls.path / "moved")
        cls.program = cls.prefix / "bin/loradyn"
        [cls.helper] = cls.prefix.rglob("loradyn-hdf5")

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=self.path))

    def h5_works(self, program, **where):
        for name in ["t.h5", "back.svg"]:
            (self.work / name).unlink(missing_ok=True)
        done = run(program, *MAP, "-o", "t.h5", cwd=self.work, **where)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.work / "t.h5").read_bytes()[:4], b"\x89HDF")
        done = run(program, "plot", "t.h5", "-o", "back.svg", cwd=self.work, **where)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_man_and_the_shells_find_what_the_program_tells(self):
        for name, words in [("share/man/man1/loradyn.1", ["man"]),
                            ("share/bash-completion/completions/loradyn", ["completion", "bash"]),
                            ("share/zsh/site-functions/_loradyn", ["completion", "zsh"]),
                            ("share/fish/vendor_completions.d/loradyn.fish", ["completion", "fish"])]:
            self.assertEqual((self.prefix / name).read_text(), run(self.program, *words).stdout)

    def test_a_moved_installation_writes_and_reads_h5(self):
        self.h5_works(self.program)

    def test_so_does_one_that_is_called_through_links_or_the_path(self):
        (self.work / "l").symlink_to(self.program)
        (self.work / "ll").symlink_to("l")
        self.h5_works(self.work / "ll")
        (self.work / "tree").symlink_to(self.prefix)
        self.h5_works(self.work / "tree/bin/loradyn")
        self.h5_works("loradyn", env={"PATH": f"{self.program.parent}:{os.environ['PATH']}"})

    def test_a_program_alone_says_what_it_lacks(self):
        (self.work / "bin").mkdir()
        alone = shutil.copy(self.program, self.work / "bin")
        missing = self.work / self.helper.relative_to(self.prefix)
        line = (f"needs '{missing.resolve()}', which is missing: loradyn is not installed as a "
                "whole\n")
        done = run(alone, *ONE_POINT, "-o", "t.h5", cwd=self.work)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (2, "", f"loradyn: --output 't.h5' {line}"))
        self.assertEqual([p.name for p in self.work.iterdir()], ["bin"])
        (self.work / "u.h5").write_text("a file")
        done = run(alone, "plot", "u.h5", "-o", "f.svg", cwd=self.work)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (2, "", f"loradyn: 'u.h5' {line}"))
        # What needs nothing of it works.
        done = run(alone, *ONE_POINT, "-o", "t.csv", cwd=self.work)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_rank_without_the_module_says_what_it_lacks(self):
        (self.work / "bin").mkdir()
        alone = shutil.copy(self.program, self.work / "bin")
        missing = self.work / self.helper.relative_to(self.prefix).with_name("loradyn-mpi.so")
        for launcher in [{"OMPI_COMM_WORLD_SIZE": "2"}, {"PMI_SIZE": "2"}, {"PMIX_RANK": "0"}]:
            done = run(alone, *MAP, cwd=self.work, env=launcher)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (2, "", "loradyn: a run under mpirun or srun needs "
                              f"'{missing.resolve()}', which is missing: loradyn is not installed "
                              "as a whole\n"))
        # One process needs no other.
        expected = run(self.program, *MAP).stdout
        for launcher in [{"OMPI_COMM_WORLD_SIZE": "1"}, {"PMIX_RANK": "0", "SLURM_NTASKS": "1"}]:
            self.assertEqual(run(alone, *MAP, env=launcher).stdout, expected)

    def test_a_module_that_is_none_is_a_line(self):
        shutil.copytree(self.prefix, self.work / "tree")
        [helper] = (self.work / "tree").rglob("loradyn-hdf5")
        module = helper.with_name("loradyn-mpi.so")
        module.unlink(missing_ok=True)
        module.write_text("not a module")
        done = run(self.work / "tree/bin/loradyn", *MAP, env={"PMI_SIZE": "2"})
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1))
        self.assertIn(f"loradyn: '{module.resolve()}' can't be loaded: ", done.stderr)


@unittest.skipUnless(shutil.which("mpirun"), "mpirun is not installed")
class OneRank(unittest.TestCase):
    """Signals that one rank alone gets, as by `kill`."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)

    def tearDown(self):
        self.directory.cleanup()

    def start(self, *words, ranks=3):
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", OMPI_ALLOW_RUN_AS_ROOT="1",
                           OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                           OMPI_MCA_rmaps_base_oversubscribe="1",
                           OMPI_MCA_btl_vader_single_copy_mechanism="none")
        # Each rank writes its process's number.
        shell = 'echo $$ >"pid.$OMPI_COMM_WORLD_RANK"; exec "$@"'
        return subprocess.Popen(["mpirun", "-n", str(ranks), "sh", "-c", shell, "sh", LORADYN,
                                 *words], cwd=self.path, env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def kept(self):
        done = run(LORADYN, "export", "s.sqlite", cwd=self.path)
        return len([line for line in done.stdout.splitlines() if not line.startswith("#")]) - 1

    def test_the_leader_ends_at_once_and_keeps_what_the_followers_finished(self):
        for sent in [signal.SIGINT, signal.SIGTERM]:
            (self.path / "s.sqlite").unlink(missing_ok=True)
            running = self.start(*LONG_MAP, "--store", "s.sqlite")
            # The followers are in their first blocks.
            time.sleep(4)
            os.kill(int((self.path / "pid.0").read_text()), sent)
            _, said = running.communicate(timeout=20)  # one that waits for blocks takes longer
            self.assertEqual(running.returncode, 128 + sent, said)
            [finished] = re.findall(r"interrupted; 's.sqlite' keeps (\d+) of 3600 cells", said)
            self.assertGreater(int(finished), 0)
            self.assertEqual(self.kept(), int(finished))


if __name__ == "__main__":
    unittest.main()
