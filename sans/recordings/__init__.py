"""Recordings as files store them: converter integers in blocks, and the same kind of file again."""

from sans.recordings.formats import (
    FORMATS,
    create_recording,
    find_recordings,
    is_recording,
    open_recording,
)
from sans.recordings.layout import Block, Layout, Sink, Source, Track

__all__ = [
    "FORMATS",
    "Block",
    "Layout",
    "Sink",
    "Source",
    "Track",
    "create_recording",
    "find_recordings",
    "is_recording",
    "open_recording",
]
