"""How a user wants a recording compressed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sans.codec.quality import GOALS, LOSSLESS, Quality, asked, check_choices
from sans.datasets import DataConfig
from sans.options import DATA, LOSS, NETWORK, OUTPUT, option, options_of, same
from sans.recordings.wfdb.annotators import ALL, NONE, Wanted, annotators

if TYPE_CHECKING:
    from sans.codec.compression import Options
    from sans.codec.planning import KernelOptions


def _shown_annotations(wanted: Wanted) -> str:
    """Return which annotation files are wanted as a text that `annotators` reads."""
    if isinstance(wanted, bool):
        return ALL if wanted else NONE
    return ",".join(wanted)


def _words() -> Iterable[str]:
    return (ALL, NONE)


@dataclass(frozen=True, slots=True)
class CompressionOptions:
    """What a recording may lose, and how it is compressed.

    A field that is called like a goal of `sans.codec.quality.GOALS`, with an underscore for a
    hyphen, asks for that goal.

    Raises:
        ValueError: if more than one goal is asked for, a value is out of its range, or a model is
            given and no kernels are wanted.
    """

    lossless: bool = option(False, "Every sample comes back as it was. The default.", LOSS)
    """Whether every sample comes back as it was; it does where no other goal is asked for."""

    max_error: str | None = option(
        None,
        "No sample is off by more: 5 (converter units, or the numbers' own where there is no "
        "converter), 0.01mV (channels in volts), or 0.01mV,2mmHg,5 (5: all others).",
        LOSS,
        metavar="BOUND,…",
    )
    """Largest error of a sample, as `sans.codec.bounds.Bounds` reads it."""

    prdn: float | None = option(
        None, "Error of each signal in per cent of it, its mean subtracted.", LOSS
    )
    """PRDN of each signal, in per cent."""

    bits: float | None = option(None, "Bits a sample that the file takes at most, about.", LOSS)
    """Bits a sample of the stream."""

    exact: tuple[str, ...] = option(
        (),
        "Channels that lose nothing: names or positions, parted by commas. Axes of time, events "
        "and annotations never do.",
        LOSS,
        metavar="NAME,…",
    )
    """Channels that lose nothing, several in one parted by commas."""

    lossy: tuple[str, ...] = option(
        (), "Axes and events that need not be exact.", LOSS, metavar="NAME,…"
    )
    """Axes and events that need not be exact, several in one parted by commas."""

    annotations: Wanted = option(
        True,
        "Annotation files beside a WFDB record that travel with it: all, none, or suffixes parted "
        "by commas, such as atr,qrs.",
        DATA,
        parse=annotators,
        show=_shown_annotations,
        complete=_words,
        metavar="NAME,…",
    )
    """Which annotation files beside a WFDB record travel with it: whether any, or suffixes."""

    model: Path | None = option(
        None,
        "A run's folder or model file, whose kernels are used.",
        NETWORK,
        unset="kernels are learned from the recording, where they pay",
    )
    """A run's folder or model file, whose kernels are used; None: kernels are learned."""

    kernels: bool = option(
        True, "Whether kernels are used at all.", NETWORK, flag="--kernels/--no-kernels"
    )
    """Whether kernels are used at all."""

    seconds: float | None = option(
        None,
        "Length of the chunks, which are independent.",
        OUTPUT,
        unset="131,072 samples",
    )
    """Length of a chunk in seconds; None: 131,072 samples."""

    rate: float | None = option(
        None,
        "Samples per second of channels whose recording does not say.",
        DATA,
        unset="what an axis of even times tells",
    )
    """Samples per second of channels whose recording does not say; None: what an axis tells."""

    layout: str | None = same(DataConfig, "layout")
    """What the dimensions of an array mean, one of `sans.recordings.arrays.orientation.LAYOUTS`."""

    def __post_init__(self) -> None:
        if len(self._goals()) + self.lossless > 1:
            *others, last = (f"--{name}" for name in GOALS)
            raise ValueError(f"give one of {', '.join(others)} and {last}")
        if self.model is not None and not self.kernels:
            raise ValueError("--model gives kernels, --no-kernels wants none: choose one")
        exceptions = self.exact + self.lossy
        check_choices(self.quality, self.seconds, self.rate, self.layout, exceptions)

    def _goals(self) -> list[Quality]:
        """Return what is asked for, but for no loss."""
        names = {name.replace("-", "_") for name in GOALS} - {LOSSLESS.kind}
        return asked(**{n: getattr(self, n) for n in options_of(type(self)) if n in names})

    @property
    def quality(self) -> Quality:
        """What is asked of every track."""
        return next(iter(self._goals()), LOSSLESS)

    def for_codec(self, kernels: KernelOptions, threads: int = 1) -> Options:
        """Return the options of the codec.

        Args:
            kernels: which kernels may be used: those of `model`, if it is given.
            threads: how many share the work; the stream is the same.

        Raises:
            ValueError: if `threads` is below 1.
        """
        from sans.codec.compression import Options

        return Options(
            self.quality,
            kernels,
            seconds=self.seconds,
            threads=threads,
            exact=self.exact,
            lossy=self.lossy,
            rate=self.rate,
            layout=self.layout,
            annotations=self.annotations,
        )
