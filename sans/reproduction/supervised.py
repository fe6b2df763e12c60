"""The supervised part: a classifier on raw signals, and one on the reconstructions of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sans import devices
from sans.classifiers import Classification, ClassifierConfig, Labelled, classify
from sans.configs import ModelConfig
from sans.datasets import DataConfig, Part
from sans.engines import Stopped, ending
from sans.errors import DatasetError
from sans.signals import CHUNK
from sans.sweeps.tasks import verified
from sans.training.bank import Bank


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """A classifier to be trained on what is left of the signals; any machine with the data can."""

    name: str
    """What tells it from the others of its data set, such as "extrema-15-0-last"."""

    data: DataConfig
    """Which signals; whoever performs the task loads them."""

    digest: str
    """What `Dataset.digest` must say of them."""

    config: ClassifierConfig
    """How it is trained."""

    model: ModelConfig | None = None
    """The network whose reconstructions it sees; None: it sees the raw signals."""

    kernels: tuple[NDArray[np.float32], ...] = ()
    """The kernels of that network."""


def perform(exam: Exam, stopped: Stopped) -> Classification:
    """Reconstruct every signal, train the classifier, and return its accuracies.

    Raises:
        DatasetError: if the data are not here, or are not those of the exam, or teach nothing.
        StoppedError: if `stopped` says so.
    """
    dataset = verified(exam.data, exam.digest)
    parts = (dataset.training, dataset.validation, dataset.test)
    training, validation, test = (_labelled(exam, part, stopped) for part in parts)
    try:
        return classify(training, validation, test, exam.config, ending(stopped))
    except ValueError as error:
        raise DatasetError(f"{exam.data.dataset}: {error}") from error


def _labelled(exam: Exam, part: Part, stopped: Stopped) -> Labelled:
    """Return what the classifier sees of a part, and its labels."""
    if part.labels is None:
        raise ValueError(f"{exam.data.dataset} has no labels")
    signals = torch.from_numpy(part.signals)
    if exam.model is not None:
        signals = reconstruct(exam.model, exam.kernels, signals, exam.config.device, stopped)
    return Labelled(signals, torch.from_numpy(part.labels))


@torch.no_grad()
def reconstruct(
    model: ModelConfig,
    kernels: tuple[NDArray[np.float32], ...],
    signals: torch.Tensor,
    device: str,
    stopped: Stopped,
) -> torch.Tensor:
    """Return what a network makes of signals, both ``(signals, 1, *space)``, on the CPU.

    Raises:
        StoppedError: if `stopped` says so.
    """
    place = devices.pick(device)
    bank = Bank([model], [[torch.from_numpy(kernel) for kernel in kernels]], place)
    found = torch.empty_like(signals)
    size = max(1, CHUNK // (len(kernels) * signals[0].numel()))
    end = ending(stopped)
    with devices.steady():
        for first in range(0, len(signals), size):
            end()
            chunk = signals[first : first + size].to(place)
            found[first : first + size] = bank.decode(bank.encode(chunk)).cpu()
    return found
