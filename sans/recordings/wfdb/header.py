r"""The header of a WFDB record: read as text, and changed only where it must be.

It is UTF-8, or Latin-1 where it is no UTF-8, and its lines end at \n, \r\n or \r only. What wfdb's
own reader does without, such as fields at the end of a line, is not asked for here either.

[HEA] https://physionet.org/physiotools/wag/header-5.htm
"""

from __future__ import annotations

import codecs
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sans.errors import DatasetError, printable
from sans.recordings.layout import Layout

DEFAULT_RATE = 250.0  # [HEA], in Hz
DEFAULT_GAIN = 200.0
DEFAULT_UNIT = "mV"
GAP = "~"
"""The name of what is no file: a segment without samples, a signal of a layout."""

_LARGEST = 2**53

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_RECORD = re.compile(
    r"\s*(?P<name>[^\s/]+)(?:/(?P<segments>\d*))?[ \t]+(?P<signals>\d+)"
    rf"(?:[ \t]+(?P<rate>{_NUMBER})(?:[/(]\S*)?(?:[ \t]+(?P<frames>\d+)\b(?P<start>.*))?)?$",
    re.ASCII,
)
_SIGNAL = re.compile(
    r"\s*(?P<file>[^\s/\\]+)[ \t]+"
    r"(?P<form>\d+)(?:x(?P<per_frame>\d*))?(?::(?P<skew>\d*))?(?:\+(?P<offset>\d*))?(?!\S)"
    rf"(?:[ \t]+(?P<gain>[-+]?{_NUMBER})?(?:\((?P<baseline>[-+]?\d+)?\)?)?"
    r"(?:/?(?P<unit>(?<=/)\S+|[^\s\d.(/+-]\S*)|/)?(?!\S)"
    r"(?:[ \t]+(?P<resolution>\d+)(?!\S)(?:[ \t]+(?P<zero>-?\d+)(?!\S)"
    r"(?:[ \t]+(?P<initial>-?\d+)(?!\S)(?:[ \t]+(?P<checksum>-?\d+)(?!\S)"
    r"(?:[ \t]+(?P<block>-?\d+)(?!\S))?)?)?)?)?"
    r"(?:[ \t]+(?P<name>\S.*))?)?$",
    re.ASCII,
)
_SEGMENT = re.compile(r"\s*(?P<name>[^\s/\\]+)[ \t]+(?P<frames>\d+)(?:\s.*)?$", re.ASCII)
_NAME = re.compile(r"[^\s/\\]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class WfdbSignal:
    """One signal line."""

    file: str
    """Name of the signal file, without a folder."""

    form: str
    """Code of the storage format, such as "212"."""

    per_frame: int
    """Samples in a frame."""

    skew: int
    """Frames by which its samples come late."""

    offset: int
    """Bytes before the first sample; samples in a FLAC file."""

    gain: float
    """Steps per unit."""

    baseline: int
    """The step of 0 units."""

    unit: str
    """Physical unit."""

    resolution: int
    """Bits of the converter; 0 if not said."""

    initial: int
    """The first sample, or, in format 8, what its first difference adds to; 0 if not said."""

    name: str
    """Description of the signal; "" if it has none."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment line: a record whose signals are a part of this one's."""

    name: str
    """Name of the segment's record; `GAP` where the signals have no samples."""

    frames: int
    """How many it has; 0 for the first one where that is a layout, which names all signals."""


@dataclass(frozen=True, slots=True)
class WfdbHeader:
    """A header: of signals, or of segments."""

    name: str
    """Name of the record."""

    rate: float
    """Frames per second."""

    frames: int | None
    """Frames in all; None if not said."""

    signals: tuple[WfdbSignal, ...]
    """Its signals, one or more; () if it has segments."""

    segments: tuple[Segment, ...] = ()
    """Its segments, one or more; () if it has signals."""

    start: str = ""
    """Time and date of the first frame, as the record line has them; "" if not said."""


def parse(content: bytes, name: str) -> WfdbHeader:
    """Read a header of signals.

    Args:
        content: bytes of the .hea file.
        name: what to call the file in messages.

    Raises:
        DatasetError: if it is not a header, describes no signal or several segments; it names the
            line.
    """
    header = parse_any(content, name)
    if header.segments:
        raise DatasetError(f"{name} has {len(header.segments)} segments: records of one are wanted")
    return header


def parse_any(content: bytes, name: str) -> WfdbHeader:
    """Read a header of signals or of segments.

    Raises:
        DatasetError: if it is not a header, or describes neither; it names the line.
    """
    try:
        return _parse(content, name)
    except ValueError as error:  # more digits than Python converts
        raise DatasetError(f"{name} is damaged: {error}") from error


def _parse(content: bytes, name: str) -> WfdbHeader:
    lines = _lines(_Text(content).lines)
    if not lines:
        raise DatasetError(f"{name} is empty: a WFDB header begins with a record line")
    number, line = lines[0]
    if (record := _RECORD.match(line)) is None:
        raise DatasetError(f"{name}, line {number}: {_short(line)} is not a WFDB record line")
    split = bool(record["segments"])
    count = int(record["segments"] if split else record["signals"])
    if count == 0:
        raise DatasetError(f"{name} describes no signal: a record of 1 or more is wanted")
    if len(lines) < count + 1:
        kind = "segment" if split else "signal"
        raise DatasetError(
            f"{name} is damaged: {len(lines) - 1} of its {count} {kind} lines are there"
        )
    rate = _finite(record["rate"] or DEFAULT_RATE)
    frames = _whole(record["frames"]) or None
    rest = lines[1 : count + 1]
    start = (record["start"] or "").strip()
    if split:
        segments = tuple(_segment(number, line, name) for number, line in rest)
        return WfdbHeader(record["name"], rate, frames, (), segments, start)
    signals = tuple(_signal(number, line, name) for number, line in rest)
    return WfdbHeader(record["name"], rate, frames, signals, start=start)


def revise(
    content: bytes,
    initial: Sequence[int],
    checksums: Sequence[int],
    files: Mapping[str, str],
    record: str | None = None,
) -> bytes:
    """Return a header with other first samples, checksums and names, and nothing else changed.

    Args:
        content: bytes of a header that `parse` reads.
        initial: first sample of each signal, as the header is to give it.
        checksums: sum of the samples of each signal, modulo 2^16; one that says the same with
            another sign stays.
        files: the new name of a signal file by its old one.
        record: the new name of the record, or None for the old one.
    """
    text = _Text(content)
    (head, line), *rest = _lines(text.lines)
    if record is not None:
        text.replace(head, _RECORD.match(line), {"name": record})
    for (number, line), first, checksum in zip(rest, initial, checksums, strict=False):
        if (found := _SIGNAL.match(line)) is None:
            continue
        new = {"file": files.get(found["file"], found["file"])}
        if found["initial"] is not None:
            new["initial"] = str(first)
        if found["checksum"] is not None and (int(found["checksum"]) - checksum) % 2**16:
            new["checksum"] = str((checksum + 2**15) % 2**16 - 2**15)
        text.replace(number, found, new)
    return text.content()


def revise_segments(content: bytes, names: Mapping[str, str], record: str) -> bytes:
    """Return a header of segments with other names, and nothing else changed.

    Args:
        content: bytes of the header.
        names: the new name of each segment by its old one.
        record: the new name of the record.
    """
    text = _Text(content)
    (head, line), *rest = _lines(text.lines)
    text.replace(head, _RECORD.match(line), {"name": record})
    for number, line in rest:
        if (found := _SEGMENT.match(line)) is not None and found["name"] in names:
            text.replace(number, found, {"name": names[found["name"]]})
    return text.content()


def check_name(name: str) -> None:
    """Raise `DatasetError` unless a name of a record or a file can stand in a header."""
    if not _NAME.fullmatch(name):
        raise DatasetError(f"a header of WFDB has names without spaces and slashes, not {name!r}")


def check_names(content: bytes, names: Iterable[str]) -> None:
    """Check that names of a record and its files can stand in a header.

    Raises:
        DatasetError: if one has a space, or a character that the encoding of the header has not.
    """
    codec = _Text(content).codec
    for name in names:
        check_name(name)
        try:
            name.encode(codec)
        except UnicodeEncodeError:
            raise DatasetError(f"the header is {codec}: it cannot have the name {name!r}") from None


class _Text:
    """The lines of a header, and how to make its bytes of them again."""

    def __init__(self, content: bytes) -> None:
        self._mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        content = content.removeprefix(self._mark)
        try:
            text, self.codec = content.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            text, self.codec = content.decode("latin-1"), "latin-1"
        # str.splitlines would also cut at what is a part of a name: form feeds, separators, 0x85.
        self.lines = list(io.StringIO(text, newline=""))

    def replace(self, number: int, found: re.Match[str] | None, new: Mapping[str, str]) -> None:
        """Put something else in the place of groups of a line."""
        if found is None:
            return
        line = self.lines[number - 1]
        for group in sorted(new, key=found.start, reverse=True):
            line = line[: found.start(group)] + new[group] + line[found.end(group) :]
        self.lines[number - 1] = line

    def content(self) -> bytes:
        """Return the bytes of the header."""
        return self._mark + "".join(self.lines).encode(self.codec)


def _lines(lines: Iterable[str]) -> list[tuple[int, str]]:
    """Return the lines that are neither empty nor a comment, with their numbers from 1."""
    numbered = ((number, line.rstrip()) for number, line in enumerate(lines, start=1))
    return [(number, line) for number, line in numbered if line.lstrip()[:1] not in ("", "#")]


def _segment(number: int, line: str, name: str) -> Segment:
    if (found := _SEGMENT.match(line)) is None:
        raise DatasetError(f"{name}, line {number}: {_short(line)} is not a WFDB segment line")
    return Segment(found["name"], _whole(found["frames"]))


def _signal(number: int, line: str, name: str) -> WfdbSignal:
    if (found := _SIGNAL.match(line)) is None:
        raise DatasetError(f"{name}, line {number}: {_short(line)} is not a WFDB signal line")
    per_frame = _whole(found["per_frame"] or 1)
    if per_frame == 0:
        raise DatasetError(f"{name}, line {number}: 0 samples a frame; 1 or more are wanted")
    return WfdbSignal(
        file=found["file"],
        form=found["form"],
        per_frame=per_frame,
        skew=_whole(found["skew"]),
        offset=_whole(found["offset"]),
        gain=_finite(found["gain"] or 0) or DEFAULT_GAIN,
        baseline=_whole(found["baseline"] or found["zero"]),
        unit=printable(found["unit"] or DEFAULT_UNIT),
        resolution=_whole(found["resolution"]),
        initial=_whole(found["initial"]),
        name=printable(found["name"] or ""),
    )


def _whole(field: str | int | None) -> int:
    if abs(number := int(field or 0)) > _LARGEST:
        raise ValueError(f"no whole number of a header is above {_LARGEST:,}")
    return number


def _finite(field: str | float) -> float:
    if not math.isfinite(number := float(field)):
        raise ValueError(f"{_short(str(field))} is no number that a computer has")
    return number


def _short(line: str) -> str:
    line = line.strip()
    return repr(line if len(line) <= 60 else f"{line[:57]}...")


def besides(layout: Layout) -> tuple[str, ...]:
    """Return in words how many comments a header has, if any."""
    lines = _Text(layout.attachments.get("header", b"")).lines
    comments = sum(line.lstrip()[:1] == "#" for line in lines)
    if not comments:
        return ()
    return (f"{comments:,} comment{'s' if comments > 1 else ''} of the header",)
