"""Where the command `sans` begins, as `python -m sans` does."""

from __future__ import annotations

import atexit
import gc
import sys

INTERRUPTED = 130

OBJECTS_BETWEEN_COLLECTIONS = 5_000
"""Python's own 700 cost a tenth of the time of imports, which make objects that stay."""


def main() -> None:
    """Run the command line; Ctrl-C ends it in one line even while it is still being imported."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)  # at its end, Python looks for garbage in all that torch has made
    try:
        from sans.cli import run

        run()
    except KeyboardInterrupt:
        print("sans: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
