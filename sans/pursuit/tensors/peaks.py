"""Which spikes a round of a pursuit chooses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sans.pursuit.tensors.scene import TensorSetting

LOOKS = 2
"""Extrema that hide behind one another are taken so many deep between two looks at the device."""


def choose(norms: Tensor, least: Tensor, most: Tensor, scene: TensorSetting) -> Tensor:
    """Choose extrema as `sans.pursuit.peaks.choose` does, and of these the largest.

    In rounds: a place that is the largest within the distance, among those still alive, is kept,
    and all within the distance of it die; until none is alive. Of equals the first is the largest.

    Args:
        norms: ``(batch, height, width)``, -1 where no spikes may lie.
        least: what an entry is at least, ``(batch,)``.
        most: how many to choose at most, ``(batch,)``.
        scene: what the images share.

    Returns:
        Whether a place is chosen, ``(batch, places)``.
    """
    distance = max(scene.kernels.shape[1:])
    candidates = _peaks(norms) & (norms >= least[:, None, None])
    order = norms.flatten(1).argsort(dim=1, descending=True, stable=True)
    ranks = torch.arange(scene.places, 0, -1, device=norms.device).to(norms).expand(order.shape)
    alive = torch.zeros_like(ranks).scatter(1, order, ranks).view_as(norms) * candidates
    kept = torch.zeros_like(candidates)
    while bool(alive.any()):
        for _ in range(LOOKS):  # once none is alive, none wins, and nothing changes
            winners = (alive > 0) & (alive == _largest_within(alive, distance))
            kept |= winners
            alive = alive * (1 - _largest_within(winners.to(alive), distance))
    ranked = kept.flatten(1).gather(1, order)
    ranked &= ranked.cumsum(1) <= most[:, None]
    return torch.zeros_like(ranked).scatter(1, order, ranked)


def _peaks(images: Tensor) -> Tensor:
    """Return where no neighbour along an axis is larger; of equal ones the first is a peak."""
    peaks = torch.ones_like(images, dtype=torch.bool)
    for axis in (1, 2):
        size = images.shape[axis] - 1
        before, after = images.narrow(axis, 0, size), images.narrow(axis, 1, size)
        peaks.narrow(axis, 1, size).logical_and_(after > before)
        peaks.narrow(axis, 0, size).logical_and_(after <= before)
    return peaks


def _largest_within(images: Tensor, distance: int) -> Tensor:
    """Return the largest entry within a distance along both axes."""
    window = 2 * distance + 1
    rows = F.max_pool2d(images[:, None], (1, window), 1, (0, distance))
    if images.shape[1] == 1:
        return rows[:, 0]
    return F.max_pool2d(rows, (window, 1), 1, (distance, 0))[:, 0]


def places_of(chosen: Tensor, most: int) -> Tensor:
    """Return the places chosen of each image, ``(batch, most)``, in order, then those of none."""
    places = chosen.shape[1]
    slots = torch.where(chosen, chosen.cumsum(1) - 1, most)  # the last is for all others
    found = torch.full((len(chosen), most + 1), places, device=chosen.device)
    index = torch.arange(places, device=chosen.device).expand_as(slots)
    return found.scatter(1, slots, index)[:, :most]
