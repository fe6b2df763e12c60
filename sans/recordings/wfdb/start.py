"""When a WFDB record began, and the gaps between its segments."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time

from sans.recordings.layout import Layout
from sans.recordings.roles import Read
from sans.recordings.timing import EvenRun, Facts
from sans.recordings.wfdb.header import GAP, parse_any
from sans.recordings.wfdb.names import HEADER

_TIME = re.compile(r"(?:(?:(\d{1,2}):)?(\d{1,2}):)?(\d{1,2})(?:\.(\d{1,9}))?", re.ASCII)
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)


def facts_of_record(layout: Layout, facts: Facts, _read: Read) -> Facts:
    """Return `facts` with what the header says.

    Raises:
        DatasetError: if it is damaged.
    """
    header = parse_any(layout.attachments["header"], HEADER)
    try:
        day, clock = read_start(header.start)
    except ValueError as error:
        facts = replace(facts, notices=(f"the start of the record is not known: {error}",))
        day = clock = None
    if day is not None:
        facts = replace(facts, start=datetime.combine(day, clock or time()))
    facts = replace(facts, clock=clock)
    if not header.segments:
        return facts
    runs, frame, place, gap = [], 0, 0, True
    for segment in header.segments:
        if segment.name == GAP:
            gap = gap or segment.frames > 0
        elif segment.frames and frame < facts.frames:
            runs += [EvenRun(frame, round(place * facts.period, 9))] if gap else []
            frame, gap = frame + segment.frames, False
        place += segment.frames
    end = (
        round(place * facts.period, 9) if frame <= facts.frames else None
    )  # a rest of it may be lost
    return replace(facts, runs=tuple(runs) or facts.runs, end=end)


def read_start(text: str) -> tuple[date | None, time | None]:
    """Return the date and the time of day that a record line has, in either order.

    A date is day/month/year, as WFDB has it, or year-month-day; a time is [[hours:]minutes:]seconds
    with decimals or without.

    Raises:
        ValueError: if there is anything else, or no such day or time.
    """
    day: date | None = None
    clock: time | None = None
    for word in text.split():
        if (found := _DATE.fullmatch(word)) and day is None:
            day = date(int(found[3]), int(found[2]), int(found[1]))
        elif (found := _ISO_DATE.fullmatch(word)) and day is None:
            day = date(int(found[1]), int(found[2]), int(found[3]))
        elif (found := _TIME.fullmatch(word)) and clock is None:
            hours, minutes, seconds = (int(each or 0) for each in found.groups()[:3])
            clock = time(hours, minutes, seconds, int((found[4] or "").ljust(6, "0")[:6]))
        else:
            raise ValueError(f"{word!r:.40} is no time of day, nor a date such as 31/12/1999")
    return day, clock
