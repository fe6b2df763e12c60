"""The container: sections with checksums, that can be written to a pipe and read from the end.

A stream is, with all integers unsigned and little-endian::

    size   what
    4      the bytes "SANS"
    1      version
    …      sections: one header, kernels if there are any, chunks, one end
    8      where the end section begins
    4      the bytes "SNAS"

and a section is::

    size   what
    1      its kind: "H" header, "K" kernels, "C" chunk, "E" end; small letters may be passed over
    4      size of its content
    …      its content
    4      CRC-32 of the three above, begun with the checksum of the header section

so that a chunk of another stream is noticed; the header's own checksum begins with that of the
first five bytes, or of version 1 with 0.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from sans.codec.versions import NEWEST, VERSIONS, Version
from sans.errors import BitstreamError
from sans.files.pipes import read_some

MAGIC = b"SANS"
FINAL = b"SNAS"
HEADER, KERNELS, CHUNK, END = b"H", b"K", b"C", b"E"
KINDS = (HEADER, KERNELS, CHUNK, END)

LARGEST = 1 << 28
"""The largest content of a section, in bytes."""

_HEAD = struct.Struct("<4sB")
SECTION = struct.Struct("<cI")
CHECKSUM = struct.Struct("<I")
_TRAILER = struct.Struct("<Q4s")

FRAME = SECTION.size + CHECKSUM.size
"""Bytes of a section beside its content."""

SMALLEST_CHUNK = FRAME + 3
"""Bytes of a chunk section, at least: it has a number, frames, and the size of a part."""

START = _HEAD.size
TRAILER = _TRAILER.size


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a stream."""

    kind: bytes
    """One of `KINDS`, or a small letter."""

    content: bytes
    """What it holds."""

    checksum: int
    """What its bytes end with."""

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self.content) + FRAME


class SectionWriter:
    """Writes sections, one after the other.

    Raises:
        OSError: where the file cannot be written.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._seed = first_seed(NEWEST)
        self.size = 0
        self._write(_HEAD.pack(MAGIC, NEWEST.number))

    def write(self, kind: bytes, content: bytes) -> int:
        """Write a section, and return where it begins."""
        begin = self.size
        if len(content) > LARGEST:
            raise BitstreamError(f"a section of {len(content)} bytes: {LARGEST} is the most")
        section = seal(kind, content, self._seed)
        if kind == HEADER:
            self._seed = CHECKSUM.unpack(section[-CHECKSUM.size :])[0]
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
        seed: the checksum of the header section; for that itself, that of `first_seed`.
    """
    body = SECTION.pack(kind, len(content)) + content
    return body + CHECKSUM.pack(zlib.crc32(body, seed))


def read_start(file: BinaryIO) -> Version:
    """Read the first bytes of a stream, and return its version.

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
    if data[-1] not in VERSIONS:
        newer = ": a newer sans reads it" if data[-1] > NEWEST.number else ""
        known = " and ".join(map(str, VERSIONS))
        raise BitstreamError(
            f"stream version {data[-1]}, this reader knows versions {known}{newer}"
        )
    return VERSIONS[data[-1]]


def first_seed(version: Version) -> int:
    """Return what the checksum of the header section begins with: it knows its version."""
    return zlib.crc32(_HEAD.pack(MAGIC, version.number)) if version.sealed else 0


def is_kind(kind: bytes, version: Version) -> bool:
    """Return whether a section may be of a kind; those of small letters can be passed over."""
    return kind in KINDS or (version.grows and b"a" <= kind <= b"z")


def next_section(file: BinaryIO, seed: int, version: Version) -> tuple[Section, int]:
    """Read up to the end of the next section that is known; return it, and where it begins.

    That is counted in bytes from where the file is.

    Raises:
        BitstreamError: as for `read_section`.
    """
    passed = 0
    while (section := read_section(file, seed, version)).kind not in KINDS:
        passed += section.size
    return section, passed


def read_section(file: BinaryIO, seed: int, version: Version) -> Section:
    """Read a section.

    Raises:
        BitstreamError: if the bytes are not those of one, or end before it does.
    """
    head = read_all(file, SECTION.size)
    if len(head) < SECTION.size:
        raise BitstreamError("the stream is cut off between two sections")
    kind, size = SECTION.unpack(head)
    if not is_kind(kind, version) or size > LARGEST:
        raise BitstreamError(f"damaged: no section begins with {head!r}")
    content = read_all(file, size)
    tail = read_all(file, CHECKSUM.size)
    if len(content) < size or len(tail) < CHECKSUM.size:
        raise BitstreamError("the stream is cut off within a section")
    (checksum,) = CHECKSUM.unpack(tail)
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
