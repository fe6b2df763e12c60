"""NPZ files: archives of arrays, as `np.savez` writes them.

Every array of real numbers with one to three dimensions is a channel, or ``(samples, channels)``
several, named after the array. Of these arrays the file may say more in others, one entry for each
channel: `names`, `units` and `rates`, in Hz, 0 for an unknown one; or a single `rate` of all. What
else is in the archive is kept as it is.

What is restored has the same arrays in the same order. A recording of another format is written
as `sans.recordings.npz.writing.exported` says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from numpy.typing import NDArray

from sans.errors import DatasetError, printable
from sans.recordings.arrays import npy
from sans.recordings.arrays.bundle import Bundle, Member, bundle, channels
from sans.recordings.arrays.heading import Heading, read_rows
from sans.recordings.arrays.orientation import ATTACHMENT, doubts, oriented
from sans.recordings.layout import Layout, Sink, Source, check_block, check_written, deinterleave
from sans.recordings.npz.archive import MEMBERS, ArchiveMember, archive_of
from sans.recordings.npz.facts import channel_facts
from sans.recordings.npz.writing import ArchiveFile, ArchiveSink, exported
from sans.recordings.streams import Input, Stream, written

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
"""How an archive begins, and an empty one."""


def open_npz(source: Input, layout: str | None = None) -> Source:
    """Open a .npz file, or a pipe with one, which is kept in a temporary file.

    Args:
        source: the file.
        layout: what the dimensions of its arrays mean, one of `orientation.LAYOUTS`.

    Raises:
        DatasetError: if it is damaged, holds no array of samples, or arrays that do not go
            together.
    """
    with archive_of(source) as archive:
        entries = archive.entries()
    arrays = [entry for entry in entries if entry.heading is not None]
    if not arrays:
        raise _nothing(entries, source.name)
    members = [_member(entry, layout, source.name) for entry in arrays]
    facts, notices = channel_facts(entries, channels(members), source.name)
    whole = bundle(members, facts, source.name)
    if layout is None:
        for member in members:
            notices += doubts(member.heading, f"{source.name}: {member.name}")
    attachments = _attachments(entries, layout)
    said = Layout("npz", whole.tracks, whole.frames, whole.shape, attachments)

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        check_block(count)
        with archive_of(source) as zipped, ExitStack() as stack:
            streams = [stack.enter_context(zipped.stream(entry.file)) for entry in arrays]
            for stream, member in zip(streams, members, strict=True):
                stream.advance(len(member.heading.content))
            yield from _blocks(whole, streams, count)

    return Source(said, blocks, notices)


@contextmanager
def write_npz(target: Path | BinaryIO, layout: Layout, _unchanged: bool = False) -> Iterator[Sink]:
    """Write a .npz file: the arrays that there were, or those of `exported`.

    Raises:
        SansError: if it cannot be written.
        ValueError: if the arrays that there were are not those of the tracks.
    """
    parts = _parts(layout) if MEMBERS in layout.attachments else exported(layout)
    with ExitStack() as stack, written(target) as file:
        sink = ArchiveSink(layout, parts, stack)
        yield sink
        check_written(layout, sink.frames)
        sink.finish(file)


def _blocks(whole: Bundle, streams: list[Stream], count: int) -> Iterator[list[NDArray[Any]]]:
    """Yield frames of all arrays, so many at a time."""
    pieces = [
        read_rows(stream, member.heading, count * whole.rows(member))
        for stream, member in zip(streams, whole.members, strict=True)
    ]
    for rows in zip(*pieces, strict=True):
        for stream, member in zip(streams, whole.members, strict=True):
            if stream.position == member.heading.size:
                stream.expect_end()  # before the last samples are used: their checksum is there
        arrays = (
            array
            for samples, member in zip(rows, whole.members, strict=True)
            for array in deinterleave(samples, member.heading.per_frame)
        )
        yield [a.astype(track.dtype) for a, track in zip(arrays, whole.tracks, strict=True)]


def _member(entry: ArchiveMember, layout: str | None, name: str) -> Member:
    name = f"{name}: {entry.name}"
    heading = oriented(cast(Heading, entry.heading), layout, name)
    heading.check(name)
    return Member(printable(entry.name), heading)


def _nothing(entries: Sequence[ArchiveMember], name: str) -> DatasetError:
    listed = [f"{printable(entry.file):.60} ({entry.kind})" for entry in entries[:8]]
    return DatasetError(
        f"{name} holds no array of samples, but {', '.join(listed) or 'nothing'}: real numbers of "
        "one to three dimensions are wanted"
    )


def _attachments(entries: Sequence[ArchiveMember], layout: str | None) -> dict[str, bytes]:
    listed = [[each.file, each.deflated, each.heading is not None] for each in entries]
    attachments = {MEMBERS: json.dumps(listed).encode()}
    for number, entry in enumerate(entries):
        attachments[str(number)] = entry.heading.content if entry.heading else entry.content
    return attachments | ({ATTACHMENT: layout.encode()} if layout else {})


def _parts(layout: Layout) -> list[ArchiveFile]:
    """Return what an archive is to hold, from the attachments of `open_npz`."""
    said = layout.attachments.get(ATTACHMENT)
    parts, first = [], 0
    for number, (file, deflated, is_array) in enumerate(json.loads(layout.attachments[MEMBERS])):
        content = layout.attachments[str(number)]
        if not is_array:
            parts.append(ArchiveFile(file, bool(deflated), content))
            continue
        heading = npy.parse(content, file)
        heading.check_type(file)
        heading = oriented(heading, said.decode() if said else None, file)
        heading.check(file)
        last = first + len(heading.per_frame)
        parts.append(ArchiveFile(file, bool(deflated), content, range(first, last), heading))
        first = last
    return parts
