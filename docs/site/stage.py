"""Puts together what sphinx makes the site of: stage.py TARGET. LORADYN names the program, whose help is a page."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from equations import typeset

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORDER = ["tutorial", "how-to-choose", "command-line", "options", "python", "python-reference", "phase-diagrams", "explorer", "theory",
         "reproduction", "accuracy", "performance", "measurements", "library", "coverage", "contributing", "fuzzing", "RELEASING", "changelog"]


def program(*words):
    return subprocess.run([os.environ["LORADYN"], *words], capture_output=True, text=True, check=True,
                          env=dict(os.environ, COLUMNS="100")).stdout


def options():
    """Every command's options, as the program tells them."""
    names = re.findall(r"^  ([a-z-]+) +\S", program("help").partition("Subcommands")[2], re.M)
    parts = ["# Options\n\nWhat `loradyn help COMMAND` tells, which is made from the same registry as everything else.\n"]
    return "\n".join(parts + [f"## {name}\n\n```text\n{program('help', name).rstrip()}\n```\n" for name in names])


def headers():
    """A page for each room of the library."""
    include = ROOT / "lib/include/loradyn"
    rooms = sorted({h.parent.relative_to(include).as_posix() for h in include.rglob("*.hpp")} - {"."})
    pages = {}
    for room in [".", *rooms]:
        name = "every-room" if room == "." else room
        text = f"{name}\n{'=' * len(name)}\n"
        for header in sorted((include / room).glob("*.hpp")):
            title = header.relative_to(include.parent).as_posix()
            text += f"\n{title}\n{'-' * len(title)}\n\n.. doxygenfile:: {title}\n   :project: loradyn\n   :no-link:\n"
        pages[f"library-{name}"] = text
    return pages


def main(target):
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    docs = ROOT / "docs"
    for page in docs.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        # A mark of a script's is a comment, and a link out of docs one to the front page.
        text = text.replace("](../README.md)", "](index.md)")
        if page.stem == "theory":
            text = typeset(text)
        (target / page.name).write_text(text, encoding="utf-8")
    for folder in ("figures", "notebooks", "reproduction"):
        shutil.copytree(docs / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](").replace("src=\"docs/", "src=\"")
    tree = "\n".join(["\n```{toctree}\n:hidden:\n:maxdepth: 2\n", *(p for p in ORDER if p != "coverage" or (docs / "coverage.md").exists()),
                      "```\n"])
    (target / "index.md").write_text(readme + tree, encoding="utf-8")
    (target / "options.md").write_text(options(), encoding="utf-8")
    (target / "python-reference.rst").write_text(
        "Reference of Python\n===================\n\n.. automodule:: loradyn\n   :members:\n   :imported-members:\n", encoding="utf-8")
    pages = headers()
    for name, text in pages.items():
        (target / f"{name}.rst").write_text(text, encoding="utf-8")
    (target / "library.md").write_text(
        "# Reference of the library\n\nBy the rooms of [contributing.md](contributing.md).\n\n```{toctree}\n"
        + "\n".join(pages) + "\n```\n", encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
