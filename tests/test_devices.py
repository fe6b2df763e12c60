"""Where and how tensors are computed: one thread inside, and outside as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from sans import devices
from sans.errors import SansError


@pytest.fixture(autouse=True)
def threads():
    """Let torch have three threads, and as many as before when the test is over."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


@pytest.fixture
def worker() -> Iterator[Callable[..., Any]]:
    """Return a function that calls another in a second thread, always the same, and waits."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result(60)


def test_inside_torch_has_one_thread_and_after_it_the_old_number():
    with devices.steady():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_an_error_inside_gives_the_threads_back_and_is_not_hidden():
    with pytest.raises(KeyError), devices.steady():
        raise KeyError
    assert torch.get_num_threads() == 3


def test_nested_only_the_last_one_out_gives_the_threads_back():
    with devices.steady():
        with devices.steady():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_steady_threads_that_overlap_have_one_thread_each_and_all_get_theirs_back(worker):
    ours, theirs = devices.steady(), devices.steady()
    assert worker(torch.get_num_threads) == 3  # torch counts for every thread of Python apart
    ours.__enter__()
    worker(theirs.__enter__)
    assert (torch.get_num_threads(), worker(torch.get_num_threads)) == (1, 1)
    ours.__exit__(None, None, None)
    assert worker(torch.get_num_threads) == 1
    worker(theirs.__exit__, None, None, None)
    assert (torch.get_num_threads(), worker(torch.get_num_threads)) == (3, 3)


def test_a_thread_that_begins_inside_another_ones_computation_gets_the_old_number(worker):
    ours, theirs = devices.steady(), devices.steady()
    ours.__enter__()
    worker(theirs.__enter__)  # the first thing that it does with torch
    ours.__exit__(None, None, None)
    worker(theirs.__exit__, None, None, None)
    assert (torch.get_num_threads(), worker(torch.get_num_threads)) == (3, 3)
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == 3


def test_a_device_has_the_name_that_was_asked_for_and_auto_is_the_card_if_there_is_one(monkeypatch):
    for there, auto in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert devices.pick("cpu").type == "cpu"
        assert devices.pick("auto").type == auto
    with pytest.raises(SansError, match="there is no CUDA device here: use --device cpu or auto"):
        devices.pick("cuda")
