"""Tables of Markdown, and the places of a page that a script fills."""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(v) for v in row) + " |" for row in rows])


def fill(path, blocks):
    """Writes each text between `<!-- name -->` and `<!-- end of name -->`."""
    page = path.read_text(encoding="utf-8")
    for name, text in blocks.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
        head, found, tail = page.partition(begin)
        _, ended, rest = tail.partition(end)
        if not found or not ended:
            raise SystemExit(f"{path} has no place for {name}")
        page = f"{head}{begin}\n{text}\n\n{end}{rest}"
    path.write_text(page, encoding="utf-8")
