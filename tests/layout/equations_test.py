"""Every numbered equation of docs/theory.md is found in the code that computes it and in a test that holds it."""

import io
import pathlib
import re
import sys
import tokenize

ROOT = pathlib.Path(__file__).resolve().parents[2]
THEORY = ROOT / "docs/theory.md"

# A displayed line that ends in its number.
DEFINITION = re.compile(r"^ {4,}\S.*\s\((\d+\.\d+)\)$", re.M)

# Not what a function is called with, nor 0.5 in brackets.
CITATION = re.compile(r"(?<![\w.)\]>])\(([1-9]\d?\.\d{1,2})\)")

# Comments, and what must not be taken for one: a string, a raw string, a character; 1'000 is none.
CPP = re.compile(r"""(?P<comment>//[^\n]*|/\*.*?\*/)
                     |R"(?P<ends>\w*)\(.*?\)(?P=ends)"
                     |(?P<title>TEST_CASE\(\s*)?"(?P<text>(?:\\.|[^"\\\n])*)"
                     |(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'""", re.S | re.X)

# Where the page says what computes an equation and what holds it: (n.m) `function`, `tests/…`; …
PLACES = re.compile(r"^\*In the code:\*(.*?)(?:\n\n|\Z)", re.M | re.S)


def of_cpp(text):
    """Its comments and the names of its test cases."""
    for m in CPP.finditer(text):
        if m["comment"] or m["title"]:
            yield m["comment"] or m["text"]


def of_python(text):
    """Its comments and documentation strings."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or (
                token.type == tokenize.STRING and re.match(r"r?\"\"\"", token.string)):
            yield token.string


def of_markdown(text):
    """What is no code."""
    yield re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.M | re.S)


READERS = {".cpp": of_cpp, ".hpp": of_cpp, ".inc": of_cpp, ".in": of_cpp, ".py": of_python,
           ".md": of_markdown}


def citations(folder):
    """File by file the numbers cited there."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*")):
        if path.is_file() and path.suffix in READERS and path != pathlib.Path(__file__).resolve():
            said = "\n".join(READERS[path.suffix](path.read_text(encoding="utf-8")))
            found[path.relative_to(ROOT).as_posix()] = set(CITATION.findall(said))
    return found


def places(page):
    """Number by number what the page names for it."""
    found = {}
    for paragraph in PLACES.findall(page):
        for item in paragraph.split(";"):
            for number in re.findall(r"\((\d+\.\d+)\)", item):
                found.setdefault(number, []).extend(re.findall(r"`([^`]+)`", item))
    return found


def faults():
    page = THEORY.read_text(encoding="utf-8")
    defined = DEFINITION.findall(page)
    if not defined:
        yield "docs/theory.md defines no equation"
    for number in sorted(set(defined)):
        if defined.count(number) > 1:
            yield f"({number}) is defined twice"
    cited = {folder: citations(folder) for folder in ("lib", "tests", "docs")}
    for files in cited.values():
        for name, numbers in files.items():
            for number in sorted(numbers - set(defined)):
                yield f"{name} cites ({number}), which docs/theory.md does not define"
    named = places(page)
    for number in defined:
        for folder in ("lib", "tests"):
            if not any(number in numbers for numbers in cited[folder].values()):
                yield f"({number}) is cited nowhere in {folder}/"
        tests = [what for what in named.get(number, []) if what.startswith("tests/")]
        functions = [what for what in named.get(number, []) if what not in tests]
        if not tests or not functions:
            yield f"docs/theory.md does not name a function and a test for ({number})"
        for test in tests:
            if number not in cited["tests"].get(test, ()):
                yield f"({number}) is to be held by {test}, which does not cite it"
        sources = [name for name, numbers in cited["lib"].items() if number in numbers]
        for function in functions:
            definition = re.compile(rf"(?<![\w:]){re.escape(function)}\(")
            if not any(definition.search((ROOT / name).read_text()) for name in sources):
                yield f"({number}) is to be computed by {function}, found in no file that cites it"


def main():
    found = list(faults())
    count = len(DEFINITION.findall(THEORY.read_text(encoding="utf-8")))
    print("\n".join(found) or f"{count} equations are computed and held where the page says")
    return 1 if found else 0


sys.exit(main())
