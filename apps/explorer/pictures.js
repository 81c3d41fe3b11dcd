// The pictures: lines by uPlot, the plane and the map by strokes.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const element = (id) => document.getElementById(id);
const plot_height = 270;

// Cividis, which reads the same to most eyes: nine of its colours.
const cividis = [[0, 34, 78], [24, 56, 107], [63, 78, 108], [92, 101, 112], [124, 123, 120], [152, 147, 117], [187, 172, 105], [222, 200, 84], [254, 232, 56]];
function cividis_at(t) {
  const x = Math.min(1, Math.max(0, t)) * (cividis.length - 1);
  const i = Math.min(cividis.length - 2, Math.floor(x));
  const mix = cividis[i].map((c, k) => Math.round(c + (x - i) * (cividis[i + 1][k] - c)));
  return `rgb(${mix.join(",")})`;
}

// Lines: a chart that is made again where its series change, and given data otherwise.
class line_chart {
  constructor(place) {
    this.place = place;
    this.shown = "";
    new ResizeObserver(() => this.chart?.setSize({ width: this.width(), height: plot_height })).observe(place);
  }

  width() { return Math.max(220, this.place.clientWidth); }

  // spec: {series: [{label, colour, scale, dash, points}], x, y, y2, log, x_log, y2_log, marks: [{x, colour, dash, label}], ticks: [x]}
  show(spec, data) {
    this.spec = spec;
    this.data = data;
    const shape = JSON.stringify([spec.series, spec.x, spec.y, spec.y2, spec.log, spec.x_log, document.documentElement.dataset.theme]);
    if (shape === this.shown) {
      this.chart.setData(data);
      return;
    }
    this.shown = shape;
    this.chart?.destroy();
    const axis = (more) => ({ stroke: colour("text"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("line") }, labelSize: 20, labelFont: "12px system-ui", font: "12px system-ui", ...more });
    const of_number = (u, ticks) => ticks.map((t) => (t === null ? "" : short(t, 4)));
    // Of decades, so many that their names don't touch.
    const of_decade = (u, ticks) => {
      const decade = (t) => Math.round(Math.log10(t));
      const all = ticks.filter((t) => t !== null);
      const step = Math.ceil((decade(all.at(-1) ?? 1) - decade(all[0] ?? 1) + 1) / 7);
      return ticks.map((t) => (t === null ? "" : step === 1 ? short(t, 4) : Math.abs(Math.log10(t) - decade(t)) < 1e-9 && decade(t) % step === 0 ? `10${superscript(decade(t))}` : ""));
    };
    const scales = { x: { time: false, distr: spec.x_log ? 3 : 1 }, y: { distr: spec.log ? 3 : 1 } };
    const axes = [axis({ label: spec.x, values: of_number }), axis({ label: spec.y, scale: "y", values: of_number, size: 62 })];
    if (spec.y2) {
      scales.y2 = { distr: spec.y2_log ? 3 : 1 };
      axes.push(axis({ label: spec.y2, scale: "y2", side: 1, grid: { show: false }, ticks: { show: !spec.y2_log }, values: spec.y2_log ? of_decade : of_number, size: 56 }));
    }
    this.chart = new uPlot({
      width: this.width(), height: plot_height, scales, axes,
      cursor: { drag: { x: true, y: false } },
      legend: { markers: { width: 2, dash: (u, i) => (spec.series[i - 1]?.dash ? "dashed" : "solid"), stroke: (u, i) => colour(spec.series[i - 1]?.colour ?? "text"), fill: () => "transparent" } },
      series: [{ label: spec.x.split(",")[0], value: (u, v) => (v === null ? "" : short(v)) },
        ...spec.series.map((s) => ({
          label: s.label, stroke: colour(s.colour), width: 2, dash: s.dash, scale: s.scale ?? "y", spanGaps: false,
          points: { show: false }, value: (u, v) => (v === null || v === undefined ? "" : short(v)),
        }))],
      hooks: { draw: [(u) => this.draw_marks(u)] },
    }, data, this.place);
    this.place.querySelectorAll("canvas").forEach((c) => c.setAttribute("aria-hidden", "true"));
  }

