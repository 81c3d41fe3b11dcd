// The explorer in headless Chromium, against the program.
//
//   LORADYN=…/loradyn PAGE=…/loradyn-explorer.html PICTURES=DIR MODULES=DIR [FIREFOX=…/firefox-esr] \
//     [NATIVE=…/explorer_native] \
//     node --test tests/explorer/explorer_test.mjs
//
// Leaves its screenshots and measured times in PICTURES.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { start_firefox } from "./firefox.mjs";

const { LORADYN, NATIVE, PAGE, PICTURES, MODULES, FIREFOX } = process.env;
const modules = createRequire(join(MODULES, "node_modules/"));
const { chromium } = modules("playwright-core");
const address = pathToFileURL(PAGE).href;
const measured = {};
// Python's module, where it is built.
const has_python = (() => {
  try {
    execFileSync("/usr/bin/python3", ["-c", "import loradyn"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
mkdirSync(PICTURES, { recursive: true });

let browser;
const complaints = [];
const requests = [];

async function open(hash = "", { width = 1400, height = 900, dark = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", acceptDownloads: true });
  const page = await context.newPage();
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) { complaints.push(m.text()); } });
  page.on("pageerror", (e) => complaints.push(e.stack));
  page.on("request", (r) => { if (!/^(file|blob|data):/.test(r.url())) { requests.push(r.url()); } });
  await page.goto(address + hash);
  await page.waitForFunction(() => document.documentElement.dataset.first);
  return page;
}

// What an input asks for is asked at the next frame.
const frames = (page) => page.evaluate(() => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); }));
async function settled(page) {
  await frames(page);
  await page.waitForFunction(() => {
    const d = document.documentElement.dataset;
    return d.settled && d.settled === d.wanted;
  }, null, { timeout: 60_000 });
}

const mapped = (page) => page.waitForFunction(() => document.documentElement.dataset.map, null, { timeout: 120_000 });

const networked = (page) => page.waitForFunction(() => document.documentElement.dataset.network, null, { timeout: 120_000 });

const hash_of = (state) => `#${Object.entries(state).map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join("&")}`;

// A table of the program: rows of {column: text}.
function table(...words) {
  const lines = execFileSync(LORADYN, [...words, "-q"], { encoding: "utf8" }).split("\n").filter((l) => l && !l.startsWith("#"));
  const names = lines[0].split(",");
  return lines.slice(1).map((line) => Object.fromEntries(line.split(",").map((v, i) => [names[i], v])));
}

// To twelve digits; null is nan.
function close(value, text, what, most = 1e-12) {
  const expected = Number(text);
  if (Number.isNaN(expected)) {
    assert.equal(value, null, what);
    return 0;
  }
  // What should be zero is rounding on both sides.
  const rounding = 1e-14;
  const error = Math.abs(value - expected) <= rounding ? 0 : Math.abs(value / expected - 1);
  assert.ok(error <= most, `${what}: ${value} and ${text} differ by ${error}`);
  return error;
}

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  writeFileSync(join(PICTURES, "measured.json"), `${JSON.stringify(measured, null, 2)}\n`);
  console.log(JSON.stringify(measured, null, 2));
});

test("it loads from a file and shows a first picture", async () => {
  const page = await open();
  measured.first_picture_ms = Number(await page.evaluate(() => document.documentElement.dataset.first));
  await mapped(page);
  await networked(page);
  for (const canvas of ["#tau canvas", "#time canvas", "#law canvas", "#plane-canvas", "#map-canvas", "#network canvas"]) {
    const colours = await page.locator(canvas).first().evaluate((c) => new Set(new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer)).size);
    assert.ok(colours > 10, `${canvas} shows nothing`);
  }
  await page.context().close();
});

