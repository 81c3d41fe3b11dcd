// The page: its state, what is asked of the library, and where the answers are shown.

const state = { ...standard_state };
const facts = {};  // what the answers say that commands need: t_end, chain
const shown = {};  // by picture: its table as {columns: {name: values}}
let ready = false;

// ---- the library, in workers ----

class library {
  constructor(source, wasm) {
    this.source = source;
    this.wasm = wasm;
    this.waiting = new Map();
    this.next = 1;
    this.start();
  }

  start() {
    this.worker = new Worker(this.source);
    this.ready = new Promise((resolve, reject) => {
      this.worker.onerror = (e) => reject(new Error(e.message));
      this.worker.onmessage = ({ data }) => {
        if (data.ready) { resolve(); return; }
        if (data.failed) { reject(new Error(data.failed)); return; }
        const done = this.waiting.get(data.id);
        this.waiting.delete(data.id);
        if (data.broken) { this.restart(); }
        done?.(data.answer, data.ms);
      };
    });
    this.worker.postMessage({ wasm: this.wasm });
  }

  // What it was asked is dropped.
  restart() {
    this.worker.terminate();
    for (const done of this.waiting.values()) { done({ error: "stopped", stopped: true }, 0); }
    this.waiting.clear();
    this.start();
  }

  ask(question, given) {
    const lines = [`ask=${question}`, ...Object.entries(given).map(([k, v]) => `${k}=${v}`)];
    const request = lines.join("\n");
    return this.ready.then(() => new Promise((resolve) => {
      const id = this.next++;
      this.waiting.set(id, (answer, ms) => { timing[question] = ms; asked[question] = request; resolve(answer); });
      this.worker.postMessage({ id, request });
    }));
  }
}

const timing = {};
const asked = {};  // by question the last request that was answered
let live; let mapper; let simulator; let networker;

// ---- what is asked ----

const model_names = ["mu", "nu", "gamma", "noise", "lr-ratio"];
const start_names = ["u0", "m0", "s0"];

function given(names, more = {}) {
  const pair = { student: state.student };
  if (state.teacher !== "") { pair.teacher = state.teacher; }
  for (const name of braces_in(state)) { pair[`{${name}}`] = state[`{${name}}`] ?? 0; }
  return { ...pair, unit: state.unit, ...Object.fromEntries(names.map((n) => [n, state[n]])), ...more };
}

const event_of = () => ({ event: state.event, at: state.at, signed: signed_event(state) ? 1 : 0 });

// An answer that was asked for before with the same words is kept.
const kept = new Map();
async function ask_once(place, question, request) {
  const key = JSON.stringify([question, request]);
  const old = kept.get(place);
  if (old?.key === key) { return old.answer; }
  const answer = await live.ask(question, request);
  if (!answer.stopped) { kept.set(place, { key, answer }); }
  return answer;
}

function alignments() {
  const lo = state["mu-lo"]; const hi = state["mu-hi"];
  return Array.from({ length: tau_points }, (unused, i) => between(lo, hi, i / (tau_points - 1)));
}

// A point of a range, to the last bit that of the program's: the decimal of 12 digits where it is within 2 ulp. Of a
// logarithmic one the last bit is another's exp.
function between(lo, hi, t, log = false) {
  if (t <= 0) { return lo; }
  if (t >= 1) { return hi; }
  if (log) { return Math.min(hi, Math.max(lo, Math.exp((1 - t) * Math.log(lo) + t * Math.log(hi)))); }
  const value = (1 - t) * lo + t * hi;
  const decimal = Number(value.toPrecision(12));
  const near = Math.abs(decimal - value) <= 2 * Number.EPSILON * Math.abs(Math.max(-lo, hi)) ? decimal : value;
  return Math.min(hi, Math.max(lo, near));
}

// Two digits, upwards: an end time that can be read.
function round_up(value) {
  const power = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / power - 1e-9) * power).toPrecision(3));
}

// ---- updating: the latest state wins ----

let wanted = 0;
let running = false;
let first_picture = 0;

function update() {
  wanted += 1;
  drop_chain();
  clearTimeout(map_timer);
  delete document.documentElement.dataset.network;
  delete shown.network;
  document.documentElement.dataset.wanted = String(wanted);
  write_hash();
  if (!running && ready) { run_updates(); }
}

async function run_updates() {
  running = true;
  let done;
  do {
    done = wanted;
    const stale = () => wanted !== done;
    try {
      await update_once(stale);
    } catch (fault) {
      toast(`The library stopped: ${fault.message}`);
      console.error(fault);
    }
  } while (wanted !== done);
  running = false;
  document.documentElement.dataset.settled = String(done);
}

async function update_once(stale) {
  const pair = await ask_once("pair", "pair", given([]));
  show_fault(pair);
  if (pair.error) { return; }
  // All that does not wait for another answer is asked at once: the library works while the page draws.
  const asked_path = ask_once("path", "path", given([...model_names, ...start_names]));
  const [rates, curve, run] = await Promise.all([
    ask_once("rates", "rates", given(["mu", "nu", "lr-ratio"])),
    ask_once("curve", "curve", given(["nu", "lr-ratio"], { mus: alignments().join(",") })),
    ask_once("run", "run", given([...model_names, ...start_names], event_of())),
  ]);
  const path = await asked_path;
  if ([run, rates, curve, path].some(refused)) { return; }
  const end = path.t.at(-1);
  facts.path_end = end > 0 ? Number(end.toPrecision(6)) : 1;
  facts.t_end = round_up(run.t_hit > 0 ? Math.max(1.5 * run.t_hit, Math.min(end, 4 * run.t_hit)) : Math.max(end || 0, 1));
  const asked_time = ask_once("time", "trajectory", given([...model_names, ...start_names], { "t-end": facts.t_end, points: 201 }));
  const asked_plane = update_plane(path);
  show_tau(curve, rates);
  show_numbers(rates, run);
  const time = await asked_time;
  if (!time.error) { show_time(time, run); }
  await asked_plane;
  timing.drawn_at = performance.now();
  if (first_picture === 0) {
    first_picture = performance.now();
    document.documentElement.dataset.first = String(Math.round(first_picture));
  }
  if (stale()) { return; }
  const roots = await ask_once("critical", "critical", given(["nu", "lr-ratio"], { lo: state["mu-lo"], hi: state["mu-hi"] }));
  show_tau(curve, rates, roots.error ? [] : roots);
  if (stale()) { return; }
  const rests = state["lr-ratio"] > 0 ? await ask_once("rests", "fixed-points", given(model_names)) : [];
  equilibria = rests.error ? [] : rests;
  await update_plane(path);
  if (stale()) { return; }
  show_law(signed_event(state) && state.event === "m"
    ? { error: "m with its sign has no law: half of the random starts lead to the other sign." }
    : await ask_once("law", "law", given([...model_names, ...start_names], { ...event_of(), dim: state.dim })));
  // Not while a slider moves: the map begins anew each time.
  clearTimeout(map_timer);
  const quiet = 150;
  map_timer = setTimeout(() => { update_map(); update_network(); }, map ? quiet : 0);
}
let map_timer;

