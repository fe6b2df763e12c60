"""WAV and FLAC files: whole numbers as whole numbers, floats as floats, through soundfile.

A file is restored with the same samples, rate and kind of numbers. What else it holds (titles,
loops, cues) does not come back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.audio.riff import samples_promised
from sans.recordings.callbacks import QuietFile, quiet
from sans.recordings.layout import (
    Block,
    Layout,
    Sink,
    Source,
    Track,
    check_block,
    check_written,
    count_frames,
    deinterleave,
    interleave,
    steps,
)
from sans.recordings.streams import Input, copy, written

if TYPE_CHECKING:
    from soundfile import SoundFile

CONTAINER = "container"
"""The attachment that says which kind of container and of numbers a file has."""

MOST_CHANNELS = 1024
"""Channels of a file, at most; of FLAC, 8."""

HIGHEST_RATE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Kind:
    """How the samples of a file are stored."""

    dtype: str
    """Their type in a `Track`."""

    bits: int
    """Bits of one."""

    taken: str
    """The type that soundfile gives them in: whole numbers fill its highest bits."""

    @property
    def shift(self) -> int:
        """How many bits the numbers of `taken` have below those of a sample."""
        return 0 if self.taken[0] == "f" else 8 * np.dtype(self.taken).itemsize - self.bits


KINDS = {
    "PCM_S8": Kind("i1", 8, "int16"),
    "PCM_U8": Kind("i1", 8, "int16"),
    "PCM_16": Kind("<i2", 16, "int16"),
    "PCM_24": Kind("<i4", 24, "int32"),
    "PCM_32": Kind("<i4", 32, "int32"),
    "FLOAT": Kind("<f4", 32, "float32"),
    "DOUBLE": Kind("<f8", 64, "float64"),
}
"""How samples are stored, by soundfile's name."""

CONTAINERS = {"wav": ("WAV", "WAVEX", "RF64"), "flac": ("FLAC",)}
"""What soundfile calls the files of each format; the first where nothing else is said."""


def is_wav(start: bytes) -> bool:
    """Return whether a file that begins like this is a WAV file."""
    return start[:4] in (b"RIFF", b"RF64") and start[8:12] == b"WAVE"


