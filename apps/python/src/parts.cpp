#include "parts.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <loradyn/analysis/escape_law.hpp>
#include <loradyn/dynamics/flow.hpp>
#include <loradyn/error.hpp>
#include <loradyn/kernel/pair_kernel.hpp>
#include <loradyn/model/overlaps.hpp>
#include <memory>

#include "arrays.hpp"
#include "points.hpp"
#include "question.hpp"

namespace loradyn::python {
namespace {

// A flow, or its law, in the time of a unit.
struct timed_flow {
  shared_pair pair;
  flow f;
  double unit = 1.0;
};

struct timed_law {
  escape_law law;
  double unit = 1.0;
};

// The only point of a call.
const points& single(const points& where) {
  if (!where.extent().empty()) {
    throw argument_error("an argument", "an array", "a number: this is of one point");
  }
  return where;
}

// States along the last axis, or along the first: as many doubles apart.
struct state_array {
  py::array_t<double, py::array::c_style | py::array::forcecast> values;
  std::size_t count = 0;
  std::size_t between_states = 0;
  std::size_t between_overlaps = 0;

  [[nodiscard]] overlap_state operator[](std::size_t i) const {
    const double* x = values.data() + i * between_states;
    return {x[0], x[between_overlaps], x[2 * between_overlaps]};
  }
};

state_array states_of(py::handle value, bool along_first) {
  state_array states;
  states.values = py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(value);
  if (!states.values) {
    PyErr_Clear();
    throw py::type_error("a state must be an array of numbers (u, m, s)");
  }
  const py::ssize_t n = states.values.ndim();
  if (n == 0 || states.values.shape(along_first ? 0 : n - 1) != 3) {
    throw py::value_error(along_first ? "the first axis of states must hold u, m and s"
                                      : "the last axis of states must hold u, m and s");
  }
  states.count = static_cast<std::size_t>(states.values.size()) / 3;
  states.between_states = along_first ? 1 : 3;
  states.between_overlaps = along_first ? states.count : 1;
  return states;
}

// The extent of states without their own axis.
shape extent_of(const state_array& states, bool along_first) {
  shape s(states.values.shape(), states.values.shape() + states.values.ndim());
  s.erase(along_first ? s.begin() : s.end() - 1);
  return s;
}

// f(state, out) for every state, with the elements of `tail` as the last axes.
template <class F>
py::object map_states(py::handle value, const shape& tail, const F& f) {
  const state_array states = states_of(value, false);
  shape all = extent_of(states, false);
  all.insert(all.end(), tail.begin(), tail.end());
  py::array_t<double> result(all);
  double* out = result.mutable_data();
  const std::size_t each = size_of(tail);
  {
    const py::gil_scoped_release released;
    for (std::size_t i = 0; i < states.count; ++i) {
      f(states[i], out + i * each);
    }
  }
  return all.empty() ? py::object(py::float_(*out)) : py::object(std::move(result));
}

void put(const overlap_state& x, double* out) {
  out[0] = x.u;
  out[1] = x.m;
  out[2] = x.s;
}

void put(const Eigen::Matrix3d& j, double* out) {
  for (Eigen::Index row = 0; row < 3; ++row) {
    for (Eigen::Index column = 0; column < 3; ++column) {
      out[3 * row + column] = j(row, column);
    }
  }
}

void define_kernel(py::module_& module) {
  const auto covariances = [](py::handle q1, py::handle q2, py::handle c) {
    return std::vector<numbers>{numbers("q1", q1), numbers("q2", q2), numbers("c", c)};
  };
  static const std::vector<const char*> names{"q1", "q2", "c"};
  const auto at = [](const std::vector<double>& v) {
    return pair_covariance::of(v[0], v[1], v[2]);
  };
  py::class_<pair_kernel, std::shared_ptr<pair_kernel>>(
      module, "PairKernel",
      R"doc(The kernel K(q1, q2, c) = E[f(X) g(Y)] of a pair of activations.

X and Y are Gaussian with variances q1, q2 >= 0 and covariance c, up to c² = q1 q2 (docs/theory.md,
section 3). Methods broadcast. Relative to (E[f²] E[g²])^½ it is exact to rounding for polynomials,
erf and ReLU, to 1e-13 for others.

Parameters
----------
f, g : str, Activation or callable
    g is f where it is left out.

Raises
------
ValueError
    Where the covariance is none.
ConvergenceError
    Where an activation varies too fast for the finest grid at these variances.

Examples
--------
>>> k = ld.PairKernel("erf")
>>> round(k.value(1, 1, 0.5), 12) == round(2 / np.pi * np.arcsin(2 * 0.5 / 3), 12)
True
>>> k.gradient(1, 1, [0.1, 0.2]).shape
(2, 3)
)doc")
      .def(py::init([](py::handle f, py::handle g) {
             return std::make_shared<pair_kernel>(
                 activation_from("f", f)->function,
                 activation_from("g", g.is_none() ? f : g)->function);
           }),
           py::arg("f"), py::arg("g") = py::none(), "__init__($self, f, g=None)\n--\n\n")
      .def(
          "value",
          [=](const pair_kernel& k, py::handle q1, py::handle q2, py::handle c) {
            return map_elements(
                covariances(q1, q2, c), names, {},
                [&](const std::vector<double>& v, double* out) { *out = k.value(at(v)); });
          },
          py::arg("q1"), py::arg("q2"), py::arg("c"),
          "value($self, q1, q2, c)\n--\n\n"
          "K, with the shape of the broadcast.")
      .def(
          "gradient",
          [=](const pair_kernel& k, py::handle q1, py::handle q2, py::handle c) {
            return map_elements(covariances(q1, q2, c), names, {3},
                                [&](const std::vector<double>& v, double* out) {
                                  const kernel_gradient g = k.gradient(at(v));
                                  out[0] = g.q1;
                                  out[1] = g.q2;
                                  out[2] = g.c;
                                });
          },
          py::arg("q1"), py::arg("q2"), py::arg("c"),
          "gradient($self, q1, q2, c)\n--\n\n"
          "∂K by q1, q2 and c, along the last axis.")
      .def(
          "hessian",
          [=](const pair_kernel& k, py::handle q1, py::handle q2, py::handle c) {
            return map_elements(covariances(q1, q2, c), names, {3, 3},
                                [&](const std::vector<double>& v, double* out) {
                                  const kernel_hessian h = k.hessian(at(v));
                                  const std::array<double, 9> all{h.q1q1, h.q1q2, h.q1c,
                                                                  h.q1q2, h.q2q2, h.q2c,
                                                                  h.q1c,  h.q2c,  h.cc};
                                  std::copy(all.begin(), all.end(), out);
                                });
          },
          py::arg("q1"), py::arg("q2"), py::arg("c"),
          "hessian($self, q1, q2, c)\n--\n\n"
          "The second derivatives by q1, q2 and c, along the last two axes; infinite or NaN on the "
          "edge of a kinked pair, where there are none.")
      .def("__repr__", [](const pair_kernel& k) {
        return fmt::format("PairKernel('{}', '{}')", k.f().name(), k.g().name());
      });
}

void define_flow(py::module_& module) {
  py::class_<timed_flow, std::shared_ptr<timed_flow>>(module, "Flow", "")
      .def(py::init([](const py::args& args, const py::kwargs& kwargs) {
        const call given("Flow", flow_arguments(), 2, args, kwargs);
        const points where(given, study::model_parameters);
        single(where);
        const kept_pair& pair = where.pair(0);
        return std::make_shared<timed_flow>(
            timed_flow{where.shared(0), flow(pair.prepared().task, where.at(0).parameters),
                       pair.pair().rate_unit});
      }))
      .def(
          "velocity",
          [](const timed_flow& t, py::handle x) {
            return map_states(x, {3}, [&](const overlap_state& s, double* out) {
              const overlap_state v = t.f.velocity(s);
              put(overlap_state{v.u / t.unit, v.m / t.unit, v.s / t.unit}, out);
            });
          },
          py::arg("x"),
          "velocity($self, x)\n--\n\n"
          "d(u, m, s)/dt at states (..., 3); NaN where |w|² is beyond 1e100.")
      .def(
          "jacobian",
          [](const timed_flow& t, py::handle x) {
            return map_states(x, {3, 3}, [&](const overlap_state& s, double* out) {
              put(Eigen::Matrix3d(t.f.jacobian(s) / t.unit), out);
            });
          },
          py::arg("x"),
          "jacobian($self, x)\n--\n\n"
          "The derivatives of the velocity at states (..., 3): (..., 3, 3).")
      .def(
          "risk",
          [](const timed_flow& t, py::handle x) {
            return map_states(x, {},
                              [&](const overlap_state& s, double* out) { *out = t.f.risk(s); });
          },
          py::arg("x"),
          "risk($self, x)\n--\n\n"
          "The population risk, with label noise, at states (..., 3).")
      .def(
          "map",
          [](const timed_flow& t, py::handle x, double learning_rate) {
            if (!(learning_rate > 0.0)) {
              throw argument_error("lr", fmt::format("{}", learning_rate), "> 0");
            }
            return map_states(x, {3}, [&](const overlap_state& s, double* out) {
              put(t.f.map(s, learning_rate), out);
            });
          },
          py::arg("x"), py::arg("lr"),
          "map($self, x, lr)\n--\n\n"
          "One step of SGD with this learning rate as d → ∞ (docs/theory.md, section 7), from "
          "states (..., 3).")
      .def(
          "fun",
          [](const timed_flow& t, double, py::handle x) {
            const state_array states = states_of(x, true);
            py::array_t<double> result(
                shape(states.values.shape(), states.values.shape() + states.values.ndim()));
            for (std::size_t i = 0; i < states.count; ++i) {
              const overlap_state v = t.f.velocity(states[i]);
              double* out = result.mutable_data() + i;
              out[0] = v.u / t.unit;
              out[states.between_overlaps] = v.m / t.unit;
              out[2 * states.between_overlaps] = v.s / t.unit;
            }
            return result;
          },
          py::arg("t"), py::arg("x"),
          "fun($self, t, x)\n--\n\n"
          "velocity with u, m and s along the first axis, as scipy.integrate.solve_ivp calls it.")
      .def(
          "jac",
          [](const timed_flow& t, double, py::handle x) {
            return map_states(x, {3, 3}, [&](const overlap_state& s, double* out) {
              put(Eigen::Matrix3d(t.f.jacobian(s) / t.unit), out);
            });
          },
          py::arg("t"), py::arg("x"),
          "jac($self, t, x)\n--\n\n"
          "jacobian at one state, for the same.")
      .def("__repr__", [](const timed_flow& t) {
        std::string text;
        const study::parameter_point at{t.f.parameters(), {}, {}};
        for (const study::parameter* p : study::model_parameters) {
          text += fmt::format(", {}={}", p->column(), *p->get(at));
        }
        return fmt::format("Flow('{}', '{}'{})", t.f.task().risk.student().name(),
                           t.f.task().risk.teacher().name(), text);
      });
}

void define_law(py::module_& module) {
  py::class_<timed_law, std::shared_ptr<timed_law>>(module, "EscapeLaw", "")
      .def(py::init([](const py::args& args, const py::kwargs& kwargs) {
        const call given("EscapeLaw", law_arguments(), 2, args, kwargs);
        std::vector<const study::parameter*> parameters(study::model_parameters.begin(),
                                                        study::model_parameters.end());
        parameters.push_back(&study::registry::dim);
        parameters.push_back(&study::registry::u0);
        const points where(given, parameters);
        single(where);
        const kept_pair& pair = where.pair(0);
        const study::parameter_point at = where.at(0);
        const overlap_event event = event_of(given);
        study::require_law_event(event);
        integration_options integrator = integrator_of(given);
        integrator.end_time /= pair.pair().rate_unit;
        const double d = *at.dimension;
        const double u0 = given.has("u0") ? at.start.u : 1.0 / (d * d);
        auto made = std::make_shared<timed_law>();
        made->unit = pair.pair().rate_unit;
        run({}, [&](const study::study_control&) {
          const study::prepared_pair& prepared = pair.prepared();
          made->law = law_of_escape(flow(prepared.task, at.parameters), event, d, u0, integrator,
                                    prepared.classifier);
        });
        return made;
      }))
      .def(
          "cdf",
          [](const timed_law& l, py::handle t) {
            return map_elements({numbers("t", t)}, {"t"}, {},
                                [&](const std::vector<double>& v, double* out) {
                                  *out = l.law.cdf(v[0] / l.unit);
                                });
          },
          py::arg("t"),
          "cdf($self, t)\n--\n\n"
          "P(t_hit <= t), elementwise.")
      .def(
          "pdf",
          [](const timed_law& l, py::handle t) {
            return map_elements({numbers("t", t)}, {"t"}, {},
                                [&](const std::vector<double>& v, double* out) {
                                  *out = l.law.density(v[0] / l.unit) / l.unit;
                                });
          },
          py::arg("t"),
          "pdf($self, t)\n--\n\n"
          "The density at t, elementwise.")
      .def(
          "ppf",
          [](const timed_law& l, py::handle q) {
            return map_elements({numbers("q", q)}, {"q"}, {},
                                [&](const std::vector<double>& v, double* out) {
                                  *out = l.law.quantile(v[0]) * l.unit;
                                });
          },
          py::arg("q"),
          "ppf($self, q)\n--\n\n"
          "The quantile of q in (0, 1), elementwise.")
      .def(
          "rvs",
          [](const timed_law& l, const py::object& size, const py::object& random_state) {
            const py::object generator =
                py::module_::import("numpy.random").attr("default_rng")(random_state);
            // From 0 to 1, without the ends, of which the law has no quantiles.
            const py::object uniform = generator.attr("random")(size);
            return map_elements(
                {numbers("u", uniform)}, {"u"}, {}, [&](const std::vector<double>& v, double* out) {
                  *out = l.law.quantile(0.5 * std::numeric_limits<double>::epsilon() +
                                        v[0] * (1.0 - std::numeric_limits<double>::epsilon())) *
                         l.unit;
                });
          },
          py::arg("size") = py::none(), py::arg("random_state") = py::none(),
          "rvs($self, size=None, random_state=None)\n--\n\n"
          "Draws of this size. random_state: what numpy.random.default_rng takes.")
      .def(
          "mean", [](const timed_law& l) { return l.law.mean() * l.unit; },
          "mean($self)\n--\n\n"
          "The mean.")
      .def(
          "median", [](const timed_law& l) { return l.law.quantile(0.5) * l.unit; },
          "median($self)\n--\n\n"
          "The median.")
      .def_property_readonly(
          "status", [](const timed_law& l) { return std::string(to_string(l.law.status)); },
          "ok, small-dimension, no-instability or no-escape; of the last two every value is NaN.")
      .def_property_readonly(
          "tau", [](const timed_law& l) { return l.law.tau * l.unit; }, "The search time.")
      .def_property_readonly(
          "nonlinear_time", [](const timed_law& l) { return l.law.nonlinear_time * l.unit; },
          "What the run takes beside its search.")
      .def("__repr__", [](const timed_law& l) {
        return fmt::format("<EscapeLaw at d = {:g}: tau {:.6g}, median {:.6g}, {}>",
                           l.law.dimension, l.law.tau * l.unit, l.law.quantile(0.5) * l.unit,
                           to_string(l.law.status));
      });
}

}  // namespace

const std::vector<argument>& flow_arguments() {
  static const auto* all = new std::vector<argument>(
      joined({pair_arguments(), arguments_of(study::model_parameters), {time_unit_argument()}}));
  return *all;
}

const std::vector<argument>& law_arguments() {
  static const auto* all = new std::vector<argument>([] {
    argument dim = argument_of(study::registry::dim);
    argument u0 = argument_of(study::registry::u0);
    u0.meaning += "; None: 1/d²";
    u0.standard = py::none();
    return joined({pair_arguments(),
                   arguments_of(study::model_parameters),
                   {dim, u0},
                   event_arguments(overlap_quantity::m, "0.5 for m"),
                   integrator_arguments(study::row_step_limit),
                   {time_unit_argument()}});
  }());
  return *all;
}

void define_parts(py::module_& module) {
  define_kernel(module);
  define_flow(module);
  define_law(module);
}

}  // namespace loradyn::python