// Kinked, smooth, polynomial and mismatched pairs, noise, ν, κ, every event.
const points = [
  { student: "erf", mu: 0.1 }, { student: "erf", mu: 0.5, gamma: 1 }, { student: "erf", mu: 0.9 },
  { student: "erf", mu: 0.4, nu: 0.3 }, { student: "erf", teacher: "he3", mu: 0.3 },
  { student: "relu", mu: 0.2 }, { student: "relu", mu: 0.7, "lr-ratio": 4 }, { student: "relu", mu: 0.5, gamma: 0.5, noise: 0.2 },
  { student: "he3", mu: 0.2 }, { student: "he3", mu: 0.5 }, { student: "he3", mu: 0.5, gamma: 0.1 },
  { student: "he3+0.5*he5", mu: 0.6 }, { student: "he2", mu: 0.5 }, { student: "he3", mu: 0.6, nu: 0.2, s0: 0.1 },
  { student: "tanh", mu: 0.3 }, { student: "tanh", mu: 0.7, gamma: 0.4 }, { student: "gelu", mu: 0.5 },
  { student: "sigmoid", teacher: "tanh", mu: 0.4 }, { student: "erf", mu: 0.5, event: "risk", at: 0.01 },
  { student: "relu", mu: 0.3, event: "M", at: 0.8 },
];

test("twenty points have the program's values to twelve digits", async () => {
  const page = await open();
  let worst = 0;
  for (const point of points) {
    const name = JSON.stringify(point);
    const words = Object.entries(point).flatMap(([k, v]) => [`--${k}`, String(v)]);
    const own = (names) => words.filter((w, i) => names.includes(words[i - (i % 2)].slice(2)));
    const [rates] = table("rates", ...own(["student", "teacher", "mu", "nu", "lr-ratio"]));
    const [escape] = table("escape", ...words);
    const got = await page.evaluate(async (p) => [await explorer.ask("rates", p), await explorer.ask("run", p)], point);
    for (const column of ["A", "B", "C", "lambda", "tau"]) {
      worst = Math.max(worst, close(got[0][column], rates[column], `${name} ${column}`));
    }
    for (const column of ["t_hit", "M_end", "risk_end"]) {
      worst = Math.max(worst, close(got[1][column], escape[column], `${name} ${column}`));
    }
    assert.equal(got[1].outcome, escape.outcome, name);
    assert.equal(got[1].status, escape.status, name);
  }
  measured.largest_relative_difference = worst;
  await page.context().close();
});

test("the law and the chain are the program's", async () => {
  const page = await open();
  const point = { student: "erf", mu: 0.5, gamma: 1 };
  const [law] = table("escape", "--student", "erf", "--mu", "0.5", "--gamma", "1", "--dim", "1000");
  const got = await page.evaluate((p) => explorer.ask("law", { ...p, dim: 1000 }), point);
  close(got.mean, law.t_mean, "mean");
  close(got.quantiles[2], law.t_q50, "median");
  const runs = table("simulate", "--student", "erf", "--mu", "0.5", "--dim", "1000", "--batch", "100", "--lr", "0.1",
    "--steps", "20000", "--event", "m", "--runs", "3");
  const chain = await page.evaluate(() => explorer.ask("chain",
    { student: "erf", mu: 0.5, dim: 1000, batch: 100, lr: 0.1, steps: 20000, first: 0, runs: 3 }));
  runs.forEach((run, i) => close(chain.t_hit[i], run.t_hit, `run ${i}`));
  await page.context().close();
});

test("simulated runs are those of the command", async () => {
  const page = await open(hash_of({ student: "erf", gamma: 1, dim: 1000, batch: 100 }));
  await settled(page);
  await page.click("#chain");
  await page.waitForFunction(() => explorer.facts.chain?.runs >= 12, null, { timeout: 60_000 });
  await page.click("#chain");
  await page.waitForFunction(() => document.querySelector("#chain").getAttribute("aria-pressed") === "false");
  // The answer that was under way when the button was pressed.
  await page.waitForTimeout(500);
  const [command, times] = await page.evaluate(() => [explorer.command_of("law", explorer.state, explorer.facts), explorer.shown.law.columns.t_hit]);
  const rows = table(...command.replace(/ -o .*/, "").split(" ").slice(1));
  assert.equal(rows.length, times.length);
  rows.forEach((row, i) => close(times[i], row.t_hit, `run ${i}`));
  await page.context().close();
});

