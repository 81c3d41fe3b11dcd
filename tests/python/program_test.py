"""The module gives the numbers of the program, bit for bit, for every question."""

import unittest

import loradyn as ld
import numpy as np
from support import program, same, stage_file


class SameAsTheProgram(unittest.TestCase):
    def test_rates(self):
        mu = program("rates", "--student", "erf", "--mu", "0.03:0.99:97")["mu"]
        mu = np.array([float(t) for t in mu])
        for student in ("erf", "he3", "tanh", "relu^2"):
            for extra, given in ((), {}), (("--nu", "0.3", "--lr-ratio", "2"), {"nu": 0.3, "lr_ratio": 2}):
                with self.subTest(student=student, given=given):
                    same(self, ld.rates(student, mu=mu, **given),
                         program("rates", "--student", student, "--mu", "0.03:0.99:97", *extra))

    def test_rates_of_many_pairs(self):
        table = program("rates", "--student", "erf,relu", "--teacher", "he3", "--mu", "0.1,0.5",
                        "--nu", "0,0.2,0.4", "--time-unit", "fisher")
        result = ld.rates(np.array(["erf", "relu"])[:, None, None], "he3", mu=[0.1, 0.5],
                          nu=np.array([0, 0.2, 0.4])[:, None], time_unit="fisher")
        self.assertEqual(result.shape, (2, 3, 2))
        same(self, result, table)

    def test_critical(self):
        same(self, ld.critical(["he3", "he10", "tanh"], ["he3", "he10", "relu"], mu=(-1, 1.5)),
             program("critical", "--student", "he3,he10,tanh", "--teacher", "he3,he10,relu", "--mu",
                     "-1:1.5"))

    def test_escape(self):
        same(self, ld.escape(np.array(["he3", "erf"])[:, None, None, None], mu=[0.2, 0.5, 0.8],
                             gamma=np.array([0, 0.1])[:, None], noise=np.array([0, 0.2])[:, None, None]),
             program("escape", "--student", "he3,erf", "--mu", "0.2,0.5,0.8", "--gamma", "0,0.1",
                     "--noise", "0,0.2"))

    def test_escape_with_its_law(self):
        same(self, ld.escape("erf", mu=0.5, gamma=[0.5, 1], dim=1000, quantiles=[0.1, 0.5],
                             event="M", at=0.9, rtol=1e-8, stepper="explicit", t_max=1e5),
             program("escape", "--student", "erf", "--mu", "0.5", "--gamma", "0.5,1", "--dim", "1000",
                     "--quantiles", "0.1,0.5", "--event", "M", "--at", "0.9", "--rtol", "1e-8",
                     "--stepper", "explicit", "--t-max", "1e5"))

    def test_fixed_points(self):
        result = ld.fixed_points("he3", mu=[0.2, 0.5], gamma=np.array([0, 0.1])[:, None], nu=0.1)
        same(self, result, program("fixed-points", "--student", "he3", "--mu", "0.2,0.5", "--gamma",
                                   "0,0.1", "--nu", "0.1"))
        self.assertEqual(sorted(set(result.point)), [0, 1, 2, 3])

    def test_budget(self):
        table = program("budget", "--student", "he3", "--rho", "0.7", "--a0", "0.4", "--t-pre",
                        "0:1:11", "--pre-gamma", "0.01")
        times = np.array([float(t) for t in table["t_pre"]])
        result = ld.budget("he3", rho=0.7, a0=0.4, t_pre=times, pre_gamma=0.01)
        same(self, result, table)
        # Any order, and several problems at once.
        backwards = ld.budget("he3", rho=np.array([0.7, 0.8])[:, None], a0=0.4, t_pre=times[::-1],
                              pre_gamma=0.01)
        np.testing.assert_array_equal(backwards.t_total[0, ::-1], result.t_total)
        self.assertEqual(backwards.best.t_total[0, 0], result.best.t_total)

    def test_trajectory(self):
        for unit in "raw", "fisher":
            same(self, ld.trajectory("erf", mu=0.5, gamma=0.2, t_end=300, points=31, time_unit=unit),
                 program("trajectory", "--student", "erf", "--mu", "0.5", "--gamma", "0.2", "--t-end",
                         "300", "--points", "31", "--time-unit", unit))
        same(self, ld.trajectory("he3", mu=0.5, t_end=10, points="log:5", method="map", lr=0.01),
             program("trajectory", "--student", "he3", "--mu", "0.5", "--t-end", "10", "--points",
                     "log:5", "--method", "map", "--lr", "0.01"))

    def test_stages(self):
        stages = [{"pretrain": "erf", "rho": 0.7, "a0": 0.1, "time": 3},
                  {"label": "y^2", "noise": 0.1, "gamma": 0.05, "time": 2}, {"flip": True},
                  {"gamma": 0.1, "until": "risk", "at": 0.2, "time": 40}]
        with stage_file(stages) as path:
            run = ld.trajectory("erf", stages=stages, m0=0.1, points=40)
            same(self, run, program("trajectory", "--student", "erf", "--stages", path, "--m0", "0.1", "--points",
                                    "40"))
            same(self, ld.trajectory("erf", stages=stages, t_end=4, points=5, time_unit="fisher"),
                 program("trajectory", "--student", "erf", "--stages", path, "--t-end", "4", "--points", "5",
                         "--time-unit", "fisher"))
        self.assertEqual(run.stage_end.shape, (4,))
        self.assertEqual(run.stage_end[:3].tolist(), [3, 5, 5])
        simulated = [{"label": "y^2", "noise": 0.1, "lr": 0.05, "steps": 8}, {"flip": True}, {"lr": 0.1, "time": 0.5}]
        with stage_file(simulated) as path:
            same(self, ld.simulate("erf", mu=0.5, dim=80, batch=4, runs=7, points=5, seed=3, stages=simulated),
                 program("simulate", "--student", "erf", "--mu", "0.5", "--dim", "80", "--batch", "4", "--runs", "7",
                         "--points", "5", "--seed", "3", "--stages", path))
        for message, given in (("mu is None, but must be given: no stage pre-trains", {"stages": stages[1:]}),
                               ("mu is given, but must be left out: the first stage pre-trains",
                                {"stages": stages, "mu": 0.5}),
                               ("stage 1: label is 'exp.y.', but must be a polynomial in y",
                                {"stages": [{"label": "exp(y)", "time": 1}], "mu": 0.5})):
            with self.assertRaisesRegex(ValueError, message):
                ld.trajectory("erf", **given)
        with self.assertRaisesRegex(ValueError, "steps is given, but must be left out: each stage says its own"):
            ld.simulate("erf", mu=0.5, dim=80, batch=4, steps=5, stages=simulated)

    def test_simulate(self):
        words = ("simulate", "--student", "erf", "--mu", "0.5", "--nu", "0.1", "--dim", "1000", "--batch",
                 "20", "--lr", "0.02", "--t-end", "20", "--runs", "30", "--seed", "7")
        given = {"mu": 0.5, "nu": 0.1, "dim": 1000, "batch": 20, "lr": 0.02, "t_end": 20, "runs": 30,
                 "seed": 7}
        same(self, ld.simulate("erf", **given, points=11), program(*words, "--points", "11"))
        same(self, ld.simulate("erf", **given, event="m", at=0.06, engine="sgd"),
             program(*words, "--event", "m", "--at", "0.06", "--engine", "sgd"))

    def test_validate(self):
        same(self, ld.validate("erf", mu=0.5, gamma=1, dim=[300, 1000], runs=50, points=3),
             program("validate", "--student", "erf", "--mu", "0.5", "--gamma", "1", "--dim", "300,1000",
                     "--runs", "50", "--points", "3"))

    def test_phase(self):
        words = ("phase", "--student", "he3+{a}*he5", "--x", "mu=0.05:0.95:9", "--y", "a=-0.5:0.5:7")
        result = ld.phase("he3+{a}*he5", x="mu=0.05:0.95:9", y="a=-0.5:0.5:7")
        self.assertEqual(result.shape, (7, 9))
        same(self, result, program(*words))
        same(self, ld.phase("he3+{a}*he5", x=("mu", result.x), y=("a", result.y)), program(*words))
        same(self, ld.phase("he3+{a}*he5", x="mu=0.05:0.95:9", y="a=-0.5:0.5:7", refine=1, only="tau"),
             program(*words, "--refine", "1", "--only", "tau"))
        same(self, ld.phase("erf", x="mu=0.2:0.8:3", y="gamma=log:0.5:8:2", dim=1000, engine="chain",
                            runs=10, seed=3),
             program("phase", "--student", "erf", "--x", "mu=0.2:0.8:3", "--y", "gamma=log:0.5:8:2",
                     "--dim", "1000", "--engine", "chain", "--runs", "10", "--seed", "3"))


if __name__ == "__main__":
    unittest.main()
