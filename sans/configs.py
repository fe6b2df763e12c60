"""What a user chooses: the options of a model and of its training, checked where they are made.

Nothing here imports torch, so that the command line can name options and defaults at once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from operator import index
from typing import Any, TypeVar

from sans.activations import ACTIVATIONS
from sans.pursuit.stop import Stop
from sans.stretching import stretched_size

Config = TypeVar("Config")

ENCODERS = ("single-pass", "pursuit")
DECODERS = ("adjoint", "paper")
REFITS = ("squares", "absolute", "places")
STARTS = ("constant", "random", "data")
DEVICES = ("auto", "cpu", "cuda")

LARGEST = 2**63
"""Sizes, counts and seeds lie below this, as the integers of numpy and torch do."""

MOST_KERNELS = 2**16
"""Kernels of one size; more than any signal here has samples to tell them apart."""

LARGEST_LR = 1e30
"""No step may leave the range of the numbers that it is computed with."""

LONGEST_STRETCH = 16.0
"""How many times longer or shorter a stretched kernel may be."""


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

    densities: tuple[int, ...] = ()
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
        densities = integers("densities", self.densities) or self._densities_by_rule()
        object.__setattr__(self, "densities", densities)
        if len(self.densities) != len(self.kernel_sizes):
            raise ValueError(
                f"{len(self.densities)} densities for {len(self.kernel_sizes)} kernels: "
                "give one for each"
            )

    def _densities_by_rule(self) -> tuple[int, ...]:
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

    activation: str = "extrema"
    """Which entries to keep."""

    kernels: int = 1
    """Kernels of each size."""

    kernel_size: tuple[int, ...] = (15,)
    """Samples along each side of the kernels."""

    density: tuple[int, ...] | None = None
    """The activation's density, one for all or one for each size; None: the paper's rule."""

    decoder: str = "adjoint"
    """How activations draw kernels."""

    competition: bool = _later(False)
    """Whether the distance of `extrema` holds between the spikes of all kernels, too."""

    encoder: str = _later("single-pass")
    """How spikes are found."""

    stop: str = _later("phi")
    """When a pursuit stops: phi, count=…, error=… or threshold=…."""

    refit: str = _later("squares")
    """What the last step of a pursuit refits."""

    stretches: tuple[float, ...] = _later(())
    """Factors by which kernels of a pursuit are stretched in time."""

    def __post_init__(self) -> None:
        check_name("activation", self.activation, ACTIVATIONS)
        object.__setattr__(self, "stretches", tuple(float(factor) for factor in self.stretches))
        check_encoding(self)
        object.__setattr__(self, "kernel_size", integers("kernel sizes", self.kernel_size))
        if self.density is not None:
            object.__setattr__(self, "density", integers("densities", self.density))
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
            densities = [rule(size, min(space), len(space), tolerance) for size in sizes]
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


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How a network is trained; the defaults are the paper's for recordings.

    Examples:
        >>> from sans import TrainConfig
        >>> TrainConfig(epochs=5).batch_size
        2
        >>> TrainConfig(epochs=-1)
        Traceback (most recent call last):
        ValueError: ...
    """

    epochs: int = 30
    """Passes over the training signals."""

    batch_size: int = 2
    """Signals a step."""

    lr: float = 0.01
    """Learning rate of Adam."""

    seed: int = 0
    """Seed of the start and of the order of the signals."""

    start: str | None = None
    """`constant` (0.1 everywhere), `random` (0.1 times a normal number) or `data` (pieces of
    training signals, of norm 1); None: data for a pursuit, otherwise constant for one kernel and
    random for several."""

    device: str = "auto"
    """`cpu`, `cuda`, or `auto`: cuda where there is one."""

    anneal: float = _later(1.0)
    """How many times its final value the distance of `extrema` is in the first epoch; it falls
    along half a cosine, to reach that value in the last of `epochs`: a run that goes on with other
    epochs goes on along another cosine. Only steps of training have it. 1: it stays."""

    dropout: float = _later(0.0)
    """The share of activations that each training step leaves out, at random; those that stay keep
    their value."""

    grow: int = _later(0)
    """Kernels that a pursuit may add, one at a time, as long as validation φ̄ falls."""

    adapt: bool = _later(False)
    """Whether kernels of a pursuit become longer or shorter, more or fewer, where training φ̄
    falls by it."""

    def __post_init__(self) -> None:
        if self.start is not None:
            check_name("start", self.start, STARTS)
        check_name("device", self.device, DEVICES)
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0), ("grow", 0)):
            said = name.replace("_", " ")
            (value,) = integers(said, (getattr(self, name),))
            if value < least:
                raise ValueError(f"{said} must be at least {least}, not {value}")
        if not (self.lr > 0 and math.isfinite(self.lr)):
            raise ValueError(f"lr must be a positive number, not {self.lr}")
        if self.lr > LARGEST_LR:
            raise ValueError(f"lr must be at most {LARGEST_LR:g}, not {self.lr:g}")
        if not (1 <= self.anneal < LARGEST):
            raise ValueError(f"anneal must be a number from 1 on, not {self.anneal:g}")
        if not (0 <= self.dropout < 1):
            raise ValueError(f"dropout must be from 0 to below 1, not {self.dropout:g}")

    def start_for(self, model: ModelConfig) -> str:
        """Return the start for `model`: the one asked for, or the paper's."""
        if self.start is None and model.encoder == "pursuit":
            return "data"
        return self.start or ("constant" if len(model.kernel_sizes) == 1 else "random")

    def check_model(self, model: ModelConfig) -> None:
        """Raise a ValueError unless `model` has what these settings change."""
        pursuit = model.encoder == "pursuit"
        if self.anneal > 1 and (pursuit or model.activation != "extrema"):
            name = model.encoder if pursuit else model.activation
            raise ValueError(f"the distance of extrema is annealed, and {name} has none: anneal 1")
        if (self.grow or self.adapt) and not pursuit:
            raise ValueError("kernels grow and adapt with the encoder pursuit only")

    def doubts(self, model: ModelConfig) -> tuple[str, ...]:
        """Return what a user should know who trains `model` like this, one sentence each."""
        twins = len(set(model.kernel_sizes)) < len(model.kernel_sizes)
        if twins and self.start_for(model) == "constant":
            return (
                "kernels of equal size and constant start stay equal for ever: try --start random",
            )
        return ()


