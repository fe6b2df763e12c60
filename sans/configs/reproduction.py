"""How a user wants a published experiment done again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sans.configs.budget import Budget, as_time, seconds
from sans.configs.training import TrainOptions
from sans.datasets import DataConfig
from sans.options import DATA, SEARCH, TRAINING, option, same

SEARCH_SEEDS = 2**32
"""Seeds of a search lie below this."""


def _search_of(text: str) -> Budget:
    return Budget(seconds(text))


def _shown_search(budget: Budget) -> str:
    return as_time(budget.seconds or 0)


@dataclass(frozen=True, slots=True)
class ReproductionOptions:
    """How a user wants an experiment done again."""

    seed: int = same(TrainOptions, "seed", help="The first seed.")
    """The first seed."""

    seeds: int = option(
        1,
        "How many seeds, from --seed on; figures are medians, those of --search means.",
        TRAINING,
    )
    """How many seeds; figures are medians over them."""

    quick: bool = option(
        False, "Fewer signals, or only the published kernel sizes, to try it.", DATA
    )
    """Fewer signals, or only the published kernel sizes: to see that it works."""

    corrected: bool = option(False, "Show beside it what comes out without known flaws.", TRAINING)
    """Also without the flaws of the published way."""

    data_dir: Path | None = same(DataConfig, "data_dir")
    """Where data sets lie."""

    device: str = same(TrainOptions, "device")
    """Where networks are trained."""

    search: Budget | None = option(
        None,
        "Also search kernels for a pursuit, this long for each data set and seed, such as 60s.",
        SEARCH,
        unset="no search",
        parse=_search_of,
        show=_shown_search,
        metavar="TIME",
    )
    """How long to search for the kernels of a pursuit, for each data set and seed; None: not."""

    def __post_init__(self) -> None:
        TrainOptions(seed=self.seed, device=self.device)
        if self.seeds < 1:
            raise ValueError(f"seeds must be at least 1, not {self.seeds}")
        if self.search is not None and (last := self.every_seed[-1]) >= SEARCH_SEEDS:
            raise ValueError(f"the seed of a search must be below {SEARCH_SEEDS}, not {last}")

    @property
    def every_seed(self) -> range:
        """All seeds, from the first on."""
        return range(self.seed, self.seed + self.seeds)