let equilibria = [];

// A parameter out of its range, or an average that does not converge: told where the numbers were.
function refused(answer) {
  if (answer.error && !answer.stopped) {
    const box = document.createElement("dd");
    box.className = "words fault";
    box.textContent = answer.error;
    element("numbers").replaceChildren(box);
    delete shown.run;
  }
  return Boolean(answer.error);
}

function show_fault(answer) {
  for (const which of ["student", "teacher"]) {
    const box = element(`${which}-fault`);
    const mine = answer.error && (answer.parameter ?? "student") === which;
    box.hidden = !mine;
    element(which).setAttribute("aria-invalid", mine ? "true" : "false");
    if (mine) {
      box.textContent = answer.column
        ? `${state[which] || state.student}\n${" ".repeat(Math.max(0, answer.column - 1))}^\n${answer.error}` : answer.error;
    }
  }
  if (answer.error && answer.parameter && !["student", "teacher"].includes(answer.parameter)) { toast(answer.error); }
}

// ---- the numbers ----

const equation = (where) => `<a href="#theory" data-equation="${where}">${where.replace(/^## (\d+)\.$/, "section $1")}</a>`;

function show_numbers(rates, run) {
  const reached = state.event === "risk" ? "R" : signed_event(state) ? state.event : `|${state.event}|`;
  const rows = [
    ["A", rates.A, 12, "E[(g(z) − σ(λ)) σ'(λ) z], the drive", "(4.2)"],
    ["B", rates.B, 12, "−E[σ'(λ)²] + E[(g(z) − σ(λ)) σ''(λ)]", "(4.2)"],
    ["C", rates.C, 12, "νB, the drive along ξ", "(4.1)"],
    ["λ₊", rates.lambda, 12, "½ (κB + √(κ²B² + 4κ(A² + C²)))", "(4.3)"],
    ["τ", rates.tau, 12, "1/λ₊, the search time", "(4.3)"],
    ["t", run.t_hit, 12, `the first time that ${reached} reaches ${short(state.at)}`, "## 9."],
    ["M", run.M_end, 10, "μ + u m at the end", "## 8."],
    ["R", run.risk_end, 10, "½ E[(σ(λ) − g(λ*))²] + ½ Δ at the end", "## 2."],
  ];
  element("numbers").innerHTML = rows.map(([name, value, digits, words, where]) =>
    `<dt>${name}</dt><dd><b>${short(value, digits)}</b><br><span>${words} ${equation(where)}</span></dd>`).join("") +
    [search_words[rates.status] ?? rates.status, outcome_words[run.outcome], run_words[run.status] ?? run.status]
      .filter((w) => w).map((w) => `<dd class="words">${w}</dd>`).join("");
  shown.run = { columns: { ...Object.fromEntries(model_names.map((n) => [n, [state[n]]])), A: [rates.A], B: [rates.B], C: [rates.C], lambda: [rates.lambda], tau: [rates.tau],
    t_hit: [run.t_hit], u_hit: [run.at_hit[0]], m_hit: [run.at_hit[1]], s_hit: [run.at_hit[2]], u_end: [run.at_end[0]], m_end: [run.at_end[1]], s_end: [run.at_end[2]],
    M_end: [run.M_end], risk_end: [run.risk_end], outcome: [run.outcome], status: [run.status] } };
}

// ---- pictures of lines ----

const charts = {};

function show_tau(curve, rates, roots = kept_roots) {
  kept_roots = roots;
  const mus = alignments();
  const marks = roots.filter((r) => r.mu_c !== null).map((r) => ({ x: r.mu_c, colour: "c4", dash: [4, 4] }));
  marks.push({ x: state.mu, colour: "c2" });
  charts.tau.show({ series: [{ label: "τ", colour: "c1" }], x: "μ, pre-training alignment", y: "τ", log: true, marks },
    [mus, curve.tau.map((v) => (v > 0 ? v : null))]);
  const found = roots.filter((r) => r.mu_c !== null).map((r) => `μ_c = ${short(r.mu_c, 8)} (${critical_words[r.status]})`);
  element("tau-words").textContent = `τ(${short(state.mu)}) = ${short(rates.tau)}. ` +
    (found.length ? `Critical alignment${found.length > 1 ? "s" : ""}: ${found.join(", ")}.` : "No critical alignment in the range.");
  shown.tau = { columns: { mu: mus, A: curve.A, tau: curve.tau } };
}
let kept_roots = [];

function show_time(time, run) {
  const marks = run.t_hit > 0 ? [{ x: run.t_hit, colour: "c2", dash: [4, 4] }] : [];
  charts.time.show({
    series: [{ label: "u", colour: "c1" }, { label: "m", colour: "c2" }, { label: "s", colour: "c5", dash: [2, 3] }, { label: "M", colour: "c3", dash: [8, 3] }, { label: "risk", colour: "c4", scale: "y2", dash: [5, 2, 1, 2] }],
    x: "t", y: "overlaps", y2: "risk", marks,
  }, [time.t, time.u, time.m, time.s, time.M, time.risk]);
  element("time-words").textContent = run.t_hit > 0
    ? `The event comes at t = ${short(run.t_hit)} (dashed). ${time.complete ? "" : run_words[time.status] ?? time.status}`
    : `The event does not come. ${run_words[run.status] ?? run.status}`;
  shown.time = { columns: { t: time.t, u: time.u, m: time.m, s: time.s, M: time.M, Q: time.Q, risk: time.risk } };
}

