"""The log that `-v` shows; the library writes it, and never decides where it goes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sans.commands.console import err

if TYPE_CHECKING:
    from logging import LogRecord


class _OnErrors(logging.Handler):
    """Prints records where notices are printed, so that bars of progress stay in one piece."""

    def emit(self, record: LogRecord) -> None:
        """Print a record in one line."""
        seconds = record.relativeCreated / 1000
        err.print(f"{seconds:8.3f} s  {record.name}: {record.getMessage()}", markup=False)


def show_log(wanted: bool) -> None:
    """Show what the library logs, from INFO on, on stderr; or not, whatever was shown before."""
    log = logging.getLogger("sans")
    for handler in [each for each in log.handlers if isinstance(each, _OnErrors)]:
        log.removeHandler(handler)
    if wanted:
        log.addHandler(_OnErrors())
    log.setLevel(logging.INFO if wanted else logging.NOTSET)
