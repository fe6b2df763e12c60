"""Lossless codecs that a user would take instead, each at its strongest setting.

Every track is a stream of its own, in the smallest type that holds its whole numbers; FLAC also
gets up to 8 of one rate together, in case that is smaller. zstd, bzip2 and xz get the samples or
their differences, whichever take fewer bytes: of whole numbers only, since differences of others
round. A codec that is not installed is none.
"""

from __future__ import annotations

import bz2
import io
import lzma
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.bench.recorded import Recorded, smallest

Array = NDArray[Any]

FLAC_CHANNELS = 8
"""The most that a FLAC file has."""

FLAC_BITS = {8: ("PCM_S8", "int16", 8), 16: ("PCM_16", "int16", 0), 24: ("PCM_24", "int32", 8)}
"""Bits of a sample in a FLAC file: libsndfile's name, the type it wants, and how many more bits
that has."""

FLAC_RATE = 48_000
"""What every FLAC file says, since it cannot say 4 Hz or 0.5 MHz; it compresses all alike."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A lossless codec of arrays."""

    setting: str
    """How strong it is set, for the reader of a table."""

    module: str
    """What must be installed."""

    variants: Callable[[Recorded], Sequence[list[Array]]]
    """Return the ways to give it a recording, each some arrays; none: it cannot take it."""

    encode: Callable[[Array], bytes]
    """Return an array as bytes."""

    decode: Callable[[bytes, Array], Array]
    """Return the array; shape and type are those of the second, which is not read."""


def separate(recording: Recorded) -> list[list[Array]]:
    """Return every track in its smallest type."""
    return [[smallest(samples) for samples in recording.samples]]


def flac_ways(recording: Recorded) -> list[list[Array]]:
    """Return the tracks apart and, where FLAC can take that, together."""
    tracks = [smallest(samples) for samples in recording.samples]
    if recording.images or any(flac_bits(track) is None for track in tracks):
        return []
    ways = [tracks]
    if 1 < len(tracks) <= FLAC_CHANNELS and len({len(track) for track in tracks}) == 1:
        ways.append([np.stack(tracks, axis=1)])
    return ways


def flac_bits(samples: Array) -> int | None:
    """Return the bits of a FLAC file that holds whole numbers; None: no such file does."""
    if samples.dtype.kind == "f" or not samples.size:
        return None
    low, high = int(samples.min()), int(samples.max())
    for bits in FLAC_BITS:
        if -(1 << bits - 1) <= low and high < 1 << bits - 1:
            return bits
    return None


def encode_flac(samples: Array) -> bytes:
    """Return ``(samples,)`` or ``(samples, channels)`` as a FLAC file of the strongest setting."""
    import soundfile

    subtype, dtype, more = FLAC_BITS[flac_bits(samples) or 0]
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", FLAC_RATE, channels, subtype, format="FLAC", compression_level=1.0
    ) as sink:
        sink.write(samples.astype(dtype) << more)
    return file.getvalue()


def decode_flac(data: bytes, like: Array) -> Array:
    """Return the samples of a FLAC file."""
    import soundfile

    with soundfile.SoundFile(io.BytesIO(data)) as file:
        dtype, more = next(rest for name, *rest in FLAC_BITS.values() if name == file.subtype)
        found: Array = file.read(dtype=dtype) >> more
    return found.astype(like.dtype)


def encode_pcodec(samples: Array) -> bytes:
    """Return an array as a pcodec file of level 12."""
    from pcodec import ChunkConfig, standalone

    config = ChunkConfig(compression_level=12, enable_8_bit=True)
    return bytes(standalone.simple_compress(np.ascontiguousarray(samples), config))


def decode_pcodec(data: bytes, like: Array) -> Array:
    """Return the array of a pcodec file."""
    from pcodec import standalone

    found = standalone.simple_decompress(data)
    return like[:0] if found is None else np.asarray(found)


def encode_zstd(data: bytes) -> bytes:
    """Return bytes compressed by zstd at its last level, with a window as long as they are."""
    import zstandard

    settings = zstandard.ZstdCompressionParameters.from_level(22, source_size=len(data))
    return zstandard.ZstdCompressor(compression_params=settings).compress(data)


def decode_zstd(data: bytes) -> bytes:
    """Return what `encode_zstd` got."""
    import zstandard

    return zstandard.ZstdDecompressor().decompress(data, max_output_size=1 << 40)


def encode_xz(data: bytes) -> bytes:
    """Return bytes as an .xz file of `xz -9e`."""
    return lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)


def of_bytes(encode: Callable[[bytes], bytes]) -> Callable[[Array], bytes]:
    """Return a codec of arrays that gives one of bytes the samples or their differences."""

    def encode_array(samples: Array) -> bytes:
        raw = encode(samples.tobytes())
        if samples.dtype.kind == "f":
            return b"\0" + raw
        # They wrap around within the type, and so does their sum.
        differences = np.diff(samples, prepend=samples.dtype.type(0))
        return min(b"\0" + raw, b"\1" + encode(differences.tobytes()), key=len)

    return encode_array


def to_bytes(decode: Callable[[bytes], bytes]) -> Callable[[bytes, Array], Array]:
    """Return what undoes `of_bytes`."""

    def decode_array(data: bytes, like: Array) -> Array:
        found: Array = np.frombuffer(decode(data[1:]), like.dtype)
        return np.cumsum(found, dtype=like.dtype) if data[0] else found

    return decode_array


PEERS = {
    "pcodec": Peer("level 12", "pcodec", separate, encode_pcodec, decode_pcodec),
    "FLAC": Peer("level 8", "soundfile", flac_ways, encode_flac, decode_flac),
    "zstd": Peer(
        "level 22, samples or differences",
        "zstandard",
        separate,
        of_bytes(encode_zstd),
        to_bytes(decode_zstd),
    ),
    "bzip2": Peer(
        "-9, samples or differences",
        "bz2",
        separate,
        of_bytes(bz2.compress),
        to_bytes(bz2.decompress),
    ),
    "xz": Peer(
        "-9e, samples or differences",
        "lzma",
        separate,
        of_bytes(encode_xz),
        to_bytes(lzma.decompress),
    ),
}
"""Every peer by its name."""


def missing_peers() -> dict[str, str]:
    """Return the peers that are not installed, and the packages that have them."""
    return {name: peer.module for name, peer in PEERS.items() if not _is_there(peer.module)}


def present_peers() -> dict[str, Peer]:
    """Return the peers that are installed."""
    return {name: peer for name, peer in PEERS.items() if _is_there(peer.module)}


def _is_there(module: str) -> bool:
    return find_spec(module) is not None
