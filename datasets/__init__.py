"""The data sets by name: what there is, where it is, how to get it, and how to load it."""

from sans.datasets.config import DataConfig
from sans.datasets.entries import Entry, catalogue
from sans.datasets.loading import absolute, load, locate, resolve
from sans.datasets.parts import Dataset, Part, Recipe
from sans.datasets.sources import fetch

__all__ = [
    "DataConfig",
    "Dataset",
    "Entry",
    "Part",
    "Recipe",
    "absolute",
    "catalogue",
    "fetch",
    "load",
    "locate",
    "resolve",
]

if __name__ == "datasets":
    raise ImportError("this folder is the package sans.datasets: write `import sans.datasets`")
