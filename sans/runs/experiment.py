"""From options to a run: load a data set, train a network on it, and leave a folder behind."""

from __future__ import annotations

import csv
import io
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from sans.configs import ModelOptions, TrainOptions
from sans.configs.toml import write_options
from sans.datasets import DataConfig, Dataset, absolute, load
from sans.datasets.parts import PARTS
from sans.errors import ModelError
from sans.evaluation import Evaluation, evaluate
from sans.files import write_text
from sans.model_files import CHECKPOINT, read_arrays, write_arrays
from sans.runs import Run
from sans.runs.pictures import illustrate
from sans.runs.settings import Settings
from sans.training import Epoch, OnBatch, Training, trainer_for

OnEpoch = Callable[[Epoch], None]

LOG = logging.getLogger(__name__)

LONGEST_NAME = 60
"""Letters up to which the name of a folder lists the texts of kernels."""

SECONDS_BETWEEN_SAVES = 2.0
"""Epochs of milliseconds are not each worth a write to the disk; a stop by Ctrl-C saves anyway."""


class Experiment:
    """A data set and the training of one network on it.

    Args:
        settings: everything that decides the outcome.
        dataset: what `settings.data` loads.

    Raises:
        ValueError: if the network does not fit the signals.
    """

    def __init__(self, settings: Settings, dataset: Dataset) -> None:
        self.settings = settings
        self.dataset = dataset
        self._digest = dataset.digest
        _, leads, *space = dataset.training.signals.shape
        self.model = settings.model.config(space, dataset.recipe.tolerance, leads)
        sizes = [len(part.signals) for part in (dataset.training, dataset.validation, dataset.test)]
        LOG.info("%s: %d training, %d validation and %d test signals", dataset.name, *sizes)
        LOG.info("network: %s", self.model)
        LOG.info("training: %s", settings.train)
        self.trainer = trainer_for(
            self.model, dataset.training.signals, dataset.validation.signals, settings.train
        )

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know before the training starts, one sentence each."""
        notices = list(self.dataset.notices)
        notices += [
            f"{count} {part} signals are zero everywhere and left out: they have no φ"
            for part, count in self.trainer.silent.items()
            if count
        ]
        notices += [
            f"{count} {part} signals are left out: too many of their samples are missing"
            for part, count in self.trainer.sparse.items()
            if count
        ]
        return (*notices, *self.trainer.notices, *self.settings.train.doubts(self.model))

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the network that was trained may be of no use, one sentence each.

        Raises:
            ModelError: if no epoch had a finite φ.
        """
        return self.trainer.result().doubts

    @property
    def left_out(self) -> dict[str, int]:
        """How many signals of each part have no φ and were left out."""
        counts = self.dataset.left_out, self.trainer.silent, self.trainer.sparse
        return {part: sum(each.get(part, 0) for each in counts) for part in PARTS}

    @property
    def name(self) -> str:
        """What a folder for this experiment may be called."""
        model = self.settings.model
        kernels = "-".join(map(str, model.kernel or model.kernel_size))
        if len(kernels) > LONGEST_NAME:
            kernels = f"{self.model.shapes}-shapes"
        return f"{self.settings.data.label}-{self.model.label}-{kernels}"

    @property
    def about(self) -> dict[str, Any]:
        """What a model file should remember of its origin."""
        return self.settings.about(self.dataset)

    def train(
        self, run: Run, on_batch: OnBatch | None = None, on_epoch: OnEpoch | None = None
    ) -> None:
        """Train all epochs that are not done, and save the state into `run` on the way.

        Stopped by Ctrl-C, it saves the last finished epoch and raises KeyboardInterrupt again.
        """
        state, saved = self.trainer.state(), time.monotonic()
        self._save(run, state)
        write_options(run.options, "train", *self.settings.typed())
        try:
            while not self.trainer.finished:
                (epoch,) = self.trainer.run_epoch(on_batch)
                state = self.trainer.state()
                if on_epoch:
                    on_epoch(epoch)
                if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
                    self._save(run, state)
                    saved = time.monotonic()
        finally:
            self.trainer.restore(state)  # an epoch that was stopped half-way never happened
            self._save(run, state)

    def finish(self, run: Run) -> Evaluation:
        """Score the best network on the test part, and write summary and pictures.

        Raises:
            ModelError: if no epoch had a finite φ, or a file cannot be written.
        """
        training = self.trainer.result()
        training.model.to(self.trainer.device)
        evaluation = evaluate(training.model, self.dataset.test.signals)
        self._write_summary(run, training, evaluation)
        illustrate(run, training.model, self.dataset)
        return evaluation

    def restore(self, run: Run) -> None:
        """Go on where `run` stopped.

        Raises:
            ModelError: if its checkpoint is damaged or of another network.
        """
        arrays, _ = read_arrays(run.checkpoint, CHECKPOINT)
        self.trainer.restore({name: torch.from_numpy(array) for name, array in arrays.items()})

    def save(self, run: Run) -> None:
        """Write the state as it is, and the best network so far if there is one."""
        self._save(run, self.trainer.state())

    def _save(self, run: Run, state: Mapping[str, torch.Tensor]) -> None:
        """Write what the next epochs need, and the best network so far if there is one."""
        arrays = {name: tensor.numpy() for name, tensor in state.items()}
        values = {"settings": self.settings.values(), "signals": self._digest}
        write_arrays(run.checkpoint, CHECKPOINT, arrays, values)
        if self.trainer.has_best():
            training = self.trainer.result()
            training.model.save(run.model, self.about)
            _write_history(run.history, training.history)
            self._write_summary(run, training, None)

    def _write_summary(self, run: Run, training: Training, test: Evaluation | None) -> None:
        summary = {
            "model": training.model.identifier,
            **self.about,
            "epochs": len(training.history),
            "best": training.best.values(),
            "left_out": self.left_out,
            "test": test and test.summary(),
        }
        text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
        write_text(run.summary, text, ModelError)


