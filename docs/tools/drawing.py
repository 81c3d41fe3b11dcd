"""Figures of the pages that scripts make, drawn by gnuplot: panels of curves, bands, points and maps."""

import math
import subprocess

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#7f7f7f"]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Panel:
    """One pair of axes. A series is (x, y); colours are counted per group, so that a curve and the points that
    belong to it share one."""

    def __init__(self, title, x, y, log="", range_x="", range_y=""):
        self.settings = [f"set title {quoted(title)}", f"set xlabel {quoted(x)} offset 0,0.7", f"set ylabel {quoted(y)}",
                         "unset logscale", "set key below center horizontal samplen 1.5",
                         f"set xrange [{range_x or '*:*'}]", f"set yrange [{range_y or '*:*'}]"]
        if log:
            self.settings.append(f"set logscale {log}")
        for axis in "xy":
            self.settings.append(f'set format {axis} "' + ("10^{%T}" if axis in log else "%g") + '"')
        self.series = []

    def _add(self, style, group, label, *columns):
        self.series.append((style.format(colour=COLOURS[group % len(COLOURS)]), label, columns))

    def curve(self, group, label, x, y, dashed=False):
        dash = "dt (6,4) lw 1.4" if dashed else "lw 1.6"
        self._add(f'using 1:2 with lines lc rgb "{{colour}}" {dash}', group, label, x, y)

    def points(self, group, label, x, y):
        self._add('using 1:2 with points pt 6 ps 0.55 lc rgb "{colour}"', group, label, x, y)

    def band(self, group, x, low, high):
        self._add('using 1:2:3 with filledcurves fs transparent solid 0.25 noborder lc rgb "{colour}"', group, "",
                  x, low, high)

    def script(self, first):
        data, plots = [], []
        for i, (style, label, columns) in enumerate(self.series, first):
            rows = "\n".join(" ".join("NaN" if not math.isfinite(v) else f"{v:.7g}" for v in row)
                             for row in zip(*columns))
            data.append(f"$d{i} << EOD\n{rows}\nEOD")
            title = f"title {quoted(label)}" if label else "notitle"
            plots.append(f"$d{i} {style} {title}")
        return "\n".join([*data, *self.settings, "plot " + ", \\\n  ".join(plots)])


class Map:
    """A colour for each pair of a list of x and a list of y, which stand at even distances with their values as ticks."""

    def __init__(self, title, x, y, xs, ys, values, limits):
        def ticks(values):
            return ", ".join(f'"{v:.3g}" {i}' for i, v in enumerate(values))

        self.settings = [f"set title {quoted(title)}", f"set xlabel {quoted(x)}", f"set ylabel {quoted(y)}", "unset key",
                         "unset logscale", f"set xtics ({ticks(xs)}) rotate", f"set ytics ({ticks(ys)})",
                         f"set cbrange [{limits[0]}:{limits[1]}]", "set xrange [*:*]", "set yrange [*:*]",
                         'set palette defined (0 "#f7fbff", 0.5 "#6baed6", 1 "#08306b")']
        self.values = values
        self.series = [None]

    def script(self, first):
        rows = "\n".join(" ".join(f"{v:.4g}" for v in row) for row in self.values)
        return "\n".join([f"$d{first} << EOD\n{rows}\nEOD", *self.settings, f"plot $d{first} matrix with image pixels"])


def draw(path, panels, columns=2, height=380):
    rows = -(-len(panels) // columns)
    lines = [f'set terminal svg size {440 * columns},{height * rows} font "Helvetica,13" background "#ffffff"',
             f"set output {quoted(str(path))}", "set encoding utf8", 'set datafile missing "NaN"', "set border lw 0.8",
             "set grid lc rgb '#dddddd' lw 0.5", f"set multiplot layout {rows},{columns}"]
    count = 0
    for panel in panels:
        lines.append(panel.script(count))
        count += len(panel.series)
    lines.append("unset multiplot")
    subprocess.run(["gnuplot", "-"], input="\n".join(lines) + "\n", text=True, check=True)
