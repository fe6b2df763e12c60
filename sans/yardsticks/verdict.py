"""What yardsticks say about a network, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sans.figures import METRICS

if TYPE_CHECKING:
    from sans.evaluation import Evaluation
    from sans.yardsticks.scoring import Scored

COMPARED = ("phi", "phi_addressed")
"""The figures by which a network beats a yardstick or does not, by name."""


def verdict(network: Evaluation, beside: Mapping[str, Scored]) -> list[str]:
    """Return what yardsticks are, which of them cost nothing, and whether the network beats them.

    Args:
        network: its figures.
        beside: the yardsticks by name, on the same signals; at least one.
    """
    sentences = [f"{name}: {_what(each)}" for name, each in beside.items() if _told(each)]
    free = [name for name, each in beside.items() if not each.numbers]
    if free:
        sentences.append(
            f"for nothing: {', '.join(free)}: nothing is learned, and no number of the data counted"
        )
    return [*sentences, _compared(network, beside)]


def _told(scored: Scored) -> bool:
    """Return whether a yardstick is more than its name says."""
    return scored.chosen or bool(scored.numbers)


def _what(scored: Scored) -> str:
    """Return what a yardstick is, whether it was chosen, and what it costs."""
    words = [scored.description]
    if scored.chosen:
        words.append("chosen on the validation part")
    if scored.numbers:
        words.append(f"costs {scored.numbers} number{'s' * (scored.numbers > 1)}")
    return "; ".join(words)


def _compared(network: Evaluation, beside: Mapping[str, Scored]) -> str:
    """Return one sentence that says whether the network beats the best yardstick, by each φ."""
    beaten: list[str] = []
    others: list[str] = []
    for figure, words in _comparisons(network, beside):
        (beaten if figure else others).append(words)
    parts = []
    if beaten:
        parts.append(f"the network beats the best yardstick in {' and '.join(beaten)}")
    if others:
        who = "but does not" if beaten else "the network does not beat the best yardstick"
        parts.append(f"{who} in {' and '.join(others)}")
    return ", ".join(parts)


def _comparisons(network: Evaluation, beside: Mapping[str, Scored]) -> Iterator[tuple[bool, str]]:
    """Yield for each φ whether the network is below the best yardstick, and the figures."""
    for figure in COMPARED:
        means = {name: each.mean(figure) for name, each in beside.items()}
        best = min(means, key=means.__getitem__)
        own = network.mean(figure)
        words = f"{METRICS[figure].heading} ({own:.4f}, {best} {means[best]:.4f})"
        yield own < means[best], words
