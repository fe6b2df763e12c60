"""Kernels given by texts, item by item: what a search exchanges.

An item is one member of a family that was chosen for the data, one learned kernel, a standard bank,
a grid, or all cosines. Texts put chosen members of one family together; items take them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sans.convolution.frames import Floats
from sans.families import LEARNED, Spec, spec_of


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """What a search puts in, takes out or changes as a whole."""

    spec: Spec
    """What it is; chosen and learned ones have one member."""

    kernels: tuple[Floats, ...] = ()
    """The weights of a learned kernel: one array, or one for each lead that it lies in alone; none:
    it starts from the data."""

    patterns: tuple[Floats, ...] = ()
    """Learned patterns of leads, ``(leads,)`` each; none: they start with equal entries."""


def single(spec: Spec) -> bool:
    """Return whether items hold the members of a spec one by one."""
    return spec.chosen or spec.learned


def apart(spec: Spec) -> list[Spec]:
    """Return the specs of the items that a spec is of: of one member each where that is one."""
    if not single(spec):
        return [spec]
    dimensions, pattern = spec.dimensions, spec.pattern
    return [spec_of(spec.family, [member], dimensions, pattern) for member in spec.members]


def together(items: Sequence[Item]) -> list[tuple[Spec, list[Item]]]:
    """Return specs with their items: chosen members of a family, and learned kernels, are one.

    Members of equal parameters are one item.
    """
    groups: dict[str, list[Item]] = {}
    for item in items:
        spec = item.spec
        key = f"{spec.family}@{spec.pattern}" if single(spec) else spec.text
        group = groups.setdefault(key + ":" * (not single(spec)), [])
        known = spec.family != LEARNED and any(each.spec.text == spec.text for each in group)
        if not known:
            group.append(item)
    return [(_joined([item.spec for item in group]), group) for group in groups.values()]


def _joined(specs: Sequence[Spec]) -> Spec:
    """Return one spec of the members of several."""
    first = specs[0]
    if not single(first):
        return first
    members = [member for spec in specs for member in spec.members]
    return spec_of(first.family, members, first.dimensions, first.pattern)


def texts_of(items: Sequence[Item]) -> tuple[str, ...]:
    """Return the texts that give the items."""
    return tuple(spec.text for spec, _ in together(items))


def with_member(item: Item, *member: float) -> Item:
    """Return an item with other parameters.

    Raises:
        ValueError: if they are out of the family's range.
    """
    spec = item.spec
    return replace(item, spec=spec_of(spec.family, [member], spec.dimensions, spec.pattern))
