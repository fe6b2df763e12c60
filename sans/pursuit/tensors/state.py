"""What is known of images in the middle of a pursuit."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sans.pursuit.loops import ERROR, NOTHING, Aim
from sans.pursuit.tensors.images import absolute, similarity
from sans.pursuit.tensors.scene import TensorSetting
from sans.pursuit.tensors.spikes import SpikeTensors


class PursuitProgress(NamedTuple):
    """How far every image is, ``(batch,)``."""

    size: Tensor
    """The sum of absolute values of what is to be described."""

    energy: Tensor
    """Its sum of squares."""

    beyond: Tensor
    """What does not count of what is left: that of the columns where no spikes lie."""

    room: Tensor
    """How many spikes it can have."""

    floor: Tensor
    """Norms that are rounding."""

    top: Tensor
    """The norm of the strongest atom."""

    lowest: Tensor
    """The lowest φ so far."""

    kept: Tensor
    """How many rounds led to it."""

    worse: Tensor
    """How many rounds there were since."""

    active: Tensor
    """Whether the image goes on."""


class BatchState(NamedTuple):
    """Images in the middle of a pursuit."""

    images: Tensor
    """``(batch, height, width)``."""

    residual: Tensor
    """The images without what their spikes draw."""

    maps: Tensor
    """``(batch, kernels, height, width)``: the similarity of the residual with every kernel."""

    occupied: Tensor
    """Where there are spikes, like `maps`."""

    spikes: SpikeTensors
    """What describes the images so far."""

    progress: PursuitProgress
    """How far each is."""

    def of(self, rows: Tensor) -> BatchState:
        """Return some of the images."""
        return BatchState(
            self.images[rows],
            self.residual[rows],
            self.maps[rows],
            self.occupied[rows],
            SpikeTensors(*(each[rows] for each in self.spikes)),
            PursuitProgress(*(each[rows] for each in self.progress)),
        )


def state_of(images: Tensor, originals: Tensor, room: Tensor, scene: TensorSetting) -> BatchState:
    """Return images before the first round.

    Args:
        images: ``(batch, height, width)``.
        originals: ``(batch, height, last - first)``: what φ and the error are measured by.
        room: how many spikes each can have, ``(batch,)``.
        scene: what they share.
    """
    maps = similarity(images, scene.kernels)
    none = torch.zeros((len(images), 0), dtype=torch.int64, device=images.device)
    gram = images.new_zeros((len(images), 0, 0))
    spikes = SpikeTensors(none, none, none.double(), none, none.double(), none.bool(), gram)
    size, energy = absolute(originals), originals.square().sum((1, 2))
    top, never = survey(maps, scene)[0].amax((1, 2)), torch.zeros_like(room)
    beyond, floor = _beyond(images, scene.task), NOTHING * top
    start = PursuitProgress(size, energy, beyond, room, floor, top, size, never, never, size > 0)
    start = start._replace(lowest=phi(scene.task, start, never, size))
    return BatchState(images, images, maps, torch.zeros_like(maps, dtype=torch.bool), spikes, start)


def _beyond(images: Tensor, task: Aim) -> Tensor:
    """Return what of images does not count of what is left, ``(batch,)``, as the loops have it."""
    before, after = images[..., : task.first], images[..., task.last :]
    if task.stop == ERROR:
        return before.square().sum((1, 2))
    return absolute(before) + absolute(after)


def survey(maps: Tensor, scene: TensorSetting) -> tuple[Tensor, Tensor]:
    """Return the norm of the strongest atom at every place, and its kernel, the first of equals.

    Where no spikes may lie it is -1.
    """
    strongest, which = (maps.abs() * scene.scales).max(1)
    strongest[..., : scene.task.first] = -1
    strongest[..., scene.task.last :] = -1
    return strongest, which


def phi(task: Aim, progress: PursuitProgress, count: Tensor, error: Tensor) -> Tensor:
    """Return φ of images with so many spikes and so large sums of absolute errors."""
    verbosity = (task.weights + task.cost * count.double()) / task.samples
    return (verbosity.square() + (error / progress.size).square()).sqrt()
