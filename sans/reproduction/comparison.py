"""Our figures beside the published ones: one row for each row of a published table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from sans.classifiers import Classification
from sans.reproduction.published import PublishedRow
from sans.reproduction.searches import Pursuit
from sans.sweeps import Network, Row

RAW = "raw"
"""The name of the exam on raw signals."""

Exams = Mapping[str, Classification]
"""What became of classifiers, by the name of the exam."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published row and what we found, medians over seeds; NaN where nothing was found.

    Of the searches for the kernels of a pursuit it is the mean over seeds.

    Figures without another word are the published way: after the last epoch, with m weights counted
    for a kernel of m x m.
    """

    published: PublishedRow
    """The published row."""

    phi: float
    """φ̄ of the test part."""

    lowest_phi: float
    """The lowest of all seeds."""

    highest_phi: float
    """The highest of all seeds."""

    inverse_compression_ratio: float
    """CR⁻¹ of the test part."""

    reconstruction_loss: float
    """L̃ of the test part."""

    best_epoch_phi: float
    """φ̄ of the test part at the epoch of the lowest validation φ̄."""

    accuracy: float
    """Accuracy of the classifier after its last epoch, in percent."""

    raw_accuracy: float
    """The same on raw signals."""

    published_raw_accuracy: float
    """The published accuracy on raw signals, in percent."""

    best_size: int
    """The kernel size of the lowest φ̄ of the test part; 0 where nothing was found."""

    best_size_phi: float
    """That φ̄."""

    corrected_size: int
    """The kernel size of the lowest validation φ̄, which is how a user has to choose."""

    corrected_size_phi: float
    """The test φ̄ of that size, at the best epoch, every weight counted."""

    corrected_phi: float
    """φ̄ of the test part at the best epoch, every weight counted, from a split that cannot leak."""

    corrected_accuracy: float
    """Accuracy of the classifier on such networks, at its own best epoch."""

    corrected_raw_accuracy: float
    """The same on raw signals."""

    pursuits: tuple[Pursuit, ...] = ()
    """What searches on the data set have found, one for each seed."""

    @property
    def pursuit_phi(self) -> float:
        """φ̄ of the test part with the kernels that were found."""
        return fmean(found) if (found := self._pursuit_phis) else math.nan

    @property
    def pursuit_lowest_phi(self) -> float:
        """The lowest of all seeds."""
        return min(self._pursuit_phis, default=math.nan)

    @property
    def pursuit_highest_phi(self) -> float:
        """The highest of all seeds."""
        return max(self._pursuit_phis, default=math.nan)

    @property
    def pursuit_phi_addressed(self) -> float:
        """φ̄ₐ of the test part with the kernels that were found."""
        return fmean(each.phi_addressed for each in self.pursuits) if self.pursuits else math.nan

    @property
    def pursuit_kernel_sizes(self) -> str:
        """The kernels that were found, those of one seed after those of another.

        They are the texts that give them, or the sizes of learned ones.
        """
        return "; ".join(found.words for found in self.pursuits)

    @property
    def _pursuit_phis(self) -> list[float]:
        return [found.phi for found in self.pursuits]

    @property
    def difference(self) -> float:
        """Ours less the published φ̄."""
        return self.phi - self.published.phi

    @property
    def published_accuracy(self) -> float:
        """The published accuracy in percent, NaN where there was none."""
        return math.nan if self.published.accuracy is None else self.published.accuracy

    @property
    def less_raw(self) -> float:
        """Our accuracy less that on raw signals, in points."""
        return self.accuracy - self.raw_accuracy

    @property
    def published_less_raw(self) -> float:
        """The same of the published accuracies."""
        return self.published_accuracy - self.published_raw_accuracy

    @property
    def corrected_less_raw(self) -> float:
        """The same of the corrected accuracies."""
        return self.corrected_accuracy - self.corrected_raw_accuracy


def compare(
    row: PublishedRow,
    networks: Iterable[Network],
    exams: Exams,
    corrected: Iterable[Network],
    corrected_exams: Exams,
    published_raw: float | None,
    pursuits: Iterable[Pursuit] = (),
) -> Comparison:
    """Return what we found beside a published row.

    Args:
        row: the published row.
        networks: of its data set.
        exams: classifiers on raw signals and on their reconstructions.
        corrected: networks of the split that cannot leak; `networks` where the published cannot.
        corrected_exams: classifiers of that split.
        published_raw: the published accuracy on raw signals, in percent; None: there was none.
        pursuits: what searches on its data set have found, one for each seed.
    """
    family = [network.row for network in networks if network.row.activation == row.activation]
    ours = [one for one in family if one.kernel_size == row.kernel_size]
    other = [network.row for network in corrected if network.row.activation == row.activation]
    same = [one for one in other if one.kernel_size == row.kernel_size]
    phi = [one.last_published_phi for one in ours if math.isfinite(one.last_published_phi)]
    by_test = _medians(family, lambda one: one.last_published_phi)
    best_size = _lowest(by_test)
    chosen = _lowest(_medians(family, lambda one: one.validation_phi))
    return Comparison(
        published=row,
        phi=median(phi),
        lowest_phi=min(phi, default=math.nan),
        highest_phi=max(phi, default=math.nan),
        inverse_compression_ratio=median(
            one.last_published_inverse_compression_ratio for one in ours
        ),
        reconstruction_loss=median(one.last_reconstruction_loss for one in ours),
        best_epoch_phi=median(one.test_published_phi for one in ours),
        accuracy=median(_accuracies(exams, ours, "last", best=False)),
        raw_accuracy=raw_accuracy(exams),
        published_raw_accuracy=math.nan if published_raw is None else published_raw,
        best_size=best_size,
        best_size_phi=by_test.get(best_size, math.nan),
        corrected_size=chosen,
        corrected_size_phi=_medians(family, lambda one: one.test_phi).get(chosen, math.nan),
        corrected_phi=median(one.test_phi for one in same),
        corrected_accuracy=median(_accuracies(corrected_exams, same, "best", best=True)),
        corrected_raw_accuracy=raw_accuracy(corrected_exams, best=True),
        pursuits=tuple(pursuits),
    )


def exam_name(row: Row, which: str) -> str:
    """Return the name of the exam on a network of the epoch "last" or "best"."""
    return f"{row.activation}-{row.kernel_size}-{row.seed}-{which}"


def raw_accuracy(exams: Exams, best: bool = False) -> float:
    """Return the median accuracy of the classifiers on raw signals, in percent."""
    found = [exam for name, exam in exams.items() if name.startswith(f"{RAW}-")]
    return median(exam.best_accuracy if best else exam.accuracy for exam in found)


def median(values: Iterable[float]) -> float:
    """Return the median of the values that are finite, NaN if none is."""
    finite = [value for value in values if math.isfinite(value)]
    return float(np.median(finite)) if finite else math.nan


def _accuracies(exams: Exams, rows: Sequence[Row], which: str, best: bool) -> list[float]:
    found = [exams[name] for row in rows if (name := exam_name(row, which)) in exams]
    return [exam.best_accuracy if best else exam.accuracy for exam in found]


def _medians(rows: Sequence[Row], figure: Callable[[Row], float]) -> dict[int, float]:
    """Return the median of a figure by kernel size, where there is one, from the smallest."""
    sizes = sorted({row.kernel_size for row in rows})
    medians = {m: median(figure(row) for row in rows if row.kernel_size == m) for m in sizes}
    return {m: middle for m, middle in medians.items() if math.isfinite(middle)}


def _lowest(medians: Mapping[int, float]) -> int:
    """Return the kernel size of the lowest median, the smallest of equals; 0: there is none."""
    return min(medians, key=lambda size: medians[size], default=0)
