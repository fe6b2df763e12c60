from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.datasets import DataConfig, Dataset, Part
from sans.datasets.parts import RECORDING, Origin, duration
from sans.datasets.split import apportion, divide, leave_out, limit_parts
from sans.datasets.windows import Channel, cut, standardise, standardise_leads, wanted
from sans.errors import DatasetError


def recording(samples, rate=100.0):
    return Channel("a recording", np.asarray(samples, dtype=np.float64), rate)


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(size=samples)


@given(st.integers(3, 2000), st.lists(st.integers(1, 1000), min_size=2, max_size=3))
def test_apportion_gives_every_part_something_and_each_its_share_to_within_two(total, shares):
    counts = apportion(total, shares)
    assert sum(counts) == total
    assert min(counts) >= 1
    for count, share in zip(counts, shares, strict=True):
        exact = Fraction(total * share, sum(shares))
        assert abs(count - exact) < 2 or (count == 1 and exact < 1)


@given(st.integers(1, 200), st.lists(st.integers(1, 50), min_size=2, max_size=3))
def test_apportion_is_exact_where_the_shares_divide_the_total(factor, shares):
    assert apportion(factor * sum(shares), shares) == tuple(factor * share for share in shares)


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (12, (6, 2, 4)),
        (3, (1, 1, 1)),
        (4, (2, 1, 1)),
        (7, (4, 1, 2)),
        (8, (4, 1, 3)),
        (10, (5, 2, 3)),
        (11, (5, 2, 4)),
    ],
)
def test_apportion_divides_windows_as_worked_out_by_hand(total, expected):
    assert apportion(total, (6, 2, 4)) == expected


def test_of_equal_remainders_the_earlier_part_gets_the_signal():
    assert apportion(3, (1, 1)) == (2, 1)
    assert apportion(8, (1, 1, 1)) == (3, 3, 2)


def test_divide_keeps_the_order_and_the_labels():
    signals = np.arange(6, dtype=np.float32).reshape(6, 1, 1)
    parts = divide(signals, np.arange(6), (3, 1, 2))
    assert [part.signals.ravel().tolist() for part in parts] == [[0, 1, 2], [3], [4, 5]]
    assert [part.labels.tolist() for part in parts] == [[0, 1, 2], [3], [4, 5]]


def test_a_limit_keeps_the_first_signals_of_each_part_in_proportion():
    parts = divide(np.arange(24, dtype=np.float32).reshape(24, 1, 1), None, (12, 4, 8))
    limited, notices = limit_parts(parts, 6, "x")
    assert [part.signals.ravel().tolist() for part in limited] == [[0, 1, 2], [12], [16, 17]]
    assert notices == ()
    same, notices = limit_parts(parts, 25, "x")
    assert same is parts
    assert notices == ("x has 24 signals, fewer than the 25 asked for",)


def test_standardised_windows_agree_with_the_formula_worked_by_hand():
    # mean 2, squared deviations 1 + 0 + 1, over n - 1 = 2: the standard deviation is 1
    assert standardise(np.array([[1.0, 2.0, 3.0]])).tolist() == [[-1.0, 0.0, 1.0]]


