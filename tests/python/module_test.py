"""Broadcasting, results, errors, interruption, threads, memory, and the parts."""

import gc
import inspect
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import loradyn as ld
import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import erf


def resident():
    """Bytes of memory that this process holds."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Broadcasting(unittest.TestCase):
    def test_shapes_are_numpys(self):
        self.assertEqual(ld.rates("erf", mu=0.5).shape, ())
        self.assertIsInstance(ld.rates("erf", mu=0.5).tau, float)
        self.assertEqual(ld.rates("erf", mu=[0.5]).tau.shape, (1,))
        self.assertEqual(ld.rates("erf", mu=np.zeros((0,)) + 0.5).tau.shape, (0,))
        r = ld.rates("erf", mu=np.linspace(0.1, 0.9, 5)[:, None, None], nu=np.zeros((2, 1)),
                     gamma=np.zeros(3))
        self.assertEqual(r.tau.shape, (5, 2, 3))
        for i in range(5):
            self.assertTrue((r.mu[i] == np.linspace(0.1, 0.9, 5)[i]).all())

    def test_views_of_any_order_are_taken(self):
        mu = np.linspace(0.1, 0.9, 12).reshape(3, 4)
        straight = ld.rates("he3", mu=mu).tau
        np.testing.assert_array_equal(ld.rates("he3", mu=mu.T).tau, straight.T)
        np.testing.assert_array_equal(ld.rates("he3", mu=mu[::-1, ::2]).tau, straight[::-1, ::2])

    def test_every_element_is_the_call_of_it_alone(self):
        mu, gamma = np.array([0.2, 0.7]), np.array([[0.0], [0.1]])
        r = ld.escape("he3", mu=mu, gamma=gamma)
        for i in range(2):
            for j in range(2):
                one = ld.escape("he3", mu=mu[j], gamma=gamma[i, 0])
                self.assertEqual(r.t_hit[i, j], one.t_hit)
                self.assertEqual(r.outcome[i, j], one.outcome)

    def test_runs_are_stacked(self):
        r = ld.trajectory("erf", mu=[0.3, 0.5], t_end=np.array([[10.0], [20.0]]), points=4)
        self.assertEqual(r.m.shape, (2, 2, 4))
        self.assertTrue(r.complete.all())
        np.testing.assert_array_equal(r.t[:, 0, -1], [10, 20])

    def test_threads_change_nothing(self):
        mu = np.linspace(0.03, 0.97, 50)
        one = ld.escape("erf", mu=mu, gamma=0.3, threads=1)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(ld.escape("erf", mu=mu, gamma=0.3)))


class Results(unittest.TestCase):
    def setUp(self):
        self.result = ld.rates(["erf", "relu"], mu=np.linspace(0.1, 0.9, 9)[:, None], time_unit="fisher")

    def test_fields_items_and_rows_agree(self):
        r = self.result
        whole = np.asarray(r)
        self.assertEqual(whole.shape, (9, 2))
        self.assertEqual(list(whole.dtype.names), r.keys())
        for name in r.keys():
            np.testing.assert_array_equal(whole[name], r[name])
        np.testing.assert_array_equal(r.tau, r["tau"])
        np.testing.assert_array_equal(r.lambda_, r["lambda"])
        with self.assertRaisesRegex(AttributeError, "no field 'taus'; it has student"):
            r.taus
        with self.assertRaises(KeyError):
            r["taus"]

    def test_pandas(self):
        frame = ld.rates("he3", mu=[0.2, 0.5], lr_ratio=np.array([[1.0], [2.0]])).to_pandas()
        self.assertEqual(frame["lr_ratio"].tolist(), [1, 1, 2, 2])
        self.assertEqual(frame["mu"].tolist(), [0.2, 0.5, 0.2, 0.5])
        points = ld.fixed_points("he3", mu=0.2, lr_ratio=[1, 2]).to_pandas()
        self.assertEqual(sorted(set(points["lr_ratio"])), [1, 2])
        runs = ld.trajectory("erf", mu=[0.3, 0.5], t_end=10, points=3).to_pandas()
        self.assertEqual(runs["mu"].tolist(), [0.3] * 3 + [0.5] * 3)

    def test_meta(self):
        meta = self.result.meta
        self.assertEqual(meta["question"], "rates")
        self.assertEqual(meta["version"], ld.__version__)
        self.assertEqual(meta["arguments"]["student"], ["erf", "relu"])
        self.assertEqual(meta["arguments"]["time_unit"], "fisher")

    def test_repr_is_a_table(self):
        text = repr(self.result)
        self.assertIn("RatesResult, shape (9, 2)", text)
        self.assertIn("…", text)
        self.assertIn("tau", text.splitlines()[1])

    def test_arrays_outlive_the_result(self):
        tau = ld.rates("erf", mu=np.linspace(0.1, 0.9, 1000)).tau
        gc.collect()
        self.assertTrue(np.isfinite(tau).all())

    def test_nothing_is_nan_without_a_status(self):
        r = ld.escape("he3", mu=[0.0, 0.2, 0.5], gamma=[0.0, 50.0, 0.0])
        for t, status in zip(r.t_hit, r.status):
            self.assertTrue(np.isfinite(t) or status != "ok")


class Errors(unittest.TestCase):
    def test_what_is_wrong_is_named(self):
        cases = [
            (ValueError, "nu is -1, but must be a number >= 0", lambda: ld.rates("erf", mu=0.5, nu=-1)),
            (ValueError, "student 'erff': .*nearest are erf", lambda: ld.rates("erff", mu=0.5)),
            (ValueError, "mu is nan", lambda: ld.rates("erf", mu=[0.5, np.nan])),
            (ValueError, r"nu is of shape \(3,\)", lambda: ld.rates("erf", mu=[0.1, 0.2], nu=[1, 2, 3])),
            (ValueError, "m0.*is 1.62", lambda: ld.escape("erf", mu=0.5, m0=0.9, s0=0.9)),
            (ValueError, "rtol", lambda: ld.escape("erf", mu=0.5, rtol=1)),
            (ValueError, "at is None", lambda: ld.escape("erf", mu=0.5, event="risk")),
            (ValueError, "at is 1.5", lambda: ld.escape("erf", mu=0.5, at=1.5)),
            (ValueError, "event is 'n', but must be m, M or risk", lambda: ld.escape("erf", mu=0.5, event="n")),
            (ValueError, "signed", lambda: ld.escape("erf", mu=0.5, dim=100, signed=True)),
            (ValueError, "lr_ratio is 0", lambda: ld.fixed_points("erf", mu=0.5, lr_ratio=0)),
            (ValueError, "time_unit is 'days'", lambda: ld.rates("erf", mu=0.5, time_unit="days")),
            (ValueError, "steps is '1000000000000', but must be at most", lambda: ld.simulate(
                "erf", mu=0.5, dim=1000, batch=10**6, lr=0.1, steps=10**12, runs=10**9)),
            (ValueError, "x 'mu0=", lambda: ld.phase("erf", x="mu0=0.1:0.9:3", y="gamma=0,1")),
            (TypeError, "no argument 'mus'; the nearest are mu", lambda: ld.rates("erf", mus=0.5)),
            (TypeError, "missing the argument 'mu'", lambda: ld.rates("erf")),
            (TypeError, "two values for 'student'", lambda: ld.rates("erf", mu=0.5, student="relu")),
            (TypeError, "mu is 'a'", lambda: ld.rates("erf", mu="a")),
            (TypeError, "mu is None", lambda: ld.rates("erf", mu=None)),
            (TypeError, "student is 3", lambda: ld.rates(3, mu=0.5)),
        ]
        for kind, text, ask in cases:
            with self.subTest(text=text), self.assertRaisesRegex(kind, text):
                ask()

    def test_no_convergence_is_an_arithmetic_error(self):
        self.assertTrue(issubclass(ld.ConvergenceError, ArithmeticError))
        with self.assertRaisesRegex(ld.ConvergenceError, "not resolved near x = "):
            ld.Activation(lambda x: 1 / x, name="pole")

    def test_an_exception_of_a_callable_passes(self):
        def broken(x):
            raise RuntimeError("mine")

        with self.assertRaisesRegex(RuntimeError, "mine"):
            ld.rates(broken, mu=0.5)
        with self.assertRaisesRegex(TypeError, "one of the same shape"):
            ld.rates(lambda x: x[:2], mu=0.5)


LONG = {"student": "erf", "mu": 0.5, "dim": 10**6, "batch": 64, "lr": 0.02, "steps": 10**9, "runs": 64}


class WhileItWorks(unittest.TestCase):
    def interrupted(self, code):
        """Seconds from SIGINT to the end of a process that runs this, and what it wrote."""
        child = subprocess.Popen([sys.executable, "-c", "import loradyn as ld, numpy as np\n" + code],
                                 stdout=subprocess.PIPE, text=True, bufsize=1)
        self.assertEqual(child.stdout.readline(), "start\n")
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        begin = time.monotonic()
        text, _ = child.communicate(timeout=60)
        return time.monotonic() - begin, text

    def test_ctrl_c_ends_every_kind_of_call(self):
        for call in (f"ld.simulate(**{LONG!r})",
                     "ld.escape('tanh', mu=np.linspace(0.1, 0.9, 10**5))",
                     "ld.rates('relu^2', 'relu*tanh', mu=np.linspace(0.1, 0.9, 10**7), nu=0.1)",
                     "ld.phase('tanh', x='mu=0.1:0.9:300', y='gamma=0.1:1:300')"):
            with self.subTest(call=call):
                seconds, text = self.interrupted(
                    f"print('start', flush=True)\ntry:\n  {call}\nexcept KeyboardInterrupt:\n"
                    "  print('interrupted')\nprint(ld.rates('erf', mu=0.5).status)")
                self.assertEqual(text, "interrupted\nok\n")
                self.assertLess(seconds, 10)

    def test_a_handler_that_does_not_raise_does_not_end_it(self):
        _, text = self.interrupted(
            "import signal\nsignal.signal(signal.SIGINT, lambda *_: print('handled', flush=True))\n"
            "print('start', flush=True)\n"
            "print(ld.escape('tanh', mu=np.linspace(0.1, 0.9, 8000)).shape)")
        self.assertEqual(text, "handled\n(8000,)\n")

    def test_other_python_threads_run_meanwhile(self):
        counted, ended = 0, threading.Event()
        worker = threading.Thread(target=lambda: (ld.escape("tanh", mu=np.linspace(0.1, 0.9, 200)),
                                                  ended.set()))
        worker.start()
        while not ended.is_set():
            counted += 1
            time.sleep(0.001)
        worker.join()
        self.assertGreater(counted, 20)

    def test_calls_from_several_threads_agree(self):
        mu = np.linspace(0.1, 0.9, 20)
        expected = ld.escape("sigmoid", mu=mu).t_hit
        found = []
        threads = [threading.Thread(target=lambda: found.append(ld.escape("sigmoid", mu=mu).t_hit))
                   for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(found), 4)
        for t_hit in found:
            np.testing.assert_array_equal(t_hit, expected)

    def test_progress_is_told_on_the_calling_thread(self):
        told = []
        ld.escape("tanh", mu=np.linspace(0.1, 0.9, 100),
                  progress=lambda done, total: told.append((threading.get_ident(), done, total)))
        self.assertEqual({t[0] for t in told}, {threading.get_ident()})
        self.assertEqual(told[-1][1:], (100, 100))
        self.assertEqual([t[1] for t in told], sorted(t[1] for t in told))

    def test_what_progress_raises_ends_the_call(self):
        def stop(done, total):
            raise LookupError("enough")

        with self.assertRaisesRegex(LookupError, "enough"):
            ld.simulate(**LONG, progress=stop)
        self.assertEqual(ld.rates("erf", mu=0.5).status, "ok")


class Memory(unittest.TestCase):
    def test_many_calls_leave_nothing(self):
        mu = np.linspace(0.1, 0.9, 10)

        def calls(n):
            for _ in range(n):
                r = ld.rates("he3", mu=mu)
                r.tau, r.status
                try:
                    ld.rates("he3", mu=0.5, nu=-1)
                except ValueError:
                    pass

        calls(5000)
        gc.collect()
        before = resident()
        calls(100_000)
        gc.collect()
        # A leak of a result would be some kilobytes a call.
        self.assertLess(resident() - before, 8e6)

    def test_callables_are_forgotten(self):
        class Tracked:
            alive = 0

            def __init__(self):
                Tracked.alive += 1

            def __del__(self):
                Tracked.alive -= 1

            def __call__(self, x):
                return x**3

        for _ in range(1000):
            ld.rates(Tracked(), mu=0.5)
        gc.collect()
        self.assertLess(Tracked.alive, 600)


class Callables(unittest.TestCase):
    def test_they_are_what_the_grammar_names(self):
        mu = np.linspace(0.05, 0.95, 7)
        for name, f in (("erf", erf), ("he3", lambda x: x**3 - 3 * x), ("tanh", np.tanh),
                        ("relu", lambda x: np.maximum(x, 0)), ("silu", lambda x: x / (1 + np.exp(-x))),
                        ("max(x,0.1*x)", lambda x: np.where(x > 0, x, 0.1 * x))):
            with self.subTest(name=name):
                named, mine = ld.rates(name, mu=mu), ld.rates(f, mu=mu)
                # A is a difference: its error counts beside E[σ'²], which is of the order of 1 here.
                np.testing.assert_allclose(mine.A, named.A, rtol=1e-10, atol=2e-12)
                np.testing.assert_allclose(mine.B, named.B, rtol=1e-10)

    def test_escapes_agree(self):
        mu = np.linspace(0.1, 0.9, 9)
        named, mine = ld.escape("tanh", mu=mu), ld.escape(np.tanh, mu=mu)
        np.testing.assert_allclose(mine.t_hit, named.t_hit, rtol=1e-8)
        self.assertEqual(mine.outcome.tolist(), named.outcome.tolist())

    def test_they_are_called_on_arrays_alone_and_never_later(self):
        calls = []

        def f(x):
            calls.append((threading.get_ident(), x.shape))
            return np.tanh(x)

        a = ld.Activation(f)
        made = len(calls)
        self.assertLess(made, 100)
        self.assertEqual({c[0] for c in calls}, {threading.get_ident()})
        ld.escape(a, mu=np.linspace(0.1, 0.9, 5))
        ld.rates(f, mu=0.5)
        self.assertEqual(made * 2, len(calls))  # f itself, once
        ld.rates(f, mu=0.6)
        self.assertEqual(made * 2, len(calls))

    def test_derivatives_and_kinks_may_be_given(self):
        a = ld.Activation(np.tanh, first=lambda x: 1 / np.cosh(x) ** 2, kinks=[], name="mine")
        self.assertEqual(a.name, "mine")
        self.assertAlmostEqual(a.derivative(0.3), 1 / np.cosh(0.3) ** 2, delta=1e-15)
        self.assertAlmostEqual(a.derivative(0.3, 2), -2 * np.tanh(0.3) / np.cosh(0.3) ** 2, delta=1e-13)
        with self.assertRaises(ld.ConvergenceError):
            ld.Activation(lambda x: np.abs(x - 0.3), kinks=[])
        np.testing.assert_allclose(ld.Activation(lambda x: np.abs(x - 0.3)).kinks, [0.3], atol=1e-14)

    def test_the_error_and_the_reach_are_told(self):
        a = ld.Activation(np.exp)
        self.assertLess(a.error, 1e-13)
        self.assertTrue(64 <= a.reach < 1024)
        self.assertTrue(np.isnan(a(2 * a.reach)))
        self.assertEqual(ld.Activation("tanh").error, 0)


class Parts(unittest.TestCase):
    def test_kernel(self):
        k = ld.PairKernel("erf")
        c = np.linspace(-0.9, 0.9, 7)
        np.testing.assert_allclose(k.value(1, 1, c), 2 / np.pi * np.arcsin(2 * c / 3), atol=1e-15)
        gradient = k.gradient(1, 1, c)
        h = 1e-5
        np.testing.assert_allclose(gradient[:, 2], (k.value(1, 1, c + h) - k.value(1, 1, c - h)) / (2 * h),
                                   rtol=1e-8)
        hessian = k.hessian(1.2, 0.8, 0.3)
        np.testing.assert_array_equal(hessian, hessian.T)
        np.testing.assert_allclose(hessian[0], (k.gradient(1.2 + h, 0.8, 0.3) - k.gradient(1.2 - h, 0.8, 0.3))
                                   / (2 * h), rtol=1e-8)
        with self.assertRaises(ValueError):
            k.value(1, 1, 1.5)

    def test_flow(self):
        flow = ld.Flow("he3", mu=0.4, nu=0.1, gamma=0.2, lr_ratio=2)
        x = np.array([[0.1, 0.3, 0.2], [0.5, -0.2, 0.1]])
        v, j = flow.velocity(x), flow.jacobian(x)
        self.assertEqual((v.shape, j.shape, flow.risk(x).shape), ((2, 3), (2, 3, 3), (2,)))
        h = 1e-6
        for k in range(3):
            e = h * np.eye(3)[k]
            np.testing.assert_allclose(j[..., k], (flow.velocity(x + e) - flow.velocity(x - e)) / (2 * h),
                                       rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose((flow.map(x, 1e-7) - x) / 1e-7, v, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(flow.fun(0, x.T), v.T)
        np.testing.assert_array_equal(flow.jac(0, x[0]), j[0])
        fisher = ld.Flow("he3", mu=0.4, nu=0.1, gamma=0.2, lr_ratio=2, time_unit="fisher")
        np.testing.assert_allclose(fisher.velocity(x) * 18, v, rtol=1e-14)  # E[σ'²] = 3·3!
        with self.assertRaises(ValueError):
            ld.Flow("erf", mu=[0.1, 0.2])

    def test_scipy_integrates_it(self):
        flow, start = ld.Flow("erf", mu=0.5), [1e-6, 0.03, 0.0]
        times = np.linspace(0, 300, 13)
        mine = ld.trajectory("erf", mu=0.5, t_end=300, points=13)
        for given in ({"method": "Radau", "jac": flow.jac}, {"method": "DOP853", "vectorized": True}):
            run = solve_ivp(flow.fun, (0, 300), start, t_eval=times, rtol=1e-10, atol=1e-14, **given)
            np.testing.assert_allclose(run.y, [mine.u, mine.m, mine.s], atol=1e-6)

    def test_law(self):
        law = ld.EscapeLaw("erf", mu=0.5, gamma=1, dim=1000)
        row = ld.escape("erf", mu=0.5, gamma=1, dim=1000)
        self.assertEqual(law.median(), row.t_q50)
        self.assertEqual(law.mean(), row.t_mean)
        q = np.linspace(0.01, 0.99, 9)
        np.testing.assert_allclose(law.cdf(law.ppf(q)), q, rtol=1e-10)
        t = law.ppf(q)
        np.testing.assert_allclose(law.pdf(t), (law.cdf(t + 1e-3) - law.cdf(t - 1e-3)) / 2e-3, rtol=1e-6)
        draws = law.rvs(size=(100, 100), random_state=5)
        self.assertEqual(draws.shape, (100, 100))
        np.testing.assert_array_equal(draws, law.rvs(size=(100, 100), random_state=5))
        # Kolmogorov's distance of 10^4 draws is above 0.02 once in a thousand.
        ordered = np.sort(draws.ravel())
        self.assertLess(np.abs(law.cdf(ordered) - np.arange(1, 10**4 + 1) / 10**4).max(), 0.02)
        self.assertEqual(law.status, "ok")

    def test_simulated_runs(self):
        r = ld.simulate("erf", mu=0.5, dim=1000, batch=20, lr=0.02, t_end=4, runs=12, points=5)
        self.assertEqual(r.runs_u.shape, (12, 5))
        np.testing.assert_allclose(r.runs_u.mean(axis=0), r.u_mean, rtol=1e-13)
        np.testing.assert_allclose(np.abs(r.runs_m).mean(axis=0), r.m_abs_mean, rtol=1e-13)
        hits = ld.simulate("erf", mu=0.5, dim=1000, batch=20, lr=0.02, t_end=4, runs=12, at=0.02)
        np.testing.assert_array_equal(hits.runs_m, hits.m)


class Signatures(unittest.TestCase):
    def test_they_are_those_of_the_registry(self):
        signature = inspect.signature(ld.rates)
        self.assertEqual(signature.parameters["lr_ratio"].default, 1.0)
        self.assertIs(signature.parameters["mu"].default, inspect.Parameter.empty)
        self.assertIn("mu", inspect.signature(ld.Flow).parameters)
        self.assertEqual(list(inspect.signature(ld.PairKernel.value).parameters), ["q1", "q2", "c"])
        for name in ("rates", "critical", "trajectory", "escape", "fixed_points", "budget", "phase",
                     "simulate", "validate"):
            function = getattr(ld, name)
            for part in "Parameters", "Returns", "Raises", "Examples":
                self.assertIn(part + "\n---", function.__doc__)


class Drawings(unittest.TestCase):
    def test_every_question_is_drawn(self):
        import matplotlib

        matplotlib.use("svg")
        mu = np.linspace(0.1, 0.9, 5)
        given = {"mu": 0.5, "dim": 1000, "batch": 20, "lr": 0.02, "t_end": 2, "runs": 4}
        for result in (ld.rates(["erf", "relu"], mu=mu[:, None]), ld.rates([["erf"], ["relu"]], mu=mu),
                       ld.critical(["he3", "he10"]), ld.escape("he3", mu=mu),
                       ld.fixed_points("he3", mu=mu), ld.trajectory("erf", mu=0.5, t_end=300),
                       ld.budget("he3", rho=0.7, t_pre=mu), ld.simulate("erf", **given, points=5),
                       ld.simulate("erf", **given, at=0.01),
                       ld.validate("erf", mu=0.5, gamma=1, dim=[300, 1000], runs=20, law_runs=0),
                       ld.phase("he3", x="mu=0.1:0.9:3", y="nu=0:1:2"),
                       ld.phase("he3", x="mu=0.1:0.9:3", y="nu=0:1:2", refine=1)):
            with self.subTest(question=result.meta["question"]):
                ax = result.plot()
                self.assertTrue(ax.get_xlabel())
                self.assertIs(result.plot(ax=ax), ax)
        # What is evenly spaced by ratio has such an axis.
        ax = ld.phase("he3", x="mu=0.1:0.9:3", y="gamma=log:0.01:1:3").plot()
        self.assertEqual((ax.get_xscale(), ax.get_yscale()), ("linear", "log"))
        with self.assertRaisesRegex(ValueError, "no number varies"):
            ld.rates("erf", mu=0.5).plot()


if __name__ == "__main__":
    unittest.main()
