"""The standard banks: members that are fixed for all data, and so cost nothing.

They are never fitted to a data set, as the wavelets and the cosines are not. Those for images hold
directions as shares of a turn.
"""

from __future__ import annotations

HANN = tuple((float(width),) for width in (1, 3, 5, 9, 17, 33, 65, 129, 257, 513))
"""Bumps of every octave: one sample, and 2ʲ + 1."""

BOX = tuple((float(2**j),) for j in range(10))
"""Boxes of every octave, from 1 to 512 samples."""

DERIVATIVE = HANN[1:]
"""A derivative needs three samples."""

STEP = tuple((float(2**j),) for j in range(1, 10))
"""Steps of every octave."""

ONE_SIDED = tuple((width, side) for (width,) in HANN[1:] for side in (0.0, 1.0))
"""Of every octave, falling and rising."""

SINE = tuple(
    (width, cycles) for (width,) in HANN[1:] for cycles in (1.0, 2.0) if cycles < width / 2
)
"""One and two cycles of every octave."""

RICKER = tuple((float(width),) for width in (5, 9, 17, 33, 65, 129, 257, 513))
"""Ricker wavelets of every octave."""

MORLET = tuple((width, cycles) for (width,) in RICKER[1:] for cycles in (2.0, 4.0))
"""Two and four cycles of every octave."""

GABOR = (
    (2.0, 0.5, 0.0),
    *(
        (width, cycles, phase)
        for (width,) in RICKER
        for cycles in (1.0, 2.0)
        for phase in (0, 0.25)
    ),
)
"""One and two cycles of every octave, even and odd."""

SQUARES = tuple((float(side),) for side in (1, 2, 4, 8, 12, 16))
"""Squares of every octave, and one between."""

ROUND = tuple((float(width),) for width in (1, 3, 5, 7, 9, 13, 17, 25))
"""Round bumps of every half octave."""

RICKER_IMAGES = tuple((float(width),) for width in (5, 7, 9, 13, 17, 25))
"""Round wavelets of every half octave."""

GABOR_IMAGES = tuple(
    (width, cycles, eighth / 8, phase)
    for width in (5.0, 9.0, 17.0)
    for cycles in (1.0, 2.0)
    for eighth in range(4)
    for phase in (0.0, 0.25)
)
"""One and two cycles in four directions, even and odd."""

EDGES = tuple((side, eighth / 8) for side in (4.0, 8.0, 16.0) for eighth in range(4))
"""Edges in four directions."""

LINES = tuple(
    (length, direction / (2 * directions), thickness)
    for length, thickness, directions in (
        (3.0, 1.0, 4),
        (4.0, 1.0, 2),
        (5.0, 1.0, 8),
        (6.0, 1.0, 2),
        (9.0, 1.0, 4),
        (18.0, 1.0, 4),
        (9.0, 2.0, 8),
        (15.0, 3.0, 2),
    )
    for direction in range(directions)
)
"""Thin lines of every octave in four or eight directions, flat and upright ones between them, and
strokes of a pen. Chosen on training images of MNIST and FashionMNIST, once for all."""
