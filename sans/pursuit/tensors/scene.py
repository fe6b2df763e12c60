"""What the signals of a pursuit share, and the images of one shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from sans.convolution.frames import Floats
from sans.pursuit.atoms import align, laid
from sans.pursuit.loops import RULES, Aim
from sans.pursuit.norms import scales
from sans.pursuit.stop import Stop


class TensorPlan(NamedTuple):
    """What all signals of a pursuit share."""

    arrays: Sequence[Floats]
    """The kernels, ``(size,)`` or ``(size, size)`` each."""

    stop: Stop
    """When to stop."""

    refit: str
    """What the amplitudes minimise."""

    weights: float
    """What φ counts as weights."""

    cost: float
    """What φ counts for a spike."""


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


def scales_on(plan: TensorPlan, images: Tensor) -> Tensor:
    """Return 1 / norm of every atom on such images, ``(kernels, height, width)``.

    They are the loops' own: a rounding apart, they would choose others among equals.
    """
    height, width = images.shape[1:]
    return torch.from_numpy(scales(*laid(plan.arrays), (height, width))).to(images.device)


def scene_on(
    plan: TensorPlan, found: Tensor, form: tuple[int, int, int], share: float
) -> TensorSetting:
    """Return what some segment of all signals shares.

    Args:
        plan: what all segments share.
        found: the scales on such a segment.
        form: the first column where spikes lie, the one behind the last, and how many there are.
        share: of the signal that is to be described.
    """
    first, last, _ = form
    task = Aim(
        size=0.0,
        energy=0.0,
        first=first,
        last=last,
        samples=float((last - first) * found.shape[1]),
        weights=plan.weights * share,
        cost=plan.cost,
        stop=RULES[plan.stop.kind],
        value=float(plan.stop.value),
    )
    kernels = torch.from_numpy(align(plan.arrays)).to(found.device)
    return TensorSetting(kernels if kernels.ndim == 3 else kernels[:, None], found, task)
