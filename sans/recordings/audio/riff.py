"""The chunks of a WAV file, as far as they tell how many samples it should have.

soundfile takes a file that is cut short as one that is as long as it is.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

_CHUNK = struct.Struct("<4sI")
_LARGE = struct.Struct("<QQ")  # bytes of a large file, and of its samples
_UNKNOWN = 0xFFFFFFFF
_MOST = 1000  # chunks before the samples, at most


def samples_promised(file: BinaryIO, width: int) -> int | None:
    """Return how many samples a WAV file should have; None where it does not say, or is none.

    Args:
        file: the file, anywhere in it.
        width: bytes of a sample of all channels.
    """
    file.seek(0)
    if file.read(4) not in (b"RIFF", b"RF64"):
        return None
    file.seek(12)
    large = None
    for _ in range(_MOST):
        start = file.read(_CHUNK.size)
        if len(start) < _CHUNK.size:
            return None
        kind, size = _CHUNK.unpack(start)
        if kind == b"data":
            size = large if size == _UNKNOWN else size
            return None if size is None else size // width
        if kind == b"ds64" and len(content := file.read(_LARGE.size)) == _LARGE.size:
            large = _LARGE.unpack(content)[1]
            size -= _LARGE.size
        file.seek(size + size % 2, 1)
    return None
