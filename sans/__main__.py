"""Where the command `sans` begins, as `python -m sans` does."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; Ctrl-C ends it in one line even while it is still being imported."""
    try:
        from sans.cli import app
        from sans.commands.console import explain_compilation
        from sans.compiling import tell_once

        tell_once(explain_compilation)
        app(prog_name="sans")
    except KeyboardInterrupt:
        print("sans: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
