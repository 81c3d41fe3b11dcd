"""Doxygen has no warning about the public headers: every class, function and type is documented, and what is said is well
formed. A field of a documented struct may go without, where its name says it all."""

import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def warnings_of(headers):
    with tempfile.TemporaryDirectory() as folder:
        doxyfile = (ROOT / "docs/site/Doxyfile").read_text(encoding="utf-8")
        doxyfile += f"INPUT = {headers}\nOUTPUT_DIRECTORY = {folder}\n"
        done = subprocess.run(["doxygen", "-"], input=doxyfile, capture_output=True, text=True, cwd=ROOT, check=True)
    lines = [line for line in done.stderr.splitlines() if "warning:" in line or "error:" in line]
    return [line for line in lines if not re.search(r"Member \w+ \(variable\) of struct \S+ is not documented", line)]


class Reference(unittest.TestCase):
    def test_the_headers(self):
        self.assertEqual(warnings_of("lib/include"), [])

    def test_what_is_not_documented_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            header = pathlib.Path(folder) / "bare.hpp"
            header.write_text("#pragma once\n/// \\file\n/// A header.\nnamespace loradyn {\nint bare(int x);\nstruct nude {\n  int x;\n};\n"
                              "}  // namespace loradyn\n", encoding="utf-8")
            found = warnings_of(folder)
        self.assertTrue(any("bare" in line for line in found), found)
        self.assertTrue(any("nude" in line for line in found), found)


if __name__ == "__main__":
    unittest.main()
