"""What a model file says of the signals that its kernels were learned from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sans.datasets import Dataset

SAME = 1e-3
"""Rates that differ by a smaller share are one: kernels have a thousand samples at most or so."""


def mismatches(about: Mapping[str, Any], dataset: Dataset) -> tuple[str, ...]:
    """Return how signals differ from those that a network was learned from, one sentence each.

    Args:
        about: what the model file remembers of its origin; a rate that it does not say, or that is
            no number, differs from none.
        dataset: other signals.
    """
    learned, rate = about.get("rate"), dataset.rate
    if isinstance(learned, bool) or not isinstance(learned, int | float) or rate is None:
        return ()
    if math.isclose(learned, rate, rel_tol=SAME):
        return ()
    return (f"the network was learned at {learned:g} Hz, these signals have {rate:g} Hz",)
