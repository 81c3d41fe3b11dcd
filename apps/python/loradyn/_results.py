"""What a question gives: its columns as arrays, as a table, and drawn."""

import keyword

import numpy as np

from . import _loradyn

_TITLES = {p["name"]: p["title"] for p in _loradyn.parameters}


class Result:
    """The answer to a question.

    Every column is a field, ``r.tau``, and an item, ``r["tau"]``: an array that shares the result's
    memory, of shape ``r.shape``, or a number where that is (). Of a network ``r.U`` and its like are
    matrices of columns, with rows and columns as last axes. ``np.asarray(r)`` is a structured array of
    all columns, ``r.to_pandas()`` a DataFrame, and ``r.meta`` says what was asked.
    """

    _question = {"name": "result", "columns": [], "more": {}, "drawing": "curves", "drawn": []}

    def __init__(self, answer, keywords=None, positional=()):
        self._answer = answer
        self._keywords = keywords
        self._positional = positional

    @property
    def shape(self):
        """The shape of every field."""
        return self._answer["table"].shape

    @property
    def varying(self):
        """The arguments that were arrays, broadcast to the shape of the points."""
        return {
            name: np.broadcast_to(np.asarray(value), self._answer["extent"])
            for name, value in self._answer["varying"].items()
        }

    @property
    def meta(self):
        """A dict: the question, the version of the library, and the arguments that were given."""
        named = dict(zip(("student", "teacher"), self._positional))
        return {
            "question": self._question["name"],
            "version": _loradyn.version,
            "arguments": {**named, **(self._keywords or {})},
        }

    def keys(self):
        """The names of the columns, in order."""
        return self._answer["table"].names

    def __getitem__(self, name):
        return self._answer["table"].column(name)[()]

    def _field(self, name):
        """A matrix of a network, a column, or what stands beside them."""
        if not name.startswith("_"):
            more, matrices = self._answer["more"], self._answer.get("matrices", {})
            if name in matrices:
                entries = np.asarray(matrices[name])
                columns = [self[column] for column in entries.ravel()]
                return np.stack(columns, axis=-1).reshape(self.shape + entries.shape)
            if name in more:
                value = more[name]
                if isinstance(value, _loradyn.Table):
                    extent = value.shape
                    value = type(self)({"table": value, "varying": {}, "extent": extent, "more": {}},
                                       self._keywords, self._positional)
                return value
            if name in self.keys():
                return self[name]
            if name.endswith("_") and keyword.iskeyword(name[:-1]):
                return self._field(name[:-1])
        raise AttributeError(
            f"a result of {self._question['name']} has no field '{name}'; it has "
            + ", ".join(self._fields())
        )

    def __getattr__(self, name):
        return self._field(name)

    def _fields(self):
        return [*self.keys(), *self._answer.get("matrices", {}), *self._answer["more"]]

    def __dir__(self):
        return [*super().__dir__(), *self._fields()]

    def __array__(self, dtype=None):
        columns = {name: np.asarray(self[name]) for name in self.keys()}
        whole = np.empty(self.shape, dtype=[(name, c.dtype) for name, c in columns.items()])
        for name, c in columns.items():
            whole[name] = c
        return whole if dtype is None else whole.astype(dtype)

    def to_pandas(self):
        """A DataFrame with a row for each element, in C order.

        The arguments that were arrays come first, where they are no columns.
        """
        import pandas

        names = self.keys()
        frame = {}
        rows = int(np.prod(self.shape, dtype=np.int64))
        for name, value in self.varying.items():
            if name in names:
                continue
            points = value.ravel()
            if "point" in self._answer["more"]:
                frame[name] = points[self.point]
            else:
                frame[name] = np.repeat(points, rows // max(len(points), 1))
        for name in names:
            frame[name] = np.ravel(self[name])
        return pandas.DataFrame(frame)

    def __repr__(self):
        most, beside = 12, 5
        names = self.keys()
        columns = [np.ravel(self[name]) for name in names]
        rows = len(columns[0]) if columns else 0
        shown = list(range(rows)) if rows <= most else [*range(beside), None,
                                                        *range(rows - beside, rows)]
        cells = [names]
        for i in shown:
            cells.append(["…" if i is None else _text(c[i]) for c in columns])
        widths = [max(len(row[k]) for row in cells) for k in range(len(names))]
        lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths)) for row in cells]
        head = f"{type(self).__name__}, shape {self.shape}"
        return "\n".join([head, *lines])

    def plot(self, ax=None):
        """Draws what the question is about with matplotlib, which must be there.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; left out, a new figure.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from . import _plots

        # A network's result has other columns than the question's other results.
        drawing = self._answer.get("drawing", self._question["drawing"])
        return _plots.plot(self, self._question, drawing, ax)


def _text(value):
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)


def attribute_of(name):
    """The field of a column: ``lambda_`` of lambda, which is no name in Python."""
    return name + "_" if keyword.iskeyword(name) else name


def title_of(name):
    """What stands at an axis of a parameter or a column."""
    return _TITLES.get(name, name)


def make_result(question):
    """The class of a question's results, with its columns as properties."""

    def field(name, meaning):
        return property(lambda self: self._field(name), doc=meaning)

    members = {attribute_of(c["name"]): field(c["name"], c["meaning"]) for c in question["columns"]}
    members["_question"] = question
    members["__doc__"] = f"What `{question['name']}` gives. {question['returned']}"
    name = question["name"].title().replace("_", "") + "Result"
    made = type(name, (Result,), members)
    made.__module__ = "loradyn"
    return made
