"""Which signal of a recording a name means."""

from __future__ import annotations

import pytest

from sans.errors import DatasetError
from sans.recordings.channels import choose_channel


def test_a_channel_is_chosen_by_name_before_position():
    assert choose_channel("V5", ["MLII", "V5"], "x") == 1
    assert choose_channel("1", ["MLII", "V5"], "x") == 1
    assert choose_channel("1", ["1", "0"], "x") == 0


@pytest.mark.parametrize("channel", ["2", "-1", "v", "", "1.0", "²"])
def test_an_unknown_channel_is_refused_with_those_that_exist(channel):
    with pytest.raises(DatasetError, match=r"has no channel .*; it has 2: 0 MLII, 1 V5"):
        choose_channel(channel, ["MLII", "V5"], "x")


def test_an_unknown_channel_is_told_the_nearest_name_or_the_range():
    with pytest.raises(DatasetError, match=r"did you mean 'chest_ecg'"):
        choose_channel("chest", ["chest_ecg", "ppg"], "x")
    with pytest.raises(DatasetError, match=r"x has no channel '3'; it has 3: 0 to 2"):
        choose_channel("3", ["", "", ""], "x")


def test_capitals_do_not_matter_where_that_leaves_one():
    assert choose_channel("mlii", ["MLII", "V5"], "x") == 0
    assert choose_channel("v5", ["V5", "v5"], "x") == 1
    assert choose_channel("STRASSE", ["a", "straße"], "x") == 1
    with pytest.raises(DatasetError, match="has no channel 'rESP'"):
        choose_channel("rESP", ["Resp", "RESP"], "x")
    with pytest.raises(DatasetError, match="did you mean 'Pleth'"):
        choose_channel("PLET", ["Pleth", "V5"], "x")