@given(
    st.lists(st.integers(-1000, 1000), min_size=3, max_size=30).filter(lambda x: len(set(x)) > 1),
    st.floats(0.1, 1e3),
    st.floats(-1e3, 1e3),
)
def test_standardised_windows_forget_scale_and_offset(values, scale, offset):
    window = np.array([values], dtype=np.float64)
    result = standardise(window)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result.mean(), 0, atol=1e-5)
    np.testing.assert_allclose(result.std(ddof=1), 1, rtol=1e-5)
    np.testing.assert_allclose(standardise(scale * window + offset), result, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "bad",
    [
        [0.1] * 7,
        [0.0] * 7,
        [math.nan] * 7,
        [1.0, math.nan, math.nan],
        [1.0, math.nan, 1.0],
        [1.0, math.inf, 0.0],
        [1.0, math.inf, math.nan, 0.0],
    ],
)
def test_a_constant_or_zero_or_missing_or_infinite_window_is_marked_throughout(bad):
    assert np.isnan(standardise(np.array([bad]))).all()


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.9))
def test_a_window_with_gaps_is_standardised_by_what_is_there(seed, share):
    random = np.random.default_rng(seed)
    windows = random.normal(3, 2, (4, 12))
    windows[random.random((4, 12)) < share] = math.nan
    windows[0] = noise(12)  # one without
    found = standardise(windows)
    for row, values in zip(found, windows, strict=True):
        there = ~np.isnan(values)
        if there.sum() < 2:
            assert np.isnan(row).all()
            continue
        assert np.isnan(row[~there]).all()
        np.testing.assert_array_equal(row[there], standardise(values[there][np.newaxis])[0])
    np.testing.assert_array_equal(found[0], standardise(windows[:1])[0])


def test_each_lead_is_standardised_by_itself_and_a_constant_one_is_zero():
    windows = noise((3, 2, 50))
    windows[1, 0] = 7.0
    windows[1, 0, :5] = math.nan
    windows[2, 1] = math.nan
    found = standardise_leads(windows)
    np.testing.assert_array_equal(found[0], standardise(windows[0]))
    np.testing.assert_array_equal(found[1, 0], [math.nan] * 5 + [0] * 45)
    np.testing.assert_array_equal(found[1, 1], standardise(windows[1, 1:])[0])
    assert np.isnan(found[2, 1]).all()
    assert np.isfinite(found[2, 0]).all()
    np.testing.assert_array_equal(
        standardise_leads(windows[:, :1])[:, 0], standardise(windows[:, 0])
    )


@pytest.mark.parametrize("bad", [math.inf, -math.inf, 1.7e308])
def test_a_window_with_one_lead_out_of_the_range_of_numbers_is_marked_throughout(bad):
    windows = noise((2, 2, 50))
    windows[1, 0, :2] = bad, -bad
    found = standardise_leads(windows)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


def test_windows_with_values_near_the_largest_float_are_left_out_without_a_warning():
    assert np.isnan(standardise(np.array([[1e308, -1e308, 1e308]]))).all()


def test_twelve_windows_are_cut_in_order_and_split_six_two_four():
    samples = noise(1300)
    dataset = cut(recording(samples), DataConfig(window=100))
    parts = (dataset.training, dataset.validation, dataset.test)
    assert [part.signals.shape for part in parts] == [(6, 1, 100), (2, 1, 100), (4, 1, 100)]
    together = np.concatenate([part.signals for part in parts])
    for position, window in enumerate(together):
        piece = samples[100 * position : 100 * (position + 1)]
        expected = (piece - piece.mean()) / np.sqrt(((piece - piece.mean()) ** 2).sum() / 99)
        np.testing.assert_array_equal(window[0], expected.astype(np.float32))
    assert (dataset.rate, dataset.unit, dataset.notices) == (100.0, "standardised", ())
    assert (dataset.recipe.epochs, dataset.recipe.batch_size, dataset.recipe.tolerance) == (
        30,
        2,
        3,
    )


def test_more_windows_are_split_six_two_four_too():
    dataset = cut(recording(noise(2400)), DataConfig(window=100, limit=24))
    parts = (dataset.training, dataset.validation, dataset.test)
    assert [len(part.signals) for part in parts] == [12, 4, 8]