  draw_marks(u) {
    const { left, top, width, height } = u.bbox;
    const c = u.ctx;
    c.save();
    c.beginPath(); c.rect(left, top, width, height); c.clip();
    for (const mark of this.spec.marks ?? []) {
      const x = u.valToPos(mark.x, "x", true);
      c.strokeStyle = colour(mark.colour); c.lineWidth = 1.5 * devicePixelRatio; c.setLineDash((mark.dash ?? []).map((d) => d * devicePixelRatio));
      c.beginPath(); c.moveTo(x, top); c.lineTo(x, top + height); c.stroke();
    }
    c.setLineDash([]); c.strokeStyle = colour("c2"); c.lineWidth = devicePixelRatio;
    for (const t of this.spec.ticks ?? []) {
      const x = u.valToPos(t, "x", true);
      c.beginPath(); c.moveTo(x, top + height); c.lineTo(x, top + height - 14 * devicePixelRatio); c.stroke();
    }
    c.restore();
  }

  canvas() { return this.place.querySelector("canvas"); }

  // The same as strokes, for a file.
  paint(p, width, height) {
    const { spec, data } = this;
    const box = { x: 70, y: 14, w: width - 70 - (spec.y2 ? 64 : 16), h: height - 62 };
    const text = colour("text");
    p.rect(0, 0, width, height, colour("card"));
    const range = (values, log) => {
      const all = values.flat().filter((v) => Number.isFinite(v) && (!log || v > 0));
      const lo = Math.min(...all); const hi = Math.max(...all);
      return hi > lo ? [lo, hi] : [lo - 0.5, hi + 0.5];
    };
    const of = (log) => (log ? Math.log10 : (v) => v);
    const ticks_of = ([lo, hi], most, log) => (log ? log_ticks(Math.log10(lo), Math.log10(hi), most) : nice_ticks(lo, hi, most));
    const xs = range([data[0]], spec.x_log);
    const x_of = of(spec.x_log);
    const x_at = (v) => box.x + ((x_of(v) - x_of(xs[0])) / (x_of(xs[1]) - x_of(xs[0]))) * box.w;
    const scale_of = (name) => {
      const values = spec.series.map((s, i) => ((s.scale ?? "y") === name ? data[i + 1] : [])).flat();
      const log = name === "y2" ? spec.y2_log : spec.log;
      const [lo, hi] = range([values], log);
      const f = of(log);
      return { at: (v) => box.y + box.h - ((f(v) - f(lo)) / (f(hi) - f(lo))) * box.h,
        ticks: spec.log ? nice_ticks(Math.log10(lo), Math.log10(hi), 6).map((t) => 10 ** t) : ticks_of([lo, hi], 6, log) };
    };
    const y = scale_of("y");
    for (const t of ticks_of(xs, 7, spec.x_log)) {
      p.line([[x_at(t), box.y], [x_at(t), box.y + box.h]], colour("grid"));
      p.text(x_at(t), box.y + box.h + 12, short(t, 4), text, { align: "center", size: 11 });
    }
    for (const t of y.ticks) {
      p.line([[box.x, y.at(t)], [box.x + box.w, y.at(t)]], colour("grid"));
      p.text(box.x - 6, y.at(t), short(t, 4), text, { align: "right", size: 11 });
    }
    const y2 = spec.y2 ? scale_of("y2") : null;
    for (const t of y2?.ticks ?? []) {
      p.text(box.x + box.w + 6, y2.at(t), short(t, 4), text, { size: 11 });
    }
    for (const mark of spec.marks ?? []) {
      if (mark.x >= xs[0] && mark.x <= xs[1]) {
        p.line([[x_at(mark.x), box.y], [x_at(mark.x), box.y + box.h]], colour(mark.colour), 1.5, mark.dash ?? []);
      }
    }
    for (const t of spec.ticks ?? []) {
      if (t >= xs[0] && t <= xs[1]) {
        p.line([[x_at(t), box.y + box.h], [x_at(t), box.y + box.h - 14]], colour("c2"));
      }
    }
    spec.series.forEach((s, i) => {
      const scale = s.scale === "y2" ? y2 : y;
      let piece = [];
      const flush = () => { if (piece.length > 1) { p.line(piece, colour(s.colour), 2, s.dash ?? []); } piece = []; };
      data[i + 1].forEach((v, k) => (v === null || (spec.log && v <= 0) ? flush() : piece.push([x_at(data[0][k]), scale.at(v)])));
      flush();
      p.line([[box.x + 8, box.y + 10 + 16 * i], [box.x + 30, box.y + 10 + 16 * i]], colour(s.colour), 2, s.dash ?? []);
      p.text(box.x + 36, box.y + 10 + 16 * i, s.label, text, { halo: colour("card") });
    });
    p.line([[box.x, box.y], [box.x, box.y + box.h], [box.x + box.w, box.y + box.h]], text);
    p.text(box.x + box.w / 2, height - 12, spec.x, text, { align: "center" });
    p.text(14, box.y + box.h / 2, spec.y, text, { align: "center", turn: -Math.PI / 2 });
    if (spec.y2) {
      p.text(width - 12, box.y + box.h / 2, spec.y2, text, { align: "center", turn: -Math.PI / 2 });
    }
  }
}

