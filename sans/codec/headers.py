"""What the header and the end of a stream say: text for programs, compressed.

Both are JSON, in the deflate format of zlib with `DICTIONARY` preset, so that a short recording
does not pay for the names of fields. Attachments follow the JSON of a header.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

import numpy as np

from sans.codec.quality import Quality
from sans.errors import BitstreamError, DatasetError
from sans.recordings.formats import FORMATS
from sans.recordings.layout import Layout, Track

DICTIONARY = (
    b'"frames": "seconds": "largest_error": "rms": "prd1024": "prdn": "prd": "samples": '
    b'"missing": null, true, false, "shape": [], "exact": "per_frame": 1, "unit": "mV", "name": '
    b'"uV", "bits": 12, "bits": 16, "dtype": "u1", "dtype": "<f8", "dtype": "<i2", '
    b'"baseline": 0.0, '
    b'"gain": 1.0, "gain": 200.0, "rate": 250.0, "rate": 360.0, "missing": -2048, '
    b'"missing": -32768, "tracks": [{"name": "MLII", "name": "ECG", "name": "V5", "format": "npy", '
    b'"format": "csv", "format": "edf", "format": "wfdb", "quality": ["lossless", 0.0], '
    b'["max-error", ["bits", ["prdn", 9.0], "chunk": 131072, "quanta": [0.0], "attachments": '
    b'[["header", [["a.hea", .dat 212 200 11 1024 16 0 #'
    b"\x93NUMPY\x01\x00v\x00{'descr': '<i2', 'fortran_order': False, 'shape': (650000,), }     "
    b"                                                   \n"
)
"""What deflate may point back to from the first byte on; a part of version 1."""

LARGEST = 1 << 25
"""The most bytes of a header's text and attachments together."""

LARGEST_TEXT = 1 << 24
"""The most bytes of the text alone, whose lists take more room in memory."""

MOST_TRACKS = 1 << 16
MOST_FRAMES = 1 << 48

_SIZE = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Header:
    """What a reader must know before the first chunk."""

    layout: Layout
    """The recording."""

    chunk: int
    """Frames of a chunk; the last has fewer."""

    quality: tuple[str, float | str]
    """What was asked for: kind and value, or the text of bounds."""

    quanta: tuple[float, ...]
    """For each track, what its floating-point numbers are multiples of; 0.0: kept exactly."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was achieved on one track, over all samples that are not missing."""

    samples: int
    """How many of them there are."""

    missing: int
    """How many are missing."""

    prd: float
    """100 ‖x − x̂‖ / ‖x‖, in converter units, in per cent; 0.0 where nothing is lost."""

    prd1024: float
    """The same, with 1,024 subtracted from x below."""

    prdn: float
    """The same, with the mean subtracted from x below."""

    rms: float
    """The root of the mean squared error, in physical units."""

    largest_error: float
    """The largest error of a sample, in converter units."""


@dataclass(frozen=True, slots=True)
class End:
    """What is known when all chunks are written."""

    frames: int
    """Of the recording."""

    chunks: tuple[int, ...]
    """Where every chunk begins in the stream."""

    figures: tuple[Figures, ...]
    """Of each track."""


def pack_header(header: Header) -> bytes:
    """Return a header as bytes.

    Raises:
        DatasetError: if no reader would accept it.
    """
    layout = header.layout
    try:
        _check_tracks(layout.tracks)
    except ValueError as error:
        raise DatasetError(f"a stream cannot hold such a recording: {_line(error)}") from error
    text = {
        "format": layout.format,
        "tracks": [_lean(track) for track in layout.tracks],
        "frames": layout.frames,
        "shape": list(layout.shape),
        "attachments": [[name, len(content)] for name, content in layout.attachments.items()],
        "chunk": header.chunk,
        "quality": list(header.quality),
        "quanta": list(header.quanta) if any(header.quanta) else [],
    }
    return _deflate(text, b"".join(layout.attachments.values()))


def unpack_header(data: bytes) -> Header:
    """Return the header that `pack_header` made bytes of.

    Raises:
        BitstreamError: if there is none like that.
    """
    text, rest = _inflate(data, "header")
    try:
        tracks = tuple(Track(**track) for track in text.pop("tracks"))
        _check_tracks(tracks)
        attachments = {}
        for name, size in text.pop("attachments"):
            if not (isinstance(name, str) and _whole(size, 0, len(rest))):
                raise ValueError(f"an attachment {name!r} of {size!r} bytes")
            attachments[name], rest = rest[:size], rest[size:]
        frames, shape = text.pop("frames"), tuple(text.pop("shape"))
        if rest or not (frames is None or _whole(frames, 0, MOST_FRAMES)):
            raise ValueError(f"{frames!r} frames, {len(rest)} bytes more")
        _check_shape(shape, frames, tracks)
        if (kind := text.pop("format")) not in FORMATS:
            raise ValueError(f"a format {kind!r}")
        layout = Layout(kind, tracks, frames, shape, attachments)
        chunk, quality = text.pop("chunk"), tuple(text.pop("quality"))
        quanta = tuple(text.pop("quanta")) or (0.0,) * len(tracks)
        if not _whole(chunk, 1, MOST_FRAMES) or len(quanta) != len(tracks) or text:
            raise ValueError(f"chunks of {chunk!r}, {len(quanta)} quanta, {list(text)} more")
        if not all(_number(quantum) and 0 <= quantum < math.inf for quantum in quanta):
            raise ValueError(f"quanta {quanta!r}")
        if len(quality) != 2 or not (_number(quality[1]) or _is_text(quality[1])):
            raise ValueError(f"quality {quality!r}")
        Quality.read(*quality)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BitstreamError(f"the header makes no sense: {_line(error)}") from error
    return Header(layout, chunk, quality, quanta)