test("dragging the start moves the run", async () => {
  const page = await open();
  await settled(page);
  const before_drag = await page.evaluate(() => ({ ...explorer.state, t: explorer.shown.run.columns.t_hit[0] }));
  await page.locator("#plane-canvas").scrollIntoViewIfNeeded();
  const box = await page.locator("#plane-canvas").boundingBox();
  const at = (fx, fy) => [box.x + 62 + fx * (box.width - 74), box.y + 10 + fy * (box.height - 52)];
  await page.mouse.move(...at(0.5, 0.485));
  await page.mouse.down();
  await page.mouse.move(...at(0.55, 0.4), { steps: 5 });
  await page.mouse.up();
  await settled(page);
  const after_drag = await page.evaluate(() => ({ ...explorer.state, t: explorer.shown.run.columns.t_hit[0], hash: location.hash }));
  assert.ok(after_drag.u0 > before_drag.u0 && after_drag.m0 > before_drag.m0);
  assert.ok(after_drag.t < before_drag.t, "a larger start meets the event earlier");
  await page.locator("#plane-canvas").press("ArrowUp");
  await settled(page);
  assert.ok((await page.evaluate(() => explorer.state.m0)) > after_drag.m0);
  await page.context().close();
});

// From a slider's event to the last drawing of τ(μ), plane and run: the median of eleven moves.
async function slide(page, slider, from, step) {
  const times = [];
  for (let k = 0; k < 11; ++k) {
    const began = await page.evaluate(([id, value]) => {
      const s = document.getElementById(id);
      const now = performance.now();
      s.value = value;
      s.dispatchEvent(new Event("input"));
      return now;
    }, [slider, from + step * k]);
    await settled(page);
    times.push(await page.evaluate((t) => explorer.timing.drawn_at - t, began));
  }
  return Math.round(times.sort((x, y) => x - y)[5] * 10) / 10;
}

test("a slider's move redraws; its time is measured", async () => {
  const page = await open();
  for (const student of ["erf", "relu", "he3", "tanh", "gelu"]) {
    await page.fill("#student", student);
    await settled(page);
    measured[`slider_mu_${student}_ms`] = await slide(page, "p-mu", 0.4, 0.01);
    measured[`slider_nu_${student}_ms`] = await slide(page, "p-nu", 0.1, 0.01);
    assert.equal(await page.evaluate(() => explorer.shown.run.columns.nu[0]), 0.2, "the last move is shown");
  }
  await page.context().close();
});

// What a move asks, and what τ(μ), plane and run are drawn of.
const asked_by_a_move = ["rates", "curve", "run", "path", "trajectory", "plane"];

test("the library's part of a move is measured against the library without a browser", { skip: !NATIVE && "no NATIVE" }, async () => {
  const page = await open();
  for (const student of ["erf", "relu", "he3", "tanh", "gelu"]) {
    await page.fill("#student", student);
    await settled(page);
    const requests_of_moves = [];
    const browser_times = asked_by_a_move.map(() => []);
    for (let k = 0; k < 12; ++k) {
      await page.evaluate((value) => {
        const s = document.getElementById("p-mu");
        s.value = value;
        s.dispatchEvent(new Event("input"));
      }, 0.4 + 0.01 * k);
      await settled(page);
      const [asked, times] = await page.evaluate(() => [explorer.asked, explorer.timing]);
      asked_by_a_move.forEach((question, q) => {
        requests_of_moves.push(asked[question]);
        // The first prepares the pair, here and there.
        if (k > 0) { browser_times[q].push(times[question]); }
      });
    }
    const times = execFileSync(NATIVE, { input: requests_of_moves.map((r) => `${r}\n.\n`).join(""), encoding: "utf8" }).trim().split("\n").map(Number);
    assert.equal(times.length, requests_of_moves.length);
    const questions = asked_by_a_move.length;
    // The least of eleven: what else the machine does is in none.
    const in_browser = browser_times.map((all) => Math.min(...all)).reduce((x, y) => x + y);
    const native = asked_by_a_move.map((name, q) => Math.min(...times.filter((t, i) => i >= questions && i % questions === q))).reduce((x, y) => x + y);
    measured[`move_ratio_${student}`] = `${in_browser.toFixed(1)} ms / ${native.toFixed(1)} ms = ${(in_browser / native).toFixed(2)}`;
  }
  await page.context().close();
});

