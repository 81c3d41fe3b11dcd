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


class Statuses(unittest.TestCase):
    def test_each_is_on_the_page(self):
        library, page = names_of_the_library(), names_of_the_page()
        self.assertGreater(len(library), 35)
        self.assertEqual(sorted(library - page), [])
        self.assertEqual(sorted(page - library), [])


if __name__ == "__main__":
    unittest.main()
