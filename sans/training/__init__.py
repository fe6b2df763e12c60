"""Training networks: where they start, which way they go, and the engine that takes the steps.

`Trainer` descends the gradient of single-pass networks; `PursuitTrainer` learns the kernels of a
pursuit, by `sans.dictionary`; both go epoch by epoch, and keep the best by validation φ̄.
"""

from sans.training.choice import train, trainer_for
from sans.training.pursuit_trainer import PursuitTrainer
from sans.training.trainer import Epoch, OnBatch, Trainer, Training

__all__ = ["Epoch", "OnBatch", "PursuitTrainer", "Trainer", "Training", "train", "trainer_for"]