test("a map with logarithmic axes is the program's, and a click sets the run", async () => {
  const state = { student: "erf", mu: 0.5, x: "lr-ratio", "x-lo": 0.25, "x-hi": 16, "x-log": 1, y: "gamma", "y-lo": 0.01, "y-hi": 8, "y-log": 1, event: "M", at: 0.9, signed: 1 };
  const page = await open(hash_of(state));
  await settled(page);
  await mapped(page);
  const [command, columns] = await page.evaluate(() => [explorer.command_of("map", explorer.state, explorer.facts), explorer.shown.map.columns]);
  const rows = table(...command.replace(/ -o .*/, "").split(" ").slice(1));
  assert.equal(rows.length, 32 * 32);
  rows.forEach((row, i) => {
    // Another libc's exp: the last bit of a place.
    assert.ok(Math.abs(columns["lr-ratio"][i] / Number(row.lr_ratio) - 1) < 1e-15, `κ of cell ${i}`);
    assert.ok(Math.abs(columns.gamma[i] / Number(row.gamma) - 1) < 1e-15, `γ of cell ${i}`);
    // With it the lengths of the steps may change: a time then keeps the tolerance.
    close(columns.t_hit[i], row.t_hit, `t of cell ${i}`, 1e-9);
  });
  await page.locator("#map-canvas").scrollIntoViewIfNeeded();
  const box = await page.locator("#map-canvas").boundingBox();
  await page.mouse.click(box.x + 62 + 0.5 * (box.width - 140) + 1, box.y + 10 + 0.25 * (box.height - 52));
  await settled(page);
  const set = await page.evaluate(() => ({ ...explorer.state, t: explorer.shown.run.columns.t_hit[0] }));
  const k = columns["lr-ratio"].findIndex((kappa, i) => kappa === set["lr-ratio"] && columns.gamma[i] === set.gamma);
  assert.equal(set.t, columns.t_hit[k]);
  assert.ok(Math.abs(Math.log(set["lr-ratio"] / 2)) < 0.1, "the middle of a logarithmic axis is the geometric mean");
  await page.fill("#y-lo", "0");
  await page.press("#y-lo", "Tab");
  await page.waitForFunction(() => /begins above 0/.test(document.querySelector("#map-words").textContent));
  await page.uncheck("#y-log");
  await page.waitForFunction(() => /A click sets the run/.test(document.querySelector("#map-words").textContent));
  await page.context().close();
});

test("an event counts a sign where it is told to", async () => {
  const page = await open(hash_of({ student: "he3", mu: 0.2 }));
  await settled(page);
  const time = () => page.evaluate(() => explorer.shown.run.columns.t_hit[0]);
  close(await time(), table("escape", "--student", "he3", "--mu", "0.2")[0].t_hit, "|m|");
  await page.fill("#at", "-0.2");
  await page.check("#signed");
  await settled(page);
  const words = await page.evaluate(() => [explorer.command_of("run", explorer.state, explorer.facts), explorer.python_of("run", explorer.state, explorer.facts)]);
  assert.match(words[0], / --at -0\.2 --signed /);
  assert.match(words[1], /at=-0\.2, signed=True/);
  close(await time(), table("escape", "--student", "he3", "--mu", "0.2", "--at", "-0.2", "--signed")[0].t_hit, "m");
  assert.match(await page.textContent("#law-words"), /no law/);
  // M has one, and single runs.
  await page.selectOption("#event", "M");
  assert.equal(await page.isChecked("#signed"), false);
  await page.selectOption("#event", "risk");
  assert.ok(await page.isDisabled("#signed"));
  const point = { student: "erf", mu: 0.5, event: "M", at: 0.75, signed: 1 };
  const chain = await page.evaluate((p) => explorer.ask("chain", { ...p, dim: 1000, batch: 100, lr: 0.1, steps: 20000, first: 0, runs: 3 }), point);
  table("simulate", "--student", "erf", "--mu", "0.5", "--dim", "1000", "--batch", "100", "--lr", "0.1", "--steps", "20000",
    "--event", "M", "--at", "0.75", "--signed", "--runs", "3").forEach((run, i) => close(chain.t_hit[i], run.t_hit, `run ${i}`));
  await page.context().close();
});

