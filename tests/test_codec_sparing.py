"""No stream is larger for what it loses: what takes no more without loss is kept as it is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sans.codec.arrays import as_recording, compress, decompress
from sans.codec.compression import Options, compress_recording
from sans.codec.decompression import OpenStream
from sans.codec.planning import KernelOptions
from sans.codec.quality import Quality
from sans.errors import DatasetError
from sans.recordings.layout import Layout, Source, Track

BARE = KernelOptions(learn=False)

FEW_BYTES = 16
"""What the size of a stream is known to, beside 1 %: text of its header and end, deflated."""

GOALS = [
    *({"max_error": value} for value in (0.3, 1, 2, 5, 40)),
    *({"prdn": value} for value in (1, 2, 5, 9, 20)),
    *({"bits": value} for value in (1, 3, 8, 20, 64)),
]


def walk(rng, length):
    return rng.normal(0, 9, length).cumsum()


KINDS = {
    "walk": walk,
    "noise": lambda rng, length: rng.uniform(-3000, 3000, length),
    "few values": lambda rng, length: rng.choice([-900, 0, 20, 2500], length),
    "held": lambda rng, length: np.repeat(rng.normal(0, 900, length), 23)[:length],
    "rare": lambda rng, length: rng.random(length) < 0.01,
    "period": lambda rng, length: np.tile(rng.normal(0, 900, 60), 1 + length // 60)[:length],
    "clipped": lambda rng, length: walk(rng, length).clip(-20, 20),
    "constant": lambda rng, length: np.full(length, rng.integers(-99, 99)),
    "gaps": lambda rng, length: 37 * np.rint(walk(rng, length) / 20),
}


@st.composite
def signals(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from(["i1", "<i2", "<i4", "<f4", "<f8"]))
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3))
    length = draw(st.integers(1, 1500))
    columns = np.stack([KINDS[kind](rng, length) for kind in kinds], axis=1).astype(float)
    if dtype[0] != "<" or dtype[1] == "i":
        limit = 120 if dtype == "i1" else 30_000
        columns = np.rint(columns).clip(-limit, limit)
    else:
        columns = np.round(columns, draw(st.sampled_from([0, 2, 15])))
    return columns.astype(dtype) if len(kinds) > 1 else columns[:, 0].astype(dtype)


@settings(max_examples=25)
@given(signals(), st.sampled_from(GOALS))
def test_no_stream_is_larger_for_what_it_loses(array, goal):
    whole = len(compress(array))
    try:
        lossy = compress(array, **goal, learn=False)
    except DatasetError:
        assert "bits" in goal
        return
    assert len(lossy) <= 1.01 * whole + FEW_BYTES
    wrong = np.abs(decompress(lossy).astype(float) - array)
    if "max_error" in goal:
        assert wrong.max() <= goal["max_error"] * (1 + 1e-9)


@pytest.mark.parametrize("goal", GOALS, ids=str)
def test_no_images_are_larger_for_what_they_lose(goal):
    rng = np.random.default_rng(1)
    for images in (rng.integers(0, 3, (6, 20, 20)) * 100, rng.integers(0, 256, (6, 20, 20))):
        try:
            lossy = compress(images.astype("u1"), **goal)
        except DatasetError:
            continue
        assert len(lossy) <= 1.01 * len(compress(images.astype("u1"))) + FEW_BYTES


def summary_of(source, quality, **options):
    file = io.BytesIO()
    return compress_recording(source, file, Options(quality, BARE, **options)), file.getvalue()


def test_what_takes_no_more_without_loss_is_the_stream_without_loss():
    held = np.repeat(np.random.default_rng(0).integers(0, 4000, 300), 20).astype("<i2")
    summary, stream = summary_of(as_recording(held), Quality("max-error", 1.0))
    assert stream == compress(held)
    assert summary.notices == ("without loss it takes no more: nothing is lost",)
    assert OpenStream(io.BytesIO(stream)).start.header.quality[0] == "lossless"


def test_bits_that_hold_all_of_it_lose_nothing():
    rng = np.random.default_rng(0)
    signal = np.rint(rng.normal(0, 3, 6000).cumsum()).astype("<i2")
    summary, stream = summary_of(as_recording(signal), Quality("bits", 6.0))
    assert stream == compress(signal)
    assert summary.notices == ("6 bits a sample hold all of it: nothing is lost",)
    assert summary.bits < 6
    assert not summary_of(as_recording(signal), Quality("bits", 2.0))[0].notices


def two_tracks(second, dtype="<i2"):
    rng = np.random.default_rng(4)
    smooth = (3000 * np.sin(np.arange(len(second)) / 40) + rng.normal(0, 9, len(second))).astype(
        dtype
    )
    tracks = tuple(Track(name, "", 1.0, 0.0, 16, dtype) for name in ("smooth", "odd"))
    arrays = [smooth, np.asarray(second).astype(dtype)]
    return Source(Layout("wfdb", tracks, None), lambda _: iter([arrays])), arrays


@pytest.mark.parametrize(("dtype", "bound"), [("<i2", 5.0), ("<f8", 0.4)])
def test_one_track_may_be_kept_and_the_other_lose(dtype, bound):
    rng = np.random.default_rng(3)
    odd = np.repeat(rng.integers(0, 3000, 250), 20)
    source, arrays = two_tracks(odd, dtype)
    summary, stream = summary_of(source, Quality("max-error", bound))
    assert summary.notices == ("without loss it takes no more: nothing of odd is lost",)
    assert [track.exact for track in summary.tracks] == [False, True]
    smooth, kept = OpenStream(io.BytesIO(stream)).read(0, 5000)
    assert np.array_equal(kept, arrays[1])
    assert 0 < np.abs(smooth - arrays[0]).max() <= bound
    assert OpenStream(io.BytesIO(stream)).start.header.quality == ("max-error", bound)


def test_a_track_that_only_its_bits_hold_does_not_keep_others_from_losing():
    odd = 1e12 + np.random.default_rng(3).normal(0, 1e-3, 5000)  # less varies than a bound allows
    source, arrays = two_tracks(odd, "<f8")
    summary, stream = summary_of(source, Quality("prdn", 9.0))
    smooth, kept = OpenStream(io.BytesIO(stream)).read(0, 5000)
    assert np.array_equal(kept, arrays[1])
    assert np.abs(smooth - arrays[0]).max() > 0
    assert [track.exact for track in summary.tracks] == [False, True]


def test_most_recordings_hear_nothing_of_it():
    source, _ = two_tracks(walk(np.random.default_rng(8), 5000))
    for quality in (Quality("max-error", 20.0), Quality("prdn", 9.0)):
        assert not any("takes no more" in each for each in summary_of(source, quality)[0].notices)


def test_a_table_of_which_nothing_is_lost_comes_back_to_the_letter(sans, tmp_path):
    rows = [f" {value:+d}" for value in np.repeat(np.random.default_rng(0).integers(0, 99, 50), 30)]
    (tmp_path / "x.csv").write_text("\n".join(["a", *rows, ""]))
    result = sans("compress", "x.csv", "--max-error", "0.5")
    assert "nothing is lost" in result.stderr
    assert sans("decompress", "x.csv.sans", "-o", "y.csv").exit_code == 0
    assert (tmp_path / "y.csv").read_bytes() == (tmp_path / "x.csv").read_bytes()
