"""What the library costs: runs the benchmarks of a release build and writes the tables and the figure of
docs/performance.md.

    docs/performance.py build/release
"""

import json
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

DOCS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS / "tools"))

import drawing  # noqa: E402
from page import fill, table  # noqa: E402


def measured(build, name, pattern):
    """The benchmarks of one program whose names match, by name, and what it ran on."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([build / "tests/bench" / name, f"--benchmark_filter={pattern}", f"--benchmark_out={out.name}",
                        "--benchmark_out_format=json"], check=True, stdout=subprocess.DEVNULL)
        found = json.load(out)
    return {b["name"].removesuffix("/iterations:1"): b for b in found["benchmarks"]}, found["context"]


def processor():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return re.search(r"model name\s*: (.*)", text).group(1).strip()
    except (OSError, AttributeError):
        return platform.processor() or platform.machine()


def nanoseconds(b):
    return b["cpu_time"] * {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[b["time_unit"]]


def shown(ns):
    for unit, size in (("ns", 1), ("µs", 1e3), ("ms", 1e6)):
        if ns < 1e3 * size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns / 1e9:.3g} s"


def ratio(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"


def flow_table(found):
    names = [n.split("/")[1] for n in found if n.startswith("right_hand_side/") and n.endswith("gamma=0")]
    rows = []
    for name in names:
        row = [f"`{name}`"]
        for gamma in (0, 1):
            ours, erf = (nanoseconds(found[f"right_hand_side/{n}/gamma={gamma}"]) for n in (name, "erf"))
            row += [shown(ours), ratio(ours / erf)]
        for gamma in (0, 1):
            b = found.get(f"escapes/{name}/gamma={gamma}")
            row += [shown(nanoseconds(b)), ratio(b['ratio_erf'])] if b else ["", ""]
        rows.append(row)
    return table(["", "γ = 0", "/ erf", "γ = 1", "/ erf", "97 escapes, γ = 0", "/ erf", "γ = 1", "/ erf"], rows)


def rates_table(found):
    rows = []
    for name, b in found.items():
        if name.endswith("/nu=0"):
            _, student, teacher, _ = name.split("/")
            beside = found[name + ".3"]
            rows.append([f"`{student}`, `{teacher}`", shown(nanoseconds(b)), ratio(b['ratio']),
                         shown(nanoseconds(beside)), ratio(beside['ratio']), shown(1e9 * b['preparation'])])
    return table(["student, teacher", "ν = 0", "script /", "ν = 0.3", "script /", "tables"], rows)


def chain_table(found):
    def cost(name):
        return found[f"chain/{name}/aligned/d=1000/B=64"]["ns_per_sample"]

    names = [n.split("/")[1] for n in found]
    return table(["", "a sample", "/ erf", "loop /"],
                 [[f"`{n}`", f"{cost(n):.3g} ns", f"{cost(n) / cost('erf'):.2g}",
                   f"{found[f'chain/{n}/aligned/d=1000/B=64']['ratio']:.2g}"] for n in names])


def work_precision(found):
    panels = []
    for name in ("erf", "he3", "tanh"):
        panel = drawing.Panel(f"{name}, μ = 0.5", "time (µs)", "relative error of t_{hit}", log="xy",
                              range_y="1e-14:1e-2")
        for group, (label, words) in enumerate((("loradyn", "loradyn"), ("dopri5", "dopri5, our velocity"),
                                                ("script", "dopri5, 40 × 40 rule"))):
            runs = [found[f"work_precision/{name}/{label}/1e-{k}/min_time:0.020"] for k in range(4, 13)]
            x, y = [nanoseconds(b) / 1e3 for b in runs], [max(b["error"], 1e-14) for b in runs]
            panel.curve(group, words, x, y)
            panel.points(group, "", x, y)
        panels.append(panel)
    drawing.draw(DOCS / "figures" / "work-precision.svg", panels, columns=3)


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else DOCS.parent / "build/release").resolve()
    flow, context = measured(build, "escape_bench", "^(right_hand_side|escapes|work_precision)/")
    rates, _ = measured(build, "search_phase_bench", "^rates/")
    chain, _ = measured(build, "simulation_bench", "^chain/.*/aligned/d=1000/B=64$")
    caches = ", ".join(f"L{c['level']} {c['size'] // 1024} kB" for c in context["caches"] if c["type"] != "Instruction")
    fill(DOCS / "performance.md", {
        "machine": f"Measured on one core of: {processor()}, {context['num_cpus']} cores, {caches}; load "
                   f"{context['load_avg'][0]:.1f} at the start.",
        "flow": flow_table(flow), "rates": rates_table(rates), "chain": chain_table(chain)})
    work_precision(flow)


if __name__ == "__main__":
    main()
