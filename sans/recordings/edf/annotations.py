r"""What EDF+ and BDF+ files note in their annotation signals, and when their records begin.

The text of such a signal in a record is lists of annotations ([EDF+], as in `edf.header`):
``+12.5\x15 0.5\x14Apnea\x14\0`` is one of 0.5 s at 12.5 s. The first list in a record has no text
first: it says when the record begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import numpy as np

from sans.recordings.edf.header import ANNOTATIONS
from sans.recordings.layout import Layout
from sans.recordings.roles import Read
from sans.recordings.timing import Annotation, EvenRun, Facts
from sans.recordings.wfdb.packing import pack_24

_PLUS = re.compile(rb"[EB]DF\+([CD])")
_LIST = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15 ?(\d*\.?\d*))?\x14([^\0]*?)\x14?\0")
_RECORDING = re.compile(r"Startdate (?:X|(\d{1,2})-([A-Z]{3})-(\d{4}))(?: .*)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d\d)[.:](\d\d)[.:](\d\d)", re.ASCII)
_DATE = re.compile(r"(\d\d)[./-](\d\d)[./-](\d\d)", re.ASCII)
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_CENTURY = 85  # [EDF]: years from 85 on are those of 1900

_List = tuple[bytes, bytes, list[bytes]]
"""Onset, duration and texts, as they stand in the file."""


def facts_of_edf(layout: Layout, facts: Facts, read: Read) -> Facts:
    """Return `facts` with what the header and the first annotation signal say."""
    header = layout.attachments["header"]
    day, clock = _start(header)
    begins: Iterator[tuple[int, bytes]] = iter(())
    if plus := _PLUS.match(header[192:236]):
        begins = _begins(layout, read)
    first = next(begins, None)
    second = float(first[1]) if first is not None and first[0] == 0 else 0.0
    later = timedelta(seconds=second)
    if day is not None and clock is not None:
        facts = replace(facts, start=datetime.combine(day, clock) + later)
    if clock is not None:
        facts = replace(facts, clock=(datetime.combine(date(2000, 1, 1), clock) + later).time())
    if plus is None or plus[1] != b"D" or first is None:
        return facts
    return _with_runs(facts, [first, *begins], second)


def annotations_of_edf(layout: Layout, read: Read) -> list[Annotation]:
    """Return what the annotation signals have as text."""
    if not _PLUS.match(layout.attachments["header"][192:236]):
        return []
    first = next(_begins(layout, read), None)
    start = float(first[1]) if first is not None and first[0] == 0 else 0.0
    return [
        Annotation(
            round(float(onset) - start, 9), float(duration or 0), text.decode("utf-8", "replace")
        )
        for signal in _signals(layout)
        for lists in _records(layout, read, signal)
        for onset, duration, texts in lists
        for text in texts
        if text
    ]


def _with_runs(facts: Facts, begins: list[tuple[int, bytes]], start: float) -> Facts:
    """Return `facts` with the frames before which there are gaps.

    A record that begins where the one before it ends, but for what is rounded off, follows it.
    """
    digits = max(len(onset.partition(b".")[2]) for _, onset in begins)
    slack = 10.0**-digits / 2 + 1e-9
    runs, back = [EvenRun(0, 0.0)], None
    for frame, onset in begins:
        second = round(float(onset) - start, 9)
        expected = runs[-1].second + (frame - runs[-1].frame) * facts.period
        if second > expected + slack:
            runs.append(EvenRun(frame, second))
        elif second < expected - slack and back is None:
            back = f"data record {frame + 1:,} begins at {second:g} s, before the end of the one "
            back += f"before it at {expected:g} s: it is taken to follow that"
    return replace(facts, runs=tuple(runs), notices=(back,) if back else ())


def _begins(layout: Layout, read: Read) -> Iterator[tuple[int, bytes]]:
    """Yield the numbers of records and when they begin, of those that say so."""
    for signal in _signals(layout)[:1]:
        for number, lists in enumerate(_records(layout, read, signal)):
            if lists and not lists[0][2][0]:
                yield number, lists[0][0]


def _signals(layout: Layout) -> list[int]:
    return [i for i, track in enumerate(layout.tracks) if track.name in ANNOTATIONS]


def _records(layout: Layout, read: Read, signal: int) -> Iterator[list[_List]]:
    """Yield the lists of annotations in each record of a signal."""
    per_frame = layout.tracks[signal].per_frame
    for block in read(signal):
        samples = np.ascontiguousarray(block)
        content = pack_24(samples) if layout.format == "bdf" else samples.astype("<i2").tobytes()
        width = len(content) // (len(samples) // per_frame or 1)
        for place in range(0, len(content), width or 1):
            found = _LIST.findall(content[place : place + width] + b"\0")
            yield [(onset, duration, texts.split(b"\x14")) for onset, duration, texts in found]


def _start(header: bytes) -> tuple[date | None, time | None]:
    """Return the date and the time of day that a header has, as far as they are any.

    The date of EDF+ has a year of four digits, or is left out on purpose.
    """
    recording, day, clock = (
        header[first:last].decode("latin-1").strip(" \0")
        for first, last in ((88, 168), (168, 176), (176, 184))
    )
    told = _CLOCK.fullmatch(clock)
    try:
        at = time(int(told[1]), int(told[2]), int(told[3])) if told else None
    except ValueError:
        at = None
    if found := _RECORDING.fullmatch(recording):
        if found[1] is None:
            return None, at
        if found[2].upper() in MONTHS:
            return _day(int(found[3]), MONTHS.index(found[2].upper()) + 1, int(found[1])), at
    if (short := _DATE.fullmatch(day)) is None:
        return None, at
    year = int(short[3])
    return _day(year + (1900 if year >= _CENTURY else 2000), int(short[2]), int(short[1])), at


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
