"""Images made of known strokes at known places, so that learning can be checked in 2-D.

Every image holds six strokes, each in a cell of its own, so that no two overlap; a little noise is
added and the result is clipped to [0, 1].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.datasets.config import DataConfig, refuse_options
from sans.datasets.parts import COLLECTION, Dataset, Origin
from sans.datasets.split import divide, limit_parts

COUNTS = (2000, 400, 400)  # training, validation, test
SIDE = 28  # pixels
CELL = 9  # side of the square that one stroke has to itself, in pixels
STROKES = 6  # of each image, on its 9 cells
SEED = 20190716
NOISE = 0.02  # half the range of the noise

_DRAWN = {
    "upright": ("..#..", "..#..", "..#..", "..#..", "..#.."),
    "diagonal": ("#....", ".#...", "..#..", "...#.", "....#"),
    "blob": (".....", ".+++.", ".+#+.", ".+++.", "....."),
}
_INK = {".": 0.0, "+": 0.5, "#": 1.0}


class Strokes(NamedTuple):
    """What was planted in the images: one entry of each array a stroke."""

    image: NDArray[np.int64]
    """Position of the image."""

    kernel: NDArray[np.int64]
    """Position of the kernel in `kernels`."""

    row: NDArray[np.int64]
    """Row of the middle of the kernel, in pixels."""

    column: NDArray[np.int64]
    """Column of the middle of the kernel, in pixels."""

    amplitude: NDArray[np.float64]
    """What the kernel was multiplied by, 0.6 to 1."""


class PlantedImages(NamedTuple):
    """Images and the truth about them."""

    images: NDArray[np.float64]
    """``(images, 28, 28)``, in [0, 1]."""

    strokes: Strokes
    """What they are made of."""


def kernels() -> dict[str, NDArray[np.float64]]:
    """Return the planted kernels by name, each 5 x 5 with a peak of 1."""
    return {
        name: np.array([[_INK[ink] for ink in row] for row in rows])
        for name, rows in _DRAWN.items()
    }


def images(count: int) -> PlantedImages:
    """Return the first `count` synthetic images and their strokes."""
    words = np.random.PCG64(SEED).random_raw(count * (9 + 4 * STROKES + SIDE * SIDE))
    uniform = (words.reshape(count, -1) >> np.uint64(11)) * 2.0**-53
    cells = np.argsort(uniform[:, :9], axis=1, kind="stable")[:, :STROKES]
    choice = uniform[:, 9 : 9 + 4 * STROKES].reshape(count, STROKES, 4)
    spare = CELL - 5 + 1  # places of a 5 x 5 kernel in a cell
    strokes = Strokes(
        image=np.repeat(np.arange(count), STROKES),
        kernel=(choice[..., 0] * len(_DRAWN)).astype(np.int64).ravel(),
        row=(cells // 3 * CELL + 2 + (choice[..., 1] * spare).astype(np.int64)).ravel(),
        column=(cells % 3 * CELL + 2 + (choice[..., 2] * spare).astype(np.int64)).ravel(),
        amplitude=np.asarray(0.6 + 0.4 * choice[..., 3], dtype=np.float64).ravel(),
    )
    noise = NOISE * (2 * uniform[:, 9 + 4 * STROKES :].reshape(count, SIDE, SIDE) - 1)
    return PlantedImages(np.clip(_draw(count, strokes) + noise, 0, 1), strokes)


def load(config: DataConfig) -> Dataset:
    """Load the synthetic images, 2,000 + 400 + 400 unless `config` limits them."""
    refuse_options(config, "record", "channel", "window", "split_by", "whole", "resample")
    signals = images(sum(COUNTS)).images.astype(np.float32)[:, np.newaxis]
    parts, notices = limit_parts(divide(signals, None, COUNTS), config.limit, "synthetic-2d")
    origin = Origin("image", len(signals))
    return Dataset("synthetic-2d", *parts, None, COLLECTION, notices, origin=origin)


def _draw(count: int, strokes: Strokes) -> NDArray[np.float64]:
    """Return images of nothing but `strokes`."""
    ink = np.stack(list(kernels().values()))[strokes.kernel]
    canvas = np.zeros((count, SIDE, SIDE))
    reach = np.arange(-2, 3)
    rows = strokes.row[:, np.newaxis, np.newaxis] + reach[:, np.newaxis]
    columns = strokes.column[:, np.newaxis, np.newaxis] + reach
    image = strokes.image[:, np.newaxis, np.newaxis]
    canvas[image, rows, columns] = ink * strokes.amplitude[:, np.newaxis, np.newaxis]
    return canvas
