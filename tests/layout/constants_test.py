"""Every named number that may decide a result says where it comes from: how it is derived, or that it is heuristic and
which test shows its margin. Those tests exist. None is left out."""

import re
import sys
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
ROOMS = ("gaussian", "model", "dynamics", "analysis", "kernel", "activation", "simulation", "study")
CONSTANT = re.compile(r"\bconstexpr\s+(?:const\s+)?(?:long\s+)?(?:double|float|int|unsigned|long|(?:std::)?(?:size_t|u?int\d+_t|ptrdiff_t)|(?:Eigen::)?Index)"
                      r"\s+(\w+)\s*[={]\s*([^;]*)")
# What a number is made of says itself: limits of a type, other constants, sizes.
PLAIN = re.compile(r"numeric_limits|\b[A-Za-z_]\w*::|Eigen::Dynamic|^\s*[a-z_]+\b|^\s*M_PI")

# Fewer say nothing of where a number comes from.
LEAST_WORDS = 3
# A test case, or a part of its name; or a whole file of tests.
NAMED_TEST = re.compile(r'"([^"]{12,})"|\b(\w+_test\.cpp)\b')


def words_of(said):
    return re.sub(r"\s*///?<? ?", " ", said).strip()


def constants(path):
    """(line number, name, value, what is said about it) of a file."""
    lines = path.read_text().split("\n")
    for i, line in enumerate(lines):
        found = CONSTANT.search(line)
        if not found or line.lstrip().startswith("//"):
            continue
        said = re.findall(r"//.*", line)
        above = i - 1
        while above >= 0 and CONSTANT.search(lines[above]) and "//" not in lines[above]:
            above -= 1
        while above >= 0 and CONSTANT.search(lines[above]):
            above -= 1
        while above >= 0 and lines[above].lstrip().startswith("//"):
            said.insert(0, lines[above].strip())
            above -= 1
        # At the beginning of a function: what stands over the function.
        if above >= 0 and lines[above].rstrip().endswith("{"):
            while above > 0 and not lines[above - 1].lstrip().startswith("//") and lines[above - 1].strip():
                above -= 1
            while above > 0 and lines[above - 1].lstrip().startswith("//"):
                above -= 1
                said.insert(0, lines[above].strip())
        yield i + 1, found.group(1), found.group(2), " ".join(said)


def all_constants():
    for room in ROOMS:
        for folder in (ROOT / "lib/src" / room, ROOT / "lib/include/loradyn" / room):
            for path in sorted(folder.glob("*.?pp")):
                for number, name, value, said in constants(path):
                    yield f"{path.relative_to(ROOT / 'lib')}:{name}", number, value, said


class Constants(unittest.TestCase):
    maxDiff = None

    def test_each_says_where_it_comes_from(self):
        silent = sorted(f"{place} says: {words_of(said)}" for place, _, value, said in all_constants()
                        if len(words_of(said).split()) < LEAST_WORDS and not PLAIN.search(value))
        self.assertEqual([], silent, "say how the number is derived, or its margin")

    def test_what_is_heuristic_names_a_test(self):
        bare = sorted(f"{place} says: {words_of(said)}" for place, _, _, said in all_constants()
                      if "euristic" in said and not NAMED_TEST.search(words_of(said)))
        self.assertEqual([], bare, "name the test that shows the margin")

    def test_the_tests_that_show_margins_exist(self):
        names = set()
        for path in (ROOT / "tests").rglob("*_test.cpp"):
            text = re.sub(r'"\s*\n\s*"', "", path.read_text())
            names |= {path.name} | {name.lower() for name in re.findall(r'TEST_CASE\(\s*"([^"]*)"', text)}
        missing = []
        for place, number, _, said in all_constants():
            text = words_of(said)
            for quoted in map("".join, NAMED_TEST.findall(text)) if "euristic" in text else []:
                if not any(quoted.lower() in name for name in names):
                    missing.append((place, number, quoted))
        self.assertEqual([], missing)


if __name__ == "__main__":
    unittest.main()
