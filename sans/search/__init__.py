"""Searching for the kernels of a pursuit: how many, how long, learned how.

Optuna proposes trials from how earlier ones went; the engines of `sans.engines` perform them, some
seconds at a time. A trial learns kernels like any training, and the one with the lowest validation
φ̄ is left as a run. What it needs to go on is kept in the run's folder after every slice.
"""

from sans.configs.budget import Budget
from sans.search.places import begun
from sans.search.rows import Finished
from sans.search.search import Search, prepare

__all__ = ["Budget", "Finished", "Search", "begun", "prepare"]
