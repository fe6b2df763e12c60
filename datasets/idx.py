"""Reading IDX files, the format of MNIST: a magic number, the dimensions, and the bytes."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.files.paths import unreadable

UNSIGNED_BYTE = 8  # the code of the only type that these files use


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, decompressed in memory if its name ends in .gz.

    Raises:
        DatasetError: if it cannot be read, or its compressed data is damaged or cut short.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path} is damaged: {error}; fetch it again") from error
    except OSError as error:
        raise unreadable(path, error) from error


def read_idx(path: Path, rank: int) -> NDArray[np.uint8]:
    """Read an array of unsigned bytes.

    Args:
        path: an IDX file, plain or ending in .gz; nothing is unpacked on disk.
        rank: the dimensions it must have.

    Returns:
        The array; it cannot be written to.

    Raises:
        DatasetError: if the file is not that, or not of the length that its header says.
    """
    content = read_bytes(path)
    header = 4 + 4 * rank
    magic = struct.pack(">HBB", 0, UNSIGNED_BYTE, rank)
    if content[:4] != magic:
        raise DatasetError(
            f"{path} is not an IDX file of {rank} dimensions: it begins with "
            f"{content[:4].hex(' ') or 'nothing'}, not {magic.hex(' ')}"
        )
    if len(content) < header:
        raise DatasetError(
            f"{path} is damaged: {len(content)} bytes, its header alone has {header}"
        )
    shape = struct.unpack_from(f">{rank}I", content, 4)
    if len(content) != header + math.prod(shape):
        raise DatasetError(
            f"{path} is damaged: {len(content):,} bytes, not the {header + math.prod(shape):,} "
            f"of {' x '.join(map(str, shape))}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
