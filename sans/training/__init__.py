"""Training networks: where they start, which way they go, and the engine that takes the steps.

`Trainer` descends the gradient of single-pass networks; `PursuitTrainer` learns the kernels of a
pursuit, by `sans.dictionary_learning`; both go epoch by epoch, and keep the best by validation φ̄.
"""

from sans.training.pursuit_trainer import PursuitTrainer
from sans.training.trainer import Epoch, OnBatch, Trainer, Training
from sans.training.training import train, trainer_for

__all__ = ["Epoch", "OnBatch", "PursuitTrainer", "Trainer", "Training", "train", "trainer_for"]
