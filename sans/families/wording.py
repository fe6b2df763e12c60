"""What kernels are there, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sans.families.spec import Spec
from sans.families.table import EACH, FAMILIES

COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
"""Counts that are written out."""

Kind = tuple[str, bool, str]
"""Specs that are said together: family, whether it is the standard bank, pattern."""


def words(specs: Sequence[Spec], rate: float | None = None) -> str:
    """Return what kernels some specs give, in words.

    Args:
        specs: what gives them.
        rate: samples per second, for widths as times; None: they are in samples, or pixels.

    Examples:
        >>> from sans.families import parse, words
        >>> words([parse("hann:5..83x2"), parse("learned:30")], rate=360)
        'Hann bumps of 14 to 222 ms, and one learned kernel of 83 ms'
    """
    kinds: dict[Kind, list[Spec]] = {}
    for spec in specs:
        kinds.setdefault((spec.family, spec.standard, spec.pattern), []).append(spec)
    return _listed([_phrase(kind, alike, rate) for kind, alike in kinds.items()])


def _phrase(kind: Kind, specs: Sequence[Spec], rate: float | None) -> str:
    family, standard, pattern = kind
    if specs[0].cosines:
        return "all cosines of the window"
    members = [member for spec in specs for member in spec.members]
    count = len(members)
    if specs[0].learned:
        named = f"{_count(count)} learned kernel{'s' if count > 1 else ''}"
    elif standard:
        named = f"the standard {FAMILIES[family].words[1]}"
    elif count > 1:
        named = FAMILIES[family].words[1]
    else:
        one = FAMILIES[family].words[0]
        named = f"{'an' if one[0] in 'aeio' else 'a'} {one}"
    text = f"{named} of {_widths([m[0] for m in members], specs[0].dimensions, rate)}"
    if pattern == EACH:
        return f"{text} in each lead alone"
    return f"{text} with the pattern {pattern}" if pattern else text


def _widths(widths: Iterable[float], dimensions: int, rate: float | None) -> str:
    """Return widths in words: one, two, or the range of more."""
    ordered = sorted(set(widths))
    if rate is None:
        unit = "samples" if dimensions == 1 else "pixels"
        shown = [f"{width:.4g}" for width in ordered]
    else:
        longest = ordered[-1] / rate
        unit, scale = ("s", 1.0) if longest >= 10 else ("ms", 1000.0)
        shown = [_rounded(width / rate * scale) for width in ordered]
    if len(shown) == 1:
        return f"{shown[0]} {unit[:-1] if shown[0] == '1' and rate is None else unit}"
    between = "and" if len(shown) == 2 else "to"
    return f"{shown[0]} {between} {shown[-1]} {unit}"


def _rounded(value: float) -> str:
    """Return two digits, or all before the point."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _count(count: int) -> str:
    return COUNTS[count] if count < len(COUNTS) else str(count)


def _listed(phrases: Sequence[str]) -> str:
    """Return phrases as a list in a sentence."""
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])}, and {phrases[-1]}"
