"""The header of IDX files, the format of MNIST: a magic number and the dimensions."""

from __future__ import annotations

import struct
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sans.errors import DatasetError
from sans.recordings.arrays.heading import Heading
from sans.recordings.arrays.orientation import open_oriented, write_oriented
from sans.recordings.layout import Layout, Sink, Source
from sans.recordings.streams import Input, Stream

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
"""Type of the samples by its code in the header."""

RANKS = (1, 2, 3)

ENDS = tuple(f"idx{rank}-ubyte" for rank in RANKS)
"""What the names of its files end in, where they have no suffix."""


def is_idx(start: bytes) -> bool:
    """Return whether a file that begins with these 4 bytes can be an IDX file."""
    return start[:2] == b"\0\0" and len(start) >= 4 and start[2] in TYPES and start[3] in RANKS


def read_heading(stream: Stream) -> Heading:
    """Read the header at the start of an IDX file.

    Raises:
        DatasetError: if it is damaged.
    """
    magic = stream.read(4)
    if not is_idx(magic):
        raise DatasetError(
            f"{stream.name} is not an IDX file of 1 to 3 dimensions: it begins with "
            f"{magic.hex(' ') or 'nothing'}"
        )
    rest = stream.read(4 * magic[3])
    if len(rest) < 4 * magic[3]:
        raise DatasetError(f"{stream.name} is damaged: its header is cut short")
    return parse(magic + rest)


def parse(content: bytes) -> Heading:
    """Read the bytes of a header.

    Raises:
        DatasetError: if they are none.
    """
    if not is_idx(content) or len(content) != 4 + 4 * content[3]:
        raise DatasetError(f"the header of an IDX file is damaged: {content[:16].hex(' ')}")
    shape = struct.unpack_from(f">{content[3]}I", content, 4)
    return Heading(content, np.dtype(TYPES[content[2]]), shape)


def open_idx(source: Input, layout: str | None = None) -> Source:
    """Open an IDX file, or a pipe with one; `layout` is one of `orientation.LAYOUTS`.

    Raises:
        DatasetError: if it is damaged, or the array is none of samples.
    """
    with source.open() as stream:
        heading = read_heading(stream)
    return open_oriented(source, heading, "idx", layout)


def write_idx(
    target: Path | BinaryIO, layout: Layout, _unchanged: bool = False
) -> AbstractContextManager[Sink]:
    """Return the context in which an IDX file is written, with the header that it had.

    Raises:
        SansError: in the context, if it cannot be written.
    """
    return write_oriented(target, layout, parse(layout.attachments["header"]))
