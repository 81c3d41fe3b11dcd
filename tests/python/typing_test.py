"""The stubs are sound, and say of the module what it is."""

import ast
import inspect
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import loradyn as ld

PROGRAM = """\
import loradyn as ld
import numpy as np

r: ld.RatesResult = ld.rates("erf", mu=np.linspace(0.1, 0.9, 9), nu=0.1, progress=True)
reveal_type(r.meta)
tau = r.tau + r["lambda"] + r.lambda_
law = ld.EscapeLaw("erf", mu=0.5, dim=1000)
mean: float = law.mean()
ld.escape(lambda x: x**3, mu=0.5, event="m", quantiles=[0.5])
ld.phase("he3", x="mu=0.1:0.9:3", y=("nu", [0.0, 1.0]))
flow = ld.Flow("erf", mu=0.5)
v = flow.velocity([0.1, 0.2, 0.0])
a = ld.Activation(np.tanh, kinks=[0.0])
net = ld.Network(teacher=[[1.0, 0.0]], pretrained=np.ones((2, 2)), readout=[1, -1])
w: ld.TrajectoryResult = ld.trajectory("erf", network=net, rank=2, t_end=3)
norm = (w.U**2).sum() + w.M_mean + net.teacher[0, 0]
ld.escape("erf", mu=[0.1, 0.5], width=2, event="M_1_1", at=0.8, alpha=[[1.0], [2.0]])
ld.escape("erf", mu=[0.1, 0.5], network=net, event="M", at=0.8)
ld.trajectory("erf", mu=0.5, stages=[{"time": 3}, {"until": "M", "at": 0.9}])
ld.trajectory("erf", stages=[{"pretrain": "erf", "time": 3}, {"time": 4}], t_end=5)
ld.trajectory("erf", network=net, stages=[{"time": 3}])
"""
WRONG = """\
import loradyn as ld

ld.rates("erf")
ld.rates("erf", mus=0.5)
ld.rates(3, mu=0.5)
ld.rates("erf", mu=0.5, threads="all")
ld.Flow("erf", mu=0.5).speed([0, 0, 0])
ld.rates("erf", network=None)
ld.rates("erf", network=3)
ld.rates("erf", mu=0.5, width="two")
"""


class Stubs(unittest.TestCase):
    def run_mypy(self, text):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "use.py"
            path.write_text(text, encoding="utf-8")
            done = subprocess.run(
                [sys.executable, "-m", "mypy", "--strict", "--cache-dir", directory + "/cache", str(path)],
                capture_output=True, text=True, check=False, cwd=directory,
                env={**os.environ, "MYPYPATH": os.environ["LORADYN_PYTHON"]})
        return done.stdout

    def test_what_is_right_passes(self):
        text = self.run_mypy(PROGRAM)
        self.assertIn('Revealed type is "builtins.dict[builtins.str, Any]"', text)
        self.assertNotIn("error", text)

    def test_what_is_wrong_is_told(self):
        text = self.run_mypy(WRONG)
        for line in range(3, 11):
            self.assertIn(f"use.py:{line}: error", text)

    def test_they_say_what_there_is(self):
        tree = ast.parse((pathlib.Path(os.environ["LORADYN_PYTHON"]) / "loradyn/__init__.pyi").read_text())
        told = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        self.assertLessEqual(set(ld.__all__), set(told))
        for name in ld.__all__:
            thing, node = getattr(ld, name), told[name]
            if isinstance(node, ast.FunctionDef):
                arguments = [a.arg for a in node.args.args + node.args.kwonlyargs]
                self.assertEqual(sorted(arguments), sorted(inspect.signature(thing).parameters), name)
            else:
                for member in (m.name for m in node.body if isinstance(m, ast.FunctionDef)):
                    self.assertTrue(hasattr(thing, member), f"{name}.{member}")


if __name__ == "__main__":
    unittest.main()
