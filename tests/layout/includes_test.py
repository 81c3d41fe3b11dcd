"""The rooms of the library include what stands above them, and each no more of the outside than it may know."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PUBLIC = ROOT / "lib/include/loradyn"
INTERNAL = ROOT / "lib/src"

# What every room may include, itself included.
BASE = {"effort", "error", "interruption", "names", "nan", "nearest_names", "number_text", "version"}
# And every room that decomposes matrices.
CORE_BASE = {"decompositions"}

BOOST = r"boost/|Eigen/"
POSIX = r"(fcntl|poll|spawn|unistd)\.h$|sys/"

NOTHING = r"$^"

# room: (rooms whose headers it may include, others' headers beside the standard library's)
ROOMS = {
    # core
    "": ([], "Eigen/"),
    "gaussian": ([], BOOST),
    "activation": (["gaussian"], BOOST),
    "kernel": (["gaussian", "activation"], BOOST),
    "model": (["gaussian", "activation", "kernel"], BOOST),
    "dynamics": (["gaussian", "activation", "kernel", "model"], BOOST),
    "analysis": (["gaussian", "activation", "kernel", "model", "dynamics"], BOOST),
    # simulation; its agreement with dynamics and analysis is evidence, so it knows neither
    "parallel": ([], r"oneapi/tbb/|sanitizer/tsan_interface\.h"),
    "simulation": (["activation", "model", "parallel"],
                   rf"{BOOST}|fmt/|Random123/|immintrin\.h$|{POSIX}"),
    # study
    "sweep": (["parallel"], NOTHING),
    "study": (["activation", "model", "kernel", "dynamics", "analysis", "parallel", "simulation", "sweep"],
              r"fmt/"),
    # report; of a study it knows what rows and problems are, what these are made of, and how ranges are written
    "report": (["activation", "model", "dynamics", "simulation", "sweep", "study"],
               rf"fmt/|nlohmann/|toml\+\+/|sqlite3\.h$|dlfcn\.h$|{POSIX}"),
    # of the same target; its lines of theory are the core's and the study's
    "figures": (["activation", "model", "analysis", "simulation", "sweep", "study", "report"], r"fmt/"),
    # a program of its own
    "hdf5": (["report"], rf"hdf5\.h$|{POSIX}"),
}
# What Python's module may include: the questions and what they are made of, no mathematics of its own, and
# nothing of the other apps; it knows neither a terminal nor a file.
MODULE_ROOMS = {"activation", "kernel", "model", "dynamics", "analysis", "simulation", "sweep", "study"}
MODULE_OUTSIDE = r"pybind11/|fmt/"
MODULE_SYSTEM = {"condition_variable", "thread"}  # for what runs beside the interpreter
MATHEMATICS = re.compile(r"std::(exp|log|sin|cos|tan|sqrt|pow|erf|tgamma|hypot)\b")
CORE = {"", "gaussian", "activation", "kernel", "model", "dynamics", "analysis"}

# Threads, files, the terminal and processes, as the standard library has them. <mutex> has call_once.
SYSTEM = {"condition_variable", "csignal", "cstdio", "filesystem", "fstream", "future", "iostream",
          "semaphore", "shared_mutex", "stop_token", "syncstream", "thread"}
STANDARD = re.compile(r"[a-z_0-9]+$")


def room_of(name):
    """'kernel' of kernel/averages.hpp, '' of error.hpp."""
    return name.rpartition("/")[0]


def faults_of(path, base):
    room = room_of(path.relative_to(base).as_posix())
    if room not in ROOMS:
        yield "is in no room that is listed here"
        return
    rooms, outside = ROOMS[room]
    for bracket, name in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)', path.read_text(), re.M):
        if bracket == '"' or name.startswith("loradyn/"):
            own = name.removeprefix("loradyn/")
            if bracket == '"' and base == PUBLIC:
                yield f"is public and includes the internal {name}"
            other = room_of(own)
            if other == "" and own.removesuffix(".hpp") in BASE | (CORE_BASE if room in CORE | {"simulation"} else set()):
                continue
            if other != room and other not in rooms:
                yield f"may not include {name}"
            if not ((PUBLIC if bracket == "<" else INTERNAL) / own).exists():
                yield f"includes {name}, which does not exist there"
        elif STANDARD.match(name):
            if room in CORE and name in SYSTEM:
                yield f"may not include <{name}>"
        elif not re.match(outside, name):
            yield f"may not include <{name}>"


def module_faults(path):
    text = path.read_text()
    for bracket, name in re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)', text, re.M):
        if bracket == '"':
            if not (path.parent / name).exists():
                yield f"includes {name}, which does not stand beside it"
        elif name.startswith("loradyn/"):
            own = name.removeprefix("loradyn/")
            if own.removesuffix(".hpp") not in BASE and room_of(own) not in MODULE_ROOMS:
                yield f"may not include {name}"
        elif STANDARD.match(name):
            if name in SYSTEM - MODULE_SYSTEM:
                yield f"may not include <{name}>"
        elif not re.match(MODULE_OUTSIDE, name):
            yield f"may not include <{name}>"
    for function in MATHEMATICS.findall(text):
        yield f"computes std::{function}, which is the library's to do"


def main():
    count = 0
    faults = []
    for path in sorted((ROOT / "apps/python/src").glob("*.[ch]pp")):
        count += 1
        faults += [f"{path.relative_to(ROOT)} {fault}" for fault in module_faults(path)]
    for base in (PUBLIC, INTERNAL):
        for path in sorted(base.rglob("*.[chi][pn][pc]")):
            count += 1
            faults += [f"{path.relative_to(ROOT)} {fault}" for fault in faults_of(path, base)]
    print("\n".join(faults) or f"{count} files include what they may")
    return 1 if faults or count == 0 else 0


sys.exit(main())
