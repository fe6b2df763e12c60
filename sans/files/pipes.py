"""Pipes: they take all that is written to them, or it is said that they did not."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from sans.errors import ReaderGoneError, SansError

PAUSE = 0.01
"""Seconds after which a pipe that takes or gives nothing for the moment is tried again."""


class Pipe(io.BufferedIOBase):
    """What bytes go to in order: a pipe, or anything else that can be written to.

    A file without a buffer may take a part of what it is given, or nothing for the moment: the rest
    is given again until all of it is taken. Nothing else is asked of a file, as `np.save` asks one
    of Python's own where it is, which a pipe cannot say.

    Args:
        file: has `write` and `flush`; it stays open.
        name: what an error calls it.
    """

    def __init__(self, file: Any, name: str = "the pipe") -> None:
        self._file, self._name = file, name

    def writable(self) -> bool:
        """Return that this can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Write all of `data`, and return how many bytes that are.

        Raises:
            ReaderGoneError: if the pipe has no reader any more.
            SansError: if they cannot be written.
        """
        left = memoryview(data)
        size = left.nbytes
        if not size:  # which may be no bytes of several dimensions
            return 0
        left = left.cast("B")
        with self._failing():
            while left:
                taken = self._take(left)
                left = left[taken:]
                if not taken:
                    time.sleep(PAUSE)
        return size

    def flush(self) -> None:
        """Write what the file holds back.

        Raises:
            SansError: as for `write`.
        """
        with self._failing():
            while True:
                try:
                    return self._file.flush()  # type: ignore[no-any-return]
                except BlockingIOError:
                    time.sleep(PAUSE)

    def close(self) -> None:
        """Leave the file open: whoever opened it closes it."""

    def _take(self, data: memoryview) -> int:
        """Return how many of these bytes the file takes."""
        try:
            taken = self._file.write(data)
        except BlockingIOError as error:
            return getattr(error, "characters_written", 0)
        if taken is None and not isinstance(self._file, io.RawIOBase):
            return len(data)  # so says what has no count to give: only a raw file has no room
        return int(taken or 0)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            raise ReaderGoneError(f"{self._name} has no reader any more") from error
        except OSError as error:
            reason = error.strerror or error
            raise SansError(f"cannot write to {self._name}: {reason}") from error


@contextmanager
def piped(target: BinaryIO) -> Iterator[BinaryIO]:
    """Give a `Pipe` to write to `target`, where all has arrived at the end.

    Raises:
        ReaderGoneError: if it has no reader any more.
        SansError: if it cannot be written to.
    """
    pipe = target if isinstance(target, Pipe) else Pipe(target)
    yield cast(BinaryIO, pipe)
    pipe.flush()


def read_some(file: BinaryIO, count: int) -> bytes:
    """Return up to `count` bytes, or none at the end: a pipe that has none yet is waited for."""
    while (piece := cast("bytes | None", file.read(count))) is None:
        time.sleep(PAUSE)
    return piece