// A box with axes about it, for the plane and the map. Of a logarithmic axis the ends are logarithms to the base 10.
function frame(p, width, height, x, y, labels, { right = 12, log = {} } = {}) {
  const box = { x: 62, y: 10, w: width - 62 - right, h: height - 52 };
  const scale = (v, axis) => (log[axis] ? Math.log10(v) : v);
  const x_at = (v) => box.x + ((scale(v, "x") - x[0]) / (x[1] - x[0])) * box.w;
  const y_at = (v) => box.y + box.h - ((scale(v, "y") - y[0]) / (y[1] - y[0])) * box.h;
  const ticks = ([lo, hi], most, axis) => (log[axis] ? log_ticks(lo, hi, most) : nice_ticks(lo, hi, most));
  return {
    box, x_at, y_at,
    x_of: (px) => x[0] + ((px - box.x) / box.w) * (x[1] - x[0]),
    y_of: (py) => y[0] + ((box.y + box.h - py) / box.h) * (y[1] - y[0]),
    axes() {
      const text = colour("text");
      for (const t of ticks(x, Math.max(3, box.w / 70), "x")) {
        p.line([[x_at(t), box.y + box.h], [x_at(t), box.y + box.h + 4]], text);
        p.text(x_at(t), box.y + box.h + 13, short(t, 4), text, { align: "center", size: 11 });
      }
      for (const t of ticks(y, 6, "y")) {
        p.line([[box.x - 4, y_at(t)], [box.x, y_at(t)]], text);
        p.text(box.x - 7, y_at(t), short(t, 4), text, { align: "right", size: 11 });
      }
      p.line([[box.x, box.y], [box.x + box.w, box.y], [box.x + box.w, box.y + box.h], [box.x, box.y + box.h], [box.x, box.y]], text);
      p.text(box.x + box.w / 2, height - 10, labels[0], text, { align: "center" });
      p.text(12, box.y + box.h / 2, labels[1], text, { align: "center", turn: -Math.PI / 2 });
    },
  };
}

const kind_colours = { sink: "c3", neutral: "c5", saddle: "c2", source: "c4" };

function paint_marker(p, kind, x, y) {
  const fill = colour(kind_colours[kind]);
  const edge = colour("card");
  if (kind === "sink") {
    p.circle(x, y, 6, fill, edge);
  } else if (kind === "saddle") {
    p.shape([[x, y - 7], [x + 7, y], [x, y + 7], [x - 7, y]], fill, edge);
  } else if (kind === "source") {
    p.circle(x, y, 6, edge, fill);
  } else {
    p.shape([[x - 5, y - 5], [x + 5, y - 5], [x + 5, y + 5], [x - 5, y + 5]], fill, edge);
  }
}

