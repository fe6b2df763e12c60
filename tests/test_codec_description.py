"""Descriptions of signals: wavelets, spikes, kernels, corrections, and what is worth its bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sans.codec.description.choice import costs_of, prune
from sans.codec.description.corrections import code_corrections, correct, corrections_of
from sans.codec.description.descriptions import (
    COARSE,
    FINE,
    Description,
    baseline_free,
    code_description,
    describe,
    leave,
    quantise,
    reconstruct,
    squared_error,
)
from sans.codec.description.learning import learn, unit_kernels
from sans.codec.description.spikes import Spikes, code_spikes, draw, no_spikes, phases_of
from sans.codec.description.starting_set import NORM, starting_kernels, starting_set
from sans.codec.description.stored_kernels import WEIGHT
from sans.codec.description.waveforms import (
    NO_WAVEFORMS,
    build,
    pack_all_waveforms,
    unpack_all_waveforms,
)
from sans.codec.description.waveforms import quantise as in_integers
from sans.codec.description.wavelets import FRACTION, analyse, band_ends, synthesise
from sans.codec.entropy.range_coder import bytes_of, read_from, writer
from sans.codec.versions import NEWEST
from sans.errors import BitstreamError

ONE = 1 << FRACTION
LOW = (0.852698679009, 0.377402855613, -0.110624404418, -0.023849465020, 0.037828455507)
HIGH = (0.788485616406, -0.418092273222, -0.040689417609, 0.064538882629)
"""The filters of CDF 9/7, from the middle outward, as tables of wavelets print them."""

SIZE = 101
TIME = np.arange(SIZE) - SIZE // 2
BEAT = np.exp(-((TIME / 5) ** 2)) - 0.3 * np.exp(-(((TIME - 14) / 9) ** 2))
UNIT_BEAT = BEAT / np.linalg.norm(BEAT)
OTHER = TIME * np.exp(-((TIME / 11) ** 2))
UNIT_OTHER = OTHER / np.linalg.norm(OTHER)


def spikes_at(place, kernel, amplitude):
    return Spikes(*(np.array(values, np.int64) for values in (place, kernel, amplitude)))


def listed(spikes):
    return [values.tolist() for values in spikes]


# Wavelets.


def test_integers_of_every_length_come_back_from_their_coefficients():
    draw_from = np.random.default_rng(0)
    for length in range(1, 301):
        signal = draw_from.integers(-(2**15), 2**15, length)
        ends = band_ends(length)
        coefficients = np.rint(analyse(signal.astype(float), ends) * ONE).astype(np.int64)
        again = synthesise(coefficients, ends)
        # Coefficients are off by 1/512, and every lifting step rounds to 1/256: far from a half.
        np.testing.assert_array_equal((again + ONE // 2) >> FRACTION, signal)
        np.testing.assert_allclose(again / ONE, signal, atol=0.1)


def test_bands_halve_seven_times_or_until_one_sample_is_left():
    for length in range(1, 1200):
        sizes = [length]
        while len(sizes) < 8 and sizes[-1] > 1:
            sizes.append(-(-sizes[-1] // 2))
        assert band_ends(length).tolist() == [0, *sizes[::-1]]


@pytest.mark.parametrize("length", [9, 10, 16, 31, 64])
def test_one_level_is_what_the_filters_say(length):
    signal = np.random.default_rng(length).normal(0, 100, length)
    padded = np.pad(signal, 8, "reflect")

    def filtered(taps, i):
        total = taps[0] * padded[8 + i]
        for k, tap in enumerate(taps[1:], 1):
            total += tap * (padded[8 + i - k] + padded[8 + i + k])
        return total

    half = (length + 1) // 2
    wanted = [filtered(LOW, i) for i in range(0, length, 2)]
    wanted += [filtered(HIGH, i) for i in range(1, length, 2)]
    # The weights have 20 bits below the point.
    found = analyse(signal, np.array([0, half, length]))
    np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(signal).max())


def test_atoms_have_norms_near_one():
    length = 1024
    ends = band_ends(length)
    for band in range(len(ends) - 1):
        coefficients = np.zeros(length, np.int64)
        coefficients[(ends[band] + ends[band + 1]) // 2] = 1000 * ONE
        norm = np.linalg.norm(synthesise(coefficients, ends) / ONE) / 1000
        assert 0.9 < norm < 1.15


def test_a_constant_has_no_details():
    ends = band_ends(1000)
    coefficients = analyse(np.full(1000, 50.0), ends)
    assert np.abs(coefficients[ends[1] :]).max() < 1e-3
    np.testing.assert_allclose(coefficients[: ends[1]], 50 * 2**3.5, rtol=1e-4)


# Spikes.


@st.composite
def spike_trains(draw_from, kernels, length):
    count = draw_from(st.integers(0, min(25, length)))  # more spikes than samples are none
    places = sorted(draw_from(st.lists(st.integers(0, length - 1), min_size=count, max_size=count)))
    kernel = draw_from(st.lists(st.integers(0, kernels - 1), min_size=count, max_size=count))
    amplitude = st.one_of(st.integers(-20, 20), st.integers(-(2**30), 2**30))
    heights = draw_from(st.lists(amplitude, min_size=count, max_size=count))
    return spikes_at(places, kernel, heights)


def points(count):
    """Return kernels of one sample each, of which a signal may have as many as it has samples."""
    return build(np.ones((count, 1), np.int64), 1, np.zeros(count, np.int64))


@given(st.data(), st.sampled_from([1, 2, 3, 16, 64]), st.sampled_from([1, 7, 1000, 2**21]))
def test_spikes_come_back_with_and_without_a_companion(data, kernels, length):
    spikes, each = data.draw(spike_trains(kernels, length)), points(kernels)
    for companion in (no_spikes(0), data.draw(spike_trains(64, length)), spikes):
        coder = writer(4096)
        written = code_spikes(coder, spikes, each, length, companion, NEWEST)
        assert listed(written) == listed(spikes)
        again = read_from(bytes_of(coder))
        read = code_spikes(again, no_spikes(0), each, length, companion, NEWEST)
        assert listed(read) == listed(spikes)


@given(st.binary(max_size=60), st.integers(1, 64), st.integers(1, 100))
def test_spikes_of_any_bytes_lie_in_the_signal(data, kernels, length):
    none = no_spikes(0)
    found = code_spikes(read_from(data), none, points(kernels), length, none, NEWEST)
    assert len(found.place) <= length
    assert ((found.place >= 0) & (found.place < length)).all()
    assert ((found.kernel >= 0) & (found.kernel < kernels)).all()


def bits_of(spikes, companion, length=200000):
    coder = writer(1 << 16)
    code_spikes(coder, spikes, points(2), length, companion, NEWEST)
    return 8 * len(bytes_of(coder))


def test_a_regular_heart_costs_less_than_a_random_one_and_a_companion_helps():
    draw_from, count = np.random.default_rng(0), 300
    kernel, heights = np.zeros(count, int), draw_from.integers(90, 110, count)
    regular = spikes_at(np.arange(count) * 290 + 50, kernel, heights)
    random = spikes_at(np.sort(draw_from.integers(0, 290 * count, count)), kernel, heights)
    none = no_spikes(0)
    assert bits_of(regular, none) < 0.65 * bits_of(random, none)
    delayed = spikes_at(random.place + 11, kernel, draw_from.integers(90, 110, count))
    assert bits_of(delayed, random) < 0.65 * bits_of(delayed, none)


WAVEFORMS = in_integers(np.stack([300 * UNIT_BEAT, -200 * UNIT_OTHER]), 700, [3, 0])


def naively_drawn(spikes, waveforms, length):
    size = waveforms.weights.shape[1]
    padded = np.zeros(length + 2 * size, np.int64)
    for place, kernel, height in zip(*spikes, strict=True):
        shift = int(waveforms.shifts[kernel])
        drawn = (height * waveforms.weights[kernel] + ((1 << shift) >> 1)) >> shift
        first = place - (size - 1) // 2 + size
        padded[first : first + size] += drawn
    return padded[size:-size]


def test_spikes_are_drawn_as_a_naive_loop_draws_them():
    spikes = spikes_at([0, 3, 50, 120, 121, 199], [0, 1, 1, 0, 1, 0], [7, -3, 9, -8, 1, 5])
    for length in (200, 250):
        np.testing.assert_array_equal(
            draw(spikes, WAVEFORMS, length), naively_drawn(spikes, WAVEFORMS, length)
        )
    assert not draw(no_spikes(0), WAVEFORMS, 30).any()


def test_phases_tell_how_far_a_sample_lies_from_the_middle_of_a_beat():
    size = 256
    kernel = np.zeros(size)
    kernel[100] = 100.0
    waveforms = in_integers(kernel[None], 16, [0])
    assert waveforms.middles.tolist() == [100 - 127]
    phases = phases_of(spikes_at([1000], [0], [1]), waveforms, 2000)
    middle = 1000 - 27
    assert phases[middle : middle + 5].tolist() == [1, 1, 3, 3, 5]
    assert phases[middle - 4 : middle].tolist() == [6, 4, 4, 2]
    assert (phases[: middle - 128] == 0).all()
    assert (phases[middle + 192 :] == 0).all()
    assert (phases[middle - 128 : middle + 192] > 0).all()
    assert phases[middle + 31] == 1 + 2 * 15
    assert phases[middle + 32] == 1 + 2 * 16
    assert phases[middle + 64] == 1 + 2 * 24
    # Later spikes win, and borders cut.
    both = phases_of(spikes_at([20, 60], [0, 0], [1, 1]), waveforms, 100)
    np.testing.assert_array_equal(both, phases_of(spikes_at([60], [0], [1]), waveforms, 100))
    assert not phases_of(no_spikes(0), waveforms, 50).any()


# Kernels.


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_kernels_of_all_tracks_come_back():
    lent = starting_set()._replace(shifts=np.arange(16, dtype=np.int64), borrowed=1)
    one = in_integers(50 * UNIT_BEAT[None, :1], 30, [15])
    tracks = [WAVEFORMS, NO_WAVEFORMS, lent, one, WAVEFORMS]
    data = pack_all_waveforms(tracks)
    found = unpack_all_waveforms(data, len(tracks), starting_set())
    assert all(same(a, b) for a, b in zip(found, tracks, strict=True))
    assert pack_all_waveforms([lent]) == bytes([16, 0, *range(16)])


def test_damaged_kernels_are_refused():
    data = pack_all_waveforms([WAVEFORMS])
    with pytest.raises(BitstreamError, match="1 bytes behind the kernels"):
        unpack_all_waveforms(data + b"\0", 1)
    with pytest.raises(BitstreamError, match="bytes of kernels where fewer are"):
        unpack_all_waveforms(data[:-1], 1)
    with pytest.raises(BitstreamError, match="65 kernels of 101 samples"):
        unpack_all_waveforms(b"\x41" + data[1:], 1)
    with pytest.raises(BitstreamError, match="3 borrowed kernels of 16"):
        unpack_all_waveforms(b"\x03\0\1\1\1", 1, starting_set())
    with pytest.raises(BitstreamError, match="16 borrowed kernels of 16"):
        unpack_all_waveforms(bytes([16, 0, *[16] * 16]), 1, starting_set())
    with pytest.raises(BitstreamError, match="a number without an end"):
        unpack_all_waveforms(data, 2)


def test_kernels_are_as_large_as_they_were():
    np.testing.assert_allclose(WAVEFORMS.weights[0] / ONE, 300 * UNIT_BEAT, atol=2 * 700 / ONE)
    np.testing.assert_allclose(WAVEFORMS.weights[1] / ONE, -200 * UNIT_OTHER, atol=2 * 700 / ONE)
    fine = in_integers(300 * UNIT_BEAT[None], 1, [0])
    np.testing.assert_allclose(fine.weights[0] / ONE, 300 * UNIT_BEAT, atol=0.05)


def test_the_starting_set_has_kernels_of_one_norm():
    weights = starting_set().weights / ONE
    np.testing.assert_allclose(np.linalg.norm(weights, axis=1), NORM, rtol=0.02)
    np.testing.assert_allclose(np.linalg.norm(starting_kernels(), axis=1), 1)


# Coefficients in steps, and the whole description.


@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.sampled_from([0.1, 1.0, 37.0]))
def test_no_coefficient_is_off_by_more_than_a_step(seed, length, step):
    coefficients = np.random.default_rng(seed).standard_cauchy(length) * 3
    ends = band_ends(length)
    for roundings in (FINE, COARSE):
        levels = quantise(coefficients, ends, step, roundings)
        off = np.abs(coefficients) - np.abs(levels) * step
        assert off.max() <= (1 - roundings.alone) * step * (1 + 1e-9)  # towards zero
        assert off.min() >= -0.5 * step * (1 + 1e-9)  # and away from it less
        assert (levels * coefficients >= 0).all()


def heart(length, seed=0):
    signal = np.zeros(length)
    places = np.arange(80, length - 80, 151)
    for place in places:
        signal[place - SIZE // 2 : place - SIZE // 2 + SIZE] += 400 * BEAT
    noise = np.random.default_rng(seed).normal(0, 4, length)
    return np.rint(signal + noise + 200).astype(np.int64), places


@pytest.mark.parametrize("length", [1, 2, 3, 100, 2000])
def test_a_reader_gets_what_the_writer_reconstructs(length):
    numbers = heart(2000)[0][:length]
    beats = in_integers(400 * np.linalg.norm(BEAT) * UNIT_BEAT[None], 500, [4])
    spikes = spikes_at([min(80, length - 1)], [0], [15]) if length > 2 else no_spikes(0)
    nothing = Description(0, 1, no_spikes(0), np.zeros(0, np.int64))
    for companion in (nothing, describe(numbers[::-1].copy(), spikes, beats, 700, FINE)):
        kept = describe(numbers, spikes, beats, 3000, FINE)
        coder = writer(8 * length + 1024)
        written = code_description(coder, kept, beats, companion, NEWEST)
        empty = Description(0, 1, no_spikes(0), np.zeros(length, np.int64))
        bits = np.zeros(4)
        data = bytes_of(coder)
        read = code_description(read_from(data), empty, beats, companion, NEWEST, bits)
        wanted = reconstruct(kept, beats)
        np.testing.assert_array_equal(reconstruct(written, beats), wanted)
        np.testing.assert_array_equal(reconstruct(read, beats), wanted)
        assert (read.offset, read.step) == (kept.offset, 3000)
        assert bits.sum() <= 8 * len(data) + 8
        # Errors of samples are near those of coefficients, which are below a step.
        assert (
            squared_error(numbers, np.zeros(length, bool), read, beats) < length * (3000 / ONE) ** 2
        )


def test_missing_samples_do_not_count_as_errors():
    numbers, _ = heart(500)
    kept = describe(numbers, no_spikes(0), NO_WAVEFORMS, 20000, FINE)
    wrong = (reconstruct(kept, NO_WAVEFORMS) - numbers) ** 2
    mask = np.arange(500) % 3 == 0
    assert squared_error(numbers, mask, kept, NO_WAVEFORMS) == wrong[~mask].sum()


def test_a_signal_without_its_baseline_has_no_slow_part():
    numbers, _ = heart(4000)
    slow = 3000 * np.cos(np.arange(4000) * 2 * np.pi / 3999)  # level at both borders
    with_drift = baseline_free(numbers + np.rint(slow).astype(np.int64))
    np.testing.assert_allclose(with_drift, baseline_free(numbers), atol=40)


# Corrections.


@given(
    st.lists(st.integers(-(2**33), 2**33), min_size=1, max_size=60),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 10, 3000]),
    st.sampled_from([0.0, 0.1, 1.0]),
)
@example([0], 0, 1, 1.0)
def test_corrected_samples_are_within_the_bound(wanted, seed, bound, density):
    draw_from = np.random.default_rng(seed)
    wanted = np.array(wanted)
    errors = draw_from.integers(-20 * bound, 20 * bound + 1, len(wanted))
    found = wanted + np.where(draw_from.random(len(wanted)) < density, errors, errors % (bound + 1))
    width = 2 * bound + 1
    corrections = corrections_of(wanted, found, width)
    assert not corrections[np.abs(wanted - found) <= bound].any()
    coder = writer(64 + 32 * len(wanted))
    code_corrections(coder, corrections.copy())
    read = np.zeros(len(wanted), np.int64)
    code_corrections(read_from(bytes_of(coder)), read)
    np.testing.assert_array_equal(read, corrections)
    correct(found, read, width)
    assert np.abs(found - wanted).max() <= bound


# Which spikes are worth their bits.


def kept_of(numbers, spikes, step, price=25.0):
    beats = in_integers(UNIT_BEAT[None] * 64, 40, [0])
    left = leave(numbers, spikes, beats, 200)
    before = left.copy()
    ends = band_ends(len(numbers))
    costs = costs_of(quantise(left, ends, step, FINE), ends)
    order = np.argsort(np.abs(spikes.amplitude), kind="stable")
    arguments = (ends, spikes, beats, order, step, FINE.among, costs, WEIGHT * step**2, price)
    kept = prune(left, *arguments)
    survivors = Spikes(*(values[kept] for values in spikes))
    # What is left out goes back into the coefficients.
    again = leave(numbers, survivors, beats, 200)
    np.testing.assert_allclose(left, again, atol=0.05)
    return kept, before, left


def test_a_strong_beat_stays_and_a_spike_of_noise_goes():
    numbers, places = heart(3000)
    height = round(400 * np.linalg.norm(BEAT) / 64)
    noise = [41, 1500 + 37, 2222]
    place = np.concatenate([places, noise])
    amplitude = np.concatenate([np.full(len(places), height), [1, -1, 1]])
    order = np.argsort(place, kind="stable")
    spikes = spikes_at(place[order], np.zeros(len(place)), amplitude[order])
    kept, before, after = kept_of(numbers, spikes, 30.0)
    assert (kept == (np.abs(spikes.amplitude) > 1)).all()
    assert not np.array_equal(before, after)


def test_a_price_that_nothing_is_worth_leaves_no_spike():
    numbers, places = heart(3000)
    spikes = spikes_at(places, np.zeros(len(places)), np.full(len(places), 20))
    kept, _, _ = kept_of(numbers, spikes, 30.0, price=1e9)
    assert not kept.any()


def test_costs_fall_with_how_often_a_magnitude_occurs():
    levels = np.array([0] * 900 + [1, -1] * 30 + [5] * 2 + [40])
    costs = costs_of(levels, np.array([0, len(levels)]))
    assert costs.shape == (1, 32)
    assert costs[0, 0] < costs[0, 1] < costs[0, 5] < costs[0, 30]
    assert costs[0, 31] < costs[0, 30]  # those beyond count as the last


# Learning.


def correlation(kernel, beat):
    size = len(kernel) + len(beat)
    spectrum = np.fft.rfft(kernel, size) * np.conj(np.fft.rfft(beat, size))
    return (
        np.abs(np.fft.irfft(spectrum, size)).max() / np.linalg.norm(kernel) / np.linalg.norm(beat)
    )


def test_learning_finds_a_planted_beat():
    numbers, places = heart(12000)
    kernels = learn(baseline_free(numbers), 1, 128, 100.0)
    assert kernels.shape == (1, 128)
    np.testing.assert_allclose(np.linalg.norm(kernels, axis=1), 1)
    assert len(places) > 50
    assert correlation(kernels[0], BEAT) > 0.95


def test_learning_finds_two_beats_of_a_heart_that_has_two():
    signal = np.random.default_rng(0).normal(0, 3, 20000)
    for i, place in enumerate(range(200, 19800, 163)):
        first = place - SIZE // 2
        signal[first : first + SIZE] += 1000 * (UNIT_OTHER if i % 3 == 0 else UNIT_BEAT)
    kernels = learn(signal, 2, 128, 200.0)
    assert len(kernels) == 2
    for beat in (UNIT_BEAT, UNIT_OTHER):
        assert max(correlation(kernel, beat) for kernel in kernels) > 0.95


def test_nothing_is_learned_from_silence():
    assert learn(np.zeros(5000), 4, 64, 1.0).shape == (0, 64)


def test_given_kernels_get_norm_one_and_one_size():
    kernels = unit_kernels([3 * BEAT, BEAT[20:80]])
    assert kernels.shape[0] == 2
    np.testing.assert_allclose(np.linalg.norm(kernels, axis=1), 1)
    with pytest.raises(ValueError, match="kernel 1 has 2"):
        unit_kernels([BEAT, BEAT[None]])
    with pytest.raises(ValueError, match="kernel 0 is zero everywhere"):
        unit_kernels([np.zeros(4)])
    with pytest.raises(ValueError, match="holds NaN or infinity"):
        unit_kernels([np.array([1.0, np.nan])])
