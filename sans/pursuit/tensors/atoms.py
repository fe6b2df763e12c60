"""Kernels as they lie on images, and what they have in common with each other."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from sans.pursuit.tensors.images import similarity
from sans.pursuit.tensors.scene import TensorSetting


def atoms_at(kernel: Tensor, place: Tensor, scene: TensorSetting) -> Tensor:
    """Return atoms, ``(batch, atoms, rows, columns)``, zero beyond the border."""
    atoms = scene.kernels[kernel]
    for axis, samples in enumerate(_samples(place, scene)):
        inside = (samples >= 0) & (samples < scene.scales.shape[1 + axis])
        atoms = atoms * (inside[..., :, None] if axis == 0 else inside[..., None, :])
    return atoms


def patches(images: Tensor, place: Tensor, scene: TensorSetting) -> Tensor:
    """Return what of images lies under atoms, ``(batch, atoms, rows, columns)``.

    Beyond the border it is anything, for atoms are zero there.
    """
    height, width = images.shape[1:]
    down, across = _samples(place, scene)
    index = down.clamp(0, height - 1)[..., :, None] * width
    index = index + across.clamp(0, width - 1)[..., None, :]
    return images.flatten(1).gather(1, index.flatten(1)).view(index.shape)


def _samples(place: Tensor, scene: TensorSetting) -> tuple[Tensor, Tensor]:
    """Return the rows and the columns of an image under atoms, each ``(batch, atoms, side)``."""
    origins = place // scene.scales.shape[2], place % scene.scales.shape[2]
    down, across = (
        origin[..., None] - (side - 1) // 2 + torch.arange(side, device=place.device)
        for origin, side in zip(origins, scene.kernels.shape[1:], strict=True)
    )
    return down, across


def products(
    atoms: Tensor, place: Tensor, kernel: Tensor, other: Tensor, scene: TensorSetting
) -> Tensor:
    """Return the inner products of some atoms with others.

    Args:
        atoms: as they lie on the image, ``(batch, atoms, rows, columns)``, zero beyond the border.
        place: where they lie, ``(batch, atoms)``.
        kernel: the kernels of the others, ``(batch, others)``.
        other: where the others lie.
        scene: what the images share.

    Returns:
        ``(batch, atoms, others)``.
    """
    (rows, columns), width = scene.kernels.shape[1:], scene.scales.shape[2]
    margins = (columns // 2, (columns - 1) // 2, rows // 2, (rows - 1) // 2)
    met = similarity(F.pad(atoms.flatten(0, 1), margins), scene.kernels)
    down = other[:, None] // width - place[..., None] // width + rows - 1
    across = other[:, None] % width - place[..., None] % width + columns - 1
    height, length = met.shape[2:]
    near = (down >= 0) & (down < height) & (across >= 0) & (across < length)
    index = (kernel[:, None] * height + down) * length + across
    met = met.view(*place.shape, -1).gather(2, torch.where(near, index, 0))
    return torch.where(near, met, 0)
