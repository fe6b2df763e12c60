"""How a network is trained, and what a user asks of a training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sans.configs.checks import LARGEST, check_name, integers
from sans.configs.model import ModelConfig
from sans.options import PURSUIT, TRAINING, WORK, option, same

STARTS = ("constant", "random", "data")
DEVICES = ("auto", "cpu", "cuda")

LARGEST_LR = 1e30
"""No step may leave the range of the numbers that it is computed with."""


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """What a user asks of a training before the data set is known."""

    epochs: int | None = option(
        None,
        "Passes over the training signals.",
        TRAINING,
        unset="the paper's for the data set, 30 or 5",
    )
    """Passes over the training signals; None: the paper's for the data set."""

    batch_size: int | None = option(
        None, "Signals a step.", TRAINING, unset="the paper's for the data set, 2 or 64"
    )
    """Signals a step; None: the paper's for the data set."""

    lr: float = option(0.01, "Learning rate of Adam.", TRAINING)
    """Learning rate of Adam."""

    seed: int = option(0, "Seed of the start, the order of the signals and the dropout.", TRAINING)
    """Seed of the start and of the order of the signals."""

    start: str | None = option(
        None,
        "The kernels before the first step.",
        TRAINING,
        unset="constant for one kernel, random for several, data for a pursuit",
        choices=STARTS,
    )
    """`constant` (0.1 everywhere), `random` (0.1 times a normal number) or `data` (pieces of
    training signals, of norm 1); None: data for a pursuit, otherwise constant for one kernel and
    random for several."""

    device: str = option("auto", "Where networks are trained and scored.", WORK, choices=DEVICES)
    """`cpu`, `cuda`, or `auto`: cuda where there is one."""

    anneal: float = option(
        1.0,
        "How many times longer the distance of extrema is at first; it falls along a cosine.",
        TRAINING,
        later=True,
    )
    """How many times its final value the distance of `extrema` is in the first epoch; it falls
    along half a cosine, to reach that value in the last of `epochs`: a run that goes on with other
    epochs goes on along another cosine. Only steps of training have it. 1: it stays."""

    dropout: float = option(
        0.0, "Share of the activations that each training step leaves out.", TRAINING, later=True
    )
    """The share of activations that each training step leaves out, at random; those that stay keep
    their value."""

    grow: int = option(0, "Kernels that a pursuit may add.", PURSUIT, later=True)
    """Kernels that a pursuit may add, one at a time, as long as validation φ̄ falls."""

    adapt: bool = option(
        False,
        "Let kernels of a pursuit become longer, shorter, more or fewer.",
        PURSUIT,
        later=True,
    )
    """Whether kernels of a pursuit become longer or shorter, more or fewer, where training φ̄
    falls by it."""

    learn_parameters: bool = option(
        False,
        "Learn the widths, rates and phases of the members that --kernel chooses.",
        TRAINING,
        later=True,
    )
    """Whether the parameters of members that are chosen one by one, such as those of hann:9,17, are
    learned by gradient, too; standard banks and grids stay."""

    def __post_init__(self) -> None:
        if self.start is not None:
            check_name("start", self.start, STARTS)
        check_name("device", self.device, DEVICES)
        unsaid = [
            each.name for each in fields(self) if each.default is getattr(self, each.name) is None
        ]
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0), ("grow", 0)):
            if name in unsaid:
                continue
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

    @classmethod
    def of(cls, values: TrainOptions | Mapping[str, Any]) -> TrainOptions:
        """Return options that are given as such or by name, as `TrainOptions` or as a mapping."""
        return values if isinstance(values, TrainOptions) else cls(**values)

    def config(self, epochs: int, batch_size: int) -> TrainConfig:
        """Return the configuration, with the epochs and the batch size that are not asked for."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        recipe = {"epochs": epochs, "batch_size": batch_size}
        return TrainConfig(**values | {n: v for n, v in recipe.items() if values[n] is None})


@dataclass(frozen=True, slots=True)
class TrainConfig(TrainOptions):
    """How a network is trained; the defaults are the paper's for recordings.

    Examples:
        >>> from sans import TrainConfig
        >>> TrainConfig(epochs=5).batch_size
        2
        >>> TrainConfig(epochs=-1)
        Traceback (most recent call last):
        ValueError: ...
    """

    epochs: int = same(TrainOptions, "epochs", default=30)
    """Passes over the training signals."""

    batch_size: int = same(TrainOptions, "batch_size", default=2)
    """Signals a step."""

    def start_for(self, model: ModelConfig) -> str:
        """Return the start for `model`: the one asked for, or the paper's."""
        if self.start is None and model.encoder == "pursuit":
            return "data"
        return self.start or ("constant" if len(model.learned_sizes) == 1 else "random")

    def check_model(self, model: ModelConfig) -> None:
        """Raise a ValueError unless `model` has what these settings change."""
        pursuit = model.encoder == "pursuit"
        if self.anneal > 1 and (pursuit or model.activation != "extrema"):
            name = model.encoder if pursuit else model.activation
            raise ValueError(f"the distance of extrema is annealed, and {name} has none: anneal 1")
        if (self.grow or self.adapt) and not pursuit:
            raise ValueError("kernels grow and adapt with the encoder pursuit only")
        if self.grow and (model.kernel or model.leads > 1):
            raise ValueError(
                "kernels of several leads, or given by texts, do not grow one by one: adapt them"
            )
        if self.learn_parameters and pursuit:
            raise ValueError("a pursuit has no gradient to learn parameters of formulas by")
        if self.learn_parameters and not any(spec.chosen for spec in model.specs):
            raise ValueError(
                "there are no parameters to learn: choose members of formulas, such as hann:9,17"
            )

    def doubts(self, model: ModelConfig) -> tuple[str, ...]:
        """Return what a user should know who trains `model` like this, one sentence each."""
        sizes = model.learned_sizes
        twins = len(set(sizes)) < len(sizes)
        if twins and self.start_for(model) == "constant":
            return (
                "kernels of equal size and constant start stay equal for ever: try --start random",
            )
        return ()