def pack_end(end: End) -> bytes:
    """Return the end of a stream as bytes."""
    steps = [after - before for before, after in zip((0, *end.chunks), end.chunks, strict=False)]
    rows = [[_short(value) for value in asdict(row).values()] for row in end.figures]
    return _deflate({"frames": end.frames, "chunks": steps, "figures": rows}, b"")


def unpack_end(data: bytes, tracks: int) -> End:
    """Return the end that `pack_end` made bytes of.

    Raises:
        BitstreamError: if there is none like that, for so many tracks.
    """
    text, rest = _inflate(data, "end")
    try:
        frames, steps, rows = text.pop("frames"), text.pop("chunks"), text.pop("figures")
        if rest or text or not _whole(frames, 0, MOST_FRAMES) or len(rows) != tracks:
            raise ValueError(f"{frames!r} frames, {len(rows)} tracks")
        if not all(_whole(step, 1, 1 << 62) for step in steps):
            raise ValueError("chunks that do not follow each other")
        if not all(len(row) == len(fields(Figures)) and all(map(_number, row)) for row in rows):
            raise ValueError("figures that are none")
        figures = tuple(Figures(*row) for row in rows)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BitstreamError(f"the end of the stream makes no sense: {_line(error)}") from error
    begins, begin = [], 0
    for step in steps:
        begin += step
        begins.append(begin)
    return End(frames, tuple(begins), figures)


def finite(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of figures as JSON can hold it: infinity and NaN are null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _check_tracks(tracks: tuple[Track, ...]) -> None:
    """Raise a `ValueError` unless every field of every track has a possible value."""
    if not 1 <= len(tracks) <= MOST_TRACKS:
        raise ValueError(f"{len(tracks)} tracks")
    for track in tracks:
        texts = (track.name, track.unit, track.dtype)
        numbers = (track.gain, track.baseline, track.rate)
        if not all(_is_text(text) for text in texts):
            raise ValueError(f"track {track}")
        if not all(_number(value) and math.isfinite(value) for value in numbers):
            raise ValueError(f"track {track}")
        missing = track.missing is None or _fits(track.missing, np.dtype(track.dtype))
        sizes = _whole(track.bits, 1, 64) and _whole(track.per_frame, 1, 1 << 40)
        if track.rate < 0 or not (missing and sizes and isinstance(track.exact, bool)):
            raise ValueError(f"track {track}")


def _check_shape(shape: tuple[Any, ...], frames: int | None, tracks: tuple[Track, ...]) -> None:
    """Raise a `ValueError` unless an array of this shape has these frames and tracks."""
    if not shape:
        return
    if len(shape) > 3 or not all(_whole(side, 0, MOST_FRAMES) for side in shape):
        raise ValueError(f"shape {shape!r}")
    image = len(shape) == 3
    per_frame, channels = (shape[1] * shape[2], 1) if image else (1, math.prod(shape[1:]))
    fits = all(track.per_frame == per_frame for track in tracks) and len(tracks) == channels
    if frames != shape[0] or not fits:
        raise ValueError(f"{len(tracks)} tracks of {frames!r} frames in the shape {shape!r}")


def _lean(track: Track) -> dict[str, Any]:
    """Return the fields of a track that are not what they are by default."""
    defaults = {field.name: field.default for field in fields(Track)}
    values = asdict(track)
    return {
        name: value
        for name, value in values.items()
        if defaults[name] is MISSING or value != defaults[name]
    }


def _short(value: float) -> float:
    """Return a figure with as many digits as anybody reads."""
    return value if isinstance(value, int) or not math.isfinite(value) else float(f"{value:.6g}")


def _deflate(text: dict[str, Any], more: bytes) -> bytes:
    body = json.dumps(text, allow_nan=True).encode()
    if len(body) > LARGEST_TEXT or _SIZE.size + len(body) + len(more) > LARGEST:
        raise DatasetError(
            f"{len(body) + len(more):,} bytes beside the samples are more than a stream can hold"
        )
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=DICTIONARY)
    return packer.compress(_SIZE.pack(len(body)) + body + more) + packer.flush()


def _inflate(data: bytes, name: str) -> tuple[dict[str, Any], bytes]:
    unpacker = zlib.decompressobj(-15, zdict=DICTIONARY)
    try:
        body = unpacker.decompress(data, LARGEST + 1)
        if len(body) > LARGEST or not unpacker.eof or unpacker.unused_data:
            raise ValueError("its size is not what it says")
        (size,) = _SIZE.unpack_from(body)
        if size > LARGEST_TEXT:
            raise ValueError(f"{size} bytes of text")
        text = json.loads(body[_SIZE.size : _SIZE.size + size])
        if not isinstance(text, dict):
            raise ValueError("it is no table")
    except (ValueError, zlib.error, struct.error, RecursionError) as error:
        raise BitstreamError(f"the {name} makes no sense: {_line(error)}") from error
    return text, body[_SIZE.size + size :]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _fits(value: object, dtype: np.dtype[Any]) -> bool:
    """Return whether a sample can have this value."""
    if dtype.kind == "f":
        return _whole(value, -(1 << 63), 1 << 63)
    return _whole(value, int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))


def _is_text(value: object) -> bool:
    """Return whether a value is a string that can be encoded."""
    return isinstance(value, str) and not any("\ud800" <= each <= "\udfff" for each in value)


def _number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) <= 1 << 64
