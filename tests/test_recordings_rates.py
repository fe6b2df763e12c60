"""Rates: an axis of even times tells them, or a person; nothing else does."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_recordings_edf import make

from sans.codec.arrays import as_recording
from sans.codec.compression import Options, compress_recording
from sans.codec.decompression import Chunk, OpenStream, read_chunks
from sans.codec.quality import Quality
from sans.errors import DatasetError
from sans.recordings import open_recording
from sans.recordings.layout import Layout, Track
from sans.recordings.rates import given_rate, lacks_rate, rate_of_axis, rated
from sans.recordings.roles import Role

RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 30, 3000).cumsum().round(2)


def told(name, values, unit="", gain=1.0, block=700):
    """Return the rate that the first of two channels tells."""
    values = np.asarray(values)
    dtype = "<f8" if values.dtype.kind == "f" else "<i8"
    tracks = (Track(name, unit, gain, 0.0, 64, dtype), Track("ECG", "mV", 1.0, 0.0, 64, "<f8"))
    columns = [values.astype(dtype), NOISE[: len(values)]]

    def read(number):
        return (columns[number][i : i + block] for i in range(0, len(values), block))

    return rate_of_axis(Layout("npy", tracks, None), read)


SECONDS = np.arange(2000) / 250


@pytest.mark.parametrize(
    ("name", "unit", "scale", "wanted"),
    [
        ("time", "", 1, 250),
        ("Time (s)", "", 1, 250),
        ("t", "ms", 1e3, 250),
        ("time [ms]", "", 1e3, 250),
        ("time_us", "", 1e6, 250),
        ("x", "µs", 1e6, 250),
        ("x", "min", 1 / 60, 250),
        ("elapsed time", "hours", 1 / 3600, 250),
        ("timestamp", "", 1, 250),
        ("", "", 1, 250),
        ("sample", "", 250, 0),
        ("Sample #", "", 250, 0),
        ("index", "", 1, 0),
        ("frame", "", 250, 0),
        ("seconds", "", 1, 250),
        ("elapsed msec", "", 1e3, 250),
        ("Milliseconds", "", 1e3, 250),
        ("unix time in us", "", 1e6, 250),
        ("sample number", "", 1, 0),
        ("time index", "", 1, 0),
        ("datetime", "", 1 / 86400, 0),  # days
        ("depth", "", 1, 0),
        ("depth", "m", 1, 0),
        ("", "mV", 1, 0),
        ("", "", 250, 0),  # a number of each sample
        ("time", "mV", 1, 0),
    ],
)
def test_the_unit_of_an_axis_is_told_by_unit_or_name(name, unit, scale, wanted):
    assert told(name, SECONDS * scale, unit) == wanted


def test_stored_steps_are_not_seconds():
    assert told("time", np.arange(2000) * 4, gain=1000.0) == 250
    assert told("time", np.arange(2000) * 4, "ms") == 250


def test_times_since_1970_are_in_parts_of_a_second_where_they_are_large():
    for parts in (1, 10**3, 10**6, 10**9):
        times = (1_700_000_000 * parts) + np.arange(2000) * parts // 2
        assert told("timestamp", times if parts > 1 else times + np.arange(2000) % 2 / 2) == 2


@settings(max_examples=60)
@given(
    st.sampled_from([1, 4, 25, 50, 100, 125, 128, 200, 250, 256, 360, 500, 512, 1000, 44_100]),
    st.integers(3, 6),
    st.integers(1000, 3000),
    st.sampled_from([np.round, np.floor]),
    st.integers(0, 10**6),
)
def test_roundings_of_times_do_not_change_the_rate(rate, digits, count, rounding, start):
    if rate >= 10**digits:  # times would stand still
        return
    exact = (start + np.arange(count)) / rate
    times = rounding(exact * 10**digits + 1e-6) / 10**digits
    assert told("time", times) == rate


def test_uneven_times_tell_no_rate():
    gap, jitter = SECONDS.copy(), SECONDS + RNG.uniform(0, 1e-3, 2000)
    gap[900:] += 5
    still = np.floor(SECONDS)
    for times in (gap, jitter, still, -SECONDS, SECONDS[::-1], SECONDS[:7], SECONDS * 0):
        assert told("time", times) == 0


def table(tmp_path, cells, name="when"):
    rows = [f"{cell},{value}" for cell, value in zip(cells, NOISE, strict=False)]
    (tmp_path / "a.csv").write_text("\n".join([f"{name},ecg", *rows, ""]))
    return open_recording(tmp_path / "a.csv")


def moments(style, count=600, step=0.004, start=datetime(2024, 2, 29, 23, 59, 59)):
    return [style(start + timedelta(seconds=step * i)) for i in range(count)]


def hours(moment):
    return moment.strftime("%H:%M:%S.%f")[:-3]


@pytest.mark.parametrize(
    "style",
    [
        datetime.isoformat,
        lambda moment: f"{moment:%Y-%m-%d %H:%M:%S.%f}",
        lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S.%f}+02:00",
        hours,
        lambda moment: f"[{hours(moment)} 29/02/2024]",
    ],
)
def test_dates_and_times_of_day_tell_a_rate_beyond_midnight(style, tmp_path):
    source = table(tmp_path, moments(style))
    layout = rated(source.layout, lambda number: (block[number] for block in source.blocks(100)))
    assert [track.rate for track in layout.tracks] == [250.0]


def test_minutes_and_seconds_are_times(tmp_path):
    source = table(tmp_path, [f"{i // 60}:{i % 60:02d}.500" for i in range(300)])
    assert rated(source.layout, lambda _: []).tracks[0].rate == 1.0


@pytest.mark.parametrize(
    "cells",
    [
        ["sleep", "wake"] * 50,
        moments(hours, 50) + ["?"] * 20,
        moments(hours, 50) + moments(hours, 50, 0.5),
        [f"{i:02d}:77:99" for i in range(5)] * 5,
        ["2024-01-01", "2024-01-01T00:00:01+01:00"] * 20,
    ],
)
def test_other_texts_tell_none(cells, tmp_path):
    source = table(tmp_path, cells)
    assert rated(source.layout, lambda _: []).tracks[0].rate == 0.0


def rates_of(stream):
    return [track.rate for track in OpenStream(io.BytesIO(stream)).start.header.layout.tracks]


def stream_of(source, **options):
    file = io.BytesIO()
    compress_recording(source, file, Options(**options))
    return file.getvalue()


@pytest.mark.parametrize("quality", [Quality(), Quality("prdn", 9.0), Quality("bits", 40.0)])
def test_a_stream_has_the_rate_of_its_axis(quality, tmp_path):
    source = table(tmp_path, [f"{i / 250:.3f}" for i in range(2000)], "time (s)")
    stream = stream_of(source, quality=quality, seconds=2.0)
    assert rates_of(stream) == [250.0, 250.0]
    chunks = [part for part in read_chunks(io.BytesIO(stream)) if isinstance(part, Chunk)]
    assert [chunk.frames for chunk in chunks] == [500] * 4
    assert np.allclose(np.concatenate([c.samples[0] for c in chunks]), np.arange(2000) * 4)


def test_all_samples_are_looked_at_where_some_are_lost(tmp_path):
    cells = [f"{i / 250:.3f}" for i in range(1000)] + [f"{i / 250:.3f}" for i in range(1100, 2000)]
    source = table(tmp_path, cells, "time")
    assert rates_of(stream_of(source, quality=Quality("prdn", 9.0))) == [0.0, 0.0]
    assert rates_of(stream_of(source)) == [0.0, 0.0]


def test_a_person_tells_a_rate(tmp_path):
    source = table(tmp_path, [f"{i / 250:.3f}" for i in range(600)], "time")
    for quality in (Quality(), Quality("prdn", 9.0)):
        assert rates_of(stream_of(source, quality=quality, rate=100.0)) == [100.0, 100.0]
    assert rates_of(stream_of(as_recording(NOISE), rate=128.0, seconds=1.0)) == [128.0]


def test_nobody_contradicts_a_recording():
    tracks = (Track("I", "mV", 1.0, 0.0, 16, "<i2", rate=360.0), Track("", "", 1.0, 0.0, 16, "<i2"))
    layout = Layout("wfdb", tracks, None)
    assert [track.rate for track in given_rate(layout, 360.0).tracks] == [360.0, 360.0]
    with pytest.raises(DatasetError, match=r"^channel I has 360 samples a second, .*not the 250"):
        given_rate(layout, 250.0)
    images = Layout("npy", (Track("", "", 1.0, 0.0, 8, "u1", 16),), 5, (5, 4, 4))
    with pytest.raises(DatasetError, match="images have no samples in time"):
        given_rate(images, 25.0)
    two = tuple(Track("", "", 1.0, 0.0, 16, "<i2", per_frame) for per_frame in (1, 2))
    with pytest.raises(DatasetError, match="several rates: 100 Hz cannot be that of all"):
        given_rate(Layout("edf", two, None), 100.0)


def test_most_recordings_are_not_searched_for_an_axis():
    assert not lacks_rate(as_recording(NOISE).layout)
    assert not lacks_rate(as_recording(NOISE.reshape(-1, 2), 250.0).layout)
    assert not lacks_rate(as_recording(np.zeros((2, 3, 4))).layout)
    assert lacks_rate(as_recording(NOISE.reshape(-1, 2)).layout)


def test_roles_that_are_known_are_not_looked_for_again():
    layout = as_recording(np.stack([SECONDS, NOISE[:2000]], axis=1)).layout
    read = [[SECONDS], pytest.fail].__getitem__
    assert rate_of_axis(layout, read, (Role.AXIS, Role.SIGNAL)) == 250.0
    assert rate_of_axis(layout, pytest.fail, (Role.SIGNAL, Role.SIGNAL)) == 0.0


@pytest.mark.parametrize("rate", ["0", "-250", "nan", "inf"])
def test_impossible_rates_are_refused(refused, tmp_path, rate):
    np.save(tmp_path / "x.npy", NOISE)
    assert "rate" in refused(2, "compress", "x.npy", f"--rate={rate}")
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_a_rate_that_contradicts_a_header_is_refused(sans, refused, tmp_path):
    records = [NOISE[:100].astype("<i2").tobytes()] * 5
    (tmp_path / "a.edf").write_bytes(make([("EEG", 100)], records))
    line = refused(1, "compress", "a.edf", "--rate", "250")
    assert "channel EEG has 100 samples a second" in line
    assert "not the 250 that are given" in line
    assert sans("compress", "a.edf", "--rate", "100").exit_code == 0
