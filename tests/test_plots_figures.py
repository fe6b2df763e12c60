"""What figures share: the look of an activation."""

from __future__ import annotations

from matplotlib.colors import to_rgb

from sans.activations import ACTIVATIONS
from sans.plots.figures import LOOKS, SPARE_LOOKS, looks_of


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
