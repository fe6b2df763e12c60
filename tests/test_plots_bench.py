"""The picture of a benchmark: sizes beside their markers, on no line, and nothing to warn of."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.text import Text

from sans.bench.results import OURS, YARDSTICK, BenchRow
from sans.plots.bench import plot_bench


def rows(sizes, exact=(3.0, 3.9, 4.0, 4.1, 4.2)):
    """Return rows of lossless codecs, and of this codec and wavelets at four qualities."""
    found = [BenchRow("a", f"codec {i}", 0.0, 0.0, 100, 100 * b, 1600) for i, b in enumerate(exact)]
    for asked, pair in zip((2.0, 5.0, 9.0, 15.0), sizes, strict=True):
        for codec, bits in zip((OURS, YARDSTICK), pair, strict=True):
            found.append(BenchRow("a", codec, asked, asked, 100, 100 * bits, 1600))
    return found


@pytest.mark.parametrize(
    "sizes",
    [
        [(2.2, 2.5), (0.7, 1.0), (0.2, 0.4), (0.1, 0.3)],
        [(2.5, 2.2), (1.0, 0.7), (0.4, 0.2), (0.3, 0.1)],
        [(2.5, 2.5), (1.0, 1.01), (0.4, 0.2), (0.1, 0.3)],
        [(3.0, 3.9), (1.0, 0.9), (0.5, 0.4), (0.4, 0.3)],
    ],
    ids=["below", "above", "crossing", "on lossless lines"],
)
def test_no_size_stands_on_a_line_or_on_another(sizes):
    picture = plot_bench(rows(sizes), "a")
    picture.draw_without_rendering()
    (panel,) = picture.axes
    labels = [text for text in panel.texts if hasattr(text, "arrow_patch") and text.arrow_patch]
    assert sorted(text.get_text() for text in labels) == sorted(
        f"{bits:.3g}" for pair in sizes[:-1] for bits in pair
    )
    boxes = [Text.get_window_extent(text) for text in labels]
    for line in panel.lines:
        corners = panel.transData.transform(line.get_xydata())
        steps = np.linspace(0, 1, 200)[:, None, None]
        along = (corners[:-1] + steps * np.diff(corners, axis=0)).reshape(-1, 2)
        for box in boxes:
            assert not ((along > box.min) & (along < box.max)).all(axis=1).any()
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:index])


def test_a_name_is_no_formula():
    picture = plot_bench([BenchRow("a", OURS, 0.0, 0.0, 1, 1232, 16)], r"$\frac")
    assert picture._repr_png_().startswith(b"\x89PNG")
