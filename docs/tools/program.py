"""The program LORADYN, asked for a table."""

import csv
import os
import subprocess


def program(*arguments):
    """The rows of a table of `loradyn arguments`, whose texts are not changed."""
    command = [os.environ["LORADYN"], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return list(csv.DictReader(line for line in done.stdout.splitlines(True) if not line.startswith("#")))
