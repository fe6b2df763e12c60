"""Where the command `sans` begins, as `python -m sans` does."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; Ctrl-C ends it in one line even while it is still being imported."""
    try:
        from sans.cli import run

        run()
    except KeyboardInterrupt:
        print("sans: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