const chain = { times: [], on: false, key: "" };

function show_law(law = kept_law) {
  kept_law = law;
  const words = element("law-words");
  if (!law || law.error) {
    words.textContent = law?.error ?? "";
    delete shown.law;
    charts.law.show({ series: [{ label: "density by the law", colour: "c1" }], x: "t at the event", y: "density" }, [[0, 1], [null, null]]);
    return;
  }
  const density = law.t.length ? law : { t: [0, 1], density: [null, null] };
  const series = [{ label: "density by the law", colour: "c1" }];
  const data = [density.t, density.density];
  const spec = { series, x: "t at the event", y: "density", ticks: chain.times };
  const lo = density.t[0]; const hi = density.t.at(-1);
  if (law.t.length && chain.times.length >= 10) {
    // The runs' own density, in bins of the law's range.
    const bins = 24;
    const counts = new Array(bins).fill(0);
    chain.times.forEach((t) => { const k = Math.floor(((t - lo) / (hi - lo)) * bins); if (k >= 0 && k < bins) { counts[k] += 1; } });
    const w = (hi - lo) / bins;
    series.push({ label: "simulated runs", colour: "c2" });
    data.push(density.t.map((t) => counts[Math.min(bins - 1, Math.floor(((t - lo) / (hi - lo)) * bins))] / (chain.times.length * w)));
  }
  charts.law.show(spec, data);
  const fault = law_words[law.status] ?? run_words[law.status] ?? law.status;
  words.textContent = law.t.length
    ? `Mean ${short(law.mean)}, from ${short(law.quantiles[0])} to ${short(law.quantiles[4])} in nine runs of ten, starts uniform on the sphere, u0 = 1/d². ${fault}`
    : fault;
  if (chain.times.length) { words.textContent += ` ${chain.times.length} simulated runs (ticks), ${chain.missed} without the event.`; }
  shown.law = facts.chain ? { columns: { run: chain.all.map((t, i) => i), t_hit: chain.all } } : { columns: { t: law.t, density: law.density } };
}
let kept_law;

// ---- two layers ----

const network_names = ["width", "teacher-width", "off-target", "rank", "adapter", "train", "readout", "dim", "seed"];
let network; let network_asked = { key: "" };

async function update_network() {
  const mine = wanted;
  const request = given([...model_names, "u0", ...network_names], { lr: state["net-lr"], "t-end": state["net-end"], points: state["net-log"] ? 200 : 201 });
  request["off-target"] = Math.min(request["off-target"], request.width);
  if (["full", "scratch"].includes(request.train)) { request.adapter = "free"; }
  if (state["net-log"]) { request.log = 1; }
  const key = JSON.stringify(request);
  if (key !== network_asked.key) {
    networker ??= new library(live.source, live.wasm);
    // A run that is under way is given up with its worker.
    if (networker.waiting.size > 0) { networker.restart(); }
    element("network-words").textContent = "Computing …";
    network_asked = { key, answer: networker.ask("network", request) };
  }
  const answer = await network_asked.answer;
  // Of an older state: what is copied would be another's.
  if (mine !== wanted) { return; }
  network = { ...answer, request };
  show_network();
  document.documentElement.dataset.network = String(mine);
}

// The entry of a matrix, whose rows and columns are counted from 0, at each time.
const entry = (name, columns, i, j) => {
  const each = network[name].length / network.t.length;
  return network.t.map((unused, k) => network[name][k * each + (name === "S" ? (i * (i + 1)) / 2 + j : i * columns + j)]);
};

const mean_of = (columns, f = (v) => v) => columns[0].map((unused, k) => columns.reduce((sum, c) => sum + f(c[k]), 0) / columns.length);

function show_network() {
  const words = element("network-words");
  if (network.error) {
    words.textContent = network.error;
    return;
  }
  const { width, "teacher-width": targets, train } = network.request;
  const rank = train === "lora" ? network.request.rank : width;
  const columns = { t: network.t, samples: network.samples, risk: network.risk, M_mean: network.M_mean };
  const counted = (n) => Array.from({ length: n }, (unused, i) => i);
  const add = (name, rows, count) => counted(rows).forEach((i) => counted(count(i)).forEach((j) => { columns[`${name}_${i + 1}_${j + 1}`] = entry(name, count(i), i, j); }));
  add("U", width, () => rank); add("M", width, () => targets); add("m", rank, () => targets); add("S", rank, (i) => i + 1);
  shown.network = { columns };
  facts.network_end = network.t_end;

  const own = counted(width).map((j) => `M_${j + 1}_${(j % targets) + 1}`);
  const named = (start) => Object.keys(columns).filter((n) => n.startsWith(start));
  const lines = state["net-show"] === "M" ? own.map((n) => [n, columns[n]])
    : state["net-show"] !== "means" ? named(`${state["net-show"]}_`).map((n) => [n, columns[n]])
    : [["mean |m|", mean_of(named("m_").map((n) => columns[n]), Math.abs)], ["mean |U|", mean_of(named("U_").map((n) => columns[n]), Math.abs)],
      ["mean U m", mean_of(counted(width).flatMap((j) => counted(rank).map((a) => columns[`U_${j + 1}_${a + 1}`].map((v, k) => v * columns[`m_${a + 1}_${(j % targets) + 1}`][k]))))],
      [`mean M of the first ${Math.min(rank, width)}`, mean_of(own.slice(0, rank).map((n) => columns[n]))]];
  const most = 16;
  const colours = ["c1", "c2", "c3", "c5"];
  const dashes = [undefined, [8, 3], [2, 3], [8, 3, 2, 3]];
  const series = lines.slice(0, most).map(([label], i) => ({ label, colour: colours[i % 4], dash: dashes[Math.floor(i / 4)] }));
  series.push({ label: "risk", colour: "c4", scale: "y2", dash: [5, 2, 1, 2] });
  // A logarithmic axis has no place for t = 0, nor for a risk that is rounding.
  const from = state["net-log"] ? network.t.findIndex((t) => t > 0) : 0;
  const least = 1e-12 * network.risk[0];
  charts.network.show({ series, x: "t", y: "overlaps", y2: "risk", x_log: Boolean(state["net-log"]), y2_log: true },
    [network.t, ...lines.slice(0, most).map(([, v]) => v), network.risk.map((v) => (v > least ? v : null))].map((v) => v.slice(from)));

  const moved = (mode) => counted(width).filter((j) => Math.abs(mode.u[j]) > 0.1 * Math.max(...mode.u.map(Math.abs))).map((j) => j + 1).join(", ");
  const modes = network.modes.filter((mode) => mode.lambda > 0);
  const told = 4;
  words.textContent = [
    modes.length ? `Modes of the search: ${modes.slice(0, told).map((mode) => `τ = ${short(mode.tau)} (neurons ${moved(mode)})`).join("; ")}${modes.length > told ? " …" : ""}.` : mode_words[network.modes[0].status] ?? network.modes[0].status,
    `At t = ${short(network.t.at(-1))} the risk is ${short(network.risk.at(-1))}, from ${short(network.risk[0])}; the mean overlap with the own targets ${short(network.M_mean.at(-1))}.`,
    network.complete ? "" : run_words[network.status] ?? network.status,
    lines.length > most ? `${most} of ${lines.length} lines are shown, the table has all.` : "",
  ].filter((w) => w).join(" ");
}

