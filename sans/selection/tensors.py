"""The selections of `sans.selection` as tensor operations, for devices its loops cannot reach.

The same functions of the same arguments, entry for entry: ties go to the smaller index, NaN is
never kept. Where the loops walk through a map, these let every entry of every map decide at once,
whatever the density of its map: no operation is repeated for a map or a density, and only `extrema`
waits for the device, once every few rounds.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

ROUNDS = 4
"""Rounds of `extrema` between two checks of whether any candidate is alive."""


def topk(maps: Tensor, counts: Tensor) -> Tensor:
    """Return the mask of `sans.selection.topk` of ``(maps, *space)``, counts ``(maps,)``."""
    flat = _magnitudes(maps).flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)
    wanted = torch.arange(flat.shape[1], device=maps.device) < counts[:, None]
    kept = torch.zeros_like(flat, dtype=torch.bool).scatter(1, order, wanted)
    return (kept & (flat >= 0)).view_as(maps)


def extrema_pool(maps: Tensor, sizes: Tensor) -> Tensor:
    """Return the mask of `sans.selection.extrema_pool` of ``(maps, *space)``, sizes ``(maps,)``."""
    flat, cells = _magnitudes(maps).flatten(1), _cells(maps, sizes).flatten(1)
    samples = flat.shape[1]
    slots = len(flat), samples + 1  # as many as the smallest cells take: no need to ask the device
    largest = flat.new_full(slots, -1).scatter_reduce(1, cells, flat, "amax")
    kept = (flat == largest.gather(1, cells)) & (flat >= 0) & (cells < samples)
    index = torch.arange(samples, device=maps.device).expand_as(flat)
    first = index.new_full(slots, samples)
    first = first.scatter_reduce(1, cells, index.masked_fill(~kept, samples), "amin")
    return (kept & (index == first.gather(1, cells))).view_as(maps)


def extrema(maps: Tensor, distances: Tensor) -> Tensor:
    """Return the mask of `sans.selection.extrema` of ``(maps, *space)``, distances ``(maps,)``.

    In rounds: a candidate that is the largest within its distance, among those still alive, is
    kept, and all within the distance of it die; until none is alive.
    """
    alive = _ranks(maps) * _candidates(maps)
    kept = torch.zeros_like(maps, dtype=torch.bool)
    windows = _windows(maps, distances, most=maps.shape[1:].numel())
    while bool(alive.any()):  # waits for the device, which idles meanwhile: so not at every round
        for _ in range(ROUNDS):  # once none is alive, none wins, and a round changes nothing
            winners = (alive > 0) & (alive == _largest_within(alive, windows))
            kept |= winners
            alive = alive.masked_fill(_any_within(winners, windows), 0)
    return kept


def competing_extrema(maps: Tensor, distances: Tensor, rivals: int) -> Tensor:
    """Return the mask of `sans.selection.competing_extrema` of ``(networks * rivals, *space)``.

    Rounds as those of `extrema`, over the maps of all rivals. A winner is larger than every
    candidate alive whose distance reaches it, so that none can take its place any more, and than
    every one alive within its own distance, so that all that die by it come after it.
    """
    networks = _by_network(maps, rivals)
    alive = _ranks(networks).reshape(maps.shape) * _candidates(maps)
    kept = torch.zeros_like(maps, dtype=torch.bool)
    windows = _windows(maps, distances, most=networks.shape[1:].numel())
    while bool(alive.any()):
        for _ in range(ROUNDS):
            reaching = _over_rivals(_largest_within(alive, windows), rivals)
            reached = _largest_within(_over_rivals(alive, rivals), windows)
            winners = (alive > 0) & (alive == torch.maximum(reaching, reached))
            kept |= winners
            alive = alive.masked_fill(_over_rivals(_any_within(winners, windows), rivals), 0)
    return kept


def _over_rivals(maps: Tensor, rivals: int) -> Tensor:
    """Return for every entry the largest at its place on the maps of its rivals and its own."""
    networks = _by_network(maps, rivals)
    return networks.amax(1, keepdim=True).expand_as(networks).flatten(0, 1)


def _by_network(maps: Tensor, rivals: int) -> Tensor:
    return maps.reshape(len(maps) // rivals, rivals, *maps.shape[1:])


def _magnitudes(maps: Tensor) -> Tensor:
    magnitudes = maps.abs()
    return magnitudes.masked_fill(magnitudes.isnan(), -1)


def _cells(maps: Tensor, sizes: Tensor) -> Tensor:
    """Return the number of every entry's cell, in the order of the cells of its map.

    An entry of no whole cell has the number of samples of a map, which is no cell's.
    """
    cells = torch.zeros_like(maps, dtype=torch.int64)
    outside = torch.zeros_like(maps, dtype=torch.bool)
    sizes = _along(maps, 0, sizes)
    for axis in range(1, maps.ndim):
        across = maps.shape[axis] // sizes
        place = _along(maps, axis, torch.arange(maps.shape[axis], device=maps.device)) // sizes
        cells = cells * across + place
        outside |= place >= across
    return cells.masked_fill(outside, maps.shape[1:].numel())


def _candidates(maps: Tensor) -> Tensor:
    """Return where a map has a positive maximum or a non-positive minimum, along every axis."""
    peak, dip = maps > 0, maps <= 0
    for axis in range(1, maps.ndim):
        size = maps.shape[axis]
        inner = maps.narrow(axis, 0, size - 1), maps.narrow(axis, 1, size - 1)
        first, last = maps.narrow(axis, 0, 1), maps.narrow(axis, size - 1, 1)
        before = torch.cat((first, inner[0]), axis)  # a border continues with its own value
        after = torch.cat((inner[1], last), axis)
        peak &= (after <= maps) & (before < maps)
        dip &= (after > maps) & (before >= maps)
    return peak | dip


def _ranks(maps: Tensor) -> Tensor:
    """Return the rank of every magnitude in its map, the largest number for the largest magnitude.

    Ranks count from 1, in int64, and are distinct: of equal magnitudes the first ranks higher.
    """
    flat = _magnitudes(maps).flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)
    ranks = torch.arange(flat.shape[1], 0, -1, device=maps.device).expand(flat.shape)
    return torch.empty_like(order).scatter(1, order, ranks).view_as(maps)


class _Windows(NamedTuple):
    """The windows of all entries along one axis, and what it takes to find their maxima.

    The axis is cut into blocks as long as a window, so that a window is the end of one block and
    the start of the next: two running maxima that begin anew at every block, one forwards and one
    backwards, know both. They run as one along an axis of twice the length, which continues with
    itself reversed.
    """

    axis: int

    first: Tensor
    """First place of each window, ``(maps, *space)``."""

    last: Tensor
    """Last place of each window, ``(maps, *space)``."""

    floors: Tensor
    """What lifts every block above the one before, twice as long as the maps along the axis."""


def _windows(maps: Tensor, distances: Tensor, most: int) -> list[_Windows]:
    """Return the windows along every axis that reach as far as the distance of their map.

    Args:
        maps: ``(maps, *space)``.
        distances: ``(maps,)``.
        most: the largest rank that there is.
    """
    return [_windows_along(axis, maps, distances, most) for axis in range(1, maps.ndim)]


def _windows_along(axis: int, maps: Tensor, distances: Tensor, most: int) -> _Windows:
    """Return the windows along one axis, of the arguments of `_windows`."""
    side = maps.shape[axis]
    reach = _along(maps, 0, distances.clamp(max=side - 1))  # farther reaches no more, and overflows
    place = _along(maps, axis, torch.arange(side, device=maps.device))
    first, last = (place - reach).clamp(min=0), (place + reach).clamp(max=side - 1)
    blocks = place // (2 * reach + 1)
    blocks = torch.cat((blocks, 2 * side - blocks.flip(axis)), axis)
    floors = blocks * (most + 1)
    return _Windows(axis, first.expand_as(maps), last.expand_as(maps), floors)


def _along(maps: Tensor, axis: int, values: Tensor) -> Tensor:
    """Return `values` shaped to vary along that axis of the maps alone."""
    return values.view([-1 if other == axis else 1 for other in range(maps.ndim)])


def _largest_within(ranks: Tensor, windows: list[_Windows]) -> Tensor:
    """Return the maximum of every entry's window, or of more where the border cuts the window off.

    A window that lies in one block may see all of the block. That does `extrema` no harm:
    the largest of more is the largest of the window too, there is always a largest of all, and a
    candidate that waits for one farther away than the distance wins once that is kept or dead.
    """
    for axis, first, last, floors in windows:
        both = torch.cat((ranks, ranks.flip(axis)), axis)
        running = (both + floors).cummax(axis).values - floors
        backwards = running.narrow(axis, ranks.shape[axis], ranks.shape[axis]).flip(axis)
        ranks = torch.maximum(backwards.gather(axis, first), running.gather(axis, last))
    return ranks


def _any_within(mask: Tensor, windows: list[_Windows]) -> Tensor:
    """Return whether any entry of every entry's window is true."""
    for axis, first, last, _ in windows:
        counts = mask.cumsum(axis, dtype=torch.int32)
        mask = counts.gather(axis, last) > (counts - mask.int()).gather(axis, first)
    return mask
