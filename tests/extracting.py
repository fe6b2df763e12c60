"""Parts of streams, written as `sans decompress` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from sans.codec.extraction import opened_part, shaped
from sans.recordings.cutting import RecordingPart
from sans.recordings.spans import Cut
from sans.recordings.writing import write_source


def extract_file(path: Path, target: Path | BinaryIO, cut: Cut) -> RecordingPart:
    """Write a part of the recording in a stream, and return it."""
    with opened_part(path, cut) as part:
        write_source(shaped(part, target if isinstance(target, Path) else None), target)
        return part
