"""The header of .npy files, kept as bytes."""

from __future__ import annotations

import io
import tokenize
import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.arrays.heading import Heading
from sans.recordings.arrays.orientation import open_oriented, write_oriented
from sans.recordings.layout import Layout, Sink, Source
from sans.recordings.streams import Input, Stream

MAGIC = b"\x93NUMPY"
LARGEST = 2**16  # bytes of a header

_LENGTHS = {1: 2, 2: 4}  # bytes that give the length of the rest, by the version
_READERS = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
_DAMAGED = (ValueError, TypeError, SyntaxError, tokenize.TokenError, RecursionError)


def open_npy(source: Input, layout: str | None = None) -> Source:
    """Open a .npy file, or a pipe with one; `layout` is one of `orientation.LAYOUTS`.

    Raises:
        DatasetError: if it is damaged, or the array is none of samples.
    """
    with source.open() as stream:
        heading = read_heading(stream)
    return open_oriented(source, heading, "npy", layout)


def write_file(
    target: Path | BinaryIO, layout: Layout, _unchanged: bool = False
) -> AbstractContextManager[Sink]:
    """Return the context in which a .npy file is written, with the header that it had.

    Raises:
        SansError: in the context, if it cannot be written.
    """
    return write_oriented(target, layout, parse(layout.attachments["header"], "the array"))


def read_heading(stream: Stream) -> Heading:
    """Read the header at the start of a .npy file; nothing in it is run.

    Raises:
        DatasetError: if it is damaged.
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
    return parse(start + length + rest, name)


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
        with warnings.catch_warnings():  # of types by names that numpy has given up
            warnings.simplefilter("ignore")
            shape, by_column, dtype = _READERS[version](file)
    except _DAMAGED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(f"{name} is damaged: {reason:.200}") from error
    return Heading(content, dtype, shape, by_column)


def header_of(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return the header that `np.save` writes of an array in C's order."""
    file = io.BytesIO()
    heading = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, heading)
    return file.getvalue()


def write_npy(file: BinaryIO, array: NDArray[Any]) -> None:
    """Write an array as `np.save` does, which would ask a file where it is: a pipe cannot say."""
    file.write(header_of(array.dtype.str, array.shape))
    file.write(np.ascontiguousarray(array).reshape(-1).view("u1").data)
