"""Least squares in an envelope: numpy's dense solver, and rows that depend on each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sans.pursuit.least_squares import envelope, factorise, solve, substitute


@st.composite
def systems(draw):
    """The products of random atoms, each of which meets its neighbours only, and a right side."""
    rows = draw(st.integers(0, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    atoms = np.zeros((rows, 40))
    first = np.arange(rows)
    for row, begin in enumerate(sorted(random.integers(0, 32, rows))):
        atoms[row, begin : begin + 8] = random.standard_normal(8)
        first[row] = min(j for j in range(row + 1) if atoms[j] @ atoms[row] != 0)
    first = np.minimum.accumulate(first[::-1])[::-1]  # as in the order of places: none goes back
    return atoms @ atoms.T, np.ascontiguousarray(first), random.standard_normal(rows)


def packed(matrix, first):
    """Return the lower half of a matrix in an envelope."""
    room = envelope(np.asarray(first, np.int64))
    rows = [matrix[i, begin : i + 1] for i, begin in enumerate(first)]
    room.entries[:] = np.concatenate([*rows, []])
    return room


def close(found, wanted, matrix):
    """Assert that two solutions are equal, as far as the matrix tells them apart."""
    condition = np.linalg.cond(matrix) if len(matrix) else 1.0
    size = np.abs(wanted).max(initial=1.0)
    return np.abs(found - wanted).max(initial=0.0) <= 1e-14 * max(condition, 10.0) * size


def test_an_envelope_has_room_for_every_row():
    room = envelope(np.array([0, 0, 2, 1], np.int64))
    assert room.begin.tolist() == [0, 1, 3, 4, 7]
    assert room.entries.tolist() == [0.0] * 7


@given(systems())
def test_the_solution_is_that_of_a_dense_solver(system):
    matrix, first, vector = system
    wanted = np.linalg.solve(matrix, vector)
    solve(packed(matrix, first), vector)
    assert close(vector, wanted, matrix)


@given(systems())
def test_a_wider_envelope_has_the_same_solution(system):
    matrix, first, vector = system
    wide = vector.copy()
    solve(packed(matrix, first), vector)
    solve(packed(matrix, np.zeros_like(first)), wide)
    assert close(wide, vector, matrix)


@given(systems(), st.data())
def test_a_factor_solves_again_from_the_first_row_that_counts(system, data):
    matrix, first, vector = system
    begin = data.draw(st.integers(0, len(vector)))
    vector[:begin] = 0
    wanted = np.linalg.solve(matrix, vector)
    factor = packed(matrix, first)
    factorise(factor)
    whole = vector.copy()
    substitute(factor, vector, begin)
    substitute(factor, whole, 0)
    assert np.array_equal(vector, whole)
    assert close(vector, wanted, matrix)


@given(systems(), st.data())
def test_a_row_that_depends_on_others_gets_nothing_and_changes_nothing(system, data):
    matrix, _, vector = system
    if not len(vector):
        return
    again = data.draw(st.integers(0, len(vector) - 1))
    order = [*range(again + 1), *range(again, len(vector))]
    double, met = matrix[np.ix_(order, order)], vector[order]
    without = np.delete(np.arange(len(order)), again + 1)
    wanted = np.linalg.solve(matrix, vector)
    solve(packed(double, np.zeros(len(order), np.int64)), met)
    assert met[again + 1] == 0
    assert close(met[without], wanted, matrix)


def test_a_row_of_zeros_gets_nothing():
    vector = np.array([3.0, 5.0])
    solve(packed(np.diag([0.0, 4.0]), [0, 0]), vector)
    assert vector.tolist() == [0.0, 1.25]
