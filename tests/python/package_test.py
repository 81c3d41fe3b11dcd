"""The package is installed by CMake and by pip, and loads little."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = "import loradyn as ld; print(ld.__file__); print(round(float(ld.rates('erf', mu=0.5).tau), 4))"


def run(*words, **options):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


class Installed(unittest.TestCase):
    def check(self, python, place, **options):
        where, tau = run(python, "-P", "-c", CHECK, **options).split()
        self.assertTrue(where.startswith(str(place)), where)
        self.assertEqual(tau, "45.5942")
        package = pathlib.Path(where).parent
        self.assertTrue((package / "py.typed").exists())
        self.assertIn("def rates(", (package / "__init__.pyi").read_text(encoding="utf-8"))

    def test_by_cmake(self):
        with tempfile.TemporaryDirectory() as directory:
            run(os.environ["CMAKE"], "--install", os.environ["LORADYN_BUILD_DIR"], "--prefix", directory,
                "--component", "python")
            (site,) = pathlib.Path(directory).rglob("site-packages")
            self.check(sys.executable, directory, env={**os.environ, "PYTHONPATH": str(site)})

    def test_by_pip(self):
        with tempfile.TemporaryDirectory() as directory:
            environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
            run(sys.executable, "-m", "venv", "--system-site-packages", directory)
            python = pathlib.Path(directory) / "bin/python"
            # pip builds in the sources' own tree, which is to stay as it is.
            copy = pathlib.Path(directory) / "sources"
            copy.mkdir()
            run("cp", "-r", ROOT / "CMakeLists.txt", ROOT / "apps", copy)
            run(python, "-m", "pip", "install", "--no-build-isolation", "--no-index", copy / "apps/python",
                env=environment)
            self.check(python, directory, env=environment)


class Imported(unittest.TestCase):
    def test_it_loads_nothing_heavy_beside_numpy(self):
        heavy = ("import sys, loradyn; print([m for m in ('pandas', 'matplotlib', 'scipy') "
                 "if m in sys.modules])")
        self.assertEqual(run(sys.executable, "-c", heavy), "[]\n")


if __name__ == "__main__":
    unittest.main()
