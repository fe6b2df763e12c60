"""The selections of `sans.selection` as tensor operations, for devices its loops cannot reach.

The same functions of the same arguments, entry for entry: ties go to the smaller index, NaN is
never kept. Where the loops walk through a map, these let every entry of every map decide at once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def topk(maps: Tensor, counts: Tensor) -> Tensor:
    """Return the mask of `sans.selection.topk` of ``(maps, *space)``, counts ``(maps,)``."""
    flat = _magnitudes(maps).flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)
    wanted = torch.arange(flat.shape[1], device=maps.device) < counts[:, None]
    kept = torch.zeros_like(flat, dtype=torch.bool).scatter(1, order, wanted)
    return (kept & (flat >= 0)).view_as(maps)


def extrema_pool(maps: Tensor, sizes: Tensor) -> Tensor:
    """Return the mask of `sans.selection.extrema_pool` of ``(maps, *space)``, sizes ``(maps,)``."""
    return _by_density(_extrema_pool, maps, sizes)


def extrema(maps: Tensor, distances: Tensor) -> Tensor:
    """Return the mask of `sans.selection.extrema` of ``(maps, *space)``, distances ``(maps,)``.

    Rounds: who is the largest within the distance among those still alive is kept, and all within
    the distance of it die; until nobody is alive.
    """
    return _by_density(_extrema, maps, distances)


def _by_density(select: Callable[[Tensor, int], Tensor], maps: Tensor, densities: Tensor) -> Tensor:
    """Apply `select` to the maps of each density together."""
    kept = torch.zeros_like(maps, dtype=torch.bool)
    for density in set(densities.tolist()):
        rows = densities == density
        kept[rows] = select(maps[rows], density)
    return kept


def _magnitudes(maps: Tensor) -> Tensor:
    magnitudes = maps.abs()
    return magnitudes.masked_fill(magnitudes.isnan(), -1)


def _extrema_pool(maps: Tensor, size: int) -> Tensor:
    space = maps.shape[1:]
    cells = [side // size for side in space]
    crop = (slice(None), *(slice(count * size) for count in cells))
    blocks = _magnitudes(maps)[crop]
    index = torch.arange(maps[0].numel(), device=maps.device).view(space)[crop[1:]]
    for axis in range(len(space)):  # one axis of cells, one axis within the cell at the end
        blocks, index = blocks.unfold(1 + axis, size, size), index.unfold(axis, size, size)
    blocks = blocks.reshape(len(maps), -1, size ** len(space))
    best, within = blocks.max(-1).values, blocks.argmax(-1, keepdim=True)  # the first of equals
    places = index.reshape(1, -1, size ** len(space)).expand_as(blocks).gather(-1, within)
    kept = torch.zeros_like(maps, dtype=torch.bool).flatten(1)
    return kept.scatter(1, places.squeeze(-1), best >= 0).view_as(maps)


def _extrema(maps: Tensor, distance: int) -> Tensor:
    alive = _ranks(maps) * _candidates(maps)
    kept = torch.zeros_like(maps, dtype=torch.bool)
    while bool(alive.any()):
        winners = (alive > 0) & (alive == _largest_within(alive, distance))
        kept |= winners
        alive = alive.masked_fill(_largest_within(winners.to(alive.dtype), distance) > 0, 0)
    return kept


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

    Ranks are distinct: of equal magnitudes the smaller index ranks higher. Float64 is exact.
    """
    flat = _magnitudes(maps).flatten(1)
    order = flat.argsort(dim=1, descending=True, stable=True)
    ranks = torch.arange(flat.shape[1], 0, -1, device=maps.device, dtype=torch.float64)
    return (
        torch.empty_like(flat, dtype=torch.float64)
        .scatter(1, order, ranks.expand(flat.shape))
        .view_as(maps)
    )


def _largest_within(maps: Tensor, distance: int) -> Tensor:
    """Return the maximum of every entry's window, which reaches `distance` along every axis."""
    maps = maps[:, None]
    pool = F.max_pool1d if maps.ndim == 3 else F.max_pool2d
    # A reach beyond the map sees the whole map.
    reach = min(distance, max(maps.shape[2:]))
    pooled: Tensor = pool(maps, 2 * reach + 1, stride=1, padding=reach)
    return pooled[:, 0]
