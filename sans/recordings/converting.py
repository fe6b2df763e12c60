"""Recordings as those of another kind of file; what it cannot have is said, not left out unseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from sans.errors import DatasetError
from sans.names import plural
from sans.recordings.conversion.composition import Composition
from sans.recordings.conversion.contents import contents_of
from sans.recordings.facts import annotations_of, facts_of
from sans.recordings.formats import BY_NAME, TABLE, besides
from sans.recordings.layout import Source, frames_of, samples_of
from sans.recordings.roles import Role, roles_in
from sans.recordings.timing import Facts


def converted(
    source: Source,
    kind: str,
    name: str,
    facts: Facts | None = None,
    annotations: int | None = None,
    separator: str = ",",
) -> Source:
    """Return a recording as one of another format, and in its notices what that cannot have.

    Args:
        source: the recording; not from a pipe, since it may be read more than once.
        kind: the format, one that has a `Composition` in the table of formats.
        name: what the new recording is called.
        facts: what is known of its time; None: what it says itself.
        annotations: how many it has; None: those that it says itself.
        separator: what stands between the cells of a line, if it becomes a table.

    Raises:
        ValueError: if no recording becomes a file of that format.
        DatasetError: if this one cannot be; the reason is one line.
    """
    title, composition = _composition(kind)
    source = replace(source, layout=replace(source.layout, frames=frames_of(source)))
    if len(source.layout.shape) == 3 and not composition.images:
        wanted = " or ".join(_titles(images=True))
        raise DatasetError(f"images become {wanted} files, not {title}")
    read = partial(samples_of, source)
    known_facts = facts or facts_of(source.layout, read)
    roles = roles_in(source.layout, read)
    numbers = _carried(source, roles, composition)
    if not numbers:
        raise DatasetError(f"there are annotations only: {title} files have signals")
    contents = replace(contents_of(name, source, known_facts, numbers), separator=separator)
    made = composition.compose(contents)
    if annotations is None:
        annotations = len(annotations_of(source.layout, read))
    told = [f"{each} left out" for each in besides(source.layout)]
    told += _losses(title, composition, known_facts, annotations)
    return replace(made, notices=(*told, *made.notices))


def _composition(kind: str) -> tuple[str, Composition]:
    """Return the title of a format, and how recordings become files of it.

    Raises:
        ValueError: if none does.
    """
    found = BY_NAME.get(kind)
    if found is None or found.composition is None:
        title = found.title if found else kind
        raise ValueError(f"recordings become files of {', '.join(_titles())}, not of {title}")
    return found.title, found.composition


def _titles(images: bool = False) -> list[str]:
    """Return the titles of the formats that recordings become, or of those that images do."""
    return [
        each.title for each in TABLE if each.composition and (each.composition.images or not images)
    ]


def _carried(source: Source, roles: tuple[Role, ...], composition: Composition) -> list[int]:
    """Return the tracks that another file gets: no text, and no times that it tells otherwise."""
    left = {Role.ANNOTATIONS}
    tracks = source.layout.tracks
    if source.layout.format == "csv" and tracks[0].rate and composition.times:
        left.add(Role.AXIS)
    return [i for i, role in enumerate(roles) if role not in left]


def _losses(title: str, composition: Composition, facts: Facts, annotations: int) -> Iterator[str]:
    if annotations:
        yield f"{plural(annotations, 'annotation')} left out: they are not written to {title}"
    if facts.gaps and not composition.gaps:
        yield f"{plural(len(facts.gaps), 'gap')} closed: what is behind one follows at once"
    if not composition.start and (facts.start or facts.clock):
        when = f"{facts.start:%Y-%m-%d %H:%M:%S}" if facts.start else f"{facts.clock:%H:%M:%S}"
        yield f"the start at {when} left out: {title} has none"
