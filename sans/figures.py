"""The figures of merit: one table that says what each is called, its unit and its formula.

What `sans evaluate`, `sweep`, `bench`, `compress` and `reproduce` print they find here, and a new
figure is one row of `METRICS`. The loops of a pursuit have copies of φ of their own, which tests
compare with the table. `sans.metrics` has the same formulas as functions.

Formulas take numpy arrays and torch tensors alike; importing this module does not import torch.
A sample that is NaN is missing: it has no part in any figure, and what is drawn there neither.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from sans.arithmetic import absolute_sums, decibels, double, hypot, library, rounded
from sans.arithmetic import percentage as percentage

Column: TypeAlias = Any
"""One figure a signal, ``(batch,)``, as a numpy array or a tensor; or one number."""

WEIGHTS = ("window", "once")
"""How often the weights of kernels are counted: for each signal, or once for all of them."""


@dataclass(frozen=True, eq=False)
class Approximation:
    """Signals, what stands for them and what that costs: all that a formula may read.

    Arrays are all of numpy or all of torch. ``approximation[name]`` is the figure of a row of
    `METRICS`, computed once.
    """

    signals: Any
    """``(batch, leads, *space)``, of floating-point numbers in any unit; NaN is no sample."""

    reconstruction: Any
    """Like `signals`; what it draws where there is no sample does not count."""

    spikes: Column = 0
    """A, the count of spikes or coefficients of each signal, ``(batch,)``."""

    weights: Column = 0
    """W, the count of scalars in all kernels together, one for all signals or one for each."""

    published_weights: Column | None = None
    """W as the published tables count it, m for a kernel of m x m; None: they do not compare."""

    shapes: float = 1
    """q, the count of shapes that a spike may have; a basis has 1, and one of more functions than
    a signal has places their ratio."""

    _found: dict[str, Column] = field(default_factory=dict, init=False, repr=False)

    def __getitem__(self, name: str) -> Column:
        """Return a figure of every signal; if it is no count, in the precision of the signals."""
        if name not in self._found:
            self._found[name] = rounded(METRICS[name].formula(self), self.signals.dtype)
        return self._found[name]

    @property
    def dimensions(self) -> int:
        """D, the count of dimensions of space."""
        return int(self.signals.ndim) - 2

    @cached_property
    def present(self) -> Any | None:
        """Which samples there are, booleans like `signals`; None: all of them."""
        missing = library(self.signals).isnan(self.signals)
        return ~missing if bool(missing.any()) else None

    @cached_property
    def samples(self) -> Column:
        """n, the count of samples in all leads of a signal; ``(batch,)`` where some are missing.

        Raises:
            ValueError: if a signal has none.
        """
        if self.present is None:
            return math.prod(self.signals.shape[1:])
        counts = self.present.sum(self._axes)
        if len(empty := library(counts).argwhere(counts == 0)):
            raise ValueError(
                f"all samples of signal {empty[0].item()} of the batch are missing: it has no φ"
            )
        return counts

    @property
    def places(self) -> int:
        """The count of places of one lead, where a spike may lie; n of an address."""
        return math.prod(self.signals.shape[2:])

    @property
    def squared_error(self) -> Column:
        """Σ (x − x̂)² of every signal."""
        return (double(self._there(self.signals - self.reconstruction)) ** 2).sum(self._axes)

    @property
    def mean(self) -> Column:
        """The mean of every signal, ``(batch, 1, ...)``."""
        sums = double(self._there(self.signals)).sum(self._axes)
        return (sums / self.samples).reshape(-1, *[1] * len(self._axes))

    @property
    def absolute_error(self) -> Column:
        """Σ |x̂ − x| of every signal."""
        return absolute_sums(self._there(self.reconstruction - self.signals))

    @property
    def size(self) -> Column:
        """Σ |x| of every signal."""
        return absolute_sums(self._there(self.signals))

    def energy(self, offset: Column) -> Column:
        """Return Σ (x − offset)² of every signal; `offset` is a number, or shaped as `mean` is."""
        return (self._there(double(self.signals) - offset) ** 2).sum(self._axes)

    def _there(self, values: Any) -> Any:
        """Return values like `signals`, 0 where there is no sample."""
        if self.present is None:
            return values
        return library(values).where(self.present, values, 0)

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
    return _kept(it, weights, it.dimensions + 1.0)


def _addressed(it: Approximation) -> Column:
    """Return CR⁻¹ₐ = (W + (1 + D (1 + log q / log n)) A) / n: a spike says which shape it has."""
    return _kept(it, it.weights, addressed_price(it.dimensions, it.shapes, it.places))


def addressed_price(dimensions: int, shapes: float, places: int) -> float:
    """Return what a spike counts that says which shape it has: 1 + D (1 + log q / log n).

    An amplitude, and the address of one of q shapes at one of n places.

    Args:
        dimensions: D, of space.
        shapes: q, how many shapes a spike may have.
        places: n, how many places one lead has; at one alone, a shape costs nothing.
    """
    share = math.log(shapes) / math.log(places) if places > 1 else 0.0
    return 1 + dimensions * (1 + share)


def _kept(it: Approximation, weights: Column, price: float) -> Column:
    """Return the numbers kept over samples described, a spike at a price."""
    # In float64: integers divided would have torch's default dtype, whatever that is.
    return (double(weights) + price * double(it.spikes)) / it.samples


def _loss(it: Approximation) -> Column:
    """Return L̃ = ‖x̂ − x‖₁ / ‖x‖₁ ([SAN] Eq. 5)."""
    if it.signals.shape != it.reconstruction.shape:
        raise ValueError(
            f"a reconstruction of shape {tuple(it.reconstruction.shape)} for signals of shape "
            f"{tuple(it.signals.shape)}"
        )
    # Summed in float64, where no float32 signal is too loud or too quiet.
    size = it.size
    if it.present is not None:
        _ = it.samples  # a signal without any is named
    if len(quiet := library(size).argwhere(size == 0)):
        raise ValueError(f"signal {quiet[0].item()} of the batch is zero everywhere: it has no φ")
    return it.absolute_error / size


def _some(samples: Column) -> Column:
    """Return a count of samples that can be divided by; those of signals are never 0."""
    return max(samples, 1) if isinstance(samples, int) else samples


METRICS: dict[str, Metric] = {
    "phi": Metric(
        "φ̄",
        lambda it: hypot(it["inverse_compression_ratio"], it["reconstruction_loss"]),
        latex=r"$\bar\varphi$",
    ),
    "phi_addressed": Metric(
        "φ̄ₐ",
        lambda it: hypot(it["addressed_inverse_compression_ratio"], it["reconstruction_loss"]),
        latex=r"$\bar\varphi_a$",
    ),
    "inverse_compression_ratio": Metric(
        "CR⁻¹", lambda it: _verbosity(it, it.weights), latex="$CR^{-1}$"
    ),
    "addressed_inverse_compression_ratio": Metric("CR⁻¹ₐ", _addressed, latex="$CR_a^{-1}$"),
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
        applies=lambda it: it.dimensions == 1,
        swept=False,
    ),
    "snr": Metric(
        "SNR",
        lambda it: 40 - 2 * decibels(it["prdn"]),
        unit="dB",
        applies=lambda it: it.dimensions == 1,
        swept=False,
    ),
    "psnr": Metric(
        "PSNR",
        lambda it: -decibels(it.squared_error / it.samples),  # of a largest legal value of 1
        unit="dB",
        applies=lambda it: it.dimensions == 2,
        swept=False,
    ),
    "published_phi": Metric(
        "φ̄, counted as published",
        lambda it: hypot(it["published_inverse_compression_ratio"], it["reconstruction_loss"]),
        applies=lambda it: it.published_weights is not None,
    ),
    "published_inverse_compression_ratio": Metric(
        "CR⁻¹, counted as published",
        lambda it: _verbosity(it, it.published_weights),
        applies=lambda it: it.published_weights is not None,
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
        lambda it: library(it.squared_error).sqrt(it.squared_error / _some(it.samples)),
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
