"""A part of what a pursuit is given: images of one shape, described at once by compiled loops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.convolution.frames import Floats, Integers
from sans.pursuit import loops, rounds
from sans.pursuit.absolute import ROUNDS, refit_all
from sans.pursuit.atoms import Atoms
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.norms import norms, similarity
from sans.pursuit.places import rearrange_all
from sans.pursuit.stop import Stop


class PursuitPlan(NamedTuple):
    """What all signals of a pursuit share."""

    dictionary: Dictionary
    """What spikes may draw."""

    atoms: Atoms
    """The same for the compiled loops."""

    stop: Stop
    """When to stop."""

    refit: str
    """What is refitted at last."""

    weights: float
    """What φ counts as weights."""

    cost: float
    """What φ counts for a spike."""


Found = tuple[Integers, Integers, Integers, Integers, Floats]
"""Signal, kernel, row, column and amplitude of spikes."""


def plan_of(
    dictionary: Dictionary,
    atoms: Atoms,
    space: tuple[int, ...],
    stop: Stop,
    refit: str,
    weights: float | None,
) -> PursuitPlan:
    """Return what signals share that have so many samples along each dimension of space.

    `weights` is what φ counts as weights; None: all numbers of the kernels.
    """
    counted = dictionary.numbers if weights is None else weights
    cost = stop.cost(len(space), dictionary.shapes, math.prod(space))
    return PursuitPlan(dictionary, atoms, stop, refit, counted, cost)


def task_of(plan: PursuitPlan, samples: int, share: float, first: int, last: int) -> loops.Aim:
    """Return what is to be described of an image; its size and energy are filled in later."""
    rule, value = loops.RULES[plan.stop.kind], float(plan.stop.value)
    weights = plan.weights * share
    return loops.Aim(0.0, 0.0, first, last, float(samples), weights, plan.cost, rule, value)


def room_of(task: loops.Aim) -> int:
    """Return how many spikes an image can have: none that would cost more than no spike at all."""
    if task.stop == loops.COUNT:
        return int(min(task.value, task.samples))
    if task.stop == loops.PHI:
        return int(
            min(
                math.hypot(1, task.weights / task.samples) * task.samples / task.cost + 1,
                task.samples,
            )
        )
    return int(task.samples)


def described(
    images: Floats, originals: Floats, laid: Floats, task: loops.Aim, plan: PursuitPlan
) -> Found:
    """Return the spikes of images.

    Args:
        images: ``(batch, leads, height, width)``; become what the spikes leave of them.
        originals: ``(batch, leads, height, last - first)``: what φ and an error are measured by.
        laid: 1 / norm of every atom.
        task: what is to be described, and until when.
        plan: what all signals share.
    """
    batch = len(images)
    maps = _maps(images, plan.atoms)
    room = room_of(task)
    spikes = loops.room_for(batch * room)
    measures = _measures(images, originals, task) if plan.refit == "places" else None
    counts = rounds.pursue_all(images, originals, maps, plan.atoms, laid, task, spikes)
    begins = room * np.arange(batch)
    if plan.refit != "squares":
        refit_all(spikes, begins, counts, plan.atoms, images, ROUNDS)
    if measures:
        sizes, beyond = measures
        rearrange_all(spikes, counts, plan.atoms, laid, task, sizes, images, beyond)
        refit_all(spikes, begins, counts, plan.atoms, images, ROUNDS)
    signal = np.repeat(np.arange(batch), counts)
    at = signal * room + np.arange(len(signal)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = at[spikes.amplitude[at] != 0]
    found = (spikes.kernel[kept], spikes.y[kept], spikes.x[kept], spikes.amplitude[kept])
    return (kept // max(room, 1), *found)


def _maps(images: Floats, atoms: Atoms) -> Floats:
    """Return the similarity of images ``(batch, leads, height, width)`` with every atom."""
    maps = similarity(images, atoms.kernels, atoms.edges)
    if not atoms.wide.size:
        return maps
    waves = atoms.tall @ images[:, 0] @ atoms.wide.T
    return np.concatenate((maps, waves[:, None]), 1)


def _measures(images: Floats, originals: Floats, task: loops.Aim) -> tuple[Floats, Floats]:
    """Return what φ measures errors by, and what of the images does not count, ``(batch,)`` each.

    The arguments are those of `described`, before anything is described.
    """
    before, after = (
        np.abs(images[..., part]).sum((1, 2, 3))
        for part in (slice(task.first), slice(task.last, None))
    )
    return np.abs(originals).sum((1, 2, 3)), before + after


def joined(found: Sequence[Found]) -> Found:
    """Return spikes of several parts as those of one."""
    none = np.empty(0, np.int64)
    parts = [*found, (none, none, none, none, np.empty(0))]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # type: ignore[return-value]


def present_in(signal: NDArray[Any]) -> int:
    """Return how many samples of a signal are not missing."""
    return signal.size - int(np.count_nonzero(np.isnan(signal)))


def segment_of(signals: NDArray[Any], plan: PursuitPlan) -> tuple[Floats, PursuitPlan]:
    """Return an image ``(1, leads, height, width)`` with 0 for what is missing, and its plan."""
    images = signals.astype(np.float64)
    missing = np.isnan(images[0])
    if missing.any():
        images[0][missing] = 0.0
        plan = plan._replace(atoms=plan.atoms._replace(missing=missing))
    return images, plan


def norms_on(
    form: tuple[int, int, int], plan: PursuitPlan, laid: dict[tuple[int, int, int], Floats]
) -> Floats:
    """Return 1 / norm of every atom on a segment, 0 where spikes of other segments lie.

    Args:
        form: the first column of the segment's own spikes, the one behind the last, and the width.
        plan: that of the segment.
        laid: those of segments without missing samples; added to.
    """
    if form in laid and not plan.atoms.missing.size:
        return laid[form]
    found = norms(plan.atoms, (1, form[2]))
    found[..., : form[0]] = found[..., form[1] :] = 0
    if not plan.atoms.missing.size:
        laid[form] = found
    return found