// plane: {reach, s, field, u_nullcline, m_nullcline}; path: {u, m}; rests: equilibria and their mirrors
function paint_plane(p, width, height, state, plane, path, rests) {
  p.rect(0, 0, width, height, colour("card"));
  const top = Math.sqrt(1 - state.s0 * state.s0);
  const f = frame(p, width, height, [-plane.reach, plane.reach], [-top, top], ["u, the adapter's amplitude", "m, its overlap with the target"]);
  p.clip(f.box.x, f.box.y, f.box.w, f.box.h);
  const l = (0.36 * Math.min(f.box.w, f.box.h)) / plane.arrows;
  const arrows = [];
  for (let i = 0; i < plane.field.length; i += 4) {
    const [u, m, du, dm] = plane.field.slice(i, i + 4);
    const vx = (du / (2 * plane.reach)) * f.box.w;
    const vy = (-dm / (2 * top)) * f.box.h;
    const size = Math.hypot(vx, vy);
    if (du === null || dm === null || size === 0) { continue; }
    const ex = (vx / size) * l; const ey = (vy / size) * l;
    const x = f.x_at(u) + ex; const y = f.y_at(m) + ey;
    arrows.push([[x - 2 * ex, y - 2 * ey], [x, y]],
      [[x - 0.5 * ex - 0.35 * ey, y - 0.5 * ey + 0.35 * ex], [x, y], [x - 0.5 * ex + 0.35 * ey, y - 0.5 * ey - 0.35 * ex]]);
  }
  p.lines(arrows, colour("arrow"), 1.2);
  for (const [segments, name] of [[plane.u_nullcline, "c4"], [plane.m_nullcline, "c5"]]) {
    const lines = [];
    for (let i = 0; i < segments.length; i += 4) {
      lines.push([[f.x_at(segments[i]), f.y_at(segments[i + 1])], [f.x_at(segments[i + 2]), f.y_at(segments[i + 3])]]);
    }
    p.lines(lines, colour(name), 1.4);
  }
  if (path) {
    p.line(path.u.map((u, i) => [f.x_at(u), f.y_at(path.m[i])]), colour("c1"), 2.4);
  }
  for (const e of rests) {
    paint_marker(p, e.kind, f.x_at(e.x[0]), f.y_at(e.x[1]));
  }
  p.unclip();
  p.circle(f.x_at(state.u0), f.y_at(state.m0), 8, "", colour("c1"));
  p.circle(f.x_at(state.u0), f.y_at(state.m0), 3, colour("c1"), "");
  f.axes();
  return f;
}

