"""How signals differ from those that a network was learned from."""

from __future__ import annotations

import numpy as np
import pytest

from sans.datasets.parts import RECORDING, Dataset, Part
from sans.runs.origin import mismatches


@pytest.mark.parametrize(
    ("learned", "rate", "said"),
    [
        (360, 120.0, ["the network was learned at 360 Hz, these signals have 120 Hz"]),
        (173.61, 0.5, ["the network was learned at 173.61 Hz, these signals have 0.5 Hz"]),
        (360, 360.0, []),
        (360, 360.1, []),
        (None, 120.0, []),
        (360, None, []),
        ("360", 120.0, []),
        (True, 120.0, []),
    ],
)
def test_another_rate_is_told_where_both_are_known(learned, rate, said):
    part = Part(np.ones((1, 1, 4), dtype=np.float32))
    dataset = Dataset("x", part, part, part, rate, RECORDING)
    assert list(mismatches({"rate": learned}, dataset)) == said


def test_a_model_that_remembers_nothing_differs_from_nothing():
    part = Part(np.ones((1, 1, 4), dtype=np.float32))
    assert mismatches({}, Dataset("x", part, part, part, 100.0, RECORDING)) == ()


def test_the_command_line_says_what_was_used_and_what_differs(sans, tmp_path):
    signal = np.sin(np.arange(1_200) / 9)
    np.savez(tmp_path / "a.npz", ecg=signal, rate=360)
    np.savez(tmp_path / "b.npz", ecg=signal, rate=120)
    trained = sans("train", "--dataset", "a.npz", "--window", "60", "--epochs", "1")
    used = "of a.npz, standardised"
    assert trained.stderr.splitlines()[-1] == f"trained on 10 of 20 windows (1.7 s of 3.3 s) {used}"
    same, other = (sans("evaluate", "--dataset", f"{name}.npz", "--window", "60") for name in "ab")
    scored = "scored on 7 of 20 windows"
    assert same.stderr.splitlines() == [f"{scored} (1.2 s of 3.3 s) {used}"]
    assert other.stderr.splitlines() == [
        "the network was learned at 360 Hz, these signals have 120 Hz",
        f"{scored} (3.5 s of 10 s) of b.npz, standardised",
    ]
