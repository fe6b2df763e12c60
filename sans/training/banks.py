"""Networks of one kind as training starts them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from sans.configs import ModelConfig, TrainConfig
from sans.training.bank import Bank, check_kind
from sans.training.leads_bank import LeadsBank
from sans.training.parameters_bank import LeadsParametersBank, ParametersBank
from sans.training.starts import start_network


def bank_for(models: Sequence[ModelConfig], training: Tensor, config: TrainConfig) -> Bank:
    """Return networks of one kind as training starts them, on the device of the signals.

    Args:
        models: the networks.
        training: ``(signals, leads, *space)``.
        config: how to train.

    Raises:
        ValueError: if the networks are of different kinds.
    """
    check_kind(models)
    kernels, patterns = zip(
        *(start_network(model, training, config) for model in models), strict=True
    )
    if config.learn_parameters:
        widest = min(training.shape[2:])
        if models[0].leads == 1:
            return ParametersBank(widest, models, kernels, training.device)
        return LeadsParametersBank(widest, models, kernels, patterns, training.device)
    if models[0].leads == 1:
        return Bank(models, kernels, training.device)
    return LeadsBank(models, kernels, patterns, training.device)