def integers(name: str, values: Iterable[Any]) -> tuple[int, ...]:
    """Return `values` as Python integers, numpy's too.

    Raises:
        TypeError: if one of them is not a whole number.
        ValueError: if one of them is not below `LARGEST`.
    """
    values = tuple(values)
    if any(isinstance(value, bool) or not hasattr(value, "__index__") for value in values):
        raise TypeError(f"{name} must be integers, not {list(values)}")
    if any(abs(value) >= LARGEST for value in values):
        raise ValueError(f"{name} must be below {LARGEST}, not {list(values)}")
    return tuple(index(value) for value in values)


def check_name(kind: str, name: str, known: Collection[str]) -> None:
    """Raise a ValueError that names the nearest of `known` unless `name` is one of them."""
    if name in known:
        return
    near = get_close_matches(name, known, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    raise ValueError(f"there is no {kind} {name!r}; {hint}")


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


def to_mapping(config: Any) -> dict[str, Any]:
    """Return the fields of a configuration as JSON values, as `from_mapping` reads them.

    What earlier versions did not have is left out at its default: equal networks then have equal
    files and identifiers, whichever version made them.
    """
    values = asdict(config)
    for each in fields(config):
        if each.metadata.get("later") and values[each.name] == each.default:
            del values[each.name]
    return values


def from_mapping(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Return the dataclass `kind` with the fields that `values`, read from a file, describe.

    Raises:
        ValueError: if a key is unknown or missing, or a value is illegal.
    """
    known = {each.name: each.metadata for each in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - set(known)):
        raise ValueError(
            f"unknown configuration keys {unknown}: this version knows {sorted(known)}"
        )
    wanted = {name for name, metadata in known.items() if not metadata.get("later")}
    if missing := sorted(wanted - set(values)):
        raise ValueError(f"the configuration lacks {missing}")
    return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
