"""The spikes of many images, with the inner products of their atoms."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sans.pursuit.tensors.atoms import atoms_at, products
from sans.pursuit.tensors.scene import TensorSetting


class SpikeTensors(NamedTuple):
    """The spikes of every image in the order of their places, last those that are not there."""

    kernel: Tensor
    """``(batch, room)``, as all others but the last."""

    place: Tensor
    """Where it lies; behind the last place: there is no such spike."""

    amplitude: Tensor
    """How strongly the kernel is drawn; 0 where there is no spike."""

    born: Tensor
    """The round that chose it."""

    best: Tensor
    """Its amplitude where φ was lowest."""

    dependent: Tensor
    """Whether the atoms before it leave nothing of its own."""

    gram: Tensor
    """``(batch, room, room)``: the inner products of the atoms; anything for those not there."""


def is_present(spikes: SpikeTensors, scene: TensorSetting) -> Tensor:
    """Return whether there is a spike, ``(batch, room)``."""
    return spikes.place < scene.places


def indices(spikes: SpikeTensors, scene: TensorSetting) -> Tensor:
    """Return where spikes lie in flat activations; where there is no spike, the first entry."""
    index = spikes.kernel * scene.places + spikes.place
    return torch.where(is_present(spikes, scene), index, 0)


def dense(spikes: SpikeTensors, scene: TensorSetting) -> Tensor:
    """Return the activations, ``(batch, kernels, height, width)``."""
    flat = spikes.amplitude.new_zeros((len(spikes.place), scene.scales.numel()))
    # No two spikes are one entry, and those that are not there add 0: any order adds up to this.
    flat = flat.scatter_add(1, indices(spikes, scene), spikes.amplitude)
    return flat.view(-1, *scene.scales.shape)


def insert(
    spikes: SpikeTensors, kernel: Tensor, place: Tensor, turn: int, width: int, scene: TensorSetting
) -> SpikeTensors:
    """Insert spikes of amplitude 0 in the order of places, behind those at the same place.

    Args:
        spikes: those there are.
        kernel: those of the new ones, ``(batch, new)``.
        place: where they lie.
        turn: the round that chose them.
        width: room for spikes, as many as any image has then.
        scene: what the images share.
    """
    zeros = torch.zeros_like(kernel)
    new = kernel, place, zeros.double(), zeros + turn, zeros.double(), zeros.bool()
    fields = [torch.cat(pair, 1) for pair in zip(spikes[:6], new, strict=True)]
    met = products(atoms_at(kernel, place, scene), place, fields[0], fields[1], scene)
    known = spikes.place.shape[1]
    gram = torch.cat((torch.cat((spikes.gram, met[..., :known].mT), 2), met), 1)
    return ordered(SpikeTensors(*fields, gram), width)  # type: ignore[call-arg]


def ordered(spikes: SpikeTensors, width: int) -> SpikeTensors:
    """Return the first spikes in the order of their places, `width` of each image."""
    order = spikes.place.argsort(dim=1, stable=True)[:, :width]
    gram = spikes.gram.gather(1, order[:, :, None].expand(-1, -1, spikes.gram.shape[2]))
    gram = gram.gather(2, order[:, None].expand(-1, width, -1))
    return SpikeTensors(*(each.gather(1, order) for each in spikes[:6]), gram)  # type: ignore[call-arg]
