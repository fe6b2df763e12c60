"""Largest errors by units: what is asked for in millivolts holds in millivolts."""

from __future__ import annotations

import io
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sans.codec.bounds import Bounds, bounds_of_tracks
from sans.codec.compression import Options, compress_recording
from sans.codec.decompression import Chunk, read_chunks
from sans.codec.headers import StreamHeader, pack_header, unpack_header
from sans.codec.planning import KernelOptions
from sans.codec.quality import Quality, asked
from sans.codec.versions import FIRST, NEWEST
from sans.errors import BitstreamError, DatasetError
from sans.recordings.layout import Layout, Source, Track, in_units
from sans.recordings.units import factor, seconds

BARE = KernelOptions(learn=False)


@pytest.mark.parametrize(
    ("unit", "other", "wanted"),
    [
        ("mV", "uV", 1000),
        ("mV", "µV", 1000),  # the micro sign
        ("mV", "μV", 1000),  # the Greek letter
        ("V", "nV", 10**9),
        ("mv", "mV", 1),
        ("millivolts", "uV", 1000),
        ("Volt", "mV", 1000),
        ("mmHg", "mmhg", 1),
        ("BPM", "bpm", 1),
        ("degC", "°C", 1),
        ("percent", "%", 1),
        ("kPa", "hPa", 10),
        ("NU", "nu", 1),
        ("min", "ms", 60_000),
        ("Ga", "ga", 1),
    ],
)
def test_units_of_one_kind_are_told_by_their_factor(unit, other, wanted):
    assert factor(unit, other) == wanted
    assert factor(other, unit) == Fraction(1, wanted)


@pytest.mark.parametrize(
    ("unit", "other"),
    [("mV", "mmHg"), ("bpm", "%"), ("xV", "V"), ("V", ""), ("m", "min"), ("g", "G"), ("s", "S")],
)
def test_units_of_other_kinds_have_none(unit, other):
    assert factor(unit, other) is None


def test_mega_is_not_milli():
    assert factor("MV", "mV") == 10**9
    assert factor("MPa", "Pa") == 10**6


def test_times_are_seconds():
    assert [seconds(unit) for unit in ("s", "ms", "usec", "h", "mV", "")] == [
        1, Fraction(1, 1000), Fraction(1, 10**6), 3600, None, None,
    ]  # fmt: skip


def track(unit="mV", gain=200.0, dtype="<i2", name="II", exact=False):
    return Track(name, unit, gain, 0.0, 16, dtype, exact=exact)


def steps(text, *tracks, kind="wfdb"):
    return bounds_of_tracks(Layout(kind, tracks, None), 0.0, Bounds(text))


def test_a_bound_in_units_is_one_in_steps_rounded_down():
    assert steps("0.01mV", track()) == (2.0,)
    assert steps("0.012mV", track(), track("uV", 0.2)) == (2.0, 2.0)
    assert steps("12uV", track("V", 1e6)) == (12.0,)
    assert steps("0.29mV", track(gain=100.0)) == (29.0,)  # 0.29 · 100 is below 29 in floats
    assert steps("0.004mV", track()) == (0.0,)
    assert steps("0.1mV", track(gain=1 / 0.1 * (1 - 2e-16))) == (1.0,)  # a gain that was rounded
    assert steps("0.01mV", track(dtype="<f4", gain=-3.0)) == (pytest.approx(0.03),)


def test_every_unit_has_its_own_bound_and_a_plain_one_is_for_the_rest():
    pressure, pulse = track("mmHg", 10.0, name="BP"), track("bpm", 1.0, name="HR")
    unknown = track("", 1.0, name="x")
    assert steps("0.01mV,2mmHg,5", track(), pressure, pulse, unknown) == (2.0, 20.0, 5.0, 5.0)
    assert steps("0.01mV", track(), track("", name="Status", exact=True)) == (2.0, 0.0)


def test_a_plain_number_means_steps_or_the_numbers_of_a_table():
    assert steps("5", track()) == (5.0,)
    assert steps("0.05", track("", 100.0), track("", 1.0, "<f8"), kind="csv") == (5.0, 0.05)
    assert bounds_of_tracks(Layout("npy", (track(),), None), np.float32(3), None) == (3.0,)


