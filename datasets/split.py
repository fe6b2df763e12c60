"""Dividing signals between training, validation and test."""

from __future__ import annotations

from collections.abc import Sequence
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
        signals: ``(signals, 1, *space)``.
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
    """Leave out signals that are zero everywhere or not finite, after the split.

    Args:
        dataset: what was loaded.

    Returns:
        The set without them; it counts them by part, and has a notice, if there are any.

    Raises:
        DatasetError: if a part has none left.
    """
    noun = dataset.origin.noun
    kept: list[Part] = []
    left_out: dict[str, int] = {}
    counted: list[str] = []
    for role in PARTS:
        signals, labels = getattr(dataset, role)
        space = tuple(range(1, signals.ndim))
        usable = np.isfinite(signals).all(axis=space) & signals.any(axis=space)
        if not usable.any():
            raise DatasetError(
                f"{dataset.name}: no {role} {noun} is left, all {usable.size:,} are constant or "
                "have missing samples"
            )
        if usable.all():
            kept.append(Part(signals, labels))
        else:
            kept.append(Part(signals[usable], None if labels is None else labels[usable]))
            left_out[role] = int(usable.size - usable.sum())
            counted.append(f"{left_out[role]:,} of {usable.size:,} {role} {noun}s")
    if not left_out:
        return dataset
    notice = f"{dataset.name}: left out {', '.join(counted)}: constant or with missing samples"
    return replace(
        dataset,
        training=kept[0],
        validation=kept[1],
        test=kept[2],
        left_out=left_out,
        notices=(*dataset.notices, notice),
    )
