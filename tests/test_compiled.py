"""Compiling: an interrupt waits for its end, and does not get lost."""

from __future__ import annotations

import signal

import pytest

from sans.compiled import compiled, inlined, uninterrupted


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_within_comes_after():
    done = []

    def work():
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["the rest"]


@pytest.mark.usefixtures("interruptible")
def test_without_an_interrupt_nothing_happens_and_the_handler_is_back():
    before = signal.getsignal(signal.SIGINT)
    with uninterrupted():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_within_is_the_error():
    with pytest.raises(ValueError, match="within"), uninterrupted():
        raise ValueError("within")


def test_an_inlined_function_is_what_it_is_alone_and_in_another():
    @inlined
    def twice(number: int) -> int:
        if number < 0:
            return 0
        return 2 * number

    @compiled
    def more(number: int) -> int:
        return twice(number) + twice(-number) + 1

    assert twice(3) == 6
    assert more(3) == 7
