"""Arrays as bytes: the codec without files.

from sans import compress, decompress

data = compress(array, prdn=9)
again = decompress(data)
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sans.codec.compression import Options, compress_recording
from sans.codec.decompression import Chunk, read_chunks
from sans.codec.description.learning import unit_kernels
from sans.codec.planning import KernelOptions
from sans.codec.quality import LOSSLESS, as_number, asked
from sans.codec.starts import Start
from sans.errors import BitstreamError, DatasetError
from sans.recordings.arrays import npy
from sans.recordings.layout import Layout, Source, Track

Array = NDArray[Any]


def compress(
    array: ArrayLike,
    *,
    max_error: float | None = None,
    prdn: float | None = None,
    bits: float | None = None,
    kernels: Sequence[ArrayLike] | None = None,
    learn: bool = True,
    rate: float = 0.0,
    threads: int = 1,
) -> bytes:
    """Return an array as the bytes of a .sans stream, without loss unless some is allowed.

    Args:
        array: ``(samples,)``, ``(samples, channels)`` or ``(images, height, width)``; integers or
            floating-point numbers of 8 to 64 bits.
        max_error: no sample is off by more.
        prdn: 100 ‖x − x̂‖ / ‖x − mean x‖ of each channel, in per cent, is at most this.
        bits: the stream takes at most about so many bits a sample.
        kernels: ``(size,)`` each: what signals are described by; the default is to learn them.
        learn: whether kernels may be learned from the array, where loss is allowed.
        rate: samples per second, if known.
        threads: how many share the work.

    Raises:
        TypeError: if a loss or the rate is no number, of Python or of numpy.
        ValueError: if the array is of another shape or type, more than one loss is asked for, or
            an option is no possible one.
        DatasetError: if a PRDN or bits are asked for and the array holds infinities.

    Examples:
        >>> import numpy as np
        >>> import sans
        >>> signal = np.round(100 * np.sin(np.arange(10_000) / 30)).astype(np.int16)
        >>> exact, close = sans.compress(signal), sans.compress(signal, max_error=1)
        >>> len(close) < len(exact) < signal.nbytes // 20
        True
        >>> int(np.abs(sans.decompress(close) - signal).max())
        1
    """
    if np.ma.is_masked(array):
        raise ValueError("entries of a masked array are missing: fill them first, as with NaN")
    chosen = asked(max_error=max_error, prdn=prdn, bits=bits)
    if len(chosen) > 1:
        raise ValueError(f"one of max_error, prdn and bits, not {len(chosen)} of them")
    given = None if kernels is None else unit_kernels([np.asarray(kernel) for kernel in kernels])
    kernel_options = KernelOptions(learn=learn, given=given)
    options = Options(chosen[0] if chosen else LOSSLESS, kernel_options, threads=threads)
    file = io.BytesIO()
    compress_recording(as_recording(np.asarray(array), rate), file, options)
    return file.getvalue()


def decompress(data: bytes | bytearray | memoryview, *, max_output: int | None = None) -> Array:
    """Return the array of a .sans stream: what `compress` was given, or what is left of it.

    It has the byte order of what was given. A recording of several signals of one type and rate
    becomes ``(samples, signals)``.

    Args:
        data: the stream.
        max_output: bytes of the array, at most; the default is the larger of 1 GiB and 1,000 times
            the stream.

    Raises:
        BitstreamError: if the bytes are no stream, or damaged, or hold signals that no array can,
            or an array that is too large.
        ValueError: if `max_output` is below 1.

    Examples:
        >>> import numpy as np
        >>> import sans
        >>> again = sans.decompress(sans.compress(np.arange(6, dtype=np.int16).reshape(3, 2)))
        >>> again.tolist(), again.dtype.name
        ([[0, 1], [2, 3], [4, 5]], 'int16')
    """
    parts = read_chunks(io.BytesIO(data), max_output=max_output)
    start = next(parts)
    assert isinstance(start, Start)
    layout = start.header.layout
    if len({(track.dtype, track.per_frame) for track in layout.tracks}) > 1:
        raise BitstreamError(
            "signals of several types or rates are no array: use `sans decompress`"
        )
    blocks = [part.samples for part in parts if isinstance(part, Chunk)]
    empty = np.empty(0, layout.tracks[0].dtype)
    columns = [
        np.concatenate([empty, *(block[i] for block in blocks)]) for i in range(len(layout.tracks))
    ]
    array = columns[0] if len(columns) == 1 else np.stack(columns, axis=1)
    array = array.astype(_type_of(layout), copy=False)
    return array.reshape(layout.shape) if layout.shape else array


def _type_of(layout: Layout) -> np.dtype[Any]:
    """Return the type of the samples of all tracks, in the byte order that the array had."""
    dtype = np.dtype(layout.tracks[0].dtype)
    if layout.format != "npy":
        return dtype
    with suppress(DatasetError):  # a header that is damaged tells nothing
        given = npy.parse(layout.attachments.get("header", b""), "the array").dtype
        if given.newbyteorder("<") == dtype or (given.kind == "b" and dtype == np.uint8):
            return given
    return dtype


def as_recording(array: Array, rate: float = 0.0) -> Source:
    """Return an array as a recording, as if it were read from a .npy file.

    Args:
        array: ``(samples,)``, ``(samples, channels)`` or ``(images, height, width)``.
        rate: samples per second; 0: unknown.

    Raises:
        TypeError: if the rate is no number.
        ValueError: if it is of another shape or type, or the rate is none.
    """
    rate = as_number("rate", rate)
    if not (math.isfinite(rate) and rate >= 0):
        raise ValueError(f"a rate is a number of samples per second from 0 up, not {rate:g}")
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise ValueError(f"integers or floats of 8 to 64 bits are wanted, not {array.dtype}")
    if array.ndim not in (1, 2, 3) or 0 in array.shape[1:]:
        raise ValueError(
            "(samples,), (samples, channels) or (images, height, width) is wanted, not "
            f"{array.shape}"
        )
    given = array.dtype
    array = array.astype(given.newbyteorder("<"), copy=False)
    images = array.ndim == 3
    rows = array.reshape(len(array), math.prod(array.shape[1:]))
    per_frame = rows.shape[1] if images else 1
    dtype, bits = array.dtype.str.lstrip("|"), 8 * array.dtype.itemsize
    track = Track("", "", 1.0, 0.0, bits, dtype, per_frame, rate)
    tracks = (track,) if images or array.ndim == 1 else (track,) * rows.shape[1]
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": given.str, "fortran_order": False, "shape": array.shape}
    )
    layout = Layout("npy", tracks, len(array), array.shape, {"header": header.getvalue()})

    def blocks(frames: int) -> Iterator[list[Array]]:
        for begin in range(0, len(rows), frames):
            block = rows[begin : begin + frames]
            if images:
                yield [np.ascontiguousarray(block).ravel()]
            else:
                yield [np.ascontiguousarray(block[:, i]) for i in range(block.shape[1])]

    return Source(layout, blocks)
