"""What a user asks of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from sans.activations import ACTIVATIONS
from sans.configs.checks import check_name, integers
from sans.configs.encoding import (
    DECODERS,
    ENCODERS,
    RANKS,
    REFITS,
    Numbers,
    check_cosines,
    check_encoding,
    checked_densities,
    checked_texts,
)
from sans.configs.layout import fitting_layout, parsed
from sans.configs.model import SIZES, ModelConfig
from sans.names import plural
from sans.options import NETWORK, PURSUIT, numbers, option, real_numbers, whole_numbers, with_commas

MOST_KERNELS = 2**16
"""Kernels of one size; more than any signal here has samples to tell them apart."""


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What a user asks of a model before the size of the signals is known.

    Examples:
        >>> from sans import ModelOptions
        >>> options = ModelOptions(kernels=2, kernel_size=(15,))
        >>> options.config(space=(1000,), tolerance=3).kernel_sizes
        (15, 15)
    """

    activation: str = option(
        "extrema", "Which entries of a similarity are kept.", NETWORK, choices=tuple(ACTIVATIONS)
    )
    """Which entries to keep."""

    kernels: int = option(1, "Kernels of each size.", NETWORK)
    """Kernels of each size."""

    kernel_size: tuple[int, ...] = option(
        SIZES,
        "Samples along a side of the kernels, such as 15,31.",
        NETWORK,
        parse=whole_numbers,
        show=with_commas,
        metavar="N,…",
    )
    """Samples along each side of the kernels."""

    density: Numbers | None = option(
        None,
        "k of topk, cell of extrema-pool, distance of extrema; one for all, or one for each "
        "kernel size.",
        NETWORK,
        unset="the paper's rule",
        parse=numbers,
        show=with_commas,
        metavar="N,…",
    )
    """The activation's density, one for all or one for each size; None: the paper's rule."""

    decoder: str = option(
        "adjoint",
        "Whether a spike draws its kernel as it is, or mirrored as published.",
        NETWORK,
        choices=DECODERS,
    )
    """How activations draw kernels."""

    competition: bool = option(
        False,
        "Let the distance of extrema hold between the spikes of all kernels.",
        NETWORK,
        later=True,
    )
    """Whether the distance of `extrema` holds between the spikes of all kernels, too."""

    encoder: str = option(
        "single-pass",
        "How spikes are found: at once, or one after another on what is not described yet.",
        NETWORK,
        later=True,
        choices=ENCODERS,
    )
    """How spikes are found."""

    stop: str = option(
        "phi",
        "When a pursuit stops: phi, addressed, count=N, error=X or threshold=X.",
        PURSUIT,
        later=True,
        metavar="RULE",
    )
    """When a pursuit stops: phi, addressed, count=…, error=… or threshold=…."""

    refit: str = option(
        "squares",
        "What a pursuit refits at last: amplitudes by squares of errors or by absolute errors, as "
        "φ counts them, or also where spikes are.",
        PURSUIT,
        later=True,
        choices=REFITS,
    )
    """What the last step of a pursuit refits."""

    stretches: tuple[float, ...] = option(
        (),
        "Factors by which kernels of a pursuit are stretched, such as 0.5,2.",
        PURSUIT,
        later=True,
        unset="none",
        parse=real_numbers,
        show=with_commas,
        metavar="X,…",
        flag="--stretch",
    )
    """Factors by which kernels of a pursuit are stretched in time."""

    kernel: tuple[str, ...] = option(
        (),
        "Kernels by a formula, such as hann:9,17, a standard bank, such as hann, cosines, dct, or "
        "learned ones, learned:30,12; may be given several times.",
        NETWORK,
        later=True,
        unset="learned kernels of --kernel-size",
        metavar="SPEC",
    )
    """Texts that give the kernels; none: learned ones of `kernel_size`."""

    rank: str = option(
        "one",
        "What learned kernels of several leads are: a shape with a pattern of leads, or weights "
        "in every lead.",
        NETWORK,
        later=True,
        choices=RANKS,
    )
    """What learned kernels of several leads are."""

    def __post_init__(self) -> None:
        check_name("activation", self.activation, ACTIVATIONS)
        object.__setattr__(self, "stretches", tuple(float(factor) for factor in self.stretches))
        check_encoding(self)
        object.__setattr__(self, "kernel_size", integers("kernel sizes", self.kernel_size))
        if self.density is not None:
            object.__setattr__(self, "density", checked_densities(self.activation, self.density))
        object.__setattr__(self, "kernel", checked_texts("kernel", self.kernel))
        if self.kernel:
            self._check_kernel()
        if not 1 <= self.kernels <= MOST_KERNELS:
            raise ValueError(f"kernels must be between 1 and {MOST_KERNELS}, not {self.kernels}")
        if not self.kernel_size or min(self.kernel_size) < 1:
            raise ValueError(
                f"the kernel size must be at least 1, not {min(self.kernel_size, default=0)}"
            )
        groups = len(self.kernel or self.kernel_size)
        if self.density is not None and len(self.density) not in (1, groups):
            raise ValueError(
                f"{len(self.density)} densities for "
                f"{plural(groups, '--kernel' if self.kernel else 'kernel size')}: "
                "give one for all, or one for each"
            )

    def _check_kernel(self) -> None:
        """Raise a ValueError unless the texts of kernels are some, and nothing else gives any."""
        defaults = {each.name: each.default for each in fields(self)}
        for name, flag in (("kernel_size", "--kernel-size"), ("kernels", "--kernels")):
            if getattr(self, name) != defaults[name]:
                raise ValueError(f"kernels are given by --kernel or by {flag}, not by both")
        try:
            specs = parsed(self.kernel, 1)
        except ValueError:
            try:  # they may be for images
                specs = parsed(self.kernel, 2)
            except ValueError:
                specs = ()
            if not specs:
                raise
        if any(spec.cosines for spec in specs):
            check_cosines(self.encoder)

    def config(self, space: Sequence[int], tolerance: int, leads: int = 1) -> ModelConfig:
        """Return the configuration for signals of shape ``(leads, *space)``.

        Members of standard banks that are longer than the signals are left out.

        Args:
            space: samples along each dimension of the signals.
            tolerance: what the paper's rule for `extrema` subtracts from the kernel size.
            leads: of the signals.

        Raises:
            ValueError: if a kernel does not fit the signals.
        """
        rank = self.rank if leads > 1 else "one"
        if self.kernel:
            for spec in parsed(self.kernel, len(space)):
                spec.check_space(space)
            found = fitting_layout(self.kernel, len(space), leads, rank, min(space))
            kernels = [(member.size, member.spec) for member in found.members]
        else:
            sizes = enumerate(self.kernel_size)
            kernels = [(size, i) for i, size in sizes for _ in range(self.kernels)]
        config = ModelConfig(
            activation=self.activation,
            kernel_sizes=tuple(size for size, _ in kernels),
            densities=self._densities(kernels, space, tolerance),
            dimensions=len(space),
            decoder=self.decoder,
            competition=self.competition,
            encoder=self.encoder,
            stop=self.stop,
            refit=self.refit,
            stretches=self.stretches,
            kernel=self.kernel,
            leads=leads,
            rank=rank,
        )
        config.check_space(space)
        return config

    def _densities(
        self, kernels: Sequence[tuple[int, int]], space: Sequence[int], tolerance: int
    ) -> Numbers:
        """Return the density of every kernel, given as its size and the number of its group."""
        if self.density is not None:
            each = self.density if len(self.density) > 1 else self.density * (1 + kernels[-1][1])
            return tuple(each[group] for _, group in kernels)
        rule = ACTIVATIONS[self.activation].paper_density
        return tuple(rule(size, min(space), len(space), tolerance) for size, _ in kernels)