test("a map ends and its cells are the program's", async () => {
  const state = { student: "he3+{a}*he5", "{a}": 0.1, x: "mu", "x-lo": 0.05, "x-hi": 0.95, y: "a", "y-lo": -0.5, "y-hi": 0.5, cells: 64 };
  const page = await open(hash_of(state));
  await mapped(page);
  const began = process.hrtime.bigint();
  const rows = table("phase", "--student", "he3+{a}*he5", "--x", "mu=0.05:0.95:64", "--y", "a=-0.5:0.5:64", "--threads", "1");
  measured.map_program_ms = Math.round(Number(process.hrtime.bigint() - began) / 1e6);
  Object.assign(measured, await page.evaluate(() => ({ map_first_ms: Math.round(explorer.timing.map_first), map_ms: Math.round(explorer.timing.map) })));
  const columns = await page.evaluate(() => explorer.shown.map.columns);
  assert.equal(columns.mu.length, rows.length);
  let worst = 0;
  rows.forEach((row, i) => {
    assert.equal(columns.mu[i], Number(row.mu), `μ of cell ${i}`);
    assert.equal(columns.a[i], Number(row.a), `a of cell ${i}`);
    assert.equal(columns.outcome[i], row.outcome, `outcome of cell ${i}`);
    worst = Math.max(worst, close(columns.t_hit[i], row.t_hit, `t of cell ${i}`));
  });
  measured.map_largest_difference = worst;
  // A click sets the run.
  await page.locator("#map-canvas").scrollIntoViewIfNeeded();
  const box = await page.locator("#map-canvas").boundingBox();
  await page.mouse.click(box.x + 62 + 0.75 * (box.width - 140), box.y + 10 + 0.25 * (box.height - 52));
  await settled(page);
  const set = await page.evaluate(() => ({ ...explorer.state, t: explorer.shown.run.columns.t_hit[0] }));
  const k = columns.mu.findIndex((mu, i) => mu === set.mu && columns.a[i] === set["{a}"]);
  assert.ok(k >= 0, "the run has a cell's parameters");
  assert.equal(set.t, columns.t_hit[k]);
  await page.waitForFunction(() => /mu=/.test(location.hash));
  await page.context().close();
});

test("the time of cells is measured against the program's", async () => {
  const page = await open();
  const n = 24;
  for (const student of ["erf", "relu", "he3", "tanh", "gelu"]) {
    const began = process.hrtime.bigint();
    table("phase", "--student", student, "--x", `mu=0.05:0.95:${n}`, "--y", `m0=0.01:0.4:${n}`, "--threads", "1");
    const program = Number(process.hrtime.bigint() - began) / 1e6;
    const browser_ms = await page.evaluate(async ([s, k]) => {
      const xs = []; const ys = [];
      for (let i = 0; i < k * k; ++i) { xs.push(0.05 + (0.9 * (i % k)) / (k - 1)); ys.push(0.01 + (0.39 * Math.floor(i / k)) / (k - 1)); }
      await explorer.ask("cells", { student: s, x: "mu", y: "m0", xs: xs.join(), ys: ys.join() });
      return explorer.timing.cells;
    }, [student, n]);
    measured[`ratio_${student}`] = `${Math.round(browser_ms)} ms / ${Math.round(program)} ms = ${(browser_ms / program).toFixed(2)}`;
  }
  await page.context().close();
});

// The picture of two layers beside what its command prints.
async function network_like_the_program(page, what) {
  await networked(page);
  const [command, columns] = await page.evaluate(() => [explorer.command_of("network", explorer.state, explorer.facts), explorer.shown.network.columns]);
  const rows = table(...command.replace(/ -o .*/, "").split(" ").slice(1));
  assert.deepEqual(Object.keys(columns), Object.keys(rows[0]).filter((name) => name !== "stage"), what);
  let worst = 0;
  rows.forEach((row, i) => {
    for (const [name, values] of Object.entries(columns)) {
      const expected = Number(row[name]);
      if (Number.isNaN(expected)) { assert.equal(values[i], null, `${what} ${name} ${i}`); continue; }
      worst = Math.max(worst, Math.abs(values[i] - expected) / Math.max(1, Math.abs(expected)));
    }
    assert.ok(worst <= 1e-12, `${what} at t = ${row.t}: ${worst} off`);
  });
  assert.equal(columns.t.length, rows.length, what);
  measured.network_largest_difference = Math.max(measured.network_largest_difference ?? 0, worst);
  return { command, columns };
}

