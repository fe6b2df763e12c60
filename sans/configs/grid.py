"""What a sweep covers: activations, kernel sizes and seeds, and what all its networks share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sans.activations import ACTIVATIONS
from sans.configs.checks import LARGEST, check_name, integers
from sans.configs.model import ModelConfig
from sans.configs.model_options import ModelOptions
from sans.options import NETWORK, TRAINING, numbers, option, same

MOST_KERNELS_IN_ALL = 2**22
"""Kernels of all networks of a sweep together; more could not even be planned."""

ALL = "all"
"""What stands for every activation."""

SELECTIONS = ("validation", "test")
"""Parts whose φ̄ may choose the best network; the published tables chose by test."""


def ranges(text: str) -> tuple[int, ...]:
    """Return the numbers of a list of numbers and ranges such as "7,15,31:249" or "1:249:4".

    Both ends of a range belong to it.

    Raises:
        ValueError: if a part is no whole number and no range, or a range is empty or reversed.
    """
    parts = [_range(part) for part in text.split(",")]
    if (count := sum(len(part) for part in parts)) > MOST_KERNELS_IN_ALL:
        raise ValueError(f"{text!r} are {count} numbers: at most {MOST_KERNELS_IN_ALL} are read")
    return tuple(number for part in parts for number in part)


def as_ranges(numbers: Sequence[int]) -> str:
    """Return rising numbers as a text that `ranges` reads: three and more in step as a range."""
    parts: list[str] = []
    left = list(numbers)
    while left:
        step = left[1] - left[0] if len(left) > 1 else 1
        run = 1
        while run < len(left) and left[run] - left[run - 1] == step:
            run += 1
        if run < 3:
            run, part = 1, str(left[0])
        else:
            part = f"{left[0]}:{left[run - 1]}" + (f":{step}" if step > 1 else "")
        parts.append(part)
        left = left[run:]
    return ",".join(parts)


def _range(part: str) -> range:
    wanted = f"{part!r} must be a whole number or a range such as 1:249 or 1:249:4"
    try:
        numbers = [int(word) for word in part.split(":")]
    except ValueError:
        raise ValueError(wanted) from None
    step = 1
    match numbers:
        case [first]:
            last = first
        case [first, last]:
            pass
        case [first, last, step]:
            pass
        case _:
            raise ValueError(wanted)
    if step < 1:
        raise ValueError(f"the step of the range {part!r} must be at least 1, not {step}")
    if last < first:
        raise ValueError(f"the range {part!r} is empty: {last} is below {first}")
    if max(-first, last, step) >= LARGEST:
        raise ValueError(f"the numbers of {part!r} must be below {LARGEST}")
    return range(first, last + 1, step)


def activations(text: str) -> tuple[str, ...]:
    """Return the names of a list with commas between, or every name for `ALL`."""
    return tuple(ACTIVATIONS) if text == ALL else tuple(text.split(","))


def _shown_activations(names: Sequence[str]) -> str:
    return ALL if tuple(names) == tuple(ACTIVATIONS) else ",".join(names)


def _one_density(text: str) -> float:
    """Return the number of a text.

    Raises:
        ValueError: if it is no number, or several.
    """
    found = numbers(text)
    if len(found) > 1:
        raise ValueError(f"a sweep has one density for all networks, not {text!r}")
    return found[0]


@dataclass(frozen=True, slots=True)
class Grid:
    """The networks of a sweep: one for each activation, kernel size and seed."""

    activation: tuple[str, ...] = option(
        tuple(ACTIVATIONS),
        f"{ALL}, or some with commas between.",
        NETWORK,
        parse=activations,
        show=_shown_activations,
        choices=(ALL, *ACTIVATIONS),
    )
    """Names in `sans.ACTIVATIONS`."""

    kernel_size: tuple[int, ...] = option(
        tuple(range(1, 250)),
        "Sizes and ranges, such as 7,15,31:249; a network for each.",
        NETWORK,
        parse=ranges,
        show=as_ranges,
        metavar="N:N,…",
    )
    """Samples along a side of the kernels, one network for each."""

    kernels: int = same(ModelOptions, "kernels", help="Kernels of each network.")
    """Kernels of each network, all of one size."""

    density: float | None = option(
        None,
        "One for all networks and activations.",
        NETWORK,
        unset="the paper's rule",
        parse=_one_density,
        metavar="N",
    )
    """The density of every network; None: the paper's rule."""

    decoder: str = same(ModelOptions, "decoder")
    """How activations draw kernels."""

    seeds: int = option(1, "How many seeds, from --seed on.", TRAINING)
    """How many seeds, from that of the training on."""

    def __post_init__(self) -> None:
        for name in self.activation:
            check_name("activation", name, ACTIVATIONS)
        if not self.activation:
            raise ValueError(f"a sweep has at least one activation: {', '.join(ACTIVATIONS)}")
        object.__setattr__(self, "activation", tuple(dict.fromkeys(self.activation)))
        sizes = integers("kernel sizes", self.kernel_size)
        object.__setattr__(self, "kernel_size", tuple(sorted(set(sizes))))
        if not sizes:
            raise ValueError("a sweep has at least one kernel size, not none")
        (seeds,) = integers("seeds", (self.seeds,))
        if seeds < 1:
            raise ValueError(f"seeds must be at least 1, not {seeds}")
        self.options(self.activation[0], min(sizes))  # what is illegal for all shows now
        networks = len(self.activation) * len(self.kernel_size) * seeds
        if networks * self.kernels > MOST_KERNELS_IN_ALL:
            raise ValueError(
                f"{networks} networks have {networks * self.kernels} kernels: at most "
                f"{MOST_KERNELS_IN_ALL} are trained in a sweep"
            )

    def options(self, activation: str, size: int) -> ModelOptions:
        """Return the options of one of the networks."""
        density = None if self.density is None else (self.density,)
        return ModelOptions(activation, self.kernels, (size,), density, self.decoder)

    def models(
        self, activation: str, space: Sequence[int], tolerance: int, leads: int = 1
    ) -> tuple[ModelConfig, ...]:
        """Return the networks of one activation for signals of shape ``(leads, *space)``.

        Sizes that do not fit the signals are left out: `too_large` names them.

        Args:
            activation: one of the grid's.
            space: samples along each dimension of the signals.
            tolerance: as in `ModelOptions.config`.
            leads: of the signals.
        """
        sizes = (size for size in self.kernel_size if size <= min(space))
        return tuple(self.options(activation, m).config(space, tolerance, leads) for m in sizes)

    def too_large(self, space: Sequence[int]) -> tuple[int, ...]:
        """Return the kernel sizes that do not fit signals of shape ``(*space)``."""
        return tuple(size for size in self.kernel_size if size > min(space))
