"""What pictures share: colours and markers, told apart without colours and by the colour-blind."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sans.activations import ACTIVATIONS
from sans.plots.style import (
    COLOURS,
    DASHES,
    LOOKS,
    MARKERS,
    SPARE_LOOKS,
    looks_of,
    word_colour,
)

BLIND = {  # linear RGB as seen without one kind of cone: Machado, Oliveira, Fernandes 2009
    "nothing": np.eye(3),
    "red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def linear(colour):
    """Return a colour in linear RGB."""
    shade = np.array(to_rgb(colour))
    return np.where(shade <= 0.04045, shade / 12.92, ((shade + 0.055) / 1.055) ** 2.4)


def lab(light):
    """Return linear RGB in CIELAB, where a distance of 2 is just seen."""
    matrix = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(matrix @ np.clip(light, 1e-3, 1) / (0.9505, 1, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("missing", BLIND)
def test_colour_blind_readers_tell_kernels_and_activations_apart(missing):
    for colours, least in ((COLOURS, 25), ([look.colour for look in LOOKS.values()], 25)):
        seen = [lab(BLIND[missing] @ linear(colour)) for colour in colours]
        for one, other in itertools.combinations(range(len(colours)), 2):
            far = np.linalg.norm(seen[one] - seen[other])
            assert far >= least, (colours[one], colours[other])


def test_activations_and_the_first_kernels_differ_as_greys():
    for colours in (COLOURS[:4], [look.colour for look in LOOKS.values()]):
        greys = sorted(lab(linear(colour))[0] for colour in colours)
        assert min(np.diff(greys)) >= 9


def test_every_kernel_of_a_picture_has_a_marker_and_a_line_of_its_own():
    for styles in (COLOURS, MARKERS, DASHES):
        assert len(set(styles)) == len(COLOURS) == 8


def test_words_in_a_colour_are_dark_enough_to_be_read():
    for colour in (*COLOURS, *(look.colour for look in LOOKS.values()), "#ffffff"):
        luminance = linear(word_colour(colour)) @ (0.2126, 0.7152, 0.0722)
        assert 1.05 / (luminance + 0.05) >= 4.45  # hexadecimal digits round
    assert word_colour("#152f75") == "#152f75"


def test_every_activation_has_a_look_of_its_own():
    assert list(LOOKS) == list(ACTIVATIONS)
    looks = [*LOOKS.values(), *SPARE_LOOKS]
    for part in zip(*looks, strict=True):
        assert len(set(part)) == len(looks)
    assert all(to_rgb(look.colour) for look in looks)


def test_an_activation_looks_the_same_whatever_stands_beside_it():
    assert looks_of(["extrema"]) == {"extrema": LOOKS["extrema"]}
    assert looks_of(["topk", "extrema"])["extrema"] == LOOKS["extrema"]


def test_what_has_no_look_gets_a_spare_one_in_order_and_again_from_the_first():
    names = ["a", "extrema", "b", "a", "c", "d"]
    first, second, third = SPARE_LOOKS
    wanted = {"a": first, "extrema": LOOKS["extrema"], "b": second, "c": third, "d": first}
    assert looks_of(names) == wanted
