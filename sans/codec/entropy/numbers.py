"""Whole numbers as modelled bits: how many binary digits, then the digits."""

from __future__ import annotations

import numpy as np

from sans.codec.entropy.mixing import Mixer, code_mixed
from sans.codec.entropy.range_coder import HALF, Coder, code, code_plain
from sans.compilation.decorators import compiled, inlined

DIGITS = 40
"""The most binary digits of a number; a reader stops there, whatever it reads."""

EACH = 2 * DIGITS + 2
"""Slots of a context: of a number's digits, of its second digit by how many it has, of its sign."""


LENGTHS = np.array([value.bit_length() for value in range(256)])


@compiled
def code_number(coder: Coder, model: Mixer, contexts: tuple[int, int, int], value: int) -> int:
    """Code a whole number, mixing what three contexts expect.

    Args:
        coder: a writer or a reader.
        model: three inputs, one row of weights, and `EACH` slots for every context.
        contexts: three of them.
        value: below 2**DIGITS in magnitude; a reader does not look at it.
    """
    stream, registers = coder.stream, coder.registers
    slots, weights, chosen, logits = model.slots, model.weights, model.chosen, model.logits
    for i in range(3):
        chosen[i] = contexts[i] * EACH
    row = digits = 0
    size = abs(value)
    wanted = digits_of(size)
    while digits < DIGITS:
        more = 1 if wanted > digits else 0
        if not code_mixed(stream, registers, slots, weights, chosen, logits, row, digits, more):
            break
        digits += 1
    if digits == 0:
        return 0
    found = 1
    if digits > 1:
        second, slot = (size >> (digits - 2)) & 1, DIGITS + digits
        found = 2 + code_mixed(stream, registers, slots, weights, chosen, logits, row, slot, second)
        found = (found << (digits - 2)) | code_plain(coder, size, digits - 2)
    sign, slot = 1 if value < 0 else 0, 2 * DIGITS + 1
    negative = code_mixed(stream, registers, slots, weights, chosen, logits, row, slot, sign)
    return -found if negative else found


@compiled
def code_whole(coder: Coder, value: int) -> int:
    """Code a whole number from 0 to 2**DIGITS − 1 without a model: Elias' gamma code of it + 1."""
    wanted, digits = digits_of(value + 1), 1
    while digits < DIGITS and code(coder, int(wanted > digits), HALF):
        digits += 1
    return ((1 << (digits - 1)) | code_plain(coder, value + 1, digits - 1)) - 1


@inlined
def digits_of(value: int) -> int:
    """Return how many binary digits a number from 0 on has."""
    digits = 0
    while value > 255:
        value >>= 8
        digits += 8
    return digits + int(LENGTHS[value])
