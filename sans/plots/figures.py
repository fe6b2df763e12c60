"""What every figure shares: the picture itself, how it is saved, and its colours."""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sans.errors import ModelError
from sans.files import written_whole

Array = NDArray[np.floating[Any]]

COLOURS = ("#0b6e99", "#d1495b", "#66a182", "#edae49", "#7b4f9d", "#5c5c5c", "#b5651d", "#2e4057")
"""One colour a kernel, told apart by colour-blind readers too; they repeat."""

INK = "#222222"
"""The colour of signals and reconstructions."""

MUTED = "#666666"
"""The colour of notes."""

FAINT = "#bbbbbb"
"""The colour of what stands behind: zero lines, and the signal under its reconstruction."""


class Look(NamedTuple):
    """How the networks of one activation are drawn: by colour and by shape."""

    colour: str
    """A colour of matplotlib."""

    marker: str
    """A marker of matplotlib."""

    glyph: str
    """The marker as a letter, for titles."""


LOOKS = {
    "identity": Look("#444444", "s", "■"),
    "relu": Look("#e69f00", "D", "◆"),
    "topk": Look("#009e73", "^", "▲"),
    "extrema-pool": Look("#c0392b", "v", "▼"),
    "extrema": Look("#1f4e9c", "o", "●"),
}
"""The same look for an activation in every figure; far apart for colour-blind readers too."""

SPARE_LOOKS = (Look("#7b4f9d", "P", "✚"), Look("#b5651d", "X", "✖"), Look("#0b8fa8", "*", "★"))
"""For activations without a row in `LOOKS`, in the order in which they come."""


class Picture(Figure):
    """A figure that a notebook shows as it is, without pyplot or a magic command."""

    def _repr_png_(self) -> bytes:
        return self.encoded("png", dpi=100)

    def encoded(self, form: str, dpi: int) -> bytes:
        """Return the content of an image file in the format `form`, such as "png"."""
        buffer = io.BytesIO()
        self.savefig(buffer, format=form, dpi=dpi)
        return buffer.getvalue()


def looks_of(activations: Iterable[str]) -> dict[str, Look]:
    """Return the look of every activation of a figure."""
    spare = cycle(SPARE_LOOKS)
    names = dict.fromkeys(activations)
    return {name: LOOKS[name] if name in LOOKS else next(spare) for name in names}


def save_figure(figure: Picture, path: Path) -> None:
    """Write a figure, whole or not at all, in the format that the suffix of `path` names.

    Raises:
        ValueError: if matplotlib knows no such format.
        ModelError: if the file cannot be written.
    """
    content = figure.encoded(image_format(path), dpi=150)
    with written_whole(path, ModelError) as file:
        file.write(content)


def image_format(path: Path) -> str:
    """Return the format of image files that the suffix of `path` names, such as "png".

    Raises:
        ValueError: if matplotlib knows no such format.
    """
    form = path.suffix.removeprefix(".").lower()
    known = sorted(FigureCanvasBase.get_supported_filetypes())
    if form not in known:
        raise ValueError(f"a figure is saved as {', '.join(known)}, not as {form or path.name!r}")
    return form
