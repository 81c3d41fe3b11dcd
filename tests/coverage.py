"""coverage.py JSON LINES [core|above]: of gcovr's JSON, a table of docs/coverage.md and the lines that no test reaches.

Of the core's rooms, of those above it, or of both, which fills both tables."""

import collections
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs/tools"))

from page import fill, table  # noqa: E402

# A process of its own, which ends without writing its counters.
UNCOUNTED = "hdf5"
CORE = ("gaussian", "activation", "kernel", "model", "dynamics", "analysis")


def main(report, lines_file, *parts):
    reached, all_lines, missed = collections.Counter(), collections.Counter(), []
    for file in json.loads(pathlib.Path(report).read_text(encoding="utf-8"))["files"]:
        name = file["file"][file["file"].index("lib/"):]
        inside = name.split("/")[3 if name.startswith("lib/include/") else 2:]
        room = inside[0] if len(inside) > 1 else "(every room)"
        if room == UNCOUNTED:
            continue
        source = (ROOT / name).read_text(encoding="utf-8").splitlines()
        for line in file["lines"]:
            if line.get("gcovr/noncode"):
                continue
            all_lines[room] += 1
            reached[room] += line["count"] > 0
            if line["count"] == 0:
                missed.append((room, f"{name}:{line['line_number']}: {source[line['line_number'] - 1].strip()}"))
    blocks, told = {}, []
    for part in parts or ("core", "above"):
        rooms = [room for room in sorted(all_lines) if (room in CORE) == (part == "core")]
        total, hit = sum(all_lines[room] for room in rooms), sum(reached[room] for room in rooms)
        rows = [(room, all_lines[room], all_lines[room] - reached[room], f"{reached[room] / all_lines[room]:.1%}") for room in rooms]
        rows.append(("all of these", total, total - hit, f"{hit / total:.1%}"))
        blocks[part] = table(("room", "lines", "not reached", "reached"), rows)
        told += [line for room, line in missed if room in rooms]
        print("\n".join(" ".join(map(str, row)) for row in rows))
    fill(ROOT / "docs/coverage.md", blocks)
    pathlib.Path(lines_file).write_text("\n".join(told) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