test("two layers have the program's values to twelve digits", async () => {
  const states = [
    { student: "erf", mu: 0.5, rank: 2, "net-end": 300 }, { student: "erf", nu: 0.2, gamma: 0.5, adapter: "free", "net-end": 100 },
    { student: "he3", adapter: "frobenius", width: 3, "teacher-width": 2, "off-target": 3, "net-log": 1, "net-end": 5 },
    { student: "erf", teacher: "tanh", noise: 0.1, train: "full", "net-end": 50, unit: "fisher" }, { student: "relu", train: "v", readout: "mean", "net-end": 20 },
    { student: "tanh", train: "scratch", width: 2, seed: 3, "lr-ratio": 2, "net-end": 20 }, { student: "erf" },
  ];
  for (const state of states) {
    const page = await open(hash_of(state));
    await network_like_the_program(page, JSON.stringify(state));
    await page.context().close();
  }
});

test("the paper's two layers are those of the program, and of Python", async () => {
  const page = await open();
  const names = await page.locator('#preset optgroup[label="The paper\'s two layers"] option').allTextContents();
  assert.equal(names.length, 5);
  const ends = {};
  for (const name of names) {
    await page.selectOption("#preset", { label: name });
    await settled(page);
    const { columns } = await network_like_the_program(page, name);
    measured[`${name} ms`] = Math.round(await page.evaluate(() => explorer.timing.network));
    ends[name] = Object.fromEntries(["risk", "M_1_1", "M_2_2"].map((column) => [column, columns[column].at(-1)]));
    if (has_python && name.includes("erf, one")) {
      const code = await page.evaluate(() => explorer.python_of("network", explorer.state, explorer.facts));
      const risk = execFileSync("/usr/bin/python3", ["-W", "error", "-c", `${code}print(repr(float(r.risk[-1])))`], { encoding: "utf8", env: { ...process.env, MPLBACKEND: "svg" } });
      close(columns.risk.at(-1), risk, "risk by Python");
    }
  }
  // What their stories tell.
  const near = (name, column, expected, within) => assert.ok(Math.abs(ends[name][column] - expected) <= within, `${name} ${column}: ${ends[name][column]}`);
  near("Two layers: the linear student", "M_1_1", 0.62, 0.006);
  near("Two layers: erf, one adapter", "M_1_1", 0.58, 0.005);
  near("Two layers: erf, one adapter", "M_2_2", 0.75, 0.005);
  near("Two layers: erf, one adapter", "risk", 0.0032, 5e-5);
  near("Two layers: erf, four adapters", "M_1_1", 0.96, 0.005);
  near("Two layers: ReLU, three adapters", "M_2_2", 1.01, 0.005);
  near("Two layers: He₃, two adapters", "risk", 2e-9, 1e-9);
  await page.context().close();
});

test("the network's controls set its run, and faults are told in words", async () => {
  const page = await open(hash_of({ student: "erf", "net-end": 20 }));
  await networked(page);
  await page.fill("#rank", "1");
  await page.press("#rank", "Tab");
  await settled(page);
  await page.selectOption("#net-show", "U");
  await page.waitForFunction(() => explorer.shown.network && !("U_1_2" in explorer.shown.network.columns) && document.querySelector("#network .u-legend")?.textContent.includes("U_4_1"));
  assert.match(await page.textContent("#network-words"), /Modes of the search: τ = 64\.33/);
  await page.selectOption("#train", "full");
  assert.ok(await page.isDisabled("#rank"));
  await settled(page);
  await networked(page);
  assert.match(await page.evaluate(() => location.hash), /rank=1.*train=full|train=full.*rank=1/);
  await page.selectOption("#train", "lora");
  await page.fill("#net-dim", "4");
  await page.press("#net-dim", "Tab");
  await page.waitForFunction(() => /dimension/.test(document.querySelector("#network-words").textContent));
  assert.equal(await page.inputValue("#dim"), "4", "d is one number");
  await page.fill("#off-target", "1.5");
  await page.press("#off-target", "Tab");
  await page.waitForFunction(() => /off-target is 1.5, but must be a whole number/.test(document.querySelector("#network-words").textContent));
  await page.context().close();
});

