"""Channels of a recording as the leads of one signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.datasets.parts import Origin
from sans.datasets.resampling import common_rate, length_of, resampled, samples_needed
from sans.datasets.windows import ALL, Channel
from sans.errors import DatasetError

_NAMED = 3  # leads that the name of a data set lists


class Lead(NamedTuple):
    """What is known of a channel before its samples are read."""

    position: int
    """In its recording, from 0."""

    name: str
    """What the recording calls it; "" if it has no name."""

    rate: float
    """Samples per second; 0 where that is not known."""

    length: int | None
    """Samples in all; None where only the end of the recording tells."""

    @property
    def label(self) -> str:
        """What to call it: its name, or else its position."""
        return self.name or f"channel {self.position}"


class Asked(NamedTuple):
    """How much of leads is to be read."""

    samples: int
    """How many of each to return; of a shorter recording all."""

    resample: str | None
    """As in `DataConfig.resample`."""

    channels: int
    """How many channels the recording has."""

    title: str
    """What the data set is called where it has one lead."""


def read_leads(
    recording: str,
    leads: Sequence[Lead],
    asked: Asked,
    read: Callable[[int], Sequence[NDArray[np.float64]]],
) -> Channel:
    """Read the beginning of the leads of a recording, and bring them to one rate.

    Args:
        recording: what it is called.
        leads: one or more.
        asked: how much of them.
        read: gives the first samples of each lead, ``(time,)``, as many as lie in the time in which
            the first of them has so many as it is asked for.

    Returns:
        The leads, with neither notices nor a rate where none is known; as many samples of each as
        the shortest has.

    Raises:
        DatasetError: if the rates differ and nothing is said of that, or one of several leads is
            constant.
    """
    samples, channels, alone = asked.samples, asked.channels, len(leads) == 1
    labels, rates = [lead.label for lead in leads], [lead.rate for lead in leads]
    rate = common_rate(asked.resample, labels, rates, recording)
    wanted = samples
    if rate is not None and samples < ALL:
        # In the time that the filter of the slowest lead reaches over, too.
        times = [samples_needed(samples, own, rate) / own for own in rates]
        wanted = int(max(times) * rates[0]) + 2
    values = list(read(wanted))
    if rate is not None:
        values = [resampled(each, own, rate) for each, own in zip(values, rates, strict=True)]
    size = min(samples, *(each.size for each in values))
    values = [each[:size] for each in values]
    if not alone:
        _check_spread(recording, labels, values)
    return Channel(
        asked.title if alone else f"{recording} {_listed(labels)}",
        values[0] if alone else np.stack(values),
        (rates[0] if rate is None else rate) or None,
        (),
        _origin(recording, leads, channels, rate),
        () if alone else tuple(labels),
    )


def _check_spread(
    recording: str, labels: Sequence[str], values: Sequence[NDArray[np.float64]]
) -> None:
    """Raise `DatasetError` if a lead has no two different samples."""
    for label, each in zip(labels, values, strict=True):
        there = each[np.isfinite(each)]
        if each.size and not (there.size and there.min() < there.max()):
            found = f"{there[0]:g} throughout" if there.size else "missing throughout"
            raise DatasetError(
                f"{recording}: lead {label} is {found}, in all {each.size:,} samples that are "
                "read: choose others with --channel"
            )


def _listed(labels: Sequence[str]) -> str:
    if len(labels) > _NAMED + 1:
        return f"{', '.join(labels[:_NAMED])} and {len(labels) - _NAMED} more leads"
    return ", ".join(labels)


def _origin(recording: str, leads: Sequence[Lead], channels: int, rate: float | None) -> Origin:
    lengths = [
        lead.length
        if rate is None or lead.length is None
        else length_of(lead.length, lead.rate, rate)
        for lead in leads
    ]
    known = [length for length in lengths if length is not None]
    length = min(known) if len(known) == len(lengths) else None
    unnamed = "" if all(lead.name for lead in leads) else recording
    return Origin("window", None, length, leads[0].position, channels, unnamed, len(leads))
