"""What to load, as the command line asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sans.datasets.resampling import check_rate
from sans.errors import DatasetError
from sans.options import DATA, option
from sans.recordings.arrays.orientation import LAYOUTS

SPLITS = ("row", "recording")
SMALLEST_LIMIT = 3  # one signal to train on, one to validate, one to test
SMALLEST_WINDOW = 2  # one sample alone has no standard deviation


def _names() -> Iterable[str]:
    from sans.datasets import catalogue

    return [entry.name for entry in catalogue()]


def _folder(text: str) -> Path:
    """Return the folder of an option, which an empty text does not name."""
    if not text:
        raise ValueError("--data-dir wants the path of a folder, not an empty text")
    return Path(text)


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Which signals to load; each field is a command-line option of the same name.

    Raises:
        DatasetError: if `window`, `limit`, `split_by`, `layout` or `resample` is out of its range.
    """

    dataset: str = option(
        "synthetic",
        "A name from `sans datasets`, physionet:DATABASE/RECORD, or the path of a recording.",
        DATA,
        complete=_names,
        metavar="NAME",
    )
    """A name of the catalogue, physionet:DATABASE/RECORD, or the path of a recording."""

    record: str | None = option(
        None, "Record of a Physionet database.", DATA, unset="the paper's", metavar="NAME"
    )
    """Record of a Physionet database; by default the one that the paper used."""

    channel: str = option(
        "0",
        "Channel of a recording: its position, from 0, or its name; several with commas between "
        "are the leads of one signal, and `all` are all signals.",
        DATA,
        metavar="NAME",
    )
    """Channel of a recording: its position from 0, or its name, such as V5; several with commas
    between, such as "MLII,V5", are leads that are described together, and "all" are all signals. A
    name with a comma is found by itself; among others it stands in quotation marks."""

    window: int = option(1000, "Samples of a window cut from a recording.", DATA)
    """Samples of a window; for recordings only."""

    limit: int | None = option(
        None,
        "Signals in all, split in the usual proportions.",
        DATA,
        unset="12 windows of a published recording (60 of the synthetic one), everything of other "
        "sets and of your own files",
    )
    """Signals to use in all; by default 12 windows of a published recording, everything of other
    sets and of a user's own file."""

    split_by: str = option(
        "row",
        "How uci-epilepsy is split: by row as in the paper, or by recording.",
        DATA,
        choices=SPLITS,
    )
    """How uci-epilepsy is split: by row as in the paper, or by recording."""

    data_dir: Path | None = option(
        None,
        "Where data sets lie.",
        DATA,
        unset="$SANS_DATA, then the user's cache",
        parse=_folder,
        metavar="FOLDER",
    )
    """Folder to look in before $SANS_DATA and the user's cache."""

    layout: str | None = option(
        None,
        "What the dimensions of an array are.",
        DATA,
        later=True,
        unset="samples-channels, or images of three dimensions",
        choices=LAYOUTS,
    )
    """What the dimensions of an array mean, one of `sans.recordings.arrays.orientation.LAYOUTS`; by
    default ``(samples,)``, ``(samples, channels)`` or ``(images, height, width)``."""

    resample: str | None = option(
        None,
        "Samples per second that channels are resampled to: lowest, highest or a number.",
        DATA,
        later=True,
        unset="as they are recorded, all of one rate",
        metavar="RATE",
    )
    """Rate in Hz that the channels are resampled to, or "lowest" or "highest" of their own; by
    default they are left as they are, and must have one rate."""

    whole: bool | None = field(default=None, metadata={"later": True})
    """Whether all windows of a recording are used where there is no `limit`; None: those of a
    user's own file are. `sans.datasets.absolute` says so of such a file, and where a stored
    configuration does not say so, it is of a version that took 12 windows of any recording."""

    def __post_init__(self) -> None:
        if self.window < SMALLEST_WINDOW:
            raise DatasetError(f"a window has {SMALLEST_WINDOW} samples or more, not {self.window}")
        if self.limit is not None and self.limit < SMALLEST_LIMIT:
            raise DatasetError(
                f"limit {self.limit}: {SMALLEST_LIMIT} signals are the fewest that can be split "
                "into training, validation and test"
            )
        if self.split_by not in SPLITS:
            raise DatasetError(f"no split by {self.split_by!r}: it is one of {', '.join(SPLITS)}")
        if self.layout not in (None, *LAYOUTS):
            raise DatasetError(f"no layout {self.layout!r}: it is one of {', '.join(LAYOUTS)}")
        check_rate(self.resample)

    @property
    def label(self) -> str:
        """What a file about these signals may be called, such as "mitdb-100"."""
        dataset = self.dataset.removeprefix("physionet:")
        if dataset == self.dataset and (len(Path(dataset).parts) > 1 or Path(dataset).suffix):
            dataset = Path(dataset).stem
        label = f"{dataset}-{self.record}" if self.record else dataset
        return re.sub(r"[^\w.+-]+", "-", label).strip("-.") or "signals"


DEFAULT = DataConfig()


def refuse_options(config: DataConfig, *names: str) -> None:
    """Raise if `config` sets an option that has no meaning for its data set.

    Args:
        config: what the user asked for.
        names: the fields that must be at their defaults.

    Raises:
        DatasetError: if one of them is not.
    """
    for name in names:
        if (value := getattr(config, name)) != getattr(DEFAULT, name):
            raise DatasetError(f"{config.dataset} has no use for {name} {value!r}: leave it out")
