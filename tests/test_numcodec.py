"""The codec for numcodecs and zarr."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import numcodecs
import numcodecs.registry
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sans.codec.arrays import compress
from sans.codec.numcodec import SansCodec
from sans.errors import BitstreamError

ARRAY = np.random.default_rng(0).integers(-9, 10, 600).cumsum().astype("<i2")


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Make numcodecs know the codec, whatever version of the package is installed."""
    monkeypatch.setitem(numcodecs.registry.codec_registry, "sans", SansCodec)


def test_the_package_tells_numcodecs_where_the_codec_is():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    place = project["entry-points"]["numcodecs.codecs"][SansCodec.codec_id]
    assert EntryPoint(SansCodec.codec_id, place, "numcodecs.codecs").load() is SansCodec


def test_the_codec_is_found_by_its_name():
    assert isinstance(numcodecs.get_codec({"id": "sans"}), SansCodec)
    assert numcodecs.get_codec({"id": "sans", "max_error": 2.5}).max_error == 2.5


@pytest.mark.parametrize("codec", [SansCodec(), SansCodec(3.0)], ids=repr)
def test_a_configuration_makes_an_equal_codec(codec):
    again = numcodecs.get_codec(codec.get_config())
    assert again == codec
    assert again.encode(ARRAY) == codec.encode(ARRAY)


def test_entries_come_back():
    codec = SansCodec()
    for array in (ARRAY, ARRAY.reshape(20, 30), ARRAY.astype(">i4"), ARRAY / 7, ARRAY[:0]):
        again = codec.decode(codec.encode(array))
        assert np.array_equal(again, array.ravel())


TYPES = st.one_of(
    *(hnp.integer_dtypes(endianness=order, sizes=(8, 16, 32, 64)) for order in "<>"),
    *(hnp.unsigned_integer_dtypes(endianness=order, sizes=(8, 16, 32, 64)) for order in "<>"),
    *(hnp.floating_dtypes(endianness=order, sizes=(16, 32, 64)) for order in "<>"),
    st.sampled_from(["?", ">c8", "<M8[ns]", ">m8[s]", "S3", ">U2", "V5", "<i2,>f8"]).map(np.dtype),
)


@settings(max_examples=60)
@given(st.data())
def test_the_bytes_of_any_array_come_back_as_they_lie_in_memory(data):
    dtype = data.draw(TYPES)
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=9))
    content = data.draw(hnp.arrays(np.uint8, (*shape, dtype.itemsize)))
    array = content.reshape(-1).view(dtype).reshape(shape, order=data.draw(st.sampled_from("CF")))
    codec = SansCodec()
    stream, lie = codec.encode(array), array.tobytes(order="A")
    assert np.ascontiguousarray(codec.decode(stream)).tobytes() == lie
    out = np.empty_like(array)
    codec.decode(stream, out)
    assert out.tobytes(order="A") == lie
    room = np.empty(array.nbytes, np.uint8)
    codec.decode(stream, room)
    assert room.tobytes() == lie


def test_entries_of_an_array_in_the_order_of_fortran_keep_it():
    array = np.asfortranarray(ARRAY.reshape(20, 30))
    again = SansCodec().decode(SansCodec().encode(array))
    assert np.array_equal(again.reshape(20, 30, order="F"), array)


def test_anything_with_a_buffer_comes_back_as_bytes():
    codec = SansCodec()
    for content in (b"text", bytearray(b"more text"), np.array([True, False]), np.array([1 + 2j])):
        assert codec.decode(codec.encode(content)).tobytes() == bytes(memoryview(content))


def test_entries_are_decoded_into_a_given_array():
    codec, out = SansCodec(), np.empty_like(ARRAY)
    codec.decode(codec.encode(ARRAY), out)
    assert np.array_equal(out, ARRAY)


def test_no_entry_is_off_by_more_than_the_bound():
    for array, bound in ((ARRAY, 4), (ARRAY / 7, 0.02), ((ARRAY / 7).astype("<f4"), 0.02)):
        codec = SansCodec(bound)
        again = codec.decode(codec.encode(array))
        assert 0 < np.abs(again.astype(float) - array).max() <= bound
        assert len(codec.encode(array)) < len(SansCodec().encode(array))


def test_a_bound_that_is_none_is_refused():
    for bound in (0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="max_error must be above 0"):
            SansCodec(bound)


@pytest.mark.parametrize("array", [np.array([True]), np.array([1j]), np.array(["2026"], "M8[s]")])
def test_a_bound_wants_numbers(array):
    with pytest.raises(TypeError, match="a largest error wants numbers"):
        SansCodec(1.0).encode(array)


def test_bytes_that_are_no_stream_are_refused():
    with pytest.raises(BitstreamError):
        SansCodec().decode(b"SANS")


def test_a_stream_of_the_package_is_read():
    assert np.array_equal(SansCodec().decode(compress(ARRAY)), ARRAY)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("bound", [None, 3.0])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_zarr_comes_back(tmp_path, bound, order):
    zarr = pytest.importorskip("zarr")
    stored = zarr.create_array(
        tmp_path / "x", shape=(30, 20), chunks=(16, 8), dtype="i2", zarr_format=2, order=order,
        compressors=SansCodec(bound),
    )  # fmt: skip
    stored[:] = ARRAY.reshape(30, 20)
    again = zarr.open_array(tmp_path / "x", mode="r")[:]
    assert np.abs(again.astype(int) - ARRAY.reshape(30, 20)).max() <= (bound or 0)
