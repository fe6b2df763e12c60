"""The weights that training starts from."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sans.configs import ModelConfig, TrainConfig
from sans.signals import unit_scale

SCALE = 0.1
"""The constant start, and the deviation of the random one: the paper's."""

TRIES = 16
"""Random pieces among which the data start takes the strongest."""


def start_kernels(model: ModelConfig, training: Tensor, config: TrainConfig) -> list[Tensor]:
    """Return the kernels that training starts from, which depend on `config.seed` alone.

    Args:
        model: the network.
        training: ``(signals, 1, *space)``, where the start "data" cuts its pieces.
        config: which start, and the seed.
    """
    random = np.random.default_rng(config.seed)
    shapes = [(size,) * model.dimensions for size in model.kernel_sizes]
    match config.start_for(model):
        case "constant":
            return [_constant(shape) for shape in shapes]
        case "random":
            drawn = [SCALE * random.standard_normal(shape, np.float32) for shape in shapes]
            return [torch.from_numpy(kernel) for kernel in drawn]
        case _:
            scale = unit_scale(training)
            return [_piece(training, scale, shape, random) for shape in shapes]


def _constant(shape: tuple[int, ...]) -> Tensor:
    return torch.full(shape, SCALE, dtype=torch.float32, device="cpu")


def _piece(
    training: Tensor, scale: float, shape: tuple[int, ...], random: np.random.Generator
) -> Tensor:
    """Return the strongest of some random pieces of training signals, of norm 1.

    Args:
        training: ``(signals, 1, *space)``.
        scale: what brings them to a size whose squares float32 can hold.
        shape: that of the piece.
        random: what chooses.
    """
    pieces = []
    for _ in range(TRIES):
        piece = training[int(random.integers(len(training))), 0]
        for axis, size in enumerate(shape):
            first = int(random.integers(piece.shape[axis] - size + 1))
            piece = piece.narrow(axis, first, size)
        pieces.append(piece * scale)
    best = max(pieces, key=lambda piece: float(piece.norm())).cpu()
    norm = best.norm()
    return best / norm if norm > 0 else _constant(shape)