const most_runs = 400;

async function simulate() {
  chain.on = !chain.on;
  element("chain").setAttribute("aria-pressed", String(chain.on));
  if (!chain.on) { return; }
  if (!(state.gamma > 0) || !kept_law?.t?.length) {
    chain.on = false;
    element("chain").setAttribute("aria-pressed", "false");
    toast(state.gamma > 0 ? "There is no law here to compare with." : "A simulation has noise: give γ > 0.");
    return;
  }
  const mine = chain_key();
  const lr = Number(((state.gamma * state.batch) / state.dim).toPrecision(12));
  const unit = kept.get("pair").answer.rate_unit;
  const steps = Math.ceil((3 * kept_law.t.at(-1)) / unit / lr);
  Object.assign(chain, { times: [], all: [], missed: 0, key: mine });
  const request = given(["mu", "nu", "noise", "lr-ratio"], { ...event_of(), dim: state.dim, batch: state.batch, lr, steps, seed: 0 });
  simulator ??= new library(live.source, live.wasm);
  for (let first = 0; first < most_runs && chain.on && mine === chain_key();) {
    const runs = first < 20 ? 1 : 10;
    const answer = await simulator.ask("chain", { ...request, first, runs });
    if (answer.error) { toast(answer.error); break; }
    if (mine !== chain_key()) { break; }
    chain.all.push(...answer.t_hit);
    chain.times = chain.all.filter((t) => t !== null);
    chain.missed = chain.all.length - chain.times.length;
    first += runs;
    facts.chain = { lr, steps, runs: first };
    show_law();
  }
  chain.on = false;
  element("chain").setAttribute("aria-pressed", "false");
}
const chain_key = () => JSON.stringify([given(model_names), event_of(), state.dim, state.batch]);
function drop_chain() {
  if (chain.key !== chain_key()) {
    Object.assign(chain, { times: [], all: [], missed: 0 });
    delete facts.chain;
  }
}

// ---- the plane ----

let plane_frame; let plane_shown;

async function update_plane(path) {
  if (path.error) { return; }
  let reach = 0.1;
  for (const e of equilibria) { reach = Math.max(reach, Number.isFinite(e.x[0]) ? 1.2 * Math.abs(e.x[0]) : 0); }
  for (const u of path.u) { reach = Math.max(reach, 1.1 * Math.abs(u ?? 0)); }
  if (dragging) { reach = Math.max(plane_shown?.plane.reach ?? 0, 1.02 * Math.abs(state.u0)); }
  // Round, so that the picture keeps its scale while a slider moves.
  const power = 10 ** Math.floor(Math.log10(reach));
  reach = Number(([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((k) => k * power >= reach * 0.9999) * power).toPrecision(3));
  const arrows = 19;
  const plane = await ask_once("plane", "plane", given([...model_names, "s0"], { reach, arrows }));
  if (plane.error) { return; }
  facts.reach = reach;
  plane_shown = { plane: { ...plane, reach, arrows }, path };
  draw_plane();
}

const rests_in_plane = () => equilibria.flatMap((e) => [e, { ...e, x: e.x.map((v) => -v), mirror: true }]);

function draw_plane() {
  if (!plane_shown) { return; }
  const canvas = element("plane-canvas");
  const { clientWidth: w, clientHeight: h } = canvas;
  plane_frame = paint_plane(canvas_painter(canvas, w, h), w, h, state, plane_shown.plane, plane_shown.path, rests_in_plane());
  const kinds = new Map();
  equilibria.forEach((e) => kinds.set(e.kind, (kinds.get(e.kind) ?? 0) + 1));
  const marks = { sink: "●", saddle: "◆", source: "○", neutral: "■" };
  element("plane-words").innerHTML = `Start u0 = ${short(state.u0, 3)}, m0 = ${short(state.m0, 3)}: drag it. ` +
    (kinds.size ? `With u ≥ 0: ${[...kinds].map(([k, n]) => `<b class="${k}">${marks[k]}</b> ${n} ${k}${n > 1 && k !== "neutral" ? "s" : ""}`).join(", ")}. ` : "") +
    `<b class="u-null">— u' = 0</b>, <b class="m-null">— m' = 0</b>.`;
  const table = { u: [], m: [], s: [], M: [], Q: [], risk: [], kind: [], eig1: [], eig1_im: [], eig2: [], eig2_im: [], eig3: [], eig3_im: [] };
  for (const e of equilibria) {
    table.u.push(e.x[0]); table.m.push(e.x[1]); table.s.push(e.x[2]); table.M.push(e.M); table.Q.push(e.Q); table.risk.push(e.risk); table.kind.push(e.kind);
    [0, 1, 2].forEach((k) => { table[`eig${k + 1}`].push(e.re[k]); table[`eig${k + 1}_im`].push(e.im[k]); });
  }
  shown.plane = { columns: table };
}

let dragging = false;

function set_start(u, m) {
  const top = Math.sqrt(Math.max(0, 1 - state.s0 * state.s0)) * 0.999;
  // A start on a line of the picture is one that can be read.
  state.u0 = Number(u.toPrecision(4));
  state.m0 = Number(Math.min(top, Math.max(-top, m)).toPrecision(4));
  show_inputs();
  draw_plane();
  update();
}

function watch_plane() {
  const canvas = element("plane-canvas");
  const hint = element("plane-hint");
  const at = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (e) => {
    if (!plane_frame) { return; }
    dragging = true;
    canvas.setPointerCapture(e.pointerId);
    const [x, y] = at(e);
    set_start(plane_frame.x_of(x), plane_frame.y_of(y));
  });
  canvas.addEventListener("pointermove", (e) => {
    const [x, y] = at(e);
    if (dragging) { hint.hidden = true; set_start(plane_frame.x_of(x), plane_frame.y_of(y)); return; }
    if (!plane_frame) { return; }
    const near = rests_in_plane().find((r) => Math.hypot(plane_frame.x_at(r.x[0]) - x, plane_frame.y_at(r.x[1]) - y) < 10);
    hint.hidden = !near;
    if (near) {
      hint.textContent = `${near.kind}${near.corner ? " (corner)" : ""} at u = ${short(near.x[0])}, m = ${short(near.x[1])}, s = ${short(near.x[2])}\nM = ${short(near.M)}, risk = ${short(near.risk)}\neigenvalues ${near.re.map((r, k) => short(r, 4) + (near.im[k] ? ` ${near.im[k] > 0 ? "+" : "−"} ${short(Math.abs(near.im[k]), 4)}i` : "")).join("; ")}`;
      place_hint(hint, canvas, x, y);
    }
  });
  const up = () => { if (dragging) { dragging = false; update(); } };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => { hint.hidden = true; });
  canvas.addEventListener("keydown", (e) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const move = moves[e.key];
    if (!move || !plane_shown) { return; }
    e.preventDefault();
    const step = e.shiftKey ? 0.002 : 0.02;
    set_start(state.u0 + move[0] * step * plane_shown.plane.reach, state.m0 + move[1] * step);
  });
  new ResizeObserver(draw_plane).observe(canvas);
}

