"""Functions, signatures and docstrings, made of what the compiled module tells of its questions."""

import inspect
import textwrap

from . import _loradyn
from ._results import make_result

# What an argument of a kind is, as a docstring says it.
TYPES = {
    "numbers": "float or array of floats",
    "number": "float",
    "whole": "int",
    "flag": "bool",
    "text": "str",
    "activation": "str, Activation or callable",
    "activations": "str, Activation or callable, or an array of these",
    "interval": "(float, float)",
    "record": "int, str or array of floats",
    "axis": "str or (str, array of floats)",
    "stages": "list of dicts",
    "progress": "bool or callable",
    "matrix": "array of floats, of rows",
    "network": "Network",
}
UNITS = {"time": ", in the unit of time_unit", "rate": ", over the unit of time_unit", "none": ""}


def _paragraph(text, indent=""):
    return textwrap.fill(text, 96, initial_indent=indent, subsequent_indent=indent)


def signature_of(arguments, positional=2):
    parameter = inspect.Parameter
    parameters = []
    for i, a in enumerate(arguments):
        kind = parameter.POSITIONAL_OR_KEYWORD if i < positional else parameter.KEYWORD_ONLY
        default = parameter.empty if a["required"] else a["standard"]
        parameters.append(parameter(a["name"], kind, default=default))
    # What must be given comes first, as help() shows it.
    parameters.sort(key=lambda p: (p.kind, p.default is not parameter.empty))
    return inspect.Signature(parameters)


def arguments_text(arguments):
    lines = []
    for a in arguments:
        usual = "" if a["required"] else f", default {a['standard']!r}"
        usual += f", left out beside {a['unless']}" if a["unless"] else ""
        lines.append(f"{a['name']} : {TYPES[a['type']]}{usual}")
        # A symbol is no word: the capital of μ is another.
        first = a["meaning"][:1]
        lines.append(_paragraph((first.upper() if first.isascii() else first) + a["meaning"][1:] + ".", "    "))
    return "\n".join(lines)


def _section(title, text):
    return f"{title}\n{'-' * len(title)}\n{text}\n"


def _question_text(q):
    fields = [_paragraph(q["returned"], "    ")]
    for c in q["columns"]:
        fields.append(_paragraph(f"{c['name']}: {c['meaning']}{UNITS[c['measure']]}.", "    "))
    for name, meaning in q["more"].items():
        fields.append(_paragraph(f"{name}: {meaning}.", "    "))
    result = q["name"].title().replace("_", "") + "Result"
    return "\n".join(
        [
            q["title"],
            "",
            _paragraph(q["text"]),
            "",
            _section("Parameters", arguments_text([a for a in q["arguments"] if not a["of_network"]])),
            *_network_sections(q),
            _section("Returns", f"{result}\n" + "\n".join(fields)),
            _section(
                "Raises",
                "ValueError\n    Where an argument is out of its range; the text names it.\n"
                "ConvergenceError\n    Where a computation that all of the result hangs on does not "
                "reach its tolerance;\n    of a point alone the status tells.",
            ),
            _section("Examples", q["example"]),
        ]
    )


def _network_sections(q):
    """What asks a question of a network, for those that can be."""
    arguments = [a for a in q["arguments"] if a["of_network"]]
    if not arguments:
        return []
    text = ("Any of these asks the question of a network (docs/networks.md).\n\n" + arguments_text(arguments))
    if q["of_network"]:
        told = [f"{name}: {meaning}." for name, meaning in q["of_network"].items()]
        text += "\n\nFields of a network's result, beside or in the place of those below:\n\n" + "\n".join(
            _paragraph(t, "    ") for t in told)
    return [_section("Parameters of a network", text)]


def _make(q):
    ask = getattr(_loradyn, "ask_" + q["name"])
    result = make_result(q)

    def function(*args, **kwargs):
        return result(ask(*args, **kwargs), kwargs, args)

    function.__name__ = function.__qualname__ = q["name"]
    function.__module__ = "loradyn"
    function.__doc__ = _question_text(q)
    function.__signature__ = signature_of(q["arguments"])
    return function, result


functions = {}
results = {}
for _q in _loradyn.questions:
    functions[_q["name"]], _result = _make(_q)
    results[_result.__name__] = _result

_CLASSES = {
    "Flow": (
        "The flow of the overlaps (u, m, s) at fixed parameters.",
        "Its velocity, Jacobian, risk, and the map of a finite learning rate (docs/theory.md, "
        "sections 6 and 7), at states along the last axis. `fun` and `jac` are what "
        "scipy.integrate.solve_ivp takes. A right-hand side costs 20 to 50 ns for polynomials, "
        "erf and ReLU, about 1 µs for others.",
        ">>> from scipy.integrate import solve_ivp\n"
        '>>> flow = ld.Flow("erf", mu=0.5)\n'
        ">>> run = solve_ivp(flow.fun, (0, 300), [1e-6, 0.03, 0], jac=flow.jac, "
        'method="Radau", rtol=1e-8)\n'
        ">>> bool(flow.risk(run.y[:, -1]) < 1e-10)\nTrue\n",
    ),
    "EscapeLaw": (
        "The law of the escape time at a finite dimension, over random starts.",
        "t_hit = τ(½ log d - log|Z|) + T_nl with a normal Z, to leading order in 1/d "
        "(docs/theory.md, section 9); its methods are those of scipy.stats.",
        '>>> law = ld.EscapeLaw("erf", mu=0.5, gamma=1, dim=1000)\n'
        ">>> law.ppf([0.1, 0.5, 0.9]).round(1)\narray([103.3, 143.9, 220.5])\n"
        ">>> law.rvs(size=3, random_state=1).shape\n(3,)\n",
    ),
    "Network": (
        "Rows and readouts of your own: a student, a teacher and perhaps a source task.",
        "The student's frozen rows W0, the teacher's T and those of a source task's teacher, in any "
        "orthonormal basis or by their Gram matrix (docs/networks.md): the argument `network` of "
        "the questions. Whatever is no Gram matrix is refused with its negative eigenvalue.",
        ">>> net = ld.Network(teacher=[[1, 0, 0], [0, 1, 0]], pretrained=[[0.5, 0.2, 0], [0, 0, 1]])\n"
        ">>> net\n<Network of 2 neurons, 2 targets and 3 directions>\n"
        '>>> ld.trajectory("erf", network=net, rank=2, t_end=5, points=3).U.shape\n(3, 2, 2)\n',
    ),
}


def tell(*classes):
    for c in classes:
        title, text, example = _CLASSES[c.__name__]
        arguments = _loradyn.class_arguments[c.__name__]
        c.__signature__ = signature_of(arguments)
        c.__doc__ = "\n".join(
            [
                title,
                "",
                _paragraph(text),
                "",
                _section("Parameters", arguments_text(arguments)),
                _section("Examples", example),
            ]
        )