def prepare(
    data: DataConfig, model: ModelOptions, train: TrainOptions | Mapping[str, Any]
) -> Experiment:
    """Load the data set and set up the training of a network on it.

    Args:
        data: which signals.
        model: which network.
        train: how; fields of `TrainOptions` by name do as well.

    Raises:
        DatasetError: if the data set is not there or damaged.
        ValueError: if the network does not fit the signals, or a setting is illegal.
    """
    options = TrainOptions.of(train)  # what is illegal shows before the data are read
    data = absolute(data)
    dataset = load(data)
    config = options.config(dataset.recipe.epochs, dataset.recipe.batch_size)
    return Experiment(Settings(data, model, config), dataset)


def resume(run: Run, options: Mapping[str, Any]) -> Experiment:
    """Load a run's data set again and restore its training.

    Args:
        run: where it was left.
        options: options given anew; those that decide the outcome must be the run's.

    Raises:
        ModelError: if the checkpoint is damaged, or an option differs.
    """
    stored, digest = stored_settings(run)
    if dataset := options.get("dataset"):
        options = {**options, "dataset": absolute(DataConfig(dataset)).dataset}
    settings = stored.changed(options)
    settings = replace(settings, data=absolute(settings.data))
    experiment = Experiment(settings, load(settings.data))
    if (found := experiment.dataset.digest) != digest:
        raise ModelError(
            f"{experiment.dataset.name} has changed since {run.folder} was begun: the digest of "
            f"its signals is {found}, not {digest}"
        )
    experiment.restore(run)
    if (done := experiment.trainer.epoch) > settings.train.epochs:
        raise ModelError(f"{run.folder} has done {done} epochs, not {settings.train.epochs}")
    return experiment


def stored_settings(run: Run) -> tuple[Settings, str]:
    """Return the settings that a run was started with, and the digest of its signals.

    Raises:
        ModelError: if its checkpoint is missing, damaged or of another version.
    """
    _, values = read_arrays(run.checkpoint, CHECKPOINT)
    try:
        return Settings.from_values(values["settings"]), str(values["signals"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{run.checkpoint} is not of this version: {error}") from error


def _write_history(path: Path, history: tuple[Epoch, ...]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(history[0].values()), lineterminator="\n")
    writer.writeheader()
    writer.writerows(epoch.values() for epoch in history)
    write_text(path, buffer.getvalue(), ModelError)
