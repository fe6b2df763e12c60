"""Pursuit of signals of any number and length, as tensor operations.

A long signal is described segment by segment, as `sans.pursuit.encoder` does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from sans.pursuit import encoder
from sans.pursuit.atoms import drawable
from sans.pursuit.checks import check
from sans.pursuit.loops import COUNT
from sans.pursuit.parts import PursuitPlan, plan_of, room_of
from sans.pursuit.stop import Stop
from sans.pursuit.tensors.memory import images_at_once
from sans.pursuit.tensors.rounds import describe
from sans.pursuit.tensors.scene import scales_on, scene_on
from sans.pursuit.tensors.state import state_of


@torch.no_grad()
def pursue(
    signals: Tensor,
    kernels: Sequence[Tensor],
    stop: Stop = encoder.PHI,
    refit: str = "squares",
    weights: float | None = None,
) -> Tensor:
    """Describe signals by spikes of kernels, as `sans.pursuit.encoder.pursue` does.

    No gradient passes.

    Args:
        signals: ``(signals, *space)``, with one or two dimensions of space.
        kernels: ``(size,)`` or ``(size, size)`` each, of any norm.
        stop: when to stop.
        refit: "squares", or "absolute": at last, amplitudes of the least sum of absolute errors.
        weights: what φ counts as weights; None: all of the kernels.

    Returns:
        The activations, ``(signals, kernels, *space)``, like `signals` in type and device.

    Raises:
        ValueError: if kernels do not fit the signals, a sample or weight is not finite, or spikes
            are to move: that is for the loops of `sans.pursuit.places`.
    """
    if refit not in ("squares", "absolute"):
        raise ValueError(f"tensors refit squares or absolute, not {refit}")
    arrays = [kernel.detach().cpu().double().numpy() for kernel in kernels]
    dictionary = check(np.empty((0, *signals.shape[1:])), arrays)
    silent = signals.isfinite().flatten(1).all(1).logical_not().nonzero()
    if len(silent):
        raise ValueError(f"signal {silent[0].item()} holds NaN or infinity: leave it out")
    space = tuple(signals.shape[1:])
    plan = plan_of(dictionary, drawable(dictionary, space), space, stop, refit, weights)
    found = signals.new_zeros((len(signals), len(kernels), *signals.shape[1:]))
    each = images_at_once(found[:1].numel())
    for begin in range(0, len(signals), each):
        part = signals[begin : begin + each].double()
        activations = _described(part if part.ndim == 3 else part[:, None], plan)
        found[begin : begin + each] = activations.view(-1, *found.shape[1:])
    return found


def _described(images: Tensor, plan: PursuitPlan) -> Tensor:
    """Return the activations of images ``(batch, height, width)``, segment by segment."""
    batch, height, length = images.shape
    activations = images.new_zeros((batch, len(plan.dictionary.kernels), height, length))
    carried, scales = images[..., :0], dict[tuple[int, ...], Tensor]()
    spent = torch.zeros(batch, dtype=torch.int64, device=images.device)
    reach = plan.dictionary.longest
    for begin, end in _segments(length, plan):
        low, high = max(0, begin - reach), min(length, end + reach)
        segment = torch.cat((carried, images[..., low + carried.shape[2] : high]), 2)
        form = (begin - low, end - low, high - low)
        if form not in scales:
            scales[form] = scales_on(plan, segment)
        scene = scene_on(plan, scales[form], form, (end - begin) / length)
        room = torch.full_like(spent, room_of(scene.task))
        if scene.task.stop == COUNT:  # shares that add up to the count, what is left over included
            room = (int(plan.stop.value * end / length) - spent).clamp(max=room)
        state = state_of(segment, images[..., begin:end], room, scene)
        found, left = describe(state, scene, plan.refit)
        activations[..., begin:end] = found[..., begin - low : end - low]
        spent += found.flatten(1).count_nonzero(1)
        carried = left[..., max(0, end - reach) - low :]
    return activations


def _segments(length: int, plan: PursuitPlan) -> Iterator[tuple[int, int]]:
    """Yield where each segment begins and ends; an image is one, whatever its size."""
    step = length
    if plan.dictionary.dimensions == 1:
        step = max(encoder.SEGMENT, plan.dictionary.longest)
    for begin in range(0, length, step):
        yield begin, min(begin + step, length)
