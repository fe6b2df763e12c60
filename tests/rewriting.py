"""A file through its reader and its writer."""

from __future__ import annotations

import io

from sans.recordings import create_recording, open_recording


def restored(content: bytes, block: int = 7) -> bytes:
    """Return what a file is written as again, so many frames at a time."""
    source = open_recording(io.BytesIO(content))
    target = io.BytesIO()
    with create_recording(target, source.layout, unchanged=True) as sink:
        for part in source.blocks(block):
            sink.write(part)
    return target.getvalue()
