"""Recordings as files store them: converter integers in blocks, and the same kind of file again."""

from typing import TYPE_CHECKING

from sans.lazy import lazy_names as _lazy_names

if TYPE_CHECKING:
    from sans.recordings.finding import find_recordings as find_recordings
    from sans.recordings.formats import FORMATS as FORMATS
    from sans.recordings.layout import Block as Block
    from sans.recordings.layout import Layout as Layout
    from sans.recordings.layout import Sink as Sink
    from sans.recordings.layout import Source as Source
    from sans.recordings.layout import Track as Track
    from sans.recordings.opening import create_recording as create_recording
    from sans.recordings.opening import is_recording as is_recording
    from sans.recordings.opening import open_recording as open_recording

# Modules of a few constants are wanted without the readers of all formats.
_MODULES = {
    "FORMATS": "formats",
    "Block": "layout",
    "Layout": "layout",
    "Sink": "layout",
    "Source": "layout",
    "Track": "layout",
    "create_recording": "opening",
    "find_recordings": "finding",
    "is_recording": "opening",
    "open_recording": "opening",
}

__all__ = sorted(_MODULES)

__getattr__, __dir__ = _lazy_names(__name__, _MODULES)
