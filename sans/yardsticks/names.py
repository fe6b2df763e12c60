"""What a yardstick may be called, and what the name means.

======================== ==========================================================================
name                     the best description by
======================== ==========================================================================
``wavelet``              coefficients of CDF 9/7 wavelets
``haar``                 coefficients of Haar wavelets
``wavelet:NAME``         coefficients of any wavelet; ``wavelet:bior2.2/5/symmetric`` also says how
                         many levels, and what is expected beyond the border
``best-wavelet``         the wavelet, levels and border that describe the validation part best
``dct``                  cosines of the whole signal
``dct:32``               cosines of blocks of 32 samples along a side
``best-dct``             the block that describes the validation part best
``samples``              the largest samples, the others 0
``linear``               samples, and straight lines between them
``hann``, ``box``, …     a standard bank of `sans.families`, by the pursuit of a network
``hann+box+ricker:9``    any specs of kernels that are not learned, with + between
======================== ==========================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sans.names import check_name

if TYPE_CHECKING:
    from sans.yardsticks.banks import Bank
    from sans.yardsticks.bases import Array, Basis
    from sans.yardsticks.samples import Lines

    Yardstick: TypeAlias = Basis | Bank | Lines
    Choice: TypeAlias = Callable[[Array, str], Basis]

YARDSTICKS: dict[str, str] = {
    "wavelet": "CDF 9/7",
    "haar": "Haar wavelets",
    "best-wavelet": "chosen on the validation part",
    "dct": "DCT-II",
    "best-dct": "its blocks chosen on the validation part",
    "samples": "the largest",
    "linear": "lines between samples",
    "hann": "Hann bumps",
    "box": "boxes",
    "gabor": "Gabor functions",
    "ricker": "Ricker wavelets",
    "line": "lines, for images",
    "square": "squares, for images",
}
"""Yardsticks by name, and what they are; `find` knows more names, built of parts."""


def names_in(text: str) -> list[str]:
    """Return the names of a list with commas between; a comma before a number is a name's own."""
    return re.split(r",(?!\s*[-+.\d])", text)


def check(name: str) -> None:
    """Raise a ValueError unless signals or images have a yardstick of this name."""
    try:
        find(name)
    except ValueError as error:
        try:
            find(name, 2)
        except ValueError:
            raise error from None


def find(name: str, dimensions: int = 1) -> Yardstick | Choice:
    """Return a yardstick, or how it is chosen from signals ``(signals, leads, *space)``.

    Args:
        name: see the table above.
        dimensions: of the signals.

    Raises:
        ValueError: if there is no such yardstick, or none for these dimensions.
    """
    from sans.yardsticks import choice, cosines, samples, wavelets

    single: dict[str, Callable[[], Yardstick | Choice]] = {
        "wavelet": wavelets.plain,
        "haar": lambda: wavelets.wavelets("haar"),
        "best-wavelet": lambda: choice.best_wavelet,
        "dct": cosines.cosines,
        "best-dct": lambda: choice.best_cosines,
        "samples": samples.largest_samples,
        "linear": samples.Lines,
    }
    if name in single:
        return single[name]()
    head, colon, rest = name.partition(":")
    if head == "wavelet" and colon:
        return _wavelet(name, rest)
    if head == "dct" and colon and "+" not in rest:
        return cosines.cosines(_whole("the block of dct", rest, 2))
    return _bank(name, dimensions)


def _wavelet(name: str, text: str) -> Basis:
    from sans.yardsticks.wavelets import BORDER, wavelets

    filters, *more = text.split("/")
    if len(more) > 2:
        raise ValueError(f"a wavelet is written wavelet:NAME/LEVEL/BORDER, not {name!r}")
    level = _whole("the level of a wavelet", more[0], 1) if more else None
    return wavelets(filters, level, more[1] if len(more) == 2 else BORDER)


def _bank(name: str, dimensions: int) -> Bank:
    from sans.families import FAMILIES, parse
    from sans.yardsticks.banks import Bank

    known = dict.fromkeys((*YARDSTICKS, *FAMILIES))
    texts = name.split("+")
    for text in texts:
        family = re.split("[:@]", text.strip(), maxsplit=1)[0]
        if family == "learned":
            raise ValueError("a yardstick has no learned kernels: evaluate a network that has")
        check_name("yardstick", name if len(texts) == 1 and family == name else family, known)
        if family in YARDSTICKS and family not in FAMILIES and family != "dct":
            raise ValueError(
                f"{family} stands alone: only kernels can be added to others, as in hann+box"
            )
    return Bank(tuple(parse(text, dimensions) for text in texts))


def _whole(what: str, text: str, least: int) -> int:
    if not (text.isdecimal() and int(text) >= least):
        raise ValueError(f"{what} must be a whole number from {least} on, not {text!r}")
    return int(text)