def test_channels_of_which_nothing_is_said_are_named_with_what_to_type():
    with pytest.raises(DatasetError, match=r"^channel BP is in mmHg, .*such as 0\.01mV,1mmHg$"):
        steps("0.01mV", track(), track("mmHg", name="BP"))
    with pytest.raises(DatasetError, match=r"^channel 1 has no unit, .*such as 0\.01mV,1$"):
        steps("0.01mV", track(), track("", name=""))
    with pytest.raises(DatasetError, match=r"channel II is in mV, and 0\.01xV says nothing of it"):
        steps("0.01xV", track())


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            ",",
            "nan",
            "inf",
            "mV",
            "-1mV",
            "0",
            "0mV",
            "-3",
            "1e999",
            "1e-999mV",
            "0,01mV",
        ),
        *("0.01mV,0.02mV", "0.01mV,10uV", "1,2", "1mV,,2", "1.2.3mV", "1 2", "--5", "5 -mV"),
        *("1\x1b[31mV", "1mV" + " " * 1000, "1" * 1000, "٣mV"),
    ],
)
def test_impossible_bounds_are_refused(text):
    with pytest.raises(ValueError, match="largest error"):
        Bounds(text)


def test_units_that_no_channel_has_are_named():
    tracks = (track("uV"), track(""))
    assert Bounds("0.01mV,5").idle(tracks) == ()
    (sentence,) = Bounds("0.01mV,2mmHg,5").idle(tracks)
    assert sentence == "no channel is in mmHg: what 0.01mV,2mmHg,5 says of it is for nothing"


def test_a_number_alone_is_a_value_as_ever():
    assert asked(max_error="5", prdn=None) == [Quality("max-error", 5.0)]
    assert asked(max_error="5mV") == [Quality("max-error", bounds=Bounds("5mV"))]
    assert Quality("max-error", 5.0).given == 5.0
    assert Quality("max-error", bounds=Bounds("1mV, 2")).given == "1mV, 2"
    assert Quality.read("max-error", "1mV").text == "no sample off by more than 1mV"
    for kind, value in (("prdn", 0.0), ("lossless", 0.0), ("max-error", 1.0)):
        with pytest.raises(ValueError, match="has no bounds"):
            Quality(kind, value, Bounds("1mV"))


def test_a_header_holds_bounds_from_the_second_version_on():
    layout = Layout("wfdb", (track(),), 1)
    header = StreamHeader(layout, 1, ("max-error", "0.01mV,2mmHg"), (0.0,))
    assert unpack_header(pack_header(header), NEWEST) == header
    with pytest.raises(BitstreamError, match="makes no sense"):
        unpack_header(pack_header(header), FIRST)


def restored(layout, arrays, text):
    """Return the samples of a recording compressed within bounds, ``{name: samples}``."""
    source = Source(layout, lambda _: iter([list(arrays)]))
    file = io.BytesIO()
    compress_recording(source, file, Options(asked(max_error=text)[0], BARE))
    file.seek(0)
    (chunk,) = [part for part in read_chunks(file) if isinstance(part, Chunk)]
    return chunk.samples


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["mV", "uV", "mmHg", ""]),
            st.floats(0.1, 1000),
            st.sampled_from(["<i2", "<i4", "<f4", "<f8"]),
            st.sampled_from([0.3, 3.0, 40.0]),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 2**32),
)
def test_no_sample_is_off_by_more_in_its_own_unit(channels, seed):
    """Several bounds in a group of tracks: each has a step of its own."""
    rng = np.random.default_rng(seed)
    bounds = {"mV": 0.5, "uV": 500.0, "mmHg": 2.0, "": 7.0}
    tracks, arrays = [], []
    for unit, gain, dtype, roughness in channels:
        tracks.append(Track("", unit, gain, 3.0, 16, dtype))
        walk = rng.normal(0, roughness * gain, 300).cumsum()
        arrays.append(np.clip(np.rint(walk), -30_000, 30_000).astype(dtype))
    assume(len(set(map(str, tracks))) == len(tracks))
    kept = restored(Layout("wfdb", tuple(tracks), None), arrays, "0.5mV,2mmHg,7")
    for channel, before, after in zip(tracks, arrays, kept, strict=True):
        gain = channel.gain if channel.unit else 1.0
        wrong = in_units(after, gain, 3.0, None) - in_units(before, gain, 3.0, None)
        assert np.abs(wrong).max() <= bounds[channel.unit] * (1 + 1e-6)
