"""The figures: kernels, and a signal on its way through a network."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sans.errors import ModelError
from sans.files import written_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.floating[Any]]

COLOURS = ("#0b6e99", "#d1495b", "#66a182", "#edae49", "#7b4f9d", "#5c5c5c", "#b5651d", "#2e4057")
"""One colour a kernel, told apart by colour-blind readers too; they repeat."""

INK = "#222222"
"""The colour of signals and reconstructions."""

MOST_COLUMNS = 6
"""Kernels side by side in one row of a figure."""


class Picture(Figure):
    """A figure that a notebook shows as it is, without pyplot or a magic command."""

    def _repr_png_(self) -> bytes:
        return self.encoded("png", dpi=100)

    def encoded(self, form: str, dpi: int) -> bytes:
        """Return the content of an image file in the format `form`, such as "png"."""
        buffer = io.BytesIO()
        self.savefig(buffer, format=form, dpi=dpi)
        return buffer.getvalue()


class Passage(NamedTuple):
    """A signal's way through a network."""

    signal: Array
    """x, ``(*space)``."""

    similarity: Array
    """s, ``(kernels, *space)``."""

    activations: Array
    """α, ``(kernels, *space)``."""

    reconstruction: Array
    """x̂, ``(*space)``."""


def plot_kernels(kernels: Sequence[Array], names: Sequence[str], rate: float | None) -> Picture:
    """Draw kernels side by side.

    Args:
        kernels: ``(size,)`` each, drawn as curves, or ``(size, size)`` each, drawn as images.
        names: one name each.
        rate: samples per second, for an axis in milliseconds; None: an axis in samples.
    """
    columns = min(len(kernels), MOST_COLUMNS)
    rows = -(-len(kernels) // columns)
    figure = Picture(figsize=(max(2.6 * columns, 3.6), 2.2 * rows + 0.3), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for index, panel in enumerate(panels.flat):
        if index >= len(kernels):
            panel.set_axis_off()
            continue
        kernel = kernels[index]
        panel.set_title(f"{names[index]} ({' × '.join(map(str, kernel.shape))})", fontsize=9)
        if kernel.ndim == 1:
            _draw_kernel(panel, kernel, rate, COLOURS[index % len(COLOURS)])
        else:
            _draw_image(panel, kernel)
    return figure


def plot_reconstruction(passage: Passage, rate: float | None = None, title: str = "") -> Picture:
    """Draw a signal x, its similarities s, its activations α and its reconstruction x̂.

    Signals stand one above the other, images side by side, as in the paper's figures.

    Args:
        passage: the four.
        rate: samples per second, for an axis in seconds; None: an axis in samples.
        title: stands above the figure.
    """
    if passage.signal.ndim == 1:
        return _plot_signal(passage, rate, title)
    return _plot_image(passage, title)


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


def _plot_signal(passage: Passage, rate: float | None, title: str) -> Picture:
    signal, similarity, activations, reconstruction = passage
    figure = Picture(figsize=(8, 5.4), layout="constrained")
    panels = figure.subplots(4, 1, sharex=True)
    time = np.arange(signal.size) / (rate or 1)
    panels[0].plot(time, signal, color=INK, linewidth=1)
    panels[3].plot(time, signal, color="#bbbbbb", linewidth=1)
    panels[3].plot(time, reconstruction, color=INK, linewidth=1)
    for index, (shape, spikes) in enumerate(zip(similarity, activations, strict=True)):
        colour = COLOURS[index % len(COLOURS)]
        panels[1].plot(time, shape, color=colour, linewidth=1)
        kept = spikes.nonzero()[0]
        panels[2].vlines(time[kept], 0, spikes[kept], color=colour, linewidth=1.2)
        panels[2].plot(time[kept], spikes[kept], ".", color=colour, markersize=4)
    panels[2].axhline(0, color="#bbbbbb", linewidth=0.6)
    samples, kept_entries = signal.size, np.count_nonzero(activations)
    labels = ("signal x", "similarity s", "activations α", "reconstruction x̂")
    notes = ("", "", f"{kept_entries} spikes for {samples} samples", "the signal in grey")
    for panel, label, note in zip(panels, labels, notes, strict=True):
        panel.set_ylabel(label, fontsize=9)
        panel.set_title(note, fontsize=8, loc="right", color="#666666", pad=3)
        panel.tick_params(labelsize=8)
        panel.margins(x=0)
        panel.spines[["top", "right"]].set_visible(False)
    limits = [*panels[0].get_ylim(), *panels[3].get_ylim()]
    for panel in (panels[0], panels[3]):
        panel.set_ylim(min(limits), max(limits))
    panels[3].set_xlabel("seconds" if rate else "samples", fontsize=9)
    figure.align_ylabels(panels)
    figure.suptitle(title, fontsize=10, parse_math=False)
    return figure


def _plot_image(passage: Passage, title: str) -> Picture:
    signal, similarity, activations, reconstruction = passage
    kernels = len(similarity)
    figure = Picture(figsize=(2 * (2 + 2 * kernels), 2.7), layout="constrained")
    panels = figure.subplots(1, 2 + 2 * kernels)
    limits = float(signal.min()), float(signal.max())
    _draw_image(panels[0], signal, limits)
    _draw_image(panels[-1], reconstruction, limits)
    panels[0].set_title("signal x", fontsize=9)
    panels[-1].set_title("reconstruction x̂", fontsize=9)
    for index in range(kernels):
        shape, spikes = panels[1 + index], panels[1 + kernels + index]
        number = f" {index + 1}" if kernels > 1 else ""
        shape.set_title(f"similarity s{number}", fontsize=9)
        spikes.set_title(f"activations α{number}", fontsize=9)
        spikes.set_xlabel(f"{np.count_nonzero(activations[index])} spikes", fontsize=8)
        _draw_image(shape, similarity[index])
        _draw_image(spikes, activations[index])
    figure.suptitle(title, fontsize=10, parse_math=False)
    return figure


def _draw_kernel(panel: Axes, kernel: Array, rate: float | None, colour: str) -> None:
    scale = 1000 / rate if rate else 1
    time = (np.arange(kernel.size) - (kernel.size - 1) // 2) * scale
    panel.axhline(0, color="#bbbbbb", linewidth=0.6)
    marker = "o" if kernel.size <= 40 else ""
    panel.plot(time, kernel, color=colour, marker=marker, markersize=3, linewidth=1.6)
    panel.set_xlabel("ms" if rate else "samples", fontsize=8)
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def _draw_image(panel: Axes, image: Array, limits: tuple[float, float] | None = None) -> None:
    """Draw in grey between `limits`, or else from blue to red around zero."""
    if limits:
        panel.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1])
    else:
        most = float(np.abs(image).max()) or 1.0
        panel.imshow(image, cmap="RdBu_r", vmin=-most, vmax=most)
    panel.set_xticks([])
    panel.set_yticks([])
