"""Writes the stubs of the module loradyn from what it tells of itself: stubs.py FILE."""

import inspect
import itertools
import pathlib
import sys

import loradyn as ld
from loradyn import _loradyn
from loradyn._results import attribute_of

HEAD = '''\
"""Written by stubs.py from what the compiled module tells."""

from typing import Any, Callable, Iterable, Sequence, overload

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]
OneActivation = str | Activation | Callable[[Array], Any]

__version__: str

class ConvergenceError(ArithmeticError): ...
'''

KINDS = {
    "numbers": "npt.ArrayLike",
    "number": "float",
    "whole": "int",
    "flag": "bool",
    "text": "str",
    "activation": "OneActivation",
    "activations": "OneActivation | Sequence[Any] | npt.NDArray[Any]",
    "interval": "tuple[float, float]",
    "record": "int | str | npt.ArrayLike",
    "axis": "str | tuple[str, npt.ArrayLike]",
    "stages": "Sequence[dict[str, Any]]",
    "progress": "bool | Callable[[int, int], Any]",
    "matrix": "npt.ArrayLike",
    "network": "Network",
    "nothing": "None",
}
COLUMNS = {"number": "Array", "integer": "Integers", "text": "Texts"}

# Of classes that are compiled: what a method's arguments are, by name, and what it gives.
ARGUMENTS = {
    "function": "OneActivation", "first": "Callable[[Array], Any] | None",
    "second": "Callable[[Array], Any] | None", "kinks": "Iterable[float] | None",
    "name": "str | None", "tolerance": "float", "x": "npt.ArrayLike", "order": "int", "n": "int",
    "variance": "float", "f": "OneActivation", "g": "OneActivation | None", "q1": "npt.ArrayLike",
    "q2": "npt.ArrayLike", "c": "npt.ArrayLike", "lr": "float", "t": "npt.ArrayLike",
    "q": "npt.ArrayLike", "size": "int | tuple[int, ...] | None", "random_state": "Any",
}
GIVEN = {
    "hermite_coefficient": "float", "name": "str", "kinks": "Array", "reach": "float", "error": "float",
    "mean": "float", "median": "float", "status": "str", "tau": "float", "nonlinear_time": "float",
    "fun": "Array", "jac": "Array", "velocity": "Array", "jacobian": "Array", "map": "Array",
    "gradient": "Array", "hessian": "Array", "teacher": "Array", "pretrained": "Array",
    "source": "Array", "readout": "Array", "teacher_readout": "Array", "source_readout": "Array",
}


def parameters_of(arguments):
    required = [a for a in arguments if a["required"]]
    told = []
    for a in [a for a in arguments[:2] if a in arguments]:
        told.append(parameter(a))
    told.append("*")
    rest = arguments[2:]
    told += [parameter(a) for a in rest if a in required] + [parameter(a) for a in rest
                                                             if a not in required]
    return ", ".join(told)


def parameter(a):
    kind = KINDS[a["type"]]
    if a["required"]:
        return f"{a['name']}: {kind}"
    if a["standard"] is None and kind != "None":
        kind += " | None"
    return f"{a['name']}: {kind} = ..."


def result_stub(question, cls):
    lines = [f"class {cls.__name__}(Result):"]
    for c in question["columns"]:
        # A field of one point is a number.
        one = {"number": "float", "integer": "int", "text": "str"}[c["kind"]]
        lines += ["    @property",
                  f"    def {attribute_of(c['name'])}(self) -> Any: ...  # {COLUMNS[c['kind']]} or {one}"]
    known = [attribute_of(c["name"]) for c in question["columns"]]
    for name in {**question["more"], **question["of_network"]}:
        if name not in known:
            lines.append(f"    {name}: Any")
    return "\n".join(lines)


def function_stub(question, result):
    """A function; where an argument may be left out beside others, one for each choice of these."""
    name, arguments = question["name"], question["arguments"]
    beside = {a["name"]: set(a["unless"].split(" or ")) - {""} for a in arguments}
    unless = sorted(set().union(*beside.values()))
    if not unless:
        return f"def {name}({parameters_of(arguments)}) -> {result}: ..."
    told = []
    for count in range(len(unless) + 1):
        for given in itertools.combinations(unless, count):
            here = []
            for a in arguments:
                a = dict(a)
                if beside[a["name"]] & set(given):
                    a |= {"required": False, "standard": None}
                elif a["name"] in unless:
                    a |= {"required": True} if a["name"] in given else {"type": "nothing"}
                here.append(a)
            told.append(f"@overload\ndef {name}({parameters_of(here)}) -> {result}: ...")
    return "\n".join(told)


def plain_class(cls):
    lines = [f"class {cls.__name__}:"]
    if cls.__name__ in _loradyn.class_arguments:
        arguments = parameters_of(_loradyn.class_arguments[cls.__name__])
        lines.append(f"    def __init__(self, {arguments}) -> None: ...")
    else:
        lines.append(method_stub("__init__", cls.__init__))
    for name, member in vars(cls).items():
        if isinstance(member, property):
            lines += ["    @property", f"    def {name}(self) -> {GIVEN[name]}: ..."]
        elif name == "__call__" or not name.startswith("_"):
            lines.append(method_stub(name, getattr(cls, name)))
    return "\n".join(lines)


def method_stub(name, member):
    arguments = ["self"]
    for p in inspect.signature(member).parameters.values():
        if p.name == "self":
            continue
        if p.kind is p.KEYWORD_ONLY and "*" not in arguments:
            arguments.append("*")
        default = "" if p.default is p.empty else " = ..."
        arguments.append(f"{p.name}: {ARGUMENTS[p.name]}{default}")
    given = "None" if name == "__init__" else GIVEN.get(name, "Any")
    return f"    def {name}({', '.join(arguments)}) -> {given}: ..."


def result_class():
    lines = ["class Result:"]
    given = {"shape": "tuple[int, ...]", "varying": "dict[str, npt.NDArray[Any]]",
             "meta": "dict[str, Any]", "keys": "list[str]", "to_pandas": "Any", "plot": "Any",
             "__getitem__": "Any", "__getattr__": "Any", "__array__": "npt.NDArray[Any]",
             "__dir__": "list[str]"}
    typed = {"name": "str", "ax": "Any", "dtype": "Any"}
    for name, member in vars(ld.Result).items():
        if name not in given:
            continue
        if isinstance(member, property):
            lines += ["    @property", f"    def {name}(self) -> {given[name]}: ..."]
            continue
        arguments = []
        for p in inspect.signature(member).parameters.values():
            kind = f": {typed[p.name]}" if p.name in typed else ""
            arguments.append(p.name + kind + ("" if p.default is p.empty else " = ..."))
        lines.append(f"    def {name}({', '.join(arguments)}) -> {given[name]}: ...")
    return "\n".join(lines)


def main():
    parts = [HEAD, plain_class(ld.Activation), plain_class(ld.PairKernel), plain_class(ld.Flow),
             plain_class(ld.EscapeLaw), plain_class(ld.Network), result_class()]
    for question in _loradyn.questions:
        cls = getattr(ld, question["name"].title().replace("_", "") + "Result")
        parts.append(result_stub(question, cls))
        parts.append(function_stub(question, cls.__name__))
    stubs = pathlib.Path(sys.argv[1])
    stubs.write_text("\n".join(parts) + "\n")
    # The compiled module is the package's own.
    stubs.with_name("_loradyn.pyi").write_text(
        "from typing import Any\n\ndef __getattr__(name: str) -> Any: ...\n")


main()
