"""Recordings as files store them: converter integers in blocks, and the same kind of file again."""

from sans.recordings.finding import find_recordings
from sans.recordings.formats import FORMATS
from sans.recordings.layout import Block, Layout, Sink, Source, Track
from sans.recordings.opening import create_recording, is_recording, open_recording

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
