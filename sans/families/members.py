"""What members of a family can be."""

from __future__ import annotations

from sans.families.table import COSINES, FAMILIES, LEARNED, WIDEST, Member, member_text

MOST_MEMBERS = 4096
"""Kernels that one spec may give."""


def example(family: str, dimensions: int) -> str:
    """Return how members of a family are written."""
    if family not in FAMILIES:
        return {LEARNED: "learned:30", COSINES: COSINES}[family]
    parameters = FAMILIES[family].formula(dimensions).parameters
    if len(parameters) == 1:
        return f"{family}:5,9,17"
    names = (each.name if each.default is None else f"[{each.name}]" for each in parameters)
    return f"{family}:{'/'.join(names)}"


def check_members(family: str, members: tuple[Member, ...], dimensions: int) -> None:
    """Raise a ValueError unless these can be members of the family."""
    if family == COSINES:
        if members:
            raise ValueError(f"{COSINES} has no members: it is all cosines of the window")
        return
    if not members:
        lack = "no members" if family == LEARNED else "no standard bank"
        raise ValueError(f"{family} has {lack} of its own: write {example(family, dimensions)}")
    if len(members) > MOST_MEMBERS:
        raise ValueError(f"{family} gives {len(members)} members: at most {MOST_MEMBERS}")
    for member in members:
        if family == LEARNED:
            _check_learned(member, dimensions)
        else:
            _check_member(family, member, dimensions)
    if family != LEARNED and len(set(members)) < len(members):
        twice = next(each for i, each in enumerate(members) if each in members[:i])
        raise ValueError(f"{family}:{member_text(twice)} is given twice")


def _check_learned(member: Member, dimensions: int) -> None:
    if len(member) != 1:
        raise ValueError(f"a learned kernel has one number, its samples, not {len(member)}")
    if not (1 <= member[0] <= WIDEST[dimensions] and member[0].is_integer()):
        raise ValueError(
            f"a learned kernel has a whole number of samples between 1 and "
            f"{WIDEST[dimensions]:.0f}, not {member_text(member)}"
        )


def _check_member(family: str, member: Member, dimensions: int) -> None:
    formula = FAMILIES[family].formula(dimensions)
    if not formula.required <= len(member) <= len(formula.parameters):
        raise ValueError(
            f"{family} is written {example(family, dimensions)}, not {family}:{member_text(member)}"
        )
    for parameter, value in zip(formula.parameters, formula.complete(member), strict=True):
        parameter.check(family, value, member[0])
    if formula.size(member) > WIDEST[dimensions]:
        raise ValueError(f"{family}:{member_text(member)} takes {formula.size(member)} samples")
