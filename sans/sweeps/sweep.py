"""A sweep from its options to its folder: plan, train anywhere, keep what is finished, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import sans
from sans.configs import TrainOptions
from sans.configs.grid import SELECTIONS, Grid, as_ranges
from sans.datasets import DataConfig, Dataset, load, resolve
from sans.engines import Engine
from sans.errors import ModelError
from sans.model_files import StoredModel, write_model
from sans.runs.settings import Settings
from sans.sweeps import tasks as work
from sans.sweeps.folder import ROOT, SweepFolder
from sans.sweeps.rows import Network, Row, best_rows, in_order, rows_of
from sans.sweeps.settings import SweepSettings
from sans.sweeps.tasks import SweepOutcome, SweepTask

OnNetworks = Callable[[int], None]
"""Told how many networks have just been finished."""


class Sweep:
    """Networks for a data set, those that are trained and those that are not.

    Args:
        settings: everything that decides the outcome.
        dataset: what `settings.data` loads.

    Raises:
        ValueError: if no network fits the signals.
    """

    def __init__(self, settings: SweepSettings, dataset: Dataset) -> None:
        self.settings = settings
        self.dataset = dataset
        self.tasks = work.plan(settings.data, dataset, settings.grid, settings.train)
        self._outcomes: dict[int, SweepOutcome] = {}

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know before the training starts, one sentence each."""
        notices = list(self.dataset.notices)
        space = self.dataset.training.signals.shape[2:]
        if large := self.settings.grid.too_large(space):
            plural = "s" if len(large) > 1 else ""
            notices.append(
                f"kernel size{plural} {as_ranges(large)} left out: signals of "
                f"{self.dataset.name} have {' x '.join(str(side) for side in space)} samples"
            )
        return (*notices, *self.settings.train.doubts(self.tasks[0].models[0]))

    @property
    def left(self) -> dict[int, SweepTask]:
        """The tasks that are not done, by number."""
        return {n: task for n, task in enumerate(self.tasks) if n not in self._outcomes}

    @property
    def count(self) -> int:
        """How many networks the sweep has."""
        return sum(len(task.models) for task in self.tasks)

    @property
    def trained(self) -> int:
        """How many of them are trained."""
        return sum(len(self.tasks[number].models) for number in self._outcomes)

    @property
    def name(self) -> str:
        """What a folder for this sweep may be called."""
        return self.settings.data.label

    @property
    def values(self) -> dict[str, Any]:
        """The options, and what tells the signals from others, as JSON values."""
        return {**self.settings.values(), "signals": self.tasks[0].digest}

    def about(self, row: Row) -> dict[str, Any]:
        """Return what the model file of a network remembers, as a file of `sans train` does."""
        settings = self.settings
        model = settings.grid.options(row.activation, row.kernel_size)
        train = replace(settings.train, seed=row.seed)
        return Settings(settings.data, model, train).about(self.dataset)

    def take(self, outcomes: Mapping[int, SweepOutcome]) -> None:
        """Take the outcomes of tasks, by number."""
        self._outcomes.update(outcomes)

    def networks(self) -> list[Network]:
        """Return all trained networks, by activation, kernel size and seed."""
        found = {}
        for number, outcome in self._outcomes.items():
            task = self.tasks[number]
            for index, row in enumerate(rows_of(task, outcome)):
                kernels, last = outcome.kernels[index], outcome.last_kernels[index]
                history = outcome.history[:, index]
                patterns = outcome.patterns[index] if outcome.patterns else ()
                found[row] = Network(row, task.models[index], kernels, last, history, patterns)
        return [found[row] for row in in_order(found, self.settings.grid.activation)]

    def rows(self) -> list[Row]:
        """Return the rows of all trained networks, by activation, kernel size and seed."""
        return [network.row for network in self.networks()]


def prepare(data: DataConfig, grid: Grid, train: TrainOptions | Mapping[str, Any]) -> Sweep:
    """Load a data set and plan a sweep on it.

    Args:
        data: which signals.
        grid: which networks.
        train: how; fields of `TrainOptions` by name do as well.

    Raises:
        DatasetError: if the data set is not there or damaged.
        ValueError: if no network fits the signals, or a setting is illegal.
    """
    options = TrainOptions.of(train)  # what is illegal shows before the data are read
    data = resolve(data)
    dataset = load(data)
    config = options.config(dataset.recipe.epochs, dataset.recipe.batch_size)
    sweep = Sweep(SweepSettings(data, grid, config), dataset)
    work.keep(data, sweep.tasks[0].digest, dataset)
    return sweep


