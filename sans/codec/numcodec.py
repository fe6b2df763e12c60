"""The codec for numcodecs, and so for zarr: `zarr.create_array(…, compressors=SansCodec())`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_contiguous_ndarray, ensure_ndarray, ndarray_copy

from sans.codec.arrays import compress, decompress
from sans.codec.quality import as_number


class SansCodec(Codec):  # type: ignore[misc]
    """Chunks of arrays as .sans streams, without loss or with errors up to a bound.

    Args:
        max_error: no entry is off by more, a number of Python or numpy; none: nothing is lost.

    Raises:
        TypeError: if `max_error` is no number.
        ValueError: if it is not above 0.
    """

    codec_id = "sans"

    def __init__(self, max_error: float | None = None) -> None:
        self.max_error = as_bound(max_error)

    def encode(self, buf: Any) -> bytes:
        """Return an array, or anything with a buffer, as bytes; its entries as they lie in memory.

        That is in C order, but for an array in Fortran's, whose reader expects the same.
        """
        array = ensure_ndarray(buf)
        if array.dtype.kind in "bmM" or array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
            if self.max_error is not None:
                raise TypeError(f"a largest error wants numbers, not {array.dtype}")
            array = ensure_contiguous_ndarray(array).view(np.uint8)
        return compress(array.ravel(order="A"), max_error=self.max_error, learn=False)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Return the entries of the array that `encode` was given, ``(entries,)``.

        They are the same bytes, but for a bound on errors, where numbers were given, and have the
        type that they had.
        """
        most = None if out is None else max(1, ensure_ndarray(out).nbytes)
        array = decompress(memoryview(ensure_contiguous_ndarray(buf)), max_output=most)
        return array if out is None else ndarray_copy(array, out)

    def get_config(self) -> dict[str, Any]:
        """Return what `numcodecs.get_codec` makes an equal codec of."""
        return {"id": self.codec_id, "max_error": self.max_error}


def as_bound(max_error: Any) -> float | None:
    """Return a largest error as a number of Python, which JSON can hold; or None.

    Raises:
        TypeError: if it is no number.
        ValueError: if it is not above 0.
    """
    if max_error is None:
        return None
    bound = as_number("max_error", max_error)
    if not 0 < bound < float("inf"):
        raise ValueError(f"max_error must be above 0, not {bound:g}")
    return bound