test("a bad expression says where", async () => {
  const page = await open();
  await page.fill("#student", "he3+*he5");
  await page.waitForSelector("#student-fault:visible");
  assert.match(await page.textContent("#student-fault"), /^he3\+\*he5\n {4}\^\n.*column 5/s);
  assert.equal(await page.getAttribute("#student", "aria-invalid"), "true");
  await page.fill("#student", "erf");
  await page.waitForSelector("#student-fault", { state: "hidden" });
  await page.fill("#teacher", "tahn");
  await page.waitForSelector("#teacher-fault:visible");
  assert.match(await page.textContent("#teacher-fault"), /tanh/);
  await page.context().close();
});

test("a value out of its range is refused in words, and what follows goes on", async () => {
  const page = await open();
  await settled(page);
  await page.fill("#p-nu-field", "-1");
  await page.press("#p-nu-field", "Tab");
  await page.waitForSelector("#numbers .fault");
  assert.match(await page.textContent("#numbers .fault"), /nu is -1, but must be >= 0/);
  await page.fill("#p-nu-field", "0.2");
  await page.press("#p-nu-field", "Tab");
  await page.waitForFunction(() => explorer.shown.run?.columns.nu[0] === 0.2);
  // The theory is in the file.
  await page.click("#numbers a >> nth=3");
  await page.waitForSelector("#theory[open]");
  assert.match(await page.textContent("#theory article"), /\(4\.3\)/);
  await page.context().close();
});

test("what is copied reproduces the pictures", async () => {
  const page = await open(hash_of({ student: "he3+{a}*he5", "{a}": 0.25, mu: 0.45, gamma: 0.02, m0: 0.05, y: "a", "y-lo": -0.5, "y-hi": 0.5 }));
  await settled(page);
  const shown = await page.evaluate(() => explorer.shown);
  const commands = await page.evaluate(() => Object.fromEntries(["tau", "plane", "time", "run", "law"].map((p) => [p, explorer.command_of(p, explorer.state, explorer.facts)])));
  const run = (picture) => {
    // As a shell would read it, without the files.
    const words = commands[picture].replace(/ -o .*/, "").match(/'[^']*'|\S+/g).map((w) => w.replace(/^'|'$/g, ""));
    return table(...words.slice(1));
  };
  const tau = run("tau");
  assert.equal(tau.length, shown.tau.columns.mu.length);
  tau.forEach((row, i) => { assert.equal(shown.tau.columns.mu[i], Number(row.mu)); close(shown.tau.columns.A[i], row.A, `A at ${row.mu}`); });
  run("time").forEach((row, i) => {
    for (const name of ["t", "u", "m", "risk"]) {
      const expected = Number(row[name]);
      assert.ok(Math.abs(shown.time.columns[name][i] - expected) <= 1e-10 * Math.max(1, Math.abs(expected)), `${name} at ${row.t}`);
    }
  });
  const rests = run("plane");
  assert.deepEqual(rests.map((r) => r.kind), shown.plane.columns.kind);
  close(shown.run.columns.t_hit[0], run("run")[0].t_hit, "t_hit");
  assert.equal(run("law").length, 1);
  const codes = await page.evaluate(() => Object.fromEntries(["tau", "plane", "time", "run", "law", "map"].map((p) => [p, explorer.python_of(p, explorer.state, explorer.facts)])));
  // As it is copied, drawing included.
  const python = (picture, print) => execFileSync("/usr/bin/python3", ["-W", "error", "-c", `${codes[picture]}${print}`],
    { encoding: "utf8", env: { ...process.env, MPLBACKEND: "svg" } }).trim().split("\n").at(-1);
  if (has_python) {
    close(shown.tau.columns.tau[100], python("tau", "print(repr(float(r.tau[100])))"), "τ by Python");
    close(shown.time.columns.risk[50], python("time", "print(repr(float(r.risk[50])))"), "risk by Python");
    close(shown.run.columns.t_hit[0], python("run", "print(repr(float(r.t_hit)))"), "t_hit by Python");
    assert.equal(python("plane", "print(*r.kind)"), shown.plane.columns.kind.join(" "));
    const [u, m] = python("plane", "print(run.u[-1], run.m[-1])").split(" ").map(Number);
    const nearest_rest = Math.min(...shown.plane.columns.u.map((at, i) => Math.min(Math.hypot(u - at, m - shown.plane.columns.m[i]), Math.hypot(u + at, m + shown.plane.columns.m[i]))));
    assert.ok(nearest_rest < 1e-3, `the plane's run ends ${nearest_rest} beside an equilibrium`);
    assert.equal(python("law", "print(r.law)"), "ok");
    assert.equal(python("map", "print(r.t_hit.shape)"), "(32, 32)");
    const simulated = await page.evaluate(() => explorer.python_of("law", explorer.state, { ...explorer.facts, chain: { lr: 0.02, steps: 200, runs: 5 } }));
    execFileSync("/usr/bin/python3", ["-c", simulated], { env: { ...process.env, MPLBACKEND: "svg" } });
  }
  // The link is the state.
  const link = await page.evaluate(() => location.hash);
  const again = await open(link);
  assert.deepEqual(await again.evaluate(() => explorer.state), await page.evaluate(() => explorer.state));
  await again.context().close();
  await page.context().close();
});

