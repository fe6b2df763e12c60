"""Arrays and values in one file: the same, in whatever order they were handed in."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.errors import ModelError
from sans.model_files import CHECKPOINT, MODEL, read_arrays, write_arrays

ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "adam.mean": np.array([], np.float64),
    "shuffler": np.array([1, 255], np.uint8),
    "steps": np.array(7),
}
VALUES = {"settings": {"b": [1, None, "φ"], "a": 0.1}}


def test_arrays_and_values_come_back(tmp_path):
    write_arrays(tmp_path / "a", CHECKPOINT, ARRAYS, VALUES)
    arrays, values = read_arrays(tmp_path / "a", CHECKPOINT)
    assert values == VALUES
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(arrays[name], array)


@pytest.mark.parametrize("order", list(itertools.permutations(ARRAYS)))
def test_the_order_of_the_arrays_changes_no_byte(tmp_path, order):
    write_arrays(tmp_path / "a", CHECKPOINT, ARRAYS, VALUES)
    write_arrays(tmp_path / "b", CHECKPOINT, {name: ARRAYS[name] for name in order}, VALUES)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "a").read_bytes()
    read_arrays(tmp_path / "b", CHECKPOINT)


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 255), max_size=5))
def test_names_in_any_order_are_read_again(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("arrays") / "a"
    arrays = {name: np.array([number], np.uint8) for name, number in numbers.items()}
    write_arrays(path, MODEL, arrays, {})
    assert {name: array.item() for name, array in read_arrays(path, MODEL)[0].items()} == numbers


def test_an_array_that_changed_its_name_alone_is_damage(tmp_path):
    path = tmp_path / "a"
    write_arrays(path, MODEL, {"one": np.zeros(2), "two": np.ones(2)}, {})
    content = path.read_bytes()
    swapped = content.replace(b'"one"', b'"six"')
    assert swapped != content
    path.write_bytes(swapped)
    with pytest.raises(ModelError, match="its checksum is not that of its content"):
        read_arrays(path, MODEL)
