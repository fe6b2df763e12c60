"""A recording drawn: its texts are read where there is room for them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from sans.plots.recordings import MOST_CHANNELS, plot_recording
from sans.recordings.timing import Annotation


@dataclass
class Trace:
    """Ten seconds of a channel, as much as a picture needs."""

    label: str = "II"
    unit: str = "mV"
    rate: float = 10.0

    @property
    def times(self):
        return np.arange(100) / (self.rate or 1)

    @property
    def values(self):
        return np.sin(self.times)

    def __len__(self):
        return 100


@pytest.mark.parametrize(("text", "all_shown"), [("N", True), ("tachycardia", False)])
def test_texts_of_annotations_do_not_overlap(text, all_shown):
    notes = [Annotation(onset, 0.0, text) for onset in np.linspace(0.1, 9.9, 40)]
    picture = plot_recording("a", [Trace()], [], notes)
    picture.draw_without_rendering()
    (panel,) = picture.axes
    boxes = [each.get_window_extent() for each in panel.texts]
    assert (len(boxes) == len(notes)) == all_shown
    assert len(boxes) > 5
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))
    assert len(panel.lines) == 1 + len(notes)


def test_the_axis_of_time_has_its_unit_and_the_title_counts_channels():
    picture = plot_recording("a$b$", [Trace(rate=0.0)] * (MOST_CHANNELS + 4), [], [])
    assert picture.axes[-1].get_xlabel() == "time (samples)"
    assert picture.get_suptitle() == r"a\$b\$, the first 16 of 20 channels"
    assert len(picture.axes) == MOST_CHANNELS
