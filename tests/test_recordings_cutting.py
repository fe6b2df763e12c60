"""Parts of recordings, against a loop over the moments of all samples."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.errors import DatasetError
from sans.recordings.cutting import part_of
from sans.recordings.layout import Layout, Source, Track
from sans.recordings.spans import Cut
from sans.recordings.timing import EvenRun, Facts

RNG = np.random.default_rng(0)


def recording(frames, per_frame, second=Fraction(1), names="abcdefg", between=False, **more):
    """Return a recording of integers, its samples by track, and how many frames are read."""
    tracks = tuple(
        Track(names[i], "mV", 10.0 + i, 1.0, 16, "<i2", size, float(size / second) if second else 0)
        for i, size in enumerate(per_frame)
    )
    samples = [RNG.integers(-999, 999, frames * size).astype("<i2") for size in per_frame]
    read = []

    def piece(first, last):
        read.append((first, last))
        return [
            array[first * size : last * size]
            for array, size in zip(samples, per_frame, strict=True)
        ]

    def blocks(count):
        return (piece(i, min(i + count, frames)) for i in range(0, frames, count))

    def some(first, last):
        return (piece(i, min(i + 3, last)) for i in range(first, last, 3))

    layout = Layout("edf", tracks, frames, **more)
    return Source(layout, blocks, between=some if between else None), samples, read


def collected(part, size):
    blocks = list(part.blocks(size))
    for block in blocks[:-1]:
        assert [len(a) for a in block] == [size * t.per_frame for t in part.layout.tracks]
    arrays = [np.concatenate(arrays) for arrays in zip(*blocks, strict=True)]
    wanted = [part.layout.frames * track.per_frame for track in part.layout.tracks]
    assert [len(array) for array in arrays] == wanted
    return arrays


@given(
    st.integers(1, 30),
    st.lists(st.integers(1, 12), min_size=1, max_size=3),
    st.sampled_from([Fraction(1), Fraction(1, 4), Fraction(3), Fraction(7, 10)]),
    st.integers(0, 400),
    st.integers(1, 400),
    st.lists(st.integers(0, 3), min_size=30, max_size=30),
    st.integers(1, 5),
    st.booleans(),
)
def test_a_part_has_the_samples_from_its_start_to_before_its_end(
    frames, per_frame, second, start, length, gaps, size, between
):
    source, samples, _ = recording(frames, per_frame, second, between=between)
    first, last = Fraction(start, 20), Fraction(start + length, 20)
    onsets = [k * second + sum(gaps[:k]) for k in range(frames)]
    wanted = []
    for array, each in zip(samples, per_frame, strict=True):
        moments = [onset + j * second / each for onset in onsets for j in range(each)]
        wanted.append([x for x, t in zip(array, moments, strict=True) if first <= t < last])
    runs = tuple(EvenRun(k, float(onset)) for k, onset in enumerate(onsets))
    facts = Facts(None, None, frames, float(second), runs)
    cut = Cut(start / 20, (start + length) / 20)
    if not any(wanted):
        with pytest.raises(DatasetError, match="nothing of it lies between"):
            part_of(source, cut, facts)
        return
    part = part_of(source, cut, facts).source
    found = [each for each in wanted if each]
    assert [list(array) for array in collected(part, size)] == found
    names = [source.layout.tracks[i].name for i, each in enumerate(wanted) if each]
    assert [track.name for track in part.layout.tracks] == names
    assert any("no sample" in each for each in part.notices) == (len(names) < len(per_frame))


def test_a_part_keeps_what_is_known_of_its_channels():
    source, samples, _ = recording(5, [4, 2])
    part = part_of(source, Cut(1, 3, ("B, a",))).source
    assert [t.name for t in part.layout.tracks] == ["b", "a"]  # in the order asked for
    for track in part.layout.tracks:
        before = next(t for t in source.layout.tracks if t.name == track.name)
        assert track == replace(before, per_frame=before.per_frame // 2)
    assert part.layout.format == "npz"
    assert part.layout.frames == 4
    one = part_of(source, Cut(channels=("1",))).source
    assert (one.layout.format, one.layout.shape) == ("npy", (10,))
    assert np.array_equal(collected(one, 3)[0], samples[1])


def test_decimal_fractions_are_the_samples_that_they_mean():
    source, _, _ = recording(30, [100])
    for start in np.arange(1, 2000) / 100:  # 0.07 * 100 is more than 7
        part = part_of(source, Cut(float(start), 30.0)).source
        assert part.layout.frames == round(3000 - start * 100)


def test_samples_are_counted_where_there_is_no_rate():
    source, samples, _ = recording(90, [1, 1], second=None)
    part = part_of(source, Cut(10, 30, samples=True)).source
    assert np.array_equal(collected(part, 7), [each[10:30] for each in samples])
    assert part.layout.shape == (20, 2)
    with pytest.raises(DatasetError, match="has no rate: its parts count samples"):
        part_of(source, Cut(1, 2))
    with pytest.raises(DatasetError, match="nothing of it lies between sample 90 and sample 95"):
        part_of(source, Cut(90, 95, samples=True))


def test_whole_images_are_counted():
    source, samples, _ = recording(9, [6], second=None, shape=(9, 2, 3))
    part = part_of(source, Cut(2, 5, samples=True)).source
    assert part.layout.shape == (3, 2, 3)
    assert np.array_equal(collected(part, 2)[0], samples[0][12:30])
    with pytest.raises(DatasetError, match="has 9 images"):
        part_of(source, Cut(9, samples=True))


def test_only_the_frames_that_are_needed_are_read_where_that_is_possible():
    source, _, read = recording(900, [5, 2], between=True)
    collected(part_of(source, Cut(500, 510)).source, 4)
    assert min(first for first, _ in read) == 500
    assert max(last for _, last in read) == 510


def test_annotations_are_left_out_unless_named_and_that_is_said():
    names = ["ECG", "EDF Annotations"]
    source, samples, _ = recording(5, [4, 3], names=names)
    part = part_of(source, Cut(0, 2)).source
    assert [track.name for track in part.layout.tracks] == ["ECG"]
    assert part.notices == ("left out of the part unless named: EDF Annotations",)
    part = part_of(source, Cut(0, 2, ("edf annotations",))).source
    assert np.array_equal(collected(part, 2)[0], samples[1][:6])
    alone, _, _ = recording(5, [3], names=names[1:])
    with pytest.raises(DatasetError, match="has annotations only"):
        part_of(alone, Cut(0, 2))


def test_a_recording_that_ends_before_its_part_is_told_of():
    source, _, _ = recording(5, [4, 2])
    part = part_of(source, Cut(1, 8), name="x.edf").source
    assert part.notices == ("x.edf ends at 5 s, before the part does at 8",)
    assert not part_of(source, Cut(1, 5)).source.notices
    with pytest.raises(DatasetError, match=r"x.edf has 5 s: nothing of it lies between 5 s and"):
        part_of(source, Cut(5, 9), name="x.edf")


def test_channels_of_several_rates_have_no_samples_to_count():
    source, _, _ = recording(5, [4, 2])
    with pytest.raises(DatasetError, match="a part in samples wants channels of one"):
        part_of(source, Cut(1, 3, samples=True))
    with pytest.raises(DatasetError, match="no channel 'z'; it has 2: 0 a, 1 b"):
        part_of(source, Cut(1, 3, ("z",)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": float("nan")}, "the start of a part is second 0 or a later one, not nan"),
        ({"end": float("inf")}, "the end of a part is second 0 or a later one, not inf"),
        ({"start": -1.0}, "the start of a part is second 0 or a later one, not -1"),
        ({"start": 3, "end": 3}, "a part ends after its start at 3 s, not at 3 s"),
        ({"start": 3, "end": 2}, "a part ends after its start at 3 s, not at 2 s"),
        ({"end": 0}, "a part ends after its start at 0 s, not at 0 s"),
        ({"start": 1.5, "samples": True}, "a part in samples is a whole number: not 1.5"),
        ({"samples": True}, "samples are counted for a part with a start or an end"),
    ],
)
def test_impossible_parts_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Cut(**options)
