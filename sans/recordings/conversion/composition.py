"""How recordings become files of a format: what its row in the table of formats says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sans.recordings.conversion.contents import Contents
from sans.recordings.layout import Source


@dataclass(frozen=True, slots=True)
class Composition:
    """How a recording of any format becomes a file of this one, and what such a file can say."""

    compose: Callable[[Contents], Source]
    """Return the recording that the file is written of."""

    start: bool = False
    """Whether it says when the recording began."""

    gaps: bool = False
    """Whether it says where nothing was recorded."""

    times: bool = True
    """Whether it says when samples were taken, so that it needs no column of times of a table."""

    images: bool = False
    """Whether images can become one."""
