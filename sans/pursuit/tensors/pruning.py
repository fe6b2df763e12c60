"""Taking spikes out again without which φ is lower."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sans.pursuit.loops import PATIENCE
from sans.pursuit.pruning import LITTLE
from sans.pursuit.tensors.atoms import patches
from sans.pursuit.tensors.images import absolute, drawing
from sans.pursuit.tensors.least_squares import substitute
from sans.pursuit.tensors.refits import polish
from sans.pursuit.tensors.scene import TensorSetting
from sans.pursuit.tensors.spikes import SpikeTensors, dense, is_present
from sans.pursuit.tensors.state import PursuitProgress, phi


def prune(
    spikes: SpikeTensors,
    atoms: Tensor,
    images: Tensor,
    progress: PursuitProgress,
    scene: TensorSetting,
) -> tuple[SpikeTensors, Tensor]:
    """Take out spikes without which φ is lower, as `sans.pursuit.pruning` does.

    Args:
        spikes: the spikes.
        atoms: what each draws with amplitude 1.
        images: what they are to draw.
        progress: what φ wants to know of the images.
        scene: what the images share.

    Returns:
        The spikes that stay, and what they leave of the images.
    """

    def phi_of(spikes: SpikeTensors, residual: Tensor) -> Tensor:
        count, error = is_present(spikes, scene).sum(1), absolute(residual) - progress.beyond
        return phi(scene.task, progress, count, error)

    every = torch.ones_like(progress.active)
    spikes, residual, factor = polish(spikes, atoms, images, every, scene)
    lowest = phi_of(spikes, residual)
    tried, failed = torch.zeros_like(spikes.dependent), torch.zeros_like(progress.kept)
    while True:
        under = patches(residual, spikes.place, scene)
        out = _weakest(spikes, atoms, under, tried | ~is_present(spikes, scene))
        out &= (failed < PATIENCE)[:, None]
        if not bool(out.any()):
            return spikes, residual
        trial = _without(spikes, out, factor, scene)
        now = phi_of(trial, images - drawing(dense(trial, scene), scene.kernels))
        better = out.any(1) & (now < lowest)
        spikes = spikes._replace(
            place=torch.where(better[:, None], trial.place, spikes.place),
            amplitude=torch.where(better[:, None], trial.amplitude, spikes.amplitude),
        )
        spikes, residual, factor = polish(spikes, atoms, images, better, scene)
        lowest = torch.where(better, phi_of(spikes, residual), lowest)
        tried = (tried | out) & ~better[:, None]
        failed = torch.where(better, 0, failed + 1)


def _weakest(spikes: SpikeTensors, atoms: Tensor, under: Tensor, excluded: Tensor) -> Tensor:
    """Return the mask of the spike without which the sum of absolute errors would grow least.

    Args:
        spikes: the spikes.
        atoms: what each draws with amplitude 1.
        under: what is left of the image there.
        excluded: which not to think of, ``(batch, room)``.
    """
    drawn = spikes.amplitude[..., None, None] * atoms
    loss = ((under + drawn).abs() - under.abs()).sum((2, 3))
    weakest = loss.masked_fill(excluded, math.inf).argmin(1)  # the first of equals
    index = torch.arange(loss.shape[1], device=loss.device)
    return (index == weakest[:, None]) & ~excluded


def _without(
    spikes: SpikeTensors, out: Tensor, factor: Tensor, scene: TensorSetting
) -> SpikeTensors:
    """Return the spikes without one of each image, the others of the least sum of squares.

    The inverse of the matrix says how they change: its column of the spike, times what makes the
    spike's own amplitude 0.

    Args:
        spikes: the spikes; their amplitudes are those of the least sum of squares.
        out: which to take out, ``(batch, room)``, none or one of each image.
        factor: of the normal equations.
        scene: what the images share.
    """
    taken = torch.where(out, spikes.amplitude, 0)
    amplitude = taken.sum(1, keepdim=True)
    column = substitute(factor, out.to(factor), spikes.dependent)
    own = torch.where(out, column, 0).sum(1, keepdim=True)
    change = torch.where(own > 0, -amplitude / own, 0) * column
    change = torch.where(change.abs() > LITTLE * amplitude.abs(), change, 0)
    place = torch.where(out, scene.places, spikes.place)
    left = torch.where(out, 0, spikes.amplitude + change)
    return spikes._replace(place=place, amplitude=left)
