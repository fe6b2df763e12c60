"""MAT files: every real matrix is a channel or several, named after its variable.

A vector is a channel; a matrix is ``(samples, channels)``, but the variable `val` of few rows, as
PhysioNet's challenges have it, ``(channels, samples)``. A single number that is called `fs`, `Fs`,
`srate` or the like is the rate. What else is in a file of version 5 (text, structs, cells) is kept
as its bytes; of other versions it does not come back, and a notice says so. All are written as
files of version 5.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError, SansError, printable
from sans.recordings.arrays.bundle import RATES, Bundle, ChannelFacts, Member, bundle, positive
from sans.recordings.arrays.collecting import Collector
from sans.recordings.arrays.heading import LARGEST_TYPE, Heading
from sans.recordings.arrays.orientation import ATTACHMENT, CHANNELS_SAMPLES, doubts, oriented
from sans.recordings.layout import (
    Block,
    Layout,
    Sink,
    Source,
    check_written,
    count_frames,
    deinterleave,
    steps,
)
from sans.recordings.mat.hdf import is_hdf, read_hdf
from sans.recordings.mat.variables import HEADER, TYPES, Variable, read_variables
from sans.recordings.streams import Input, written

MAGIC = b"MATLAB "

VARIABLES = "variables"
"""The attachment that lists the variables; those of their numbers are what is kept as it is."""

LARGEST_KEPT = 2**24
"""Bytes of all variables that are no channels, at most: they are kept as they are."""

_VAL = "val"


def open_mat(source: Input, layout: str | None = None) -> Source:
    """Open a MAT file, or a pipe with one, which is kept in a temporary file.

    Args:
        source: the file.
        layout: what the dimensions of its matrices mean, one of `orientation.LAYOUTS`.

    Raises:
        DatasetError: if it is damaged, or holds no matrix of real numbers; it says what it holds.
    """
    with source.seekable() as file:
        if is_hdf(file):
            variables, header = read_hdf(file, source.name), b""
        else:
            variables, header = read_variables(file, source.name)
    signals = [each for each in variables if _is_signal(each)]
    if not signals:
        listed = ", ".join(map(str, variables[:8])) or "nothing"
        raise DatasetError(
            f"{source.name} holds no matrix of samples, but {listed}: real numbers of one to three "
            "dimensions are wanted, outside of structs and cells"
        )
    members, notices = [], _lost(variables, header, source.name)
    for each in signals:
        name = f"{source.name}: {each.name}"
        heading = _meant(each.name, _heading(each), layout, name)
        heading.check(name)
        notices += () if layout else doubts(heading, name)
        members.append(Member(each.name, heading))
    whole = bundle(members, ChannelFacts(rate=_rate(variables)), source.name)
    attachments = _attachments(variables, signals, header, layout, source.name)
    said = Layout("mat", whole.tracks, whole.frames, whole.shape, attachments)

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        return _blocks(whole, signals, count)

    return Source(said, blocks, notices)


@contextmanager
def write_mat(target: Path | BinaryIO, layout: Layout, _unchanged: bool = False) -> Iterator[Sink]:
    """Write a MAT file of version 5 with the variables that there were.

    Raises:
        SansError: if it cannot be written.
        ValueError: if the variables are not those of the tracks, or the recording is none of a MAT
            file.
    """
    parts = _parts(layout)
    with ExitStack() as stack, written(target) as file:
        sink = _MatSink(layout, parts, stack)
        yield sink
        check_written(layout, sink.frames)
        sink.finish(file)


def _is_signal(variable: Variable) -> bool:
    values = variable.values
    return (
        values is not None
        and values.dtype.itemsize <= LARGEST_TYPE
        and values.ndim in (2, 3)
        and values.size > 1
    )


def _heading(variable: Variable) -> Heading:
    values = np.asarray(variable.values)
    return Heading(b"", values.dtype, values.shape, by_column=True)


def _meant(own: str, heading: Heading, layout: str | None, name: str) -> Heading:
    """Return the heading of a variable as ``(frames, …)``."""
    shape = heading.shape
    if len(shape) == 2 and 1 in shape:
        return replace(heading, shape=(max(shape),), by_column=False)
    if layout is None and own == _VAL and len(shape) == 2 and shape[0] < shape[1]:
        layout = CHANNELS_SAMPLES
    return oriented(heading, layout, name)


def _blocks(whole: Bundle, signals: Sequence[Variable], count: int) -> Iterator[list[NDArray[Any]]]:
    views = []
    for member, variable in zip(whole.members, signals, strict=True):
        heading, values = member.heading, np.asarray(variable.values)
        # The same memory, seen as what it means: order F of one is order C of the other.
        flat = values.reshape(-1, order="F").view(heading.stored)
        views.append(flat.reshape(heading.shape, order="F" if heading.by_column else "C"))
    start = 0
    for frames in steps(whole.frames, count):
        arrays: list[NDArray[Any]] = []
        for member, view in zip(whole.members, views, strict=True):
            rows = whole.rows(member)
            part = view[start * rows : (start + frames) * rows]
            arrays += deinterleave(part.reshape(-1), member.heading.per_frame)
        yield [a.astype(track.dtype) for a, track in zip(arrays, whole.tracks, strict=True)]
        start += frames


def _rate(variables: Sequence[Variable]) -> float:
    """Return the one rate of a file, by one of its usual names; 0.0 where there is none."""
    for each in variables:
        if each.name.lower() in RATES and each.values is not None and each.values.size == 1:
            rate = float(each.values.item())
            if positive(rate):
                return rate
    return 0.0


def _lost(variables: Sequence[Variable], header: bytes, name: str) -> tuple[str, ...]:
    """Return a notice of the variables that cannot be written again."""
    lost = [each for each in variables if each.values is None and not (each.content and header)]
    if not lost:
        return ()
    listed = ", ".join(map(str, lost[:8])) + (" …" if len(lost) > 8 else "")
    return (f"{name}: what is no real matrix does not come back: {listed}",)


def _attachments(
    variables: Sequence[Variable],
    signals: Sequence[Variable],
    header: bytes,
    layout: str | None,
    name: str,
) -> dict[str, bytes]:
    listed: list[list[Any]] = []
    attachments: dict[str, bytes] = {"header": header} if header else {}
    for each in variables:
        if any(each is signal for signal in signals):
            heading = _heading(each)
            kind = [each.kind, heading.dtype.str, list(heading.shape), each.deflated]
            listed.append([each.name, *kind])
        elif each.values is not None:
            content = _element(each.name, each.values.astype(TYPES[each.kind]), each.deflated)
            listed.append([each.name])
            attachments[str(len(listed) - 1)] = content
        elif each.content and header:
            listed.append([each.name])
            attachments[str(len(listed) - 1)] = each.content
    if (size := sum(map(len, attachments.values()))) > LARGEST_KEPT:
        raise DatasetError(
            f"{name} holds {size:,} bytes of what is no matrix of samples: at most "
            f"{LARGEST_KEPT:,} are kept"
        )
    attachments[VARIABLES] = json.dumps(listed).encode()
    return attachments | ({ATTACHMENT: layout.encode()} if layout else {})


@dataclass(frozen=True, slots=True)
class _Written:
    """A variable as it is written."""

    name: str
    content: bytes
    kind: str = ""
    dtype: str = ""
    shape: tuple[int, ...] = ()
    deflated: bool = True
    tracks: range = range(0)
    heading: Heading | None = None


def _parts(layout: Layout) -> list[_Written]:
    """Return the variables that a file is to hold, from the attachments of `open_mat`."""
    if VARIABLES not in layout.attachments:
        raise ValueError("a MAT file is made of one only")
    meant = layout.attachments.get(ATTACHMENT)
    parts, first = [], 0
    for number, (name, *said) in enumerate(json.loads(layout.attachments[VARIABLES])):
        if not said:
            parts.append(_Written(name, layout.attachments[str(number)]))
            continue
        kind, dtype, shape, deflated = said
        heading = Heading(b"", np.dtype(dtype), tuple(shape), by_column=True)
        heading.check_type(name)
        heading = _meant(name, heading, meant.decode() if meant else None, name)
        heading.check(name)
        tracks = range(first, first := first + len(heading.per_frame))
        parts.append(_Written(name, b"", kind, dtype, tuple(shape), deflated, tracks, heading))
    if first != len(layout.tracks):
        raise ValueError(f"the variables hold {first} of {len(layout.tracks)} tracks")
    return parts


class _MatSink:
    def __init__(self, layout: Layout, parts: Sequence[_Written], stack: ExitStack) -> None:
        self.frames = 0
        self._layout, self._parts = layout, parts
        self._arrays = [Collector(part.heading, stack) if part.heading else None for part in parts]

    def write(self, block: Block) -> None:
        self.frames += count_frames(self._layout, block)
        for part, array in zip(self._parts, self._arrays, strict=True):
            if array is not None:
                array.write([block[number] for number in part.tracks])

    def finish(self, file: BinaryIO) -> None:
        """Write the file."""
        file.write(self._layout.attachments.get("header") or _empty())
        for part, array in zip(self._parts, self._arrays, strict=True):
            if array is None:
                file.write(part.content)
                continue
            spool = array.finish()
            spool.seek(0)
            stored = np.fromfile(spool, np.dtype(part.dtype), math.prod(part.shape))
            values = stored.reshape(part.shape, order="F").astype(TYPES[part.kind], copy=False)
            file.write(_element(part.name, values, part.deflated))


def _empty() -> bytes:
    return _saved({}, False)[:HEADER]


def _element(name: str, values: NDArray[Any], deflated: bool) -> bytes:
    return _saved({name: values}, deflated)[HEADER:]


def _saved(variables: dict[str, NDArray[Any]], deflated: bool) -> bytes:
    from scipy.io import savemat
    from scipy.io.matlab import MatWriteError

    content = io.BytesIO()
    try:
        savemat(content, variables, do_compression=deflated)
    except MatWriteError as error:
        raise SansError(
            f"no MAT file can hold {printable(', '.join(variables))}: {error}"
        ) from error
    return content.getvalue()
