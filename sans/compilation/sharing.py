"""What happens around a compilation: the user is told to wait, and another process shares the work.

Only one thread of a process can compile, so a second core needs a second process. What that one
compiles comes to the cache on the disk, where the first finds it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol


class Wanted(Protocol):
    """Machine code that is neither at hand nor on the disk."""

    @property
    def name(self) -> str:
        """The function's module and name."""

    @property
    def can_be_kept(self) -> bool:
        """Whether there is a folder on the disk for it."""

    def has_come(self) -> bool:
        """Return whether it has come to the disk by now."""


BEFORE: list[Callable[[Wanted], None]] = []
"""What is called before a function is compiled; it may wait for another process that does it."""

PAUSE = 0.01
"""Seconds between two looks at the disk."""


def tell_once(tell: Callable[[Wanted], None]) -> None:
    """Have `tell` called before the first function of this process is compiled."""

    def first(wanted: Wanted) -> None:
        BEFORE.remove(first)
        tell(wanted)

    BEFORE.append(first)


class Helper:
    """A process that compiles what this one will want later.

    It ends by itself, and with this process. What it compiles at the moment is waited for.

    Args:
        rehearsals: names of `sans.compilation.rehearsals.REHEARSALS`, one after the other.
    """

    def __init__(self, rehearsals: tuple[str, ...]) -> None:
        rehearse = "from sans.compilation.rehearsals import help_with"
        code = f"import sys; sys.path[:] = {sys.path!r}; {rehearse}; "
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{code}help_with(*{rehearsals!r})"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is for the process that asked
        )
        self._current = ""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        BEFORE.append(self.wait)

    def wait(self, wanted: Wanted) -> None:
        """Wait while the other process compiles a function."""
        while self._current == wanted.name and not wanted.has_come():
            time.sleep(PAUSE)

    def close(self) -> None:
        """End the other process, whatever it does."""
        if self._process.stdin:
            self._process.stdin.close()
        self._listener.join()

    def _listen(self) -> None:
        with self._process:
            for line in self._process.stdout or ():
                self._current = line.strip()
            self._current = ""
