"""The variables of a MAT file of version 7.3, which is an HDF5 file."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from sans.errors import DatasetError
from sans.recordings.mat.variables import DENSEST, LARGEST, TYPES, Variable

MAGIC = b"\x89HDF\r\n\x1a\n"
PLACE = 512
"""Where HDF5 begins behind the header of a MAT file."""

_EMPTY = "MATLAB_empty"
_DAMAGED = (AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)


def is_hdf(file: BinaryIO) -> bool:
    """Return whether a file is one of HDF5, behind the header of a MAT file or without one."""
    found = []
    for place in (0, PLACE):
        file.seek(place)
        found.append(file.read(len(MAGIC)) == MAGIC)
    file.seek(0)
    return any(found)


def read_hdf(file: BinaryIO, name: str) -> list[Variable]:
    """Return the variables of a file.

    Raises:
        DatasetError: if it is damaged, holds too much, or the package h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise DatasetError(
            f'{name} is a MAT file of version 7.3, which h5py reads: pip install "sans[mat]", or '
            "save it with -v7"
        ) from error
    try:
        with h5py.File(file, "r") as root:
            left, found = min(LARGEST, DENSEST * file.seek(0, 2)), []
            for key in root:
                if key.startswith("#"):  # what cells and structs refer to
                    continue
                variable = _variable(
                    key, root[key], isinstance(root[key], h5py.Dataset), left, name
                )
                left -= 0 if variable.values is None else variable.values.nbytes
                found.append(variable)
            return found
    except _DAMAGED as error:
        reason = " ".join(str(error).split())
        raise DatasetError(f"{name} is damaged: {reason:.200}") from error


def _variable(key: str, item: Any, is_array: bool, left: int, name: str) -> Variable:
    said = item.attrs.get("MATLAB_class", b"")
    kind = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    if not is_array:
        return Variable(key, kind or "struct", (1, 1), None)
    if not kind:
        kind = next((each for each, wanted in TYPES.items() if np.dtype(wanted) == item.dtype), "?")
    shape = tuple(item.shape or ())[::-1]
    if item.dtype.kind not in "biuf" or kind not in TYPES or _EMPTY in item.attrs:
        return Variable(key, kind, shape, None)
    if item.nbytes > left:
        raise DatasetError(f"{name} claims {item.nbytes:,} bytes of {key}: that is too much")
    stored = np.dtype("?") if kind == "logical" else item.dtype.newbyteorder("<")
    return Variable(key, kind, shape, np.asarray(item[()]).T.astype(stored, copy=False))
