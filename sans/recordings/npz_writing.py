"""Writing .npz archives: each array is collected in a temporary file, and they go in one by one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from sans.recordings.arrays import Heading, Put, placing
from sans.recordings.layout import Block, Layout, Track, count_frames, in_units, interleave
from sans.recordings.npy import write_npy
from sans.recordings.npz_archive import BASELINES, EACH_RATE, FACTS, GAINS, NAMES, START, UNITS
from sans.recordings.streams import copy

_DATE = (1980, 1, 1, 0, 0, 0)  # so that the same arrays give the same bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an archive."""

    file: str
    """What it is called there."""

    deflated: bool
    """Whether it is compressed."""

    content: bytes
    """All of it, or the header of an array of samples."""

    tracks: range = range(0)
    """The tracks whose samples follow."""

    heading: Heading | None = None
    """How they lie in the array; none where it has one dimension and nobody knows its length."""


def exported(layout: Layout) -> list[Part]:
    """Return the files of an archive that holds a recording of another format.

    Each channel is an array of its own, in its physical unit, so that

        with np.load("part.npz") as part:
            part["MLII"]                                   # mV, NaN where there is no sample
            dict(zip(part["names"], part["rates"]))        # Hz, 0 for an unknown rate
            np.rint(part["MLII"] * part["gains"][0] + part["baselines"][0])   # as it was stored

    Samples without gain, baseline and mark of missing ones stay integers. `names`, `units`,
    `rates`, `gains` and `baselines` have one entry for each channel, in the order of the arrays;
    `start` is the date and time of the first sample, as far as it is known.
    """
    tracks = layout.tracks
    parts = [
        Part(f"{key}.npy", True, b"", range(number, number + 1), _image(layout))
        for number, key in enumerate(_keys(tracks))
    ]
    said: dict[str, NDArray[Any]] = {
        NAMES: np.array([track.name for track in tracks]),
        UNITS: np.array([track.unit for track in tracks]),
        EACH_RATE: np.array([track.rate for track in tracks]),
        GAINS: np.array([track.gain for track in tracks]),
        BASELINES: np.array([track.baseline for track in tracks]),
    }
    if (start := layout.attachments.get(START)) is not None:
        said[START] = np.array(start.decode())
    for name, array in said.items():
        content = io.BytesIO()
        write_npy(content, array)
        parts.append(Part(f"{name}.npy", False, content.getvalue()))
    return parts


class ArchiveSink:
    """A .npz archive in the making.

    Args:
        layout: the recording.
        parts: the files of the archive.
        stack: closes what is temporary.
    """

    def __init__(self, layout: Layout, parts: Sequence[Part], stack: ExitStack) -> None:
        self.frames = 0
        self._layout, self._parts = layout, parts
        self._stack = stack
        self._arrays = [_Array(part, layout, stack) for part in parts if part.tracks]
        covered = [number for part in parts for number in part.tracks]
        if covered != list(range(len(layout.tracks))):
            raise ValueError(f"the arrays hold {len(covered)} of {len(layout.tracks)} tracks")

    def write(self, block: Block) -> None:
        """Append a block of any number of frames."""
        frames = count_frames(self._layout, block)
        for array in self._arrays:
            array.write(block)
        self.frames += frames

    def finish(self, file: BinaryIO) -> None:
        """Write the archive."""
        arrays = iter(self._arrays)
        with ZipFile(file, "w") as archive:
            for part in self._parts:
                info = ZipInfo(part.file, _DATE)
                info.compress_type = ZIP_DEFLATED if part.deflated else ZIP_STORED
                with archive.open(info, "w", force_zip64=True) as entry:
                    if part.tracks:
                        next(arrays).copy_to(cast(BinaryIO, entry))
                    else:
                        entry.write(part.content)


class _Array:
    """The samples of one array, in a temporary file."""

    def __init__(self, part: Part, layout: Layout, stack: ExitStack) -> None:
        self._part = part
        self._tracks = [layout.tracks[number] for number in part.tracks]
        self._spool: BinaryIO = stack.enter_context(TemporaryFile())  # noqa: SIM115
        self._open = stack.enter_context(ExitStack())
        self._heading = part.heading or _column(self._tracks[0])
        self._rows = 0
        self._put: Put = self._open.enter_context(placing(self._spool, self._heading))

    def write(self, block: Block) -> None:
        samples = [block[number] for number in self._part.tracks]
        if not self._part.content:
            samples = [
                _plain(each, track) for each, track in zip(samples, self._tracks, strict=True)
            ]
        rows = interleave(samples, self._heading.per_frame)
        self._put(rows, self._rows)
        self._rows += len(rows) // sum(self._heading.per_frame)

    def copy_to(self, file: BinaryIO) -> None:
        """Write the array with its header."""
        self._open.close()
        if self._part.content and self._rows != self._heading.shape[0]:
            raise ValueError(f"{self._rows} rows, but its array has {self._heading.shape[0]}")
        file.write(self._part.content or _header(self._heading, self._rows))
        copy(self._spool, file)


def _column(track: Track) -> Heading:
    return Heading(b"", _type(track), (0,))


def _image(layout: Layout) -> Heading | None:
    if len(layout.shape) != 3:
        return None
    return Heading(b"", _type(layout.tracks[0]), layout.shape)


def _header(heading: Heading, rows: int) -> bytes:
    content = io.BytesIO()
    said = {"descr": heading.dtype.str, "fortran_order": False, "shape": (rows, *heading.shape[1:])}
    np.lib.format.write_array_header_1_0(content, said)
    return content.getvalue()


def _type(track: Track) -> np.dtype[Any]:
    """Return the type that samples have in an archive that another format is written to."""
    return np.dtype("<f8" if _scaled(track) else track.dtype)


def _scaled(track: Track) -> bool:
    return (track.gain, track.baseline, track.missing) != (1.0, 0.0, None)


def _plain(samples: NDArray[Any], track: Track) -> NDArray[Any]:
    if not _scaled(track):
        return samples
    return in_units(samples, track.gain, track.baseline, track.missing)


def _keys(tracks: Sequence[Track]) -> list[str]:
    """Return what the arrays are called: as the channels, each once."""
    keys: list[str] = []
    for number, track in enumerate(tracks):
        name = "".join(
            "_" if each in "/\\\0" or not each.isprintable() else each for each in track.name
        )
        key = name.strip() or f"channel {number}"
        while key in keys or key in (*FACTS, START):
            key += "_"
        keys.append(key)
    return keys
