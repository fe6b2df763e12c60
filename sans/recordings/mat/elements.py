"""The elements of a MAT file of version 5: what a variable is, and its numbers.

[MAT] MathWorks, MAT-File Format, R2023a. The reader of scipy trusts the types that a file says,
and a damaged one ends the process; so what is damaged is found here.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

COMPRESSED, MATRIX = 15, 14
"""Types of the elements that are variables."""

CLASSES = {
    1: "cell",
    2: "struct",
    3: "object",
    4: "char",
    5: "sparse",
    6: "double",
    7: "single",
    8: "int8",
    9: "uint8",
    10: "int16",
    11: "uint16",
    12: "int32",
    13: "uint32",
    14: "int64",
    15: "uint64",
    16: "function",
    17: "opaque",
}
"""What a variable is, by its number."""

LOGICAL = "logical"

_NUMBERS = range(6, 16)  # classes of matrices of numbers
_TYPES = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_COMPLEX, _TRUTH = 0x0800, 0x0200
_FLAGS, _DIMENSIONS, _NAME = 6, 5, 1  # types of the elements at the beginning of a variable
_BYTES: dict[str, Any] = {"<": "little", ">": "big"}
_PADDING = 16  # bytes behind the numbers, at most, and one more
_BEGINNING = 2**14  # bytes of a variable that hold them


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the beginning of a variable says."""

    name: str
    kind: str
    """Its class, such as "double"."""

    shape: tuple[int, ...]

    dtype: np.dtype[Any] | None
    """Type of the numbers as they are stored; None for what is no real matrix."""

    place: int
    """Where the numbers begin."""

    @property
    def size(self) -> int:
        """Bytes of the numbers."""
        return math.prod(self.shape) * self.dtype.itemsize if self.dtype else 0


def describe(element: bytes, order: str) -> Matrix:
    """Return what a variable is.

    Args:
        element: all bytes of it.
        order: of its bytes, "<" or ">".

    Raises:
        ValueError: if it is damaged.
    """
    content = _content(element, order, _BEGINNING)
    kind, place, _ = _tag(content, 0, order)
    if kind != MATRIX:
        raise ValueError(f"an element of the type {kind} is no variable")
    kind, place, size = _tag(content, place, order)
    flags = int.from_bytes(content[place : place + 4], _BYTES[order])
    if (kind, size) != (_FLAGS, 8) or (flags & 0xFF) not in CLASSES:
        raise ValueError(f"a variable of the class {flags & 0xFF}")
    number, place = flags & 0xFF, _after(place, size)
    if CLASSES[number] == "opaque":
        return Matrix("", "opaque", (), None, 0)
    kind, place, size = _tag(content, place, order)
    sides = content[place : place + size]
    if kind != _DIMENSIONS or size % 4 or len(sides) < max(size, 8):
        raise ValueError("dimensions that are none")
    shape = struct.unpack(f"{order}{size // 4}i", sides)
    if min(shape) < 0:
        raise ValueError(f"the shape {shape}")
    kind, place, size = _tag(content, _after(place, size), order)
    name = content[place : place + size]
    if kind != _NAME or len(name) < size:
        raise ValueError("a name that is none")
    own = name.decode("latin-1")
    if number not in _NUMBERS or flags & _COMPLEX or not math.prod(shape):
        return Matrix(own, CLASSES[number], shape, None, 0)
    kind, place, size = _tag(content, _after(place, size), order)
    if kind not in _TYPES or math.prod(shape) * int(_TYPES[kind][1]) != size:
        raise ValueError(f"{size:,} bytes of the type {kind} for numbers of the shape {shape}")
    said = LOGICAL if flags & _TRUTH else CLASSES[number]
    return Matrix(own, said, shape, np.dtype(order + _TYPES[kind]), place)


def read_numbers(element: bytes, order: str, matrix: Matrix) -> NDArray[Any]:
    """Return the numbers of a variable, little-endian, in the order of Fortran.

    Raises:
        ValueError: if it is damaged.
    """
    dtype = matrix.dtype or np.dtype("u1")
    content = _content(element, order, matrix.place + matrix.size, whole=True)
    if len(content) < matrix.place + matrix.size:
        raise ValueError(f"its numbers end after {len(content):,} bytes")
    numbers = np.frombuffer(content, dtype, math.prod(matrix.shape), matrix.place)
    stored = np.dtype("?") if matrix.kind == LOGICAL else dtype.newbyteorder("<")
    return numbers.astype(stored, copy=False).reshape(matrix.shape, order="F")


def _content(element: bytes, order: str, most: int, whole: bool = False) -> bytes:
    """Return the beginning of a variable, decompressed; all of it has to end there if `whole`."""
    kind, place, _ = _tag(element, 0, order)
    if kind != COMPRESSED:
        return element[:most]
    try:
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(memoryview(element)[place:], most + _PADDING * whole)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if whole and not unpacker.eof:
        raise ValueError("its compressed bytes do not end where its numbers do")
    return content


def _tag(content: bytes, place: int, order: str) -> tuple[int, int, int]:
    """Return type of an element, where its data begin, and how many bytes they are."""
    start = content[place : place + 8]
    if len(start) < 8:
        raise ValueError("a variable that is cut short")
    kind, size = struct.unpack(f"{order}II", start)
    if kind >> 16:  # a small element: size and type in one number, its data behind
        return kind & 0xFFFF, place + 4, min(kind >> 16, 4)
    return kind, place + 8, size


def _after(place: int, size: int) -> int:
    """Return where the element after one begins whose data are at `place`."""
    return -(-(place + size) // 8) * 8