def test_a_recording_with_fewer_windows_is_used_with_a_notice():
    dataset = cut(recording(noise(450)), DataConfig(window=100))
    assert [len(part.signals) for part in (dataset.training, dataset.validation, dataset.test)] == [
        2,
        1,
        1,
    ]
    assert dataset.notices == ("a recording: 4 windows of 100 samples, not 12",)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (
            299,
            "a recording has 299 samples, too few for 3 windows of 100; a window of 99 would fit",
        ),
        (99, "a recording has 99 samples, too few for 3 windows of 100; a window of 33 would fit"),
        (1, "a recording has 1 samples, too few for 3 windows of 100$"),
        (0, "a recording has 0 samples, too few for 3 windows of 100$"),
    ],
)
def test_a_recording_too_short_for_three_windows_is_refused_with_a_window_that_fits(
    samples, message
):
    with pytest.raises(DatasetError, match=message):
        cut(recording(noise(samples)), DataConfig(window=100))


def test_unusable_windows_are_left_out_after_the_split_and_counted_by_part():
    samples = noise(1200)
    samples[100:200] = 3.3  # constant, training
    samples[300:399] = np.nan  # all but one, training
    samples[1100:] = 0  # zero, test
    dataset = cut(recording(samples), DataConfig(window=100))
    whole = cut(recording(noise(1200)), DataConfig(window=100))
    np.testing.assert_array_equal(dataset.training.signals, whole.training.signals[[0, 2, 4, 5]])
    np.testing.assert_array_equal(dataset.validation.signals, whole.validation.signals)
    np.testing.assert_array_equal(dataset.test.signals, whole.test.signals[:3])
    assert dataset.left_out == {"training": 2, "test": 1}
    assert dataset.notices == (
        "a recording: left out 2 of 6 training windows, 1 of 4 test windows: constant, without "
        "samples, or infinite",
    )


def test_windows_with_missing_samples_stay_and_are_counted_by_part():
    samples = noise(1200)
    samples[350] = np.nan
    samples[800:860] = np.nan
    dataset = cut(recording(samples), DataConfig(window=100))
    whole = cut(recording(noise(1200)), DataConfig(window=100))
    np.testing.assert_array_equal(
        dataset.training.signals[[0, 1, 2, 4, 5]], whole.training.signals[[0, 1, 2, 4, 5]]
    )
    assert np.flatnonzero(np.isnan(dataset.training.signals[3, 0])).tolist() == [50]
    assert np.isnan(dataset.test.signals[0, 0]).sum() == 60
    assert dataset.left_out == {}
    assert dataset.notices == (
        "a recording: samples are missing in 1 of 6 training windows, 1 of 4 test windows",
    )


def test_leads_are_cut_together_and_a_window_is_left_out_where_all_of_them_are_constant():
    samples = noise((2, 1200))
    samples[0, :200] = 1
    samples[1, 100:200] = np.nan
    leads = Channel("two leads", samples, 100.0, leads=("a", "b"))
    dataset = cut(leads, DataConfig(window=100))
    assert dataset.training.signals.shape == (5, 2, 100)
    assert (dataset.training.signals[0, 0] == 0).all()
    assert dataset.leads == ("a", "b")
    together = np.concatenate([dataset.validation.signals, dataset.test.signals])
    for lead in range(2):
        alone = cut(recording(samples[lead]), DataConfig(window=100))
        expected = np.concatenate([alone.validation.signals, alone.test.signals])
        np.testing.assert_array_equal(together[:, lead], expected[:, 0])


def test_a_part_without_a_usable_window_is_refused_by_name():
    samples = noise(1200)
    samples[600:800] = 1
    with pytest.raises(DatasetError, match=r"no validation window is left, all 2 are constant"):
        cut(recording(samples), DataConfig(window=100))


def made_of(count, *, origin, rate=100.0, unit="", space=(250,)):
    part = Part(np.ones((count, 1, *space), dtype=np.float32))
    return Dataset("x", part, part, part, rate, RECORDING, unit=unit, origin=origin)


