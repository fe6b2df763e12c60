"""Classifying signals, or what networks make of them: the supervised experiments of [SAN].

Two small classifiers learn the labels of signals. Trained once on raw signals and once on their
reconstructions, they tell how much of what sets the classes apart a network has kept.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from sans import devices
from sans.configs import TrainConfig
from sans.errors import ModelError
from sans.signals import CHUNK, Signals, as_tensor
from sans.training.descent import Adam

OnBatch = Callable[[int, int], None]
"""Told after each step: steps done, and steps of all epochs; may raise to stop."""

MOST_CLASSES = 1000
"""A larger label is a mistake, and the layer for it might not fit into the memory."""

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class Labelled(NamedTuple):
    """Signals and the class of each, as tensors or arrays."""

    signals: Signals
    """``(signals, 1, *space)``, with one or two dimensions of space, in any unit."""

    labels: Signals
    """``(signals,)``, integers that number the classes from 0."""


class _Part(NamedTuple):
    """What `Labelled` holds, checked: float32 and int64 on the device of the computation."""

    signals: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True)
class ClassifierConfig:
    """How a classifier is trained; the defaults are the paper's. The limits are `TrainConfig`'s."""

    epochs: int = 5
    """Passes over the training signals."""

    batch_size: int = 64
    """Signals a step."""

    lr: float = 0.01
    """Learning rate of Adam."""

    seed: int = 0
    """Seed of the start and of the order of the signals."""

    device: str = "auto"
    """`cpu`, `cuda`, or `auto`: cuda where there is one."""

    def __post_init__(self) -> None:
        TrainConfig(self.epochs, self.batch_size, self.lr, self.seed, device=self.device)


@dataclass(frozen=True, slots=True)
class Classification:
    """How well a classifier did: accuracies in percent, one after each epoch."""

    validation: tuple[float, ...]
    """On the validation signals."""

    test: tuple[float, ...]
    """On the test signals; they choose nothing."""

    @property
    def accuracy(self) -> float:
        """The test accuracy after the last epoch, in percent, as published."""
        return self.test[-1]

    @property
    def best_epoch(self) -> int:
        """The epoch with the highest validation accuracy, the first of equals, from 1."""
        return 1 + self.validation.index(max(self.validation))

    @property
    def best_accuracy(self) -> float:
        """The test accuracy after the best epoch, in percent."""
        return self.test[self.best_epoch - 1]


def linear(space: Sequence[int], classes: int) -> nn.Sequential:
    """Return one linear layer on all samples of a signal of shape ``(*space)``.

    It maps ``(batch, 1, *space)`` to one score a class, ``(batch, classes)``.
    """
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(space), classes))


def cnn(space: Sequence[int], classes: int) -> nn.Sequential:
    """Return the paper's convolutional classifier for signals of shape ``(*space)``, one length.

    It maps ``(batch, 1, length)`` to one score a class, ``(batch, classes)``.

    Raises:
        ValueError: if nothing of the signal would be left after two convolutions and poolings.
    """
    (length,) = space
    left = ((length - 4) // 2 - 4) // 2
    if left < 1:
        raise ValueError(f"this classifier needs signals of at least 16 samples, not {length}")
    return nn.Sequential(
        nn.Conv1d(1, 3, 5),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(3, 16, 5),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Flatten(),
        nn.Linear(16 * left, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, classes),
    )


CLASSIFIERS: dict[int, Callable[[Sequence[int], int], nn.Sequential]] = {1: cnn, 2: linear}
"""The paper's classifier by the dimensions of space."""


@torch.inference_mode(False)  # a caller may have set it, or no_grad, which this undoes too
def classify(
    training: Labelled,
    validation: Labelled,
    test: Labelled,
    config: ClassifierConfig | None = None,
    on_batch: OnBatch | None = None,
) -> Classification:
    """Train the paper's classifier on cross entropy, and count how often it is right.

    There are as many classes as the training labels tell; a class that only other parts have is
    never guessed. The same seed gives the same start and order whatever else uses torch.

    Args:
        training: the signals to learn from.
        validation: like `training`; they choose the best epoch.
        test: like `training`; the accuracies to report are of these.
        config: how to train; None: the paper's settings.
        on_batch: called after each step.

    Raises:
        ValueError: if a part has no signals, a shape that does not fit, samples that are not
            finite or labels that do not go with it, or the training part has only one class.
        ModelError: if the classifier diverged.
    """
    config = config or ClassifierConfig()
    device = devices.pick(config.device)
    learned = _check("training", training, device)
    validated = _check("validation", validation, device)
    tested = _check("test", test, device)
    space = learned.signals.shape[2:]
    for name, part in (("validation", validated), ("test", tested)):
        if (found := part.signals.shape[2:]) != space:
            raise ValueError(
                f"{name} signals of shape {tuple(found)} and training signals of {tuple(space)} "
                "do not go together"
            )
    low, high = int(learned.labels.min()), int(learned.labels.max())
    if low == high:
        raise ValueError(f"all training labels are {low}: give two classes or more")

    generator = torch.Generator("cpu").manual_seed(config.seed)
    with devices.steady(), devices.exact():
        network = _start(CLASSIFIERS[len(space)], space, high + 1, generator).to(device)
        return _train(network, (learned, validated, tested), config, generator, on_batch)


