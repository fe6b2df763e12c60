"""An EDF or BDF file from the signals of any recording."""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from sans.errors import DatasetError
from sans.recordings.conversion.contents import Array, Contents, Signal, clean, plain_unit, upwards
from sans.recordings.conversion.digits import Digits, digits_of
from sans.recordings.conversion.framing import Reframing, common_rate, fraction_of, reframed
from sans.recordings.edf.annotations import MONTHS
from sans.recordings.edf.files import tracks_of
from sans.recordings.edf.header import BITS, FIXED, MAGICS, read_header
from sans.recordings.edf.ranges import WIDTH, Range, exact_text, range_around, range_of
from sans.recordings.layout import Layout, Source, in_units
from sans.recordings.streams import Stream
from sans.recordings.timing import Facts

LARGEST_RECORD = 61_440
"""Bytes of a data record, at most where that is possible ([EDF])."""

_SHORTEST, _LONGEST = 0.1, 10  # seconds of a data record, if possible
_MOST_DURATIONS = 4096  # that are looked at
_LABEL = 16


class Written(NamedTuple):
    """A signal as the file has it."""

    signal: Signal
    digits: Digits
    range: Range
    label: str
    unit: str


def compose_edf(kind: str, contents: Contents) -> Source:
    """Return a recording as an EDF or BDF file.

    Integers stay what they are; other numbers become integers of 16 or 24 bits.

    Args:
        kind: "edf" or "bdf".
        contents: the recording.

    Raises:
        DatasetError: if it has no rate, no length of a record suits its rates, or its samples have
            more bits or larger values than the file can have.
    """
    title = kind.upper()
    contents.need_rates(title)
    duration = _duration(contents, BITS[kind] // 8)
    written = [_written(kind, signal, contents) for signal in contents.signals]
    lines = [
        Reframing(
            each.signal.number,
            each.digits.convert,
            int(fraction_of(each.signal.track.rate) * duration),
        )
        for each in written
    ]
    frames = max(
        -(-each.signal.samples // line.per_frame) for each, line in zip(written, lines, strict=True)
    )
    for each, line in zip(written, lines, strict=True):
        if short := frames * line.per_frame - each.signal.samples:
            what = "the last data record is filled up with the last sample of each signal"
            contents.lose(what, f"{short:,} of {each.signal.label}")
    header = _header(kind, contents.facts, duration, frames, written, lines)
    tracks = tracks_of(read_header(Stream(io.BytesIO(header), contents.name)), kind)
    layout = Layout(kind, tracks, frames, attachments={"header": header})

    def blocks(size: int) -> Iterator[list[Array]]:
        for block in reframed(contents.blocks(), lines, frames, size):
            yield [array.astype(track.dtype) for array, track in zip(block, tracks, strict=True)]

    return Source(layout, blocks, contents.notices())


def _written(kind: str, signal: Signal, contents: Contents) -> Written:
    """Return a signal as a file has it, and note what it does not."""
    title, extent = kind.upper(), signal.extent()
    limits = -(1 << (BITS[kind] - 1)), (1 << (BITS[kind] - 1)) - 1
    try:
        digits = digits_of(signal.track, extent, limits, limits[0])
        if digits.rounded:
            digits, span = _scaled(signal, extent.missing, (extent.low, extent.high), limits)
            step = f"{digits.rounded:.4g}{signal.unit}"
            contents.lose("numbers are rounded", f"{signal.label} to multiples of {step}")
        else:
            gain, baseline = clean(digits.gain), clean(digits.baseline)
            span = range_of(gain, baseline, (digits.low, digits.high), limits)
            if (off := _off(digits, span)) > 1e-12 * max(map(abs, map(float, span.physical))):
                what = f"{title} has {WIDTH} characters for a limit, so that values are off"
                contents.lose(what, f"{signal.label} by up to {upwards(off)}{signal.unit}")
    except DatasetError as error:
        more = " (.bdf files have 24 bits)" if kind == "edf" and limits[1] < extent.high else ""
        raise DatasetError(f"{signal.label} does not fit {title}: {error}{more}") from error
    if extent.missing:
        what = f"{title} has no missing samples, they become the lowest one, {limits[0]:,}"
        contents.lose(what, f"{extent.missing:,} of {signal.label}")
    label = _shortened("name", signal.track.name, _LABEL, title, contents)
    unit = _shortened("unit", signal.track.unit, WIDTH, title, contents)
    return Written(signal, digits, span, label, unit)


def _scaled(
    signal: Signal, missing: int, ends: tuple[float, float], limits: tuple[int, int]
) -> tuple[Digits, Range]:
    """Return how numbers become integers that use all bits."""
    track = signal.track
    values = sorted((end - track.baseline) / track.gain for end in ends)
    span = range_around(values[0], values[1], limits)
    low, high = (float(text) for text in span.physical)
    gain = (limits[1] - limits[0]) / (high - low)

    def convert(samples: Array) -> Array:
        numbers = in_units(samples, track.gain, track.baseline, None)
        steps = np.rint((numbers - low) * gain) + limits[0]
        first = limits[0] + (1 if missing else 0)  # which stands for what is missing
        steps = np.where(np.isnan(numbers), limits[0], np.clip(steps, first, limits[1]))
        return np.asarray(steps).astype(np.int64)

    return Digits(gain, limits[0] - low * gain, *limits, missing, convert, 1 / gain), span


def _off(digits: Digits, span: Range) -> float:
    """Return by how much values are off, at most."""
    low, high = (float(text) for text in span.physical)
    gain = (span.digital[1] - span.digital[0]) / (high - low)
    return max(
        abs((end - digits.baseline) / digits.gain - ((end - span.digital[0]) / gain + low))
        for end in (digits.low, digits.high)
    )


def _duration(contents: Contents, width: int) -> Fraction:
    """Return the length of a data record, in seconds.

    It is a decimal that its field holds, and a whole number of samples of every signal; the last
    record has as few samples as possible that were not there; of several it is the nearest to 1 s.
    """
    rates = [fraction_of(signal.track.rate) for signal in contents.signals]
    base = 1 / common_rate(map(float, rates))
    odd = base.denominator
    for prime in (2, 5):
        while odd % prime == 0:
            odd //= prime
    base *= odd
    most = max(1, min(_MOST_DURATIONS, int(60 / base)))
    found = [base * k for k in range(1, most + 1) if exact_text(base * k)]
    if not found:
        named = ", ".join(f"{float(rate):g}" for rate in dict.fromkeys(rates))
        raise DatasetError(f"no data record of EDF has whole numbers of samples at {named} Hz")

    def cost(duration: Fraction) -> tuple[bool, bool, bool, bool, int, float]:
        sizes = [int(rate * duration) for rate in rates]
        frames = max(
            -(-signal.samples // size) for signal, size in zip(contents.signals, sizes, strict=True)
        )
        missing = frames * sum(sizes) - sum(signal.samples for signal in contents.signals)
        return (
            # A reader divides one floating-point number by another.
            any(n / float(duration) != float(rate) for n, rate in zip(sizes, rates, strict=True)),
            missing > 0,
            sum(sizes) * width > LARGEST_RECORD,
            not _SHORTEST <= duration <= _LONGEST,
            missing,
            abs(math.log(duration)),
        )

    return min(found, key=cost)


def _header(
    kind: str,
    facts: Facts,
    duration: Fraction,
    frames: int,
    written: Sequence[Written],
    lines: Sequence[Reframing],
) -> bytes:
    magic = next(magic for magic, each in MAGICS.items() if each == kind)
    start, clock = facts.start, facts.clock or (facts.start and facts.start.time())
    recording = "Startdate X X X X"
    if start:
        recording = f"Startdate {start.day:02}-{MONTHS[start.month - 1]}-{start.year:04} X X X"
    fields = [("X X X X", 80), (recording, 80)]
    fields += [(f"{start:%d.%m.%y}" if start else "01.01.85", 8)]
    fields += [(f"{clock:%H.%M.%S}" if clock else "00.00.00", 8)]
    fields += [(str(FIXED * (len(written) + 1)), 8), ("24BIT" if kind == "bdf" else "", 44)]
    fields += [(str(frames), 8), (exact_text(duration), 8), (str(len(written)), 4)]
    rows = [
        [(each.label, 16) for each in written],
        [("", 80) for _ in written],
        [(each.unit, 8) for each in written],
        [(each.range.physical[0], 8) for each in written],
        [(each.range.physical[1], 8) for each in written],
        [(str(each.range.digital[0]), 8) for each in written],
        [(str(each.range.digital[1]), 8) for each in written],
        [("", 80) for _ in written],
        [(str(line.per_frame), 8) for line in lines],
        [("", 32) for _ in written],
    ]
    fields += [field for row in rows for field in row]
    return magic + b"".join(text.encode("ascii").ljust(width) for text, width in fields)


def _shortened(what: str, text: str, width: int, title: str, contents: Contents) -> str:
    """Return a text that a field holds, and note if it is another one."""
    given = plain_unit(text)
    plain = unicodedata.normalize("NFKD", given)
    short = "".join(each for each in plain if " " <= each <= "~")[:width].strip()
    if short != given:
        contents.lose(
            f"{title} has {width} letters of ASCII for a {what}", f"{text!r} becomes {short!r}"
        )
    return short
