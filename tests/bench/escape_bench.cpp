// What a right-hand side and an escape time cost, against what a careful script does: plain
// controlled dopri5 with dense output on the same event, over the same right-hand side and over one
// that is a 40 × 40 Gauss-Hermite rule. The counters `ratio…` are baseline over library in this
// run.

#include <benchmark/benchmark.h>

#include <array>
#include <boost/math/tools/toms748_solve.hpp>
#include <boost/numeric/odeint.hpp>
#include <chrono>
#include <cmath>
#include <loradyn/activation/parse.hpp>
#include <loradyn/analysis/escape.hpp>
#include <loradyn/gaussian/gauss_hermite.hpp>
#include <string>
#include <vector>

namespace {

using namespace loradyn;
namespace odeint = boost::numeric::odeint;
using state = std::array<double, 3>;

constexpr double tolerance = 1e-9;
constexpr double level = 0.5;

double seconds_of(const auto& work, int repetitions) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repetitions; ++i) {
    work();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
         repetitions;
}

// The flow at γ = 0 by a fixed rule over (λ*, λ).
class quadrature_flow {
 public:
  quadrature_flow(const activation& student, const activation& teacher, const lora_parameters& p)
      : student_(student), teacher_(teacher), parameters_(p), rule_(40) {}

  void operator()(const state& y, state& dydt, double) const {
    const overlap_state x = overlap_state::unpack(y);
    const field_overlaps o = fields(x, parameters_);
    const double spread = std::sqrt(o.gap);
    double R_M = 0.0;
    double R_Q = 0.0;
    for (std::size_t i = 0; i < rule_.nodes.size(); ++i) {
      const double z = rule_.nodes[i];
      const double target = teacher_(z);
      const double target_slope = teacher_.first(z);
      for (std::size_t k = 0; k < rule_.nodes.size(); ++k) {
        const double field = o.M * z + spread * rule_.nodes[k];
        double value = 0.0;
        double slope = 0.0;
        double curvature = 0.0;
        student_.tabulate({&field, 1}, {&value, 1}, {&slope, 1}, {&curvature, 1});
        const double weight = rule_.weights[i] * rule_.weights[k];
        R_M -= weight * slope * target_slope;
        R_Q += 0.5 * weight * (slope * slope + (value - target) * curvature);
      }
    }
    const auto& [mu, nu, gamma, noise, kappa] = parameters_;
    const double p = mu * x.m + nu * x.s;
    dydt = {-kappa * (R_M * x.m + 2.0 * R_Q * (p + x.u)),
            -x.u * (R_M * (1.0 - x.m * x.m) + 2.0 * R_Q * (mu - x.m * p)),
            -x.u * (-R_M * x.m * x.s + 2.0 * R_Q * (nu - x.s * p))};
  }

 private:
  const activation& student_;
  const activation& teacher_;
  lora_parameters parameters_;
  gauss_hermite_rule rule_;
};

// The event by odeint's own dense output, as its example finds crossings.
template <class System>
double plain_hit(const System& system, const overlap_state& start, double first_step,
                 double allowed = tolerance) {
  auto stepper = odeint::make_dense_output(1e-16, allowed, odeint::runge_kutta_dopri5<state>());
  stepper.initialize(start.pack(), 0.0, first_step);
  state x;
  for (int i = 0; i < 1'000'000; ++i) {
    const auto [from, to] = stepper.do_step(system);
    if (std::abs(stepper.current_state()[1]) >= level) {
      const auto excess = [&](double t) {
        stepper.calc_state(t, x);
        return std::abs(x[1]) - level;
      };
      std::uintmax_t iterations = 100;
      return boost::math::tools::toms748_solve(
                 excess, from, to, boost::math::tools::eps_tolerance<double>(), iterations)
          .first;
    }
  }
  return std::nan("");
}

void right_hand_side(benchmark::State& bench, const std::string& name, double gamma) {
  const activation a = parse_activation(name);
  const flow f(learning_task(a, a),
               {.alignment = 0.5, .misalignment = 0.2, .noise_scale = gamma, .label_noise = 0.1});
  overlap_state x{0.3, 0.4, -0.2};
  for (auto _ : bench) {
    x.m = 0.4 + 1e-40 * f.velocity(x).m;  // one after the other, as in a run
    benchmark::DoNotOptimize(x);
  }
}

