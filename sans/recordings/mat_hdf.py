"""The variables of a MAT file of version 7.3, which is an HDF5 file."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from sans.errors import DatasetError
from sans.recordings.mat_variables import LARGEST, TYPES, Variable

MAGIC = b"\x89HDF\r\n\x1a\n"
PLACE = 512
"""Where HDF5 begins behind the header of a MAT file."""

_EMPTY = "MATLAB_empty"


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
            left, found = LARGEST, []
            for key in root:
                if key.startswith("#"):  # what cells and structs refer to
                    continue
                variable = _variable(key, root[key], left, name)
                left -= 0 if variable.values is None else variable.values.nbytes
                found.append(variable)
            return found
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, MemoryError) as error:
        reason = " ".join(str(error).split())
        raise DatasetError(f"{name} is damaged: {reason:.200}") from error


def _variable(key: str, item: Any, left: int, name: str) -> Variable:
    said = item.attrs.get("MATLAB_class", b"struct" if not hasattr(item, "dtype") else b"")
    kind = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    shape = tuple(getattr(item, "shape", ()))[::-1]
    dtype = getattr(item, "dtype", None)
    if kind not in TYPES and dtype is not None and not said:
        kind = next((each for each, wanted in TYPES.items() if np.dtype(wanted) == dtype), "other")
    if dtype is None or dtype.kind not in "biuf" or kind not in TYPES or _EMPTY in item.attrs:
        return Variable(key, kind, shape, None)
    if item.nbytes > left:
        raise DatasetError(f"{name} holds more than {LARGEST:,} bytes of numbers")
    stored = np.dtype("?") if kind == "logical" else dtype.newbyteorder("<")
    return Variable(key, kind, shape, np.asarray(item[()]).T.astype(stored, copy=False))
