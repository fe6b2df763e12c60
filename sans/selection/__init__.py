"""Which entries of a map a sparse activation keeps.

`loops` holds compiled loops on numpy arrays, which need no torch; `tensors` the same selections as
tensor operations, for devices that the loops cannot reach. Both select the same, entry for entry.
"""

from sans.selection.loops import competing_extrema, extrema, extrema_pool, topk

__all__ = ["competing_extrema", "extrema", "extrema_pool", "topk"]
