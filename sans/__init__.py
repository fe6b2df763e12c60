"""Describe signals and images by a few spikes of a few learned kernels."""

from pathlib import Path as _Path
from typing import TYPE_CHECKING

from sans.lazy import lazy_names as _lazy_names

if TYPE_CHECKING:
    from sans.activations import ACTIVATIONS as ACTIVATIONS
    from sans.codec.arrays import compress as compress
    from sans.codec.arrays import decompress as decompress
    from sans.configs import ModelConfig as ModelConfig
    from sans.configs import ModelOptions as ModelOptions
    from sans.configs import TrainConfig as TrainConfig
    from sans.errors import BitstreamError as BitstreamError
    from sans.errors import DatasetError as DatasetError
    from sans.errors import ModelError as ModelError
    from sans.errors import SansError as SansError
    from sans.evaluation import Evaluation as Evaluation
    from sans.evaluation import evaluate as evaluate
    from sans.kernels import Kernels as Kernels
    from sans.kernels import load_kernels as load_kernels
    from sans.metrics import phi as phi
    from sans.metrics import phi_addressed as phi_addressed
    from sans.model import SAN as SAN
    from sans.reading import read as read
    from sans.recordings.recording import Recording as Recording
    from sans.recordings.writing import write as write
    from sans.training import Training as Training
    from sans.training import train as train

__version__ = "0.1.0"

# In a checkout the loaders lie beside this package, in datasets/; a wheel has them inside it.
_HERE = _Path(__file__).resolve().parent
if not (_HERE / "datasets").is_dir():
    __path__.append(str(_HERE.parent))

# Torch takes seconds to import: a name is looked up in its module when it is first wanted.
_MODULES = {
    "ACTIVATIONS": "activations",
    "BitstreamError": "errors",
    "DatasetError": "errors",
    "Evaluation": "evaluation",
    "Kernels": "kernels",
    "ModelConfig": "configs",
    "ModelError": "errors",
    "ModelOptions": "configs",
    "Recording": "recordings.recording",
    "SAN": "model",
    "SansError": "errors",
    "TrainConfig": "configs",
    "Training": "training",
    "compress": "codec.arrays",
    "decompress": "codec.arrays",
    "evaluate": "evaluation",
    "load_kernels": "kernels",
    "phi": "metrics",
    "phi_addressed": "metrics",
    "read": "reading",
    "train": "training",
    "write": "recordings.writing",
}

__all__ = sorted(_MODULES)

__getattr__, __dir__ = _lazy_names(__name__, _MODULES)