function place_hint(hint, canvas, x, y) {
  const width = canvas.clientWidth;
  hint.style.left = `${x > width / 2 ? Math.max(0, x - 12 - hint.offsetWidth) : x + 12}px`;
  hint.style.top = `${y + 12}px`;
}

// ---- the map ----

let map; let map_key = ""; let map_frame;

const title_of = (name) => parameters.find((p) => p.name === name)?.title ?? name;

async function update_map() {
  const held = [...model_names, ...start_names].filter((n) => n !== state.x && n !== state.y);
  const request = given(held, event_of());
  delete request[`{${state.x}}`]; delete request[`{${state.y}}`];
  const n = state.cells;
  const key = JSON.stringify([request, n, ...["x", "y"].flatMap((axis) => [axis, `${axis}-lo`, `${axis}-hi`, `${axis}-log`].map((k) => state[k]))]);
  if (key === map_key) { draw_map(); return; }
  map_key = key;
  const words = element("map-words");
  const known = [...parameters.map((p) => p.name), ...braces_in(state)];
  if (state.x === state.y || !known.includes(state.x) || !known.includes(state.y)) {
    map = undefined;
    words.textContent = "Choose two parameters that are not the same.";
    return;
  }
  const range = (axis) => Array.from({ length: n }, (unused, i) => between(state[`${axis}-lo`], state[`${axis}-hi`], i / (n - 1), state[`${axis}-log`]));
  const fault = ["x", "y"].map((axis) => (!(state[`${axis}-lo`] < state[`${axis}-hi`]) ? "An axis must go from a smaller value to a larger one."
    : state[`${axis}-log`] && !(state[`${axis}-lo`] > 0) ? "A logarithmic axis begins above 0." : "")).find((words_of) => words_of);
  if (fault) {
    map = undefined;
    words.textContent = fault;
    return;
  }
  const mine = { x: state.x, y: state.y, xs: range("x"), ys: range("y"), log: { x: Boolean(state["x-log"]), y: Boolean(state["y-log"]) }, cells: new Array(n * n), coarsest: 8, done: false };
  // A map that is under way is given up with its worker, unless it is nearly done with what it was asked.
  if (mapper.waiting.size > 0) { mapper.restart(); }
  map = mine;
  delete document.documentElement.dataset.map;
  const began = performance.now();
  for (let s = mine.coarsest; s >= 1; s /= 2) {
    const todo = [];
    for (let j = 0; j < n; j += s) {
      for (let i = 0; i < n; i += s) {
        if (s === mine.coarsest || (i / s) % 2 || (j / s) % 2) { todo.push([i, j]); }
      }
    }
    const batch = s === mine.coarsest ? 8 : 64;
    for (let k = 0; k < todo.length; k += batch) {
      const some = todo.slice(k, k + batch);
      const answer = await mapper.ask("cells", { ...request, x: mine.x, y: mine.y,
        xs: some.map(([i]) => mine.xs[i]).join(","), ys: some.map(([, j]) => mine.ys[j]).join(",") });
      if (map !== mine) { return; }
      if (answer.error) {
        if (!answer.stopped) { words.textContent = answer.error; map = undefined; }
        return;
      }
      answer.forEach((c, l) => { mine.cells[some[l][1] * n + some[l][0]] = c; });
      if (performance.now() - (mine.drawn ?? 0) > 80) { mine.drawn = performance.now(); draw_map(); }
    }
    if (s === mine.coarsest) { draw_map(); timing.map_first = performance.now() - began; }
    const share = mine.cells.filter((c) => c).length;
    words.textContent = `${share} of ${n * n} cells`;
  }
  mine.done = true;
  timing.map = performance.now() - began;
  document.documentElement.dataset.map = String(Math.round(timing.map));
  const counts = outcome_order.map((o) => [o, mine.cells.filter((c) => c.outcome === o).length]).filter(([, k]) => k > 0);
  words.textContent = `${counts.map(([o, k]) => `${o} ${Math.round((100 * k) / (n * n))} %`).join(", ")}. Grey and struck: no event. A click sets the run.`;
  const at = (f) => mine.cells.map((c, k) => f(c, k));
  shown.map = { columns: { [mine.x]: at((c, k) => mine.xs[k % n]), [mine.y]: at((c, k) => mine.ys[Math.floor(k / n)]), tau: at((c) => c.tau), t_hit: at((c) => c.t_hit), M_end: at((c) => c.M_end), risk_end: at((c) => c.risk_end), outcome: at((c) => c.outcome), status: at((c) => c.status) } };
  draw_map();
}

