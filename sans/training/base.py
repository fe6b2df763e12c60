"""What trainers share: signals that have a φ, the epochs so far, and which of them is the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from sans import devices
from sans.configs import ModelConfig, TrainConfig
from sans.convolution.frames import Floats
from sans.errors import ModelError
from sans.signals import Signals, sift
from sans.training.history import Epoch, History, Records, as_columns, as_records, objective_of


class TrainerBase:
    """The beginning of a trainer: most members of `TrainerProtocol`.

    Args:
        models: the networks.
        training: ``(signals, leads, *space)``; signals that are zero everywhere are left out.
        validation: like `training`.
        config: how to train; None: the defaults.

    Raises:
        ValueError: if `config` or the signals do not fit the networks.
    """

    def __init__(
        self,
        models: Sequence[ModelConfig],
        training: Signals,
        validation: Signals,
        config: TrainConfig | None,
    ) -> None:
        self.config = config or TrainConfig()
        self.device = devices.pick(self.config.device)
        least = max(model.least for model in models)
        sifted = {
            part: sift(signals, self.device, least)
            for part, signals in (("training", training), ("validation", validation))
        }
        self.training, self.validation = (each.signals for each in sifted.values())
        self.silent = {part: each.silent for part, each in sifted.items()}
        self.sparse = {part: each.sparse for part, each in sifted.items()}
        for model in models:
            self.config.check_model(model)
            for signals in (self.training, self.validation):
                model.check_leads(signals.shape[1])
                model.check_space(signals.shape[2:])
        self._history = History(len(models), objective_of(models[0]))

    @property
    def objective(self) -> str:
        """Which figure judges the epochs: the one that a pursuit minimises, or φ."""
        return self._history.objective

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self._history)

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.config.epochs

    @property
    def history(self) -> Records:
        """What every epoch did to every network, ``(epochs, networks)``."""
        return self._history.records.copy()

    @property
    def typical(self) -> float:
        """What a search ranks networks by: the figure of the best epoch; infinite before one."""
        best = self._history.best[0]
        return math.inf if best < 0 else float(self._history.records[self.objective][best, 0])

    def has_best(self, index: int = 0) -> bool:
        """Return whether an epoch of the network at `index` has ended with a finite φ̄."""
        return bool(self._history.best[index] >= 0)


class PursuitTrainerBase(TrainerBase):
    """The beginning of a trainer of one network with `encoder="pursuit"`.

    Every epoch draws its random numbers from the seed and its own number, so that training goes on
    after a stop as if there had been none.
    """

    def __init__(
        self,
        model: ModelConfig,
        training: Signals,
        validation: Signals,
        config: TrainConfig | None,
    ) -> None:
        super().__init__([model], training, validation, config)
        self.model = model
        self._unchanged = 0

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should know before this training starts, one sentence each."""
        if self.config.device != "cuda":
            return ()
        return (
            "kernels of a pursuit are learned on the CPU: the device cuda only scores the network",
        )

    @property
    def unchanged(self) -> int:
        """For how many epochs no kernel has changed."""
        return self._unchanged

    def _random(self) -> np.random.Generator:
        """Return what chooses in the next epoch."""
        return np.random.default_rng((self.config.seed, self.epoch))

    def _best_epoch(self, index: int) -> tuple[Epoch, tuple[Epoch, ...]]:
        """Return the best epoch of the network at `index`, and all.

        Raises:
            ModelError: if none has ended.
        """
        if not self.has_best(index):
            raise ModelError("no epoch was finished: there is no network yet")
        history = self._history.of(index)
        return history[self._history.best[index]], history

    def _epochs_state(self) -> dict[str, Tensor]:
        """Return what a checkpoint holds of the epochs."""
        return {
            "history": torch.from_numpy(as_columns(self._history.records[:, 0])),
            "unchanged": torch.tensor(self.unchanged, dtype=torch.int64, device="cpu"),
        }


def epochs_in(state: Mapping[str, Tensor]) -> tuple[Records, int]:
    """Return the epochs ``(epochs, 1)`` of a checkpoint, and for how many nothing has changed.

    Raises:
        KeyError, ValueError: if the checkpoint is not of one network.
    """
    records, unchanged = as_records(state["history"].numpy()), int(state["unchanged"])
    if records.ndim != 1:
        raise ValueError(f"a history of {records.ndim - 1} networks, wanted one")
    return records[:, None], unchanged


def some(signals: Floats, samples: int, random: np.random.Generator) -> Floats:
    """Return the signals, or, where they have more samples, some by chance, in their order."""
    count = max(1, samples // signals[0].size)
    if count >= len(signals):
        return signals
    return np.asarray(signals[np.sort(random.choice(len(signals), count, replace=False))])
