"""What the tests of the module share."""

import contextlib
import csv
import io
import os
import subprocess
import tempfile

import numpy as np


def program(*words):
    """The columns of the table that the program writes for these words."""
    done = subprocess.run([os.environ["LORADYN"], *words, "--quiet"], capture_output=True, text=True,
                          check=False, timeout=120)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    rows = list(csv.reader(io.StringIO("\n".join(lines))))
    return dict(zip(rows[0], zip(*rows[1:])))


def same(test, result, table):
    """Every number of a result is that of the table, to the bit, and every text."""
    test.assertEqual(list(result.keys()), list(table))
    for name, texts in table.items():
        column = np.ravel(result[name])
        test.assertEqual(len(column), len(texts), name)
        if column.dtype.kind == "U":
            test.assertEqual(column.tolist(), list(texts), name)
        else:
            expected = np.array([float(t) for t in texts])
            np.testing.assert_array_equal(column, expected, err_msg=name)


@contextlib.contextmanager
def stage_file(stages):
    """The name of a file of stages for the program, of the module's dicts."""
    def text(value):
        return str(value).lower() if isinstance(value, bool) else repr(value)
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        for stage in stages:
            file.write("[[stage]]\n")
            file.writelines(f"{key.replace('_', '-')} = {text(value)}\n" for key, value in stage.items())
        file.flush()
        yield file.name
