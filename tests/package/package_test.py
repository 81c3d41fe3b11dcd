"""The package of Debian that cpack makes: unpacked anywhere it runs, links and imports, and lintian finds no error in it."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["LORADYN_BUILD_DIR"])
SOURCES = pathlib.Path(__file__).resolve().parents[2]


def run(*words, **options):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, **options)
    if done.returncode:
        raise AssertionError(f"{words} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.path = pathlib.Path(cls.directory.name)
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.path / "made", cwd=cls.path)
        (cls.package,) = (cls.path / "made").glob("*.deb")
        run("dpkg-deb", "-x", cls.package, cls.path / "unpacked")
        # Where neither cmake nor dpkg has put it.
        (cls.path / "unpacked/usr").rename(cls.path / "elsewhere")
        cls.tree = cls.path / "elsewhere"

    def test_everything_has_its_place(self):
        for name in ("bin/loradyn", "lib/loradyn/loradyn-hdf5", "lib/libloradyn-core.a", "lib/cmake/loradyn/loradyn-config.cmake",
                     "lib/pkgconfig/loradyn.pc", "include/loradyn/version.hpp", "lib/python3/dist-packages/loradyn/__init__.py",
                     "share/man/man1/loradyn.1.gz", "share/bash-completion/completions/loradyn",
                     "share/zsh/site-functions/_loradyn", "share/fish/vendor_completions.d/loradyn.fish",
                     "share/doc/loradyn/copyright", "share/doc/loradyn/changelog.gz"):
            self.assertTrue((self.tree / name).is_file(), name)
        self.assertFalse(list(self.tree.glob("lib/python3.*")))
        text = run("man", "-l", self.tree / "share/man/man1/loradyn.1.gz") if shutil.which("man") else "loradyn"
        self.assertIn("loradyn", text)

    def test_nothing_names_a_place_of_this_machine(self):
        for file in (self.tree / "lib/pkgconfig").iterdir():
            self.assertNotRegex(file.read_text(), r"=/|-[IL]/")

    def test_the_program_runs(self):
        table = run(self.tree / "bin/loradyn", "rates", "--student", "erf", "--mu", "0.5", "--no-header")
        self.assertTrue(table.startswith("erf,erf,0.5,0,0.15361133725"), table)
        # By the program beside it.
        run(self.tree / "bin/loradyn", "rates", "--student", "erf", "--mu", "0.5", "-o", self.path / "tau.h5")
        self.assertGreater((self.path / "tau.h5").stat().st_size, 1000)

    def test_python_imports_it(self):
        told = run("/usr/bin/python3", "-B", "-c", "import loradyn as ld; print(ld.__file__, float(ld.rates('erf', mu=0.5).tau))",
                   env=dict(os.environ, PYTHONPATH=str(self.tree / "lib/python3/dist-packages")), cwd=self.path)
        self.assertIn(str(self.tree), told)
        self.assertIn("45.594", told)

    def test_pkg_config_links_the_example(self):
        env = dict(os.environ, PKG_CONFIG_PATH=str(self.tree / "lib/pkgconfig"))
        for part in ("loradyn-core", "loradyn"):
            with self.subTest(part):
                self.assertRegex(run("pkg-config", "--modversion", part, env=env), r"^\d+\.\d+\.\d+$")
                flags = run("pkg-config", "--cflags", "--libs", part, env=env).split()
                self.assertIn(f"{self.tree}/lib", [os.path.normpath(f[2:]) for f in flags if f.startswith("-L")])
                program = self.path / f"example-{part}"
                run(os.environ.get("CXX", "c++"), "-std=c++20", "-O1", SOURCES / "tests/downstream/main.cpp", "-o", program,
                    *flags)
                self.assertIn("tau = 0.501981", run(program))

    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed")
    def test_lintian_finds_no_error(self):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", str(self.package)], capture_output=True,
                              text=True)
        errors = [line for line in done.stdout.splitlines() if line.startswith("E:")]
        self.assertEqual(errors, [])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
