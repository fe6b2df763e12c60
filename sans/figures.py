"""The figures of merit: one table that says what each is called, its unit and its formula.

What `sans evaluate`, `sweep`, `bench`, `compress` and `reproduce` print they find here, and a new
figure is one row of `METRICS`. The loops of a pursuit have copies of φ of their own, which tests
compare with the table. `sans.metrics` has the same formulas as functions.

Formulas take numpy arrays and torch tensors alike; importing this module does not import torch.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

Column: TypeAlias = Any
"""One figure a signal, ``(batch,)``, as a numpy array or a tensor; or one number."""


@dataclass(frozen=True, eq=False)
class Approximation:
    """Signals, what stands for them and what that costs: all that a formula may read.

    Arrays are all of numpy or all of torch. ``approximation[name]`` is the figure of a row of
    `METRICS`, computed once.
    """

    signals: Any
    """``(batch, 1, *space)``, of floating-point numbers in any unit."""

    reconstruction: Any
    """Like `signals`."""

    spikes: Column = 0
    """A, the count of spikes or coefficients of each signal, ``(batch,)``."""

    weights: Column = 0
    """W, the count of scalars in all kernels together, one for all signals or one for each."""

    published_weights: Column | None = None
    """W as the published tables count it, m for a kernel of m x m; None: they do not compare."""

    shapes: float = 1
    """q, the count of shapes that a spike may have; a basis has 1, and an overcomplete one has its
    coefficients over its places."""

    _found: dict[str, Column] = field(default_factory=dict, init=False, repr=False)

    def __getitem__(self, name: str) -> Column:
        """Return a figure of every signal; if it is no count, in the precision of the signals."""
        if name not in self._found:
            self._found[name] = _rounded(METRICS[name].formula(self), self.signals.dtype)
        return self._found[name]

    @property
    def dimensions(self) -> int:
        """D, the count of dimensions of space."""
        return int(self.signals.ndim) - 2

    @property
    def samples(self) -> int:
        """n, the count of samples of a signal."""
        return math.prod(self.signals.shape[1:])

    @property
    def places(self) -> int:
        """The count of places of one lead, where a spike may lie; n of an address."""
        return math.prod(self.signals.shape[2:])

    @property
    def squared_error(self) -> Column:
        """Σ (x − x̂)² of every signal."""
        return (_double(self.signals - self.reconstruction) ** 2).sum(self._axes)

    @property
    def mean(self) -> Column:
        """The mean of every signal, ``(batch, 1, ...)``."""
        sums = _double(self.signals).sum(self._axes)
        return (sums / self.samples).reshape(-1, *[1] * len(self._axes))

    def energy(self, offset: Column) -> Column:
        """Return Σ (x − offset)² of every signal; `offset` is a number, or shaped as `mean` is."""
        return ((_double(self.signals) - offset) ** 2).sum(self._axes)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(1, self.signals.ndim))


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of merit: a row of `METRICS`."""

    heading: str
    """What tables call its mean over signals, without the unit."""

    formula: Callable[[Any], Column]
    """From an `Approximation` to the figure of every signal. A formula of nothing but `samples`,
    `squared_error`, `mean` and `energy` may also be given sums over a stream."""

    unit: str = ""
    """Its unit; "" where it is a number alone."""

    latex: str = ""
    """What tables for LaTeX call it; "": the heading."""

    compared: str = ""
    """The heading where a basis stands beside a network; "": the same."""

    applies: Callable[[Approximation], bool] = lambda _: True
    """Whether signals of this kind have it."""

    evaluated: bool = True
    """Whether `sans.evaluate` computes it."""

    swept: bool = True
    """Whether a sweep computes it of every network, too."""

    @property
    def head(self) -> str:
        """What stands above its column in a table."""
        return f"{self.heading} {self.unit}".rstrip()

    def title(self, compared: bool = False) -> str:
        """Return what stands before its row in a table.

        Args:
            compared: whether a basis stands beside a network.
        """
        heading = (self.compared if compared else "") or self.heading
        return f"{heading} ({self.unit})" if self.unit else heading


def _verbosity(it: Approximation, weights: Column) -> Column:
    """Return CR⁻¹ = (W + (D + 1) A) / n: numbers kept over samples described ([SAN] Eq. 4)."""
    # In float64: integers divided would have torch's default dtype, whatever that is.
    return _double(weights + (it.dimensions + 1) * it.spikes) / it.samples


def _addressed(it: Approximation) -> Column:
    """Return CR⁻¹ₐ = (W + (1 + D (1 + log q / log n)) A) / n: a spike says which shape it has."""
    share = math.log(it.shapes) / math.log(it.places) if it.places > 1 else 0.0
    price = 1 + it.dimensions * (1 + share)
    return _double(it.weights + price * it.spikes) / it.samples


