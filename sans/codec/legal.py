"""What the values of a header and an end may be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sans.codec.quality import Quality
from sans.codec.versions import Version
from sans.recordings.layout import Track

MOST_TRACKS = 1 << 16
MOST_FRAMES = 1 << 48


def check_tracks(tracks: tuple[Track, ...]) -> None:
    """Raise a `ValueError` unless every field of every track has a possible value."""
    if not 1 <= len(tracks) <= MOST_TRACKS:
        raise ValueError(f"{len(tracks)} tracks")
    for track in tracks:
        texts = (track.name, track.unit, track.dtype)
        numbers = (track.gain, track.baseline, track.rate)
        if not all(is_text(text) for text in texts):
            raise ValueError(f"track {track}")
        if not all(is_number(value) and math.isfinite(value) for value in numbers):
            raise ValueError(f"track {track}")
        missing = track.missing is None or _fits(track.missing, np.dtype(track.dtype))
        sizes = is_whole(track.bits, 1, 64) and is_whole(track.per_frame, 1, 1 << 40)
        if track.rate < 0 or not (missing and sizes and isinstance(track.exact, bool)):
            raise ValueError(f"track {track}")


def check_shape(shape: tuple[Any, ...], frames: int | None, tracks: tuple[Track, ...]) -> None:
    """Raise a `ValueError` unless an array of this shape has these frames and tracks."""
    if not shape:
        return
    if len(shape) > 3 or not all(is_whole(side, 0, MOST_FRAMES) for side in shape):
        raise ValueError(f"shape {shape!r}")
    image = len(shape) == 3
    per_frame, channels = (shape[1] * shape[2], 1) if image else (1, math.prod(shape[1:]))
    fits = all(track.per_frame == per_frame for track in tracks) and len(tracks) == channels
    if frames != shape[0] or not fits:
        raise ValueError(f"{len(tracks)} tracks of {frames!r} frames in the shape {shape!r}")


def check_quality(quality: tuple[Any, ...], version: Version) -> None:
    """Raise a `ValueError` unless this may be what was asked for."""
    if len(quality) == 2 and version.grows:
        kind, value = quality
        if is_text(kind) and (is_text(value) or (is_number(value) and math.isfinite(value))):
            return
    elif len(quality) == 2 and is_number(quality[1]):
        Quality(*quality)
        return
    raise ValueError(f"quality {quality!r}")


def is_whole(value: object, low: int, high: int) -> bool:
    """Return whether a value is a whole number between two."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _fits(value: object, dtype: np.dtype[Any]) -> bool:
    """Return whether a sample can have this value."""
    if dtype.kind == "f":
        return is_whole(value, -(1 << 63), 1 << 63)
    return is_whole(value, int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))


def is_text(value: object) -> bool:
    """Return whether a value is a string that can be encoded."""
    if not isinstance(value, str):
        return False
    return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)


def is_number(value: object) -> bool:
    """Return whether a value is a number that a header may hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) <= 1 << 64
