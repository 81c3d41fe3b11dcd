"""Every status, outcome, kind and verdict that the library can write stands in docs/how-to-choose.md, and no other does."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = r'"([a-z]+(?:-[a-z]+)*)"'
# Where names are told from enumerations, and where rows get texts.
TOLD = re.compile(r"^std::string_view to_string\(\w+ \w+\) \{\n(.*?)^\}", re.M | re.S)
MEMBERS = r"(?:status|outcome|kind|verdict)"
SET = re.compile(rf"\b{MEMBERS} = [^;]*;")
ROWS = [(rf", {NAME}}};", "rates.cpp"), (rf", {NAME}, {NAME}}};", "simulate.cpp"),
        (rf"[?:] *{NAME}", "ensemble_cell.cpp"), (rf"[?:=] *{NAME}|{NAME}, status\}}", "fixed_points.cpp")]


def names_of_the_library():
    found = set()
    for path in sorted((ROOT / "lib/src").rglob("*.cpp")):
        text = path.read_text(encoding="utf-8")
        if path.parent.name in ("analysis", "dynamics", "study"):
            for body in TOLD.findall(text):
                found.update(re.findall(rf"return {NAME};", body))
        if path.parent.name == "study":
            for statement in SET.findall(text):
                found.update(re.findall(NAME, statement))
            for pattern, name in ROWS:
                if path.name == name:
                    for match in re.finditer(pattern, text):
                        found.update(group for group in match.groups() if group)
            found.update(re.findall(rf"\w+_status\{{{NAME}\}}", text))
    return found


def names_of_the_page():
    page = (ROOT / "docs/how-to-choose.md").read_text(encoding="utf-8")
    named = set()
    for section in re.split(r"^## ", page, flags=re.M):
        if section.partition("\n")[0].rstrip("`").endswith(("outcome", "status", "kind", "verdict")):
            for row in re.findall(r"^\| (`[^|]*) \|", section, re.M):
                named.update(re.findall(r"`([a-z-]+)`", row))
    return named


# Which columns' words a command's help tells, by the functions of words.cpp.
TOLD_BY = {"rates": ["search"], "critical": ["critical"], "escape": ["outcome", "escape", "law"],
           "trajectory": ["stage_end"], "budget": ["outcome", "budget"], "fixed_points": ["kind", "fixed_point"],
           "simulate": ["simulated_outcome", "simulated"], "validate": ["verdict", "comparison", "law"],
           "phase": ["ensemble"]}


def names_of_the_help():
    text = (ROOT / "lib/src/study/words.cpp").read_text(encoding="utf-8")
    constants = dict(re.findall(rf"const told_word (\w+)\{{{NAME},", text))
    enumerators = {}
    for path in (ROOT / "lib/src").rglob("*.cpp"):
        for body in TOLD.findall(path.read_text(encoding="utf-8")):
            last = re.findall(r"case (\w+::\w+):\s*break;\s*\}", body)
            enumerators.update(re.findall(rf"case (\w+::\w+):\s*return {NAME};", body))
            enumerators.update((name, re.findall(rf"return {NAME};", body)[-1]) for name in last)
    named = {}
    for function, body in re.findall(r"^word_list (\w+)_words\(\) \{(.*?)\}\n", text, re.M | re.S):
        names = set(re.findall(rf"\{{{NAME}, ", body))
        names |= {enumerators[e] for e in re.findall(r"word\((\w+::\w+)", body)}
        names |= {constants[c] for c in re.findall(r"\b\w+\b", body) if c in constants}
        named[function] = names | (named["run"] if "run_words()" in body else set())
    return named


class Statuses(unittest.TestCase):
    def test_each_is_told_by_a_help(self):
        named = names_of_the_help()
        named.pop("run")
        told = [name for names in TOLD_BY.values() for name in names]
        self.assertEqual(sorted(set(told)), sorted(named))
        for command, names in TOLD_BY.items():
            program = (ROOT / f"apps/loradyn/{command}.cpp").read_text(encoding="utf-8")
            for name in names:
                self.assertIn(f"study::{name}_words()", program)
        # What a diagram alone makes of an outcome is told there by its name.
        self.assertEqual(sorted(names_of_the_library() - set().union(*named.values())), ["forgotten"])
        self.assertEqual(sorted(set().union(*named.values()) - names_of_the_library()), [])

    def test_each_is_on_the_page(self):
        library, page = names_of_the_library(), names_of_the_page()
        self.assertGreater(len(library), 35)
        self.assertEqual(sorted(library - page), [])
        self.assertEqual(sorted(page - library), [])


if __name__ == "__main__":
    unittest.main()
