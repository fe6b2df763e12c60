"""How much a stream may become: no stream fills a disk, whatever it says.

The samples of a recording take at most the larger of `FREE` bytes and `TIMES` those of its stream,
unless its reader allows another number.
"""

from __future__ import annotations

import io
import re
from decimal import Decimal
from typing import BinaryIO

import numpy as np

from sans.errors import BitstreamError
from sans.recordings.layout import Layout

FREE = 1 << 30
"""So many bytes are always allowed."""

TIMES = 1000
"""And so many times the bytes of the stream: few recordings become smaller."""

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


class OutputLimit:
    """What a stream may become.

    Args:
        layout: of the recording.
        most: bytes of its samples, at most; none: see above.

    Raises:
        ValueError: if `most` is below 1.
    """

    def __init__(self, layout: Layout, most: int | None) -> None:
        if most is not None and most < 1:
            raise ValueError(f"the most bytes of an output must be 1 or more, not {most}")
        self._each = sum(
            track.per_frame * np.dtype(track.dtype).itemsize for track in layout.tracks
        )
        self.most = most

    def check(self, frames: int, size: int) -> None:
        """Check that so many frames may come.

        Args:
            frames: of the recording.
            size: bytes of the stream, as far as they are known.

        Raises:
            BitstreamError: if they are too many.
        """
        wanted = frames * self._each
        allowed = max(FREE, TIMES * size) if self.most is None else self.most
        if wanted > allowed:
            raise BitstreamError(
                f"samples of {wanted:,} bytes, from a stream of {size:,}: {allowed:,} are allowed, "
                f"--max-output {wanted} (or max_output) allows more"
            )


def size_of(file: BinaryIO) -> int | None:
    """Return the bytes of a file from its start, and stay where it is; none: it is a pipe."""
    try:
        if not file.seekable():
            return None
        place = file.tell()
        size = file.seek(0, io.SEEK_END)
        file.seek(place)
    except (AttributeError, OSError):
        return None
    return size


def bytes_of(text: str) -> int:
    """Return a number of bytes such as 5000000, 500MB or 2GiB.

    Raises:
        ValueError: if it is none, or not above 0.
    """
    found = re.fullmatch(
        r"([0-9]{1,18}(?:\.[0-9]{1,9})?) ?([KMGT]?)(i?)B?", text.strip(), re.IGNORECASE
    )
    if found and not (found[3] and not found[2]):
        step = 1024 if found[3] else 1000
        number = int(Decimal(found[1]) * step ** _UNITS[found[2].upper()])
        if 1 <= number < 1 << 63:
            return number
    raise ValueError(f"a number of bytes is 1 or more, such as 500MB or 2GiB, not {text!r}")
