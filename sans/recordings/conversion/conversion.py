"""Recordings as those of another kind of file; what it cannot have is said, not left out unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.arrays.compose import compose_npy
from sans.recordings.audio.compose import compose_wav
from sans.recordings.conversion.contents import Contents, contents_of, plural
from sans.recordings.edf.compose import compose_edf
from sans.recordings.facts import annotations_of, facts_of
from sans.recordings.formats import BY_NAME
from sans.recordings.layout import Source
from sans.recordings.npz.compose import compose_npz
from sans.recordings.roles import Read, Role, roles_in
from sans.recordings.tables.compose import compose_table
from sans.recordings.tables.sink import columns_of_text
from sans.recordings.timing import Facts
from sans.recordings.wfdb.compose import compose_record

COMPOSERS: dict[str, Callable[[Contents], Source]] = {
    "wfdb": compose_record,
    "edf": partial(compose_edf, "edf"),
    "bdf": partial(compose_edf, "bdf"),
    "csv": compose_table,
    "npy": compose_npy,
    "npz": compose_npz,
    "wav": compose_wav,
}
"""What makes a recording of any other, by the format of its file."""

_STARTS = ("wfdb", "edf", "bdf")
"""Formats that say when a recording began."""

_TIMES = ("csv",)
"""Formats that say when each sample was taken."""

_IMAGES = ("npy", "npz")
"""Formats that images can become."""

_BLOCK = 1 << 18


def converted(
    source: Source,
    kind: str,
    name: str,
    facts: Facts | None = None,
    annotations: int | None = None,
) -> Source:
    """Return a recording as one of another format, and in its notices what that cannot have.

    Args:
        source: the recording; not from a pipe, since it may be read more than once.
        kind: the format, one of `COMPOSERS`.
        name: what the new recording is called.
        facts: what is known of its time; None: what it says itself.
        annotations: how many it has; None: those that it says itself.

    Raises:
        ValueError: if no recording is made one of that format.
        DatasetError: if this one cannot be; the reason is one line.
    """
    if kind not in COMPOSERS:
        known = ", ".join(BY_NAME[each].title for each in COMPOSERS)
        title = BY_NAME[kind].title if kind in BY_NAME else kind
        raise ValueError(f"a recording is made one of {known}, not of {title}")
    if source.layout.frames is None:
        track = source.layout.tracks[0]
        frames = sum(len(block[0]) // track.per_frame for block in source.blocks(_BLOCK))
        source = replace(source, layout=replace(source.layout, frames=frames))
    if len(source.layout.shape) == 3 and kind not in _IMAGES:
        raise DatasetError(f"images become NPY or NPZ files, not {BY_NAME[kind].title}")
    read = _reader(source)
    known_facts = facts or facts_of(source.layout, read)
    roles = roles_in(source.layout, read)
    numbers = _carried(source, roles, kind)
    if not numbers:
        raise DatasetError(f"there are annotations only: {BY_NAME[kind].title} files have signals")
    contents = contents_of(name, source, known_facts, numbers)
    made = COMPOSERS[kind](contents)
    if annotations is None:
        annotations = len(annotations_of(source.layout, read))
    texts = columns_of_text(source.layout)
    told = (*_losses(kind, known_facts, annotations, texts), *made.notices)
    return replace(made, notices=told)


def _reader(source: Source) -> Read:
    def read(number: int) -> Iterator[NDArray[Any]]:
        return (block[number] for block in source.blocks(_BLOCK))

    return read


def _carried(source: Source, roles: tuple[Role, ...], kind: str) -> list[int]:
    """Return the tracks that another file gets: no text, and no times that it tells otherwise."""
    left = {Role.ANNOTATIONS}
    tracks = source.layout.tracks
    if source.layout.format == "csv" and tracks[0].rate and kind in (*_STARTS, "csv", "wav"):
        left.add(Role.AXIS)
    return [i for i, role in enumerate(roles) if role not in left]


def _losses(kind: str, facts: Facts, annotations: int, texts: Sequence[int]) -> Iterator[str]:
    title = BY_NAME[kind].title
    if texts:
        places = ", ".join(str(column + 1) for column in texts)
        yield f"{plural(len(texts), 'column')} of text left out: {places}"
    if annotations:
        yield f"{plural(annotations, 'annotation')} left out: they are not written to {title}"
    if facts.gaps and kind not in _TIMES:
        yield f"{plural(len(facts.gaps), 'gap')} closed: what is behind one follows at once"
    if kind not in _STARTS and (facts.start or facts.clock):
        when = f"{facts.start:%Y-%m-%d %H:%M:%S}" if facts.start else f"{facts.clock:%H:%M:%S}"
        yield f"the start at {when} left out: {title} has none"
