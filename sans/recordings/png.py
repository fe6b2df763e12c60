"""PNG files: grey images of 8 or 16 bits, one or a stack of the same size.

What a file is restored to has the same pixels, and the same further chunks (texts, resolution,
the further frames of an animation, ...) before them and behind them; the compressed bytes of the
pixels are of another encoder.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError, SansError
from sans.files import staged, written_whole
from sans.files.paths import file_name, unreadable
from sans.recordings.layout import (
    Block,
    Layout,
    Sink,
    Source,
    Track,
    check_block,
    check_written,
    count_frames,
)
from sans.recordings.streams import Input, written

MAGIC = b"\x89PNG\r\n\x1a\n"
SUFFIX = ".png"

_IHDR = struct.Struct(">I4sIIBB")  # length and type of the first chunk; width, height, bits, colour
_IHDR_CHUNK = 25  # bytes
_AROUND = 12  # bytes of a chunk besides its data
_END = b"\0\0\0\0IEND" + zlib.crc32(b"IEND").to_bytes(4)
_GREY = 0
_COLOURS = {2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}


def open_image(source: Input) -> Source:
    """Open one PNG file, or a pipe with one.

    Raises:
        DatasetError: if it is damaged, or not grey of 8 or 16 bits.
    """
    with source.open() as stream:
        content = b"".join(iter(lambda: stream.read(2**20), b""))
    _check_header(content, source.name)
    kept = _around_pixels(content, source.name, 0)
    image = _decode(content, source.name)
    layout = _layout([image.shape], image.dtype, kept)

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        check_block(count)
        yield [image.reshape(-1)]

    return Source(layout, blocks)


def open_images(paths: Sequence[Path]) -> Source:
    """Open PNG files of one size as one stack, in their order.

    Raises:
        DatasetError: if there is none, two have one name, or one is damaged or unlike the first.
    """
    if not paths:
        raise DatasetError("a stack of images has 1 or more PNG files, not 0")
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        raise DatasetError(f"{len(names) - len(set(names))} of the PNG files have a name twice")
    attachments = {"names": json.dumps(names).encode()}
    shapes, first = [], None
    for i, path in enumerate(paths):
        content = _read(path)
        kind = _check_header(content, str(path))
        first = first or kind
        if kind != first:
            raise DatasetError(
                f"{path} has {_describe(kind)}: {_describe(first)} as in {paths[0].name} are wanted"
            )
        shapes.append(kind[:2])
        attachments |= _around_pixels(content, str(path), i)
    layout = _layout(shapes, np.dtype(f"u{kind[2] // 8}"), attachments)

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        check_block(count)
        for start in range(0, len(paths), count):
            images = [_decode(_read(path), str(path)) for path in paths[start : start + count]]
            yield [np.stack(images).reshape(-1)]

    return Source(layout, blocks)


@contextmanager
def write_images(target: Path | BinaryIO, layout: Layout) -> Iterator[Sink]:
    """Write one PNG file, or a stack to a new folder.

    Raises:
        SansError: if it cannot be written, or the folder is there and not empty.
    """
    names = json.loads(layout.attachments.get("names", b"null"))
    if names is None:
        with written(target) as file:
            sink = _ImageSink(layout, file.write)
            yield sink
            check_written(layout, sink.frames)
        return
    if not isinstance(target, Path):
        raise SansError(f"{len(names)} images are no single file: they cannot go to a pipe")
    left = [target / name for name in _file_names(names)]
    with staged(target) as folder:

        def put(content: bytes) -> None:
            with written_whole(left.pop(0), within=folder) as file:
                file.write(content)

        sink = _ImageSink(layout, put)
        yield sink
        check_written(layout, sink.frames)
        folder.rename(target)


class _ImageSink:
    def __init__(self, layout: Layout, put: Callable[[bytes], object]) -> None:
        self.frames = 0
        self._layout, self._put = layout, put

    def write(self, block: Block) -> None:
        frames = count_frames(self._layout, block)
        kept = self._layout.attachments
        for image in block[0].reshape(frames, *self._layout.shape[1:]):
            chunks, end = (
                kept.get(f"chunks {self.frames}", b""),
                kept.get(f"end {self.frames}", _END),
            )
            self._put(_encode(image, chunks, end))
            self.frames += 1


def _layout(
    shapes: Sequence[tuple[int, ...]], dtype: np.dtype[Any], attachments: dict[str, bytes]
) -> Layout:
    height, width = shapes[0]
    bits = 8 * dtype.itemsize
    stored = dtype.newbyteorder("<").str.lstrip("|")
    track = Track("", "", 1.0, 0.0, bits, stored, height * width)
    shape = (len(shapes), height, width)
    return Layout("png", (track,), len(shapes), shape, {k: v for k, v in attachments.items() if v})


def _check_header(content: bytes, name: str) -> tuple[int, int, int]:
    """Return height, width and bits of a PNG file.

    Raises:
        DatasetError: if it is none, or not grey of 8 or 16 bits.
    """
    start = content[len(MAGIC) :][: _IHDR.size]
    if not content.startswith(MAGIC) or len(start) < _IHDR.size:
        raise DatasetError(f"{name} is not a PNG file: it begins with {content[:8]!r}")
    _, _, width, height, bits, colour = _IHDR.unpack(start)
    if colour != _GREY or bits not in (8, 16):
        found = "grey" if colour == _GREY else _COLOURS.get(colour, f"colour type {colour}")
        raise DatasetError(f"{name} is {found} of {bits} bits: grey of 8 or 16 bits is wanted")
    return height, width, bits


def _describe(kind: tuple[int, int, int]) -> str:
    return f"{kind[1]} x {kind[0]} pixels of {kind[2]} bits"


def _decode(content: bytes, name: str) -> NDArray[Any]:
    from PIL import Image

    height, width, bits = _check_header(content, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a large image is no bomb here: its user chose it
            image = np.asarray(Image.open(io.BytesIO(content)))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{name} is damaged: {error}") from error
    if image.shape != (height, width):
        raise DatasetError(f"{name} is damaged: {image.shape} pixels, not {(height, width)}")
    return image.astype(f"<u{bits // 8}")


def _encode(image: NDArray[Any], chunks: bytes, end: bytes) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    content = file.getvalue()
    body = len(MAGIC) + _IHDR_CHUNK
    return content[:body] + chunks + content[body : -len(_END)] + end


def _around_pixels(content: bytes, name: str, image: int) -> dict[str, bytes]:
    """Return what a file has besides its header and pixels, as attachments.

    They are the chunks before the pixels, and all behind them, from the end of the file on that of
    no decoder; without the latter where it is only the end.

    Raises:
        DatasetError: if a chunk is cut short or has another checksum than it says.
    """
    before: list[bytes] = []
    behind: list[bytes] = []
    position, seen = len(MAGIC), False
    for kind, chunk in _chunks(content, name):
        position += len(chunk)
        seen = seen or kind == b"IDAT"
        if kind not in (b"IHDR", b"IDAT"):
            (behind if seen else before).append(chunk)
    kept = {f"chunks {image}": b"".join(before)}
    end = b"".join((*behind, content[position:]))
    return kept if end == _END else kept | {f"end {image}": end}


def _chunks(content: bytes, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield every chunk up to the end of a PNG file: its type, and all of its bytes.

    Raises:
        DatasetError: if a chunk is cut short or has another checksum than it says.
    """
    position, kind = len(MAGIC), b""
    while kind != b"IEND":
        chunk = content[position : position + 8]
        if len(chunk) == 8:
            length, kind = struct.unpack(">I4s", chunk)
            chunk = content[position : position + length + _AROUND]
        if len(chunk) < _AROUND or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
            raise DatasetError(f"{name} is damaged in the chunk at byte {position:,}")
        yield kind, chunk
        position += len(chunk)


def _file_names(names: Sequence[str]) -> list[str]:
    """Return the names of PNG files in a folder, as `file_name` has them.

    Raises:
        DatasetError: if one is no such name, or two become the same.
    """
    found = [file_name(name) for name in names]
    if wrong := next((name for name in found if not name.lower().endswith(SUFFIX)), None):
        raise DatasetError(f"{wrong!r} is no name of a PNG file in a folder")
    if twice := next((name for name, count in Counter(found).items() if count > 1), None):
        raise DatasetError(f"two images would both be called {twice}")
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
