"""The beginning of one channel of a WFDB record in physical units, across its segments.

It is what `wfdb.rdrecord` gives by default: aligned where signals come late, frames of several
samples averaged to a whole step of the converter, NaN where samples are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.files.paths import is_file, unreadable
from sans.recordings.layout import in_units
from sans.recordings.wfdb.files import check_group, least_size, measure, read_blocks
from sans.recordings.wfdb.header import GAP, WfdbHeader, WfdbSignal, parse_any
from sans.recordings.wfdb.packing import FLAC, PACKINGS

_BLOCK = 2**20  # samples of all channels that are read at once


@dataclass(frozen=True, slots=True)
class Record:
    """A record whose headers are read, and none of its samples."""

    name: str
    """What to call it in messages."""

    folder: Path
    """Where its files lie."""

    header: WfdbHeader
    """The header of the whole record."""

    signals: tuple[WfdbSignal, ...]
    """Its channels; those of the layout, or of the first segment that has any, if it has some."""

    named: bool
    """Whether its segments have channels of their own, which are known by their names."""


def open_channels(stem: Path, name: str) -> Record:
    """Read the headers that say which channels a record has.

    Args:
        stem: path of the record without suffix.
        name: what to call it in messages, such as "mitdb/100".

    Raises:
        DatasetError: if one is missing or damaged.
    """
    header = _read_header(stem.parent, stem.name, name)
    if not header.segments:
        return Record(name, stem.parent, header, header.signals, named=False)
    frames = sum(segment.frames for segment in header.segments)
    if header.frames is not None and header.frames != frames:
        raise DatasetError(
            f"{name} is damaged: its segments have {frames:,} frames in all, not the "
            f"{header.frames:,} that its header says"
        )
    first = next((segment for segment in header.segments if segment.name != GAP), None)
    if first is None:
        raise DatasetError(f"{name} has no signal: all its segments are gaps")
    named = first is header.segments[0] and first.frames == 0
    signals = _read_segment_header(stem.parent, first.name, name).signals
    return Record(name, stem.parent, header, signals, named)


def read_channel(
    record: Record, position: int, frames: int, *, whole: bool = False
) -> NDArray[np.float64]:
    """Read the first frames of one channel.

    Args:
        record: as `open_channels` gives it.
        position: of the channel in `record.signals`.
        frames: how many; a shorter record is read whole.
        whole: whether all samples of a frame are returned, rather than their mean.

    Returns:
        ``(time,)``, in the unit of the channel, one sample a frame; or, of `whole` frames, as many
        as the record has in one.

    Raises:
        DatasetError: if a file is missing, damaged, or shorter than its header says.
    """
    if not record.header.segments:
        return _read_signal(record, record.header, position, frames, whole)
    parts = [np.empty(0)]
    for segment in record.header.segments:
        if wanted := min(frames, segment.frames):
            parts.append(_read_segment(record, segment.name, position, wanted, whole))
        frames -= wanted
    return np.concatenate(parts)


def _read_segment(
    record: Record, name: str, position: int, frames: int, whole: bool
) -> NDArray[np.float64]:
    per_frame = record.signals[position].per_frame if whole else 1
    if name == GAP:
        return np.full(frames * per_frame, np.nan)
    header = _read_segment_header(record.folder, name, record.name)
    names = [signal.name for signal in header.signals]
    if record.named:
        if (wanted := record.signals[position].name) not in names:
            return np.full(frames * per_frame, np.nan)
        position = names.index(wanted)
    elif position >= len(names):
        raise DatasetError(
            f"{record.name} is damaged: its segment {name} has {len(names)} channels, not the "
            f"{len(record.signals)} of the first one"
        )
    if whole and (found := header.signals[position].per_frame) != per_frame:
        raise DatasetError(
            f"{record.name}: its segment {name} has {found} samples of a channel in a frame, not "
            f"the {per_frame} of the first one"
        )
    samples = _read_signal(record, header, position, frames, whole)
    if len(samples) < frames * per_frame:
        raise DatasetError(
            f"{record.name} is damaged: its segment {name} has {len(samples) // per_frame:,} "
            "frames, fewer than its header says"
        )
    return samples[: frames * per_frame]


def _read_signal(
    record: Record, header: WfdbHeader, position: int, frames: int, whole: bool
) -> NDArray[np.float64]:
    groups: dict[Path, list[WfdbSignal]] = {}
    for signal in header.signals:
        groups.setdefault(record.folder / signal.file, []).append(signal)
    length = _check_files(record.name, groups, header.frames)
    frames = min(frames, length)
    signal = header.signals[position]
    path = record.folder / signal.file
    with _readable(record.name):
        steps = _first_frames(path, groups[path], min(frames + signal.skew, length), signal)
    if whole:
        late = signal.skew * signal.per_frame
        return _physical(steps[late:], signal, frames * signal.per_frame)
    return _physical(_averaged(steps, signal)[signal.skew :], signal, frames)


def _check_files(name: str, groups: dict[Path, list[WfdbSignal]], frames: int | None) -> int:
    """Return how many frames there are, in the header and in each of its files.

    Raises:
        DatasetError: if a file is missing, or shorter than its header says.
    """
    for path, signals in groups.items():
        with _readable(name):
            check_group(path, signals)
        if not is_file(path):
            raise DatasetError(f"{name} is not complete: {path} is missing")
        size, found = least_size(signals, frames or 0), path.stat().st_size
        if found < size:
            raise DatasetError(
                f"{name} is damaged: {path} has {found:,} bytes, not the {size:,} that its header "
                "describes"
            )
    with _readable(name):
        found = min(measure(path, signals) for path, signals in groups.items())
        if found < (frames or 0):  # of what is compressed, the size tells nothing
            raise DatasetError(f"it has {found:,} frames, not the {frames:,} of its header")
    return found if frames is None else frames


def _first_frames(
    path: Path, signals: list[WfdbSignal], frames: int, signal: WfdbSignal
) -> NDArray[np.integer[Any]]:
    place = next(i for i, each in enumerate(signals) if each is signal)
    block = max(1, _BLOCK // sum(each.per_frame for each in signals))
    with closing(read_blocks(path, signals, frames, block)) as blocks:
        parts = [np.empty(0, "i1"), *(arrays[place] for arrays in blocks)]
        return np.asarray(np.concatenate(parts))


def _averaged(steps: NDArray[np.integer[Any]], signal: WfdbSignal) -> NDArray[np.integer[Any]]:
    """Return the mean of each frame, without what is left of a step.

    A missing sample counts as the step that stands for it, as it does in wfdb.
    """
    if signal.per_frame == 1:
        return steps
    sums: NDArray[np.int64] = steps.reshape(-1, signal.per_frame).sum(axis=1, dtype=np.int64)
    return np.asarray(sums / signal.per_frame).astype(np.int64)


def _physical(
    steps: NDArray[np.integer[Any]], signal: WfdbSignal, frames: int
) -> NDArray[np.float64]:
    """Return steps of the converter in the unit of the signal, and NaN up to so many frames."""
    packing = PACKINGS.get(signal.form)
    missing = packing.missing if packing else -(2 ** (FLAC[signal.form][0] - 1))
    found = steps[:frames]
    samples = np.full(frames, np.nan)
    samples[: len(found)] = in_units(found, signal.gain, signal.baseline, missing)
    return samples


def _read_header(folder: Path, record: str, name: str) -> WfdbHeader:
    path = folder / f"{record}.hea"
    if not is_file(path):
        raise DatasetError(f"{name} is not complete: {path} is missing")
    with _readable(name):
        try:
            return parse_any(path.read_bytes(), str(path))
        except OSError as error:
            raise unreadable(path, error) from error


def _read_segment_header(folder: Path, segment: str, name: str) -> WfdbHeader:
    header = _read_header(folder, segment, name)
    if header.segments:
        raise DatasetError(f"{name} is damaged: its segment {segment} has segments as well")
    return header


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Say which record it is that cannot be read."""
    try:
        yield
    except DatasetError as error:
        raise DatasetError(f"{name} cannot be read: {error}") from error
