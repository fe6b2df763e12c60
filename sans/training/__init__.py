"""Training networks: where they start, which way they go, and the engine that takes the steps.

`Trainer` descends the gradient of single-pass networks; `PursuitTrainer` learns the kernels of a
pursuit, by `sans.dictionary_learning`; both go epoch by epoch, and keep the best by validation φ̄.
`TrainerProtocol` is what they have in common, and all that the rest of the project uses of one.
"""

from sans.training.history import Epoch
from sans.training.protocol import OnBatch, TrainerProtocol, Training
from sans.training.pursuit_trainer import PursuitTrainer
from sans.training.trainer import Trainer
from sans.training.training import train, trainer_for

__all__ = [
    "Epoch",
    "OnBatch",
    "PursuitTrainer",
    "Trainer",
    "TrainerProtocol",
    "Training",
    "train",
    "trainer_for",
]
