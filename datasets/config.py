"""What to load, as the command line asks for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from sans.errors import DatasetError
from sans.recordings.arrays.orientation import LAYOUTS

SPLITS = ("row", "recording")
SMALLEST_LIMIT = 3  # one signal to train on, one to validate, one to test
SMALLEST_WINDOW = 2  # one sample alone has no standard deviation


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Which signals to load; each field is a command-line option of the same name.

    Raises:
        DatasetError: if `window`, `limit`, `split_by` or `layout` is out of its range.
    """

    dataset: str = "synthetic"
    """A name of the catalogue, physionet:DATABASE/RECORD, or the path of a recording."""

    record: str | None = None
    """Record of a Physionet database; by default the one that the paper used."""

    channel: str = "0"
    """Channel of a recording: its position from 0, or its name, such as V5."""

    window: int = 1000
    """Samples of a window; for recordings only."""

    limit: int | None = None
    """Signals to use in all; by default 12 windows of a published recording, everything of other
    sets and of a user's own file."""

    split_by: str = "row"
    """How uci-epilepsy is split: by row as in the paper, or by recording."""

    data_dir: Path | None = None
    """Folder to look in before $SANS_DATA and the user's cache."""

    layout: str | None = field(default=None, metadata={"later": True})
    """What the dimensions of an array mean, one of `sans.recordings.arrays.orientation.LAYOUTS`; by
    default ``(samples,)``, ``(samples, channels)`` or ``(images, height, width)``."""

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
