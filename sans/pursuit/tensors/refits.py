"""Amplitudes of the least sum of squares."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sans.pursuit.tensors.atoms import patches
from sans.pursuit.tensors.images import drawing
from sans.pursuit.tensors.least_squares import solve
from sans.pursuit.tensors.scene import TensorSetting
from sans.pursuit.tensors.spikes import SpikeTensors, dense, indices, is_present


def refit_squares(
    spikes: SpikeTensors, maps: Tensor, moving: Tensor, negligible: Tensor, scene: TensorSetting
) -> SpikeTensors:
    """Change amplitudes to those of the least sum of squares; what changes less is left.

    Args:
        spikes: the spikes.
        maps: the similarity of what they leave with every kernel.
        moving: which images to change, ``(batch,)``.
        negligible: the norm of what does not matter, ``(batch,)``.
        scene: what the images share.
    """
    index, present = indices(spikes, scene), is_present(spikes, scene)
    seen, scales = maps.flatten(1).gather(1, index), scene.scales.flatten()[index]
    change, dependent, _ = solve(spikes.gram, seen, present, spikes.dependent)
    norms = torch.where(present, seen.abs() * scales, 0)
    moved = _largest_of_part(norms, spikes, scene) > negligible[:, None]
    moved &= (change.abs() > negligible[:, None] * scales) & present & moving[:, None]
    amplitude = spikes.amplitude + torch.where(moved, change, 0)
    return spikes._replace(amplitude=amplitude, dependent=dependent)


def _largest_of_part(norms: Tensor, spikes: SpikeTensors, scene: TensorSetting) -> Tensor:
    """Return the largest norm among the spikes of every spike's part, ``(batch, room)``.

    A part ends where the next spike meets nothing of those before.
    """
    (rows, columns), width = scene.kernels.shape[1:], scene.scales.shape[2]
    apart = (spikes.place // width).diff(dim=1) >= rows
    if rows == 1:
        apart |= (spikes.place % width).diff(dim=1).abs() >= columns
    parts = F.pad(apart, (1, 0)).cumsum(1)
    return torch.zeros_like(norms).scatter_reduce(1, parts, norms, "amax").gather(1, parts)


def polish(
    spikes: SpikeTensors, atoms: Tensor, images: Tensor, moving: Tensor, scene: TensorSetting
) -> tuple[SpikeTensors, Tensor, Tensor]:
    """Change all amplitudes to those of the least sum of squares, to the last digit.

    Args:
        spikes: the spikes.
        atoms: what each draws with amplitude 1.
        images: what they are to draw.
        moving: which images to change, ``(batch,)``.
        scene: what the images share.

    Returns:
        The spikes, what they leave of the images, and the factor of the normal equations.
    """
    residual = images - drawing(dense(spikes, scene), scene.kernels)
    seen, present = (
        (patches(residual, spikes.place, scene) * atoms).sum((2, 3)),
        is_present(spikes, scene),
    )
    change, dependent, factor = solve(spikes.gram, seen, present, spikes.dependent)
    amplitude = spikes.amplitude + torch.where(present & moving[:, None], change, 0)
    spikes = spikes._replace(amplitude=amplitude, dependent=dependent)
    residual = images - drawing(dense(spikes, scene), scene.kernels)
    return spikes, residual, factor
