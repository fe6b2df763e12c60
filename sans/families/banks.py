"""The standard banks: lists of members that are never fitted to a data set.

Four are fixed for all data and cost nothing, as a wavelet and the cosines do: the bumps and the
boxes of signals, the squares and the lines of images. More of them would be a choice, so every
other list costs the numbers that describe it: a geometric grid of widths three, and each value of
another parameter one. Directions of images are shares of a turn.
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

GABOR = tuple(
    (width, cycles, phase) for (width,) in RICKER for cycles in (1.0, 2.0) for phase in (0, 0.25)
)
"""One and two cycles of every octave, even and odd."""

SQUARES = tuple((float(2**j),) for j in range(5))
"""Squares of every octave, from 1 to 16 samples a side."""

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
    (length, direction / 16, thickness)
    for length, thickness in (
        (3.0, 1.0),
        (5.0, 1.0),
        (9.0, 1.0),
        (9.0, 2.0),
        (17.0, 1.0),
        (17.0, 2.0),
    )
    for direction in range(0, 8, 2 if length == 3 else 1)
)
"""Lines of every octave in eight directions, the shortest in four; long ones thicker, too."""
