"""Reading the array of a .npy or .npz file, without running anything that it may contain."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.paths import unreadable

ARCHIVE = b"PK"  # how a .npz file begins, whatever it is called
DAMAGED = (
    ValueError,
    TypeError,
    EOFError,
    SyntaxError,  # the header of a .npy file is a Python literal
    tokenize.TokenError,
    RuntimeError,  # an encrypted member; NotImplementedError: an unknown compression
    zipfile.BadZipFile,
    zlib.error,
)
RATE = "rate"  # name of the scalar of a .npz file that is the sampling rate


def read_array(path: Path) -> tuple[NDArray[Any], float | None]:
    """Read the one array of a file; a large .npy file is mapped, not read as a whole.

    Args:
        path: a .npy file, or a .npz file with one array, and a scalar "rate" if it likes.

    Returns:
        The array, real numbers in one to three dimensions, and the samples per second if known.

    Raises:
        DatasetError: if the file is not readable as that.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(ARCHIVE)) == ARCHIVE:
                file.seek(0)
                loaded = np.load(file, allow_pickle=False)
                return _from_archive({name: loaded[name] for name in loaded.files}, path.name)
        return _check(np.load(path, mmap_mode="r", allow_pickle=False), path.name), None
    except DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "object" in reason.lower() or "pickle" in reason.lower():
            reason = "it holds Python objects, or is not an array file; numbers are wanted"
        raise DatasetError(f"{path} cannot be read as an array: {reason}") from error
    except (OSError, MemoryError) as error:
        cause = error if isinstance(error, OSError) else OSError("it does not fit into memory")
        raise unreadable(path, cause) from error


def _from_archive(arrays: dict[str, NDArray[Any]], name: str) -> tuple[NDArray[Any], float | None]:
    rate = arrays.pop(RATE, None)
    if len(arrays) != 1:
        found = f"{len(arrays)} arrays: {', '.join(arrays)}" if arrays else "none"
        raise DatasetError(f"{name} must hold one array (and the scalar rate), not {found}")
    (array,) = arrays.values()
    return _check(array, name), None if rate is None else _check_rate(rate, name)


def _check(array: NDArray[Any], name: str) -> NDArray[Any]:
    if not isinstance(array, np.ndarray):  # a member of a .npz file can be any bytes
        raise DatasetError(f"{name} holds something that is not an array")
    if array.dtype.kind not in "biuf":
        raise DatasetError(f"{name} holds {array.dtype}, not real numbers")
    if array.ndim not in (1, 2, 3) or not array.size:
        raise DatasetError(
            f"{name} has the shape {array.shape}: (samples,), (samples, channels) or "
            "(images, height, width) is wanted, and none of them 0"
        )
    return array


def _check_rate(rate: NDArray[Any], name: str) -> float:
    if rate.ndim or rate.dtype.kind not in "iuf" or not (math.isfinite(rate) and rate > 0):
        raise DatasetError(f"{name}: the rate is one positive number, in Hz, not {rate!r:.60}")
    return float(rate)
