"""Training of one network, whichever its encoder."""

from __future__ import annotations

from joblib import cpu_count

from sans.configs import ModelConfig, TrainConfig
from sans.signals import Signals
from sans.training.protocol import TrainerProtocol, Training
from sans.training.pursuit_trainer import PursuitTrainer
from sans.training.shapes_trainer import ShapesTrainer
from sans.training.trainer import Trainer


def train(
    model: ModelConfig, training: Signals, validation: Signals, config: TrainConfig | None = None
) -> Training:
    """Train one network.

    Args:
        model: what the network is.
        training: ``(signals, leads, *space)``; signals that are zero everywhere, or that have fewer
            samples than the largest kernel because the others are missing, are left out.
        validation: like `training`; they choose the epoch, by φ, or by φₐ where a pursuit stops by
            that.
        config: how to train; None: the paper's settings for recordings.

    Raises:
        ValueError: if the signals or the settings do not fit the network.
        ModelError: if no epoch had a finite φ.

    Examples:
        >>> from sans import ModelConfig, TrainConfig, train
        >>> from sans.datasets import DataConfig, load
        >>> data = load(DataConfig("synthetic"))
        >>> config = TrainConfig(epochs=2, start="data")
        >>> parts = data.training.signals, data.validation.signals
        >>> trained = train(ModelConfig(kernel_sizes=(91,)), *parts, config)
        >>> round(trained.best.phi, 1), len(trained.history)
        (0.4, 2)
        >>> trained.model.save("model.safetensors", {"dataset": data.name, "rate": data.rate})
    """
    trainer = trainer_for(model, training, validation, config)
    while not trainer.finished:
        trainer.run_epoch()
    return trainer.result()


def trainer_for(
    model: ModelConfig,
    training: Signals,
    validation: Signals,
    config: TrainConfig | None = None,
    threads: int | None = None,
) -> TrainerProtocol:
    """Return what trains one network; arguments and errors are those of `train`.

    Args:
        model: what the network is.
        training: ``(signals, leads, *space)``.
        validation: like `training`.
        config: how to train.
        threads: how many share the work of a pursuit; None: one a core. The result is the same.
    """
    if model.encoder == "pursuit":
        threads = cpu_count() if threads is None else threads
        if model.kernel or model.leads > 1:
            return ShapesTrainer(model, training, validation, config, threads)
        return PursuitTrainer(model, training, validation, config, threads)
    return Trainer([model], training, validation, config)
