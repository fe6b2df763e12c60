"""What a user chooses: the options of a model and of its training, checked where they are made.

`model`, `layout` and `training` say what a network is and how it is trained, `grid`, `budget` and
`reproduction` what a sweep, a search and a published experiment cover, `compression` what a
recording may lose. `mapping` and `toml` write them into files. Nothing here imports torch, so that
the command line can name options and defaults at once.
"""

from sans.configs.checks import LARGEST, check_name, integers
from sans.configs.encoding import (
    DECODERS,
    ENCODERS,
    LONGEST_STRETCH,
    RANKS,
    REFITS,
    check_encoding,
)
from sans.configs.mapping import from_mapping, to_mapping
from sans.configs.model import ModelConfig
from sans.configs.model_options import MOST_KERNELS, ModelOptions
from sans.configs.training import DEVICES, LARGEST_LR, STARTS, TrainConfig, TrainOptions

__all__ = [
    "DECODERS",
    "DEVICES",
    "ENCODERS",
    "LARGEST",
    "LARGEST_LR",
    "LONGEST_STRETCH",
    "MOST_KERNELS",
    "RANKS",
    "REFITS",
    "STARTS",
    "ModelConfig",
    "ModelOptions",
    "TrainConfig",
    "TrainOptions",
    "check_encoding",
    "check_name",
    "from_mapping",
    "integers",
    "to_mapping",
]
