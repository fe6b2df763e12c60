"""Writing .npz archives: each array is collected in a temporary file, and they go in one by one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from sans.recordings.arrays.collecting import Collector
from sans.recordings.arrays.heading import Heading
from sans.recordings.arrays.npy import header_of, write_npy
from sans.recordings.layout import Block, Layout, Track, count_frames, in_units
from sans.recordings.npz.archive import BASELINES, EACH_RATE, FACTS, GAINS, NAMES, START, UNITS

_DATE = (1980, 1, 1, 0, 0, 0)  # so that the same arrays give the same bytes


@dataclass(frozen=True, slots=True)
class ArchiveFile:
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
    """How they lie in the array; None for one dimension of unknown length."""


def exported(layout: Layout) -> list[ArchiveFile]:
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
        ArchiveFile(f"{key}.npy", True, b"", range(number, number + 1), _image(layout))
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
        parts.append(ArchiveFile(f"{name}.npy", False, content.getvalue()))
    return parts


class ArchiveSink:
    """A .npz archive in the making.

    Args:
        layout: the recording.
        parts: the files of the archive.
        stack: closes what is temporary.
    """

    def __init__(self, layout: Layout, parts: Sequence[ArchiveFile], stack: ExitStack) -> None:
        self.frames = 0
        self._layout, self._parts = layout, parts
        self._arrays: dict[str, Collector] = {}
        covered = [number for part in parts for number in part.tracks]
        if covered != list(range(len(layout.tracks))):
            raise ValueError(f"the arrays hold {len(covered)} of {len(layout.tracks)} tracks")
        for part in parts:
            if part.tracks:
                self._arrays[part.file] = Collector(part.heading or _column(layout, part), stack)

    def write(self, block: Block) -> None:
        """Append a block of any number of frames."""
        self.frames += count_frames(self._layout, block)
        for part in self._parts:
            samples = [block[number] for number in part.tracks]
            if part.tracks and not part.content:
                samples = [_plain(samples[0], self._layout.tracks[part.tracks[0]])]
            if part.tracks:
                self._arrays[part.file].write(samples)

    def finish(self, file: BinaryIO) -> None:
        """Write the archive."""
        with ZipFile(file, "w") as archive:
            for part in self._parts:
                info = ZipInfo(part.file, _DATE)
                info.compress_type = ZIP_DEFLATED if part.deflated else ZIP_STORED
                with archive.open(info, "w", force_zip64=True) as entry:
                    self._write_part(part, cast(BinaryIO, entry))

    def _write_part(self, part: ArchiveFile, entry: BinaryIO) -> None:
        if not part.tracks:
            entry.write(part.content)
            return
        array = self._arrays[part.file]
        heading = part.heading or _column(self._layout, part)
        shape = (array.rows, *heading.shape[1:])
        entry.write(part.content or header_of(heading.dtype.str, shape))
        array.copy_to(entry)


def _column(layout: Layout, part: ArchiveFile) -> Heading:
    return Heading(b"", _type(layout.tracks[part.tracks[0]]), (0,))


def _image(layout: Layout) -> Heading | None:
    if len(layout.shape) != 3:
        return None
    return Heading(b"", _type(layout.tracks[0]), (0, *layout.shape[1:]))


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
