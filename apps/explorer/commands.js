// What reproduces a picture: the program's command line, and Python.

const brace_pattern = /\{([A-Za-z_][A-Za-z_0-9]*)\}/g;
const braces_in = (state) => [...new Set([...`${state.student} ${state.teacher}`.matchAll(brace_pattern)].map((m) => m[1]))];
// he{k} takes a whole number there, everything else a bracket.
const with_braces = (text, state, axes = []) => text.replace(brace_pattern, (whole, name, at) => {
  if (axes.includes(name)) { return whole; }
  const value = state[whole] ?? 0;
  return /he$/.test(text.slice(0, at)) ? String(value) : `(${value})`;
});

const problem_of = (state, axes) => ({ student: with_braces(state.student, state, axes), teacher: with_braces(state.teacher, state, axes) });

// The event counts the sign of m or M; the risk has none.
const signed_event = (state) => Boolean(state.signed) && state.event !== "risk";

const axis_text = (state, axis) => `${state[axis]}=${state[`${axis}-log`] ? "log:" : ""}${state[`${axis}-lo`]}:${state[`${axis}-hi`]}:${state.cells}`;
const tau_points = 197;
const all_of_model = ["mu", "nu", "gamma", "noise", "lr-ratio"];

// The options of a question, in order: [name, value], where they are not the standard ones.
function options_of(state) {
  const options = [];
  const give = (name, value, standard) => {
    if (value !== standard) { options.push([name, value]); }
    return self;
  };
  const self = {
    options, give,
    model(names = all_of_model) { names.forEach((name) => give(name, state[name], name === "mu" ? undefined : standard_state[name])); return self; },
    start() { ["u0", "m0", "s0"].forEach((name) => give(name, state[name], standard_state[name])); return self; },
    event() { return give("event", state.event, "m").give("at", state.at, state.event === "m" ? 0.5 : undefined).give("signed", signed_event(state), false); },
    unit() { return give("time-unit", state.unit, "raw"); },
  };
  return self;
}

// For each picture: the command, its pair, its options.
function call_of(picture, state, facts) {
  const o = options_of(state);
  let command = "";
  let pair = problem_of(state);
  if (picture === "tau") {
    command = "rates";
    o.give("mu", { lo: state["mu-lo"], hi: state["mu-hi"], n: tau_points }).model(["nu", "lr-ratio"]).unit();
  } else if (picture === "plane") {
    command = "fixed-points";
    o.model().start().unit();
  } else if (picture === "time") {
    command = "trajectory";
    o.model().give("t-end", facts.t_end).start().unit();
  } else if (picture === "network") {
    const all = ["full", "scratch"].includes(state.train);
    command = "trajectory";
    o.model().give("width", state.width).give("teacher-width", state["teacher-width"], 1)
      .give("off-target", Math.min(state["off-target"], state.width), state.width)
      .give("rank", state.train === "lora" ? state.rank : 1, 1).give("readout", state.readout, "sum")
      .give("adapter", all ? "sphere" : state.adapter, "sphere").give("train", state.train, "lora")
      .give("u0", state.u0, standard_state.u0).give("dim", state.dim, 1000).give("seed", state.seed, 0);
    if (state["net-lr"] > 0) { o.give("method", "map").give("lr", state["net-lr"]); }
    o.give("t-end", facts.network_end).give("points", state["net-log"] ? "log:200" : "", "").unit();
  } else if (picture === "run") {
    command = "escape";
    o.model().event().start().unit();
  } else if (picture === "law") {
    if (facts.chain) {
      command = "simulate";
      o.model(["mu", "nu", "noise", "lr-ratio"]).give("dim", state.dim).give("batch", state.batch).give("lr", facts.chain.lr).give("steps", facts.chain.steps)
        .give("event", state.event).give("at", state.at).give("signed", signed_event(state), false).give("runs", facts.chain.runs).unit();
    } else {
      command = "escape";
      o.model().event().start().give("dim", state.dim).unit();
    }
  } else {
    command = "phase";
    pair = problem_of(state, [state.x, state.y]);
    o.give("x", axis_text(state, "x")).give("y", axis_text(state, "y"));
    [...all_of_model, "u0", "m0", "s0"].filter((name) => name !== state.x && name !== state.y)
      .forEach((name) => o.give(name, state[name], name === "mu" ? undefined : standard_state[name]));
    o.event().unit();
  }
  return { command, pair, options: o.options };
}

