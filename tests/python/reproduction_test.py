"""The search times of docs/reproduction.md are those that docs/reproduce.py gives; the rest of the page takes minutes."""

import pathlib
import subprocess
import sys
import unittest

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def cells(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]


class Reproduction(unittest.TestCase):
    def test_of_the_search_times(self):
        done = subprocess.run([sys.executable, "-B", DOCS / "reproduce.py", "--quick"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = (DOCS / "reproduction.md").read_text(encoding="utf-8")
        shown = cells(page.partition("<!-- search-times -->")[2].partition("<!-- end of search-times -->")[0])
        got = cells(done.stdout)
        self.assertEqual(len(got), len(shown))
        self.assertGreater(len(got), 40)
        for ours, there in zip(got, shown):
            with self.subTest(there[:3]):
                # Which pair, how many points, and why they differ; a difference that is no rounding is the same one.
                self.assertEqual([ours[i] for i in (0, 1, 2, 3, 5)], [there[i] for i in (0, 1, 2, 3, 5)])
                for a, b in ((ours[i], there[i]) for i in (4, 7)):
                    if b[:1].isdigit() and float(b) > 1e-9:
                        self.assertEqual(a, b)

    def test_every_block_is_filled(self):
        page = (DOCS / "reproduction.md").read_text(encoding="utf-8")
        blocks = page.split("<!-- end of ")[:-1]
        self.assertEqual(len(blocks), 15)
        for block in blocks:
            self.assertGreater(len(cells(block.rpartition("-->")[2])), 3)


if __name__ == "__main__":
    unittest.main()
