from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "arguments",
    [
        ("--data-dir", "here", "fetch", "uci-epilepsy"),
        ("fetch", "uci-epilepsy", "--data-dir", "here"),
    ],
)
def test_the_folder_may_stand_before_fetch_or_after_it(refused, arguments):
    # There is no download of this set: the message says where to put it.
    assert "here/uci-epilepsy/data.csv" in refused(1, "datasets", *arguments)
