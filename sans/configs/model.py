"""What a network is, and what a user asks of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from sans.activations import ACTIVATIONS
from sans.configs.checks import check_name, integers
from sans.options import NETWORK, PURSUIT, numbers, option, real_numbers, whole_numbers, with_commas
from sans.pursuit.stop import Stop
from sans.stretching import stretched_size

ENCODERS = ("single-pass", "pursuit")
DECODERS = ("adjoint", "paper")
REFITS = ("squares", "absolute", "places")

MOST_KERNELS = 2**16
"""Kernels of one size; more than any signal here has samples to tell them apart."""

LONGEST_STRETCH = 16.0
"""How many times longer or shorter a stretched kernel may be."""

Numbers = tuple[float, ...]
"""Densities: whole numbers but for activations that take real ones."""


def _later(default: Any) -> Any:
    """Return a field that earlier versions did not have: files leave it out at its default."""
    return field(default=default, metadata={"later": True})


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Everything that a network is, but its weights.

    Examples:
        >>> from sans import ModelConfig
        >>> config = ModelConfig(activation="extrema", kernel_sizes=(15, 31))
        >>> config.densities  # by the paper's rule: three less
        (12, 28)
        >>> config.weights
        46
    """

    activation: str = "extrema"
    """A name in `sans.ACTIVATIONS`."""

    kernel_sizes: tuple[int, ...] = (15,)
    """Samples along each side of every kernel."""

    densities: Numbers = ()
    """The density parameter of the activation for every kernel, 0 where the activation has none.
    Where it is left out: the paper's rule, with the tolerance 3 for signals and 2 for images; the
    rule of `topk` needs the size of the signals, see `ModelOptions.config`."""

    dimensions: int = 1
    """Dimensions of space: 1 for signals, 2 for images."""

    decoder: str = "adjoint"
    """`adjoint`: an activation draws its kernel; `paper`: it draws it mirrored, as published."""

    competition: bool = _later(False)
    """Whether kernels compete for territory: no spike of any kernel lies within the distance of
    `extrema` of a stronger one, the distance of the kernel of the stronger; see
    `sans.activations.competing_extrema`."""

    encoder: str = _later("single-pass")
    """`single-pass`: the activation function; `pursuit`: spikes are chosen again and again on what
    is not described yet, see `sans.pursuit`; the activation function has no part in it then."""

    stop: str = _later("phi")
    """When a pursuit stops, see `sans.pursuit.stop.Stop`."""

    refit: str = _later("squares")
    """What the amplitudes of a pursuit minimise: the sum of `squares` of what is left, or, in a
    last step, its sum of `absolute` values, which is what φ counts; with `places`, spikes move in
    that step, too, where φ falls by it."""

    stretches: tuple[float, ...] = _later(())
    """Factors by which every kernel of a pursuit is stretched in time; each spike takes one of the
    stretched kernels, or the kernel itself."""

    def __post_init__(self) -> None:
        check_name("activation", self.activation, ACTIVATIONS)
        object.__setattr__(self, "stretches", tuple(float(factor) for factor in self.stretches))
        check_encoding(self)
        if self.dimensions not in (1, 2):
            raise ValueError(f"a signal has 1 or 2 dimensions of space, not {self.dimensions}")
        if self.stretches and self.dimensions != 1:
            raise ValueError("kernels of signals stretch in time, not those of images")
        object.__setattr__(self, "kernel_sizes", integers("kernel sizes", self.kernel_sizes))
        if not self.kernel_sizes or min(self.kernel_sizes) < 1:
            raise ValueError(f"kernel sizes must be at least 1, not {list(self.kernel_sizes)}")
        densities = checked_densities(self) or self._densities_by_rule()
        object.__setattr__(self, "densities", densities)
        if len(self.densities) != len(self.kernel_sizes):
            raise ValueError(
                f"{len(self.densities)} densities for {len(self.kernel_sizes)} kernels: "
                "give one for each"
            )

    def _densities_by_rule(self) -> Numbers:
        """Return the densities that the paper's rule gives without knowing the signals."""
        if self.activation == "topk":
            raise ValueError("topk has no densities: give k for each kernel, or see ModelOptions")
        rule, tolerance = ACTIVATIONS[self.activation].paper_density, 4 - self.dimensions
        return tuple(rule(size, size, self.dimensions, tolerance) for size in self.kernel_sizes)

    @property
    def label(self) -> str:
        """What finds the spikes: the name of the activation, or pursuit."""
        return self.encoder if self.encoder == "pursuit" else self.activation

    @property
    def weights(self) -> int:
        """The count of scalars in all kernels together, W of φ."""
        return sum(size**self.dimensions for size in self.kernel_sizes)

    def check_space(self, space: Sequence[int]) -> None:
        """Raise a ValueError unless kernels of this network fit signals of shape ``(*space)``."""
        if len(space) != self.dimensions:
            kind = {1: "signals", 2: "images"}[self.dimensions]
            raise ValueError(f"the network is for {kind}, not for data of shape {tuple(space)}")
        drawn = [stretched_size(m, f) for m in self.kernel_sizes for f in (1, *self.stretches)]
        if (largest := max(drawn)) > min(space):
            raise ValueError(f"the kernel size must be between 1 and {min(space)}, not {largest}")


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
        (15,),
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
        "When a pursuit stops: phi, count=N, error=X or threshold=X.",
        PURSUIT,
        later=True,
        metavar="RULE",
    )
    """When a pursuit stops: phi, count=…, error=… or threshold=…."""

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

    def __post_init__(self) -> None:
        check_name("activation", self.activation, ACTIVATIONS)
        object.__setattr__(self, "stretches", tuple(float(factor) for factor in self.stretches))
        check_encoding(self)
        object.__setattr__(self, "kernel_size", integers("kernel sizes", self.kernel_size))
        if self.density is not None:
            object.__setattr__(self, "density", checked_densities(self))
        if not 1 <= self.kernels <= MOST_KERNELS:
            raise ValueError(f"kernels must be between 1 and {MOST_KERNELS}, not {self.kernels}")
        if not self.kernel_size or min(self.kernel_size) < 1:
            raise ValueError(
                f"the kernel size must be at least 1, not {min(self.kernel_size, default=0)}"
            )
        if self.density is not None and len(self.density) not in (1, len(self.kernel_size)):
            raise ValueError(
                f"{len(self.density)} densities for {len(self.kernel_size)} kernel sizes: "
                "give one for all, or one for each"
            )

    def config(self, space: Sequence[int], tolerance: int) -> ModelConfig:
        """Return the configuration for signals of shape ``(*space)``.

        Args:
            space: samples along each dimension of the signals.
            tolerance: what the paper's rule for `extrema` subtracts from the kernel size.

        Raises:
            ValueError: if a kernel does not fit the signals.
        """
        sizes = self.kernel_size
        if self.density is None:
            rule = ACTIVATIONS[self.activation].paper_density
            densities: list[float] = [
                rule(size, min(space), len(space), tolerance) for size in sizes
            ]
        else:
            densities = list(self.density) * (len(sizes) // len(self.density))
        config = ModelConfig(
            activation=self.activation,
            kernel_sizes=tuple(size for size in sizes for _ in range(self.kernels)),
            densities=tuple(density for density in densities for _ in range(self.kernels)),
            dimensions=len(space),
            decoder=self.decoder,
            competition=self.competition,
            encoder=self.encoder,
            stop=self.stop,
            refit=self.refit,
            stretches=self.stretches,
        )
        config.check_space(space)
        return config


def check_encoding(config: ModelConfig | ModelOptions) -> None:
    """Raise a ValueError unless the encoder, its options and the decoder exist and agree.

    The stop is rewritten as every equal stop is written.
    """
    check_name("decoder", config.decoder, DECODERS)
    check_name("encoder", config.encoder, ENCODERS)
    check_name("refit", config.refit, REFITS)
    object.__setattr__(config, "stop", Stop.parse(config.stop).text)  # one stop, one text
    if config.competition and config.activation != "extrema":
        raise ValueError(f"kernels compete with extrema only, not with {config.activation}")
    if config.encoder == "pursuit" and config.decoder != "adjoint":
        raise ValueError(f"a pursuit draws with the decoder adjoint, not with {config.decoder}")
    if config.encoder != "pursuit":
        given = {"stop": config.stop != "phi", "refit": config.refit != "squares"}
        given["stretches"] = bool(config.stretches)
        if unfit := [name for name, other in given.items() if other]:
            names = " and ".join(unfit)
            raise ValueError(f"only the encoder pursuit has {names}, not single-pass")
    for factor in config.stretches:
        if not 1 / LONGEST_STRETCH <= factor <= LONGEST_STRETCH or factor == 1:
            raise ValueError(
                f"a stretch must be between 1/{LONGEST_STRETCH:g} and {LONGEST_STRETCH:g}, "
                f"and not 1: not {factor:g}"
            )


def checked_densities(config: ModelConfig | ModelOptions) -> Numbers:
    """Return the densities of a configuration, whole ones as integers of Python.

    Raises:
        TypeError: if one of them is no number.
        ValueError: if the activation counts in whole numbers and one is not whole, or not finite.
    """
    values = tuple((config.density if isinstance(config, ModelOptions) else config.densities) or ())
    real = [float(each) for each in values if _is_real(each)]
    broken = [each for each in real if not each.is_integer()]
    if broken and not ACTIVATIONS[config.activation].real_density:
        raise ValueError(f"densities of {config.activation} are whole numbers, not {broken[0]}")
    if not all(map(math.isfinite, real)):
        raise ValueError(f"densities must be finite numbers, not {list(values)}")
    whole = integers("densities", (each for each in values if not _is_real(each)))
    if not real:
        return whole
    return tuple(int(each) if float(each).is_integer() else float(each) for each in values)


def _is_real(value: Any) -> bool:
    """Return whether a value is a number that is not of a type of integers."""
    return isinstance(value, Real) and not isinstance(value, Integral)