const quoted = (text) => (/^[A-Za-z0-9_.:=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function command_of(picture, state, facts) {
  const { command, pair, options } = call_of(picture, state, facts);
  const words = ["loradyn", command, "--student", quoted(pair.student)];
  if (pair.teacher !== "") {
    words.push("--teacher", quoted(pair.teacher));
  }
  for (const [name, value] of options) {
    words.push(`--${name}`);
    if (value !== true) { words.push(typeof value === "object" ? `${value.lo}:${value.hi}:${value.n}` : quoted(String(value))); }
  }
  words.push("-o", `${picture}.csv`, "--plot", `${picture}.svg`);
  return words.join(" ");
}

// A call of the module: loradyn's function or class, and what it is given.
function python_call(name, pair, options) {
  const text = (value) => (value === true ? "True" : typeof value === "string" ? JSON.stringify(value) : String(value));
  const given = [text(pair.student), ...(pair.teacher !== "" ? [`teacher=${text(pair.teacher)}`] : [])];
  for (const [key, value] of options) {
    given.push(`${key.replaceAll("-", "_")}=${typeof value !== "object" ? text(value)
      : value.n ? `np.linspace(${value.lo}, ${value.hi}, ${value.n}).round(12)` : `(${value.lo}, ${value.hi})`}`);
  }
  return `ld.${name.replaceAll("-", "_")}(${given.join(", ")})`;
}

// The table of a picture as r, and the picture.
function python_of(picture, state, facts) {
  const { command, pair, options } = call_of(picture, state, facts);
  const call = (name, o) => python_call(name, pair, o.options);
  const of = () => options_of(state);
  const lines = [`r = ${python_call(command, pair, options)}`];
  let axes = "";
  if (picture === "tau") {
    const range = of().give("mu", { lo: state["mu-lo"], hi: state["mu-hi"] }).model(["nu", "lr-ratio"]).unit();
    lines.push("ax = r.plot()", `for mu_c in ${call("critical", range)}.mu_c:`, "    ax.axvline(mu_c, linestyle=\":\")", `ax.axvline(${state.mu})`);
  } else if (picture === "time") {
    lines.push("ax = r.plot()", `ax.axvline(${call("escape", of().model().event().start().unit())}.t_hit, linestyle=":")`);
  } else if (picture === "run") {
    lines.push("print(r)");
  } else if (picture === "plane") {
    // The equilibria have no start: it is that of the run.
    lines[0] = `r = ${call(command, of().model().unit())}`;
    lines.push(`run = ${call("trajectory", of().model().give("t-end", facts.path_end).give("points", "log:1000").start().unit())}`,
      `flow = ${call("Flow", of().model().unit())}`,
      `top = (1 - (${state.s0}) ** 2) ** 0.5`,
      `u, m = np.meshgrid(np.linspace(-${facts.reach}, ${facts.reach}, 201), np.linspace(-top, top, 201))`,
      `v = flow.velocity(np.stack([u, m, np.full_like(u, ${state.s0})], axis=-1))`,
      "ax.streamplot(u, m, v[..., 0], v[..., 1], color=\"0.7\", linewidth=0.7)",
      "ax.contour(u, m, v[..., 0], [0], colors=\"C3\")", "ax.contour(u, m, v[..., 1], [0], colors=\"C4\")",
      "ax.plot(run.u, run.m)",
      "for kind in np.unique(r.kind):",
      "    here = r.kind == kind",
      "    ax.plot([*r.u[here], *-r.u[here]], [*r.m[here], *-r.m[here]], \"o\", label=kind)",
      "ax.legend()");
    axes = 'xlabel="u", ylabel="m"';
  } else if (picture === "law") {
    lines.push(`law = ${call("EscapeLaw", of().model().event().give("dim", state.dim).unit())}`,
      "t = np.linspace(*law.ppf([1e-4, 0.999]), 201)",
      "ax.plot(t, law.pdf(t))", facts.chain ? "r.plot(ax)" : "print(r)");
    axes = 'xlabel="t at the event", ylabel="density"';
  } else {
    lines.push("ax = r.plot()");
  }
  if (axes) { lines.splice(1, 0, `ax = plt.figure().add_subplot(${axes})`); }
  const head = ["import loradyn as ld", ...(axes ? ["import matplotlib.pyplot as plt"] : []), ...(lines.some((line) => line.includes("np.")) ? ["import numpy as np"] : [])];
  return `${head.join("\n")}\n\n${lines.join("\n")}\n`;
}
