"""The codec for zarr's format 3: `zarr.create_array(…, serializer=SansSerializer())`.

For format 2, and for whatever else takes a codec of numcodecs, there is `sans.codec.numcodec`.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from zarr.abc.codec import ArrayBytesCodec

from sans.codec.arrays import decompress
from sans.codec.numcodec import SansCodec, as_bound

if TYPE_CHECKING:
    from zarr.core.array_spec import ArraySpec
    from zarr.core.buffer import Buffer, NDBuffer

NAME = "sans"


@dataclass(frozen=True)
class SansSerializer(ArrayBytesCodec):
    """Chunks of arrays as .sans streams, without loss or with errors up to a bound.

    Raises:
        TypeError: if `max_error` is no number.
        ValueError: if it is not above 0.
    """

    max_error: float | None = None
    """No entry is off by more; none: nothing is lost."""

    is_fixed_size = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_error", as_bound(self.max_error))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SansSerializer:
        """Return the codec that `to_dict` has described."""
        return cls(**data.get("configuration", {}))

    def to_dict(self) -> dict[str, Any]:
        """Return what zarr writes into the metadata of an array."""
        return {"name": NAME, "configuration": {"max_error": self.max_error}}

    def compute_encoded_size(self, input_byte_length: int, _spec: ArraySpec) -> int:
        """Refuse: the size of a stream is not known before it is written."""
        raise NotImplementedError

    async def _encode_single(self, chunk_array: NDBuffer, chunk_spec: ArraySpec) -> Buffer:
        array = chunk_array.as_numpy_array().ravel()  # in C order, whatever lies in memory
        data = await asyncio.to_thread(SansCodec(self.max_error).encode, array)
        return chunk_spec.prototype.buffer.from_bytes(data)

    async def _decode_single(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> NDBuffer:
        data, dtype = chunk_bytes.to_bytes(), chunk_spec.dtype.to_native_dtype()
        most = max(1, math.prod(chunk_spec.shape) * dtype.itemsize)
        entries = await asyncio.to_thread(decompress, data, max_output=most)
        array = _as_type(entries, dtype).reshape(chunk_spec.shape)
        return chunk_spec.prototype.nd_buffer.from_numpy_array(array)


def _as_type(entries: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return entries in the type of an array; streams may have them in another byte order."""
    if entries.dtype.newbyteorder("=") == dtype.newbyteorder("="):
        return entries.astype(dtype, copy=False)
    return entries.view(dtype)
