"""Files and pipes: read forwards, decompressed if gzip; written whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import mmap
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from sans.errors import DatasetError
from sans.files import written_whole
from sans.files.paths import unreadable
from sans.files.pipes import piped, read_some

GZIP = b"\x1f\x8b"
LARGEST_TAIL = 2**20
"""Bytes after the end of a recording that are kept with it; more are no padding."""

_PIECE = 2**20


class Stream:
    """Bytes in order, from a file or a pipe that may give them in pieces."""

    def __init__(self, file: Any, name: str) -> None:
        self.name = name
        self.position = 0
        self._file = file
        self._ahead = b""

    def peek(self, count: int) -> bytes:
        """Return the next `count` bytes without passing them; fewer only at the end."""
        pieces, have = [self._ahead], len(self._ahead)
        while have < count and (piece := self._more(count - have)):
            pieces.append(piece)
            have += len(piece)
        self._ahead = b"".join(pieces)
        return self._ahead[:count]

    def read(self, count: int) -> bytes:
        """Return the next `count` bytes; fewer only at the end."""
        content = self.peek(count)
        self._ahead = self._ahead[count:]
        self.position += len(content)
        return content

    def advance(self, position: int) -> None:
        """Pass everything before `position`.

        Raises:
            ValueError: if that is behind; a pipe can be read once.
        """
        if position < self.position:
            raise ValueError(f"{self.name} is a pipe: it can be read only once")
        while self.position < position and self.read(min(_PIECE, position - self.position)):
            pass

    def expect_end(self) -> None:
        """Raise `DatasetError` if there is more."""
        if self.peek(1):
            raise DatasetError(
                f"{self.name} is damaged: it goes on after the {self.position:,} bytes that its "
                "header describes"
            )

    def _more(self, count: int) -> bytes:
        try:
            return read_some(self._file, min(count, 2**30))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DatasetError(f"{self.name} is damaged: {error}") from error
        except OSError as error:
            raise unreadable(Path(self.name), error) from error


class Input:
    """Where a recording comes from: a file that can be opened again, or a pipe that cannot."""

    def __init__(self, source: Path | BinaryIO) -> None:
        self.path = source if isinstance(source, Path) else None
        self.name = str(source) if self.path else "standard input"
        self._kept: mmap.mmap | bytes | None = None
        self._packed = False
        self._stream = None
        if not isinstance(source, Path):
            self._stream, self._packed = _decompressed(source, self.name)

    @property
    def packed(self) -> bool:
        """Whether it is compressed by gzip."""
        return self._packed if self.path is None else self.plain_size() is None

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Give the bytes from the start; of a pipe, from where it is.

        Raises:
            DatasetError: if the file cannot be opened.
        """
        if self._stream is not None:
            yield self._stream
            return
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(cast(Path, self.path).open("rb"))
            except OSError as error:
                raise unreadable(cast(Path, self.path), error) from error
            yield _decompressed(file, self.name)[0]

    def plain_size(self) -> int | None:
        """Return the bytes of the file; None for what is compressed, or a pipe."""
        if self.path is None:
            return None
        try:
            with self.path.open("rb") as file:
                compressed = file.read(len(GZIP)) == GZIP
            return None if compressed else self.path.stat().st_size
        except OSError as error:
            raise unreadable(self.path, error) from error

    def spool(self) -> Memory | Input:
        """Return the same bytes as something that can be read twice."""
        return self if self._stream is None else Memory(self._keep(), self.name)

    @contextmanager
    def seekable(self) -> Iterator[BinaryIO]:
        """Give the decompressed bytes as a file to seek in, with a temporary one where needed.

        Raises:
            DatasetError: if the file cannot be read.
        """
        if self.path is None or self.packed:
            if self._kept is None:
                self._kept = self._keep()
            yield cast(BinaryIO, io.BufferedReader(_Mapped(self._kept)))
            return
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise unreadable(self.path, error) from error
        with file:
            yield file

    def _keep(self) -> mmap.mmap | bytes:
        """Return all bytes, in a file without a name."""
        with self.open() as stream, tempfile.TemporaryFile() as file:
            while piece := stream.read(_PIECE):
                file.write(piece)
            file.flush()
            size = file.tell()
            return mmap.mmap(file.fileno(), size) if size else b""


class Memory:
    """Bytes that have been read from a pipe, in a file without a name."""

    path = None

    def __init__(self, content: mmap.mmap | bytes, name: str) -> None:
        self.name = name
        self._content = content

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Give the bytes from the start."""
        yield Stream(_Mapped(self._content), self.name)


class _Mapped(io.RawIOBase):
    """A file in memory that each reader reads at a place of its own."""

    def __init__(self, content: mmap.mmap | bytes) -> None:
        self._content, self._position = content, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._content)}
        self._position = max(0, start[whence] + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        piece = self._content[self._position : self._position + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)


def _decompressed(file: BinaryIO, name: str) -> tuple[Stream, bool]:
    """Return what a file or pipe gives, and whether it had to be decompressed for that."""
    stream = Stream(file, name)
    if stream.peek(len(GZIP)) != GZIP:
        return stream, False
    return Stream(gzip.GzipFile(fileobj=cast(BinaryIO, stream), mode="rb"), name), True


def read_tail(source: Input, expected: int) -> bytes:
    """Return what follows the `expected` bytes of a recording; nothing for a pipe.

    Raises:
        DatasetError: if the file is shorter than `expected`, or much longer.
    """
    size = source.plain_size()
    if size is None or source.path is None:
        return b""
    return check_tail(source.path, size, expected)


def check_tail(path: Path, size: int, expected: int) -> bytes:
    """Return what follows the `expected` bytes of a file of `size` bytes.

    Raises:
        DatasetError: if the file is shorter than `expected`, or much longer.
    """
    if not expected <= size <= expected + LARGEST_TAIL:
        raise DatasetError(
            f"{path} is damaged: {size:,} bytes, not the {expected:,} that its header describes"
        )
    try:
        with path.open("rb") as file:
            file.seek(expected)
            return file.read()
    except OSError as error:
        raise unreadable(path, error) from error


@contextmanager
def written(target: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open what a recording goes to: a file, compressed if its name ends in .gz, or a pipe.

    Raises:
        SansError: if it cannot be written, or the reader of the pipe has left.
    """
    if isinstance(target, Path):
        with written_whole(target) as file:
            if target.suffix.lower() != ".gz":
                yield file
                return
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
                yield cast(BinaryIO, packed)
        return
    with piped(target) as pipe:
        yield pipe


def copy(source: BinaryIO, target: BinaryIO) -> None:
    """Copy a file from its start."""
    source.seek(0)
    shutil.copyfileobj(source, target, _PIECE)
