"""The signal files of a WFDB record, read and written in blocks, in the order of the file."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.files.paths import is_file, unreadable
from sans.recordings.callbacks import QuietFile, quiet
from sans.recordings.layout import Block, deinterleave, interleave, steps
from sans.recordings.streams import check_tail
from sans.recordings.wfdb.header import WfdbSignal
from sans.recordings.wfdb.packing import FLAC, PACKINGS

FLAC_RATE = 96_000  # what wfdb gives every FLAC file; the real rate is in the header
FLAC_CHANNELS = 8  # at most, in a FLAC file
_LARGEST_READ = 2**20  # libsndfile fails beyond 2^24 samples, of 8 channels at most


class SignalWriter(Protocol):
    """A signal file in the making."""

    def write(self, block: Block, /) -> None:
        """Append the samples of the file's signals."""


def check_group(path: Path, signals: Sequence[WfdbSignal]) -> None:
    """Check that signals may lie in one file.

    Raises:
        DatasetError: if their storage formats are unknown, or no single one.
    """
    forms = sorted({signal.form for signal in signals})
    if len(forms) > 1:
        raise DatasetError(f"{path} has signals of the formats {', '.join(forms)}: one is wanted")
    (form,) = forms
    if form not in PACKINGS and form not in FLAC:
        known = ", ".join((*PACKINGS, *FLAC))
        raise DatasetError(f"{path} has the format {form}: one of {known} is wanted")
    if len({signal.offset for signal in signals}) > 1:
        raise DatasetError(f"{path} has signals that start at different bytes: one is wanted")
    if form in FLAC:
        _check_flac_group(path, signals)


def _check_flac_group(path: Path, signals: Sequence[WfdbSignal]) -> None:
    if len({signal.per_frame for signal in signals}) > 1:
        raise DatasetError(f"{path} is FLAC with signals of different rates: one rate is wanted")
    if len(signals) > FLAC_CHANNELS:
        raise DatasetError(
            f"{path} is FLAC with {len(signals)} signals: {FLAC_CHANNELS} are the most it can have"
        )


def check_whole(path: Path, signals: Sequence[WfdbSignal]) -> None:
    """Raise `DatasetError` if a header skips the beginning of a FLAC file, which would be lost."""
    if signals[0].form in FLAC and (offset := signals[0].offset):
        raise DatasetError(f"{path} is FLAC from sample {offset} on: a start at 0 is wanted")


def least_size(signals: Sequence[WfdbSignal], frames: int) -> int:
    """Return the bytes of a signal file up to the end of a frame; 0 for FLAC, which may be any."""
    if signals[0].form in FLAC:
        return 0
    samples = frames * sum(signal.per_frame for signal in signals)
    return signals[0].offset + PACKINGS[signals[0].form].size(samples)


def measure(path: Path, signals: Sequence[WfdbSignal]) -> int:
    """Return how many whole frames a signal file has.

    Raises:
        DatasetError: if it is missing or unreadable.
    """
    width = sum(signal.per_frame for signal in signals)
    if not is_file(path):
        raise DatasetError(f"the record is not complete: {path} is missing")
    if signals[0].form in FLAC:
        with _flac(path) as file:
            if file.channels != len(signals):
                raise DatasetError(
                    f"{path} has {file.channels} channels, but its header {len(signals)} signals"
                )
            return max(0, int(file.frames) - signals[0].offset) // signals[0].per_frame
    packing = PACKINGS[signals[0].form]
    group, size = len(packing.sizes), max(0, path.stat().st_size - signals[0].offset)
    samples = size // packing.sizes[-1] * group
    samples += sum(size % packing.sizes[-1] >= each for each in packing.sizes)
    return samples // width


def surroundings(path: Path, signals: Sequence[WfdbSignal], frames: int) -> tuple[bytes, bytes]:
    """Return the bytes of a signal file before its first and after its last sample.

    Raises:
        DatasetError: if the file is shorter than `frames`, or much longer.
    """
    form, offset = signals[0].form, signals[0].offset
    if form in FLAC:
        if (found := measure(path, signals)) < frames:
            raise DatasetError(f"{path} is damaged: {found:,} frames, not {frames:,}")
        return b"", b""
    try:
        tail = check_tail(path, path.stat().st_size, least_size(signals, frames))
        with path.open("rb") as file:
            return file.read(offset), tail
    except OSError as error:
        raise unreadable(path, error) from error


def read_blocks(
    path: Path, signals: Sequence[WfdbSignal], frames: int, block: int
) -> Generator[list[NDArray[Any]]]:
    """Yield the samples of a file's signals, `block` frames at a time.

    Raises:
        DatasetError: if the file is shorter than `frames`, or damaged.
    """
    form = signals[0].form
    read = _read_flac if form in FLAC else _read_packed
    yield from read(path, signals, frames, block)


