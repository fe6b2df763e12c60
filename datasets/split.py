"""Dividing signals between training, validation and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sans.datasets.parts import PARTS, Dataset, Labels, Part, Signals
from sans.errors import DatasetError

Parts = tuple[Part, Part, Part]


def apportion(total: int, shares: Sequence[int]) -> tuple[int, ...]:
    """Divide `total` signals in proportion to `shares`, by the largest remainder.

    Every part gets one signal at least; a tie goes to the earlier part.

    Args:
        total: signals to divide, not fewer than there are shares.
        shares: the proportions, positive.

    Returns:
        Signals of each part; their sum is `total`.
    """
    whole = sum(shares)
    counts = [total * share // whole for share in shares]
    remainders = [total * share % whole for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda part: -remainders[part])
    for part in by_remainder[: total - sum(counts)]:
        counts[part] += 1
    while 0 in counts:
        counts[counts.index(max(counts))] -= 1
        counts[counts.index(0)] += 1
    return tuple(counts)


def divide(signals: Signals, labels: Labels | None, counts: Sequence[int]) -> Parts:
    """Cut `signals` into consecutive parts of `counts` signals.

    Args:
        signals: ``(signals, leads, *space)``.
        labels: ``(signals,)``, or None.
        counts: signals of training, validation and test.

    Returns:
        The three parts, in order.
    """
    ends = np.cumsum(counts)
    first, second, third = (
        Part(signals[end - count : end], None if labels is None else labels[end - count : end])
        for count, end in zip(counts, ends, strict=True)
    )
    return first, second, third


def limit_parts(parts: Parts, limit: int | None, name: str) -> tuple[Parts, tuple[str, ...]]:
    """Keep the first signals of each part, `limit` in all and in the proportions of the parts.

    Args:
        parts: training, validation and test.
        limit: signals to keep in all, 3 or more; None keeps everything.
        name: the data set, for the notice.

    Returns:
        The shorter parts, and a notice if there are fewer signals than `limit`.
    """
    sizes = [len(part.signals) for part in parts]
    if limit is None or limit == sum(sizes):
        return parts, ()
    if limit > sum(sizes):
        return parts, (f"{name} has {sum(sizes):,} signals, fewer than the {limit:,} asked for",)
    first, second, third = (
        Part(part.signals[:count], None if part.labels is None else part.labels[:count])
        for part, count in zip(parts, apportion(limit, sizes), strict=True)
    )
    return (first, second, third), ()


def leave_out(dataset: Dataset) -> Dataset:
    """Leave out signals that are zero wherever they are not missing, or infinite, after the split.

    Args:
        dataset: what was loaded.

    Returns:
        The set without them; it counts them by part, and has a notice, if there are any, and
        another if any that stay have missing samples.

    Raises:
        DatasetError: if a part has none left.
    """
    noun = dataset.origin.noun
    parts: list[Part] = []
    left_out, with_gaps, totals = {}, {}, {}
    for role in PARTS:
        part, left_out[role], with_gaps[role] = _usable(getattr(dataset, role))
        totals[role] = len(part.signals) + left_out[role]
        if not len(part.signals):
            raise DatasetError(
                f"{dataset.name}: no {role} {noun} is left, all {totals[role]:,} are constant, "
                "have no samples, or infinite ones"
            )
        parts.append(part)
    notices = dataset.notices
    if any(left_out.values()):
        counted = _counted(left_out, totals, noun)
        notices += (f"{dataset.name}: left out {counted}: constant, without samples, or infinite",)
    if any(with_gaps.values()):
        counted = _counted(with_gaps, totals, noun)
        notices += (f"{dataset.name}: samples are missing in {counted}",)
    if notices == dataset.notices:
        return dataset
    kept = {role: count for role, count in left_out.items() if count}
    first, second, third = parts
    return replace(
        dataset,
        training=first,
        validation=second,
        test=third,
        left_out=kept,
        notices=notices,
    )


def _usable(part: Part) -> tuple[Part, int, int]:
    """Return the signals of a part that have a φ, how many have none, and how many have gaps."""
    signals, labels = part
    space = tuple(range(1, signals.ndim))
    gone = np.isnan(signals)
    usable = ((signals != 0) & ~gone).any(axis=space) & ~np.isinf(signals).any(axis=space)
    with_gaps = int((gone.any(axis=space) & usable).sum())
    lost = int(usable.size - usable.sum())
    if lost:
        part = Part(signals[usable], None if labels is None else labels[usable])
    return part, lost, with_gaps


def _counted(counts: Mapping[str, int], totals: Mapping[str, int], noun: str) -> str:
    return ", ".join(
        f"{count:,} of {totals[role]:,} {role} {noun}s" for role, count in counts.items() if count
    )
