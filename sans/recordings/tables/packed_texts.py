"""Texts that belong to a column and no number gives again, packed: one a line, without line feeds.

They are compressed as LZMA2 without a container; what a stream adds finds damage.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sans.errors import DatasetError

SAME = ""
"""A difference: a cell is just what its number is written as."""

FREE = 1 << 30
"""Bytes of text that may be unpacked whatever they are packed into."""

TIMES = 1000
"""And so many times those that they are packed into."""

_AROUND, _INSTEAD = "\0", "\1"
_HARMLESS = " \t\"'"
_LONGEST = 2**24
_PIECE = 2**20
_FILTERS: list[dict[str, Any]] = [
    {"id": lzma.FILTER_LZMA2, "dict_size": 2**23, "lc": 3, "lp": 0, "pb": 0}
]


class Pile:
    """Collects the texts of a column; meanwhile they are compressed a little."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(1)
        self._packed: list[bytes] = []

    def add(self, texts: Sequence[str]) -> None:
        """Append some texts."""
        content = "".join(text + "\n" for text in texts).encode()
        self._packed.append(self._packer.compress(content))

    def pack(self) -> bytes:
        """Return all texts.

        Raises:
            DatasetError: if they are so many and so alike that no reader would unpack them.
        """
        content = zlib.decompress(b"".join([*self._packed, self._packer.flush()]))
        packed = lzma.compress(content, lzma.FORMAT_RAW, filters=_FILTERS)
        if len(content) > _allowed(len(packed)):
            raise DatasetError(
                f"{len(content):,} bytes of text beside the numbers are more than a stream can hold"
            )
        return packed


def _allowed(packed: int) -> int:
    """Return how many bytes of text may come of so many packed ones."""
    return max(FREE, TIMES * packed)


class Allowance:
    """How much text may be unpacked: a few bytes that become many must not fill a disk.

    Args:
        packed: bytes of all that is unpacked.
    """

    def __init__(self, packed: int) -> None:
        self._most = self._left = _allowed(packed)

    def spend(self, size: int) -> None:
        """Count so many bytes of text.

        Raises:
            ValueError: if they are more than are left.
        """
        self._left -= size
        if self._left < 0:
            raise ValueError(f"packed texts take more than {self._most:,} bytes")


class Unpacked:
    """Gives the texts of a `Pile` again.

    Args:
        packed: the texts.
        allowance: how much all texts together may take; none: these have one of their own.

    Raises:
        ValueError: while it is read, if the bytes are not those of one, there are no more texts, or
            they take too much.
    """

    def __init__(self, packed: bytes, allowance: Allowance | None = None) -> None:
        self._texts = _unpack(packed, allowance or Allowance(len(packed)))

    def take(self, count: int) -> list[str]:
        """Return the next texts."""
        texts = list(islice(self._texts, count))
        if len(texts) < count:
            raise ValueError(f"{len(texts)} texts are left where {count} are wanted")
        return texts

    def rest(self) -> Iterator[str]:
        """Return all that are left."""
        return self._texts


def _unpack(packed: bytes, allowance: Allowance) -> Iterator[str]:
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    rest = b""
    while not unpacker.eof:
        try:
            piece = unpacker.decompress(packed, _PIECE)
        except lzma.LZMAError as error:
            raise ValueError(f"packed texts are damaged: {error}") from error
        if (not piece and unpacker.needs_input) or len(rest) > _LONGEST:
            raise ValueError("packed texts are damaged")
        packed = b""
        allowance.spend(len(piece))
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode()


def difference(given: str, written: str) -> str:
    """Return what makes a cell of what its number is written as."""
    if given == written:
        return SAME
    if written and written in given:
        before, _, behind = given.partition(written)
        return before + _AROUND + behind  # no text that is read has zero bytes
    return _INSTEAD + given


def without_number(text: str) -> str:
    """Return what counts of a difference where the number has changed: blanks and quotes around it.

    Raises:
        ValueError: if the text is no difference.
    """
    if text == SAME or text[0] == _INSTEAD:
        return SAME
    before, around, behind = text.partition(_AROUND)
    if not around:
        raise ValueError(f"no difference is like {text!r:.40}")
    before, behind = _harmless(before), _harmless(behind)
    return before + _AROUND + behind if before or behind else SAME


def restored(written: str, text: str, unchanged: bool) -> str:
    """Return a cell from a difference; of a number that has changed only blanks and quotes.

    Raises:
        ValueError: if the text is no difference.
    """
    if not unchanged:
        text = without_number(text)
    if text == SAME:
        return written
    if text[0] == _INSTEAD:
        return text[1:]
    before, around, behind = text.partition(_AROUND)
    if not around:
        raise ValueError(f"no difference is like {text!r:.40}")
    return before + written + behind


def _harmless(text: str) -> str:
    return "".join(each for each in text if each in _HARMLESS)
