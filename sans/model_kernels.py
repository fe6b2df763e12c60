"""The kernels of networks as arrays: what formulas give, what fits a network, what spikes draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sans.configs import ModelConfig
from sans.configs.layout import Member
from sans.stretching import stretched

if TYPE_CHECKING:
    from sans.pursuit.dictionary import Dictionary

Array = NDArray[Any]

Patterns = Sequence[Any]
"""What each kernel draws in every lead: ``(leads,)``, or None where it has weights of its own in
every lead; none at all for signals of one lead."""


def kernel_shapes(config: ModelConfig) -> list[tuple[int, ...]]:
    """Return the shapes of a network's arrays: ``(*side,)``, or ``(leads, *side)`` of full rank."""
    sides = [(size,) * config.dimensions for size in config.kernel_sizes]
    if config.leads == 1:
        return sides
    members = config.layout.members
    return [
        side if member.pattern is not None else (config.leads, *side)
        for side, member in zip(sides, members, strict=True)
    ]


def sampled_kernel(member: Member, dimensions: int) -> NDArray[np.float32]:
    """Return the weights of a kernel that a formula gives, of norm 1, ``(*side,)``."""
    from sans.families import sampled

    return np.asarray(sampled(member.family, member.parameters, dimensions), np.float32)


def empty_kernels(config: ModelConfig) -> list[NDArray[np.float32]]:
    """Return the kernels of a network that has learned nothing: zeros, and what formulas give."""
    shapes = kernel_shapes(config)
    if not config.kernel:
        return [np.zeros(shape, np.float32) for shape in shapes]
    return [
        np.zeros(shape, np.float32) if member.learned else sampled_kernel(member, config.dimensions)
        for shape, member in zip(shapes, config.layout.members, strict=True)
    ]


def fixed_patterns(config: ModelConfig) -> list[NDArray[np.float32]]:
    """Return all patterns of leads of a network: the fixed ones, and equal entries of the others.

    They are those of `config.layout.patterns`, which several kernels may share.
    """
    equal = np.full(config.leads, config.leads**-0.5, np.float32)
    given = config.layout.patterns if config.leads > 1 else ()
    return [equal.copy() if each is None else np.array(each, np.float32) for each in given]


def patterns_by_kernel(config: ModelConfig, patterns: Sequence[Any]) -> tuple[Any, ...]:
    """Return the pattern of each kernel, None where it has none, out of those of the layout."""
    if config.leads == 1:
        return ()
    places = (member.pattern for member in config.layout.members)
    return tuple(None if place is None else patterns[place] for place in places)


def patterns_by_place(config: ModelConfig, patterns: Patterns) -> list[Any]:
    """Return the patterns of the layout out of those of each kernel.

    Raises:
        ValueError: if a pattern is missing, has another length, or is not that of another kernel
            which shares it.
    """
    members = config.layout.members if config.leads > 1 else ()
    if len(patterns) != len(members):
        raise ValueError(f"{len(patterns)} patterns of leads for {len(members)} kernels")
    found: list[Any] = [None] * len(config.layout.patterns)
    for number, (member, pattern) in enumerate(zip(members, patterns, strict=True), 1):
        shape = None if pattern is None else tuple(pattern.shape)
        wanted = None if member.pattern is None else (config.leads,)
        if shape != wanted:
            raise ValueError(f"the pattern of kernel {number} has the shape {shape}, not {wanted}")
        if member.pattern is None:
            continue
        if found[member.pattern] is not None and (found[member.pattern] != pattern).any():
            raise ValueError(
                f"kernel {number} has another pattern of leads than the kernels it shares one with"
            )
        found[member.pattern] = pattern
    return found


def check_kernels(kernels: Sequence[Any], config: ModelConfig) -> None:
    """Raise a ValueError unless the kernels, arrays or tensors, have the shapes of `config`."""
    wanted = kernel_shapes(config)
    if (found := [tuple(kernel.shape) for kernel in kernels]) != wanted:
        raise ValueError(f"kernels of shapes {found} do not fit a network with {wanted}")


def drawn_kernels(
    config: ModelConfig, kernels: Sequence[Array], patterns: Patterns = ()
) -> list[Array]:
    """Return what spikes draw: every kernel, followed by what stretching makes of it.

    Args:
        config: the network.
        kernels: its arrays.
        patterns: of each kernel.

    Returns:
        ``(*side,)`` each for signals of one lead, ``(leads, *side)`` for several.
    """
    if config.leads > 1:
        pairs = zip(kernels, patterns, strict=True)
        kernels = [kernel if v is None else _in_leads(kernel, v) for kernel, v in pairs]
    return stretched(kernels, config.stretches) if config.stretches else list(kernels)


def dictionary_of(
    config: ModelConfig, kernels: Sequence[Array], patterns: Patterns = ()
) -> Dictionary:
    """Return all that spikes of a network may draw; arguments are those of `drawn_kernels`."""
    from sans.pursuit.dictionary import Dictionary

    drawn = drawn_kernels(config, kernels, patterns)
    if config.leads == 1:
        drawn = [kernel[None] for kernel in drawn]
    return Dictionary(tuple(drawn), config.leads, config.dimensions, config.cosines)


def _in_leads(kernel: Array, pattern: Array) -> Array:
    """Return what a shape draws in every lead, ``(leads, *side)``."""
    product = np.asarray(pattern).reshape(-1, *[1] * kernel.ndim) * kernel
    return np.asarray(product, kernel.dtype)
