"""What the signals of a pursuit share, and the images of one shape."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sans.pursuit.loops import Aim
from sans.pursuit.norms import norms
from sans.pursuit.parts import PursuitPlan, task_of


class TensorSetting(NamedTuple):
    """What all images of one shape share."""

    kernels: Tensor
    """``(kernels, rows, columns)``, origins aligned, zero beyond the size of each."""

    scales: Tensor
    """``(kernels, height, width)``, 1 / norm of every atom, 0 where none may lie."""

    task: Aim
    """What is to be described, and until when; its size and energy are those of no image."""

    @property
    def places(self) -> int:
        """How many places an image has, which is the place of a spike that is not there."""
        return self.scales[0].numel()


def scales_on(plan: PursuitPlan, images: Tensor) -> Tensor:
    """Return 1 / norm of every atom on such images, ``(kernels, height, width)``.

    They are the loops' own: a rounding apart, they would choose others among equals.
    """
    height, width = images.shape[1:]
    return torch.from_numpy(norms(plan.atoms, (height, width))).to(images.device)


def scene_on(
    plan: PursuitPlan, found: Tensor, form: tuple[int, int, int], share: float
) -> TensorSetting:
    """Return what some segment of all signals shares.

    Args:
        plan: what all segments share.
        found: the scales on such a segment.
        form: the first column where spikes lie, the one behind the last, and how many there are.
        share: of the signal that is to be described.
    """
    first, last, _ = form
    task = task_of(plan, (last - first) * found.shape[1], share, first, last)
    kernels = torch.from_numpy(plan.atoms.kernels[:, 0]).to(found.device)
    return TensorSetting(kernels, found, task)
