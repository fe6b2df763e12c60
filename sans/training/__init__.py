"""Training networks: where they start, which way they go, and the engine that takes the steps."""

from sans.training.trainer import Epoch, OnBatch, Trainer, Training, train

__all__ = ["Epoch", "OnBatch", "Trainer", "Training", "train"]