def run_sweeps(
    sweeps: Sequence[tuple[Sweep, SweepFolder]], engine: Engine, on_networks: OnNetworks
) -> None:
    """Train what is not trained of all sweeps, side by side, and keep every task's outcome at once.

    Stopped at any moment, it has lost the tasks that were not finished, and no other.

    Args:
        sweeps: each with the folder, opened, that it is kept in.
        engine: where the networks are trained.
        on_networks: told of finished networks, those that were found in the folders first.
    """
    for sweep, folder in sweeps:
        finished = folder.finished(sweep.tasks)
        sweep.take(finished)
        on_networks(sum(len(sweep.tasks[number].models) for number in finished))
    left = [(which, n) for which, (sweep, _) in enumerate(sweeps) for n in sweep.left]
    tasks = [sweeps[which][0].tasks[n] for which, n in left]
    try:
        with closing(engine.run(work.perform, tasks)) as outcomes:
            for position, outcome in outcomes:
                which, number = left[position]
                sweep, folder = sweeps[which]
                folder.write_part(number, tasks[position], outcome)
                sweep.take({number: outcome})
                on_networks(len(tasks[position].models))
    except KeyboardInterrupt:  # it may have come when a task was kept, but not taken yet
        for sweep, folder in sweeps:
            sweep.take(folder.finished(sweep.tasks))
        raise


def report(sweep: Sweep, folder: SweepFolder, select: str) -> dict[str, Network]:
    """Write tables, best models and pictures of what is trained, and return the best networks.

    Args:
        sweep: some or all of its networks trained.
        folder: where to write.
        select: the part whose φ̄ chooses, "validation" or "test".

    Raises:
        ModelError: if every network diverged, or a file cannot be written.
    """
    from sans.sweeps.pictures import draw

    networks = {network.row: network for network in sweep.networks()}
    folder.write_rows(list(networks))
    best = {name: networks[row] for name, row in best_rows(networks, select).items()}
    summary = {
        "version": sans.__version__,
        "settings": sweep.values,
        "networks": len(networks),
        "select": select,
        "best": [network.row.values() for network in best.values()],
    }
    folder.write_summary(summary)
    for name, network in best.items():
        about = sweep.about(network.row)
        stored = StoredModel(network.model, network.kernels, about, network.patterns)
        write_model(folder.model(name), stored)
    if not best:
        raise ModelError(
            f"all {len(networks)} networks of {sweep.dataset.name} diverged: try a smaller "
            "learning rate than "
            f"{sweep.settings.train.lr:g}"
        )
    draw(folder, list(networks.values()), best, sweep.dataset, select)
    return best


def train_grid(
    data: DataConfig,
    grid: Grid,
    folder: Path | str,
    train: TrainOptions | Mapping[str, Any] | None = None,
    engine: Engine | None = None,
    select: str = "validation",
) -> dict[str, Network]:
    """Do what `sans sweep` does, and return the best network of each activation.

    Args:
        data: which signals.
        grid: which networks.
        folder: where everything is kept; what is finished there is not trained again.
        train: how; fields of `TrainOptions` by name do as well.
        engine: where the networks are trained; None: threads of this process.
        select: the part whose φ̄ chooses, "validation" or "test".

    Raises:
        DatasetError: if the data set is not there or damaged.
        BusyError: if another command works in the folder.
        ModelError: if it holds something else, or every network diverged.
        ValueError: if no network fits the signals, or a setting is illegal.
    """
    check_selection(select)
    sweep, place = prepare(data, grid, train or {}), SweepFolder(Path(folder))
    place.check(sweep.values)
    with place.alone():
        place.open(sweep.values)
        run_sweeps([(sweep, place)], engine or Engine(), lambda _: None)
        return report(sweep, place, select)


def folders(sweeps: Sequence[Sweep], output: Path | None) -> list[SweepFolder]:
    """Return a folder for each sweep: `output`, or one below it for each of several.

    Args:
        sweeps: of different data sets; where two have one name, the second gets a number.
        output: None: one below `sweeps/` for each.
    """
    if output is not None and len(sweeps) == 1:
        return [SweepFolder(output)]
    names: list[str] = []
    for sweep in sweeps:
        tries = (f"{sweep.name}-{number}" if number > 1 else sweep.name for number in count(1))
        names.append(next(name for name in tries if name not in names))
    return [SweepFolder((output or ROOT) / name) for name in names]


def check_selection(select: str) -> None:
    """Raise a ValueError unless `select` names a part that may choose."""
    if select not in SELECTIONS:
        raise ValueError(f"select by {' or '.join(SELECTIONS)}, not by {select!r}")
