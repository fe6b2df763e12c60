"""A WFDB record of one segment from the signals of any recording."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from sans.errors import DatasetError
from sans.recordings.conversion.contents import Array, Contents, Signal, clean, plain_unit, upwards
from sans.recordings.conversion.digits import Digits, digits_of
from sans.recordings.conversion.framing import Reframing, common_rate, fraction_of, reframed
from sans.recordings.layout import Layout, Source
from sans.recordings.timing import Facts
from sans.recordings.wfdb.header import check_name, parse
from sans.recordings.wfdb.names import HEADER
from sans.recordings.wfdb.segment import tracks_of

BITS = (16, 24, 32)
"""Bits of a sample in the storage formats that are written, which are called so ([DAT])."""

NO_UNIT = "NU"
"""The unit of what has none: nothing would mean mV ([HEA])."""

_SLACK = 1e-6  # of an integer: what dividing has left
_BLANKS = re.compile(r"\s+")


def compose_record(contents: Contents) -> Source:
    """Return a recording as a WFDB record.

    Integers stay what they are, with gain and baseline; other numbers become integers of 32 bits.

    Raises:
        DatasetError: if it has no rate, or samples of more than 32 bits.
    """
    contents.need_rates("WFDB")
    check_name(contents.name)
    bits, digits = _digits(contents.signals)
    rate = common_rate(signal.track.rate for signal in contents.signals)
    lines = [
        Reframing(
            signal.number,
            each.convert,
            int(fraction_of(signal.track.rate) / rate),
            -(1 << (bits - 1)),
        )
        for signal, each in zip(contents.signals, digits, strict=True)
    ]
    frames = max(
        -(-signal.samples // line.per_frame)
        for signal, line in zip(contents.signals, lines, strict=True)
    )
    _note(contents, digits, lines, frames)
    record = f"{contents.name} {len(lines)} {_number(float(rate))} {frames}"
    rows = [record + _start(contents.facts)]
    for signal, each, line in zip(contents.signals, digits, lines, strict=True):
        rows.append(f"{contents.name}.dat {bits}{_signal_line(signal, each, line, bits)}")
    header = "".join(f"{row}\n" for row in rows).encode()
    tracks = tracks_of(parse(header, f"{contents.name}{HEADER}"))
    attachments = {"header": header, "record": os.fsencode(contents.name)}
    layout = Layout("wfdb", tracks, frames, attachments=attachments)

    def blocks(size: int) -> Iterator[list[Array]]:
        for block in reframed(contents.blocks(), lines, frames, size):
            yield [array.astype(track.dtype) for array, track in zip(block, tracks, strict=True)]

    return Source(layout, blocks, contents.notices())


def _digits(signals: Sequence[Signal]) -> tuple[int, list[Digits]]:
    """Return the fewest bits that all signals fit in, and how they do."""
    extents = [signal.extent() for signal in signals]

    def fitted(bits: int) -> list[Digits]:
        most, found = 1 << (bits - 1), []
        for signal, extent in zip(signals, extents, strict=True):
            try:
                # The lowest integer stands for what is missing.
                found.append(digits_of(signal.track, extent, (1 - most, most - 1), -most))
            except DatasetError as error:
                raise DatasetError(f"{signal.label} does not fit WFDB: {error}") from error
        return found

    widest = fitted(BITS[-1])
    low, high = min(each.low for each in widest), max(each.high for each in widest)
    bits = next(bits for bits in BITS if -(1 << (bits - 1)) < low and high < 1 << (bits - 1))
    return bits, fitted(bits) if not any(each.rounded for each in widest) else widest


def _note(
    contents: Contents, digits: Sequence[Digits], lines: Sequence[Reframing], frames: int
) -> None:
    """Note what the record does not have."""
    for signal, each, line in zip(contents.signals, digits, lines, strict=True):
        if each.rounded:
            step = f"{each.rounded:g}{signal.unit}"
            contents.lose("numbers are rounded", f"{signal.label} to multiples of {step}")
        off = abs(each.baseline - round(each.baseline))
        if off > _SLACK:
            unit = f"{upwards(off / abs(each.gain))}{signal.unit}"
            what = "WFDB has a whole number for zero, so that values are off"
            contents.lose(what, f"{signal.label} by {unit}")
        if _BLANKS.search(signal.track.unit):
            new = f"{signal.track.unit!r} becomes {_unit(signal)!r}"
            contents.lose("WFDB has units without blanks", new)
        if short := frames * line.per_frame - signal.samples:
            what = "the last frame is filled up with missing samples"
            contents.lose(what, f"{short:,} of {signal.label}")


def _signal_line(signal: Signal, digits: Digits, line: Reframing, bits: int) -> str:
    per_frame = f"x{line.per_frame}" if line.per_frame > 1 else ""
    gain = f"{_number(clean(digits.gain))}({round(digits.baseline)})/{_unit(signal)}"
    resolution = min(bits, signal.track.bits)
    row = f"{per_frame} {gain} {resolution} 0 0 0 0 {signal.track.name.strip()}"
    return row.rstrip()


def _unit(signal: Signal) -> str:
    return _BLANKS.sub("_", plain_unit(signal.track.unit)) or NO_UNIT


def _start(facts: Facts) -> str:
    if facts.clock is None and facts.start is None:
        return ""
    clock = facts.clock or (facts.start and facts.start.time())
    text = f" {clock:%H:%M:%S}" + (f".{clock:%f}" if clock and clock.microsecond else "")
    day = facts.start
    return text + (f" {day.day:02}/{day.month:02}/{day.year:04}" if day else "")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
