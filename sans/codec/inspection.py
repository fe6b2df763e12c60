"""What a stream holds: its header, what its parts take, and which of them are whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sans.codec.decompression import Start, Stream, decode_part, split_chunk
from sans.codec.headers import Figures, Header
from sans.codec.parts import unpack_parts
from sans.codec.quality import Quality
from sans.codec.recovery import recover, seconds_of
from sans.errors import BitstreamError

NAMES = ("which kernels", "positions", "amplitudes", "coefficients")
"""What the bits of `sans.codec.description.descriptions.code_description` are for."""


@dataclass(slots=True)
class Inspection:
    """What a stream holds."""

    header: Header
    """The header."""

    size: int
    """Bytes in all."""

    frames: int
    """Frames of the recording."""

    chunks: int
    """How many chunks there are, or were."""

    figures: tuple[Figures, ...]
    """What was achieved on each track; none where the end is damaged."""

    parts: dict[str, int] = field(default_factory=dict)
    """Bytes by what they are for."""

    damaged: list[str] = field(default_factory=list)
    """What is damaged, in words; nothing, where all checksums are right."""

    @property
    def bits(self) -> float:
        """Bits of the stream for each sample."""
        samples = self.frames * sum(track.per_frame for track in self.header.layout.tracks)
        return 8 * self.size / max(samples, 1)

    @property
    def seconds(self) -> float:
        """How long the recording is; 0 where nobody knows."""
        track = self.header.layout.tracks[0]
        return self.frames * track.per_frame / track.rate if track.rate else 0.0

    @property
    def asked(self) -> str:
        """What was asked for, in words."""
        try:
            return Quality.read(*self.header.quality).text
        except ValueError:
            return " ".join(map(str, self.header.quality))


def inspect_file(path: Path) -> Inspection:
    """Look at a stream, all of it.

    Raises:
        BitstreamError: if it is none, or its header is damaged.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise BitstreamError(f"no file {path}") from error
    except IsADirectoryError as error:
        raise BitstreamError(f"{path} is a folder") from error
    found = recover(data)
    start = found.start
    count = -(-found.frames // start.header.chunk)
    result = Inspection(start.header, len(data), found.frames, count, ())
    for span in found.missing:
        result.damaged.append(f"{seconds_of(start, span)} lost")
    try:
        with path.open("rb") as file:
            result.figures = Stream(file).end.figures
    except BitstreamError as error:
        result.damaged.append(str(error))
    result.parts = _parts(start, found.contents, len(data))
    return result


def _parts(start: Start, contents: dict[int, bytes], size: int) -> dict[str, int]:
    """Return the bytes of a stream by what they are for."""
    bits, residual = np.zeros(len(NAMES)), 0
    for content in contents.values():
        try:
            _, frames, data = split_chunk(start, content)
            for group, part in zip(start.groups, unpack_parts(data), strict=True):
                decode_part(start, group, part, frames, bits)
                head, *layers = unpack_parts(part)
                residual += len(part) - len(head) if layers else 0
        except BitstreamError:
            continue
    parts = {"kernels": start.kernel_bytes}
    parts |= {name: round(its / 8) for name, its in zip(NAMES, bits, strict=True)}
    parts["predicted samples"] = residual
    parts["header, index and checksums"] = size - sum(parts.values())
    return {name: its for name, its in parts.items() if its}
