"""The codec in arrays of zarr: both formats, every type, byte order and order in memory."""

from __future__ import annotations

import numpy as np
import pytest

zarr = pytest.importorskip("zarr")

from sans.codec.numcodec import SansCodec  # noqa: E402 - zarr may be missing
from sans.codec.zarr_codec import SansSerializer  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

NUMBERS = np.random.default_rng(0).integers(-99, 100, 600).cumsum().reshape(30, 20)

TYPES = ["i1", "?", "<i2", ">i2", ">u4", "<i8", ">f2", ">f4", "<f8", ">c16"]

LYING = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "turned": lambda array: np.ascontiguousarray(array[::-1])[::-1],
    "apart": lambda array: np.repeat(array, 2, axis=1)[:, ::2],
}
"""How the entries of an array lie in memory."""

WAYS = {
    "format 2": lambda bound: {"zarr_format": 2, "compressors": SansCodec(bound)},
    "format 3": lambda bound: {"serializer": SansSerializer(bound), "compressors": None},
    "shards": lambda bound: {
        "serializer": SansSerializer(bound),
        "compressors": None,
        "shards": (30, 20),
    },
}


def stored(array, way, bound=None, chunks=(15, 10), **options):
    """Return an array of zarr in memory, and fill it."""
    created = zarr.create_array(
        zarr.storage.MemoryStore(),
        shape=array.shape,
        chunks=chunks,
        dtype=array.dtype,
        **{**WAYS[way](bound), **options},
    )
    created[...] = array
    return created


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_comes_back_in_every_order(dtype, way):
    array = NUMBERS.astype(dtype)
    for lie in LYING.values():
        for chunks in ((30, 20),) if lie is not np.ascontiguousarray else ((30, 20), (15, 20)):
            again = stored(lie(array), way, chunks=chunks)[...]
            assert again.dtype == array.dtype
            assert again.tobytes() == array.tobytes()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["<i2", ">f4"])
def test_no_entry_is_off_by_more_than_the_bound(dtype, way):
    array = NUMBERS.astype(dtype)
    for lie in LYING.values():
        again = stored(lie(array), way, bound=np.float32(2), chunks=(30, 20))[...]
        assert 0 < np.abs(again.astype(float) - array).max() <= 2


@pytest.mark.parametrize("shape", [(), (1,), (600,), (6, 10, 10), (2, 3, 10, 10)])
def test_arrays_have_any_number_of_axes(shape):
    array = np.resize(NUMBERS, shape).astype(">i2")
    for way in ("format 2", "format 3"):
        assert stored(array, way, chunks=shape)[...].tolist() == array.tolist()


def test_axes_may_be_transposed_before():
    array = NUMBERS.astype("<i2")
    turned = zarr.codecs.TransposeCodec(order=(1, 0))
    assert np.array_equal(stored(array, "format 3", filters=[turned])[...], array)
    with zarr.config.set({"array.order": "F"}):
        assert np.array_equal(stored(array, "format 3", chunks=(30, 20))[...], array)


def test_other_codecs_may_follow():
    array = NUMBERS.astype(">i2")
    for codec in (zarr.codecs.GzipCodec(), zarr.codecs.Crc32cCodec()):
        assert np.array_equal(stored(array, "format 3", compressors=codec)[...], array)


def test_the_metadata_of_an_array_tell_the_bound():
    bound = stored(NUMBERS, "format 3", bound=np.int16(3)).metadata.to_dict()["codecs"]
    assert bound == ({"name": "sans", "configuration": {"max_error": 3.0}},)
    again = SansSerializer.from_dict(SansSerializer(np.float32(0.5)).to_dict())
    assert again == SansSerializer(0.5)


def test_what_lies_in_the_other_byte_order_in_an_older_stream_has_the_same_values(monkeypatch):
    array = NUMBERS.astype(">i2")
    created = stored(array, "format 3")
    encode = SansCodec.encode
    with monkeypatch.context() as patch:  # streams did not tell the byte order
        patch.setattr(SansCodec, "encode", lambda self, given: encode(self, given.astype("<i2")))
        created[...] = array
    assert np.array_equal(created[...], array)


@pytest.mark.parametrize("bound", [0, -1.0, np.float32("nan"), np.inf])
def test_a_bound_that_is_none_is_refused(bound):
    with pytest.raises(ValueError, match="max_error must be above 0"):
        SansSerializer(bound)


@pytest.mark.parametrize("bound", [True, "0.5", [1.0], 1j])
def test_a_bound_that_is_no_number_is_refused(bound):
    for codec in (SansCodec, SansSerializer):
        with pytest.raises(TypeError, match="max_error must be a number above 0, not"):
            codec(bound)
