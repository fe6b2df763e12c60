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

from typing import TYPE_CHECKING

from sans.lazy import lazy_names as _lazy_names

if TYPE_CHECKING:
    from sans.datasets.config import DataConfig as DataConfig
    from sans.datasets.entries import Entry as Entry
    from sans.datasets.entries import catalogue as catalogue
    from sans.datasets.loading import absolute as absolute
    from sans.datasets.loading import load as load
    from sans.datasets.loading import locate as locate
    from sans.datasets.loading import resolve as resolve
    from sans.datasets.parts import Dataset as Dataset
    from sans.datasets.parts import Part as Part
    from sans.datasets.parts import Recipe as Recipe
    from sans.datasets.sources import fetch as fetch

# The readers of all formats take a while to import; the command line wants `DataConfig` at once.
_MODULES = {
    "DataConfig": "config",
    "Dataset": "parts",
    "Entry": "entries",
    "Part": "parts",
    "Recipe": "parts",
    "absolute": "loading",
    "catalogue": "entries",
    "fetch": "sources",
    "load": "loading",
    "locate": "loading",
    "resolve": "loading",
}

__all__ = sorted(_MODULES)

if __name__ == "datasets":
    raise ImportError("this folder is the package sans.datasets: write `import sans.datasets`")

__getattr__, __dir__ = _lazy_names(__name__, _MODULES)
