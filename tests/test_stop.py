"""When a pursuit stops: what a text says of it, and what it may not say."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.pursuit.stop import KINDS, WITHOUT_VALUE, Stop

VALUED = [kind for kind in KINDS if kind not in WITHOUT_VALUE]


@pytest.mark.parametrize(
    ("text", "stop"),
    [
        ("phi", Stop()),
        ("addressed", Stop("addressed")),
        ("count=30", Stop("count", 30)),
        ("count=0", Stop("count", 0)),
        ("count=1e2", Stop("count", 100)),
        ("error=0.1", Stop("error", 0.1)),
        ("error=0", Stop("error")),
        ("threshold=2.5e-3", Stop("threshold", 0.0025)),
    ],
)
def test_a_text_says_when_to_stop(text, stop):
    assert Stop.parse(text) == stop


def test_a_pursuit_stops_by_phi_unless_told_otherwise():
    assert Stop() == Stop("phi", 0.0) == Stop.parse("phi")


@pytest.mark.parametrize("kind", VALUED)
@given(value=st.integers(0, 2**40) | st.floats(0, 1e300))
def test_any_number_from_0_on_is_read_to_the_last_bit(kind, value):
    value = float(int(value)) if kind == "count" else float(value)
    assert Stop.parse(f"{kind}={value!r}") == Stop(kind, value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "phi=",
        "=",
        "=3",
        "Phi",
        " phi",
        "phi=1",
        "addressed=2",
        "counts=3",
        "count",
        "count=",
        "error=x",
        "error=1=2",
    ],
)
def test_a_text_that_says_nothing_of_the_kind_is_told_what_may_be_said(text):
    message = (
        "stop must be phi or addressed, or count=…, error=… or threshold=… with a number, "
        f"not {text!r}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Stop.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("count=2.5", "count must be a whole number, not 2.5"),
        ("count=-1", "count must be a number from 0 on, not -1.0"),
        ("error=-0.1", "error must be a number from 0 on, not -0.1"),
        ("error=nan", "error must be a number from 0 on, not nan"),
        ("threshold=inf", "threshold must be a number from 0 on, not inf"),
        ("count=1e400", "count must be a number from 0 on, not inf"),
    ],
)
def test_a_number_that_cannot_be_is_named(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Stop.parse(text)


def test_a_stop_is_of_a_known_kind_and_phi_has_no_value():
    with pytest.raises(ValueError, match=r"^there is no stop 'time'; known: phi, count, error"):
        Stop("time", 3)
    with pytest.raises(ValueError, match=r"^phi has no value, not 0\.5$"):
        Stop("phi", 0.5)


@given(st.builds(Stop, st.sampled_from(["error", "threshold"]), st.floats(0, 1e300)))
def test_a_stop_is_written_as_it_is_read(stop):
    assert Stop.parse(stop.text) == stop


def test_equal_stops_are_written_alike():
    assert Stop.parse("count=3.0").text == Stop.parse("count=3").text == "count=3"
    assert Stop().text == "phi"


def test_a_spike_with_an_address_costs_more_by_the_share_of_its_shape():
    assert Stop().cost(1, 10, 1000) == 2
    assert Stop("addressed").cost(1, 1, 1000) == 2  # one shape needs no address
    assert Stop("addressed").cost(1, 10, 1000) == pytest.approx(2 + 1 / 3)
    assert Stop("addressed").cost(2, 28, 784) == pytest.approx(4)  # log 28 = log 784 / 2
    assert Stop("addressed").cost(1, 3, 1) == 2  # one place: no share to speak of
