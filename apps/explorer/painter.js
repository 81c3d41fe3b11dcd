// The same strokes on a canvas and in an SVG.

function canvas_painter(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const c = canvas.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  const trace = (points) => {
    c.beginPath();
    points.forEach(([x, y], i) => (i === 0 ? c.moveTo(x, y) : c.lineTo(x, y)));
  };
  return {
    rect(x, y, w, h, colour) { c.fillStyle = colour; c.fillRect(x, y, w, h); },
    line(points, colour, thick = 1, dash = []) {
      c.strokeStyle = colour; c.lineWidth = thick; c.setLineDash(dash); trace(points); c.stroke(); c.setLineDash([]);
    },
    lines(many, colour, thick) {
      c.strokeStyle = colour; c.lineWidth = thick; c.beginPath();
      for (const points of many) { points.forEach(([x, y], i) => (i === 0 ? c.moveTo(x, y) : c.lineTo(x, y))); }
      c.stroke();
    },
    shape(points, fill, stroke) {
      trace(points); c.closePath();
      if (fill) { c.fillStyle = fill; c.fill(); }
      if (stroke) { c.strokeStyle = stroke; c.lineWidth = 1.5; c.stroke(); }
    },
    circle(x, y, r, fill, stroke) {
      c.beginPath(); c.arc(x, y, r, 0, 2 * Math.PI);
      if (fill) { c.fillStyle = fill; c.fill(); }
      if (stroke) { c.strokeStyle = stroke; c.lineWidth = 1.5; c.stroke(); }
    },
    text(x, y, words, colour, { align = "left", size = 12, turn = 0, halo = "" } = {}) {
      c.save(); c.translate(x, y); c.rotate(turn); c.font = `${size}px system-ui, sans-serif`; c.textAlign = align;
      c.textBaseline = "middle";
      if (halo) { c.strokeStyle = halo; c.lineWidth = 4; c.lineJoin = "round"; c.strokeText(words, 0, 0); }
      c.fillStyle = colour; c.fillText(words, 0, 0); c.restore();
    },
    clip(x, y, w, h) { c.save(); c.beginPath(); c.rect(x, y, w, h); c.clip(); },
    unclip() { c.restore(); },
  };
}

function svg_painter(width, height) {
  const parts = [];
  let clips = 0;
  const n = (v) => String(Math.round(v * 100) / 100);
  const safe = (t) => String(t).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
  const d = (points) => points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${n(x)} ${n(y)}`).join("");
  const paint = (fill, stroke) => `fill="${fill || "none"}"${stroke ? ` stroke="${stroke}" stroke-width="1.5"` : ""}`;
  return {
    rect(x, y, w, h, colour) { parts.push(`<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" fill="${colour}"/>`); },
    line(points, colour, thick = 1, dash = []) {
      parts.push(`<path d="${d(points)}" fill="none" stroke="${colour}" stroke-width="${thick}"${dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : ""}/>`);
    },
    lines(many, colour, thick) { parts.push(`<path d="${many.map(d).join("")}" fill="none" stroke="${colour}" stroke-width="${thick}"/>`); },
    shape(points, fill, stroke) { parts.push(`<path d="${d(points)}Z" ${paint(fill, stroke)}/>`); },
    circle(x, y, r, fill, stroke) { parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" ${paint(fill, stroke)}/>`); },
    text(x, y, words, colour, { align = "left", size = 12, turn = 0, halo = "" } = {}) {
      const anchor = { left: "start", center: "middle", right: "end" }[align];
      const rotation = turn ? ` transform="rotate(${n((turn * 180) / Math.PI)} ${n(x)} ${n(y)})"` : "";
      const around = halo ? ` stroke="${halo}" stroke-width="4" paint-order="stroke" stroke-linejoin="round"` : "";
      parts.push(`<text x="${n(x)}" y="${n(y)}" font-size="${size}" text-anchor="${anchor}" dominant-baseline="central" fill="${colour}"${around}${rotation}>${safe(words)}</text>`);
    },
    clip(x, y, w, h) {
      clips += 1;
      parts.push(`<clipPath id="c${clips}"><rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}"/></clipPath><g clip-path="url(#c${clips})">`);
    },
    unclip() { parts.push("</g>"); },
    done() {
      return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${n(width)} ${n(height)}" width="${n(width)}" height="${n(height)}" font-family="system-ui, sans-serif">${parts.join("")}</svg>\n`;
    },
  };
}

// Round steps for an axis.
function nice_ticks(lo, hi, most) {
  const raw = (hi - lo) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= raw * 0.999);
  const ticks = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + 1e-9 * step; ++k) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  return ticks;
}

// The same between powers of ten, given by their exponents: 1, 2 and 5 times a power where there is room for them.
function log_ticks(lo, hi, most) {
  const all = (factors) => {
    const ticks = [];
    for (let k = Math.floor(lo); k <= hi; ++k) {
      ticks.push(...factors.map((f) => Number(`${f}e${k}`)).filter((t) => Math.log10(t) >= lo - 1e-9 && Math.log10(t) <= hi + 1e-9));
    }
    return ticks;
  };
  const fitting = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1]].map(all).find((ticks) => ticks.length <= most);
  if (fitting?.length < 2) { return nice_ticks(10 ** lo, 10 ** hi, most); }
  return fitting ?? all([1]).filter((t, i, ticks) => i % Math.ceil(ticks.length / most) === 0);
}

const superscript = (n) => String(n).replace(/[-0-9]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));

// A number for people.
function short(value, digits = 5) {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return "none";
  }
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${Number(mantissa)}·10${superscript(Number(exponent))}`;
  }
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}
