"""What an encoder decides: the step for an error, and whether kernels pay."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans import compress, decompress
from sans.codec import quality
from sans.codec.arrays import as_recording
from sans.codec.compression import Options, compress_recording
from sans.codec.decompression import OpenStream
from sans.codec.groups import DESCRIBED, JOINT, OWN
from sans.codec.planning import (
    CLOSE,
    KernelOptions,
    Planner,
    TrackChunk,
    TrackPlan,
    bits_of_kernels,
    largest_step,
    plan_images,
)
from sans.codec.quality import Goal, Quality

SIZE = 101
TIME = np.arange(SIZE) - SIZE // 2
BEAT = np.exp(-((TIME / 5) ** 2)) - 0.3 * np.exp(-(((TIME - 14) / 9) ** 2))
BARE = KernelOptions(learn=False)
GIVEN = KernelOptions(given=BEAT[None] / np.linalg.norm(BEAT))


def beats(length, seed=0, noise=6.0):
    """Return a heart that beats every 151 samples, as whole numbers, on a slow baseline."""
    signal = 60 * np.sin(np.arange(length) / 400) - 70
    for i, place in enumerate(range(60, length - 60, 151)):
        first = place + (3 * i) % 11 - SIZE // 2
        piece = signal[max(first, 0) : first + SIZE]
        piece += (500 + 20 * (i % 4)) * BEAT[: len(piece)]
    return np.rint(signal + np.random.default_rng(seed).normal(0, noise, length)).astype(np.int64)


def white(length, seed=0):
    return np.rint(np.random.default_rng(seed).normal(0, 300, length)).astype(np.int64)


def pieces_of(numbers, mask=None):
    mask = np.zeros(len(numbers), bool) if mask is None else mask
    half = len(numbers) // 2
    return [TrackChunk(numbers[:half], mask[:half]), TrackChunk(numbers[half:], mask[half:])]


def planned(pieces, prdn, kernel_options):
    with ThreadPoolExecutor(1) as pool:
        planner = Planner(pieces, kernel_options, pool)
        plan = planner.plan(prdn)
        every = range(len(pieces))
        error = planner.error(plan, every)
        return plan, 100 * np.sqrt(error / planner.energy), planner.bits(plan, every)


# The step.


@given(
    st.floats(1e-3, 1e6),
    st.floats(1.3, 2.5),
    st.floats(0.1, 10.0),
    st.floats(10.0, 1e6),
)
def test_the_largest_step_that_is_good_enough_is_found(factor, power, off, wanted):
    """Whatever the error grows like, and however far off the first guess is."""
    wanted = round(wanted)

    def error(step):
        return factor * step**power

    asked = error(wanted) * (1 + 1e-9)
    found = largest_step(error, asked, off * wanted)
    assert error(found) <= asked
    assert error(found) >= CLOSE**2 * asked or error(found + 1) > asked


def test_no_step_is_found_where_none_is_good_enough():
    assert largest_step(lambda _: 2.0, 1.0, 50) == 0


def test_errors_that_go_up_and_down_end_below_what_is_asked_for():
    def error(step):
        return step**1.7 * (1.1 + np.sin(step))

    for asked in (1e3, 1e5, 1e7):
        found = largest_step(error, asked, 100)
        assert 0 < error(found) <= asked


def test_no_more_than_twelve_steps_are_tried():
    tried = []

    def error(step):
        tried.append(step)
        return 0.0 if step < 7**8 else 1e12

    largest_step(error, 1.0, 3)
    assert len(tried) == 12


# What is asked for.


@pytest.mark.parametrize("prdn", [3.0, 9.0, 20.0])
@pytest.mark.parametrize("kernel_options", [BARE, GIVEN], ids=["bare", "given"])
def test_the_prdn_is_what_was_asked_for_or_a_little_less(prdn, kernel_options):
    plan, found, _ = planned(pieces_of(beats(8000)), prdn, kernel_options)
    assert plan.kind == DESCRIBED
    assert 0.99 <= found / prdn <= 1


def test_a_stream_has_the_prdn_that_was_planned():
    signal = beats(8000).astype("<i2")
    data = compress(signal, prdn=9)
    wrong = decompress(data).astype(float) - signal
    found = 100 * np.linalg.norm(wrong) / np.linalg.norm(signal - signal.mean())
    assert 0.99 <= found / 9 <= 1
    (figures,) = OpenStream(io.BytesIO(data)).end.figures
    assert figures.prdn == pytest.approx(found, rel=1e-5)


def test_kernels_pay_on_a_train_of_beats():
    pieces = pieces_of(beats(16000))
    bare, _, without = planned(pieces, 9.0, BARE)
    assert not len(bare.waveforms.shifts)
    assert bare.spikes == ()
    for kernel_options in (KernelOptions(), GIVEN):
        plan, found, bits = planned(pieces, 9.0, kernel_options)
        assert found <= 9
        assert len(plan.waveforms.shifts) >= 1
        assert sum(len(spikes.place) for spikes in plan.spikes) >= 90
        assert bits < 0.8 * without


@pytest.mark.parametrize("kernel_options", [KernelOptions(), GIVEN], ids=["learned", "given"])
@pytest.mark.parametrize("prdn", [5.0, 15.0])
def test_kernels_are_left_out_where_there_is_only_noise(prdn, kernel_options):
    pieces = pieces_of(white(6000))
    _, _, without = planned(pieces, prdn, BARE)
    plan, _, bits = planned(pieces, prdn, kernel_options)
    assert bits <= 1.01 * without
    assert not len(plan.waveforms.shifts)


@pytest.mark.parametrize("noise", [0.0, 40.0, 160.0])
def test_kernels_never_cost_more_than_they_save(noise):
    pieces = pieces_of(beats(6000, 3, noise))
    _, _, without = planned(pieces, 9.0, BARE)
    _, _, bits = planned(pieces, 9.0, KernelOptions())
    assert bits <= 1.01 * without


def test_a_few_samples_and_silence_are_kept_exactly():
    for numbers in (np.arange(50), np.zeros(5000, np.int64), np.full(5000, 7)):
        assert planned_kind(numbers) == TrackPlan()
    assert planned_kind(beats(60)) == TrackPlan()


def planned_kind(numbers):
    with ThreadPoolExecutor(1) as pool:
        return Planner(
            [TrackChunk(numbers, np.zeros(len(numbers), bool))], KernelOptions(), pool
        ).plan(9.0)


def test_small_errors_are_left_to_prediction():
    tone = np.rint(1000 * np.sin(np.arange(6000) / 9)).astype(np.int64)
    noise = np.random.default_rng(0).integers(-1, 2, len(tone))
    plan, found, _ = planned(pieces_of(tone + noise), 0.08, BARE)
    assert plan.kind in (OWN, JOINT)
    assert found <= 0.08


def test_missing_samples_count_neither_as_energy_nor_as_errors():
    numbers, mask = beats(8000), np.zeros(8000, bool)
    mask[3000:3500] = True
    _, whole, _ = planned(pieces_of(numbers), 9.0, BARE)
    stands = numbers.copy()
    stands[3000:3500] = stands[2999]  # what `fill` puts there
    plan, found, _ = planned(pieces_of(stands, mask), 9.0, BARE)
    assert 0.99 <= found / 9 <= 1
    assert 0.99 <= whole / 9 <= 1
    with ThreadPoolExecutor(1) as pool:
        planner = Planner(pieces_of(stands, mask), BARE, pool)
        assert planner.samples == 7500
        there = numbers[~mask]
        assert planner.energy == pytest.approx(((there - there.mean()) ** 2).sum())
        kept = np.concatenate([decoded(plan, i, p) for i, p in enumerate(planner.pieces)])
    wrong = ((kept - numbers)[~mask] ** 2).sum()
    assert found == pytest.approx(100 * np.sqrt(wrong / planner.energy))


def decoded(plan, number, piece):
    from sans.codec.description.descriptions import reconstruct

    return reconstruct(plan.described(number, piece), plan.waveforms)


def test_large_numbers_have_the_prdn_that_was_asked_for():
    time, amplitude = np.arange(5000), 2**29
    wave = np.where(time % 1000 < 500, amplitude, -amplitude)
    wave -= (time * 7919 % 10007) * np.sign(wave) * (amplitude // 200000)
    wrong = decompress(compress(wave.astype("<i4"), prdn=50, learn=False)).astype(float) - wave
    assert 100 * np.linalg.norm(wrong) / np.linalg.norm(wave - wave.mean()) <= 50


# Bounded errors.


@pytest.mark.parametrize("bound", [0, 1, 2, 15, 200])
def test_no_sample_is_off_by_more_than_the_bound(bound):
    signal = beats(5000).astype("<i2")
    data = compress(signal, max_error=bound or 0.5)
    assert np.abs(decompress(data).astype(int) - signal).max() <= bound


def test_a_bound_is_planned_by_the_way_that_takes_fewer_bits():
    pieces = pieces_of(beats(5000))
    with ThreadPoolExecutor(1) as pool:
        planner = Planner(pieces, BARE, pool)
        fine, coarse = planner.plan_within(1), planner.plan_within(60)
    assert (fine.kind, fine.step) == (JOINT, 3 * 256)
    assert coarse.kind == DESCRIBED
    assert coarse.width == 121


# Images.


def test_images_have_the_prdn_that_was_asked_for():
    y, x = np.mgrid[:40, :40]
    images = np.rint(100 + 60 * np.sin(x / 5) * np.cos(y / 7) + np.mgrid[:2, :40, :40][0] * 9)
    numbers = images.astype(np.int64).ravel()
    pieces = [TrackChunk(numbers, np.zeros(len(numbers), bool))]
    plan = plan_images(pieces, (40, 40), 9.0)
    assert plan.step > 256
    again = decompress(compress(images.astype(np.uint8), prdn=9.0))
    found = 100 * np.linalg.norm(again - images) / np.linalg.norm(images - images.mean())
    assert 0 < found <= 9


def test_kernels_that_are_not_there_take_no_bits():
    assert bits_of_kernels(TrackPlan().waveforms) == 0


def test_a_goal_that_is_a_prdn_in_other_words_is_one_row(monkeypatch):
    snr = Goal("SNR {} dB", prdn=lambda value: 100 / 10 ** (value / 20))
    monkeypatch.setitem(quality.GOALS, "snr", snr)
    (goal,) = quality.asked(snr=20)
    assert (goal.text, goal.prdn) == ("SNR 20 dB", 10.0)
    file, signal = io.BytesIO(), beats(2000)
    compress_recording(as_recording(signal), file, Options(goal, BARE))
    with pytest.raises(ValueError, match="snr 1e-18: the prdn must be below 100 per cent, not 100"):
        Quality("snr", 1e-18)
    monkeypatch.undo()  # a reader that does not know the goal passes over it
    wrong = decompress(file.getvalue()) - signal
    assert 9.5 < 100 * np.linalg.norm(wrong) / np.linalg.norm(signal - signal.mean()) <= 10
    assert OpenStream(file).start.header.quality == ("snr", 20.0)
