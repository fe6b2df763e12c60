"""Where the command `sans` begins, as `python -m sans` does."""

from __future__ import annotations

import atexit
import gc
import sys

from sans import interruption

OBJECTS_BETWEEN_COLLECTIONS = 5_000
"""Python's own 700 cost a tenth of the time of imports, which make objects that stay."""


def main() -> None:
    """Run the command line; a signal ends it in one line, even while it is still being imported."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    atexit.register(gc.freeze)  # at its end, Python looks for garbage in all that torch has made
    try:
        try:
            interruption.listen()
            from sans.cli import run

            run()
        finally:
            interruption.end_at_once()
    except KeyboardInterrupt:
        _end()
    except SystemExit as ended:
        if ended.code and interruption.is_received():
            _end()  # it came while options were read, and no command could say so
        raise
    except Exception:
        if not interruption.is_received():
            raise
        _end()  # an import may make another error of an interrupt


def _end() -> None:
    """End this process after a signal, with one line if no command has said one."""
    if not interruption.is_told():
        print(interruption.SAID, file=sys.stderr)
    exec("")  # else Python, interrupted in another exec, would end by SIGINT whatever came
    sys.exit(interruption.exit_status())


if __name__ == "__main__":
    main()
