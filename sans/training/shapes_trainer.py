"""Training a pursuit whose kernels are given by texts: formulas, learned kernels, and cosines.

Formulas stay as they are, and learned kernels move among them. Where kernels adapt, an epoch also
exchanges families, widths, banks and learned kernels; an exchange stays where the figure that is to
be low falls by it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from sans.configs import ModelConfig, TrainConfig
from sans.convolution.frames import Floats
from sans.dictionary_learning.learner import Described, Method, thinned
from sans.errors import ModelError
from sans.model import SAN
from sans.pursuit.stop import Stop
from sans.signals import Signals
from sans.training.base import PursuitTrainerBase, epochs_in, some
from sans.training.choosing import Judged, choose, improved, judged, methods_of
from sans.training.doubts import doubts_of
from sans.training.history import VALIDATED, Epoch
from sans.training.learning import describe, learn
from sans.training.protocol import OnBatch, Training
from sans.training.shapes import as_file, equal, in_texts, started, stored

TOGETHER = 2**15
"""Samples of signals by which exchanges are judged: of both parts together where they have no more;
otherwise so many of either."""

TURNS = 4
"""Turns of an epoch in which kernels are learned only."""

SHAPE = 0.0005
"""The share by which a shape must lower the figure of a typical signal to be worth having."""

EXCHANGES = 2
"""Exchanges of an epoch that are described in full."""


class ShapesTrainer(PursuitTrainerBase):
    """Trains one network with `encoder="pursuit"` of several leads, or of kernels given by texts.

    Args:
        model: the network.
        training: ``(signals, leads, *space)``; signals that are zero everywhere are left out.
        validation: like `training`; they choose the epoch. With `adapt` and few signals both parts
            choose: with two windows chance would.
        config: how to train; None: the defaults.
        threads: how many share the work; the result is the same.

    Raises:
        ValueError: if the network does not fit the signals, or `config` does not fit the network.
    """

    def __init__(
        self,
        model: ModelConfig,
        training: Signals,
        validation: Signals,
        config: TrainConfig | None = None,
        threads: int = 1,
    ) -> None:
        model = in_texts(model)
        super().__init__(model, training, validation, config)
        method = Method(
            stop=Stop.parse(model.stop),
            dropout=self.config.dropout,
            stretches=model.stretches,
            threads=threads,
        )
        self._methods = methods_of(model, method)
        self._set_signals()
        self._shapes = started(model, self.training.cpu(), self.config)
        self._best = self._shapes
        self._present: tuple[float, Floats] | None = None

    def _set_signals(self) -> None:
        """Choose the signals by which shapes are learned, and those by which epochs are judged."""
        parts = [part.cpu().double().numpy() for part in (self.training, self.validation)]
        whole = sum(part.size for part in parts)
        if self.config.adapt and whole <= TOGETHER:
            self._signals = self._judges = np.concatenate(parts)
            return
        seeds = (self.config.seed, 0)  # all trials of a search are judged by the same signals
        self._signals, self._judges = (
            some(part, TOGETHER, np.random.default_rng(seed))
            for part, seed in zip(parts, seeds, strict=True)
        )

    @property
    def typical(self) -> float:
        """The figure of a typical signal that judged exchanges: the geometric mean.

        Every shape makes it a little higher: of networks that describe alike, the smaller is better
        for other signals, too.
        """
        if self._present is None:
            return math.inf
        mean = float(np.exp(np.log(self._present[1]).mean()))
        return mean * (1 + SHAPE * self._shapes.config.shapes)

    def run_epoch(self, on_batch: OnBatch | None = None) -> tuple[Epoch, ...]:
        """Learn, or exchange, then validate; return the epoch."""
        random = self._random()
        before = self._shapes
        error = (
            self._exchanged(random, on_batch)
            if self.config.adapt
            else self._learned(random, on_batch)
        )
        self._shapes = as_file(self._shapes)
        changed = not equal(before, self._shapes)
        self._unchanged = 0 if changed else self._unchanged + 1
        best = self._history.best[0]
        epochs = self._history.add(loss=error, **self._figures(changed))
        if self._history.best[0] != best:
            self._best = self._shapes
        return epochs

    def _figures(self, changed: bool) -> dict[str, float]:
        """Return the figures of the shapes on the signals that judge epochs."""
        if not changed and self.epoch:
            last = self._history.records[-1, 0]
            return {name: float(last[name]) for name in VALIDATED}
        found: Described = describe(self._judges, self._shapes, self._methods[1])
        return {name: getattr(found, name) for name in VALIDATED}

    def _learned(self, random: np.random.Generator, on_batch: OnBatch | None) -> float:
        """Move learned kernels some times; return the mean absolute error."""
        look = self._methods[0]
        found = describe(self._signals, self._shapes, look)
        for done in range(1, TURNS + 1):
            if self._shapes.moving:
                seen = thinned(found, look, random)
                self._shapes = learn(self._signals, self._shapes, seen)
                found = describe(self._signals, self._shapes, look)
            if on_batch:
                on_batch(done, TURNS, found.error)
        return found.error

    def _exchanged(self, random: np.random.Generator, on_batch: OnBatch | None) -> float:
        """Exchange shapes some times; return the mean absolute error. The first epoch only looks.

        How well the shapes of the last epoch did is remembered: describing takes the time.
        """
        if self._present is None:
            present = judged(self._signals, self._shapes, *self._methods)
        else:
            error = float(self._history.records["loss"][-1, 0])
            present = Judged(self._shapes, *self._present, error)
        steps = EXCHANGES if self.epoch else 0
        for done in range(1, steps + 1):
            if present.shapes.moving:
                present = improved(self._signals, present, self._methods, random)
            present = choose(self._signals, present, self.model, self._methods, random)
            if on_batch:
                on_batch(done, steps, present.error)
        self._shapes, self._present = present.shapes, (present.glimpse, present.values)
        return present.error

    def result(self, index: int = 0) -> Training:
        """Return what training has made of the network so far.

        Raises:
            ModelError: if no epoch has ended.
        """
        best, history = self._best_epoch(index)
        config = self._best.config
        doubts = doubts_of(config, self.config, history, best, torch.from_numpy(self._judges))
        kernels = [torch.from_numpy(each.astype(np.float32)) for each in self._best.kernels]
        patterns = [torch.from_numpy(each.astype(np.float32)) for each in self._best.patterns]
        return Training(_network(config, kernels, patterns), best, history, doubts)

    def state(self) -> dict[str, Tensor]:
        """Return all that the next epochs depend on, as tensors of their own."""
        state = self._epochs_state()
        if self._present is not None:
            glimpse, values = self._present
            state["present"] = torch.from_numpy(np.array((glimpse, *values)))
        for name, shapes in (("kernel", self._shapes), ("best", self._best)):
            text = json.dumps(shapes.config.kernel).encode()
            state[f"{name}-texts"] = torch.tensor(list(text), dtype=torch.uint8, device="cpu")
            for kind, arrays in (("", shapes.kernels), ("-pattern", shapes.patterns)):
                state |= {
                    f"{name}{kind}.{i}": torch.from_numpy(np.array(each))
                    for i, each in enumerate(arrays)
                }
        return state

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state` returned; the epochs after are then the same, bit for bit.

        Raises:
            ModelError: if `state` is not of such a network; nothing has changed then.
        """
        try:
            records, unchanged = epochs_in(state)
            side = min(self.training.shape[2:])
            shapes, best = (stored(state, name, self.model, side) for name in ("kernel", "best"))
            present = state["present"].double().numpy() if "present" in state else None
            if present is not None and present.shape != (1 + len(self._signals),):
                raise ValueError(f"figures of {present.shape} signals")
        except (KeyError, ValueError) as error:
            raise ModelError(f"the checkpoint is of another network: {error}") from error
        self._history.records = records
        self._shapes, self._best, self._unchanged = shapes, best, unchanged
        self._present = None if present is None else (float(present[0]), np.array(present[1:]))


def _network(config: ModelConfig, kernels: list[Tensor], patterns: list[Tensor]) -> SAN:
    """Return a network of kernels and the patterns of its layout."""
    members = config.layout.members if config.leads > 1 else ()
    by_kernel = [None if m.pattern is None else patterns[m.pattern] for m in members]
    return SAN(config, kernels, by_kernel)
