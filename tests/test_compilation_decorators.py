"""Compiling: an interrupt waits for its end, and does not get lost."""

from __future__ import annotations

import gc
import signal

import numba
import pytest

from sans.compilation.decorators import apart, compiled, inlined
from sans.compilation.linking import OuterFunction
from sans.interruption import uninterrupted


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


def test_a_function_that_only_compiled_code_calls_is_no_machine_code_of_its_own():
    @compiled
    def third(number: int) -> int:
        return 3 * number

    @compiled
    def second(number: int) -> int:
        return third(number) + 2

    @compiled
    def first(number: int) -> int:
        return second(number) + third(number) + 1

    assert first(5) == 15 + 2 + 15 + 1
    assert isinstance(second, OuterFunction)
    assert isinstance(third, OuterFunction)
    assert not second.signatures
    assert not third.signatures
    assert len(third.part.signatures) == 1
    assert third(7) == 21  # and Python may call it all the same


def test_constants_want_no_code_of_their_own():
    @compiled
    def same(number: int, flag: bool) -> int:
        return number if flag else -number

    @compiled
    def several(number: int) -> int:
        return same(1, True) + same(2, False) + same(number, number > 0)

    assert several(10) == 1 - 2 + 10
    assert isinstance(same, OuterFunction)
    assert len(same.part.signatures) == 1


def test_garbage_is_collected_again_after_a_compilation():
    @compiled
    def half(number: float) -> float:
        return number / 2

    assert gc.isenabled()
    assert half(3.0) == 1.5
    assert gc.isenabled()


def in_llvm(function):
    """Return a part in LLVM's language, compiled for a whole number before."""
    (result,) = function.part.overloads.values()
    return str(result.library.alone())


def test_what_an_inlined_function_calls_is_not_inlined_for_that():
    @compiled
    def plain(number: int) -> int:
        return number + 1

    @inlined
    def taken_in(number: int) -> int:
        return 2 * plain(number)

    taken_in.part.compile((numba.int64,))
    assert "alwaysinline" in in_llvm(taken_in)
    assert "alwaysinline" not in in_llvm(plain)


def test_what_is_apart_is_compiled_once_and_called():
    @apart
    def rare(number: float) -> float:
        return number + 1

    @inlined
    def middle(number: float) -> float:
        return rare(number) * rare(-number)

    @compiled
    def outer(number: float) -> float:
        return middle(number) if number > 0 else rare(number)

    assert (outer(2.0), outer(-2.0), rare(0.5)) == (-3.0, -1.0, 1.5)
    outer.part.compile((numba.float64,))
    assert "noinline" in in_llvm(rare)
    assert "alwaysinline" not in in_llvm(rare)


def test_an_exception_of_a_part_reaches_python():
    @compiled
    def refuse(number: int) -> int:
        if number < 0:
            raise ValueError("below 0")
        return number

    @compiled
    def both(number: int) -> int:
        return refuse(number) + refuse(-number)

    assert both(0) == 0
    with pytest.raises(ValueError, match=r"^below 0$"):
        both(1)
