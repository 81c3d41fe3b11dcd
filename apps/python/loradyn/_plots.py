"""How results are drawn. Nothing is computed here: what is drawn stands in the columns."""

import numpy as np

from ._results import title_of


def plot(result, question, drawing, ax):
    if ax is None:
        import matplotlib.pyplot as pyplot

        ax = pyplot.figure(layout="constrained").add_subplot()
    _DRAWINGS[drawing](result, question, ax)
    return ax


def _measure(question, name):
    for c in question["columns"]:
        if c["name"] == name:
            return c["measure"]
    return "none"


def _label(question, name):
    for c in question["columns"]:
        if c["name"] == name:
            return f"{name}, {c['meaning']}"
    return name


def _axis(result):
    """The name of a number that varies along an axis, its values there, and the axis: the longest."""
    found = None
    for name, values in result.varying.items():
        if values.dtype.kind not in "fiu":
            continue
        for axis, n in enumerate(values.shape):
            line = np.moveaxis(values, axis, -1).reshape(-1, n)[0] if values.size else values[:0]
            if n > 1 and line[0] != line[-1] and (found is None or n > len(found[1])):
                found = name, line, axis
    if found is None:
        raise ValueError("no number varies along an axis of this result: there is no curve to draw")
    return found


def _line_labels(result, along, axis):
    """A label for each line along the axis."""
    labels = None
    for name, values in result.varying.items():
        firsts = np.take(values, 0, axis=axis).ravel()
        if labels is None:
            labels = [[] for _ in firsts]
        if name == along or len(firsts) == 1:
            continue
        for label, value in zip(labels, firsts):
            label.append(str(value) if name in ("student", "teacher") else f"{name} = {value:g}")
    return [", ".join(label) for label in labels]


def _legend(ax):
    if ax.get_legend_handles_labels()[1]:
        ax.legend()


def _curves(result, question, ax):
    x_name, x, axis = _axis(result)
    labels = _line_labels(result, x_name, axis)
    for y_name in question["drawn"]:
        y = np.moveaxis(np.asarray(result[y_name]), axis, -1).reshape(-1, len(x))
        each = len(y) // len(labels)  # of a network a point has several modes
        for line, label in zip(y, [label for label in labels for _ in range(each)]):
            ax.plot(x, line, marker="." if len(x) < 30 else "", label=label or None)
        if _measure(question, y_name) == "time":
            ax.set_yscale("log")
        ax.set_ylabel(_label(question, y_name))
    ax.set_xlabel(title_of(x_name))
    _legend(ax)


def _runs(result, question, ax):
    t = np.reshape(result["t"], (-1, result.shape[-1]))
    for y_name in question["drawn"]:
        y = np.reshape(result[y_name], t.shape)
        for k, line in enumerate(y):
            ax.plot(t[k], line, label=y_name if len(y) == 1 else f"{y_name}, run {k + 1}")
    ax.set_xlabel("time")
    ax.legend()


def _band(result, question, ax):
    if "t_hit" in result.keys():
        hits = np.ravel(result["t_hit"])
        hits = hits[np.isfinite(hits)]
        ax.hist(hits, bins="auto", density=len(hits) > 0)
        ax.set_xlabel("t_hit, when a run meets its event")
        ax.set_ylabel("density")
        return
    t = np.reshape(result["t"], (-1, result.shape[-1]))
    for name in question["drawn"]:
        mean, low, high = (np.reshape(result[f"{name}_{part}"], t.shape)
                           for part in ("mean", "q05", "q95"))
        for k in range(len(t)):
            (line,) = ax.plot(t[k], mean[k], label=f"mean {name}")
            ax.fill_between(t[k], low[k], high[k], alpha=0.25, color=line.get_color())
    ax.set_xlabel("time")
    ax.legend()


def _matrices(result, question, ax):
    """Every entry of a network's matrices and the risk, those of one matrix in one colour."""
    t = np.reshape(result["t"], (-1, result.shape[-1]))
    summarised = "risk_mean" in result.keys()

    def entries(name, part):
        name += part if summarised else ""
        values = result[name] if name in result.keys() else getattr(result, name)
        return np.reshape(values, (*t.shape, -1))

    trains = ["a"] if f"a_1{'_mean' if summarised else ''}" in result.keys() else []
    for color, name in enumerate(["U", "M", "m", "S", *trains, "risk"]):
        for k, values in enumerate(entries(name, "_mean")):
            lines = ax.plot(t[k], values, color=f"C{color}")
            if k == 0:
                lines[0].set_label(f"mean {name}" if summarised else name)
            if summarised:
                for low, high in zip(entries(name, "_q05")[k].T, entries(name, "_q95")[k].T):
                    ax.fill_between(t[k], low, high, alpha=0.15, color=f"C{color}", linewidth=0)
    ax.set_xlabel("time")
    ax.legend()


def _places(result, question, ax):
    (y_name,) = question["drawn"]
    y = result[y_name]
    x_name = next((n for n in result.varying if result.varying[n].dtype.kind in "fiu"), None)
    if x_name is not None:
        x = np.ravel(result.varying[x_name])[result.point]
    elif "dim" in result.keys():
        x_name, x = "dim", result["dim"]
        ax.set_xscale("log")
    else:
        x_name, x = "student", result["student"]
    kinds = next((result[n] for n in ("kind", "verdict", "status") if n in result.keys()))
    for kind in dict.fromkeys(kinds.tolist()):
        here = kinds == kind
        ax.plot(x[here], y[here], ".", label=kind)
    ax.set_xlabel(title_of(x_name))
    ax.set_ylabel(_label(question, y_name))
    ax.legend()


def _is_geometric(values):
    steps = np.diff(np.log(values)) if np.size(values) > 2 and np.min(values) > 0 else np.zeros(0)
    return steps.size > 0 and bool(np.allclose(steps, steps[0], rtol=1e-6)) and steps[0] > 0


def _map(result, question, ax):
    from matplotlib.colors import LogNorm

    z_name = next(name for name in question["drawn"] if name in result.keys())
    z = np.ma.masked_invalid(result[z_name])
    norm = LogNorm() if z.count() and z.min() > 0 else None
    if z.ndim == 2:
        mesh = ax.pcolormesh(result.x, result.y, z, shading="nearest", norm=norm)
    else:
        mesh = ax.scatter(result.x, result.y, c=z, s=4, marker="s", norm=norm)
    ax.figure.colorbar(mesh, ax=ax, label=_label(question, z_name))
    ax.set_xlabel(title_of(result.x_name))
    ax.set_ylabel(title_of(result.y_name))
    if z.ndim == 2:
        # As the program draws them: "log:" has equal ratios.
        ax.set_xscale("log" if _is_geometric(result.x) else "linear")
        ax.set_yscale("log" if _is_geometric(result.y) else "linear")


_DRAWINGS = {"curves": _curves, "runs": _runs, "band": _band, "matrices": _matrices, "places": _places,
             "map": _map}
