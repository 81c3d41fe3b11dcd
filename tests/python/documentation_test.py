"""Every example of the docstrings, of docs/python.md, tutorial.md and networks.md gives what stands there; every notebook too."""

import contextlib
import doctest
import io
import json
import pathlib
import re
import unittest

import loradyn as ld
import matplotlib
import numpy as np

matplotlib.use("svg")
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
NAMES = {"ld": ld, "np": np}


def load_tests(loader, tests, pattern):
    finder = doctest.DocTestFinder(exclude_empty=True)
    # Of compiled classes finder sees no methods, which have no examples of their own.
    for name in ld.__all__:
        for test in finder.find(getattr(ld, name), name, module=False, globs=dict(NAMES)):
            tests.addTest(doctest.DocTestCase(test))
    for name, least in (("python.md", 20), ("tutorial.md", 20), ("networks.md", 8)):
        # The fences, and what a shell is asked, are no part of what an example gives.
        text = re.sub(r"^```console\n.*?^```", "", (DOCS / name).read_text(encoding="utf-8"), flags=re.M | re.S)
        text = text.replace("```", "\n")
        test = doctest.DocTestParser().get_doctest(text, {}, name, str(DOCS / name), 0)
        if len(test.examples) < least:
            raise AssertionError(f"docs/{name} has lost its examples")
        tests.addTest(doctest.DocTestCase(test, optionflags=doctest.NORMALIZE_WHITESPACE))
    return tests


def executed(source, names):
    """What a cell writes, with the value of its last expression unless it ends in ;, as a notebook has it."""
    import ast

    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        exec(compile(tree, "cell", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            if value is not None and not source.rstrip().endswith(";"):
                print(repr(value))
    return written.getvalue()


class Notebooks(unittest.TestCase):
    def test_they_give_what_they_show(self):
        notebooks = sorted((DOCS / "notebooks").glob("*.ipynb"))
        self.assertEqual(len(notebooks), 3)
        for path in notebooks:
            notebook = json.loads(path.read_text(encoding="utf-8"))
            names = {}
            shown = 0
            self.assertEqual(notebook["cells"][0]["cell_type"], "markdown")
            self.assertIn("?", "".join(notebook["cells"][0]["source"]))
            for number, cell in enumerate(notebook["cells"]):
                if cell["cell_type"] != "code":
                    continue
                with self.subTest(notebook=path.name, cell=number):
                    got = executed("".join(cell["source"]), names)
                    expected = "".join("".join(o["text"]) for o in cell["outputs"]
                                       if o["output_type"] == "stream")
                    self.assertEqual(got, expected)
                    shown += bool(expected)
            self.assertGreater(shown, 1)
            self.assertTrue(any(o["output_type"] == "display_data" for o in
                                [c for c in notebook["cells"] if c["cell_type"] == "code"][-1]["outputs"]))
            matplotlib.pyplot.close("all")


if __name__ == "__main__":
    unittest.main()
