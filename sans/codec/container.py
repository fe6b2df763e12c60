"""The container: sections with checksums, that can be written to a pipe and read from the end.

A stream is, with all integers unsigned and little-endian::

    size   what
    4      the bytes "SANS"
    1      version, 1
    …      sections: one header, kernels if there are any, chunks, one end
    8      where the end section begins
    4      the bytes "SNAS"

and a section is::

    size   what
    1      its kind: "H" header, "K" kernels, "C" chunk, "E" end
    4      size of its content
    …      its content
    4      CRC-32 of the three above, begun with the checksum of the header section

so that a chunk of another stream is noticed; the header's own checksum begins with 0.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sans.errors import BitstreamError
from sans.pipes import read_some

MAGIC = b"SANS"
FINAL = b"SNAS"
VERSION = 1
HEADER, KERNELS, CHUNK, END = b"H", b"K", b"C", b"E"
KINDS = (HEADER, KERNELS, CHUNK, END)

LARGEST = 1 << 28
"""The largest content of a section, in bytes."""

_HEAD = struct.Struct("<4sB")
SECTION = struct.Struct("<cI")
_CRC = struct.Struct("<I")
_TRAILER = struct.Struct("<Q4s")

PATIENCE = 64
"""How many times its bytes are looked at, at most, in a search for what is whole."""

FRAME = SECTION.size + _CRC.size
"""Bytes of a section beside its content."""

START = _HEAD.size
TRAILER = _TRAILER.size


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a stream."""

    kind: bytes
    """One of `KINDS`."""

    content: bytes
    """What it holds."""

    checksum: int
    """What its bytes end with."""


class Writer:
    """Writes sections, one after the other.

    Raises:
        OSError: where the file cannot be written.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._seed = 0
        self.size = 0
        self._write(_HEAD.pack(MAGIC, VERSION))

    def write(self, kind: bytes, content: bytes) -> int:
        """Write a section, and return where it begins."""
        begin = self.size
        if len(content) > LARGEST:
            raise BitstreamError(f"a section of {len(content)} bytes: {LARGEST} is the most")
        section = seal(kind, content, self._seed)
        if kind == HEADER:
            self._seed = _CRC.unpack(section[-_CRC.size :])[0]
        self._write(section)
        return begin

    def close(self, end: bytes) -> None:
        """Write the end section and what comes after it."""
        begin = self.write(END, end)
        self._write(_TRAILER.pack(begin, FINAL))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)


def seal(kind: bytes, content: bytes, seed: int) -> bytes:
    """Return a section as bytes.

    Args:
        kind: one of `KINDS`.
        content: what it holds.
        seed: the checksum of the header section; 0 for that itself.
    """
    body = SECTION.pack(kind, len(content)) + content
    return body + _CRC.pack(zlib.crc32(body, seed))


def read_start(file: BinaryIO) -> None:
    """Read the first bytes of a stream.

    Raises:
        BitstreamError: if it is no stream, or of a version that this reader does not know.
    """
    data = read_all(file, _HEAD.size)
    if data[: len(MAGIC)] != MAGIC:
        if not data:
            raise BitstreamError("an empty file is no .sans stream")
        raise BitstreamError(f"no .sans stream: it begins with {data[:4]!r}, not {MAGIC!r}")
    if len(data) < _HEAD.size:
        raise BitstreamError("a stream that ends before its version")
    if data[-1] != VERSION:
        newer = ": a newer sans reads it" if data[-1] > VERSION else ""
        raise BitstreamError(
            f"stream version {data[-1]}, this reader knows version {VERSION} only{newer}"
        )


def read_section(file: BinaryIO, seed: int) -> Section:
    """Read a section.

    Raises:
        BitstreamError: if the bytes are not those of one, or end before it does.
    """
    head = read_all(file, SECTION.size)
    if len(head) < SECTION.size:
        raise BitstreamError("the stream is cut off between two sections")
    kind, size = SECTION.unpack(head)
    if kind not in KINDS or size > LARGEST:
        raise BitstreamError(f"damaged: no section begins with {head!r}")
    content = read_all(file, size)
    tail = read_all(file, _CRC.size)
    if len(content) < size or len(tail) < _CRC.size:
        raise BitstreamError("the stream is cut off within a section")
    (checksum,) = _CRC.unpack(tail)
    if zlib.crc32(content, zlib.crc32(head, seed)) != checksum:
        raise BitstreamError(f"damaged: the checksum of a section {kind.decode()} is wrong")
    return Section(kind, content, checksum)


def read_trailer(file: BinaryIO) -> int:
    """Read the last bytes of a stream, and return where its end section begins.

    Raises:
        BitstreamError: if they are not those of a stream.
    """
    data = read_all(file, _TRAILER.size)
    if len(data) == _TRAILER.size:
        begin, final = _TRAILER.unpack(data)
        if final == FINAL:
            return int(begin)
    raise BitstreamError("the stream is cut off: its last bytes are missing or damaged")


def read_all(file: BinaryIO, size: int) -> bytes:
    """Read `size` bytes or what there is, a piece at a time: a size that lies allocates nothing.

    A pipe may give fewer bytes than asked for before its end.
    """
    pieces, left = [], size
    while left:
        piece = read_some(file, min(left, 1 << 20))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def find_sections(data: bytes, seed: int) -> Iterator[tuple[int, Section]]:
    """Yield the whole sections among bytes of which some are damaged, and where each begins.

    Checksums are taken where a section could begin, of some multiple of the bytes in all: bytes
    made to look like the beginning of sections everywhere end the search.
    """
    place, patience = 0, PATIENCE * (len(data) + (1 << 20))
    while place + FRAME <= len(data) and patience > 0:
        kind, size = SECTION.unpack_from(data, place)
        end = place + FRAME + size
        if kind in KINDS and end <= len(data):
            (checksum,) = _CRC.unpack_from(data, end - _CRC.size)
            patience -= size
            if zlib.crc32(data[place : end - _CRC.size], seed) == checksum:
                content = data[place + SECTION.size : end - _CRC.size]
                yield place, Section(kind, content, checksum)
                place = end
                continue
        place += 1
