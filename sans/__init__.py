"""Describe signals and images by a few spikes of a few learned kernels."""

from pathlib import Path as _Path

__version__ = "0.1.0"

# In a checkout the loaders lie beside this package, in datasets/; a wheel has them inside it.
_HERE = _Path(__file__).resolve().parent
if not (_HERE / "datasets").is_dir():
    __path__.append(str(_HERE.parent))
