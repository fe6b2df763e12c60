"""What the spikes of a network may draw, while it is learned: its texts and their arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from sans.configs import ModelConfig, TrainConfig
from sans.configs.layout import Member
from sans.convolution.frames import Floats
from sans.dictionary_learning.items import Item, apart, texts_of, together
from sans.dictionary_learning.pieces import cut, unit
from sans.model_kernels import (
    dictionary_of,
    fixed_patterns,
    kernel_shapes,
    patterns_by_kernel,
    sampled_kernel,
)
from sans.pursuit.dictionary import Dictionary
from sans.training.starts import start_network


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Kernels given by texts: what formulas draw, and what has been learned."""

    config: ModelConfig
    """The network that they make."""

    kernels: tuple[Floats, ...]
    """The weights of each kernel of `ModelConfig.layout`: ``(*side,)``, or of full rank
    ``(leads, *side)``; of norm 1."""

    patterns: tuple[Floats, ...] = ()
    """Every pattern of leads of the layout, ``(leads,)``, of norm 1."""

    @property
    def dictionary(self) -> Dictionary:
        """All that spikes may draw."""
        patterns = patterns_by_kernel(self.config, self.patterns)
        return dictionary_of(self.config, self.kernels, patterns)

    @property
    def learned(self) -> tuple[bool, ...]:
        """Which kernels are learned, weight by weight."""
        return tuple(member.learned for member in self.config.layout.members)

    @property
    def moving(self) -> bool:
        """Whether there is a weight or a pattern to be learned."""
        return any(self.learned) or None in self.config.layout.patterns

    def items(self) -> list[Item]:
        """Return the kernels item by item, for a search to exchange."""
        members = [*zip(self.config.layout.members, self.kernels, strict=True)]
        found: list[Item] = []
        for number, spec in enumerate(self.config.specs):
            own = [(member, kernel) for member, kernel in members if member.spec == number]
            parts = apart(spec)
            each = len(own) // len(parts) if spec.learned else len(own)
            for i, part in enumerate(parts):
                some = own[i * each : (i + 1) * each] if spec.learned else own
                kernels = tuple(kernel for _, kernel in some) if spec.learned else ()
                found.append(Item(part, kernels, self._free([member for member, _ in some])))
        return found

    def _free(self, members: Sequence[Member]) -> tuple[Floats, ...]:
        """Return the learned patterns of leads of some kernels, each once."""
        layout = self.config.layout
        places = dict.fromkeys(m.pattern for m in members if m.pattern is not None)
        return tuple(self.patterns[p] for p in places if layout.patterns[p] is None)


def in_texts(model: ModelConfig) -> ModelConfig:
    """Return a network whose kernels are given by texts: itself, or by those of learned kernels."""
    return replace(model, kernel=model.texts)


def started(model: ModelConfig, training: Tensor, config: TrainConfig) -> Shapes:
    """Return what training starts from; arguments are those of `start_network`."""
    kernels, patterns = start_network(model, training, config)
    arrays = tuple(unit(kernel.double().numpy()) for kernel in kernels)
    return Shapes(model, arrays, tuple(unit(each.double().numpy()) for each in patterns))


def assembled(
    model: ModelConfig,
    items: Sequence[Item],
    signals: Floats,
    random: np.random.Generator,
) -> Shapes:
    """Return the network that items make.

    Args:
        model: what else the network is.
        items: what spikes may draw.
        signals: ``(signals, leads, *space)``, where learned kernels without weights start.
        random: what chooses where they start.

    Raises:
        ValueError: if they make none.
    """
    config = model.with_kernel(texts_of(items), min(signals.shape[2:]))
    groups = [group for _, group in together(items)]
    stored = [iter([k for item in group for k in _weights(item)]) for group in groups]
    kernels: list[Floats] = []
    for member, shape in zip(config.layout.members, kernel_shapes(config), strict=True):
        kernel: Floats | None = None
        if member.learned:
            kernel = next(stored[member.spec], None)
            kernel = _piece(signals, shape, member, random) if kernel is None else kernel
        else:
            kernel = sampled_kernel(member, config.dimensions).astype(np.float64)
        kernels.append(kernel)
    return Shapes(config, tuple(kernels), _patterns(config, groups))


def _patterns(config: ModelConfig, groups: Sequence[Sequence[Item]]) -> tuple[Floats, ...]:
    """Return the patterns of a layout: the fixed ones, those of items, and equal entries.

    Args:
        config: the network.
        groups: the items of every spec.
    """
    layout = config.layout
    found: list[Floats] = [each.astype(np.float64) for each in fixed_patterns(config)]
    own = [iter(_known(group)) for group in groups]
    placed: set[int] = set()
    for member in layout.members:
        place = member.pattern
        if place is not None and layout.patterns[place] is None and place not in placed:
            placed.add(place)
            found[place] = next(own[member.spec], found[place])
    return tuple(found)


def _known(group: Sequence[Item]) -> list[Floats]:
    """Return the learned patterns of a spec's items; members of a formula share one."""
    patterns = [pattern for item in group for pattern in item.patterns]
    return patterns if group[0].spec.learned else patterns[:1]


def _weights(item: Item) -> Sequence[Floats | None]:
    """Return the arrays of an item; None of a learned kernel that has none yet."""
    return item.kernels or ((None,) if item.spec.learned else ())


def _piece(
    signals: Floats, shape: tuple[int, ...], member: Member, random: np.random.Generator
) -> Floats:
    """Return a piece of the signals of the shape of a kernel, of norm 1."""
    space = signals.ndim - 2
    if len(shape) > space:
        return unit(np.stack([cut(signals[:, i], shape[-1], random) for i in range(shape[0])]))
    lead = member.lead if member.lead is not None else int(random.integers(signals.shape[1]))
    return cut(np.nan_to_num(signals[:, lead]), shape[-1], random)


def as_file(shapes: Shapes) -> Shapes:
    """Return shapes with the arrays that a model file will hold."""
    return replace(shapes, kernels=_rounded(shapes.kernels), patterns=_rounded(shapes.patterns))


def _rounded(arrays: tuple[Floats, ...]) -> tuple[Floats, ...]:
    return tuple(np.asarray(each.astype(np.float32), np.float64) for each in arrays)


def equal(first: Shapes, second: Shapes) -> bool:
    """Return whether two networks are the same, as a model file would hold them."""
    if first.config.kernel != second.config.kernel:
        return False
    pairs = zip((*first.kernels, *first.patterns), (*second.kernels, *second.patterns), strict=True)
    return all(np.array_equal(a.astype(np.float32), b.astype(np.float32)) for a, b in pairs)


def stored(state: Mapping[str, Tensor], name: str, model: ModelConfig, side: int) -> Shapes:
    """Return shapes out of a state.

    Raises:
        KeyError, ValueError: if there are none, or none that fit the network.
    """
    texts = json.loads(bytes(state[f"{name}-texts"].tolist()))
    config = model.with_kernel(texts, side)
    layout = config.layout
    kernels = tuple(_array(state, f"{name}.{i}") for i in range(len(layout.members)))
    patterns = tuple(_array(state, f"{name}-pattern.{i}") for i in range(len(layout.patterns)))
    return Shapes(config, kernels, patterns)


def _array(state: Mapping[str, Tensor], key: str) -> Floats:
    return np.array(state[key].double().numpy())
