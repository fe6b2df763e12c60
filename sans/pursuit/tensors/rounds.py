"""The pursuit of images, all of which take a round at once.

Each goes on by its own stop: one that has finished waits, unchanged. No operation is repeated for a
signal or a spike, and a round waits for the device a few times: to see which extrema are left, how
many spikes are new, whether any atoms depend on each other, and whether refits leave anything to
refit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sans.pursuit.loops import ERROR, PATIENCE, PHI, SHARE, THRESHOLD
from sans.pursuit.rounds import FALL, LATE, SLIGHT
from sans.pursuit.tensors.endings import finish
from sans.pursuit.tensors.images import absolute, drawing, similarity
from sans.pursuit.tensors.memory import kept_together, numbers_held
from sans.pursuit.tensors.peaks import choose, places_of
from sans.pursuit.tensors.refits import refit_squares
from sans.pursuit.tensors.scene import TensorSetting
from sans.pursuit.tensors.spikes import dense, insert, is_present
from sans.pursuit.tensors.state import BatchState, phi, survey


def describe(
    state: BatchState, scene: TensorSetting, refit: str, turn: int = 0
) -> tuple[Tensor, Tensor]:
    """Go on with images to the end of their pursuit.

    Args:
        state: the images, and what is known of them.
        scene: what they share.
        refit: what the amplitudes minimise at last.
        turn: how many rounds there were.

    Returns:
        The activations, ``(batch, kernels, height, width)``, and what they leave of the images.
    """
    while True:
        chosen, which, state = _choose_new(state, scene)
        added = chosen.sum(1)
        totals = added + is_present(state.spikes, scene).sum(1)
        counts = torch.stack((added.max(), totals.max(), state.progress.active.sum()))
        most, width, going = counts.tolist()
        if most == 0:
            return finish(state, scene, refit)
        together = kept_together(len(state.images), going, numbers_held(width, scene, refit))
        if together < len(state.images):
            return _describe_apart(state, scene, refit, turn, together)
        turn += 1
        state = _settle(_insert_new(state, chosen, which, most, width, turn, scene), scene)
        if scene.task.stop == PHI:
            state = _judge(state, scene, turn)


def _describe_apart(
    state: BatchState, scene: TensorSetting, refit: str, turn: int, together: int
) -> tuple[Tensor, Tensor]:
    """Go on with the first images that go on, so many, and then with all others.

    Arguments and result are those of `describe`.
    """
    # What this round chose is forgotten; each part chooses it again.
    order = state.progress.active.int().argsort(descending=True, stable=True)
    parts = [
        describe(state.of(rows), scene, refit, turn)
        for rows in (order[:together], order[together:])
    ]
    back = order.argsort()
    activations, residual = (torch.cat(each)[back] for each in zip(*parts, strict=True))
    return activations, residual


def _choose_new(state: BatchState, scene: TensorSetting) -> tuple[Tensor, Tensor, BatchState]:
    """Return where images get new spikes, of which kernel, ``(batch, places)``, and which go on."""
    task, progress = scene.task, state.progress
    norms, which = survey(state.maps, scene)
    top, count = progress.top, is_present(state.spikes, scene).sum(1)
    active = progress.active & (count < progress.room) & (top > progress.floor)
    least = SHARE * top
    if task.stop == ERROR:
        left = state.residual[..., : task.last].square().sum((1, 2)) - progress.beyond
        active &= left > task.value**2 * progress.energy
    if task.stop == THRESHOLD:
        active &= top >= task.value
        least = least.clamp(min=task.value)
    chosen = choose(norms, least, progress.room - count, scene) & active[:, None]
    which = which.flatten(1)
    chosen &= ~state.occupied.flatten(2).gather(1, which[:, None])[:, 0]
    progress = progress._replace(active=active & chosen.any(1))
    return chosen, which, state._replace(progress=progress)


def _insert_new(
    state: BatchState,
    chosen: Tensor,
    which: Tensor,
    most: int,
    width: int,
    turn: int,
    scene: TensorSetting,
) -> BatchState:
    """Return images with new spikes of amplitude 0.

    Args:
        state: the images, and what is known of them.
        chosen: where there are new spikes, ``(batch, places)``.
        which: of which kernel.
        most: how many new ones an image has at most.
        width: how many spikes an image has then at most.
        turn: which round it is.
        scene: what the images share.
    """
    place = places_of(chosen, most)
    kernel = which.gather(1, place.clamp(max=scene.places - 1))
    spikes = insert(state.spikes, kernel, place, turn, width, scene)
    occupied = state.occupied.flatten(2)
    here = occupied.gather(1, which[:, None]) | chosen[:, None]
    occupied = occupied.scatter(1, which[:, None], here).view_as(state.occupied)
    return state._replace(occupied=occupied, spikes=spikes)


def _settle(state: BatchState, scene: TensorSetting) -> BatchState:
    """Return images with all amplitudes refitted, and again where hardly anything is left."""
    images, _, maps, _, spikes, progress = state
    moving, top = progress.active, progress.top
    while True:
        spikes = refit_squares(spikes, maps, moving, SLIGHT * top, scene)
        residual = images - drawing(dense(spikes, scene), scene.kernels)
        maps = similarity(residual, scene.kernels)
        before, top = top, torch.where(moving, survey(maps, scene)[0].amax((1, 2)), top)
        moving = moving & (top <= FALL * before) & (top > 0)
        if not bool(moving.any()):
            progress = progress._replace(top=top)
            return BatchState(images, residual, maps, state.occupied, spikes, progress)


def _judge(state: BatchState, scene: TensorSetting, turn: int) -> BatchState:
    """Return which images go on after a round: those whose φ falls, or may fall yet."""
    task, progress, spikes = scene.task, state.progress, state.spikes
    count = is_present(spikes, scene).sum(1)
    now = phi(task, progress, count, absolute(state.residual) - progress.beyond)
    better = progress.active & (now < progress.lowest)
    lowest = torch.where(better, now, progress.lowest)
    worse = torch.where(better, 0, progress.worse + 1)
    hope = phi(task, progress, count, torch.zeros_like(now)) < lowest
    wide = 2 * scene.kernels.shape[-1] > state.residual.shape[-1]
    progress = progress._replace(
        lowest=lowest,
        kept=torch.where(better, turn, progress.kept),
        worse=worse,
        active=progress.active & (better | ((worse < (LATE if wide else PATIENCE)) & hope)),
    )
    best = torch.where(better[:, None], spikes.amplitude, spikes.best)
    return state._replace(spikes=spikes._replace(best=best), progress=progress)
