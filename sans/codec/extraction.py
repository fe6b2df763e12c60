"""Parts of streams as files: only the chunks that they need are decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from sans.codec.decompression import OpenStream
from sans.codec.files import SUFFIX
from sans.codec.mapping import opened
from sans.codec.streamed import facts_in, source_of
from sans.errors import SansError
from sans.recordings.cutting import RecordingPart, part_of
from sans.recordings.edf.header import ANNOTATIONS
from sans.recordings.formats import BY_NAME
from sans.recordings.layout import Source, samples_of
from sans.recordings.npz.start import said_of_start
from sans.recordings.spans import Cut
from sans.recordings.wfdb.annotators import annotators_told
from sans.recordings.writing import kind_named, name_of, separator_of


@contextmanager
def opened_part(path: Path, cut: Cut, max_output: int | None = None) -> Iterator[RecordingPart]:
    """Give a part of the recording in a stream; its samples are decoded when they are read.

    Seconds are those of a clock that starts with the recording and goes on through gaps.

    Args:
        path: the stream.
        cut: which part.
        max_output: bytes of its samples, at most; none: see `sans.codec.output_limit`.

    Raises:
        BitstreamError: if the stream is damaged where it matters, or the part becomes too much.
        DatasetError: if the recording has no such channel or part, or no rate to find it by.
    """
    with opened(path) as file:
        whole = source_of(OpenStream(file), max_output)
        facts = facts_in(whole.layout, partial(samples_of, whole))
        part = part_of(whole, cut, facts, str(path))
        if left := annotators_told(whole.layout):
            said = f"left out of the part: annotation files {', '.join(left)}"
            source = replace(part.source, notices=(*part.source.notices, said))
            part = replace(part, source=source)
        yield part


def shaped(part: RecordingPart, target: Path | None) -> Source:
    """Return a part as the kind of file that the name of its target tells.

    A .npy file has stored numbers, of signals of one type and rate; a .npz file each signal in its
    unit, with names, units, rates and the start; other files are as `converted` makes them. A pipe
    gets the first of them that the part fits in.

    Args:
        part: the part.
        target: the file; the kind is that of the recording where its name has no suffix. None: a
            pipe.

    Raises:
        SansError: if the part cannot be of that kind.
        ValueError: if no format has its suffix.
    """
    source = part.source
    kind = source.layout.format if target is None else kind_named(target) or part.kind
    if target is not None and kind not in ("npy", "npz"):
        return _converted(part, kind, target)
    layout, notices = source.layout, source.notices
    if gaps := part.facts.gaps:
        lasting = sum(gap.last - gap.first for gap in gaps)
        closed = f"{len(gaps)} gap{'s' if len(gaps) > 1 else ''} of {lasting:g} s"
        notices = (*notices, f"{closed} in the part: what is behind one follows at once")
    if kind == "npz":
        layout = replace(layout, format="npz", attachments=said_of_start(part.facts))
    elif layout.format != "npy":
        raise SansError(
            f"signals of several types or rates are no single array: name a .npz, not {target}"
        )
    return replace(source, layout=layout, notices=notices)


def part_name(path: Path, part: RecordingPart) -> str:
    """Return the name of the file of a part, unless another is given."""
    return f"{path.name.removesuffix(SUFFIX)}-part.{part.source.layout.format}"


def amount_of(part: RecordingPart) -> str:
    """Return how much a part has, in words: samples of the channel with most of them, or images."""
    layout = part.source.layout
    if len(layout.shape) == 3:
        return f"{layout.frames:,} images"
    channels = len(layout.tracks)
    most = max(span.samples for span in part.spans.values())
    return f"{most:,} samples" + (f" of {channels} signals" if channels > 1 else "")


def _converted(part: RecordingPart, kind: str, target: Path) -> Source:
    """Return a part as a recording of another format.

    Raises:
        SansError: if that cannot have it.
    """
    from sans.recordings.converting import converted

    source, title = part.source, BY_NAME[kind].title
    if BY_NAME[kind].composition is None:
        raise SansError(f"a part is no {title} file: name a .npz instead of {target}")
    if named := [t.name for t in source.layout.tracks if t.name in ANNOTATIONS]:
        raise SansError(f"{named[0]} is text, not a signal: a part with it is written as .npz")
    name = name_of(target, kind)
    made = converted(source, kind, name, part.facts, 0, separator_of(target))
    return replace(made, notices=(*source.notices, *made.notices))
