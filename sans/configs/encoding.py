"""What networks and what a user asks of them have in common: names, and the checks of both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from sans.activations import ACTIVATIONS
from sans.configs.checks import check_name, integers
from sans.pursuit.stop import Stop

if TYPE_CHECKING:
    from sans.configs.model import ModelConfig
    from sans.configs.model_options import ModelOptions

ENCODERS = ("single-pass", "pursuit")
DECODERS = ("adjoint", "paper")
REFITS = ("squares", "absolute", "places")
RANKS = ("one", "full")

LONGEST_STRETCH = 16.0
"""How many times longer or shorter a stretched kernel may be."""

Numbers = tuple[float, ...]
"""Densities: whole numbers but for activations that take real ones."""


def check_encoding(config: ModelConfig | ModelOptions) -> None:
    """Raise a ValueError unless the encoder, its options and the decoder exist and agree.

    The stop is rewritten as every equal stop is written.
    """
    check_name("decoder", config.decoder, DECODERS)
    check_name("encoder", config.encoder, ENCODERS)
    check_name("refit", config.refit, REFITS)
    check_name("rank", config.rank, RANKS)
    object.__setattr__(config, "stop", Stop.parse(config.stop).text)  # one stop, one text
    if config.competition and config.activation != "extrema":
        raise ValueError(f"kernels compete with extrema only, not with {config.activation}")
    if config.encoder == "pursuit" and config.decoder != "adjoint":
        raise ValueError(f"a pursuit draws with the decoder adjoint, not with {config.decoder}")
    if config.encoder != "pursuit":
        given = {"stop": config.stop != "phi", "refit": config.refit != "squares"}
        given["stretches"] = bool(config.stretches)
        if unfit := [name for name, other in given.items() if other]:
            names = " and ".join(unfit)
            raise ValueError(f"only the encoder pursuit has {names}, not single-pass")
    for factor in config.stretches:
        if not 1 / LONGEST_STRETCH <= factor <= LONGEST_STRETCH or factor == 1:
            raise ValueError(
                f"a stretch must be between 1/{LONGEST_STRETCH:g} and {LONGEST_STRETCH:g}, "
                f"and not 1: not {factor:g}"
            )


def check_cosines(encoder: str) -> None:
    """Raise a ValueError unless an encoder can describe signals by cosines."""
    if encoder != "pursuit":
        raise ValueError(
            f"only the encoder pursuit has the cosines of dct, not {encoder}: add --encoder pursuit"
        )


def checked_texts(name: str, texts: Iterable[Any]) -> tuple[str, ...]:
    """Return texts as a tuple.

    Raises:
        TypeError: if they are one text, or one of them is none.
    """
    found = () if isinstance(texts, str) else (*texts,)
    if isinstance(texts, str) or any(not isinstance(text, str) for text in found):
        raise TypeError(f"{name} must be a sequence of texts, not {texts!r}")
    return found


def checked_densities(activation: str, values: Sequence[Any]) -> Numbers:
    """Return the densities of a configuration, whole ones as integers of Python.

    Raises:
        TypeError: if one of them is no number.
        ValueError: if the activation counts in whole numbers and one is not whole, or not finite.
    """
    real = [float(each) for each in values if _is_real(each)]
    broken = [each for each in real if not each.is_integer()]
    if broken and not ACTIVATIONS[activation].real_density:
        raise ValueError(f"densities of {activation} are whole numbers, not {broken[0]}")
    if not all(map(math.isfinite, real)):
        raise ValueError(f"densities must be finite numbers, not {list(values)}")
    whole = integers("densities", (each for each in values if not _is_real(each)))
    if not real:
        return whole
    return tuple(int(each) if float(each).is_integer() else float(each) for each in values)


def _is_real(value: Any) -> bool:
    """Return whether a value is a number that is not of a type of integers."""
    return isinstance(value, Real) and not isinstance(value, Integral)
