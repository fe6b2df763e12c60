"""What the values of a header and an end may be."""

from __future__ import annotations

import math
from dataclasses import MISSING, asdict, fields
from typing import Any, cast

import numpy as np

from sans.codec.quality import Quality
from sans.codec.versions import Version
from sans.recordings.layout import Track

MOST_TRACKS = 1 << 16
MOST_FRAMES = 1 << 48

_DEFAULTS = {field.name: field.default for field in fields(Track)}
_WANTED = {name for name, default in _DEFAULTS.items() if default is MISSING}


def track_of(text: Any, version: Version) -> Track:
    """Return a track of a header; of a version that grows, without the keys that are not known.

    Raises:
        ValueError: if it lacks a key, or in a version that does not grow has another.
    """
    if not isinstance(text, dict):
        raise ValueError(f"a track {text!r}")
    if lacking := sorted(_WANTED - text.keys()):
        raise ValueError(f"a track without a {lacking[0]}")
    if version.grows and not text.keys() <= _DEFAULTS.keys():
        text = {key: value for key, value in text.items() if key in _DEFAULTS}
    return Track(**text)


def without_defaults(track: Track) -> dict[str, Any]:
    """Return the fields of a track that are not what they are by default."""
    return {
        name: value
        for name, value in asdict(track).items()
        if name in _WANTED or value != _DEFAULTS[name]
    }


def check_tracks(tracks: tuple[Track, ...]) -> None:
    """Raise a `ValueError` unless every field of every track has a possible value."""
    if not 1 <= len(tracks) <= MOST_TRACKS:
        raise ValueError(f"{len(tracks)} tracks")
    for number, track in enumerate(tracks):
        legal = {
            "name": is_text(track.name),
            "unit": is_text(track.unit),
            "gain": _finite(track.gain),
            "baseline": _finite(track.baseline),
            "bits": is_whole(track.bits, 1, 64),
            "per_frame": is_whole(track.per_frame, 1, 1 << 40),
            "rate": _finite(track.rate) and track.rate >= 0,
            "missing": track.missing is None or _fits(track.missing, np.dtype(track.dtype)),
            "exact": isinstance(track.exact, bool),
        }
        for name, possible in legal.items():
            if not possible:
                raise ValueError(f"track {number} has the {name} {getattr(track, name)!r}")


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


def _finite(value: object) -> bool:
    return is_number(value) and math.isfinite(cast(float, value))


def is_number(value: object) -> bool:
    """Return whether a value is a number that a header may hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) <= 1 << 64
