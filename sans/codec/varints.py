"""Byte strings one behind the other, and the numbers between them."""

from __future__ import annotations

from collections.abc import Sequence

from sans.errors import BitstreamError


def pack_parts(parts: Sequence[bytes]) -> bytes:
    """Return byte strings as one: the size of each in groups of seven bits, and then the string."""
    return b"".join(varint(len(part)) + part for part in parts)


def unpack_parts(data: bytes, most: int) -> list[bytes]:
    """Return the byte strings of `pack_parts`.

    Args:
        data: all of them.
        most: how many there may be.

    Raises:
        BitstreamError: if the sizes do not add up, or there are more.
    """
    parts, place = list[bytes](), 0
    while place < len(data):
        size, place = read_varint(data, place)
        if place + size > len(data):
            raise BitstreamError(f"damaged: a part of {size} bytes where {len(data) - place} are")
        if len(parts) == most:
            raise BitstreamError(f"damaged: more than the {most} parts that belong to a chunk")
        parts.append(data[place : place + size])
        place += size
    if not parts:
        raise BitstreamError("damaged: a chunk without parts")
    return parts


def varint(value: int) -> bytes:
    """Return a number from 0 on in groups of seven bits, the lowest first."""
    groups = []
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])


def read_varint(data: bytes, place: int) -> tuple[int, int]:
    """Return the number of `varint` that begins at a place, and the place behind it."""
    value = shift = 0
    while place < len(data) and shift < 63:
        value |= (data[place] & 127) << shift
        shift, place = shift + 7, place + 1
        if data[place - 1] < 128:
            return value, place
    raise BitstreamError("damaged: a number without an end")
