"""What is done at last with images that have been seen enough."""

from __future__ import annotations

import torch
from torch import Tensor

from sans.pursuit.loops import PHI
from sans.pursuit.tensors.absolute import refit_absolute
from sans.pursuit.tensors.atoms import atoms_at
from sans.pursuit.tensors.images import drawing
from sans.pursuit.tensors.pruning import prune
from sans.pursuit.tensors.refits import polish
from sans.pursuit.tensors.scene import TensorSetting
from sans.pursuit.tensors.spikes import dense, is_present, ordered
from sans.pursuit.tensors.state import BatchState


def finish(state: BatchState, scene: TensorSetting, refit: str) -> tuple[Tensor, Tensor]:
    """Return the activations of images that have been seen enough, and what they leave of them."""
    if scene.task.stop == PHI:
        state = _go_back(state, scene)
    spikes, residual = state.spikes, state.residual
    if width := int(is_present(spikes, scene).sum(1).max()):
        spikes = ordered(spikes, width)
        atoms = atoms_at(spikes.kernel, spikes.place, scene)
        if scene.task.stop == PHI:
            spikes, residual = prune(spikes, atoms, state.images, state.progress, scene)
        else:
            every = torch.ones_like(state.progress.active)
            spikes, residual, _ = polish(spikes, atoms, state.images, every, scene)
        if refit == "absolute":
            spikes, residual = refit_absolute(spikes, atoms, state.images, residual, scene)
    return dense(spikes, scene), residual


def _go_back(state: BatchState, scene: TensorSetting) -> BatchState:
    """Return to the spikes of the lowest φ: those of the rounds that led to it."""
    spikes = state.spikes
    kept = spikes.born <= state.progress.kept[:, None]
    place = torch.where(kept, spikes.place, scene.places)
    amplitude = torch.where(kept, spikes.best, 0)
    spikes = spikes._replace(place=place, amplitude=amplitude)
    residual = state.images - drawing(dense(spikes, scene), scene.kernels)
    return state._replace(spikes=spikes, residual=residual)
