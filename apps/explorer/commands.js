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

const axis_text = (name, lo, hi, n) => `${name}=${lo}:${hi}:${n}`;
const tau_points = 197;

// For each picture: the command, its options in order, those of Python's function where they are other.
function call_of(picture, state, facts) {
  const options = [];
  const give = (name, value, standard) => {
    if (value !== standard) {
      options.push([name, value]);
    }
  };
  const model = (names) => names.forEach((name) => give(name, state[name], name === "mu" ? undefined : standard_state[name]));
  const start = () => ["u0", "m0", "s0"].forEach((name) => give(name, state[name], standard_state[name]));
  const event = () => { give("event", state.event, "m"); give("at", state.at, state.event === "m" ? 0.5 : undefined); };
  const unit = () => give("time-unit", state.unit, "raw");
  const all = ["mu", "nu", "gamma", "noise", "lr-ratio"];
  let command = "";
  let pair = problem_of(state);
  if (picture === "tau") {
    command = "rates";
    options.push(["mu", { lo: state["mu-lo"], hi: state["mu-hi"], n: tau_points }]);
    model(["nu", "lr-ratio"]); unit();
  } else if (picture === "plane") {
    command = "fixed-points";
    model(all); start(); unit();
  } else if (picture === "time") {
    command = "trajectory";
    model(all); give("t-end", facts.t_end); start(); unit();
  } else if (picture === "run") {
    command = "escape";
    model(all); event(); start(); unit();
  } else if (picture === "law") {
    if (facts.chain) {
      command = "simulate";
      model(["mu", "nu", "noise", "lr-ratio"]);
      give("dim", state.dim); give("batch", state.batch); give("lr", facts.chain.lr); give("steps", facts.chain.steps);
      give("event", state.event); give("at", state.at); give("runs", facts.chain.runs); unit();
    } else {
      command = "escape";
      model(all); event(); start(); give("dim", state.dim); unit();
    }
  } else {
    command = "phase";
    pair = problem_of(state, [state.x, state.y]);
    options.push(["x", axis_text(state.x, state["x-lo"], state["x-hi"], state.cells)]);
    options.push(["y", axis_text(state.y, state["y-lo"], state["y-hi"], state.cells)]);
    [...all, "u0", "m0", "s0"].filter((name) => name !== state.x && name !== state.y)
      .forEach((name) => give(name, state[name], name === "mu" ? undefined : standard_state[name]));
    event(); unit();
  }
  return { command, pair, options };
}

const quoted = (text) => (/^[A-Za-z0-9_.:=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function command_of(picture, state, facts) {
  const { command, pair, options } = call_of(picture, state, facts);
  const words = ["loradyn", command, "--student", quoted(pair.student)];
  if (pair.teacher !== "") {
    words.push("--teacher", quoted(pair.teacher));
  }
  for (const [name, value] of options) {
    words.push(`--${name}`, typeof value === "object" ? `${value.lo}:${value.hi}:${value.n}` : quoted(String(value)));
  }
  words.push("-o", `${picture}.csv`, "--plot", `${picture}.svg`);
  return words.join(" ");
}

function python_of(picture, state, facts) {
  const { command, pair, options } = call_of(picture, state, facts);
  const text = (value) => (typeof value === "string" ? JSON.stringify(value) : String(value));
  const given = [text(pair.student)];
  if (pair.teacher !== "") {
    given.push(`teacher=${text(pair.teacher)}`);
  }
  let numpy = "";
  for (const [name, value] of options) {
    // The equilibria have no start: it is of the run in the program's picture.
    if (picture === "plane" && ["u0", "m0", "s0"].includes(name)) { continue; }
    if (typeof value === "object") {
      numpy = "import numpy as np\n";
      given.push(`${name}=np.linspace(${value.lo}, ${value.hi}, ${value.n}).round(12)`);
    } else {
      given.push(`${name.replaceAll("-", "_")}=${text(value)}`);
    }
  }
  return `${numpy}import loradyn as ld\n\nr = ld.${command.replaceAll("-", "_")}(${given.join(", ")})\nr.plot()\n`;
}
