"""What comes before the chunks of a stream: its version, its header, its kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from sans.codec import container
from sans.codec.description.starting_set import starting_set
from sans.codec.description.waveforms import NO_WAVEFORMS, Waveforms, unpack_all_waveforms
from sans.codec.groups import Group, groups_of
from sans.codec.headers import End, StreamHeader, unpack_end, unpack_header
from sans.codec.versions import Version
from sans.errors import BitstreamError


@dataclass(frozen=True, slots=True)
class Start:
    """What comes before the chunks of a stream."""

    header: StreamHeader
    """The header."""

    groups: tuple[Group, ...]
    """Tracks that are coded together."""

    waveforms: tuple[Waveforms, ...]
    """The kernels of each track."""

    checksum: int
    """The checksum of the header section, with which all others begin."""

    per_frame: int
    """Samples of all tracks in a frame."""

    kernel_bytes: int
    """Bytes of the section of kernels; 0: there is none."""

    begin: int
    """Where the chunks begin in the stream, or what stands before them and is passed over."""

    @property
    def version(self) -> Version:
        """The rules of the stream."""
        return self.header.version

    def known_end(self, content: bytes, begin: int) -> End:
        """Return what the content of an end section says that begins at a place.

        Raises:
            BitstreamError: if that does not fit what comes before the chunks.
        """
        layout, most = self.header.layout, (begin - self.begin) // container.SMALLEST_CHUNK
        end = unpack_end(content, len(layout.tracks), most, self.version)
        if layout.frames not in (None, end.frames):
            raise BitstreamError(
                f"damaged: the header says {layout.frames} frames, the end {end.frames}"
            )
        return end


def read_header(file: BinaryIO) -> tuple[StreamHeader, container.Section]:
    """Read a stream up to the end of its header; return what it says, and its section.

    Raises:
        BitstreamError: if it is no stream, or damaged.
    """
    version = container.read_start(file)
    section = container.read_section(file, container.first_seed(version), version)
    if section.kind != container.HEADER:
        raise BitstreamError(f"damaged: a section {section.kind.decode()} before the header")
    header = unpack_header(section.content, version)
    layout = header.layout
    samples = header.chunk * sum(track.per_frame for track in layout.tracks)
    most = version.most_samples(header.chunk, images=len(layout.shape) == 3)
    if samples > most:
        raise BitstreamError(f"damaged: chunks of {samples} samples, at most {most} are")
    return header, section


def read_start(file: BinaryIO) -> tuple[Start, container.Section, int]:
    """Read a stream up to its first chunk, or to its end; return that section too.

    Returns:
        What comes before, the section, and where that begins.

    Raises:
        BitstreamError: if it is no stream, or damaged.
    """
    header, section = read_header(file)
    checksum, begin = section.checksum, container.START + section.size
    section, passed = container.next_section(file, checksum, header.version)
    kernels = section if section.kind == container.KERNELS else None
    begin += passed
    start = begun(header, checksum, kernels, begin)
    if kernels:
        section, passed = container.next_section(file, checksum, header.version)
        begin = start.begin + passed
    return start, section, begin


def begun(
    header: StreamHeader, checksum: int, kernels: container.Section | None, begin: int
) -> Start:
    """Return what comes before the chunks of a stream.

    Args:
        header: the header.
        checksum: of the header section.
        kernels: the section of kernels, if there is one.
        begin: where that begins, or the chunks.

    Raises:
        BitstreamError: if the kernels are not those of as many tracks.
    """
    tracks, size = len(header.layout.tracks), kernels.size if kernels else 0
    waveforms = [NO_WAVEFORMS] * tracks
    if kernels:
        waveforms = unpack_all_waveforms(kernels.content, tracks, starting_set())
    groups, each = groups_of(header.layout), [track.per_frame for track in header.layout.tracks]
    return Start(header, groups, tuple(waveforms), checksum, sum(each), size, begin + size)
