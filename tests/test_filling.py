"""Gaps of recordings, filled with what spikes draw there."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_datasets_physionet import write_record

from sans.filling import candidates as ways
from sans.filling import fill
from sans.filling.filling import _shares
from sans.filling.gaps import Gap, accompanied, edges_of, gaps_of, level_of, lined, running_mean
from sans.filling.learning import learn, period_of
from sans.pursuit.dictionary import Dictionary
from sans.reading import read

RATE = 100


def beats(samples=2400, leads=2, seed=0, interval=80):
    """Return leads that see the same beats, each in a shape of its own, and where they begin."""
    random = np.random.default_rng(seed)
    shapes = np.stack([np.hanning(20), -0.5 * np.sin(np.linspace(0, 2 * np.pi, 20))])[:leads]
    values = 0.02 * random.normal(size=(leads, samples))
    places = np.arange(30, samples - 60, interval)
    places += random.integers(-6, 7, len(places))
    for place in places:
        values[:, place : place + 20] += random.uniform(0.8, 1.2) * shapes
    return values, places


def without(values, *gaps):
    found = values.copy()
    for lead, first, behind in gaps:
        found[lead, first:behind] = np.nan
    return found


def error(values, filled, lead, first, behind):
    return float(((values - filled)[lead, first:behind] ** 2).sum())


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_gaps_are_where_samples_are_missing(missing):
    values = np.where(missing, np.nan, 1.0)[np.newaxis]
    found = gaps_of(values)
    again = np.zeros(len(missing), bool)
    for gap in found:
        assert gap.length > 0
        assert not again[max(0, gap.first - 1) : gap.behind].any()  # they do not touch
        again[gap.first : gap.behind] = True
    assert again.tolist() == missing


def test_a_gap_is_accompanied_where_half_of_another_lead_is_there():
    values = np.ones((3, 20))
    values[0, 4:12] = values[1, 4:9] = values[2, 4:12] = np.nan
    assert not accompanied(values, Gap(0, 4, 12))
    values[1, 8] = 1
    assert accompanied(values, Gap(0, 4, 12))
    assert not accompanied(values[:1], Gap(0, 4, 12))


def test_lines_and_levels_are_as_worked_out_by_hand():
    row = np.array([0.0, 2.0, np.nan, np.nan, 5.0, 7.0])
    assert lined(row).tolist() == [0, 2, 3, 4, 5, 7]
    np.testing.assert_allclose(edges_of(row, 2, 4, 1), [3, 4])
    # through the means 1 and 6, half a sample beyond the neighbours
    np.testing.assert_allclose(edges_of(row, 2, 4, 2), [2.875, 4.125])
    assert level_of(row, 2, 4, 2) == 3.5
    assert edges_of(row[2:], 0, 2, 1).tolist() == [5, 5]
    assert edges_of(row[:4], 2, 4, 1).tolist() == [2, 2]
    with pytest.raises(ValueError, match="all samples of a lead are missing"):
        lined(np.full(3, np.nan))


@given(st.integers(1, 30), st.integers(1, 12))
def test_a_running_mean_is_that_of_what_is_around(length, samples):
    row = np.random.default_rng(length).normal(size=length)
    found = running_mean(row, samples)
    half = (min(samples, length) | 1) // 2
    padded = np.pad(row, half, mode="edge")
    expected = [padded[i : i + 2 * half + 1].mean() for i in range(length)]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_period_of_beats_is_found_and_noise_has_none():
    values, _ = beats(interval=80)
    assert 74 <= period_of(values) <= 86
    assert period_of(np.random.default_rng(0).normal(size=(2, 2000))) is None
    assert period_of(np.zeros((1, 100))) is None


def test_planted_shapes_of_all_leads_are_learned():
    values, places = beats(leads=2)
    values /= values.std(axis=1, keepdims=True)
    windows = values[:, :2400].reshape(2, 6, 400).swapaxes(0, 1)
    (learned,) = learn(windows, 30, 1)
    (kernel,) = learned.dictionary.kernels
    shapes = np.stack([np.hanning(20), -0.5 * np.sin(np.linspace(0, 2 * np.pi, 20))])
    shapes /= beats(leads=2)[0].std(axis=1, keepdims=True)
    padded = np.pad(shapes / np.linalg.norm(shapes), ((0, 0), (0, 10)))
    alike = [abs(float((np.roll(padded, s, axis=1) * kernel).sum())) for s in range(30)]
    assert max(alike) > 0.97
    assert len(places) > 25


def test_a_lead_is_filled_from_another_and_the_rest_stays_digit_for_digit():
    values, places = beats()
    gaps = [(0, p - 10, p + 60) for p in places[5::7]]
    missing = without(values, *gaps)
    found = fill(missing, RATE)
    there = ~np.isnan(missing)
    np.testing.assert_array_equal(found.values[there], values[there])
    assert found.gaps == tuple(Gap(*map(int, gap)) for gap in gaps)
    assert found.alone is None
    line = np.stack([lined(row) for row in missing])
    errors = sum(error(values, found.values, *gap) for gap in gaps)
    assert errors < 0.1 * sum(error(values, line, *gap) for gap in gaps)  # 10 dB
    assert found.accompanied.decibels > 10
    assert sum(found.accompanied.shares.values()) == pytest.approx(1, abs=1e-3)
    assert ways.LINE not in found.accompanied.shares


def test_a_gap_of_all_leads_is_no_worse_than_the_local_mean():
    values, places = beats(interval=60, seed=3)
    gaps = [(lead, p - 15, p + 75) for p in places[6::12] for lead in (0, 1)]
    missing = without(values, *gaps)
    found = fill(missing, RATE)
    assert found.accompanied is None
    mean = missing.copy()
    for lead, first, behind in gaps:
        mean[lead, first:behind] = level_of(missing[lead], first, behind, behind - first)
    errors = sum(error(values, found.values, *gap) for gap in gaps)
    assert errors <= sum(error(values, mean, *gap) for gap in gaps)


def test_the_rhythm_around_a_gap_places_the_beats_in_it():
    values, places = np.zeros((1, 1600)), np.arange(30, 1500, 80)
    for place in places:
        values[0, place : place + 20] += np.hanning(20)
    shape = np.pad(np.hanning(20), 5)
    kernel = (shape / np.linalg.norm(shape))[np.newaxis]
    learned = ways.Learned(Dictionary((kernel,), 1, 1), float(np.linalg.norm(shape)))
    gap = Gap(0, int(places[8]) - 20, int(places[9]) + 40)
    scale = ways.Scale(np.ones((1, 1)), 1601)
    found = ways.candidates(without(values, gap), gap, scale, [learned])
    wanted = values[0, gap.first : gap.behind]
    assert np.abs(found[ways.RHYTHM] - wanted).max() < 0.2
    assert np.abs(found[ways.LINE] - wanted).max() > 0.9


@given(st.integers(0, 2**32 - 1))
def test_shares_are_from_zero_on_and_one_in_all_and_best_where_one_is_right(seed):
    random = np.random.default_rng(seed)
    made = random.normal(size=(6, 20, 3))
    found = _shares(["a", "b", "c"], made, made[..., 1])
    assert found.shares["b"] == pytest.approx(1, abs=1e-3)
    found = _shares(["a", "b", "c"], made, random.normal(size=(6, 20)))
    assert all(share > 0 for share in found.shares.values())
    assert sum(found.shares.values()) == pytest.approx(1, abs=1e-3)


def test_where_little_is_there_a_straight_line_is_drawn():
    values = np.array([[0.0, 1.0, np.nan, np.nan, 4.0, 5.0]])
    found = fill(values)
    assert found.values.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert found.alone == (({ways.LINE: 1.0}), 0.0, 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((1, 5)), "no sample is missing"),
        (np.array([[np.nan] * 5, [1.0] * 5]), "all samples of lead 0 are missing"),
        (np.array([[np.nan, math.inf, 1]]), "a sample is infinite"),
        (np.ones(5), r"\(leads, length\), not of the shape \(5,\)"),
    ],
)
def test_what_cannot_be_filled_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        fill(values)


def test_kernels_of_other_leads_are_refused():
    values = without(beats()[0], (0, 50, 60))
    kernel = np.ones((1, 5))
    with pytest.raises(ValueError, match="for 1 lead, and 2 leads to be filled together"):
        fill(values, dictionary=Dictionary((kernel,), 1, 1))
    with pytest.raises(ValueError, match="the kernels are for images"):
        fill(values, dictionary=Dictionary((np.ones((1, 3, 3)),), 1, 2))


def test_kernels_that_are_given_are_used():
    values, places = beats()
    missing = without(values, (0, places[5] - 10, places[5] + 60))
    shapes = np.stack([np.hanning(20), -0.5 * np.sin(np.linspace(0, 2 * np.pi, 20))])
    shapes /= values.std(axis=1, keepdims=True)
    found = fill(missing, RATE, Dictionary((5 * shapes,), 2, 1))
    assert set(found.accompanied.shares) <= {
        "spikes of 1 kernel", ways.LINE, ways.LEVEL, ways.BUMPS, ways.RHYTHM
    }  # fmt: skip
    assert found.accompanied.decibels > 10


def test_only_the_ways_that_are_wanted_are_mixed():
    values, places = beats(1600)
    missing = without(values, (0, places[5] - 10, places[5] + 60))
    found = fill(missing, RATE, ways=(ways.LEVEL,))
    assert set(found.accompanied.shares) <= {ways.LINE, ways.LEVEL}


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """The same recording with gaps as files of four kinds, and its samples."""
    monkeypatch.setattr("sans.filling.filling.HIDDEN", (5, 5))
    values, places = beats(1600)
    values = np.rint(200 * values) / 200
    missing = without(values, (0, places[8] - 10, places[8] + 60), (1, places[15], places[15] + 30))
    write_record(tmp_path / "r", missing, RATE, ["II", "V5"])
    np.save(tmp_path / "x.npy", missing.T)
    np.savez(tmp_path / "x.npz", II=missing[0], V5=missing[1], fs=RATE)
    cells = [["" if math.isnan(v) else repr(v) for v in row] for row in missing.T.tolist()]
    lines = [f"{i / RATE},{','.join(row)}" for i, row in enumerate(cells)]
    (tmp_path / "x.csv").write_text("\n".join(["time,II,V5", *lines]) + "\n")
    return tmp_path, values, missing


@pytest.mark.parametrize(
    ("name", "output"),
    [("r.hea", "o.hea"), ("x.npy", "o.npy"), ("x.csv", "o.csv"), ("r.hea", "o.csv")],
)
def test_fill_writes_the_recording_without_gaps(sans, recordings, name, output):
    folder, values, missing = recordings
    done = sans("fill", str(folder / name), "--output", str(folder / output), "--json")
    found = json.loads(done.stdout)
    assert (found["gaps"], found["samples"]) == (2, 100)
    again = read(folder / output)
    rows = np.stack([channel.values for channel in again][-2:])
    there = ~np.isnan(missing)
    assert not np.isnan(rows).any()
    np.testing.assert_allclose(rows[there], values[there], atol=1e-12)


def test_the_rest_of_a_table_stays_as_it_was(sans, recordings):
    folder, _, _ = recordings
    sans("fill", str(folder / "x.csv"), "--output", str(folder / "o.csv"))
    before = (folder / "x.csv").read_text().splitlines()
    after = (folder / "o.csv").read_text().splitlines()
    assert len(before) == len(after)
    whole = [
        (one, other) for one, other in zip(before, after, strict=True) if "" not in one.split(",")
    ]
    assert all(one == other for one, other in whole)
    assert len(before) - len(whole) == 100


def test_fill_says_how_gaps_were_filled(sans, recordings):
    folder, _, _ = recordings
    done = sans("fill", str(folder / "x.npz"), "--output", str(folder / "o.npz"))
    assert "o.npz: 2 gaps of 100 samples" in done.stdout
    assert "II, V5, gaps with another lead: spikes of " in done.stdout
    assert " dB less error than a straight line in " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("none.csv", "-o", "o.csv"), 1, "no file none.csv"),
        (("x.csv", "-o", "o.csv", "--channel", "II,V6"), 1, "has no channel 'V6'"),
        (("x.csv", "-o", "o.xyz"), 2, "no file of a recording ends in .xyz"),
        (("x.csv", "-o", "x.npy"), 1, "x.npy exists"),
        (("whole.npy", "-o", "o.npy"), 1, "no sample is missing: there is nothing to fill"),
        (("empty.npy", "-o", "o.npy"), 1, "all samples of channel 1 are missing"),
        (("infinite.npy", "-o", "o.npy"), 1, "channel 0 has infinite samples"),
        (("images.npy", "-o", "o.npy"), 1, "images.npy has images"),
    ],
)
def test_what_fill_cannot_do_is_one_line(
    refused, recordings, monkeypatch, arguments, status, message
):
    folder, _, missing = recordings
    monkeypatch.chdir(folder)
    np.save("whole.npy", np.ones((50, 2)) * np.arange(50)[:, None])
    np.save("empty.npy", np.stack([missing[0], np.full(1600, np.nan)], axis=1))
    np.save("infinite.npy", np.array([np.nan, np.inf] + [0.5] * 50))
    np.save("images.npy", np.ones((4, 5, 6)))
    assert message in refused(status, "fill", *arguments)


def test_real_leads_are_filled_with_half_the_error_of_a_straight_line(shared_data):
    path = shared_data("physionet", "mitdb", "100.dat").with_suffix(".hea")
    values = np.stack([channel.values for channel in read(path, start=0, end=40)])
    gaps = [(0, first, first + 360) for first in range(2000, 13000, 2200)]
    missing = without(values, *gaps)
    found = fill(missing, 360)
    line = np.stack([lined(row) for row in missing])
    errors = sum(error(values, found.values, *gap) for gap in gaps)
    assert errors < 0.25 * sum(error(values, line, *gap) for gap in gaps)  # 6 dB
