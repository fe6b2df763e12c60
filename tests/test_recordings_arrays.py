from __future__ import annotations

import gzip
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sans.errors import DatasetError
from sans.recordings import create_recording, open_recording


def saved(array, version=None, allow_pickle=False):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version, allow_pickle)
    return file.getvalue()


def restore(source, block=7):
    file = io.BytesIO()
    with create_recording(file, source.layout) as sink:
        for part in source.blocks(block):
            sink.write(part)
    return file.getvalue()


dtypes = st.sampled_from(
    ["i1", "u1", "<i2", ">i2", "<u4", ">i4", "<i8", ">u8", "<f2", ">f4", "<f8"]
)


@st.composite
def arrays(draw):
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5))
    array = draw(hnp.arrays(draw(dtypes), (draw(st.integers(0, 5)), *shape[1:])))
    return np.asarray(array, order=draw(st.sampled_from("CF")))


@given(arrays(), st.integers(1, 6), st.booleans(), st.sampled_from([(1, 0), (2, 0)]))
def test_an_array_is_restored_to_the_byte(tmp_path_factory, array, block, piped, version):
    content = saved(array, version)
    source = io.BytesIO(content)
    if not piped:
        source = tmp_path_factory.mktemp("npy") / "a.npy"
        source.write_bytes(content)
    assert restore(open_recording(source), block) == content


@given(arrays(), st.integers(1, 6))
def test_the_blocks_hold_the_samples_of_the_tracks(array, block):
    source = open_recording(io.BytesIO(saved(array)))
    layout = source.layout
    assert (layout.format, layout.shape, layout.frames) == ("npy", array.shape, len(array))
    parts = list(source.blocks(block))
    assert all(a.dtype == t.dtype for p in parts for a, t in zip(p, layout.tracks, strict=True))
    if array.ndim < 3:
        rows = [np.stack(part, axis=1) for part in parts]
        expected = array.reshape(len(array), math.prod(array.shape[1:]))
    else:
        rows = [part[0].reshape(-1, *array.shape[1:]) for part in parts]
        expected = array
        assert layout.tracks[0].per_frame == array[:1].size or not len(array)
    found = np.concatenate(rows) if rows else expected[:0]
    np.testing.assert_array_equal(found, expected)


def test_a_track_is_native_whatever_the_order_of_the_file():
    source = open_recording(io.BytesIO(saved(np.array([1, 256], ">i2"))))
    (track,) = source.layout.tracks
    assert (track.dtype, track.bits, track.rate, track.per_frame) == ("<i2", 16, 0.0, 1)
    (array,) = next(source.blocks(5))
    assert array.tolist() == [1, 256]


@pytest.mark.parametrize("order", ["C", "F"])
def test_compressed_files_are_read_and_written_and_nan_is_a_float(order, tmp_path):
    array = np.array([[np.nan, 1, np.inf], [-0.0, 2, 3]], order=order)
    (tmp_path / "a.npy.gz").write_bytes(gzip.compress(saved(array)))
    source = open_recording(tmp_path / "a.npy.gz")
    for _ in range(2):  # a file can be read again
        with create_recording(tmp_path / "b.npy.gz", source.layout) as sink:
            for part in source.blocks(1):
                sink.write(part)
    assert gzip.decompress((tmp_path / "b.npy.gz").read_bytes()) == saved(array)


def test_a_pipe_can_be_read_once():
    source = open_recording(io.BytesIO(saved(np.arange(3))))
    list(source.blocks(2))
    with pytest.raises(ValueError, match="is a pipe: it can be read only once"):
        list(source.blocks(2))


