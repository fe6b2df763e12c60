"""Draw the way of a signal through training and through the codec: docs/architecture.png.

    python benchmarks/architecture.py [--output docs/architecture.png]

Every panel shows what the package computes of one piece of the synthetic ECG, with one kernel that
was trained on it.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch
from numpy.typing import NDArray

from sans import ModelConfig, TrainConfig, compress, evaluate, train
from sans.codec import container
from sans.codec.starts import read_start
from sans.datasets import DataConfig, load
from sans.plots.style import COLOURS, FAINT, INK, MUTED, Picture, save_figure

ROOT = Path(__file__).resolve().parent.parent

SHOWN = slice(300, 600)
"""Samples of the window that are drawn."""

STATIONS = (
    (
        ("a window of a recording", "sans/datasets"),
        ("its similarity with a kernel", "sans/convolution"),
        ("the spikes that are kept", "sans/selection, or sans/pursuit"),
        ("what they draw", "sans/convolution"),
        ("the kernel, moved by the error", "sans/training, sans/metrics"),
    ),
    (
        ("a recording in integers", "sans/recordings"),
        ("a plan: kernels, spikes, steps", "sans/codec/planning"),
        ("what spikes leave, in steps", "sans/codec/description"),
        ("bits, by what is expected", "sans/codec/entropy"),
        ("a stream of checked sections", "sans/codec/container"),
    ),
)
"""What each panel shows, and the room that does it."""


def panels(picture: Picture) -> list[list[Axes]]:
    """Return five empty panels for each of the two ways, with their captions."""
    rows: list[list[Axes]] = []
    for row, stations in enumerate(STATIONS):
        rows.append([])
        for column, (what, room) in enumerate(stations):
            axes = picture.add_axes((0.012 + 0.2 * column, 0.585 - 0.5 * row, 0.165, 0.2))
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_color(FAINT)
            axes.set_title(what, fontsize=8.5, color=INK, pad=4)
            axes.set_xlabel(room, fontsize=8, color=MUTED, family="monospace", labelpad=4)
            rows[-1].append(axes)
    return rows


def arrows(picture: Picture) -> None:
    """Draw arrows from every panel to the next, and back from the kernel to the similarity."""
    style: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 11, "color": INK, "lw": 1.1}
    ways = [
        ((0.179 + 0.2 * column, y), (0.21 + 0.2 * column, y), {})
        for y in (0.685, 0.185)
        for column in range(4)
    ]
    ways.append(((0.895, 0.835), (0.295, 0.835), {"connectionstyle": "arc3,rad=0.06"}))
    ways.append(((0.895, 0.515), (0.295, 0.335), {"connectionstyle": "arc3,rad=-0.06"}))
    for begin, end, more in ways:
        patch = FancyArrowPatch(begin, end, transform=picture.transFigure, **style, **more)
        picture.add_artist(patch)
    note: dict[str, Any] = {"fontsize": 8, "color": MUTED, "ha": "center"}
    picture.text(0.595, 0.885, "epoch after epoch", **note)
    picture.text(0.60, 0.452, "kernels of a run (--model), or learned from the recording", **note)


def spikes_on(axes: Axes, places: NDArray[Any], heights: NDArray[Any], colour: str) -> None:
    """Draw spikes as stems."""
    axes.vlines(places, 0, heights, color=colour, lw=1.2)
    axes.plot(places, heights, "o", color=colour, ms=3.5)
    axes.axhline(0, color=FAINT, lw=0.8, zorder=0)


def training_way(axes: list[Axes]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw a window on its way through a network; return all test windows and the kernel."""
    data = load(DataConfig("synthetic"))
    config, begin = ModelConfig(activation="extrema", kernel_sizes=(91,)), TrainConfig(start="data")
    model = train(config, data.training.signals, data.validation.signals, begin).model
    window = torch.as_tensor(data.test.signals[:1])
    with_kernel = model.similarity(window)[0, 0].detach().numpy()[SHOWN]
    kept = model.encode(window)
    drawn = model.decode(kept)[0, 0].detach().numpy()[SHOWN]
    signal, kernel = window[0, 0].numpy()[SHOWN], model.kernels[0].detach().numpy()
    activations = kept[0, 0].detach().numpy()[SHOWN]
    axes[0].plot(signal, color=INK, lw=0.9)
    axes[1].plot(with_kernel, color=COLOURS[0], lw=0.9)
    (places,) = activations.nonzero()
    spikes_on(axes[2], places, activations[places], COLOURS[1])
    axes[3].plot(signal, color=FAINT, lw=1.6)
    axes[3].plot(drawn, color=INK, lw=0.9)
    axes[4].plot(kernel, color=COLOURS[1], lw=1.4)
    axes[4].text(
        0.96, 0.9, f"φ̄ = {evaluate(model, data.test.signals).mean('phi'):.2f}",
        transform=axes[4].transAxes, ha="right", va="top", fontsize=9, color=INK,
    )  # fmt: skip
    return np.asarray(data.test.signals)[:, 0], kernel


