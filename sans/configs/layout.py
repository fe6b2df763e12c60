"""The kernels of a network one by one: those that are learned, and those that formulas give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sans.families import EACH, LEARNED, Spec, parse


@dataclass(frozen=True, slots=True)
class Member:
    """One kernel of a network, before it is stretched."""

    family: str
    """The formula that gives it, or "learned"."""

    parameters: tuple[float, ...]
    """Those of the formula; of a learned kernel its size."""

    size: int
    """Samples along each side."""

    spec: int = 0
    """Which of the texts that give the network's kernels gives it."""

    pattern: int | None = None
    """Which pattern of leads it has; None: its signals have one lead, or it has its own weights in
    every lead."""

    lead: int | None = None
    """The only lead that it lies in, from 0; None: it lies in all."""

    @property
    def learned(self) -> bool:
        """Whether its weights are learned, and not given by a formula."""
        return self.family == LEARNED

    @property
    def label(self) -> str:
        """What it is, such as "hann 33"; nothing where it is a learned one of all leads."""
        values = "" if self.learned else "/".join(f"{each:.6g}" for each in self.parameters)
        kind = "" if self.learned else f"{self.family} {values}"
        place = "" if self.lead is None else f"lead {self.lead + 1}"
        return ", ".join(filter(None, (kind, place)))


Fixed = tuple[float, ...]
"""A pattern of leads of norm 1 that is not learned."""


@dataclass(frozen=True, slots=True)
class Layout:
    """All kernels of a network."""

    members: tuple[Member, ...]
    """In order, without the cosines."""

    weights: int
    """W, how many numbers all of them count, with their patterns of leads."""

    patterns: tuple[Fixed | None, ...] = ()
    """Patterns of leads, which several kernels may share; None: it is learned. None of them where
    signals have one lead."""

    cosines: bool = False
    """Whether the cosines of the window are one more shape."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Samples along each side of every kernel."""
        return tuple(member.size for member in self.members)


@lru_cache(maxsize=256)
def learned_layout(
    sizes: tuple[int, ...], dimensions: int = 1, leads: int = 1, rank: str = "one"
) -> Layout:
    """Return the layout of a network all of whose kernels are learned.

    Args:
        sizes: samples along each side of every kernel.
        dimensions: of space.
        leads: of the signals.
        rank: "one": a kernel is a shape with a pattern of leads; "full": it has weights of its own
            in every lead.
    """
    weights = sum(size**dimensions for size in sizes)
    if leads == 1 or rank == "full":
        members = tuple(Member(LEARNED, (float(m),), m) for m in sizes)
        return Layout(members, weights * leads)
    members = tuple(Member(LEARNED, (float(m),), m, pattern=i) for i, m in enumerate(sizes))
    return Layout(members, weights + leads * len(sizes), (None,) * len(sizes))


@lru_cache(maxsize=256)
def parsed(kernel: tuple[str, ...], dimensions: int = 1) -> tuple[Spec, ...]:
    """Return what texts say of kernels.

    Raises:
        ValueError: if one of them says nothing of the kind, or what another says, too.
    """
    specs = tuple(parse(text, dimensions) for text in kernel)
    texts = [spec.text for spec in specs if spec.family != LEARNED]
    if twice := sorted({text for text in texts if texts.count(text) > 1}):
        raise ValueError(f"the kernels {twice[0]} are given {texts.count(twice[0])} times")
    return specs


@lru_cache(maxsize=256)
def layout_of(
    kernel: tuple[str, ...],
    dimensions: int = 1,
    leads: int = 1,
    rank: str = "one",
    side: int | None = None,
) -> Layout:
    """Return the layout of a network whose kernels are given by texts.

    Args:
        kernel: texts such as "hann:9,17" and "learned:30".
        dimensions: of space.
        leads: of the signals.
        rank: "one", or "full" for learned kernels with weights of their own in every lead.
        side: samples along the shortest side of the signals: members of standard banks that are
            longer are left out; None: all are there.

    Raises:
        ValueError: if a text says nothing of the kind, or something that is impossible in so many
            leads.
    """
    members: list[Member] = []
    patterns: list[Fixed | None] = []
    weights, cosines = 0, False
    for number, spec in enumerate(parsed(kernel, dimensions)):
        if spec.cosines and leads > 1:
            raise ValueError(f"the cosines of dct describe one lead, not {leads}")
        cosines = cosines or spec.cosines
        weights += _counted(spec, leads, rank)
        choices, first = _choices(spec, leads, rank), len(patterns)
        for parameters, size in zip(spec.members, spec.sizes, strict=bool(spec.sizes)):
            if spec.standard and side is not None and size > side:
                continue
            if not choices:
                members.append(Member(spec.family, parameters, size, number))
            for fixed, lead in choices:
                if lead is not None or len(patterns) == first or not _is_shared(spec):
                    patterns.append(fixed)
                pattern = len(patterns) - 1
                members.append(Member(spec.family, parameters, size, number, pattern, lead))
    return Layout(tuple(members), weights, tuple(patterns), cosines)


def fitting_layout(
    kernel: tuple[str, ...], dimensions: int, leads: int, rank: str, side: int | None
) -> Layout:
    """Return the same for signals of which some kernel is no longer than the shortest side.

    Raises:
        ValueError: as `layout_of`, or if there is none.
    """
    found = layout_of(kernel, dimensions, leads, rank, side)
    if not found.members and not found.cosines:
        raise ValueError(f"no kernel of {' '.join(kernel)} is as short as signals of {side}")
    return found


def _choices(spec: Spec, leads: int, rank: str) -> tuple[tuple[Fixed | None, int | None], ...]:
    """Return with which patterns of leads, and in which single lead, a text has each member.

    None of them where members have no pattern.

    Raises:
        ValueError: if the text is not for so many leads.
    """
    if spec.pattern not in ("", EACH):
        if len(spec.leads) != leads:
            raise ValueError(
                f"the pattern of {spec.text} is for {leads_text(len(spec.leads))}, the signals "
                f"have {leads}"
            )
        return ((unit(spec.leads), None),) if leads > 1 else ()
    if leads == 1 or (spec.learned and rank == "full" and not spec.pattern):
        return ()
    if spec.pattern == EACH:
        alone = [tuple(float(lead == i) for i in range(leads)) for lead in range(leads)]
        return tuple((fixed, lead) for lead, fixed in enumerate(alone))
    return ((None, None),)


def _is_shared(spec: Spec) -> bool:
    """Return whether all members of a text have one pattern of leads."""
    return bool(spec.pattern) or not spec.learned


def _counted(spec: Spec, leads: int, rank: str) -> int:
    """Return how many numbers the kernels of a text count, with their patterns of leads."""
    if leads == 1:
        return spec.numbers
    learned = spec.learned
    if spec.pattern == EACH:
        return spec.numbers * leads if learned else spec.numbers
    if spec.pattern or not learned:
        return spec.numbers + leads
    return spec.numbers * leads if rank == "full" else spec.numbers + leads * len(spec.members)


def unit(pattern: Sequence[float]) -> Fixed:
    """Return a pattern of norm 1 whose first of the largest entries is positive.

    Raises:
        ValueError: if all its entries are 0.
    """
    largest = max(pattern, key=abs)
    if not (norm := math.hypot(*pattern)):
        raise ValueError("a pattern of leads must have an entry other than 0")
    return tuple(value / math.copysign(norm, largest) for value in pattern)


def leads_text(leads: int) -> str:
    """Return a count of leads in words."""
    return f"{leads} lead{'s' if leads > 1 else ''}"
