"""The header of .npy files, kept as bytes; and whole files, written to whatever takes bytes."""

from __future__ import annotations

import io
import tokenize
import warnings
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.arrays import Heading
from sans.recordings.streams import Stream

MAGIC = b"\x93NUMPY"
LARGEST = 2**16  # bytes of a header

_LENGTHS = {1: 2, 2: 4}  # bytes that give the length of the rest, by the version
_READERS = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
_DAMAGED = (ValueError, TypeError, SyntaxError, tokenize.TokenError, RecursionError)


def read_heading(stream: Stream) -> Heading:
    """Read the header at the start of a .npy file; nothing in it is run.

    Raises:
        DatasetError: if it is damaged, or the array is none of samples.
    """
    name = stream.name
    start = stream.read(len(MAGIC) + 2)
    if not start.startswith(MAGIC) or len(start) < len(MAGIC) + 2:
        raise DatasetError(f"{name} is not a .npy file: it begins with {start!r}")
    version = start[len(MAGIC)]
    if version not in _READERS:
        raise DatasetError(f"{name} has .npy version {version}: this reader knows 1 and 2")
    length = stream.read(_LENGTHS[version])
    size = int.from_bytes(length, "little")
    rest = stream.read(min(size, LARGEST))
    if len(rest) < size or len(length) < _LENGTHS[version]:
        raise DatasetError(f"{name} is damaged: its header has {len(rest)} bytes, not {size}")
    heading = parse(start + length + rest, name)
    heading.check(name)
    return heading


def parse(content: bytes, name: str) -> Heading:
    """Read the bytes of a header.

    Raises:
        DatasetError: if they are damaged.
    """
    file = io.BytesIO(content[len(MAGIC) + 2 :])
    version = int.from_bytes(content[len(MAGIC) :][:1], "little")
    try:
        if not content.startswith(MAGIC) or version not in _READERS:
            raise ValueError(f"its header begins with {content[: len(MAGIC) + 2]!r}")
        with warnings.catch_warnings():  # of types by names that nobody uses any more
            warnings.simplefilter("ignore")
            shape, by_column, dtype = _READERS[version](file)
    except _DAMAGED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(f"{name} is damaged: {reason:.200}") from error
    return Heading(content, dtype, shape, by_column)


def write_npy(file: BinaryIO, array: NDArray[Any]) -> None:
    """Write an array as `np.save` does, which would ask a file where it is: a pipe cannot say."""
    heading = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(file, heading)
    file.write(np.ascontiguousarray(array).reshape(-1).view("u1").data)
