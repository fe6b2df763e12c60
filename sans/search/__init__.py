"""Searching for the kernels of a pursuit: how many, how long, learned how.

Optuna proposes trials from how earlier ones went; the engines of `sans.engines` perform them, some
seconds at a time. A trial learns kernels like any training, and the one with the lowest validation
φ̄ is left as a run.
"""

from sans.configs.budget import Budget
from sans.search.search import Finished, Search, prepare

__all__ = ["Budget", "Finished", "Search", "prepare"]
