"""WFDB records of one segment: a header, and the signal files that it names.

The samples are those of the files, in their order: the skew that a header may tell is kept in the
header, not applied. What a record is restored to has the same bytes where the samples are the same,
but for FLAC files, which have the same samples, and for unused bits of formats 310 and 311.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.files import written_whole
from sans.files.paths import is_file
from sans.recordings.layout import (
    Block,
    Layout,
    Sink,
    Source,
    Track,
    check_block,
    check_written,
    count_frames,
)
from sans.recordings.wfdb.annotators import annotation_files
from sans.recordings.wfdb.files import (
    SignalWriter,
    check_group,
    check_whole,
    measure,
    read_blocks,
    surroundings,
    write_signals,
)
from sans.recordings.wfdb.header import GAP, WfdbHeader, WfdbSignal, check_names, parse, revise
from sans.recordings.wfdb.names import HEADER, beside, is_plain, renamed
from sans.recordings.wfdb.packing import FLAC, PACKINGS


def open_segment(stem: Path, content: bytes) -> Source:
    """Open a record of one segment.

    Args:
        stem: path of the record without suffix.
        content: bytes of its header.

    Raises:
        DatasetError: if a file of it is missing or shorter than the header says, or the header is
            damaged, describes no signal, several segments or an unknown format.
    """
    hea = beside(stem, HEADER)
    header = parse(content, str(hea))
    attachments = {"header": content, "record": os.fsencode(stem.name)}
    groups = _groups(header, stem.parent)
    frames = header.frames
    if frames is None:  # then the shortest file tells
        frames = min(measure(file, signals) for file, signals in groups.items())
    for file, signals in groups.items():
        if not is_file(file):
            raise DatasetError(f"{hea} is not complete: {file} is missing")
        prolog, tail = surroundings(file, signals, frames)
        attachments |= {f"prolog {file.name}": prolog} if prolog else {}
        attachments |= {f"tail {file.name}": tail} if tail else {}
    layout = Layout("wfdb", tracks_of(header), frames, attachments=attachments)

    def blocks(size: int) -> Iterator[list[NDArray[Any]]]:
        check_block(size)
        with ExitStack() as stack:
            readers = [
                stack.enter_context(closing(read_blocks(file, signals, frames, size)))
                for file, signals in groups.items()
            ]
            for parts in zip(*readers, strict=True):
                yield _in_header_order(header, groups, parts)

    return Source(layout, blocks)


@contextmanager
def write_segment(
    stem: Path, layout: Layout, folder: Path, unchanged: bool = False
) -> Iterator[Sink]:
    """Write a record of one segment, in the formats and with the header that it had.

    Args:
        stem: path of the record without suffix; files get its name instead of the former one.
        layout: as `open_segment` gives it.
        folder: where the files are written, as `sans.files.staged` gives it.
        unchanged: whether the samples are the original ones, so that the header stays even where
            its checksums are wrong.

    Raises:
        SansError: if a file cannot be written.
    """
    content = layout.attachments["header"]
    former = os.fsdecode(layout.attachments["record"])
    header = parse(content, f"{stem.name}{HEADER}")
    names = {signal.file: renamed(signal.file, former, stem.name) for signal in header.signals}
    kept = annotation_files(stem, layout.attachments)
    _check_names(names, stem.name, kept)
    if stem.name != former:
        check_names(content, (stem.name, *names.values()))
    kinds = [(track.dtype, track.per_frame) for track in layout.tracks]
    if kinds != [(track.dtype, track.per_frame) for track in tracks_of(header)]:
        raise ValueError("the header is not that of these signals")
    with ExitStack() as stack:
        hea = stack.enter_context(written_whole(beside(stem, HEADER), within=folder))
        writers = []
        for file, signals in _groups(header, Path()).items():
            path = stem.parent / names[file.name]
            target = stack.enter_context(written_whole(path, within=folder))
            ends = [layout.attachments.get(f"{end} {file.name}", b"") for end in ("prolog", "tail")]
            writers.append((signals, stack.enter_context(write_signals(target, signals, *ends))))
        for path, annotations in kept.items():
            stack.enter_context(written_whole(path, within=folder)).write(annotations)
        sink = _RecordSink(layout, header, writers)
        yield sink
        check_written(layout, sink.frames)
        hea.write(
            sink.revise(content, names, stem.name if stem.name != former else None, unchanged)
        )


class _RecordSink:
    def __init__(
        self,
        layout: Layout,
        header: WfdbHeader,
        writers: list[tuple[list[WfdbSignal], SignalWriter]],
    ) -> None:
        self.frames = 0
        self._layout, self._header, self._writers = layout, header, writers
        self._initial = [signal.initial for signal in header.signals]
        self._sums = [0] * len(header.signals)

    def write(self, block: Block) -> None:
        frames = count_frames(self._layout, block)
        if frames == 0:
            return
        for i, (signal, array) in enumerate(zip(self._header.signals, block, strict=True)):
            stored = PACKINGS[signal.form].clip(array) if signal.form in PACKINGS else array
            # Format 8 gives there what the first difference adds to, which is not changed.
            if self.frames == 0 and signal.form != "8":
                self._initial[i] = int(stored[0])
            self._sums[i] += int(stored.sum(dtype=np.int64))
        for signals, writer in self._writers:
            writer.write([block[self._position(signal)] for signal in signals])
        self.frames += frames

    def revise(
        self, content: bytes, names: dict[str, str], record: str | None, unchanged: bool
    ) -> bytes:
        if unchanged and record is None:
            return content
        return revise(content, self._initial, self._sums, names, record)

    def _position(self, signal: WfdbSignal) -> int:
        return next(i for i, each in enumerate(self._header.signals) if each is signal)


def _groups(header: WfdbHeader, folder: Path) -> dict[Path, list[WfdbSignal]]:
    """Return the signals of each signal file, checked."""
    groups: dict[Path, list[WfdbSignal]] = {}
    for signal in header.signals:
        if not is_plain(signal.file) or signal.file in ("-", GAP):
            raise DatasetError(f"{signal.file!r} is no name of a WFDB signal file")
        groups.setdefault(folder / signal.file, []).append(signal)
    for path, signals in groups.items():
        check_group(path, signals)
        check_whole(path, signals)
    return groups


def _in_header_order(
    header: WfdbHeader, groups: dict[Path, list[WfdbSignal]], parts: tuple[list[NDArray[Any]], ...]
) -> list[NDArray[Any]]:
    found = {
        id(signal): array
        for signals, arrays in zip(groups.values(), parts, strict=True)
        for signal, array in zip(signals, arrays, strict=True)
    }
    return [found[id(signal)] for signal in header.signals]


def tracks_of(header: WfdbHeader) -> tuple[Track, ...]:
    """Return the tracks of a header of signals."""
    return tuple(_track(signal, header.rate) for signal in header.signals)


def _track(signal: WfdbSignal, rate: float) -> Track:
    packing = PACKINGS.get(signal.form)
    bits, dtype = (packing.bits, packing.dtype) if packing else FLAC[signal.form][:2]
    return Track(
        name=signal.name,
        unit=signal.unit,
        gain=signal.gain,
        baseline=float(signal.baseline),
        bits=signal.resolution if 0 < signal.resolution < bits else bits,
        dtype=dtype,
        per_frame=signal.per_frame,
        rate=rate * signal.per_frame,
        missing=packing.missing if packing else -(2 ** (bits - 1)),
        exact=packing is not None and packing.differences,
    )


def segment_files(stem: Path, layout: Layout) -> list[Path]:
    """Return the files that `write_segment` writes.

    Raises:
        DatasetError: if the header is damaged.
    """
    former = os.fsdecode(layout.attachments["record"])
    header = parse(layout.attachments["header"], f"{stem.name}{HEADER}")
    files = dict.fromkeys(renamed(signal.file, former, stem.name) for signal in header.signals)
    kept = annotation_files(stem, layout.attachments)
    return [beside(stem, HEADER), *(stem.parent / file for file in files), *kept]


def _check_names(names: dict[str, str], record: str, kept: Iterable[Path]) -> None:
    """Raise `DatasetError` if two files of a record would have one name."""
    taken = {f"{record}{HEADER}", *(path.name for path in kept)}
    for file in names.values():
        if file in taken:
            raise DatasetError(f"the WFDB record {record} has two files of the name {file}")
        taken.add(file)