// The risk's gradient of two polynomials, against the moments of its two kernels one after the
// other.
void polynomial_gradient(benchmark::State& bench, const std::string& name) {
  const activation a = parse_activation(name);
  const population_risk risk(a, a);
  field_overlaps o{.M = 0.6, .Q = 0.9, .gap = 0.54};
  for (auto _ : bench) {
    o.M = 0.6 + 1e-40 * risk.slopes(o).twice_Q;
    benchmark::DoNotOptimize(o);
  }
  constexpr int repetitions = 100'000;
  const auto ours = [&] { o.M = 0.6 + 1e-40 * risk.slopes(o).twice_Q; };
  const auto by_kernels = [&] {
    const pair_moments self =
        risk.self_kernel().moments(pair_covariance::diagonal(o.Q), moment_set::gradient);
    const pair_moments cross =
        risk.cross_kernel().moments({o.Q, 1.0, o.M, o.gap}, moment_set::gradient);
    o.M = 0.6 + 1e-40 * (self.e11 + self.e20 - cross.e20);
  };
  bench.counters["ratio_kernels"] =
      seconds_of(by_kernels, repetitions) / seconds_of(ours, repetitions);
  benchmark::DoNotOptimize(o);
}

void escape_time(benchmark::State& bench, const std::string& name, double mu, run_extent extent) {
  const activation a = parse_activation(name);
  const learning_task task(a, a);
  const lora_parameters p{.alignment = mu};
  const flow f(task, p);
  const outcome_classifier classifier(task);
  integration_options options;
  options.relative_tolerance = tolerance;
  const auto ours = [&] {
    return escape(f, default_start, {.at = level}, options, classifier, extent);
  };
  for (auto _ : bench) {
    benchmark::DoNotOptimize(ours());
  }
  if (extent == run_extent::to_event) {
    const double time = seconds_of(ours, 20);
    const double tau = ours().tau;
    const auto same_rhs = [&f](const state& x, state& dxdt, double) {
      dxdt = f.velocity(overlap_state::unpack(x)).pack();
    };
    bench.counters["ratio_plain_dopri5"] =
        seconds_of(
            [&] { benchmark::DoNotOptimize(plain_hit(same_rhs, default_start, 1e-4 * tau)); }, 10) /
        time;
    const quadrature_flow script(a, a, p);
    bench.counters["ratio_script"] =
        seconds_of([&] { benchmark::DoNotOptimize(plain_hit(script, default_start, 1e-4 * tau)); },
                   1) /
        time;
  }
}

