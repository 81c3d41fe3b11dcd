"""A line of progress on standard error."""

import sys
import time


def printed():
    """A progress function that rewrites a line, from two seconds on, and ends it."""
    start = time.monotonic()
    written = False

    def tell(done, total):
        nonlocal written
        elapsed = time.monotonic() - start
        if elapsed > 2.0 and done < total:
            left = elapsed * (total - done) / max(done, 1)
            print(f"\r{100 * done // max(total, 1):3d} %  {done} of {total}, {left:.0f} s left ",
                  end="", file=sys.stderr, flush=True)
            written = True
        elif written:
            print("\r" + " " * 60 + "\r", end="", file=sys.stderr, flush=True)
            written = False

    return tell