function draw_map() {
  const canvas = element("map-canvas");
  const { clientWidth: w, clientHeight: h } = canvas;
  if (map && map.cells.some((c) => c)) { map_frame = paint_map(canvas_painter(canvas, w, h), w, h, state, map, [title_of(map.x), title_of(map.y)]); }
}

function set_from_cell(i, j) {
  const n = map.xs.length;
  if (i < 0 || j < 0 || i >= n || j >= n) { return; }
  const set = (name, value) => { state[parameters.some((p) => p.name === name) ? name : `{${name}}`] = value; };
  set(map.x, map.xs[i]); set(map.y, map.ys[j]);
  show_inputs();
  draw_map();
  update();
}

const nearest = (values, v) => values.reduce((best, x, k) => (Math.abs(x - v) < Math.abs(values[best] - v) ? k : best), 0);

function watch_map() {
  const canvas = element("map-canvas");
  const hint = element("map-hint");
  const cell = (e) => {
    if (!map || !map_frame) { return null; }
    const box = canvas.getBoundingClientRect();
    const x = e.clientX - box.left; const y = e.clientY - box.top;
    const b = map_frame.box;
    if (x < b.x || x >= b.x + b.w || y < b.y || y >= b.y + b.h) { return null; }
    return { x, y, i: Math.floor(((x - b.x) / b.w) * map.xs.length), j: Math.floor(((b.y + b.h - y) / b.h) * map.ys.length) };
  };
  canvas.addEventListener("click", (e) => { const c = cell(e); if (c) { set_from_cell(c.i, c.j); } });
  canvas.addEventListener("pointermove", (e) => {
    const c = cell(e);
    const there = c && map.cells[c.j * map.xs.length + c.i];
    hint.hidden = !there;
    if (there) {
      hint.textContent = `${map.x} = ${short(map.xs[c.i])}, ${map.y} = ${short(map.ys[c.j])}\nt = ${short(there.t_hit)}, τ = ${short(there.tau)}\n${there.outcome}${there.status === "ok" ? "" : `, ${there.status}`}`;
      place_hint(hint, canvas, c.x, c.y);
    }
  });
  canvas.addEventListener("pointerleave", () => { hint.hidden = true; });
  canvas.addEventListener("keydown", (e) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (!move || !map) { return; }
    e.preventDefault();
    const value = (name) => state[name] ?? state[`{${name}}`] ?? 0;
    set_from_cell(nearest(map.xs, value(map.x)) + move[0], nearest(map.ys, value(map.y)) + move[1]);
  });
  new ResizeObserver(draw_map).observe(canvas);
}

// ---- inputs ----

let parameters = [];

// Where a slider goes; the field beside it takes every number of the parameter's range.
const slider_range = {
  mu: [0, 1, 0.005], nu: [0, 1, 0.005], gamma: [0, 8, 0.02], noise: [0, 2, 0.01], "lr-ratio": [0, 16, 0.05],
  u0: [-0.5, 0.5, 0.001], m0: [-0.99, 0.99, 0.005], s0: [-0.9, 0.9, 0.005],
};

function add_slider(place, key, symbol, meaning, [lo, hi, step]) {
  const id = `p-${key.replace(/[{}]/g, "")}`;
  const box = document.createElement("div");
  box.className = "slider";
  box.innerHTML = `<span class="name" id="${id}-name"><b></b> <span></span></span>
    <input type="range" id="${id}" min="${lo}" max="${hi}" step="${step}" aria-labelledby="${id}-name">
    <input type="text" inputmode="decimal" id="${id}-field" aria-labelledby="${id}-name">`;
  box.querySelector("b").textContent = symbol;
  box.querySelector(".name span").textContent = meaning.split(/[,;]/)[0];
  box.querySelector(".name").title = meaning;
  place.append(box);
  const [slider, field] = box.querySelectorAll("input");
  slider.addEventListener("input", () => { state[key] = Number(slider.value); field.value = String(state[key]); update_soon(); });
  field.addEventListener("change", () => {
    const value = Number(field.value.replace("−", "-"));
    if (field.value.trim() !== "" && Number.isFinite(value)) { state[key] = value; update_soon(); }
    show_inputs();
  });
}

// Once a frame.
let soon = false;
function update_soon() {
  if (soon) { return; }
  soon = true;
  requestAnimationFrame(() => { soon = false; update(); });
}

// A parameter on an axis, with its usual range.
function set_axis(which, name) {
  const [lo, hi] = slider_range[name] ?? [-0.5, 0.5];
  state[which] = name;
  state[`${which}-log`] = 0;
  // μ = 0 and κ = 0 have no search.
  state[`${which}-lo`] = { mu: 0.05, "lr-ratio": 0.25, m0: 0.01, u0: 0 }[name] ?? lo;
  state[`${which}-hi`] = { mu: 0.95, m0: 0.4 }[name] ?? hi;
}

function show_braces() {
  const names = braces_in(state);
  const place = element("braces");
  if (place.dataset.names !== names.join()) {
    place.dataset.names = names.join();
    place.replaceChildren();
    for (const name of names) {
      state[`{${name}}`] ??= 0;
      add_slider(place, `{${name}}`, name, "parameter of the activation", [-1, 1, 0.01]);
    }
    const axes = [...model_names, ...start_names, ...names];
    for (const which of ["x", "y"]) {
      if (!axes.includes(state[which])) { set_axis(which, ["mu", "gamma"].find((a) => a !== state.x && a !== state.y)); }
    }
    for (const which of ["x", "y"]) {
      const select = element(which);
      select.replaceChildren(...axes.map((a) => new Option(parameters.find((p) => p.name === a)?.symbol ?? a, a)));
    }
  }
}