def codec_way(axes: list[Axes], windows: NDArray[Any], kernel: NDArray[Any]) -> None:
    """Draw the same samples on their way into a stream."""
    from sans.codec.description.descriptions import FINE, describe
    from sans.codec.description.stored_kernels import find_spikes, used, waveforms_of
    from sans.codec.description.wavelets import FRACTION, band_ends

    numbers = np.rint(100 * windows.ravel()).astype(np.int64)
    step, norm = 12.0, kernel / np.linalg.norm(kernel)
    heights = used([numbers - numbers.mean()], norm[None], 60.0)
    waveforms = waveforms_of(heights, step)
    spikes = find_spikes(numbers, waveforms, 60.0, step, FINE)
    found = describe(numbers, spikes, waveforms, round(step * (1 << FRACTION)), FINE)
    axes[0].step(np.arange(len(numbers[SHOWN])), numbers[SHOWN], color=INK, lw=0.8, where="mid")
    inside = (spikes.place >= SHOWN.start) & (spikes.place < SHOWN.stop)
    spikes_on(axes[1], spikes.place[inside] - SHOWN.start, spikes.amplitude[inside], COLOURS[1])
    ends = band_ends(len(numbers))
    for band in range(len(ends) - 1):  # each band where its samples are, the coarser ones lower
        levels = found.levels[ends[band] : ends[band + 1]]
        (places,) = levels.nonzero()
        times = places * len(numbers) / len(levels) - SHOWN.start
        near = (times >= 0) & (times < SHOWN.stop - SHOWN.start)
        sizes = np.minimum(4 + 6 * np.abs(levels[places[near]]), 60)
        colour = COLOURS[band % len(COLOURS)]
        axes[2].scatter(times[near], np.full(len(sizes), band), sizes, color=colour, marker="|")
    axes[2].set_ylim(-1, len(ends) - 1)
    stream = compress(numbers.astype(np.int16), prdn=9, kernels=[kernel])
    file = io.BytesIO(stream)
    begin = read_start(file)[0].begin
    bits = np.unpackbits(np.frombuffer(stream[begin : begin + 72], np.uint8)).reshape(18, 32)
    axes[3].imshow(bits, cmap="Greys", aspect="auto", vmin=-0.2, vmax=1.6)
    sections(axes[4], stream)


def sections(axes: Axes, stream: bytes) -> None:
    """Draw the sections of a stream as long as they are."""
    file, place = io.BytesIO(stream), 0
    start = read_start(file)[0]
    sizes = [("header", start.begin - start.kernel_bytes), ("kernels", start.kernel_bytes)]
    end = len(stream) - container.TRAILER
    file.seek(end)
    last = container.read_trailer(file)
    sizes += [("chunk", last - start.begin), ("end", len(stream) - last)]
    for number, (name, size) in enumerate(sizes):
        axes.barh(-number, size, left=place, height=0.8, color=COLOURS[number])
        place += size
        text = f"{name}: {size} bytes"
        middle = (len(stream) / 2, -number)
        axes.text(*middle, text, ha="center", va="center", fontsize=8, color=INK)
    axes.set_xlim(0, len(stream))
    axes.set_ylim(0.7 - len(sizes), 0.7)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "architecture.png")
    options = parser.parse_args()
    picture = Picture(figsize=(12, 5.4), facecolor="white")
    above, below = panels(picture)
    arrows(picture)
    heading: dict[str, Any] = {"fontsize": 11, "color": INK, "weight": "bold"}
    picture.text(0.012, 0.93, "Training and evaluating a network", **heading)
    picture.text(0.012, 0.43, "Compressing a recording", **heading)
    codec_way(below, *training_way(above))
    for axes in (*above[:4], *below[:3]):
        axes.set_xlim(0, SHOWN.stop - SHOWN.start)  # the same samples lie below each other
    save_figure(picture, options.output)


if __name__ == "__main__":
    main()
