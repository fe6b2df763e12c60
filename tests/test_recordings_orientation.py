from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sans.codec.compression import Options
from sans.codec.files import compress_file, decompress_file
from sans.codec.planning import KernelOptions
from sans.codec.quality import LOSSLESS, Quality
from sans.datasets import DataConfig, load
from sans.errors import DatasetError
from sans.recordings import create_recording, open_recording
from sans.recordings.arrays.orientation import LAYOUTS, RANKS

NO_KERNELS = KernelOptions(learn=False)


def saved(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def read(source):
    blocks = list(source.blocks(5))
    return [np.concatenate(each) for each in zip(*blocks, strict=True)]


def meant(array, layout):
    """Return the samples of every channel, by what the words of a layout say."""
    match layout:
        case "samples-channels":
            return list(array.reshape(len(array), -1).T)
        case "channels-samples":
            return list(array)
        case "trials-channels-samples":
            return [array[:, channel].reshape(-1) for channel in range(array.shape[1])]
    return [array.reshape(-1)]


CASES = st.sampled_from(LAYOUTS).flatmap(
    lambda layout: st.tuples(
        st.just(layout),
        st.sampled_from(RANKS[layout]).flatmap(
            lambda rank: hnp.arrays(
                st.sampled_from(["i2", ">i4", "f4", ">f8", "?"]),
                st.tuples(*[st.integers(1, 9)] * rank),
            )
        ),
        st.sampled_from("CF"),
    )
)


@given(CASES)
@settings(max_examples=80)
def test_an_array_is_read_as_its_layout_says_and_comes_back(case):
    layout, array, order = case
    content = saved(np.asarray(array, order=order))
    source = open_recording(io.BytesIO(content), layout=layout)
    assert source.notices == ()
    found, expected = read(source), meant(array, layout)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    target = io.BytesIO()
    with create_recording(target, source.layout, unchanged=True) as sink:
        for part in open_recording(io.BytesIO(content), layout=layout).blocks(3):
            sink.write(part)
    assert target.getvalue() == content


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "quality", [LOSSLESS, Quality("max-error", 2.0)], ids=["lossless", "lossy"]
)
@pytest.mark.parametrize("order", "CF")
def test_an_array_passes_through_a_stream_in_its_own_shape(tmp_path, layout, quality, order):
    shape = (3, 40, 50) if RANKS[layout][-1] == 3 else (3, 300)
    shape = shape[::-1] if layout == "samples-channels" else shape
    array = np.cumsum(np.random.default_rng(0).integers(-9, 9, shape), axis=-1).astype(">i2")
    np.save(tmp_path / "a.npy", np.asarray(array, order=order))
    options = Options(quality, NO_KERNELS, layout=layout)
    compress_file(tmp_path / "a.npy", tmp_path / "a.sans", options)
    decompress_file(tmp_path / "a.sans", tmp_path / "b.npy")
    again = np.load(tmp_path / "b.npy")
    assert (again.shape, again.dtype) == (array.shape, array.dtype)
    assert np.abs(again.astype(int) - array).max() <= quality.value
    if quality == LOSSLESS:
        assert (tmp_path / "b.npy").read_bytes() == (tmp_path / "a.npy").read_bytes()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_layout_of_other_dimensions_is_refused(layout, rank):
    content = saved(np.zeros((6,) * rank))
    if rank in RANKS[layout]:
        open_recording(io.BytesIO(content), layout=layout)
        return
    with pytest.raises(DatasetError, match=rf"{rank} dimensions: .* wanted for --layout {layout}"):
        open_recording(io.BytesIO(content), layout=layout)


@pytest.mark.parametrize("layout", ["", "samples", "channels-samples "])
def test_an_unknown_layout_is_refused(tmp_path, layout):
    np.save(tmp_path / "a.npy", np.zeros((6, 6)))
    with pytest.raises(ValueError, match="a layout is one of samples-channels, channels-samples"):
        open_recording(tmp_path / "a.npy", layout=layout)
    with pytest.raises(ValueError, match="a layout is one of"):
        Options(layout=layout)
    with pytest.raises(DatasetError, match=r"no layout '.*': it is one of"):
        DataConfig(str(tmp_path / "a.npy"), layout=layout)


