"""Several channels of a recording as the leads of one signal, and leads of different rates."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from test_datasets_physionet import steps, write_record

from sans.datasets import DataConfig, load
from sans.datasets.resampling import common_rate, length_of, resampled, samples_needed
from sans.errors import DatasetError

LEADS = {"a": 0, "b": 1, "a,b": 2, "all": 3}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def table(path, columns):
    """Write a CSV file of named columns."""
    head = ",".join(f'"{name}"' if "," in name else name for name in columns)
    rows = np.stack(list(columns.values()), axis=1).tolist()
    path.write_text("\n".join([head, *(",".join(map(repr, row)) for row in rows)]))
    return path


def read(path, channel, **options):
    return load(DataConfig(str(path), channel=channel, window=100, **options))


def signals(dataset):
    return np.concatenate([p.signals for p in (dataset.training, dataset.validation, dataset.test)])


@pytest.mark.parametrize(
    ("channel", "chosen"),
    [
        ("b,c", (1, 2)),
        ("c, B", (2, 1)),
        ("2,a", (2, 0)),
        ("all", (0, 1, 2)),
        ("ALL", (0, 1, 2)),
    ],
)
def test_several_channels_are_the_leads_of_one_signal_in_the_order_of_their_names(
    tmp_path, channel, chosen
):
    made = {name: noise(1200, seed=i) for i, name in enumerate("abc")}
    path = table(tmp_path / "x.csv", made)
    dataset = read(path, channel)
    assert dataset.leads == tuple("abc"[number] for number in chosen)
    assert dataset.name == f"x.csv {', '.join(dataset.leads)}"
    assert f"{len(chosen)} of 3 channels, standardised" in dataset.used("test")
    for lead, number in enumerate(chosen):
        alone = read(path, "abc"[number])
        np.testing.assert_array_equal(signals(dataset)[:, lead], signals(alone)[:, 0])


@pytest.mark.parametrize(
    ("channel", "chosen"),
    [("a,b", ("a,b",)), ("A,B", ("a,b",)), ('"a,b",b', ("a,b", "b")), ("a,all", ("a", "all")),
     ("all", ("all",)), ("a,b,b", None)],
)  # fmt: skip
def test_what_names_a_channel_as_a_whole_is_that_channel(tmp_path, channel, chosen):
    made = {name: noise(600, seed=i) for i, name in enumerate(LEADS)}
    path = table(tmp_path / "x.csv", made)
    if chosen is None:
        with pytest.raises(DatasetError, match="has b twice: each is one lead"):
            read(path, channel)
        return
    dataset = read(path, channel)
    assert dataset.leads == (chosen if len(chosen) > 1 else ())
    if len(chosen) == 1:
        assert dataset.name == f"x.csv {chosen[0]}"


def test_all_are_the_signals_and_what_is_left_out_is_said(tmp_path):
    made = {"time": np.arange(1200) / 250, "x": noise(1200), "y": noise(1200, seed=1)}
    made["Trigger"] = np.zeros(1200)
    dataset = read(table(tmp_path / "x.csv", made), "all")
    assert dataset.leads == ("x", "y")
    assert dataset.notices == (
        "x.csv: --channel all leaves out what is no signal: time (axis), Trigger (events)",
    )


def test_all_of_one_signal_is_one_lead(tmp_path):
    np.save(tmp_path / "x.npy", noise(1200))
    dataset = read(tmp_path / "x.npy", "all")
    assert (dataset.name, dataset.leads, signals(dataset).shape) == ("x.npy", (), (12, 1, 100))


def test_channels_without_names_are_leads_by_their_position(tmp_path):
    np.save(tmp_path / "x.npy", noise(1200, 7))
    dataset = read(tmp_path / "x.npy", "4,2")
    assert dataset.leads == ("channel 4", "channel 2")
    assert dataset.used("test").startswith("4 of 12 windows of x.npy, 2 of 7 channels")
    many = read(tmp_path / "x.npy", "all")
    assert many.name == "x.npy channel 0, channel 1, channel 2 and 4 more leads"


def test_leads_of_trials_are_cut_within_them(tmp_path):
    array = noise(5, 3, 250)
    np.save(tmp_path / "x.npy", array)
    dataset = read(tmp_path / "x.npy", "0,2", layout="trials-channels-samples")
    expected = array[:, [0, 2], :200].reshape(5, 2, 2, 100).swapaxes(1, 2).reshape(10, 2, 100)
    centred = expected - expected.mean(axis=2, keepdims=True)
    expected = centred / expected.std(axis=2, ddof=1, keepdims=True)
    np.testing.assert_allclose(signals(dataset), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        ("a,d", r"x.csv has no channel 'd'; it has 3: 0 a, 1 b, 2 flat"),
        ("a,1,B", r"x.csv: --channel a,1,B has b twice: each is one lead"),
        ("a,", r"--channel a, has no name on one side of a comma"),
        (",", r"--channel , has no name on one side of a comma"),
        ("a,flat", r"x.csv: lead flat is 2.5 throughout, in all 1,200 samples that are read"),
        ("all", r"x.csv: lead flat is 2.5 throughout"),
    ],
)
def test_leads_that_cannot_be_are_refused_in_one_line(tmp_path, channel, message):
    made = {"a": noise(1200), "b": noise(1200, seed=1), "flat": np.full(1200, 2.5)}
    with pytest.raises(DatasetError, match=message) as caught:
        read(table(tmp_path / "x.csv", made), channel)
    assert "\n" not in str(caught.value)


def test_a_lead_without_samples_is_refused_and_a_gap_of_one_stays(tmp_path):
    values = noise(1200, 3)
    values[:, 1] = math.nan
    values[250:280, 2] = math.nan
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(DatasetError, match="lead channel 1 is missing throughout, in all 1,200"):
        read(tmp_path / "x.npy", "0,1")
    dataset = read(tmp_path / "x.npy", "0,2")
    gone = np.argwhere(np.isnan(signals(dataset)))
    assert gone.tolist() == [[2, 1, 50 + i] for i in range(30)]
    assert "samples are missing in 1 of 6 training windows" in dataset.notices[0]


def test_leads_of_a_record_are_those_of_its_channels(tmp_path):
    write_record(tmp_path / "r", [steps(1300), steps(1300, 1)], 360, ["MLII", "V5"])
    dataset = read(tmp_path / "r", "all")
    assert (dataset.name, dataset.rate, dataset.leads) == ("r MLII, V5", 360, ("MLII", "V5"))
    for lead, name in enumerate(dataset.leads):
        expected = signals(read(tmp_path / "r", name))[:, 0]
        np.testing.assert_array_equal(signals(dataset)[:, lead], expected)


def test_leads_of_different_rates_are_refused_unless_they_are_resampled(tmp_path):
    time = np.arange(6000) / 400
    fast, slow = np.sin(2 * np.pi * 3 * time), np.sin(2 * np.pi * 3 * time[::4])
    write_record(tmp_path / "r", [fast, slow, slow], 100, ["f", "s", "t"], frames=4)
    with pytest.raises(
        DatasetError,
        match=r"r has leads of different rates \(f: 400 Hz; s: 100 Hz\): .*--resample lowest",
    ):
        read(tmp_path / "r", "f,s")
    assert read(tmp_path / "r", "s,t").rate == 100
    for rate, wanted in (("lowest", 100), ("highest", 400), ("250", 250)):
        dataset = read(tmp_path / "r", "f,s", resample=rate)
        assert dataset.rate == wanted
        first, second = signals(dataset)[2:-2].swapaxes(0, 1)
        assert np.abs(first - second).max() < 0.05  # steps of 0.005 mV, and the border
        assert dataset.origin.samples == 15 * wanted
        assert dataset.notices == ()
    assert read(tmp_path / "r", "f", resample="lowest").rate == 400  # not averaged


def test_the_beginning_of_a_recording_is_resampled_to_the_beginning(tmp_path):
    write_record(tmp_path / "r", [steps(4000), steps(4000, 1)], 360, ["a", "b"])
    some = signals(read(tmp_path / "r", "all", resample="250", limit=9))
    whole = load(DataConfig(str(tmp_path / "r"), channel="all", window=100, resample="250"))
    assert whole.origin.samples == math.ceil(4000 * 250 / 360)
    np.testing.assert_allclose(some, signals(whole)[:9], atol=1e-6)


@pytest.mark.parametrize("dataset", ["synthetic", "synthetic-2d", "mnist", "uci-epilepsy"])
def test_sets_without_channels_have_no_use_for_a_rate(dataset):
    with pytest.raises(DatasetError, match=f"{dataset} has no use for resample 'lowest'"):
        load(DataConfig(dataset, resample="lowest"))


def test_what_has_no_rate_is_not_resampled(tmp_path):
    np.save(tmp_path / "x.npy", noise(1200, 2))
    with pytest.raises(DatasetError, match="does not say the rate of channel 0"):
        read(tmp_path / "x.npy", "all", resample="100")


@given(st.sampled_from([(360, 250), (250, 360), (8, 8), (15.5, 496), (173.61, 100), (4, 1)]))
def test_resampling_is_that_of_scipy_with_the_length_that_is_promised(rates):
    rate, target = rates
    values = noise(500)
    found = resampled(values, rate, target)
    ratio = Fraction(repr(float(target))) / Fraction(repr(float(rate)))
    up, down = ratio.numerator, ratio.denominator
    expected = scipy.signal.resample_poly(values, up, down, padtype="edge")
    np.testing.assert_array_equal(found, expected)
    assert len(found) == length_of(500, rate, target)
    needed = samples_needed(20, rate, target)
    assert needed <= 500
    np.testing.assert_allclose(resampled(values[:needed], rate, target)[:20], found[:20], atol=1e-9)


def test_a_gap_stays_a_gap_at_another_rate():
    values = np.sin(np.arange(200) / 9)
    values[50:60] = math.nan
    found = resampled(values, 100, 200)
    assert np.flatnonzero(np.isnan(found)).tolist() == list(range(99, 120))
    slower = resampled(values, 200, 100)
    assert np.flatnonzero(np.isnan(slower)).tolist() == list(range(25, 30))
    there = ~np.isnan(found)
    there[:20] = there[-20:] = False
    exact = np.sin(np.arange(400) / 18)
    assert np.abs(found - exact)[there].max() < 0.02
    assert np.isnan(resampled(np.full(10, math.nan), 1, 2)).all()


def test_rates_that_no_small_numbers_part_are_met_closely():
    assert common_rate("highest", ["a", "b"], [256.00003, 255.1], "x") == 256.00003
    found = resampled(noise(3000), 256.00003, 100)
    assert abs(len(found) - 3000 * 100 / 256.00003) <= 1


@pytest.mark.parametrize(
    ("dataset", "record", "channel", "leads", "rate"),
    [
        ("mitdb", None, "all", 2, 360),
        ("physionet:ptbdb", None, "i,ii,iii,avr,avl,avf,v1,v2,v3,v4,v5,v6", 12, 1000),
        ("noneeg", None, "ax,ay,az", 3, 8),
        ("bidmc", None, "all", 5, 125),
        ("physionet:challenge-2013/a01", None, "all", 4, 1000),
    ],
)
def test_real_leads_are_those_of_their_channels(shared_data, dataset, record, channel, leads, rate):
    root = shared_data("physionet").parent
    config = DataConfig(dataset, record, channel, data_dir=root)
    together = load(config)
    assert together.test.signals.shape == (4, leads, 1000)
    assert (len(together.leads), together.rate) == (leads, rate)
    for lead in (0, leads - 1):
        alone = load(DataConfig(dataset, record, together.leads[lead], data_dir=root))
        np.testing.assert_array_equal(together.test.signals[:, lead], alone.test.signals[:, 0])
