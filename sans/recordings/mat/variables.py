"""The variables of a MAT file of version 4 or 5: numbers as arrays, all else as its bytes.

A file of version 5 is a header and its variables, one behind the other, each of which can be read
alone.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError, printable
from sans.recordings.mat.elements import COMPRESSED, describe, read_numbers

HEADER = 128
"""Bytes before the variables."""

MOST_VARIABLES = 4096

LARGEST = 2**32
"""Bytes of all numbers of a file, at most: they are read into memory."""

DENSEST = 1032
"""Bytes that a byte of deflate can stand for, at most."""

TYPES = {
    "double": "<f8",
    "single": "<f4",
    "int8": "i1",
    "uint8": "u1",
    "int16": "<i2",
    "uint16": "<u2",
    "int32": "<i4",
    "uint32": "<u4",
    "int64": "<i8",
    "uint64": "<u8",
    "logical": "?",
}
"""Type of the numbers of a variable by its class, as MATLAB calls it."""

_NAME = re.compile(r"[A-Za-z]\w{0,62}", re.ASCII)
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable."""

    name: str
    """What it is called."""

    kind: str
    """Its class, such as "double"."""

    shape: tuple[int, ...]
    """Its shape."""

    values: NDArray[Any] | None
    """Its numbers; None if it holds none, or complex ones."""

    content: bytes = b""
    """All of it, where it can be kept as it is."""

    deflated: bool = True
    """Whether it is compressed."""

    def __str__(self) -> str:
        """Return what it is, for people."""
        return f"{printable(self.name):.60} ({' x '.join(map(str, self.shape))} {self.kind})"


def read_variables(file: BinaryIO, name: str) -> tuple[list[Variable], bytes]:
    """Return the variables of a file, and its header.

    Args:
        file: a MAT file of version 4 or 5.
        name: of the file, for messages.

    Raises:
        DatasetError: if it is damaged, or holds too much.
    """
    header = file.read(HEADER)
    order = {b"IM": "<", b"MI": ">"}.get(header[HEADER - 2 :])
    found: list[Variable] = []
    if 0 in header[:4]:  # where version 5 has text
        return _read_old(file, name), b""
    if order is None:
        raise DatasetError(f"{name} is no MAT file: its header ends in {header[-2:]!r}")
    left = LARGEST
    for element, deflated in _elements(file, order, name):
        if len(found) == MOST_VARIABLES:
            raise DatasetError(f"{name} holds more than {MOST_VARIABLES:,} variables")
        variable = _read(element, order, deflated, left, name)
        left -= 0 if variable.values is None else variable.values.nbytes
        found.append(variable)
    return found, header if order == "<" else b""


def _elements(file: BinaryIO, order: str, name: str) -> Iterator[tuple[bytes, bool]]:
    """Yield the bytes of each variable, and whether it is compressed."""
    place = HEADER
    while start := file.read(8):
        kind, size = struct.unpack(f"{order}II", start) if len(start) == 8 else (0, 0)
        content = file.read(size)
        if len(start) < 8 or len(content) < size:
            raise DatasetError(
                f"{name} is damaged: it ends in the variable that begins at byte {place:,}"
            )
        place += 8 + size
        yield start + content, kind == COMPRESSED


def _read(element: bytes, order: str, deflated: bool, left: int, name: str) -> Variable:
    try:
        matrix = describe(element, order)
        if matrix.size > DENSEST * len(element):
            raise ValueError(f"it cannot hold the {matrix.size:,} bytes that it claims")
        if matrix.dtype is None or not _NAME.fullmatch(matrix.name):
            return Variable(matrix.name, matrix.kind, matrix.shape, None, element, deflated)
        if matrix.size > left:
            raise DatasetError(f"{name} holds more than {LARGEST:,} bytes of numbers")
        values = read_numbers(element, order, matrix)
    except ValueError as error:
        raise DatasetError(
            f"{name} is damaged, in a variable of {len(element):,} bytes: {error}"
        ) from error
    return Variable(matrix.name, matrix.kind, matrix.shape, values, b"", deflated)


def _read_old(file: BinaryIO, name: str) -> list[Variable]:
    """Return the variables of a file of version 4, which is no list of elements."""
    from scipy.io import whosmat

    file.seek(0)
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise DatasetError(f"{name} holds more than {LARGEST:,} bytes of numbers")
    return [
        Variable(
            own,
            kind,
            shape,
            _values(content, own, kind, name) if kind in TYPES and _NAME.fullmatch(own) else None,
        )
        for own, shape, kind in _told(whosmat, content, name)
    ]


def _values(content: bytes, own: str, kind: str, name: str) -> NDArray[Any] | None:
    """Return the numbers of a variable as they are stored, little-endian; None of complex ones."""
    from scipy.io import loadmat

    values = np.asarray(_told(loadmat, content, name, variable_names=[own]).get(own))
    if values.dtype.kind not in "biuf":
        return None
    stored = np.dtype("?") if kind == "logical" else values.dtype.newbyteorder("<")
    return values.astype(stored, copy=False)


def _told(read: Any, content: bytes, name: str, **options: Any) -> Any:
    """Return what scipy reads of a file.

    Raises:
        DatasetError: if it cannot.
    """
    import warnings

    from scipy.io.matlab import MatReadError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(io.BytesIO(content), **options)
    except (*_DAMAGED, MatReadError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(f"{name} is damaged: {reason:.200}") from error