def _loss(it: Approximation) -> Column:
    """Return L̃ = ‖x̂ − x‖₁ / ‖x‖₁ ([SAN] Eq. 5)."""
    if it.signals.shape != it.reconstruction.shape:
        raise ValueError(
            f"a reconstruction of shape {tuple(it.reconstruction.shape)} for signals of shape "
            f"{tuple(it.signals.shape)}"
        )
    # Summed in float64, where no float32 signal is too loud or too quiet.
    size = _absolute(it.signals)
    if len(quiet := _library(size).argwhere(size == 0)):
        raise ValueError(f"signal {quiet[0].item()} of the batch is zero everywhere: it has no φ")
    return _absolute(it.reconstruction - it.signals) / size


def _hypot(first: Column, second: Column) -> Column:
    return _library(first).hypot(first, second)


def _decibels(ratio: Column) -> Column:
    """Return 10 log₁₀ of a ratio of powers, infinite both ways at its ends."""
    with np.errstate(divide="ignore"):
        return 10 * _library(ratio).log10(ratio)


def percentage(error: Column, size: Column) -> Column:
    """Return 100 √(error / size) of sums of squares: 0 of no error, infinite of nothing but error.

    Args:
        error: Σ (x − x̂)², one for each signal or one alone.
        size: Σ (x − offset)², like `error`.
    """
    library = _library(error)
    some = library.where(error == 0, 1.0, error)  # √ has no slope at 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return library.where(error == 0, 0.0, 100 * library.sqrt(some / size))


def _of_signals(it: Approximation) -> bool:
    return it.dimensions == 1


def _of_images(it: Approximation) -> bool:
    return it.dimensions == 2


def _published(it: Approximation) -> bool:
    return it.published_weights is not None


METRICS: dict[str, Metric] = {
    "phi": Metric(
        "φ̄",
        lambda it: _hypot(it["inverse_compression_ratio"], it["reconstruction_loss"]),
        latex=r"$\bar\varphi$",
    ),
    "phi_addressed": Metric(
        "φ̄ₐ",
        lambda it: _hypot(_addressed(it), it["reconstruction_loss"]),
        latex=r"$\bar\varphi_a$",
    ),
    "inverse_compression_ratio": Metric(
        "CR⁻¹", lambda it: _verbosity(it, it.weights), latex="$CR^{-1}$"
    ),
    "reconstruction_loss": Metric("L̃", _loss, latex=r"$\tilde L$"),
    "spikes": Metric(
        "spikes a signal",
        lambda it: it.spikes,
        compared="spikes or coefficients a signal",
        swept=False,
    ),
    "prdn": Metric(
        "PRDN",
        lambda it: percentage(it.squared_error, it.energy(it.mean)),
        unit="%",
        applies=_of_signals,
        swept=False,
    ),
    "snr": Metric(
        "SNR",
        lambda it: 40 - 2 * _decibels(it["prdn"]),
        unit="dB",
        applies=_of_signals,
        swept=False,
    ),
    "psnr": Metric(
        "PSNR",
        lambda it: -_decibels(it.squared_error / it.samples),  # of a largest legal value of 1
        unit="dB",
        applies=_of_images,
        swept=False,
    ),
    "published_phi": Metric(
        "φ̄, counted as published",
        lambda it: _hypot(it["published_inverse_compression_ratio"], it["reconstruction_loss"]),
        applies=_published,
    ),
    "published_inverse_compression_ratio": Metric(
        "CR⁻¹, counted as published",
        lambda it: _verbosity(it, it.published_weights),
        applies=_published,
    ),
    "prd": Metric(
        "PRD", lambda it: percentage(it.squared_error, it.energy(0.0)), unit="%", evaluated=False
    ),
    "prd1024": Metric(
        "PRD1024",
        lambda it: percentage(it.squared_error, it.energy(1024.0)),
        unit="%",
        evaluated=False,
    ),
    "rms": Metric(
        "RMS",
        lambda it: _library(it.squared_error).sqrt(it.squared_error / max(it.samples, 1)),
        evaluated=False,
    ),
}
"""Every figure of merit by the name that JSON and CSV files know it by, in the order of tables."""


def figures(approximation: Approximation, swept: bool = False) -> dict[str, Column]:
    """Return by name every figure that `sans.evaluate` computes, ``(batch,)`` each.

    Args:
        approximation: of signals, none of them zero everywhere.
        swept: whether to leave out what a sweep does.
    """
    return {
        name: approximation[name]
        for name, metric in METRICS.items()
        if metric.evaluated and (metric.swept or not swept) and metric.applies(approximation)
    }


def _library(values: Column) -> Any:
    """Return torch for tensors, numpy for anything else; torch is not imported for that."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(values, torch.Tensor) else np


def _double(values: Column) -> Column:
    return values.double() if _library(values) is not np else np.asarray(values, np.float64)


def _absolute(values: Column) -> Column:
    """Return the sums of absolute values of every signal, ``(batch,)``, in float64."""
    library, shape = _library(values), (len(values), math.prod(values.shape[1:]))
    return library.abs(values).reshape(shape).sum(1, dtype=library.float64)


def _rounded(values: Column, dtype: Any) -> Column:
    """Return floating-point numbers in another precision; counts as they are."""
    if _library(values) is np:
        found = np.asarray(values)
        return found.astype(dtype) if found.dtype.kind == "f" else found
    return values.to(dtype) if values.is_floating_point() else values
