"""What all pictures share: the class, how one is saved, and its colours and markers."""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from sans.errors import ModelError
from sans.files import written_whole

Array = NDArray[np.floating[Any]]

Dashes = tuple[float, tuple[float, ...]]
"""A line style of matplotlib: an offset, and lengths of dashes and gaps in points."""

COLOURS = ("#0b6e99", "#e8961e", "#6d1a45", "#d06777", "#7cc6e8", "#7c1dfb", "#8c1507", "#2d29a0")
"""One colour a kernel, also for colour-blind readers; the first four differ as greys, too."""

MARKERS = ("o", "D", "^", "s", "v", "P", "X", "*")
"""One marker a kernel, for readers without colours."""

DASHES: tuple[Dashes, ...] = (
    (0, ()),
    (0, (4, 1.5)),
    (0, (1, 1)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (8, 2)),
    (0, (6, 1, 1, 1, 1, 1)),
    (0, (2, 2)),
    (0, (1, 3)),
)
"""One line style a kernel, for readers without colours."""

HALO = (withStroke(linewidth=2.2, foreground="white"),)
"""Around words in a picture, to be read over lines."""

INK = "#222222"
"""The colour of signals and reconstructions."""

MUTED = "#666666"
"""The colour of notes."""

FAINT = "#bbbbbb"
"""The colour of what stands behind: zero lines, and the signal under its reconstruction."""


_CONTRAST = 4.5


class Look(NamedTuple):
    """How the networks of one activation are drawn: by colour and by shape."""

    colour: str
    """A colour of matplotlib."""

    marker: str
    """A marker of matplotlib."""

    glyph: str
    """The marker as a letter, for titles."""


LOOKS = {
    "identity": Look("#4d4d4d", "s", "■"),
    "relu": Look("#f0a202", "D", "◆"),
    "topk": Look("#2ba89a", "^", "▲"),
    "extrema-pool": Look("#c8442f", "v", "▼"),
    "extrema": Look("#152f75", "o", "●"),
}
"""The same look for an activation in every picture; far apart for colour-blind readers and as
greys, too."""

SPARE_LOOKS = (Look("#7b4f9d", "P", "✚"), Look("#b5651d", "X", "✖"), Look("#0b8fa8", "*", "★"))
"""For activations without a row in `LOOKS`, in the order in which they come."""


class Picture(Figure):
    """A picture that a notebook shows as it is, without pyplot or a magic command."""

    def _repr_png_(self) -> bytes:
        return self.encoded("png", dpi=100)

    def encoded(self, form: str, dpi: int) -> bytes:
        """Return the content of an image file in the format `form`, such as "png"."""
        buffer = io.BytesIO()
        self.savefig(buffer, format=form, dpi=dpi)
        return buffer.getvalue()


def looks_of(activations: Iterable[str]) -> dict[str, Look]:
    """Return the look of every activation of a picture."""
    spare = cycle(SPARE_LOOKS)
    names = dict.fromkeys(activations)
    return {name: LOOKS[name] if name in LOOKS else next(spare) for name in names}


def word_colour(colour: str) -> str:
    """Return a colour for words that look like lines of `colour`, dark enough to be read on white.

    The contrast to white is 4.5 or more, as the Web Content Accessibility Guidelines ask of text.
    """
    shade = np.array(to_rgb(colour))
    while 1.05 / (0.05 + _luminance(shade)) < _CONTRAST:
        shade *= 0.97
    return to_hex(tuple(shade.tolist()))


def _luminance(shade: Array) -> float:
    """Return how bright a colour of sRGB ``(3,)`` is, from 0 to 1."""
    linear = np.where(shade <= 0.04045, shade / 12.92, ((shade + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def save_figure(figure: Picture, path: Path) -> None:
    """Write a picture, whole or not at all, in the format that the suffix of `path` names.

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
        raise ValueError(f"a picture is saved as {', '.join(known)}, not as {form or path.name!r}")
    return form
