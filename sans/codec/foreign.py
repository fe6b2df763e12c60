"""Recordings of file formats that this reader does not know: newer writers may have more."""

from __future__ import annotations

from dataclasses import replace

from sans.recordings.formats import FORMATS
from sans.recordings.layout import Layout

ARRAYS = "npz"
"""The format that stands in for them: an array a signal, with names, units and rates."""


def written_as(kind: str) -> str:
    """Return the file format that recordings of a format are restored to."""
    return kind if kind in FORMATS else ARRAYS


def as_known(layout: Layout) -> Layout:
    """Return a layout by which a recording can be written: of a format not known, as arrays."""
    if layout.format in FORMATS:
        return layout
    return replace(layout, format=ARRAYS, attachments={})
