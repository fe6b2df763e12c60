"""Searching for the kernels of a pursuit: which families, how many, how long, learned how.

`proposing` has what proposes trials from how earlier ones went: `islands` exchange what spikes may
draw where φ̄ₐ is to be low, Optuna chooses sizes of learned kernels where φ̄ is. The engines of
`sans.engines` perform trials, some seconds at a time. A trial learns like any training, and the one
with the lowest figure is left as a run. What it needs to go on is kept in the run's folder after
every slice.
"""

from sans.configs.budget import Budget
from sans.search.places import begun
from sans.search.rows import Finished
from sans.search.search import Search, prepare

__all__ = ["Budget", "Finished", "Search", "begun", "prepare"]
