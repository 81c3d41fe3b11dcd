"""coverage.py JSON LINES [--core]: of gcovr's JSON, the table of docs/coverage.md and the lines that no test reaches."""

import collections
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs/tools"))

from page import fill, table  # noqa: E402

CORE = ("gaussian", "activation", "kernel", "model", "dynamics", "analysis")


def main(report, lines_file, core):
    reached, all_lines, missed = collections.Counter(), collections.Counter(), []
    for file in json.loads(pathlib.Path(report).read_text(encoding="utf-8"))["files"]:
        parts = file["file"].split("/")
        at = parts.index("lib")
        parts = parts[at:]
        room = parts[3 if parts[1] == "include" else 2] if len(parts) > (4 if parts[1] == "include" else 3) else "(every room)"
        if core and room not in CORE:
            continue
        source = (ROOT / "/".join(parts)).read_text(encoding="utf-8").splitlines()
        for line in file["lines"]:
            if line.get("gcovr/noncode"):
                continue
            all_lines[room] += 1
            reached[room] += line["count"] > 0
            if line["count"] == 0:
                missed.append(f"{'/'.join(parts)}:{line['line_number']}: {source[line['line_number'] - 1].strip()}")
    rows = [(room, all_lines[room], all_lines[room] - reached[room], f"{reached[room] / all_lines[room]:.1%}")
            for room in sorted(all_lines)]
    total, hit = sum(all_lines.values()), sum(reached.values())
    rows.append(("all of these", total, total - hit, f"{hit / total:.1%}"))
    fill(ROOT / "docs/coverage.md", {"coverage": table(("room", "lines", "not reached", "reached"), rows)})
    pathlib.Path(lines_file).write_text("\n".join(missed) + "\n", encoding="utf-8")
    print("\n".join(" ".join(map(str, row)) for row in rows))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--core" in sys.argv[3:])