test("tables and pictures are downloaded", async () => {
  for (const picture of ["tau", "plane", "time", "law", "map", "network"]) {
    // A page each: Chromium drops what looks like a flood of downloads.
    const page = await open(picture === "map" ? hash_of({ "y-log": 1, "y-lo": 0.01 }) : picture === "network" ? hash_of({ student: "erf", "net-log": 1 }) : "");
    await settled(page);
    await mapped(page);
    await networked(page);
    for (const [act, start] of [["csv", "# loradyn "], ["svg", "<svg "], ["png", "\x89PNG"]]) {
      const [download] = await Promise.all([page.waitForEvent("download"), page.click(`[data-picture="${picture}"] [data-act="${act}"]`)]);
      const bytes = readFileSync(await download.path());
      assert.ok(bytes.toString("latin1").startsWith(start), `${picture}.${act}`);
      assert.ok(bytes.length > 400, `${picture}.${act}`);
      assert.ok(act !== "svg" || !/NaN|Infinity/.test(bytes.toString("latin1")), `${picture}.svg has numbers that are none`);
    }
    await page.context().close();
  }
});

test("every preset settles", async () => {
  const page = await open();
  const count = await page.locator("#preset option").count();
  for (let k = 1; k < count; ++k) {
    await page.selectOption("#preset", { index: k });
    await settled(page);
    assert.notEqual(await page.textContent("#story"), "");
    assert.ok(await page.evaluate(() => explorer.shown.run.columns.status[0] !== "no-convergence"));
  }
  await page.context().close();
});

test("nothing serious for axe, light and dark, wide and narrow; screenshots", async () => {
  const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
  const state = hash_of({ student: "he3+{a}*he5", "{a}": 0.1, mu: 0.45, y: "a", "y-lo": -0.5, "y-hi": 0.5, cells: 64 });
  for (const [name, options] of [["light", {}], ["dark", { dark: true }], ["phone", { width: 390, height: 844 }]]) {
    const page = await open(state, options);
    await mapped(page);
    await networked(page);
    await settled(page);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run());
    const serious = violations.filter((v) => ["serious", "critical"].includes(v.impact));
    assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(" ")}`), [], name);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is too wide`);
    if (name === "phone") { await page.locator("#plane").scrollIntoViewIfNeeded(); }
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: name !== "phone" });
    if (name === "light") {
      await page.selectOption("#preset", { label: "Four neurons, two adapters" });
      await settled(page);
      await networked(page);
      await page.locator("#network").screenshot({ path: join(PICTURES, "network.png") });
    }
    await page.context().close();
  }
});

test("Firefox shows the same", { skip: !FIREFOX && "no FIREFOX" }, async () => {
  const firefox = await start_firefox(FIREFOX);
  try {
    await firefox.open(`${address}${hash_of({ student: "he3", mu: 0.2, y: "m0", "y-lo": 0.01, "y-hi": 0.4 })}`);
    await firefox.until("return document.documentElement.dataset.map");
    const [run] = table("escape", "--student", "he3", "--mu", "0.2");
    close(await firefox.run("return explorer.shown.run.columns.t_hit[0]"), run.t_hit, "t_hit");
    measured.firefox_first_picture_ms = Number(await firefox.run("return document.documentElement.dataset.first"));
    writeFileSync(join(PICTURES, "firefox.png"), Buffer.from(await firefox.screenshot(), "base64"));
  } finally {
    await firefox.close();
  }
});

test("no complaint on the console, no request to anywhere", () => {
  assert.deepEqual(complaints, []);
  assert.deepEqual(requests, []);
});