WINDOWS = Origin("window", 212, 53_000, 0, 3)


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        (
            made_of(6, origin=WINDOWS, unit="standardised"),
            "6 of 212 windows (15 s of 8.8 min) of x, channel 1 of 3, standardised",
        ),
        (made_of(1, origin=Origin("window")), "1 window (2.5 s) of x"),
        (made_of(1, origin=Origin("window", 1, 250)), "1 of 1 window (2.5 s of 2.5 s) of x"),
        (made_of(1, origin=WINDOWS, rate=None), "1 of 212 windows of x, channel 1 of 3"),
        (
            made_of(2, origin=Origin("window", 9, None, 1, 2, "x.npy"), unit="mV", rate=None),
            "2 of 9 windows of x.npy, channel 2 of 2 (--channel 1), in mV",
        ),
        (
            made_of(5_000, origin=Origin("image", 70_000), rate=None, space=(2, 2)),
            "5,000 of 70,000 images of x",
        ),
        (made_of(3, origin=Origin(), rate=None), "3 signals of x"),
        (
            made_of(6, origin=replace(WINDOWS, leads=2), unit="standardised"),
            "6 of 212 windows (15 s of 8.8 min) of x, 2 of 3 channels, standardised",
        ),
    ],
)
def test_a_data_set_says_what_a_part_is_made_of(dataset, said):
    assert dataset.used("training") == said


def test_a_part_that_no_data_set_has_is_refused():
    with pytest.raises(ValueError, match="the parts training, validation, test, not 'all'"):
        made_of(1, origin=WINDOWS).used("all")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0031, "0.0031 s"),
        (9.94, "9.9 s"),
        (9.95, "10 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (600, "10 min"),
        (7200, "2 h"),
        (86_400, "24 h"),
        (3.6e7, "10,000 h"),
    ],
)
def test_a_time_has_two_digits_or_is_whole(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("options", "windows", "whole"),
    [
        ({}, 12, 23),
        ({"limit": 9}, 9, 9),
        ({"whole": True}, 23, 23),
        ({"whole": True, "limit": 9}, 9, 9),
    ],
)
def test_a_recording_is_used_whole_where_nothing_else_is_said(options, windows, whole):
    config, samples = DataConfig(window=100, **options), noise(2_345)
    for default, count in ((12, windows), (None, whole)):
        dataset = cut(recording(samples[: wanted(config, default)]), config, default)
        parts = (dataset.training, dataset.validation, dataset.test)
        assert sum(len(part.signals) for part in parts) == count
        assert dataset.notices == ()
        assert dataset.origin.total == (23 if count == 23 else None)


def test_many_windows_are_scaled_as_few_are(monkeypatch):
    samples = noise(3_000).reshape(30, 100)
    together = standardise(samples)
    monkeypatch.setattr("sans.datasets.windows.AT_A_TIME", 700)
    np.testing.assert_array_equal(standardise(samples), together)


def test_labels_are_left_out_with_their_signals():
    signals = np.ones((3, 1, 2), dtype=np.float32)
    signals[1] = 0
    good = Part(np.ones((1, 1, 2), dtype=np.float32), np.array([7]))
    whole = Dataset("x", Part(signals, np.array([4, 5, 6])), good, good, None, RECORDING, ("a",))
    found = leave_out(whole)
    assert found.training.labels.tolist() == [4, 6]
    assert found.left_out == {"training": 1}
    notice = "x: left out 1 of 3 training signals: constant, without samples, or infinite"
    assert found.notices == ("a", notice)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 1}, "a window has 2 samples or more, not 1"),
        ({"window": -5}, "a window has 2 samples or more, not -5"),
        ({"limit": 2}, "limit 2: 3 signals are the fewest"),
        ({"split_by": "subject"}, "no split by 'subject': it is one of row, recording"),
        ({"resample": "lowst"}, "no rate 'lowst': lowest, highest or .*; did you mean 'lowest'"),
        ({"resample": "0"}, "no rate '0': lowest, highest or samples per second above 0"),
        ({"resample": "nan"}, "no rate 'nan'"),
        ({"resample": ""}, "no rate ''"),
    ],
)
def test_a_config_out_of_range_is_refused(options, message):
    with pytest.raises(DatasetError, match=message):
        DataConfig(**options)