const flags = ["signed", "x-log", "y-log", "net-log"];
const network_choices = ["adapter", "train", "readout", "net-show"];
// Fields of numbers of which more than one may tell the same: d stands under two pictures.
const network_fields = { width: "width", "teacher-width": "teacher-width", "off-target": "off-target", rank: "rank", seed: "seed", "net-dim": "dim", "net-lr": "net-lr", "net-end": "net-end" };

function show_inputs() {
  show_braces();
  for (const key of [...model_names, ...start_names, ...braces_in(state).map((b) => `{${b}}`)]) {
    const id = `p-${key.replace(/[{}]/g, "")}`;
    element(id).value = state[key];
    if (document.activeElement !== element(`${id}-field`)) { element(`${id}-field`).value = String(state[key]); }
  }
  for (const key of ["student", "teacher", "event", "at", "unit", "mu-lo", "mu-hi", "dim", "batch", "x", "x-lo", "x-hi", "y", "y-lo", "y-hi", "cells"]) {
    if (document.activeElement !== element(key)) { element(key).value = state[key]; }
  }
  for (const key of network_choices) { element(key).value = state[key]; }
  for (const [id, key] of Object.entries(network_fields)) {
    if (document.activeElement !== element(id)) { element(id).value = state[key]; }
  }
  element("rank").disabled = state.train !== "lora";
  element("adapter").disabled = ["full", "scratch"].includes(state.train);
  for (const key of flags) { element(key).checked = Boolean(state[key]); }
  element("signed").disabled = state.event === "risk";
  for (const option of element("event").options) {
    const overlap = { m: "the adapter's overlap", M: "the teacher overlap" }[option.value];
    if (overlap) { option.textContent = `${state.signed ? option.value : `|${option.value}|`}, ${overlap}`; }
  }
}

function watch_inputs() {
  element("problem").addEventListener("submit", (e) => e.preventDefault());
  for (const key of ["student", "teacher"]) {
    element(key).addEventListener("input", () => { state[key] = element(key).value.trim(); show_inputs(); update_soon(); });
  }
  for (const key of ["event", "unit"]) {
    element(key).addEventListener("change", () => {
      state[key] = element(key).value;
      if (key === "event") { Object.assign(state, { at: { m: 0.5, M: 0.9, risk: 0.01 }[state.event], signed: 0 }); }
      show_inputs(); update_soon();
    });
  }
  const fields = Object.fromEntries(["at", "mu-lo", "mu-hi", "dim", "batch", "x-lo", "x-hi", "y-lo", "y-hi"].map((key) => [key, key]));
  for (const [id, key] of Object.entries({ ...fields, ...network_fields })) {
    element(id).addEventListener("change", () => {
      const value = element(id).valueAsNumber;
      if (Number.isFinite(value)) { state[key] = value; show_inputs(); update_soon(); }
    });
  }
  for (const key of network_choices) {
    element(key).addEventListener("change", () => { state[key] = element(key).value; show_inputs(); update_soon(); });
  }
  for (const key of ["x", "y"]) {
    element(key).addEventListener("change", () => {
      set_axis(key, element(key).value);
      show_inputs(); update_soon();
    });
  }
  for (const key of flags) {
    element(key).addEventListener("change", () => { state[key] = element(key).checked ? 1 : 0; show_inputs(); update_soon(); });
  }
  element("cells").addEventListener("change", () => { state.cells = Number(element("cells").value); update_soon(); });
  element("chain").addEventListener("click", simulate);
  element("link").addEventListener("click", () => { write_hash(true); copy(location.href, "The link"); });
  element("theme").addEventListener("click", () => set_theme(document.documentElement.dataset.theme !== "dark"));
}

// ---- the state in the address ----

let hash_timer;
function write_hash(now = false) {
  clearTimeout(hash_timer);
  const write = () => {
    const parts = Object.entries(state)
      .filter(([k, v]) => v !== standard_state[k] && (!k.startsWith("{") || braces_in(state).includes(k.slice(1, -1))))
      .map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`);
    own_hash = `#${parts.join("&")}`;
    history.replaceState(null, "", own_hash);
  };
  if (now) { write(); } else { hash_timer = setTimeout(write, 150); }
}
let own_hash = "";

function read_hash() {
  Object.keys(state).forEach((k) => delete state[k]);
  Object.assign(state, standard_state);
  for (const part of location.hash.slice(1).split("&")) {
    const [key, value] = part.split("=").map((t) => { try { return decodeURIComponent(t); } catch { return t; } });
    if (value === undefined) { continue; }
    if (key.startsWith("{") || typeof standard_state[key] === "number") {
      if (value.trim() !== "" && Number.isFinite(Number(value))) { state[key] = Number(value); }
    } else if (key in standard_state) {
      // A line of its own would be another question.
      state[key] = value.replaceAll("\n", " ");
    }
  }
  if (![32, 64, 128].includes(state.cells)) { state.cells = standard_state.cells; }
}

// ---- presets ----

function watch_presets() {
  const select = element("preset");
  select.append(new Option("choose one", ""));
  for (const group of ["Stories", "The paper's figures", "The paper's two layers", "Figures"]) {
    const box = document.createElement("optgroup");
    box.label = group;
    presets.forEach((p, k) => { if (p.group === group) { box.append(new Option(p.name, k)); } });
    select.append(box);
  }
  select.addEventListener("change", () => {
    const preset = presets[select.value];
    if (!preset) { return; }
    Object.keys(state).forEach((k) => delete state[k]);
    Object.assign(state, standard_state, preset.state);
    element("story").textContent = preset.story;
    if (preset.at) { element(preset.at).scrollIntoView(); }
    show_inputs();
    update();
  });
}

// ---- copying and downloading ----

