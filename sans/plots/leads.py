"""A signal of several leads on its way through a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sans.plots.passage import (
    MOST_CURVES,
    UNITLESS,
    Passage,
    busiest,
    count_spikes,
    draw_description,
    draw_signal,
    draw_similarities,
    draw_spikes,
    label_row,
    mark_gaps,
)
from sans.plots.style import Array, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

MOST_LEADS = 16
"""Leads of one picture."""

_TALL = 2  # rows of a lead as high as the rows of similarities and spikes: of few leads
_ROOM = 6.9  # inches of a picture of few leads


def plot_leads(
    passage: Passage, rate: float | None, unit: str, names: Sequence[str] = ()
) -> Picture:
    """Draw each lead with its reconstruction, and the similarities and spikes of all of them.

    Args:
        passage: whose signal is ``(leads, length)``.
        rate: samples per second, for an axis in seconds; None: an axis in samples.
        unit: of the signal; "" if it has none.
        names: of the leads; by default they are numbered from 1.

    Raises:
        ValueError: if there are other names than leads.
    """
    leads = len(passage.signal)
    names = names or [f"lead {number}" for number in range(1, leads + 1)]
    if len(names) != leads:
        raise ValueError(f"{leads} leads want as many names, not {len(names)}")
    shown = min(leads, MOST_LEADS)
    rows = [1.0 if shown <= _TALL else 0.75] * shown + [1.0, 1.0]
    height = max(_ROOM, 0.9 + 1.15 * sum(rows))
    picture = Picture(figsize=(8, height), layout="constrained")
    panels = picture.subplots(len(rows), 1, sharex=True, height_ratios=rows)
    time = np.arange(passage.signal.shape[1]) / (rate or 1)
    drawn = busiest(passage.activations, MOST_CURVES)
    _draw_leads(panels[:shown], time, passage, rate)
    draw_similarities(panels[-2], time, passage, drawn)
    draw_spikes(panels[-1], time, passage.activations, drawn)
    inner = "" if unit == UNITLESS else unit
    note = "the signal in grey"
    if shown < leads:
        note = f"the first {shown} of {leads} leads, {note}"
    for number, panel in enumerate(panels[:shown]):
        label_row(panel, names[number], inner, "" if number else note)
    label_row(panels[-2], "similarity s", inner, "")
    count = f"{count_spikes(passage, drawn)} of {leads} leads"
    label_row(panels[-1], "activations α", inner, count)
    panels[-1].set_xlabel("time (s)" if rate else "time (samples)", fontsize=9)
    picture.align_ylabels(panels)
    return picture


def _draw_leads(panels: Sequence[Axes], time: Array, passage: Passage, rate: float | None) -> None:
    """Draw leads and their reconstructions, all between the same limits."""
    for panel, signal, drawn in zip(
        panels, passage.signal, passage.reconstruction, strict=False
    ):  # of many leads the first
        missing = np.isnan(signal)
        draw_signal(panel, time, signal)
        draw_description(panel, time, drawn, missing)
        mark_gaps(panel, missing, rate)
    limits = [limit for panel in panels for limit in panel.get_ylim()]
    for panel in panels:
        panel.set_ylim(min(limits), max(limits))
