"""Builds the module with CMake: `pip install --no-build-isolation ./apps/python`.

Where LORADYN_BUILD_DIR names a build directory that was configured with LORADYN_BUILD_PYTHON for the same
interpreter, that is used instead of a new one.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).resolve().parents[2]


class CMakeBuild(build_ext):
    def run(self):
        made = os.environ.get("LORADYN_BUILD_DIR")
        build = pathlib.Path(made or pathlib.Path(self.build_temp).resolve() / "cmake")
        if not made:
            self._run("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                      "-DCMAKE_CXX_FLAGS_RELEASE=-O2", f"-DPython_EXECUTABLE={sys.executable}",
                      "-DLORADYN_COMPONENTS=core;simulation;study", "-DLORADYN_BUILD_PYTHON=ON",
                      *(f"-DLORADYN_BUILD_{part}=OFF" for part in ("PROGRAM", "TESTS", "BENCHMARKS")))
            self._run("cmake", "--build", build, "--target", "loradyn-python-package")
        tree = pathlib.Path(self.build_temp).resolve() / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        self._run("cmake", "--install", build, "--prefix", tree, "--component", "python")
        (package,) = tree.rglob("loradyn")
        target = pathlib.Path(self.build_lib) / "loradyn"
        shutil.copytree(package, target, dirs_exist_ok=True)

    @staticmethod
    def _run(*words):
        subprocess.run([str(w) for w in words], check=True)


setup(
    version=re.search(r"VERSION ([0-9.]+)\n", (ROOT / "CMakeLists.txt").read_text())[1],
    packages=["loradyn"],
    ext_modules=[Extension("loradyn._loradyn", [])],
    cmdclass={"build_ext": CMakeBuild},
)