def test_bytes_after_the_array_are_kept(tmp_path):
    content = saved(np.arange(3)) + b"tail"
    (tmp_path / "a.npy").write_bytes(content)
    assert restore(open_recording(tmp_path / "a.npy")) == content
    with pytest.raises(DatasetError, match="goes on after the 152 bytes"):
        restore(open_recording(io.BytesIO(content)))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([1j]), "holds complex128: integers or floats of 8 to 64 bits are wanted"),
        (np.array(["a"]), "holds str32"),
        (np.array([1], np.longdouble), "holds float128|longdouble"),
        (np.zeros(2, [("a", "i4"), ("b", "f8")]), "holds void96"),
        (np.array(3), r"has the shape \(\)"),
        (np.zeros((1, 2, 3, 4)), r"has the shape \(1, 2, 3, 4\)"),
        (
            np.zeros((0, 100_000)),
            "has 100,000 channels, at most 65,536 .* --layout channels-samples",
        ),
        (np.zeros((3, 0)), r"has the shape \(3, 0\)"),
    ],
)
def test_what_is_no_array_of_samples_is_refused(array, message):
    with pytest.raises(DatasetError, match=message) as caught:
        open_recording(io.BytesIO(saved(array)))
    assert "\n" not in str(caught.value)


def test_objects_are_refused_and_not_loaded():
    content = saved(np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match="holds Python objects"):
        open_recording(io.BytesIO(content))


GOOD = saved(np.arange(4, dtype="<i2"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.npy is empty"),
        (b"garbage of bytes", "not a .npy file: it begins with b'garbage '"),
        (GOOD[:7], "not a .npy file"),
        (GOOD[:20], "its header has 10 bytes, not 118"),
        (GOOD[:-1], "135 bytes, not the 136 that its header describes"),
        (GOOD.replace(b"'<i2'", b"'<q2'"), "is damaged: "),
        (GOOD.replace(b"(4,)", b"(4,("), "is damaged: "),
        (GOOD.replace(b"(4,), } ", b"(-4,), }"), r"has the shape \(-4,\)"),
        (GOOD[:6] + b"\x03" + GOOD[7:], "has .npy version 3: this reader knows 1 and 2"),
        (gzip.compress(GOOD, mtime=0)[:-12], "is damaged: "),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(content, message, tmp_path):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        list(open_recording(tmp_path / "a.npy").blocks(9))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_pipe_that_is_cut_short_is_refused(order):
    content = saved(np.zeros((3, 2), order=order))[:-1]
    with pytest.raises(DatasetError, match="standard input is damaged: 175 bytes, not the 176"):
        list(open_recording(io.BytesIO(content)).blocks(9))


def test_mnist_is_restored_to_the_byte(shared_data, tmp_path):
    path = shared_data("MNIST", "raw", "t10k-images-idx3-ubyte.gz")
    source = open_recording(path)
    (track,) = source.layout.tracks
    assert (source.layout.format, source.layout.shape) == ("idx", (10_000, 28, 28))
    assert (track.dtype, track.bits, track.per_frame) == ("u1", 8, 784)
    plain = gzip.decompress(path.read_bytes())
    assert restore(source, 999) == plain
    with create_recording(tmp_path / "a-idx3-ubyte.gz", source.layout) as sink:
        for part in source.blocks(4000):
            sink.write(part)
    assert gzip.decompress((tmp_path / "a-idx3-ubyte.gz").read_bytes()) == plain


def test_labels_are_a_track(shared_data):
    source = open_recording(shared_data("MNIST", "raw", "t10k-labels-idx1-ubyte.gz"))
    assert source.layout.shape == (10_000,)
    assert next(source.blocks(5))[0].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\x08\x03\0\0", "its header is cut short"),
        (b"\0\0\x08\x01\0\0\0\x05abcd", "12 bytes, not the 13 that its header describes"),
        (b"\0\0\x07\x01\0\0\0\x05abcd", "not an IDX file of 1 to 3 dimensions: .* 00 00 07 01"),
        (b"\0\0\x08\x02\0\0\0\x05\0\0\0\0", r"has the shape \(5, 0\)"),
    ],
)
def test_a_damaged_idx_file_is_refused(content, message, tmp_path):
    (tmp_path / "a-idx1-ubyte").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        open_recording(tmp_path / "a-idx1-ubyte")


def test_a_type_under_a_name_of_former_days_is_refused_without_a_warning(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(3, "S2"))
    path.write_bytes(path.read_bytes().replace(b"'|S2'", b"'|a2'"))
    with pytest.raises(DatasetError, match="integers or floats of 8 to 64 bits are wanted"):
        open_recording(path)
