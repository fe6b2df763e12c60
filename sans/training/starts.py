"""The weights that training starts from."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sans.configs import ModelConfig, TrainConfig
from sans.configs.layout import Member
from sans.model_kernels import fixed_patterns, kernel_shapes, sampled_kernel
from sans.signals import filled, unit_scale

SCALE = 0.1
"""The constant start, and the deviation of the random one: the paper's."""

TINY = 1e-30
"""Of a norm that nothing is divided by."""

TRIES = 16
"""Random pieces among which the data start takes the strongest."""


def start_kernels(model: ModelConfig, training: Tensor, config: TrainConfig) -> list[Tensor]:
    """Return the kernels that training starts from; arguments are those of `start_network`."""
    return start_network(model, training, config)[0]


def start_network(
    model: ModelConfig, training: Tensor, config: TrainConfig
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the kernels and the patterns of leads that training starts from.

    Learned kernels are started, the others are what their formulas give. A pattern of leads starts
    with equal entries; with the start "data" with what the leads of the piece have in common, and
    one that kernels of a formula share with what the leads of all signals have.

    Args:
        model: the network.
        training: ``(signals, leads, *space)``, where the start "data" cuts its pieces;
            NaN is a missing sample.
        config: which start, and the seed.

    Returns:
        The kernels, ``(*side,)``, of full rank ``(leads, *side)``; and the patterns of the layout,
        ``(leads,)`` each.
    """
    random = np.random.default_rng(config.seed)
    start, layout, scale = config.start_for(model), model.layout, unit_scale(training)
    patterns = [torch.from_numpy(pattern) for pattern in fixed_patterns(model)]
    kernels = []
    for shape, member in zip(kernel_shapes(model), layout.members, strict=True):
        place = member.pattern
        free = place is not None and layout.patterns[place] is None
        if not member.learned:
            kernels.append(torch.from_numpy(sampled_kernel(member, model.dimensions)))
            if start == "data" and free:
                patterns[place or 0] = _common(training.transpose(0, 1) * scale)[0]
        elif start == "constant":
            kernels.append(_constant(shape))
        elif start == "random":
            drawn = SCALE * random.standard_normal(shape, np.float32)
            kernels.append(torch.from_numpy(drawn))
        elif free:
            piece = _piece(training, scale, (model.leads, *shape), random)
            pattern, along = _common(piece)
            patterns[place or 0] = pattern
            kernels.append((along / along.norm().clamp(min=TINY)).reshape(shape))
        else:
            one = training if len(shape) > model.dimensions else _lead(training, member)
            whole = shape if len(shape) > model.dimensions else (1, *shape)
            kernels.append(_piece(one, scale, whole, random).reshape(shape))
    return kernels, patterns


def _constant(shape: tuple[int, ...]) -> Tensor:
    return torch.full(shape, SCALE, dtype=torch.float32, device="cpu")


def _lead(training: Tensor, member: Member) -> Tensor:
    """Return the lead that a kernel lies in, or the first, ``(signals, 1, *space)``."""
    lead = member.lead or 0
    return training[:, lead : lead + 1]


def _common(signals: Tensor) -> tuple[Tensor, Tensor]:
    """Return what leads have in common: their pattern, and what it is a pattern of.

    Args:
        signals: ``(leads, …)``; missing samples are taken as 0.

    Returns:
        The first left singular vector, ``(leads,)``, its largest entry positive, and the leads in
        its proportions, ``(…)`` flat.
    """
    rows = signals.flatten(1).cpu().double()
    rows = filled(rows)
    pattern = torch.linalg.eigh(rows @ rows.T)[1][:, -1]
    pattern = pattern * pattern[pattern.abs().argmax()].sign()
    return pattern.float(), (pattern @ rows).float()


def _piece(
    training: Tensor, scale: float, shape: tuple[int, ...], random: np.random.Generator
) -> Tensor:
    """Return the strongest of some random pieces of training signals, of norm 1.

    Args:
        training: ``(signals, leads, *space)``; missing samples are taken as 0.
        scale: what brings them to a size whose squares float32 can hold.
        shape: that of the piece, leads first.
        random: what chooses.
    """
    pieces = []
    for _ in range(TRIES):
        piece = training[int(random.integers(len(training)))]
        for axis, size in enumerate(shape[1:], 1):
            first = int(random.integers(piece.shape[axis] - size + 1))
            piece = piece.narrow(axis, first, size)
        pieces.append(filled(piece) * scale)
    best = max(pieces, key=lambda piece: float(piece.norm())).cpu()
    norm = best.norm()
    return best / norm if norm > 0 else _constant(shape)