def open_audio(source: Input) -> Source:
    """Open a WAV or FLAC file, or a pipe with one, which is kept in a temporary file.

    A file that is cut short is read as far as it goes, with a notice.

    Raises:
        DatasetError: if it is damaged, or its samples are no plain numbers.
    """
    with _sound_file(source) as audio:
        container, subtype = audio.format, audio.subtype
        channels, rate, frames = audio.channels, audio.samplerate, audio.frames
    name = next((name for name, names in CONTAINERS.items() if container in names), None)
    if name is None or subtype not in KINDS:
        raise DatasetError(
            f"{source.name} is {container} with samples of {subtype}: whole numbers of 8 to 32 "
            "bits or floats are wanted, in WAV or FLAC"
        )
    kind = KINDS[subtype]
    track = Track("", "", 1.0, 0.0, kind.bits, kind.dtype, rate=float(rate))
    said = json.dumps({"container": container, "subtype": subtype, "rate": rate}).encode()
    layout = Layout(name, (track,) * channels, frames, attachments={CONTAINER: said})

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        check_block(count)
        with _sound_file(source) as audio:
            for wanted in steps(frames, count):
                yield deinterleave(_read(audio, wanted, kind, source.name), [1] * channels)

    return Source(layout, blocks, _cut_short(source, frames, channels * kind.bits // 8))


@contextmanager
def write_audio(
    target: Path | BinaryIO, layout: Layout, _unchanged: bool = False
) -> Iterator[Sink]:
    """Write a WAV or FLAC file, of the kind that it was, or that its samples want.

    Samples beyond the bits of the kind are clipped.

    Raises:
        SansError: if it cannot be written.
        ValueError: if the tracks are none of such a file; it says why.
    """
    import soundfile

    container, subtype, rate = _said(layout)
    with written(target) as file, TemporaryFile() as spool:
        try:
            with (
                quiet(spool) as given,
                soundfile.SoundFile(
                    given, "w", rate, len(layout.tracks), subtype, format=container
                ) as audio,
            ):
                sink = _AudioSink(audio, given, layout, KINDS[subtype])
                yield sink
                check_written(layout, sink.frames)
        except soundfile.LibsndfileError as error:
            raise ValueError(f"no {container} file is like this: {error.error_string}") from error
        copy(spool, file)


class _AudioSink:
    def __init__(self, audio: SoundFile, file: QuietFile, layout: Layout, kind: Kind) -> None:
        self.frames = 0
        self._audio, self._file, self._layout, self._kind = audio, file, layout, kind

    def write(self, block: Block) -> None:
        self.frames += count_frames(self._layout, block)
        kind = self._kind
        rows = interleave(block, [1] * len(block))
        if kind.shift:
            limit = 1 << (kind.bits - 1)
            rows = rows.clip(-limit, limit - 1).astype(kind.taken) << kind.shift
        self._audio.write(rows.astype(kind.taken).reshape(-1, len(block)))
        self._file.check()


@contextmanager
def _sound_file(source: Input) -> Iterator[SoundFile]:
    import soundfile

    with source.seekable() as file:
        try:
            audio = soundfile.SoundFile(file)
        except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: it looks like raw data
            reason = getattr(error, "error_string", error)
            raise DatasetError(f"{source.name} is damaged: {reason}") from error
        with audio:
            yield audio


def _read(audio: SoundFile, count: int, kind: Kind, name: str) -> NDArray[Any]:
    import soundfile

    try:
        rows = audio.read(count, kind.taken, always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DatasetError(f"{name} is damaged: {error.error_string}") from error
    if len(rows) < count:
        raise DatasetError(
            f"{name} is damaged: it ends {count - len(rows):,} samples before the {audio.frames:,} "
            "that its header describes"
        )
    samples: NDArray[Any] = (rows >> kind.shift if kind.shift else rows).astype(kind.dtype)
    return samples.reshape(-1)


def _cut_short(source: Input, frames: int, width: int) -> tuple[str, ...]:
    """Return a notice if a file holds fewer samples than it says."""
    with source.seekable() as file:
        promised = samples_promised(file, width)
    if promised is None or promised <= frames:
        return ()
    return (f"{source.name} is cut short: {frames:,} of {promised:,} samples are there",)


def _said(layout: Layout) -> tuple[str, str, int]:
    """Return container, kind of samples and rate of the file of a layout.

    Raises:
        ValueError: if the tracks are none of such a file.
    """
    tracks = layout.tracks
    kinds = {(track.dtype, track.bits, track.rate, track.per_frame) for track in tracks}
    if len(kinds) > 1:
        raise ValueError(f"the channels of a {layout.format} file have one rate and type")
    if CONTAINER in layout.attachments:
        said = json.loads(layout.attachments[CONTAINER])
        container, subtype, rate = said["container"], said["subtype"], said["rate"]
        if container not in CONTAINERS[layout.format] or subtype not in KINDS:
            raise ValueError(f"no {layout.format} file is {container!r:.40} of {subtype!r:.40}")
    else:
        container, subtype = CONTAINERS[layout.format][0], _subtype(layout)
        rate = round(tracks[0].rate)
        if rate != tracks[0].rate:
            raise ValueError(
                f"a {layout.format} file has a whole number of samples a second, not "
                f"{tracks[0].rate:g}"
            )
    if not isinstance(rate, int) or not 1 <= rate <= HIGHEST_RATE:
        raise ValueError(f"a {layout.format} file has 1 or more samples a second, not {rate!r:.40}")
    if len(tracks) > MOST_CHANNELS or tracks[0].dtype != KINDS[subtype].dtype:
        raise ValueError(f"no {layout.format} file of {subtype} has {len(tracks)} such channels")
    return container, subtype, rate


def _subtype(layout: Layout) -> str:
    """Return how the samples of a recording of another format are stored."""
    track = layout.tracks[0]
    for subtype, kind in KINDS.items():
        fits = kind.dtype == track.dtype and (track.bits <= kind.bits or kind.bits == 32)
        whole = kind.taken[0] == "i"
        if (
            fits
            and subtype != ("PCM_U8" if layout.format == "flac" else "PCM_S8")
            and (layout.format == "wav" or (whole and kind.bits < 32))
        ):
            return subtype
    raise ValueError(f"no {layout.format} file holds samples of {track.dtype}, {track.bits} bits")