def _start(
    build: Callable[[Sequence[int], int], nn.Sequential],
    space: Sequence[int],
    classes: int,
    generator: torch.Generator,
) -> nn.Sequential:
    """Return a new network with the weights that torch's own layers start with."""
    with torch.device("meta"):  # weights without memory: torch's generator draws none
        network = build(space, classes).float()
    network.to_empty(device="cpu")  # where the same numbers are drawn for every device
    for layer in network:
        for weights in layer.parameters():
            bound = next(layer.parameters())[0].numel() ** -0.5  # by the inputs of an output
            nn.init.uniform_(weights, -bound, bound, generator)
    return network


def _train(
    network: nn.Sequential,
    parts: tuple[_Part, _Part, _Part],
    config: ClassifierConfig,
    generator: torch.Generator,
    on_batch: OnBatch | None,
) -> Classification:
    training, *others = parts
    signals, labels = training
    weights = parameters_to_vector(network.parameters()).detach()
    vector_to_parameters(weights, network.parameters())  # from now on views of the one tensor
    adam = Adam(weights, config.lr)
    steps, done = config.epochs * math.ceil(len(labels) / config.batch_size), 0
    rows = []
    for epoch in range(1, config.epochs + 1):
        order = torch.randperm(len(labels), generator=generator, device="cpu")
        for batch in torch.split(order.to(labels.device), config.batch_size):
            adam.step(_gradient(network, signals[batch], labels[batch]))
            done += 1
            if on_batch:
                on_batch(done, steps)
        rows.append([_accuracy(network, part, epoch) for part in others])
    return Classification(*(tuple(column) for column in zip(*rows, strict=True)))


def _gradient(network: nn.Sequential, signals: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient of a batch's mean cross entropy, all weights in one row."""
    loss = F.cross_entropy(network(signals), labels)
    gradients = torch.autograd.grad(loss, tuple(network.parameters()))
    return torch.cat([gradient.flatten() for gradient in gradients])


@torch.no_grad()
def _accuracy(network: nn.Sequential, part: _Part, epoch: int) -> float:
    """Return the percentage of the signals whose class has the highest score."""
    size = max(1, CHUNK // part.signals[0].numel())
    right = 0
    for signals, labels in zip(*(torch.split(tensor, size) for tensor in part), strict=True):
        scores = network(signals)
        if not bool(scores.isfinite().all()):
            raise ModelError(
                f"the classifier diverged: not all its scores are finite after epoch {epoch}; "
                "try a smaller learning rate or scale the signals"
            )
        right += int((scores.argmax(1) == labels).sum())
    return 100 * right / len(part.labels)


def _check(name: str, part: Labelled, device: torch.device) -> _Part:
    """Return a part as float32 and int64 on `device`, or raise a ValueError that calls it `name`.

    Silent signals stay: they have no φ, but a class.
    """
    signals = as_tensor(part.signals, f"{name} signals").detach().to(device, torch.float32)
    labels = as_tensor(part.labels, f"{name} labels")
    if signals.ndim - 2 not in CLASSIFIERS or signals.shape[1] != 1:
        raise ValueError(
            f"{name} signals must be (signals, 1, length) or (signals, 1, height, width), "
            f"not {tuple(signals.shape)}"
        )
    if not signals.numel():
        raise ValueError(f"{name} signals of shape {tuple(signals.shape)} are empty")
    if labels.shape != signals.shape[:1]:
        raise ValueError(
            f"{name} labels must be ({len(signals)},), one a signal, not {tuple(labels.shape)}"
        )
    if labels.dtype not in _INTEGERS:
        raise ValueError(f"{name} labels must be integers, not {_name(labels.dtype)}")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= MOST_CLASSES:
        raise ValueError(
            f"{name} labels must be between 0 and {MOST_CLASSES - 1}, not between {low} and {high}"
        )
    extremes = torch.stack(signals.flatten(1).aminmax(dim=1))  # NaN is passed on; no large copy
    if len(broken := (~extremes.isfinite().all(0)).nonzero()):
        raise ValueError(f"{name} signal {broken[0].item()} holds NaN or infinity: leave it out")
    return _Part(signals, labels.to(device, torch.int64))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
