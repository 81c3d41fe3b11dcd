"""Networks: the program's numbers bit for bit, matrices as arrays, broadcasting, errors, interruption."""

import signal
import subprocess
import sys
import tempfile
import time
import unittest

import loradyn as ld
import numpy as np
from support import program, same, stage_file

# The published start: two neurons of four at mu, the others at their target.
PUBLISHED = {"mu": 0.5, "width": 4, "teacher_width": 4, "off_target": 2, "rank": 2, "readout": "sqrt"}
WORDS = ("--student", "erf", "--mu", "0.5", "--width", "4", "--teacher-width", "4", "--off-target", "2", "--rank",
         "2", "--readout", "sqrt")
ROWS = {"teacher": [[1, 0, 0], [0, 1, 0]], "pretrained": [[0.5, 0.2, 0], [0, 0, 1]], "readout": [1, -1],
        "teacher_readout": [1, 0.5]}
FILE = """\
teacher = [[1, 0, 0], [0, 1, 0]]
pretrained = [[0.5, 0.2, 0], [0, 0, 1]]
readout = [1, -1]
teacher-readout = [1, 0.5]
"""


class SameAsTheProgram(unittest.TestCase):
    def test_trajectory(self):
        same(self, ld.trajectory("erf", **PUBLISHED, t_end=300, points="log:9", dim=2000, seed=3),
             program("trajectory", *WORDS, "--t-end", "300", "--points", "log:9", "--dim", "2000", "--seed", "3"))
        same(self, ld.trajectory("erf", **PUBLISHED, t_end=20, points=5, gamma=0.2, adapter="free", decay=0.01,
                                 readout_rate=0.5, alpha=4, scaling="root", source="he3", source_overlap=0.4,
                                 nu=0.2, u0=0.1, start_batch=500, time_unit="fisher"),
             program("trajectory", *WORDS, "--t-end", "20", "--points", "5", "--gamma", "0.2", "--adapter",
                     "free", "--decay", "0.01", "--readout-rate", "0.5", "--alpha", "4", "--scaling", "root",
                     "--source", "he3", "--source-overlap", "0.4", "--nu", "0.2", "--u0", "0.1",
                     "--start-batch", "500", "--time-unit", "fisher"))
        same(self, ld.trajectory("erf", mu=0.5, width=2, teacher_width=2, t_end=1, points=3, method="map", lr=0.01),
             program("trajectory", "--student", "erf", "--mu", "0.5", "--width", "2", "--teacher-width", "2",
                     "--t-end", "1", "--points", "3", "--method", "map", "--lr", "0.01"))

    def test_what_trains(self):
        for train, extra, words in (("v", {"adapter": "frobenius"}, ("--adapter", "frobenius")),
                                    ("full", {}, ()), ("scratch", {"scratch_norm": 0.2}, ("--scratch-norm", "0.2"))):
            with self.subTest(train=train):
                same(self, ld.trajectory("relu", mu=0.4, width=2, teacher_width=2, t_end=2, points=3, train=train,
                                         **extra),
                     program("trajectory", "--student", "relu", "--mu", "0.4", "--width", "2", "--teacher-width",
                             "2", "--t-end", "2", "--points", "3", "--train", train, *words))

    def test_escape(self):
        result = ld.escape("erf", mu=[0.4, 0.6], gamma=np.array([0.0, 0.5])[:, None], width=2, teacher_width=2,
                           off_target=1, rank=2, event="M_1_1", at=0.8)
        self.assertEqual(result.U.shape, (2, 2, 2, 2))
        same(self, result, program("escape", "--student", "erf", "--mu", "0.4,0.6", "--gamma", "0,0.5", "--width",
                                   "2", "--teacher-width", "2", "--off-target", "1", "--rank", "2", "--event",
                                   "M_1_1", "--at", "0.8"))
        same(self, ld.escape("erf", mu=0.5, rank=4, adapter="free", gamma=1, event="M", at=0.75, dim=1000,
                             quantiles=[0.1, 0.5, 0.9]),
             program("escape", "--student", "erf", "--mu", "0.5", "--rank", "4", "--adapter", "free", "--gamma",
                     "1", "--event", "M", "--at", "0.75", "--dim", "1000", "--quantiles", "0.1,0.5,0.9"))

    def test_rates(self):
        result = ld.rates("erf", mu=[0.2, 0.5, 0.8], width=4, teacher_width=4, off_target=2, readout="sqrt")
        table = program("rates", "--student", "erf", "--mu", "0.2,0.5,0.8", "--width", "4", "--teacher-width", "4",
                        "--off-target", "2", "--readout", "sqrt")
        # A point has a row of the program for each mode; of the last ones, which are not there, none.
        there = result.mode > 0
        self.assertEqual(result.shape[0], 3)
        self.assertEqual(list(result.keys()), list(table))
        for name, texts in table.items():
            column = result[name][there]
            texts = list(texts) if column.dtype.kind == "U" else [float(t) for t in texts]
            np.testing.assert_array_equal(column, texts, err_msg=name)
        self.assertEqual(result.u.shape, (*result.shape, 4))
        np.testing.assert_array_equal(result.u[..., 2], result["u_3"])

    def test_critical(self):
        result = ld.critical("he3-4*he1", width=3, teacher_width=3, mu=(0.05, 0.9))
        same(self, result, program("critical", "--student", "he3-4*he1", "--width", "3", "--teacher-width", "3",
                                   "--mu", "0.05:0.9"))
        self.assertEqual(result.u.shape, (len(result.mu_c), 3))
        self.assertEqual(result.unresolved, [])
        several = ld.critical(["he3", "erf"], width=2, teacher_width=3, nu=0.1, readout="sqrt", decay=0.1)
        same(self, several, program("critical", "--student", "he3,erf", "--width", "2", "--teacher-width", "3", "--nu",
                                    "0.1", "--readout", "sqrt", "--decay", "0.1"))
        self.assertEqual([["he3", "erf"][p] for p in several.point], several.student.tolist())

    def test_rows_of_ones_own_at_an_alignment(self):
        network = ld.Network(**ROWS)
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(FILE)
            file.flush()
            words = ("--network", file.name, "--off-target", "1")
            same(self, ld.critical("erf", network=network, off_target=1, mu=(-0.5, 0.9)),
                 program("critical", "--student", "erf", *words, "--mu", "-0.5:0.9"))
            same(self, ld.critical("erf", network=network, off_target=1, adapter="free", decay=0.3, mu=(-0.95, 0.9)),
                 program("critical", "--student", "erf", *words, "--adapter", "free", "--decay", "0.3", "--mu",
                         "-0.95:0.9"))
            same(self, ld.escape("erf", network=network, off_target=1, mu=[0.2, 0.4], event="risk", at=0.2),
                 program("escape", "--student", "erf", *words, "--mu", "0.2,0.4", "--event", "risk", "--at", "0.2"))
            for x in "mu=0.2:0.4:2", "gamma=0:0.2:2":
                same(self, ld.phase("erf", network=network, x=x, y="rank=1:2:2", event="risk", at=0.2),
                     program("phase", "--student", "erf", *words[:2], "--x", x, "--y", "rank=1:2:2", "--event", "risk",
                             "--at", "0.2"))
        for axis in "nu=0:0.2:2", "width=1:2:2", "teacher_width=1:2:2":
            with self.assertRaisesRegex(ValueError, axis.partition("=")[0].replace("_", ".") + " is on an axis"):
                ld.phase("erf", network=network, x="mu=0.2:0.4:2", y=axis.replace("_", "-"), event="risk", at=0.2)
        with self.assertRaisesRegex(ValueError, "nu is given, but must be left out: network says it"):
            ld.escape("erf", network=network, mu=0.4, nu=0.1)

    def test_stages(self):
        """Those of the program's files, through targets, sources, flips and events."""
        stages = [{"time": 20}, {"flip": True}, {"on": "source", "gamma": 0.1, "until": "source-risk", "at": 0.05},
                  {"teacher": "erf^3", "lr_ratio": 0.5, "noise": 0.1, "decay": 0.01, "time": 3}]
        simulated = [{"lr": 0.1, "steps": 5}, {"flip": True}, {"on": "source", "lr": 0.05, "time": 1, "noise": 0.1}]
        given = {"mu": 0.5, "nu": 0.3, "width": 2, "teacher_width": 2, "rank": 2, "adapter": "free", "source": "erf",
                 "source_overlap": 0.6, "u0": 0.3}
        words = ("--student", "erf", "--mu", "0.5", "--nu", "0.3", "--width", "2", "--teacher-width", "2", "--rank",
                 "2", "--adapter", "free", "--source", "erf", "--source-overlap", "0.6", "--u0", "0.3")
        with stage_file(stages) as path:
            run = ld.trajectory("erf", **given, stages=stages, points=30)
            same(self, run, program("trajectory", *words, "--stages", path, "--points", "30"))
        self.assertEqual(run.stage_status.tolist(), ["end-time", "event", "end-time"])
        self.assertEqual(run.stage_end[0], 20)
        self.assertAlmostEqual(run.stage_end[2], run.t[-1], 9)
        with stage_file(simulated) as path:
            small = {**given, "dim": 60, "batch": 4, "runs": 6, "points": 4, "seed": 2}
            same(self, ld.simulate("erf", **small, stages=simulated),
                 program("simulate", *words, "--stages", path, "--dim", "60", "--batch", "4", "--runs", "6", "--points",
                         "4", "--seed", "2"))
        pretrained = [{"pretrain": "erf", "rho": 0.6, "gamma": 0.1, "time": 10}, {"time": 5}]
        first = {name: value for name, value in given.items() if name not in ("mu", "nu")}
        with stage_file(pretrained) as path:
            run = ld.trajectory("erf", **first, stages=pretrained, points=7)
            same(self, run, program("trajectory", *words[:2], *words[6:], "--stages", path, "--points", "7"))
        labelled = [{"label": "y^2", "noise": 0.1, "lr": 0.1, "steps": 4}]
        with stage_file(labelled) as path:
            same(self, ld.simulate("erf", **small, stages=labelled),
                 program("simulate", *words, "--stages", path, "--dim", "60", "--batch", "4", "--runs", "6", "--points",
                         "4", "--seed", "2"))
        with self.assertRaisesRegex(ValueError, "mu is given, but must be left out: the first stage pre-trains"):
            ld.trajectory("erf", **given, stages=pretrained)
        run = ld.trajectory("erf", **given, stages=stages, points=30)
        # Arrays have runs of their own, whose events come at their times.
        several = ld.trajectory("erf", **{**given, "mu": [0.4, 0.5]}, stages=stages, points=5)
        self.assertEqual(several.stage_end.shape, (2, 3))
        self.assertEqual(several.stage_end[1, 1], run.stage_end[1])
        for error, message, bad in (
                (ValueError, "stage 1: on is 'both'", [{"on": "both", "time": 1}]),
                (ValueError, "stage 1: lr_rate is no key of this stage; the nearest are lr_ratio",
                 [{"lr_rate": 1, "time": 1}]),
                (ValueError, "stage 2: a flip must be followed", [{"time": 1}, {"flip": True}]),
                (TypeError, "stage 1: time is 'x', but must be a number", [{"time": "x"}]),
                (TypeError, "stages is 3, but must be a list of dicts", 3),
                (ValueError, "stages is empty", [])):
            with self.assertRaisesRegex(error, message):
                ld.trajectory("erf", **given, stages=bad)
        with self.assertRaisesRegex(ValueError, "gamma is given, but must be left out: each stage says its own"):
            ld.trajectory("erf", **given, stages=stages, gamma=1)
        with self.assertRaisesRegex(ValueError, "mu is None"):
            ld.trajectory("erf", width=2, stages=stages)

    def test_fixed_points(self):
        result = ld.fixed_points("he3", mu=[0.2, 0.5], width=1, starts=60, seed=4)
        same(self, result, program("fixed-points", "--student", "he3", "--mu", "0.2,0.5", "--width", "1", "--starts",
                                   "60", "--seed", "4"))
        self.assertEqual(set(result.point), {0, 1})
        rests = ld.fixed_points("erf", **PUBLISHED, starts=20)
        same(self, rests, program("fixed-points", *WORDS, "--starts", "20"))
        self.assertEqual(rests.M.shape, (*rests.shape, 4, 4))
        same(self, ld.fixed_points("erf", mu=0.5, width=2, train="scratch", scratch_norm=0.3, starts=20),
             program("fixed-points", "--student", "erf", "--mu", "0.5", "--width", "2", "--train", "scratch",
                     "--scratch-norm", "0.3", "--starts", "20"))

    def test_phase(self):
        given = {"width": 2, "teacher_width": 2, "readout": "sqrt", "event": "risk", "at": 0.001, "seed": 3}
        words = ("--width", "2", "--teacher-width", "2", "--readout", "sqrt", "--event", "risk", "--at", "0.001",
                 "--seed", "3")
        result = ld.phase("erf", x="mu=0.3:0.6:2", y="rank=1:2:2", **given)
        same(self, result, program("phase", "--student", "erf", "--x", "mu=0.3:0.6:2", "--y", "rank=1:2:2", *words))
        self.assertEqual((result.shape, result.y_name), ((2, 2), "rank"))
        forgotten = ld.phase("erf", x=("mu", [0.3, 0.6]), y=("source_overlap", [0.2, 0.8]), nu=0.3, source="erf",
                             rank=2, adapter="free", forgotten=0.1, gamma=0.1, **given)
        same(self, forgotten,
             program("phase", "--student", "erf", "--x", "mu=0.3,0.6", "--y", "source-overlap=0.2,0.8", "--nu", "0.3",
                     "--source", "erf", "--rank", "2", "--adapter", "free", "--forgotten", "0.1", "--gamma", "0.1",
                     *words))
        same(self, ld.phase("erf", x="mu=0.2:0.8:3", y="width=1:3:3", only="tau", decay=0.01),
             program("phase", "--student", "erf", "--x", "mu=0.2:0.8:3", "--y", "width=1:3:3", "--only", "tau",
                     "--decay", "0.01"))
        for message, more in (("rank is given, but must be left out: it is on an axis", {"rank": 2}),
                              ("width is given", {"network": ld.Network([[1]], [[0.5]])}),
                              ("m0 is given", {"m0": 0.2}), ("decay is -1", {"decay": -1}),
                              ("forgotten", {"forgotten": 0.1}), ("event is 'N'", {"event": "N"})):
            with self.assertRaisesRegex(ValueError, message):
                ld.phase("erf", x="mu=0.3:0.6:2", y="rank=1:2:2", **{**given, **more})

    def test_simulate(self):
        given = {"mu": 0.5, "nu": 0.1, "width": 2, "teacher_width": 2, "rank": 2, "readout_rate": 0.5, "dim": 500,
                 "batch": 20, "lr": 0.02, "t_end": 4, "runs": 12, "seed": 7, "adapter": "free", "decay": 0.01}
        words = ("simulate", "--student", "erf", "--mu", "0.5", "--nu", "0.1", "--width", "2", "--teacher-width",
                 "2", "--rank", "2", "--readout-rate", "0.5", "--dim", "500", "--batch", "20", "--lr", "0.02",
                 "--t-end", "4", "--runs", "12", "--seed", "7", "--adapter", "free", "--decay", "0.01")
        result = ld.simulate("erf", **given, points=5)
        same(self, result, program(*words, "--points", "5"))
        # The runs themselves give the table's averages, which add in another order.
        self.assertEqual(result.U_mean.shape, (5, 2, 2))
        for name, shape in (("U", (12, 5, 2, 2)), ("M", (12, 5, 2, 2)), ("m", (12, 5, 2, 2)), ("S", (12, 5, 2, 2)),
                            ("a", (12, 5, 2))):
            runs = getattr(result, "runs_" + name)
            self.assertEqual(runs.shape, shape)
            np.testing.assert_allclose(runs.mean(axis=0), getattr(result, name + "_mean"), rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose(np.median(runs, axis=0), getattr(result, name + "_q50"), rtol=1e-12,
                                       atol=1e-15)
        hits = ld.simulate("erf", **given, event="S_1_1", at=1.005, engine="sgd")
        same(self, hits, program(*words, "--event", "S_1_1", "--at", "1.005", "--engine", "sgd"))
        self.assertEqual(hits.U.shape, (12, 2, 2))
        for name in "U", "M", "m", "S":
            np.testing.assert_array_equal(getattr(hits, name), getattr(hits, "runs_" + name))

    def test_validate(self):
        same(self, ld.validate("erf", mu=0.1, width=2, teacher_width=2, rank=2, adapter="free", gamma=1,
                               dim=[100, 200], u0=0.2, t_end=2, event="M", at=0.3, runs=40, law_runs=20, points=2),
             program("validate", "--student", "erf", "--mu", "0.1", "--width", "2", "--teacher-width", "2", "--rank",
                     "2", "--adapter", "free", "--gamma", "1", "--dim", "100,200", "--u0", "0.2", "--t-end", "2",
                     "--event", "M", "--at", "0.3", "--runs", "40", "--law-runs", "20", "--points", "2"))
        same(self, ld.validate("relu", mu=0.5, width=2, teacher_width=2, train="full", gamma=0.1, dim=200, t_end=0.1,
                               event="M", at=0.75, runs=20, law_runs=0, points=2),
             program("validate", "--student", "relu", "--mu", "0.5", "--width", "2", "--teacher-width", "2", "--train",
                     "full", "--gamma", "0.1", "--dim", "200", "--t-end", "0.1", "--event", "M", "--at", "0.75",
                     "--runs", "20", "--law-runs", "0", "--points", "2"))

    def test_rows_of_ones_own(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(FILE)
            file.flush()
            words = ("--student", "erf", "--network", file.name)
            net = ld.Network(**ROWS)
            same(self, ld.trajectory("erf", network=net, rank=2, t_end=4, points=3),
                 program("trajectory", *words, "--rank", "2", "--t-end", "4", "--points", "3"))
            same(self, ld.escape("erf", network=net, event="risk", at=0.1, gamma=[0, 0.1]),
                 program("escape", *words, "--event", "risk", "--at", "0.1", "--gamma", "0,0.1"))
            same(self, ld.simulate("erf", network=net, dim=100, batch=4, lr=0.01, steps=20, runs=3, points=2),
                 program("simulate", *words, "--dim", "100", "--batch", "4", "--lr", "0.01", "--steps", "20",
                         "--runs", "3", "--points", "2"))
            table = program("rates", *words)
            rates = ld.rates("erf", network=net)
            self.assertEqual(rates.mode.tolist(), [int(m) for m in table["mode"]])
            self.assertEqual(rates["lambda"].tolist(), [float(x) for x in table["lambda"]])


class Matrices(unittest.TestCase):
    def test_they_are_their_columns(self):
        r = ld.trajectory("erf", **PUBLISHED, t_end=4, points=5, readout_rate=[0, 0.3])
        self.assertEqual([r.U.shape, r.M.shape, r.m.shape, r.S.shape, r.a.shape],
                         [(2, 5, 4, 2), (2, 5, 4, 4), (2, 5, 2, 4), (2, 5, 2, 2), (2, 5, 4)])
        for name, matrix in (("U", r.U), ("M", r.M), ("m", r.m)):
            for i in range(matrix.shape[-2]):
                for j in range(matrix.shape[-1]):
                    np.testing.assert_array_equal(matrix[..., i, j], r[f"{name}_{i + 1}_{j + 1}"])
        np.testing.assert_array_equal(r.S, np.swapaxes(r.S, -1, -2))
        np.testing.assert_array_equal(r.S[..., 1, 0], r["S_2_1"])
        # On spheres S has ones; readouts that don't train stay at 1/√4.
        np.testing.assert_allclose(np.diagonal(r.S, axis1=-2, axis2=-1), 1, atol=1e-12)
        np.testing.assert_array_equal(r.a[0], 0.5)
        self.assertIn("U", dir(r))
        with self.assertRaisesRegex(AttributeError, "no field 'u'; it has t, samples"):
            r.u

    def test_they_obey_their_equation(self):
        net = ld.Network(**ROWS)
        r = ld.trajectory("erf", network=net, rank=2, u0=0.3, adapter="free", t_end=4, points=5)
        # M = (W0 + U V) T', in a basis that T spans with one direction more.
        np.testing.assert_allclose(r.M, net.pretrained @ net.teacher.T + r.U @ r.m, atol=1e-12)

    def test_every_element_is_the_call_of_it_alone(self):
        given = {"width": 2, "teacher_width": 2, "t_end": 3.0, "points": 3, "gamma": 0.1}
        mu, alpha, seed = np.array([0.3, 0.6]), np.array([[1.0], [2.0]]), np.array([[[1]], [[2]], [[3]]])
        r = ld.trajectory("erf", mu=mu, alpha=alpha, seed=seed, **given)
        self.assertEqual(r.U.shape, (3, 2, 2, 3, 2, 1))
        for index in (0, 1, 0), (2, 0, 1):
            one = ld.trajectory("erf", mu=mu[index[2]], alpha=alpha[index[1], 0], seed=seed[index[0], 0, 0], **given)
            np.testing.assert_array_equal(np.asarray(r)[index], np.asarray(one))
        one = ld.trajectory(["erf", "relu"], mu=0.5, width=2, decay=[[0.0], [0.1]], t_end=1, points=2)
        self.assertEqual(one.shape, (2, 2, 2))
        swept = {"mu": mu, "width": 2, "teacher_width": 2, "decay": [[0.0], [0.01]]}
        one, all_of_them = ld.escape("erf", **swept, threads=1), ld.escape("erf", **swept)
        for name in one.keys():
            np.testing.assert_array_equal(one[name], all_of_them[name], err_msg=name)

    def test_one_neuron_is_the_neuron(self):
        one = ld.escape("erf", mu=[0.3, 0.5], dim=10**4, event="M", at=0.75)
        same_one = ld.escape("erf", mu=[0.3, 0.5], dim=10**4, event="M", at=0.75, width=1)
        np.testing.assert_allclose(same_one.tau, one.tau, rtol=1e-12)
        # Two integrations at 1e-9.
        np.testing.assert_allclose(same_one.t_q50, one.t_q50, rtol=3e-9)

    def test_a_gram_matrix_is_its_rows(self):
        t, w = np.array(ROWS["teacher"]), np.array(ROWS["pretrained"])
        rows = np.vstack([t, w])
        net = ld.Network(gram=rows @ rows.T, teacher_width=2, width=2, readout=[1, -1], teacher_readout=[1, 0.5])
        for a in "teacher", "pretrained":
            for b in "teacher", "pretrained":
                np.testing.assert_allclose(getattr(net, a) @ getattr(net, b).T,
                                           np.array(ROWS[a]) @ np.array(ROWS[b]).T, atol=1e-12)
        mine, rotated = (ld.rates("erf", network=n) for n in (ld.Network(**ROWS), net))
        np.testing.assert_allclose(rotated.lambda_, mine.lambda_, rtol=1e-10)
        self.assertEqual(repr(net), "<Network of 2 neurons, 2 targets and 3 directions>")
        self.assertEqual([net.readout.tolist(), net.teacher_readout.tolist(), net.source.shape[0],
                          net.source_readout.tolist()], [[1, -1], [1, 0.5], 0, []])

    def test_frames_and_drawings(self):
        import matplotlib

        matplotlib.use("svg")
        given = {"mu": 0.5, "width": 2, "teacher_width": 2, "dim": 200, "batch": 4, "lr": 0.01, "steps": 20,
                 "runs": 4}
        run = ld.trajectory("erf", **PUBLISHED, t_end=4, points=3)
        self.assertEqual(run.to_pandas().shape, (3, len(run.keys())))
        rates = ld.rates("erf", mu=[0.3, 0.5], nu=np.array([[0.0], [0.1], [0.2]]), width=2, teacher_width=2)
        self.assertEqual(rates.to_pandas()["mu"].tolist(), rates.mu.ravel().tolist())
        for result in (run, rates, ld.escape("erf", mu=[0.3, 0.5], width=2, teacher_width=2),
                       ld.simulate("erf", **given, points=3), ld.simulate("erf", **given, at=0.1),
                       ld.simulate("erf", **given, readout_rate=1, points=3)):
            ax = result.plot()
            self.assertTrue(ax.get_xlabel())
        # Every entry of every matrix has its line, and the risk has one.
        self.assertEqual(len(run.plot().get_lines()), 4 * 2 + 4 * 4 + 2 * 4 + 2 * 2 + 1)
        # Along nu, for each mu as many lines as modes.
        self.assertEqual(len(rates.plot().get_lines()), 2 * rates.shape[-1])


class Errors(unittest.TestCase):
    def test_what_is_wrong_is_named(self):
        two = {"mu": 0.5, "width": 2, "teacher_width": 2}
        run = {"t_end": 1}
        net = ld.Network(**ROWS)
        cases = [
            (ValueError, "width is 0, but must be a whole number from 1 to 256",
             lambda: ld.rates("erf", mu=0.5, width=0)),
            (ValueError, "rank is 1.5", lambda: ld.rates("erf", mu=0.5, rank=1.5)),
            (ValueError, "off_target is 3, but must be at most the width, 2",
             lambda: ld.rates("erf", **two, off_target=3)),
            (ValueError, "readout is 'max', but must be sum, mean or sqrt",
             lambda: ld.rates("erf", **two, readout="max")),
            (ValueError, "adapter is 'sphere', but must be free or None",
             lambda: ld.trajectory("erf", **two, **run, train="full", adapter="sphere")),
            (ValueError, "train is 'all'", lambda: ld.trajectory("erf", **two, **run, train="all")),
            (ValueError, "train is 'full', but must be lora", lambda: ld.rates("erf", **two, train="full")),
            (ValueError, "rank is given", lambda: ld.trajectory("erf", **two, **run, train="v", rank=2)),
            (ValueError, "decay is -1", lambda: ld.rates("erf", **two, decay=[0, -1])),
            (ValueError, "readout_rate is -1", lambda: ld.rates("erf", **two, readout_rate=-1)),
            (ValueError, "alpha is 0", lambda: ld.rates("erf", **two, alpha=0)),
            (ValueError, "alpha is None", lambda: ld.rates("erf", **two, scaling="root")),
            (ValueError, "scaling is 'log'", lambda: ld.rates("erf", **two, alpha=1, scaling="log")),
            (ValueError, "source_overlap is None", lambda: ld.rates("erf", **two, source="erf")),
            (ValueError, "source is None", lambda: ld.rates("erf", **two, source_overlap=0.5)),
            (ValueError, "source_overlap is 2", lambda: ld.rates("erf", **two, source="erf", source_overlap=2)),
            (ValueError, "source 'erff'", lambda: ld.rates("erf", **two, source="erff", source_overlap=0.5)),
            (ValueError, "start_batch is 0.5", lambda: ld.trajectory("erf", **two, **run, start_batch=0.5)),
            (ValueError, "scratch_norm is given", lambda: ld.trajectory("erf", **two, **run, scratch_norm=1)),
            (ValueError, "dim is 2", lambda: ld.trajectory("erf", **two, **run, dim=2)),
            (ValueError, "start_batch is 1, but must be a whole number from 2",
             lambda: ld.trajectory("erf", **two, **run, start_batch=1)),
            (ValueError, "start_batch is given", lambda: ld.trajectory("erf", **two, **run, start_batch=9, train="v")),
            (ValueError, "points is not in order", lambda: ld.trajectory("erf", **two, **run, points=[3, 2])),
            (ValueError, "dim .*is 3, but must be at least 4", lambda: ld.trajectory("erf", **two, **run, dim=3)),
            (ValueError, "m0 is given", lambda: ld.trajectory("erf", **two, **run, m0=0.1)),
            (ValueError, "s0 is given", lambda: ld.simulate("erf", **two, s0=0.1, dim=100, batch=1, lr=0.1, steps=1)),
            (ValueError, "seed is given", lambda: ld.trajectory("erf", mu=0.5, **run, seed=1)),
            (ValueError, "event is 'N_1_1', but must be m, .*, or an entry such as M_1_2",
             lambda: ld.escape("erf", **two, event="N_1_1", at=0.5)),
            (ValueError, "an entry of a matrix of 2 x 2", lambda: ld.escape("erf", **two, event="M_3_1", at=0.5)),
            (ValueError, "at is None", lambda: ld.escape("erf", **two, event="M")),
            (ValueError, "t_end is None, but must be given: the ODE does not",
             lambda: ld.validate("erf", **two, gamma=1, dim=300, event="M", at=0.1)),
            (ValueError, "width is given, but must be left out: network says it",
             lambda: ld.rates("erf", network=net, width=2)),
            (ValueError, "nu is given", lambda: ld.rates("erf", network=net, nu=0.5)),
            (ValueError, "nu is given", lambda: ld.rates("erf", network=net, nu=0.5)),
            (ValueError, "source is given", lambda: ld.rates("erf", network=net, source="erf")),
            (TypeError, "network is 3", lambda: ld.rates("erf", network=3)),
            (TypeError, "missing the argument 'mu'", lambda: ld.rates("erf", width=2)),
            (ValueError, r"the smallest eigenvalue of the Gram matrix is -(1|0\.99999)",
             lambda: ld.Network(gram=[[1, 2], [2, 1]], width=1, teacher_width=1)),
            (ValueError, "width is None", lambda: ld.Network(gram=[[1, 0], [0, 1]], teacher_width=1)),
            (ValueError, r"entry \(1, 2\) of the Gram matrix is nan", lambda: ld.Network(gram=[[1, np.nan], [0, 1]], width=1, teacher_width=1)),
            (ValueError, "pretrained is of rows of 2 numbers", lambda: ld.Network([[1]], [[1, 2]])),
            (ValueError, "readout is of 1 numbers, but must be of 2",
             lambda: ld.Network([[1]], [[1], [2]], readout=[1])),
            (ValueError, "pretrained is None", lambda: ld.Network([[1]])),
            (ValueError, "width is given", lambda: ld.Network([[1]], [[1]], width=1)),
            (ValueError, "teacher is given", lambda: ld.Network([[1]], gram=[[1, 0], [0, 1]])),
            (TypeError, "teacher is 'x'", lambda: ld.Network("x", [[1]])),
            (TypeError, "teacher is .*, but must be an array of rows", lambda: ld.Network([1, 2], [[1, 2]])),
        ]
        for kind, text, ask in cases:
            with self.subTest(text=text):
                with self.assertRaisesRegex(kind, text) as caught:
                    ask()
                self.assertNotIn("\n", str(caught.exception))


class WhileItWorks(unittest.TestCase):
    def test_ctrl_c_ends_every_kind_of_call(self):
        two = "mu=0.5, width=2, teacher_width=2"
        for call in (f"ld.trajectory('tanh', {two}, gamma=1, t_end=np.full(10**5, 1e6))",
                     "ld.escape('tanh', width=2, teacher_width=2, mu=np.linspace(0.1, 0.9, 10**5))",
                     "ld.rates('tanh', 'relu*tanh', width=8, teacher_width=8, mu=np.linspace(0.1, 0.9, 10**5))",
                     "ld.fixed_points('tanh', width=3, teacher_width=3, rank=3, mu=0.5, starts=10**5)",
                     "ld.critical('tanh', 'sin(x)', width=9, teacher_width=7, mu=(0, 1), nu=np.linspace(0, 1, 10**5))",
                     "ld.phase('tanh', x=('mu', np.linspace(0.1, 0.9, 10**3)), y='rank=1:8:8', width=8)",
                     f"ld.simulate('erf', {two}, dim=10**6, batch=64, lr=0.02, steps=10**9, runs=64)",
                     f"ld.validate('erf', {two}, gamma=1, dim=[10**6], t_end=100, law_runs=0, runs=10**4)"):
            with self.subTest(call=call):
                child = subprocess.Popen(
                    [sys.executable, "-c", "import loradyn as ld, numpy as np\nprint('start', flush=True)\n"
                     f"try:\n  {call}\nexcept KeyboardInterrupt:\n  print('interrupted')\n"
                     "print(ld.rates('erf', mu=0.5).status)"], stdout=subprocess.PIPE, text=True, bufsize=1)
                self.assertEqual(child.stdout.readline(), "start\n")
                time.sleep(0.5)
                child.send_signal(signal.SIGINT)
                begin = time.monotonic()
                text, _ = child.communicate(timeout=60)
                self.assertEqual(text, "interrupted\nok\n")
                self.assertLess(time.monotonic() - begin, 10)

    def test_progress_is_told(self):
        told = []
        ld.escape("erf", mu=np.linspace(0.1, 0.9, 20), width=2, teacher_width=2,
                  progress=lambda done, total: told.append((done, total)))
        self.assertEqual(told[-1], (20, 20))
        ld.simulate("erf", mu=[0.4, 0.5], width=2, dim=100, batch=4, lr=0.01, steps=10, runs=6,
                    progress=lambda done, total: told.append((done, total)))
        self.assertEqual(told[-1], (12, 12))


if __name__ == "__main__":
    unittest.main()
