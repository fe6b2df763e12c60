from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.datasets import DataConfig, load, synthetic, synthetic_2d
from sans.errors import DatasetError

PINNED_START = [-0.00037882363297064104, 0.01619940524099498, -0.008606005806858292]
PINNED_END = -0.018057527987878637


def draw(samples, kernels, spikes):
    """Add every kernel at every spike, one sample after the other."""
    signal = np.zeros(samples)
    for name, kernel in kernels.items():
        for position, amplitude in zip(*spikes[name], strict=True):
            for offset, value in enumerate(kernel):
                t = position + offset - len(kernel) // 2
                if 0 <= t < samples:
                    signal[t] += amplitude * value
    return signal


def test_the_signal_is_the_planted_kernels_at_the_spikes_plus_little_else():
    longer = synthetic.recording(5100)  # its spikes reach into the first 5,000 samples too
    planted = synthetic.recording(5000)
    clean = draw(5100, synthetic.kernels(), longer.spikes)[:5000]
    np.testing.assert_allclose(planted.clean, clean, atol=1e-12)
    rest = planted.signal - planted.clean
    assert rest.std() < 0.25 * planted.clean.std()
    assert rest.std() > synthetic.NOISE


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_a_longer_recording_begins_with_the_shorter_one(one, other):
    shorter, longer = (synthetic.recording(length) for length in sorted((one, other)))
    np.testing.assert_array_equal(longer.signal[: shorter.signal.size], shorter.signal)
    for name, spikes in shorter.spikes.items():
        inside = longer.spikes[name].positions < shorter.signal.size
        np.testing.assert_array_equal(longer.spikes[name].positions[inside], spikes.positions)
        np.testing.assert_array_equal(longer.spikes[name].amplitudes[inside], spikes.amplitudes)


def test_the_signal_is_the_same_everywhere():
    # Pinned once: PCG64's words and IEEE arithmetic are the same on every machine, and the
    # functions of the mathematics library differ in the last bits only.
    signal = synthetic.recording(60000).signal
    np.testing.assert_allclose(signal[:3], PINNED_START, rtol=1e-9)
    np.testing.assert_allclose(signal[59999], PINNED_END, rtol=1e-9)


def test_kernels_have_their_peak_in_the_middle_and_odd_sizes_that_15_and_31_hold():
    kernels = synthetic.kernels()
    assert {name: kernel.size for name, kernel in kernels.items()} == {"beat": 15, "wave": 31}
    for kernel in kernels.values():
        assert kernel.argmax() == kernel.size // 2
        assert 0.95 < kernel.max() <= 1
        assert np.abs(kernel[[0, -1]]).max() < 0.05


def test_beats_come_at_the_rate_of_a_heart_with_its_variability():
    spikes = synthetic.recording(60000).spikes
    intervals = np.diff(spikes["beat"].positions) / synthetic.RATE
    assert 0.75 < intervals.mean() < 0.9
    assert 0.01 < intervals.std() < 0.1
    assert spikes["beat"].amplitudes.std() > 0.02
    delays = spikes["wave"].positions[:500] - spikes["beat"].positions[:500]
    assert delays.min() > 30
    assert 1 < np.unique(delays).size < 10


def test_the_default_data_set_is_sixty_windows_of_the_recording():
    dataset = load()
    parts = (dataset.training, dataset.validation, dataset.test)
    assert [part.signals.shape for part in parts] == [(30, 1, 1000), (10, 1, 1000), (20, 1, 1000)]
    assert all(part.signals.dtype == np.float32 and part.labels is None for part in parts)
    window = synthetic.recording(1000).signal
    expected = ((window - window.mean()) / window.std(ddof=1)).astype(np.float32)
    np.testing.assert_array_equal(dataset.training.signals[0, 0], expected)
    assert (dataset.name, dataset.rate, dataset.notices) == ("synthetic", 125.0, ())


def test_window_and_limit_are_obeyed():
    dataset = load(DataConfig(window=250, limit=12))
    parts = (dataset.training, dataset.validation, dataset.test)
    assert [part.signals.shape for part in parts] == [(6, 1, 250), (2, 1, 250), (4, 1, 250)]


def test_a_signal_that_would_not_fit_into_memory_is_refused():
    with pytest.raises(DatasetError, match=r"20,000,000 samples at most, not 1,000,000,000,000"):
        load(DataConfig(limit=10**9))


@pytest.mark.parametrize(
    "options", [{"record": "100"}, {"channel": "V5"}, {"split_by": "recording"}]
)
def test_options_without_meaning_for_the_synthetic_signal_are_refused(options):
    with pytest.raises(DatasetError, match=r"synthetic has no use for"):
        load(DataConfig(**options))


def test_images_are_the_planted_strokes_and_little_noise():
    planted = synthetic_2d.images(20)
    kernels = list(synthetic_2d.kernels().values())
    expected = np.zeros((20, 28, 28))
    for image, kernel, row, column, amplitude in zip(*planted.strokes, strict=True):
        place = expected[image, row - 2 : row + 3, column - 2 : column + 3]
        assert not place.any()  # strokes do not overlap
        place += amplitude * kernels[kernel]
    assert np.abs(planted.images - expected).max() <= synthetic_2d.NOISE
    assert planted.images.min() >= 0
    assert planted.images.max() <= 1
    assert np.bincount(planted.strokes.image).tolist() == [6] * 20
    assert set(planted.strokes.kernel) == {0, 1, 2}


def test_the_images_are_loaded_as_a_collection():
    dataset = load(DataConfig(dataset="synthetic-2d"))
    parts = (dataset.training, dataset.validation, dataset.test)
    assert [part.signals.shape for part in parts] == [
        (2000, 1, 28, 28),
        (400, 1, 28, 28),
        (400, 1, 28, 28),
    ]
    assert dataset.rate is None
    assert (dataset.recipe.epochs, dataset.recipe.batch_size, dataset.recipe.tolerance) == (
        5,
        64,
        2,
    )
    images = synthetic_2d.images(2800).images
    np.testing.assert_array_equal(dataset.test.signals[-1, 0], images[-1].astype(np.float32))


def test_fewer_images_are_taken_in_proportion():
    dataset = load(DataConfig(dataset="synthetic-2d", limit=70))
    assert [len(part.signals) for part in (dataset.training, dataset.validation, dataset.test)] == [
        50,
        10,
        10,
    ]
    with pytest.raises(DatasetError, match=r"synthetic-2d has no use for window 28"):
        load(DataConfig(dataset="synthetic-2d", window=28))
