"""The data sets by name: what there is, where it is, how to get it, and how to load it.

======================================= ===========================================================
`entries`                               the catalogue: a row a set, with how it is loaded and found
`config`                                what a user asks for
`loading`                               from a name or a path to a data set, or to its folder
`folders`                               where files of data sets are looked for
`sources`, `download`                   how they get there
`physionet`, `epilepsy`, `mnist`, …     the sets: a module each
`own_files`                             a user's own file, whatever `sans.recordings` reads
`windows`, `split`                      a channel becomes windows, signals become three parts
`parts`                                 what a loaded data set is, and what it says of itself
======================================= ===========================================================

A set of one's own is a module here, and a row of `entries`; the README shows both.
"""

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