def test_what_is_no_array_has_no_layout(tmp_path):
    (tmp_path / "a.csv").write_text("1\n2\n")
    with pytest.raises(DatasetError, match=r"a.csv is no array: it has no use for --layout images"):
        open_recording(tmp_path / "a.csv", layout="images")
    (tmp_path / "x.hea").touch()
    with pytest.raises(DatasetError, match=r"x is no array: it has no use for --layout channels-s"):
        open_recording(tmp_path / "x", layout="channels-samples")


@pytest.mark.parametrize(
    ("shape", "dtype", "said"),
    [
        ((2, 20_000), "i2", "2 samples of 20,000 channels: if it is (channels, samples), say"),
        ((20_000, 2), "i2", ""),
        ((5, 5), "i2", ""),
        ((1, 5), "i2", "1 samples of 5 channels"),
        ((12, 2, 1000), "i2", "12 images of 2 × 1,000: if it is (trials, channels, samples), say"),
        ((12, 64, 200), "f8", "12 images of 64 × 200"),
        ((12, 28, 28), "f8", ""),
        ((12, 30, 20), "u1", ""),
        ((0, 5), "i2", ""),
    ],
)
def test_what_an_array_likely_means_is_named(shape, dtype, said):
    content = saved(np.zeros(shape, dtype))
    notices = open_recording(io.BytesIO(content)).notices
    assert len(notices) == bool(said)
    assert all(said in each and "--layout" in each for each in notices)


def test_more_channels_than_any_recording_has_are_named_and_what_to_type():
    content = saved(np.zeros((2, 100_000), "i2"))
    with pytest.raises(DatasetError, match=r"100,000 channels, .*: --layout channels-samples"):
        open_recording(io.BytesIO(content))
    source = open_recording(io.BytesIO(content), layout="channels-samples")
    assert (len(source.layout.tracks), source.layout.frames) == (2, 100_000)


def windows_of(dataset):
    parts = (dataset.training, dataset.validation, dataset.test)
    return np.concatenate([part.signals for part in parts])[:, 0]


def standardised(windows):
    centred = windows - windows.mean(axis=1, keepdims=True)
    return centred / windows.std(axis=1, ddof=1, keepdims=True)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_channels_in_rows_are_learned_from(tmp_path, suffix):
    array = np.random.default_rng(0).normal(size=(2, 1500))
    path = tmp_path / f"x{suffix}"
    np.save(path, array) if suffix == ".npy" else np.savez(path, array)
    config = DataConfig(str(path), channel="1", window=100, layout="channels-samples")
    expected = standardised(array[1].reshape(15, 100))
    np.testing.assert_allclose(windows_of(load(config)), expected, rtol=1e-5, atol=1e-5)


def test_no_window_crosses_from_one_trial_into_the_next(tmp_path):
    array = np.random.default_rng(0).normal(size=(7, 2, 250))
    np.save(tmp_path / "x.npy", array)
    options = {"channel": "1", "layout": "trials-channels-samples"}
    dataset = load(DataConfig(str(tmp_path / "x.npy"), window=100, **options))
    expected = standardised(array[:, 1, :200].reshape(14, 100))
    np.testing.assert_allclose(windows_of(dataset), expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(DatasetError, match="trials of 250 samples, shorter than a window of 251"):
        load(DataConfig(str(tmp_path / "x.npy"), window=251, **options))


def test_trials_are_not_learned_from_as_images_without_a_word(tmp_path):
    array = np.random.default_rng(0).normal(size=(12, 2, 1000))
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DatasetError, match=r"--layout trials-channels-samples; .* --layout images"):
        load(DataConfig(str(tmp_path / "x.npy")))
    assert load(DataConfig(str(tmp_path / "x.npy"), layout="images")).training.signals.ndim == 4