def _read_packed(
    path: Path, signals: Sequence[WfdbSignal], frames: int, block: int
) -> Iterator[list[NDArray[Any]]]:
    packing = PACKINGS[signals[0].form]
    per_frame = [signal.per_frame for signal in signals]
    last = np.array([signal.initial for signal in signals], np.int64).astype("<i4")
    rest = np.empty(0, packing.dtype)  # samples of a group of bytes that the last block cut
    try:
        with path.open("rb") as file:
            file.seek(signals[0].offset)
            for count in steps(frames, block):
                wanted = count * sum(per_frame)
                groups = -(-(wanted - rest.size) // len(packing.sizes))
                content = file.read(packing.size(groups * len(packing.sizes)))
                padded = content.ljust(groups * packing.sizes[-1], b"\0")
                samples = packing.unpack(np.frombuffer(padded, np.uint8))
                if len(content) < packing.size(wanted - rest.size):
                    raise DatasetError(f"{path} is damaged: it ends before its {frames:,} frames")
                samples = np.concatenate((rest, samples)) if rest.size else samples
                arrays, rest = deinterleave(samples[:wanted], per_frame), samples[wanted:]
                yield _integrate(arrays, last) if packing.differences else arrays
    except OSError as error:
        raise unreadable(path, error) from error


def _integrate(arrays: list[NDArray[Any]], last: NDArray[np.int32]) -> list[NDArray[Any]]:
    """Return the running sums of differences, and keep the last ones for the next block."""
    sums = [array.cumsum(dtype="<i4") + start for array, start in zip(arrays, last, strict=True)]
    last[:] = [array[-1] for array in sums]
    return sums


def _read_flac(
    path: Path, signals: Sequence[WfdbSignal], frames: int, block: int
) -> Iterator[list[NDArray[Any]]]:
    bits, dtype, _ = FLAC[signals[0].form]
    per_frame = signals[0].per_frame
    with _flac(path) as file:
        stored = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}.get(file.subtype, 32)
        if stored > bits:
            raise DatasetError(f"{path} has {stored} bits a sample, but its header at most {bits}")
        wide, shift = ("int16", 16 - stored) if stored <= 16 else ("int32", 32 - stored)
        file.seek(min(signals[0].offset, file.frames))
        for count in steps(frames, block):
            wanted = count * per_frame
            samples = np.empty((wanted, len(signals)), wide)
            for start in range(0, wanted, _LARGEST_READ):
                part = samples[start : start + _LARGEST_READ]
                try:
                    found = len(file.read(out=part))
                except RuntimeError as error:  # the base of libsndfile's errors
                    raise DatasetError(f"{path} is damaged: {error}") from error
                if found < len(part):
                    raise DatasetError(f"{path} is damaged: it ends before its {frames:,} frames")
            yield [np.ascontiguousarray(column >> shift, dtype) for column in samples.T]


@contextmanager
def _flac(path: Path) -> Iterator[Any]:
    import soundfile

    try:
        file = soundfile.SoundFile(str(path))
    except RuntimeError as error:
        raise DatasetError(f"{path} is not readable as FLAC: {error}") from error
    with file:
        if file.format != "FLAC":
            raise DatasetError(f"{path} is {file.format}, but its header says FLAC")
        yield file


@contextmanager
def write_signals(
    file: BinaryIO, signals: Sequence[WfdbSignal], prolog: bytes, tail: bytes
) -> Iterator[SignalWriter]:
    """Give what writes a signal file; the end of the context completes the file.

    Args:
        file: open for writing, at its start.
        signals: those of the file, that `check_group` accepts.
        prolog: bytes before the first sample.
        tail: bytes after the last one.
    """
    if signals[0].form in FLAC:
        with quiet(file) as given, _create_flac(given, signals) as flac:
            yield _FlacWriter(flac, given, signals)
        return
    if len(prolog) != signals[0].offset:
        raise ValueError(f"{len(prolog)} bytes before the first sample, not {signals[0].offset}")
    file.write(prolog)
    writer = _PackedWriter(file, signals)
    yield writer
    writer.finish()
    file.write(tail)


class _PackedWriter:
    def __init__(self, file: BinaryIO, signals: Sequence[WfdbSignal]) -> None:
        self._file = file
        self._packing = PACKINGS[signals[0].form]
        self._per_frame = [signal.per_frame for signal in signals]
        self._last = [np.array([signal.initial]).astype("<i4") for signal in signals]
        self._rest = np.empty(0, self._packing.dtype)

    def write(self, block: Block) -> None:
        packing = self._packing
        if packing.differences:
            block = [self._differences(i, array) for i, array in enumerate(block)]
        samples = interleave([packing.clip(array) for array in block], self._per_frame)
        samples = np.concatenate((self._rest, samples))
        whole = samples.size - samples.size % len(packing.sizes)
        self._file.write(packing.pack(samples[:whole]))
        self._rest = samples[whole:]

    def finish(self) -> None:
        sizes = self._packing.sizes
        if self._rest.size:
            padded = np.pad(self._rest, (0, len(sizes) - self._rest.size))
            self._file.write(self._packing.pack(padded)[: sizes[self._rest.size - 1]])

    def _differences(self, signal: int, array: NDArray[Any]) -> NDArray[Any]:
        values = np.concatenate((self._last[signal], array.astype("<i4")))
        self._last[signal] = values[-1:]
        return np.diff(values)


class _FlacWriter:
    def __init__(self, audio: Any, file: QuietFile, signals: Sequence[WfdbSignal]) -> None:
        self._audio, self._file = audio, file
        self._bits = FLAC[signals[0].form][0]

    def write(self, block: Block) -> None:
        low, high = -(2 ** (self._bits - 1)), 2 ** (self._bits - 1) - 1
        samples = np.stack(block, axis=1).astype(np.int32).clip(low, high)
        wide, shift = (np.int16, 16 - self._bits) if self._bits <= 16 else (np.int32, 8)
        for start in range(0, len(samples), _LARGEST_READ):
            self._audio.write((samples[start : start + _LARGEST_READ] << shift).astype(wide))
            self._file.check()


def _create_flac(file: QuietFile, signals: Sequence[WfdbSignal]) -> Any:
    import soundfile

    subtype = FLAC[signals[0].form][2]
    return soundfile.SoundFile(
        file, "w", samplerate=FLAC_RATE, channels=len(signals), subtype=subtype, format="FLAC"
    )
