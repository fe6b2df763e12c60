"""Amplitudes that minimise the sum of absolute errors, which is the error that φ counts."""

from __future__ import annotations

import torch
from torch import Tensor

from sans.pursuit.absolute import ROUNDS, SMALL
from sans.pursuit.tensors.atoms import patches, products
from sans.pursuit.tensors.images import absolute, drawing
from sans.pursuit.tensors.least_squares import solve
from sans.pursuit.tensors.scene import TensorSetting
from sans.pursuit.tensors.spikes import SpikeTensors, dense, is_present


def refit_absolute(
    spikes: SpikeTensors, atoms: Tensor, images: Tensor, residual: Tensor, scene: TensorSetting
) -> tuple[SpikeTensors, Tensor]:
    """Change amplitudes towards the least sums of absolute errors.

    As `sans.pursuit.absolute` does: least squares again and again, each sample weighted by 1 over
    what was left of it; the best amplitudes are kept.

    Args:
        spikes: the spikes.
        atoms: what each draws with amplitude 1.
        images: what they are to draw.
        residual: what they leave of it.
        scene: what the images share.

    Returns:
        The spikes, and what they leave of the images.
    """
    present = is_present(spikes, scene)
    now, left, dependent = spikes, residual, torch.zeros_like(present)
    lowest = absolute(residual)
    for _ in range(ROUNDS):
        weighted = atoms * patches(_importance(left), spikes.place, scene)
        gram = products(weighted, spikes.place, spikes.kernel, spikes.place, scene)
        seen = (weighted * patches(left, spikes.place, scene)).sum((2, 3))
        change, dependent, _ = solve(gram, seen, present, dependent)
        now = now._replace(amplitude=now.amplitude + change)
        left = images - drawing(dense(now, scene), scene.kernels)
        total = absolute(left)
        better = total < lowest
        lowest = torch.where(better, total, lowest)
        residual = torch.where(better[:, None, None], left, residual)
        amplitude = torch.where(better[:, None], now.amplitude, spikes.amplitude)
        spikes = spikes._replace(amplitude=amplitude)
    return spikes, residual


def _importance(residual: Tensor) -> Tensor:
    """Return the weight of every sample: 1 over the magnitude of what is left of it."""
    magnitudes = residual.abs()
    least = SMALL * magnitudes.mean((1, 2), keepdim=True)
    # Where nothing is left, amplitudes are as they should be, whatever the weights.
    return 1 / torch.where(least > 0, torch.maximum(magnitudes, least), 1)