// map: {x, y, xs, ys, cells: sparse [{…}], stride}
function paint_map(p, width, height, state, map, titles) {
  p.rect(0, 0, width, height, colour("card"));
  const nx = map.xs.length; const ny = map.ys.length;
  // From the lower edge of the first cell to the upper one of the last.
  const ends = (values, log) => {
    const [from, to] = [values[0], values.at(-1)].map((v) => (log ? Math.log10(v) : v));
    const half = (to - from) / (values.length - 1) / 2;
    return [from - half, to + half];
  };
  const f = frame(p, width, height, ends(map.xs, map.log.x), ends(map.ys, map.log.y), titles, { right: 78, log: map.log });
  const times = map.cells.filter((c) => c && c.t_hit > 0).map((c) => Math.log10(c.t_hit)).sort((a, b) => a - b);
  const lo = times[0] ?? 0;
  const hi = Math.max(lo + 1e-9, times[Math.min(times.length - 1, Math.floor(0.995 * times.length))] ?? 1);
  const w = f.box.w / nx; const h = f.box.h / ny;
  const stride_of = (i, j) => { let s = map.coarsest; while (s > 1 && (i % s || j % s)) { s /= 2; } return s; };
  // The coarse ones first: finer cells cover them.
  for (let s = map.coarsest; s >= 1; s /= 2) {
    for (let j = 0; j < ny; j += s) {
      for (let i = 0; i < nx; i += s) {
        const c = map.cells[j * nx + i];
        if (!c || stride_of(i, j) !== s) { continue; }
        const x = f.box.x + i * w; const y = f.box.y + f.box.h - (j + Math.min(s, ny - j)) * h;
        const cw = Math.min(s, nx - i) * w; const ch = Math.min(s, ny - j) * h;
        p.rect(x, y, cw + 0.4, ch + 0.4, c.t_hit > 0 ? cividis_at((Math.log10(c.t_hit) - lo) / (hi - lo)) : colour("line"));
        if (!(c.t_hit > 0) && w * s > 3) {
          p.line([[x, y + ch], [x + cw, y]], colour("dim"), 0.6);
        }
      }
    }
  }
  if (map.done) {
    const edge = (points) => { p.line(points, "#ffffff", 2.6); p.line(points, "#000000", 1.2); };
    const of = (i, j) => map.cells[j * nx + i]?.outcome;
    const seen = new Map();
    for (let j = 0; j < ny; ++j) {
      for (let i = 0; i < nx; ++i) {
        const x = f.box.x + i * w; const y = f.box.y + f.box.h - (j + 1) * h;
        if (i + 1 < nx && of(i, j) !== of(i + 1, j)) { edge([[x + w, y], [x + w, y + h]]); }
        if (j + 1 < ny && of(i, j) !== of(i, j + 1)) { edge([[x, y], [x + w, y]]); }
        const places = seen.get(of(i, j)) ?? [];
        places.push([i, j]);
        seen.set(of(i, j), places);
      }
    }
    // A name in the place that is farthest from other outcomes.
    for (const [name, places] of seen) {
      if (places.length < 0.02 * nx * ny) { continue; }
      const room = (i, j) => {
        let r = 0;
        const inside = (k) => [[k, 0], [-k, 0], [0, k], [0, -k], [k, k], [-k, k], [k, -k], [-k, -k]].every(([a, b]) => of(i + a, j + b) === name && i + a >= 0 && i + a < nx);
        while (r < nx && inside(r + 1)) { r += 1; }
        return r;
      };
      let best = places[0]; let most = -1;
      for (const place of places) { const r = room(...place); if (r > most) { most = r; best = place; } }
      const px = Math.min(Math.max(f.box.x + (best[0] + 0.5) * w, f.box.x + 34), f.box.x + f.box.w - 34);
      p.text(px, f.box.y + f.box.h - (best[1] + 0.5) * h, name, "#000000", { align: "center", halo: "#ffffff" });
    }
  }
  const here = [f.x_at(state[map.x] ?? state[`{${map.x}}`]), f.y_at(state[map.y] ?? state[`{${map.y}}`])];
  p.clip(f.box.x, f.box.y, f.box.w, f.box.h);
  // A run at 0 has no place on a logarithmic axis.
  if (here.every(Number.isFinite)) {
    p.circle(here[0], here[1], 7, "", "#ffffff");
    p.circle(here[0], here[1], 8.5, "", "#000000");
  }
  p.unclip();
  f.axes();
  const bar = { x: width - 66, y: f.box.y + 18, w: 12, h: f.box.h - 18 };
  for (let i = 0; i < 64; ++i) {
    p.rect(bar.x, bar.y + (bar.h * (63 - i)) / 64, bar.w, bar.h / 64 + 0.5, cividis_at(i / 63));
  }
  if (times.length > 0) {
    for (const t of nice_ticks(lo, hi, 5)) {
      const y = bar.y + bar.h * (1 - (t - lo) / (hi - lo));
      p.text(bar.x + bar.w + 4, y, Number.isInteger(t) ? `10${superscript(t)}` : short(10 ** t, 2), colour("text"), { size: 10 });
    }
  }
  p.text(bar.x + 26, f.box.y + 6, "escape time", colour("text"), { align: "center", size: 11 });
  return f;
}
