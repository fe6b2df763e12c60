"""Least squares for atoms that meet only their neighbours.

The normal equations of atoms in the order of their places have an envelope: row i is zero before
its first column, and so is row i of its Cholesky factor. Rows lie one behind the other in one
array, each from its first column to the diagonal.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sans.compilation.decorators import compiled, reordered
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Index

DEPENDENT = 1e-10
"""An atom of which the others leave a smaller share than this gets no amplitude of its own."""


class Envelope(NamedTuple):
    """The lower half of a symmetric matrix."""

    first: Integers
    """``(rows,)``: the first column of each row that may not be 0."""

    begin: Integers
    """``(rows + 1,)``: where each row lies in `entries`."""

    entries: Floats
    """The rows, one behind the other."""


@compiled
def envelope(first: Integers) -> Envelope:
    """Return an envelope of zeros whose rows begin at given columns."""
    begin = np.empty(first.size + 1, np.int64)
    begin[0] = 0
    for i in range(first.size):
        begin[i + 1] = begin[i] + i + 1 - first[i]
    return Envelope(first, begin, np.zeros(begin[first.size]))


@compiled
def solve(matrix: Envelope, vector: Floats) -> None:
    """Replace `vector` by the solution x of matrix · x = vector, and the matrix by its factor.

    Where rows depend on each other, the later one gets 0.
    """
    factorise(matrix)
    substitute(matrix, vector, 0)


@reordered
def substitute(factor: Envelope, vector: Floats, begin: int) -> None:
    """Replace `vector`, which is 0 before `begin`, by the solution x of matrix · x = vector.

    Args:
        factor: the factor of the matrix, as `factorise` leaves it.
        vector: ``(rows,)``, changed.
        begin: the first row that may not be 0.
    """
    first, start, entries = factor
    for i in range(begin, vector.size):
        # Entry (i, j) lies at row + j.
        row, known, own = Index(start[i] - first[i]), Index(first[i]), Index(i)
        total = vector[own]
        for j in range(known, own):
            total -= entries[row + j] * vector[j]
        vector[own] = total * entries[row + own]
    for back in range(1, vector.size + 1):
        i = vector.size - back
        row, known, own = Index(start[i] - first[i]), Index(first[i]), Index(i)
        vector[own] *= entries[row + own]
        solved = vector[own]
        for j in range(known, own):
            vector[j] -= solved * entries[row + j]


@reordered
def factorise(matrix: Envelope) -> None:
    """Replace a matrix by its Cholesky factor, whose diagonal is inverted.

    A row that depends on those before it gets 0 there, and so takes part in nothing.
    """
    first, begin, entries = matrix
    for i in range(first.size):
        # Entry (i, j) lies at row + j, entry (j, k) at above + k.
        row, known, own = Index(begin[i] - first[i]), Index(first[i]), Index(i)
        left = entries[row + own]
        least = DEPENDENT * left
        for j in range(known, own):
            above = Index(begin[j] - first[j])
            met = entries[row + j]
            for k in range(max(known, Index(first[j])), j):
                met -= entries[row + k] * entries[above + k]
            met *= entries[above + j]
            entries[row + j] = met
            left -= met * met
        entries[row + own] = 1 / math.sqrt(left) if left > least else 0.0
