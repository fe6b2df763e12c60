"""Normal equations of many images at once."""

from __future__ import annotations

import torch
from torch import Tensor

from sans.pursuit.least_squares import DEPENDENT

HUGE = 1e40
"""A row of the normal equations with so many times its diagonal takes part in nothing."""


def solve(
    gram: Tensor, vector: Tensor, present: Tensor, dependent: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Solve normal equations as `sans.pursuit.least_squares.solve` does.

    A row that depends on those before it is as good as not there. Which ones do shows only where
    those before are right; so from a guess, of which the rows up to the first wrong one are right.

    Args:
        gram: ``(batch, room, room)``.
        vector: ``(batch, room)``.
        present: which rows there are, ``(batch, room)``.
        dependent: a guess at which depend on those before.

    Returns:
        The solution, ``(batch, room)``, 0 where a row depends on others, which do, and the factor
        of the matrix, in which they take part in nothing.
    """
    identity = torch.eye(gram.shape[1], dtype=torch.bool, device=gram.device)
    matrix = torch.where(present[:, :, None] & present[:, None], gram, identity.to(gram))
    own = matrix.diagonal(dim1=1, dim2=2)
    index = torch.arange(gram.shape[1], device=gram.device)
    dependent, right = dependent & present, -torch.ones_like(index[:1])
    while True:
        apart = torch.where(identity & dependent[:, None], HUGE * matrix, matrix)
        factor, failed = torch.linalg.cholesky_ex(apart)
        failed = torch.where(failed == 0, len(index) + 1, failed)[:, None]  # rows count from 1
        left = own - factor.tril(-1).square().sum(2)
        lost = ~(left > DEPENDENT * own) | (index == failed - 1)
        wrong = (lost != dependent) & (index < failed) & (index > right)
        if not bool(wrong.any()):
            break
        right = torch.where(wrong, index, len(index)).amin(1, keepdim=True)  # from now on
        dependent = dependent ^ (index == right)
    return substitute(factor, torch.where(present, vector, 0), dependent), dependent, factor


def substitute(factor: Tensor, vector: Tensor, dependent: Tensor) -> Tensor:
    """Return the solution of equations of which `solve` has found the factor."""
    solution = torch.cholesky_solve(torch.where(dependent, 0, vector)[..., None], factor)
    return torch.where(dependent, 0, solution[..., 0])
