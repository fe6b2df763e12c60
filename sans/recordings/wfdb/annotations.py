"""Annotation files of WFDB records: pairs of bytes, the low ones first.

Six bits of a pair are a code and ten an interval, or what a code from 59 on says of the annotation
before it.

[ANN] https://physionet.org/physiotools/wag/annot-5.htm
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sans.errors import DatasetError
from sans.recordings.layout import Layout
from sans.recordings.roles import Read
from sans.recordings.timing import Annotation
from sans.recordings.wfdb.header import parse_any
from sans.recordings.wfdb.names import HEADER

ATTACHMENT = "annotations"
"""The attachment with the file of the annotator "atr"; of others, their name stands behind it."""

_SKIP, _NUM, _SUB, _CHANNEL, _NOTE = 59, 60, 61, 62, 63
_LAST = 49  # of the codes of annotations
_BLOCK = 1024  # bytes that old files are filled up to a multiple of
_COMMENT = 22  # the code of annotations of which some are about the file

_SYMBOLS = dict(enumerate(' NLRaVFJASEj/Q~ | sT*D"=pB^t+u?![]en@xf()r'))
"""What an annotation of a code is called ([ANN])."""

_RESOLUTION = re.compile(r"## time resolution: (\d+(?:\.\d*)?)\s*")
_DEFINITIONS, _DEFINED = "## annotation type definitions", "## end of definitions"
_DEFINITION = re.compile(r"(\d{1,2})\s+(\S+)(?:\s.*)?", re.DOTALL)


@dataclass(slots=True)
class Mark:
    """One annotation, as its file has it."""

    place: int
    """Intervals since the start of the record."""

    code: int
    """What kind it is."""

    channel: int
    """The signal that it belongs to."""

    note: str = ""
    """What else is noted."""


def annotations_of_record(layout: Layout, _read: Read) -> list[Annotation]:
    """Return what is in the annotation files among the attachments of a record.

    Raises:
        DatasetError: if one is damaged.
    """
    found: list[Annotation] = []
    header = parse_any(layout.attachments["header"], HEADER)
    for name, content in layout.attachments.items():
        first, _, annotator = name.partition(" ")
        if first == ATTACHMENT:
            found += read_annotations(content, annotator or "atr", header.rate)
    return found


def read_annotations(content: bytes, annotator: str, rate: float) -> list[Annotation]:
    """Return the annotations of a file.

    Args:
        content: its bytes.
        annotator: its name, without point.
        rate: frames of the record per second; a file may have a resolution of its own.

    Raises:
        DatasetError: if it is damaged.
    """
    symbols, found, defining = dict(_SYMBOLS), [], False
    for mark in read_marks(content, annotator):
        told = (mark.code == _COMMENT and mark.place == 0 and mark.note) or ""
        if resolution := _RESOLUTION.fullmatch(told):
            rate = float(resolution[1]) or rate
        elif told in (_DEFINITIONS, _DEFINED):
            defining = told == _DEFINITIONS
        elif defining:
            if defined := _DEFINITION.fullmatch(mark.note):
                symbols[int(defined[1])] = defined[2]
        elif mark.code:  # 0 is none: it only carries an interval
            symbol = symbols.get(mark.code, f"[{mark.code}]").strip()
            onset = mark.place / rate
            found.append(Annotation(onset, 0.0, symbol, mark.note, annotator, mark.channel))
    return found


def read_marks(content: bytes, annotator: str) -> list[Mark]:
    """Return the annotations of a file as they stand there.

    Raises:
        DatasetError: if it is damaged.
    """
    marks: list[Mark] = []
    place = channel = 0
    for code, value, rest in _pairs(content):
        if code == value == 0:
            return marks
        if code == _SKIP:  # the next two pairs, the high one first
            high, low = rest[:2], rest[2:]
            place += int.from_bytes(low + high, "little", signed=True)
        elif code == _NOTE:
            if marks:
                marks[-1].note = rest.rstrip(b"\0").decode("latin-1")
        elif code == _CHANNEL:
            channel = value & 0xFF
            if marks:
                marks[-1].channel = channel
        elif code not in (_NUM, _SUB):
            place += value
            marks.append(Mark(place, code, channel))
    raise DatasetError(f"the annotations of {annotator!r} are damaged: they have no end")


def is_annotation(content: bytes) -> bool:
    """Return whether a file is one of annotations: they have an end, and little comes after it.

    Nothing in other files makes sense to the last byte: codes from 50 to 58 are none, and what is
    said of an annotation stands behind one.
    """
    marks = False
    for code, value, rest in _pairs(content):
        if code == value == 0:
            filled = len(rest) < _BLOCK and not rest.strip(b"\0")
            return (filled and marks) or content == bytes(2)
        if code >= _NUM and not marks:
            return False
        if code < _SKIP:
            if code > _LAST:
                return False
            marks = True
    return False


def _pairs(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the code and the value of each pair, and the bytes that belong to it.

    These are four of a skip, the text of a note, and of the pair of zeros, which is the last one,
    all that comes after it. Without that pair, the pairs end where the bytes do.
    """
    at = 0
    while at + 2 <= len(content):
        pair = int.from_bytes(content[at : at + 2], "little")
        code, value = pair >> 10, pair & 0x3FF
        at += 2
        if pair == 0:
            yield 0, 0, content[at:]
            return
        size = {_SKIP: 4, _NOTE: value}.get(code, 0)
        yield code, value, content[at : at + size]
        at += size + size % 2
