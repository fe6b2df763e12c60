"""Streams mapped into memory: of a file no more is read than is looked at."""

from __future__ import annotations

import io
import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from sans.errors import BitstreamError
from sans.files.pipes import read_some

_PIECE = 1 << 20


class Reader(io.RawIOBase):
    """Bytes in memory as a file that copies no more than is read.

    Args:
        data: the bytes.
    """

    def __init__(self, data: memoryview) -> None:
        self._data, self._place = data, 0

    def readable(self) -> bool:
        """Return that this can be read."""
        return True

    def seekable(self) -> bool:
        """Return that this can be read from anywhere."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, and return how many bytes."""
        piece = self._data[self._place : self._place + len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, and return it."""
        begins = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: len(self._data)}
        self._place = begins[whence] + place
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place


@contextmanager
def opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a stream; a pipe is as it is.

    Raises:
        BitstreamError: if there is no such file.
    """
    if not isinstance(source, Path):
        yield source
        return
    try:
        with source.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise BitstreamError(f"no file {error.filename}") from error
    except IsADirectoryError as error:
        raise BitstreamError(f"{source} is a folder") from error


def mapped(source: Path | BinaryIO) -> memoryview:
    """Return the bytes of a stream; those of a pipe lie in a file without a name.

    Raises:
        BitstreamError: if there is no such file.
    """
    with opened(source) as file:
        if isinstance(source, Path):
            with suppress(OSError, ValueError):  # what cannot be mapped is no plain file, or empty
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        with tempfile.TemporaryFile() as spool:
            while piece := read_some(file, _PIECE):
                spool.write(piece)
            spool.flush()
            if not spool.tell():
                return memoryview(b"")
            return memoryview(mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ))
