"""The samples of arrays, collected in temporary files until it is known what goes before them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from numpy.typing import NDArray

from sans.recordings.arrays.heading import Heading, placing
from sans.recordings.layout import interleave
from sans.recordings.streams import copy


class Collector:
    """The samples of one array, in a file without a name.

    Args:
        heading: how they lie in the array; a shape whose first side is 0 may become longer.
        stack: closes the file.
    """

    def __init__(self, heading: Heading, stack: ExitStack) -> None:
        self.rows = 0
        self._heading = heading
        self._file: BinaryIO = stack.enter_context(TemporaryFile())  # noqa: SIM115
        self._open = stack.enter_context(ExitStack())
        self._put = self._open.enter_context(placing(self._file, heading))

    def write(self, samples: Sequence[NDArray[Any]]) -> None:
        """Append the samples of each channel."""
        rows = interleave(samples, self._heading.per_frame)
        self._put(rows, self.rows)
        self.rows += len(rows) // sum(self._heading.per_frame)

    def finish(self) -> BinaryIO:
        """Return the file, complete.

        Raises:
            ValueError: if the array has another number of rows.
        """
        if self._heading.shape[0] not in (0, self.rows):
            raise ValueError(f"{self.rows} rows, but the array has {self._heading.shape[0]}")
        self._open.close()
        return self._file

    def copy_to(self, file: BinaryIO) -> None:
        """Write all samples to another file."""
        copy(self.finish(), file)
