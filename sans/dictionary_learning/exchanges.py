"""Exchanges of what spikes may draw: families, their parameters, standard banks, learned kernels.

A move proposes; whoever learns sees whether the figure falls that is to be low.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sans.dictionary_learning.items import Item, with_member
from sans.dictionary_learning.moves import new_size
from sans.families import COSINES, EACH, FAMILIES, LEARNED, Parameter, parse, spec_of

Random = np.random.Generator

BANKS = {1: ("hann", "box", "gabor", COSINES), 2: ("line", "square", COSINES)}
"""Standard banks that are put in or taken out whole, by dimensions of space."""

LIKELY = {
    1: {
        "hann": 3,
        "derivative": 2,
        "ricker": 2,
        "sine": 2,
        "half": 2,
        "box": 1,
        "exponential": 1,
        "step": 1,
        "gabor": 1,
    },
    2: {"line": 3, "square": 1, "hann": 1, "gaussian": 1, "ricker": 1, "step": 1, "gabor": 1},
}
"""How likely the families of new members are, by dimensions of space."""

TRIES = 20
"""Members that are drawn until one is in its family's range."""

FEW = 0.6
"""How often a parameter with a default is left out: it costs nothing then."""

SPREAD = 0.25
"""Standard deviation of the logarithm by which a width changes."""

OTHER, INNER, FAR = 0.2, 0.4, 0.8
"""Up to which share of changes the family changes, another parameter than the width, and the width
by more than a sample."""

CYCLES = (0.5, 1.0, 1.5, 2.0, 3.0)
"""Of new members."""

DIRECTIONS = 16
"""Of new members, as parts of a turn."""

THICKEST = 3.0
"""Samples across a new line, at most."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What moves have to know of the signals."""

    space: tuple[int, ...]
    """Shape of a signal, ``(*space)``."""

    leads: int
    """Its leads."""

    random: np.random.Generator
    """What chooses."""

    def pattern(self) -> str:
        """Return how a new item may lie on the leads: with a learned pattern, or in each alone."""
        return str(self.random.choice(("", EACH))) if self.leads > 1 else ""


def exchange(items: Sequence[Item], scene: Scene) -> list[Item]:
    """Return the items after a random move.

    Args:
        items: what spikes may draw now.
        scene: which signals, and what chooses.
    """
    moved = list(items)
    name = str(scene.random.choice(list(MOVES), p=[share for _, share in MOVES.values()]))
    MOVES[name][0](moved, scene)
    return moved or list(items)


def new_item(scene: Scene, pattern: str = "") -> Item:
    """Return a random member of a family that costs its parameters.

    Args:
        scene: which signals, and what chooses.
        pattern: of leads.
    """
    space, random = scene.space, scene.random
    dimensions, side = len(space), min(space)
    names = LIKELY[dimensions]
    shares = np.array([*names.values()], float) / sum(names.values())
    for _ in range(TRIES):
        chosen = str(random.choice(list(names), p=shares))
        member: list[float] = []
        for parameter in FAMILIES[chosen].formula(dimensions).parameters:
            if parameter.default is not None and random.random() < FEW:
                break
            member.append(_value(parameter, side, random))
        try:
            spec = spec_of(chosen, [member], dimensions, pattern)
            spec.check_space(space)
            spec.arrays()
        except ValueError:
            continue
        return Item(spec)
    return Item(spec_of("hann", [(1.0,)], dimensions, pattern))


def _value(parameter: Parameter, side: int, random: Random) -> float:
    """Return a likely value of a parameter."""
    if parameter.unit == "samples":
        low, high = max(1.0, parameter.low), max(1.0, side - 1.0)
        if parameter.name == "thickness":
            high = min(high, THICKEST)
        return float(round(math.exp(random.uniform(math.log(low), math.log(max(low, high))))))
    if parameter.unit == "cycles":
        return float(random.choice(CYCLES))
    if parameter.unit == "turns":
        return float(random.integers(DIRECTIONS)) / DIRECTIONS
    return float(random.integers(2))


def _add(items: list[Item], scene: Scene) -> None:
    """Put a new member in."""
    items.append(new_item(scene, scene.pattern()))


def _learn(items: list[Item], scene: Scene) -> None:
    """Put a learned kernel in, which starts from the data."""
    size = float(new_size(scene.space, scene.random))
    items.append(Item(spec_of(LEARNED, [(size,)], len(scene.space))))


def _drop(items: list[Item], scene: Scene) -> None:
    """Take an item out."""
    if len(items) > 1:
        del items[int(scene.random.integers(len(items)))]


def _replace(items: list[Item], scene: Scene) -> None:
    """Put a new member in the place of an item."""
    items[int(scene.random.integers(len(items)))] = new_item(scene, scene.pattern())


def _bank(items: list[Item], scene: Scene) -> None:
    """Put in, or take out, a standard bank or the cosines."""
    dimensions = len(scene.space)
    banks = [name for name in BANKS[dimensions] if scene.leads == 1 or name != COSINES]
    text, pattern = str(scene.random.choice(banks)), scene.pattern()
    text += f"@{pattern}" * bool(pattern)
    left = [item for item in items if item.spec.text != text]
    if len(left) == len(items):
        left.append(Item(parse(text, dimensions)))
    items[:] = left


def _change(items: list[Item], scene: Scene) -> None:
    """Change a parameter of a chosen member, or the family, where the width stays."""
    chosen = [i for i, item in enumerate(items) if item.spec.chosen]
    if not chosen:
        _add(items, scene)
        return
    which = chosen[int(scene.random.integers(len(chosen)))]
    item = items[which]
    for _ in range(TRIES):
        try:
            found = _changed(item, scene)
            found.spec.check_space(scene.space)
            found.spec.arrays()
        except ValueError:
            continue
        items[which] = found
        return


def _changed(item: Item, scene: Scene) -> Item:
    """Return a member with another parameter or of another family.

    Raises:
        ValueError: if there is none.
    """
    spec, random = item.spec, scene.random
    (member,) = spec.members
    kind = random.random()
    if kind < OTHER:
        other = new_item(scene, spec.pattern)
        values = (member[0], *other.spec.members[0][1:])
        return with_member(Item(other.spec, patterns=item.patterns), *values)
    if kind < INNER and len(member) > 1:
        which = 1 + int(random.integers(len(member) - 1))
        value = _value(spec.formula.parameters[which], min(scene.space), random)
        return with_member(item, *member[:which], value, *member[which + 1 :])
    factor = math.exp(SPREAD * random.standard_normal())
    near = round(member[0]) + int(random.choice((-1, 1)))
    width = round(member[0] * factor) if kind < FAR else near
    return with_member(item, float(width), *member[1:])


Change = Callable[[list[Item], Scene], None]

MOVES: dict[str, tuple[Change, float]] = {
    "add": (_add, 0.35),
    "drop": (_drop, 0.10),
    "replace": (_replace, 0.14),
    "bank": (_bank, 0.05),
    "change": (_change, 0.33),
    "learn": (_learn, 0.03),
}
"""Every move, and how likely it is."""
