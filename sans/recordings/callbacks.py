"""A file for soundfile, whose callbacks must not raise: errors are raised afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar

Value = TypeVar("Value")


class QuietFile:
    """What soundfile calls instead of a file, from C code that would print a traceback.

    After an error nothing more is written, and soundfile is told that all went well.

    Args:
        file: can be written and sought.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.error: BaseException | None = None
        self._file = file

    def write(self, data: Any) -> int:
        """Write `data`, and return how many bytes that are."""
        return self._quietly(lambda: self._file.write(data), len(data))

    def read(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        return self._quietly(lambda: self._file.read(count), b"")

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, and return it."""
        return self._quietly(lambda: self._file.seek(offset, whence), 0)

    def tell(self) -> int:
        """Return the place that is written next."""
        return self._quietly(self._file.tell, 0)

    def check(self) -> None:
        """Raise what has gone wrong meanwhile, if something has."""
        if self.error is not None:
            raise self.error

    def _quietly(self, work: Callable[[], Value], otherwise: Value) -> Value:
        if self.error is None:
            try:
                return work()
            except BaseException as error:  # Ctrl-C must not be lost there, either
                self.error = error
        return otherwise


@contextmanager
def quiet(file: BinaryIO) -> Iterator[QuietFile]:
    """Give a `QuietFile` for `file`; what has gone wrong with it is raised at the end.

    Raises:
        OSError: if it could not be written.
    """
    given = QuietFile(file)
    try:
        yield given
        file.flush()
    finally:
        given.check()  # rather than what soundfile makes of it