// 97 alignments to their rests in one thread, preparation included, as a multiple of erf's.
double seconds_of_escapes(const std::string& name, double gamma, std::size_t& unknown) {
  const auto start = std::chrono::steady_clock::now();
  const activation a = parse_activation(name);
  const learning_task task(a, a);
  const outcome_classifier classifier(task);
  unknown = 0;
  for (int i = 0; i < 97; ++i) {
    const flow f(task, {.alignment = 0.02 + 0.01 * i, .noise_scale = gamma});
    const escape_run r = escape(f, default_start, {.at = level}, {}, classifier);
    unknown += r.status != run_status::ok;
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void escapes(benchmark::State& bench, const std::string& name, double gamma) {
  std::size_t unknown = 0;
  double seconds = 0.0;
  for (auto _ : bench) {
    seconds = seconds_of_escapes(name, gamma, unknown);
  }
  std::size_t of_erf = 0;
  seconds_of_escapes("erf", gamma, of_erf);
  bench.counters["ratio_erf"] = seconds / seconds_of_escapes("erf", gamma, of_erf);
  bench.counters["not_ok"] = static_cast<double>(unknown);
}

// The error of an event's time against its cost: ours, a plain dopri5 over our right-hand side, and
// the same over a 40 × 40 Gauss-Hermite rule.
enum class method { ours, plain, script };

void work_precision(benchmark::State& bench, const std::string& name, method how,
                    double relative_tolerance) {
  const activation a = parse_activation(name);
  const learning_task task(a, a);
  const lora_parameters p{.alignment = 0.5};
  const flow f(task, p);
  const outcome_classifier classifier(task);
  const auto ours = [&](double allowed) {
    integration_options options;
    options.relative_tolerance = allowed;
    return escape(f, default_start, {.at = level}, options, classifier, run_extent::to_event);
  };
  const escape_run exact = ours(1e-13);
  const auto same_rhs = [&f](const state& x, state& dxdt, double) {
    dxdt = f.velocity(overlap_state::unpack(x)).pack();
  };
  const quadrature_flow script(a, a, p);
  double hit = 0.0;
  for (auto _ : bench) {
    hit = how == method::ours ? ours(relative_tolerance).t_hit
          : how == method::plain
              ? plain_hit(same_rhs, default_start, 1e-4 * exact.tau, relative_tolerance)
              : plain_hit(script, default_start, 1e-4 * exact.tau, relative_tolerance);
    benchmark::DoNotOptimize(hit);
  }
  bench.counters["error"] = std::abs(hit / exact.t_hit - 1.0);
}

// The slowest point of the curves of the search phase's figure, to rest.
void slowest_point(benchmark::State& bench) {
  double slowest = 0.0;
  for (auto _ : bench) {
    for (const char* name :
         {"linear", "erf", "relu", "he2", "he3", "he5", "he6", "he7", "he9", "he10", "he14"}) {
      const activation a = parse_activation(name);
      const learning_task task(a, a);
      const outcome_classifier classifier(task);
      benchmark::DoNotOptimize(classifier.critical_points());
      for (int i = 0; i < 97; ++i) {
        const flow f(task, {.alignment = 0.03 + 0.01 * i});
        slowest = std::max(slowest, seconds_of(
                                        [&] {
                                          benchmark::DoNotOptimize(escape(
                                              f, default_start, {.at = level}, {}, classifier));
                                        },
                                        1));
      }
    }
  }
  bench.counters["slowest_ms"] = 1e3 * slowest;
}

const int registered = [] {
  for (const char* name : {"linear",    "erf",          "relu",   "he2",       "he3",
                           "he10",      "erf+0.1*he3",  "tanh",   "sigmoid",   "softplus",
                           "gelu",      "silu",         "sin",    "cos",       "relu^2",
                           "relu^3",    "max(x,0.1*x)", "abs(x)", "relu(x-1)", "min(max(x,-1),1)",
                           "relu*tanh", "erf*relu"}) {
    for (const double gamma : {0.0, 1.0}) {
      const std::string place = std::string(name) + (gamma > 0.0 ? "/gamma=1" : "/gamma=0");
      benchmark::RegisterBenchmark(("right_hand_side/" + place).c_str(), right_hand_side, name,
                                   gamma);
      if (std::string(name) != "linear") {
        benchmark::RegisterBenchmark(("escapes/" + place).c_str(), escapes, name, gamma)
            ->Iterations(1)
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
  for (const char* name : {"erf", "he3", "tanh"}) {
    for (const auto& [how, label] : {std::pair(method::ours, "loradyn"),
                                     {method::plain, "dopri5"},
                                     {method::script, "script"}}) {
      for (int digits = 4; digits <= 12; ++digits) {
        benchmark::RegisterBenchmark(
            ("work_precision/" + std::string(name) + "/" + label + "/1e-" + std::to_string(digits))
                .c_str(),
            work_precision, name, how, std::pow(10.0, -digits))
            ->Unit(benchmark::kMicrosecond)
            ->MinTime(0.02);
      }
    }
  }
  for (const char* name : {"linear", "he3", "he3-0.4*he5", "he2+he3", "he10", "he20"}) {
    benchmark::RegisterBenchmark(("polynomial_gradient/" + std::string(name)).c_str(),
                                 polynomial_gradient, name);
  }
  for (const char* name : {"linear", "erf", "relu", "he2", "he3", "he6", "he10"}) {
    for (const double mu : {0.2, 0.5, 0.8}) {
      const std::string place = std::string(name) + "/mu=" + std::to_string(mu).substr(0, 3);
      benchmark::RegisterBenchmark(("escape/" + place).c_str(), escape_time, name, mu,
                                   run_extent::to_event)
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark(("escape_to_rest/" + place).c_str(), escape_time, name, mu,
                                   run_extent::to_rest)
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::RegisterBenchmark("slowest_point_of_the_curves", slowest_point)
      ->Iterations(1)
      ->Unit(benchmark::kMillisecond);
  return 0;
}();

}  // namespace
