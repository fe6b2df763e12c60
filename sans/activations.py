"""The sparse activation functions: each keeps some entries of a similarity map and zeroes the rest.

An activation is a function of ``(similarity, density)``, for one and two dimensions of space alike.
The gradient of a kept entry is one, of any other zero. To add an activation, write its function and
its row in `ACTIVATIONS`. `by_kernel` gives densities the shape that a similarity computes with.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.

>>> import torch
>>> from sans import ACTIVATIONS
>>> sorted(ACTIVATIONS)
['extrema', 'extrema-pool', 'identity', 'relu', 'topk']
>>> similarity = torch.tensor([[[0.0, 2.0, 1.0, 0.0, -3.0, 0.0]]])
>>> ACTIVATIONS["topk"](similarity, 1).tolist()
[[[0.0, 0.0, 0.0, 0.0, -3.0, 0.0]]]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:  # torch is slow to import, and the names below are wanted without it
    from torch import Tensor

Density: TypeAlias = "float | Sequence[float]"
"""One number for every kernel, or one for each: samples, a count, or a number of another kind, such
as a threshold."""


def identity(similarity: Tensor, density: Density = 0) -> Tensor:  # noqa: ARG001
    """Keep everything: the reference that is not sparse.

    Args:
        similarity: ``(batch, kernels, *space)``.
        density: ignored; here so that every activation is called alike.

    Returns:
        `similarity` itself.
    """
    return similarity


def relu(similarity: Tensor, density: Density = 0) -> Tensor:  # noqa: ARG001
    """Keep the positive entries: the usual reference.

    Args:
        similarity: ``(batch, kernels, *space)``.
        density: ignored; here so that every activation is called alike.

    Returns:
        Activations, ``(batch, kernels, *space)``.
    """
    return similarity.relu()


def topk(similarity: Tensor, density: Density) -> Tensor:
    """Keep the entries of largest magnitude of each map ([SAN] Algorithm 1).

    Args:
        similarity: ``(batch, kernels, *space)``.
        density: entries to keep in a map, from 1 to all; of equal ones the first are kept.

    Returns:
        Activations, ``(batch, kernels, *space)``.

    Raises:
        ValueError: if `density` is out of range.
    """
    samples = similarity.shape[2:].numel()
    return _keep("topk", similarity, _checked("k", density, similarity, samples))


def extrema_pool(similarity: Tensor, density: Density) -> Tensor:
    """Keep the entry of largest magnitude in each cell of a regular grid ([SAN] Algorithm 2).

    Args:
        similarity: ``(batch, kernels, *space)``.
        density: side of a cell, in samples, from 1 to the smallest side of the map; a cell cut off
            by the far border keeps nothing.

    Returns:
        Activations, ``(batch, kernels, *space)``, at most one in a cell.

    Raises:
        ValueError: if `density` is out of range.
    """
    side = min(similarity.shape[2:])
    return _keep("extrema_pool", similarity, _checked("the cell size", density, similarity, side))


def extrema(similarity: Tensor, density: Density) -> Tensor:
    """Keep the local extrema that survive a greedy selection by magnitude ([SAN] Algorithm 3).

    A candidate is a positive local maximum or a non-positive local minimum, along every axis;
    beyond the border a map continues with its last value. From the largest magnitude down, a
    candidate is kept if no kept one lies within `density` samples of it along every axis.

    Args:
        similarity: ``(batch, kernels, *space)``.
        density: minimum distance between kept extrema, in samples, from 1.

    Returns:
        Activations, ``(batch, kernels, *space)``.

    Raises:
        ValueError: if `density` is out of range.
    """
    return _keep("extrema", similarity, _checked("the distance", density, similarity))


def competing_extrema(similarity: Tensor, density: Density, rivals: int | None = None) -> Tensor:
    """Keep the local extrema that survive a selection in which kernels compete for territory.

    The candidates are those of `extrema`. Those of all rivals are visited together, from the
    largest magnitude down, and of equal ones that of the first kernel first, then the first of its
    map. A kept one claims everything within the density of its own kernel: a candidate of any
    kernel is kept if it does not lie there, along every axis, for a kept one of any rival. So two
    spikes of kernels of different densities may lie nearer to each other than the larger density,
    if that of the larger density is the weaker one.

    Args:
        similarity: ``(batch, kernels, *space)``.
        density: how far a kept extremum of each kernel claims territory, in samples, from 1.
        rivals: how many kernels in a row compete, such as those of each network of several; a
            divisor of `kernels`. None: all.

    Returns:
        Activations, ``(batch, kernels, *space)``.

    Raises:
        ValueError: if `density` or `rivals` is out of range.
    """
    densities = _checked("the distance", density, similarity)
    kernels = len(densities)
    rivals = kernels if rivals is None else rivals
    if rivals < 1 or kernels % rivals:
        raise ValueError(f"{kernels} kernels cannot compete {rivals} by {rivals}")
    return _keep("competing_extrema", similarity, densities, rivals)


def by_kernel(density: Density, similarity: Tensor) -> Tensor:
    """Return densities as ``(kernels, 1)`` or ``(kernels, 1, 1)``, to compute with a similarity.

    Args:
        density: one number for every kernel, or one for each.
        similarity: ``(batch, kernels, *space)``; the densities have its precision and device.

    Raises:
        ValueError: if there is not one density for each kernel.
    """
    densities = _one_each(density, similarity)
    return similarity.new_tensor(densities).view(-1, *[1] * (similarity.ndim - 2))


def _one_each(density: Density, similarity: Tensor) -> tuple[float, ...]:
    """Return one density for each kernel of a similarity."""
    kernels = similarity.shape[1]
    densities = tuple(density) if isinstance(density, Iterable) else (density,) * kernels
    if len(densities) != kernels:
        raise ValueError(f"{len(densities)} densities for {kernels} kernels: give one for each")
    return densities


def _checked(
    name: str, density: Density, similarity: Tensor, most: int | None = None
) -> tuple[int, ...]:
    """Return one whole density for each kernel, each from 1 to `most`."""
    densities = tuple(_whole(name, value) for value in _one_each(density, similarity))
    for value in densities:
        if value < 1 or (most is not None and value > most):
            wanted = "at least 1" if most is None else f"between 1 and {most} on this map"
            raise ValueError(f"{name} must be {wanted}, not {value}")
    return densities


def _whole(name: str, value: float) -> int:
    """Return a whole number as an integer of Python."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number, not {value}")
    return index(value)


