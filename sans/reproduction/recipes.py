"""What the published experiments did, as settings of sweeps."""

from __future__ import annotations

from dataclasses import dataclass

from sans.activations import ACTIVATIONS
from sans.configs.reproduction import ReproductionOptions
from sans.datasets import DataConfig
from sans.reproduction.published import PublishedRow, published
from sans.sweeps import Grid


@dataclass(frozen=True, slots=True)
class ExperimentRecipe:
    """One published experiment."""

    name: str
    """What `sans reproduce` and the published table are called."""

    title: str
    """Its full name."""

    kernels: int
    """Kernels of every network."""

    sizes: tuple[int, ...]
    """Kernel sizes, a network for each and for each activation."""

    quick_limit: int | None = None
    """Signals to use when it must be quick; None: all of them, but only published sizes."""

    raw_accuracy: float | None = None
    """Published accuracy in percent of the classifier on raw signals; None: there was none."""

    leaks: bool = False
    """Whether pieces of one recording lie on both sides of the published split."""

    @property
    def quick(self) -> str:
        """What there is less of when it must be quick, in words."""
        limit = self.quick_limit
        return "only the published kernel sizes" if limit is None else f"only {limit:,} signals"

    @property
    def rows(self) -> tuple[PublishedRow, ...]:
        """The published table."""
        return published(self.name)

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets, in the published order."""
        return tuple(dict.fromkeys(row.dataset for row in self.rows))

    def data(self, dataset: str, options: ReproductionOptions, split_by: str = "row") -> DataConfig:
        """Return which signals of a data set to use."""
        limit = self.quick_limit if options.quick else None
        return DataConfig(dataset, limit=limit, split_by=split_by, data_dir=options.data_dir)

    def grid(self, dataset: str, options: ReproductionOptions) -> Grid:
        """Return the networks to train on a data set."""
        sizes = self.sizes
        if options.quick and self.quick_limit is None:
            sizes = tuple(row.kernel_size for row in self.rows if row.dataset == dataset)
        return Grid(tuple(ACTIVATIONS), sizes, self.kernels, None, "paper", options.seeds)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        ExperimentRecipe("physionet", "Physionet", 1, tuple(range(1, 250))),
        ExperimentRecipe(
            "uci-epilepsy",
            "UCI-epilepsy",
            2,
            tuple(range(15, 23)),
            quick_limit=2_000,
            raw_accuracy=82.14,
            leaks=True,
        ),
        ExperimentRecipe(
            "mnist", "MNIST", 2, tuple(range(1, 7)), quick_limit=7_000, raw_accuracy=92.17
        ),
        ExperimentRecipe(
            "fashion-mnist",
            "FashionMNIST",
            2,
            tuple(range(1, 7)),
            quick_limit=7_000,
            raw_accuracy=83.95,
        ),
    )
}
"""Every published experiment by name."""