function toast(text) {
  const box = element("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; }, 4000);
}

async function copy(text, what) {
  document.documentElement.dataset.copied = text;
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} is copied.`);
  } catch {
    // From a file some browsers refuse: the old way.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    toast(done ? `${what} is copied.` : text);
  }
}

function download(name, blob) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(blob);
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}

function csv_of(picture) {
  const { columns } = shown[picture];
  const names = Object.keys(columns);
  const cell = (v) => (v === null || v === undefined ? "nan" : typeof v === "string" && /[",\n]/.test(v) ? `"${v.replaceAll('"', '""')}"` : String(v));
  const lines = [`# ${command_of(picture, state, facts)}`, names.join(",")];
  columns[names[0]].forEach((unused, i) => lines.push(names.map((n) => cell(columns[n][i])).join(",")));
  return `${lines.join("\n")}\n`;
}

function paint(picture, p, w, h) {
  if (picture === "plane") { paint_plane(p, w, h, state, plane_shown.plane, plane_shown.path, rests_in_plane()); }
  else if (picture === "map") { paint_map(p, w, h, state, map, [title_of(map.x), title_of(map.y)]); }
  else { charts[picture].paint(p, w, h); }
}

function add_tools() {
  for (const place of document.querySelectorAll(".tools")) {
    const picture = place.dataset.picture;
    const title = { run: "the run", tau: "τ(μ)", plane: "the plane", time: "the run in time", law: "the law", map: "the map", network: "the network" }[picture];
    const button = (words, does, act) => {
      const b = document.createElement("button");
      b.type = "button"; b.textContent = words; b.dataset.act = act;
      b.setAttribute("aria-label", `${does} of ${title}`);
      b.addEventListener("click", () => {
        if (!shown[picture]) { toast("There is nothing to keep yet."); return; }
        acts[act](picture);
      });
      place.append(b);
    };
    button("command", "Copy the command", "command");
    button("Python", "Copy the Python", "python");
    button("csv", "Download the table", "csv");
    if (picture !== "run") { button("svg", "Download the picture as SVG", "svg"); button("png", "Download the picture as PNG", "png"); }
  }
}

const acts = {
  command: (picture) => copy(command_of(picture, state, facts), "The command"),
  python: (picture) => copy(python_of(picture, state, facts), "The Python"),
  csv: (picture) => download(`${picture}.csv`, new Blob([csv_of(picture)], { type: "text/csv" })),
  svg(picture) {
    const p = svg_painter(720, 440);
    paint(picture, p, 720, 440);
    download(`${picture}.svg`, new Blob([p.done()], { type: "image/svg+xml" }));
  },
  png(picture) {
    const canvas = document.createElement("canvas");
    paint(picture, canvas_painter(canvas, 720, 440), 720, 440);
    canvas.toBlob((blob) => download(`${picture}.png`, blob));
  },
};

// ---- the theory page ----

let theory_text;
async function open_theory(where) {
  const article = document.querySelector("#theory article");
  if (!theory_text) {
    theory_text = await (await unpack("packed-theory")).text();
    const safe = (t) => t.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    const inline = (t) => safe(t).replace(/`([^`]+)`/g, "<code>$1</code>").replace(/\*\*([^*]+)\*\*/g, "<b>$1</b>").replace(/\[([^\]]+)\]\([^)]*\)/g, "$1");
    article.innerHTML = theory_text.split(/\n{2,}/).map((block) =>
      block.startsWith("#") ? `<h${block.match(/^#+/)[0].length + 1}>${inline(block.replace(/^#+ /, ""))}</h${block.match(/^#+/)[0].length + 1}>`
      : /^ {4}/.test(block) ? `<pre tabindex="0">${safe(block)}</pre>` : `<p>${inline(block)}</p>`).join("\n");
  }
  element("theory").showModal();
  const found = where && (where.startsWith("##")
    ? [...article.querySelectorAll("h3")].find((h) => h.textContent.startsWith(where.slice(3)))
    : [...article.querySelectorAll("pre")].find((p) => p.textContent.includes(where)) );
  (found || article).scrollIntoView({ block: "center" });
}

// ---- light and dark ----

function set_theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  element("theme").setAttribute("aria-pressed", String(dark));
  try { localStorage.setItem("theme", dark ? "dark" : "light"); } catch { /* from a file there may be none */ }
  for (const chart of Object.values(charts)) { if (chart.spec) { chart.show(chart.spec, chart.data); } }
  draw_plane();
  draw_map();
}

// ---- beginning ----

async function begin() {
  let dark = matchMedia("(prefers-color-scheme: dark)").matches;
  try { dark = (localStorage.getItem("theme") ?? (dark ? "dark" : "light")) === "dark"; } catch { /* as the system */ }
  set_theme(dark);
  for (const name of ["tau", "time", "law", "network"]) { charts[name] = new line_chart(document.querySelector(`#${name} .plot`)); }
  const [wasm, glue] = await Promise.all([unpack("packed-wasm").then((r) => r.arrayBuffer()), unpack("packed-glue").then((r) => r.text())]);
  const source = URL.createObjectURL(new Blob([glue], { type: "text/javascript" }));
  live = new library(source, wasm);
  parameters = await live.ask("registry", {});
  for (const p of parameters) {
    if (slider_range[p.name]) { add_slider(element("sliders"), p.name, p.symbol, p.meaning, slider_range[p.name]); }
  }
  read_hash();
  show_inputs();
  watch_inputs(); watch_presets(); watch_plane(); watch_map(); add_tools();
  document.addEventListener("click", (e) => {
    const link = e.target.closest("[data-equation]");
    if (link) { e.preventDefault(); open_theory(link.dataset.equation); }
  });
  element("theory-open").addEventListener("click", () => open_theory(""));
  addEventListener("hashchange", () => { if (location.hash !== own_hash) { read_hash(); show_inputs(); update(); } });
  if (element("story").textContent === "") { element("story").textContent = "Move a slider, drag the start in the plane, click in the map; or choose a story."; }
  mapper = new library(source, wasm);
  ready = true;
  update();
}

// What the test reads.
globalThis.explorer = { state, timing, asked, shown, facts, command_of, python_of, csv_of, update, ask: (q, g) => live.ask(q, g), given };

begin().catch(cannot_run);
