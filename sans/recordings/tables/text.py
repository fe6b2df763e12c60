"""The text of a table: its encoding, and its lines, read a piece at a time.

Text in UTF-16 is turned into UTF-8 before anything else is done with it, and back at the end. Bytes
that are not UTF-8 are read as Latin-1, in which every byte is a letter.
"""

from __future__ import annotations

import codecs
import mmap
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from sans.errors import DatasetError, printable
from sans.recordings.streams import Input, Memory, Stream

UTF_8_MARK = codecs.BOM_UTF8
LONGEST_LINE = 2**22
"""Bytes of a line, at most: 65,536 columns of 64 characters."""

UTF_8, LATIN_1 = "utf-8", "latin-1"
ENCODINGS = (UTF_8, LATIN_1, "utf-16-le", "utf-16-be")
"""How a table may be encoded."""

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_PIECE = _SAMPLE = 2**20


def found(cell: str) -> str:
    """Return a cell as messages show it."""
    return f"{cell!r:.40}"


@dataclass(frozen=True, slots=True)
class Text:
    """A text that can be read again from its start."""

    source: Input | Memory
    """Its bytes, in UTF-8 or Latin-1."""

    encoding: str
    """What it was given in; what is in UTF-16 has become UTF-8 in `source`."""

    newline: bytes
    """What ends its lines: a line feed, or in old files a carriage return."""

    size: int
    """Bytes before `tail`."""

    tail: bytes
    """The line ends at the end."""

    marked: bool
    """Whether it begins with a byte order mark."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return printable(self.source.name)

    def decode(self, content: bytes) -> str:
        """Return bytes of `source` as text."""
        return content.decode(LATIN_1 if self.encoding == LATIN_1 else UTF_8)

    def pieces(self, start: int = 0, line: int = 1) -> Iterator[bytes]:
        """Yield whole lines from a place on, some at a time; the last one of all has no end.

        Raises:
            DatasetError: if a line, the first of which is number `line`, is too long, or has an end
                that is not like the others.
        """
        with self.source.open() as stream:
            stream.advance(start)
            rest: list[bytes] = []
            waiting, left = 0, self.size - start
            while left > 0 and (piece := stream.read(min(_PIECE, left))):
                left -= len(piece)
                if self.newline == b"\r" and b"\n" in piece:
                    line += piece.count(b"\r", 0, piece.index(b"\n"))
                    raise DatasetError(
                        f"{self.name}, line {line}, has a line feed: lines before it end in "
                        "carriage returns"
                    )
                lines, end, more = piece.rpartition(self.newline)
                if end:
                    whole = b"".join([*rest, lines, end])
                    yield whole
                    line += whole.count(self.newline)
                    rest, waiting = [], 0
                rest.append(more)
                waiting += len(more)
                if waiting > LONGEST_LINE:
                    raise DatasetError(
                        f"{self.name}, line {line}, is too long: {LONGEST_LINE:,} bytes at most"
                    )
            if self.size > start:
                yield b"".join(rest)


def read_text(source: Input) -> Text:
    """Return the text of a file or a pipe; a pipe, or UTF-16, is kept in a temporary file.

    Raises:
        DatasetError: if it is empty, or no text.
    """
    again = source.spool()
    with again.open() as stream:
        start = stream.peek(4)
        encoding = _MARKS.get(start[:2])
        if encoding:
            again = _transcoded(stream, encoding)
    return _surveyed(again, encoding or UTF_8)


def _transcoded(stream: Stream, encoding: str) -> Memory:
    """Return text in UTF-16 as text in UTF-8, with its byte order mark."""
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    with tempfile.TemporaryFile() as file:
        while True:
            piece = stream.read(_PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                line += piece[: error.start].decode(encoding, "ignore").count("\n")
                raise DatasetError(
                    f"{printable(stream.name)}, line {line}, is not text in UTF-16: {error.reason}"
                ) from error
            line += text.count("\n")
            file.write(text.encode())
            if not piece:
                break
        file.flush()
        return Memory(mmap.mmap(file.fileno(), file.tell()), stream.name)


def _surveyed(source: Input | Memory, encoding: str) -> Text:
    """Find the encoding, the kind of line ends, and those at the end."""
    decoder = codecs.getincrementaldecoder(UTF_8)()
    size, tail, lines = 0, b"", 1
    with source.open() as stream:
        mark = stream.peek(len(UTF_8_MARK))
        start = stream.peek(_SAMPLE).strip(b"\r\n")
        ended = start[start.find(b"\r") :] if b"\r" in start.partition(b"\n")[0] else b"\n"
        newline = b"\n" if ended.lstrip(b"\r").startswith(b"\n") else b"\r"
        while piece := stream.read(_PIECE):
            if b"\0" in piece:
                lines += piece.count(newline, 0, piece.index(b"\0"))
                raise DatasetError(
                    f"{printable(source.name)}, line {lines}, is not text: it has zero bytes, "
                    "and no byte order mark of UTF-16"
                )
            if encoding == UTF_8 and not _decodes(decoder, piece):
                encoding = LATIN_1
            lines += piece.count(newline)
            kept = piece.rstrip(b"\r\n")
            tail = piece[len(kept) :] if kept else tail + piece
            size += len(piece)
    if encoding == UTF_8 and not _decodes(decoder, b"", final=True):
        encoding = LATIN_1
    marked = encoding != LATIN_1 and mark == UTF_8_MARK
    return Text(source, encoding, newline, size - len(tail), tail, marked)


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True