def _keep(selection: str, similarity: Tensor, densities: tuple[int, ...], *rivals: int) -> Tensor:
    """Keep what the selection of that name selects, one density for each kernel."""
    maps = similarity.detach().flatten(0, 1)
    if not maps.dtype.itemsize >= 4:  # numba knows no half precision
        maps = maps.float()
    select = _selected_by_loops if maps.device.type == "cpu" else _selected_by_tensors
    mask = select(selection, maps, densities * len(similarity), *rivals)
    return similarity.where(mask.view_as(similarity), 0)


def _selected_by_loops(
    selection: str, maps: Tensor, densities: tuple[int, ...], *rivals: int
) -> Tensor:
    """Return the mask of maps ``(maps, *space)`` on the CPU, one density for each map."""
    import numpy as np
    import torch

    from sans.selection import loops

    select: dict[str, Callable[..., Any]] = {
        "topk": loops.topk,
        "extrema_pool": loops.extrema_pool,
        "extrema": loops.extrema,
        "competing_extrema": loops.competing_extrema,
    }
    found = select[selection](maps.numpy(), np.array(densities, np.int64), *rivals)
    return torch.from_numpy(found)


def _selected_by_tensors(
    selection: str, maps: Tensor, densities: tuple[int, ...], *rivals: int
) -> Tensor:
    """Return the same mask on any device."""
    import torch

    from sans.selection import tensors

    select: dict[str, Callable[..., Tensor]] = {
        "topk": tensors.topk,
        "extrema_pool": tensors.extrema_pool,
        "extrema": tensors.extrema,
        "competing_extrema": tensors.competing_extrema,
    }
    return select[selection](maps, torch.tensor(densities, device=maps.device), *rivals)


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation function, and what training must know of it."""

    function: Callable[[Tensor, Density], Tensor]
    """From similarity and density to activations."""

    paper_density: Callable[[int, int, int, int], float]
    """From kernel size, side of the signal, dimensions and tolerance to a density; 0: none."""

    keeps: bool = True
    """Whether every activation that is not zero is an entry of the similarity, unchanged; training
    sums its gradient where there are spikes then, and differentiates the function otherwise."""

    real_density: bool = False
    """Whether the density may be any number, such as a threshold; otherwise it counts samples or
    entries, and is whole."""

    def __call__(self, similarity: Tensor, density: Density = 0) -> Tensor:
        """Return the activations: what `function` makes of `similarity`."""
        return self.function(similarity, density)


def _no_density(size: int, side: int, dimensions: int, tolerance: int) -> int:  # noqa: ARG001
    return 0


def _cells_of_a_map(size: int, side: int, dimensions: int, tolerance: int) -> int:  # noqa: ARG001
    return int((side // size) ** dimensions)


def _size_of_a_kernel(size: int, side: int, dimensions: int, tolerance: int) -> int:  # noqa: ARG001
    return size


def _nearly_a_kernel(size: int, side: int, dimensions: int, tolerance: int) -> int:  # noqa: ARG001
    return max(1, size - tolerance)


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(identity, _no_density),
    "relu": Activation(relu, _no_density),
    "topk": Activation(topk, _cells_of_a_map),
    "extrema-pool": Activation(extrema_pool, _size_of_a_kernel),
    "extrema": Activation(extrema, _nearly_a_kernel),
}
"""Every activation by the name that the command line and the model files know it by."""
