"""Stacks of grey images, coded pixel by pixel with contexts from the pixels around.

Up to 256 levels, a pixel is coded as it is: whether it is zero, then its eight bits from the top.
With more, a linear prediction that learns is subtracted first, and what is left is coded as a
sign with a magnitude: its exponent, the two bits below it, and the rest as it is. Every bit mixes
the predictions of many contexts, as in PAQ's models of images ([Mahoney], see
`sans.codec.entropy.mixing`): hashes of neighbours at several resolutions, of gradients, of the
place in the image and of the image itself, since the grey levels of one image repeat. All is
integer arithmetic. Images that this would make larger than plain digits of their range are stored
as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.mixing import CHANCES, COUNT_BITS, LOGIT_END, LOGITS, at, bucket, moved
from sans.codec.entropy.numbers import digits_of
from sans.codec.entropy.range_coder import Coder, code, code_plain, finish, reader, writer
from sans.codec.image_contexts import (
    BLANK,
    BRIGHT,
    FIRST_SET,
    GUESSES,
    INPUTS,
    MARGIN,
    MEAN,
    PLAIN,
    PREDICTION,
    SECOND_SET,
    TABLES,
    Images,
    choose,
    follow,
    fresh_images,
    grade_of,
    look_at_errors,
    look_at_levels,
    predict,
)
from sans.compilation.decorators import compiled, inlined

LIMIT = 255
"""The largest count of a slot."""

RATES = (3, 2)
"""How fast the two sets of weights learn."""

SPAN_BITS = 33
"""The range of values is less than 2³³."""


@compiled
def code_images(coder: Coder, pixels: NDArray[np.int64], step: int, low: int, high: int) -> None:
    """Code pixels, which become the decoded ones.

    Args:
        coder: a writer or a reader.
        pixels: ``(images, height, width)``, none of them 0; a writer's lie in the range.
        step: the distance of decoded values from `low` up, in 1/256, from 256; 256 is lossless,
            and an odd multiple of it is off by (step / 256 − 1) / 2 at most.
        low: the smallest pixel.
        high: the largest pixel, less than 2³³ above `low`.
    """
    images, height, width = pixels.shape
    top = ((high - low) * 256 + (step >> 1)) // step
    model = fresh_images(images * height * width, top)
    registers = model.registers
    bits = 0
    while (TABLES << bits) < len(model.slots):
        bits += 1
    wide = top > 255
    down = max(digits_of(top) - 20, 0)
    # this image and the one before, as multiples of the step, with margins
    both = np.zeros((2, MARGIN + height, MARGIN + width + MARGIN), np.int64)
    errors = np.zeros((2, MARGIN + width + MARGIN), np.int64)
    registers[MEAN] = (top << 3) if wide else 0
    for n in range(images):
        now, before = both[n & 1], both[1 - (n & 1)]
        registers[BRIGHT] = 0
        for i in range(MARGIN):
            for j in range(now.shape[1]):
                now[i, j] = (registers[MEAN] >> 4) if wide else 0
        for y in range(MARGIN, MARGIN + height):
            for i in range(MARGIN):
                now[y, i] = now[y - 1, MARGIN]
            for x in range(MARGIN, MARGIN + width):
                pixel = pixels[n, y - MARGIN, x - MARGIN]
                target = ((pixel - low) * 256 + (step >> 1)) // step
                lit = now[y, x - 1] | now[y - 1, x - 1] | now[y - 1, x] | now[y - 1, x + 1]
                if wide or lit:
                    predict(model, now, before, y, x, top)
                if wide:
                    choose(model, now, before, y, x, top)
                    look_at_errors(model, now, before, errors, n, y, x, top)
                    target -= registers[PREDICTION]
                    symbol = _code_symbol(coder, model, bits, grade_of(target))
                    distance = _code_rest(coder, symbol, target)
                    errors[y & 1, x] = distance
                    index = min(max(registers[PREDICTION] + distance, 0), top)
                    for i in range(GUESSES):
                        cost = digits_of(abs(index - model.guesses[i])) << 10
                        model.scores[i] += (cost - model.scores[i]) >> 5
                else:
                    look_at_levels(model, now, before, n, y, x, top)
                    index = min(_code_symbol(coder, model, bits, target), top)
                    if index >= top - (top >> 5):
                        registers[BRIGHT] = ((registers[BRIGHT] << 8) | index) & 0xFFFF
                if wide or lit:
                    follow(model, index, down)
                now[y, x] = index
                pixels[n, y - MARGIN, x - MARGIN] = min(low + ((index * step + 128) >> 8), high)
            for i in range(MARGIN):
                now[y, MARGIN + width + i] = now[y, MARGIN + width - 1]


@inlined
def _code_rest(coder: Coder, grade: int, distance: int) -> int:
    """Code what the grade of a distance leaves open, as it is; return the distance."""
    size, given = grade if grade < 128 else 256 - grade, abs(distance)
    if size >= 8:
        rest = (size >> 2) - 1
        size = ((size & 3) | 4) << rest
        while rest > 0:
            rest -= 1
            size |= code(coder, (given >> rest) & 1, 1 << 15) << rest
    return size if grade < 128 else -size


@compiled
def _code_symbol(coder: Coder, model: Images, bits: int, symbol: int) -> int:
    """Code a symbol from 0 to 255: whether it is 0, then its bits from the top.

    Args:
        coder: a writer or a reader.
        model: the model, with the contexts of the symbol.
        bits: the tables have 2^bits slots.
        symbol: what to write; a reader does not look at it.
    """
    slots, inputs, places, contexts = model.slots, model.inputs, model.places, model.contexts
    registers = model.registers
    used = PLAIN if registers[BLANK] else TABLES
    for i in range(used):
        places[i] = bucket(contexts[i] * TABLES + i, i, bits)
    for i in range(used, TABLES):
        inputs[i] = 0
    inputs[TABLES] = 256
    value, node, depth = 0, 0, 0
    while depth < 9:
        which = value * 16 + registers[FIRST_SET] if used == TABLES else 256 * 16
        first, second = model.first[which], model.second[depth * 256 + registers[SECOND_SET]]
        for i in range(used):
            inputs[i] = at(LOGITS, int(np.int64(slots[places[i] + node])) >> (COUNT_BITS + 10))
        total = 0
        for i in range(INPUTS):
            total += int(inputs[i]) * int(first[i] + second[i])
        if used < TABLES:
            total *= TABLES // PLAIN
        logit = min(max(total >> 16, -LOGIT_END), LOGIT_END)
        one = at(CHANCES, logit + LOGIT_END)
        bit = (symbol >> (8 - depth)) & 1 if depth else (1 if symbol else 0)
        bit = code(coder, bit, one)
        error = (bit << 16) - one
        for i in range(INPUTS):
            push = int(inputs[i]) * error
            first[i] += np.int32((push * RATES[0] + (1 << 17)) >> 18)
            second[i] += np.int32((push * RATES[1] + (1 << 17)) >> 18)
        goal = (bit << 22) - bit
        for i in range(used):
            slots[places[i] + node] = moved(np.uint64(slots[places[i] + node]), goal, LIMIT)
        depth += 1
        if depth == 1:
            if not bit:
                return 0
            for i in range(used, TABLES):
                places[i] = bucket(contexts[i] * TABLES + i, i, bits)
            used, value, node = TABLES, 1, 1
        else:
            value, node = (value << 1) | bit, (node << 1) | bit
            if depth == 5:
                for i in range(TABLES):
                    places[i] = bucket((places[i] << 8) | value, i, bits)
                node = 1
    return value & 255


@compiled
def code_noise(coder: Coder, pixels: NDArray[np.int64], step: int, low: int, high: int) -> None:
    """Code pixels like `code_images`, but without expecting anything of them."""
    images, height, width = pixels.shape
    top = ((high - low) * 256 + (step >> 1)) // step
    bits = digits_of(top)
    for n in range(images):
        for y in range(height):
            for x in range(width):
                index = ((pixels[n, y, x] - low) * 256 + (step >> 1)) // step
                index = min(code_plain(coder, index, bits), top)
                pixels[n, y, x] = min(low + ((index * step + 128) >> 8), high)


def in_range(pixels: NDArray[np.integer]) -> bool:
    """Return whether pixels are such that `encode_images` can code them."""
    return not pixels.size or (int(pixels.min()) >= -(1 << 31) and int(pixels.max()) < 1 << 32)


def encode_images(pixels: NDArray[np.integer], step: int = 256) -> bytes:
    """Return pixels from −2³¹ to 2³² − 1, ``(images, height, width)``, as bytes.

    None of the dimensions is 0; `step` is as in `code_images`.
    """
    low, high = int(pixels.min()), int(pixels.max())
    noise = pixels.size * (((high - low) * 256 + step // 2) // step).bit_length() // 8
    for code_them in (code_images, code_noise):
        coder = writer(24 * pixels.size + 64)  # more than the least likely bits would cost
        code_plain(coder, int(code_them is code_noise), 1)
        code_plain(coder, low + (1 << 31), SPAN_BITS)
        code_plain(coder, high - low, SPAN_BITS)
        code_them(coder, pixels.astype(np.int64), step, low, high)
        written = finish(coder)
        if written <= noise + 9:  # which is what noise takes, at most
            break
    return coder.stream[:written].tobytes()


def decode_images(data: bytes, shape: tuple[int, int, int], step: int = 256) -> NDArray[np.int64]:
    """Return what `encode_images` made bytes of; shape and step must be the same.

    Other bytes give other pixels, or the same.
    """
    coder = reader(np.frombuffer(data, np.uint8).copy())
    code_them = code_noise if code_plain(coder, 0, 1) else code_images
    low = code_plain(coder, 0, SPAN_BITS) - (1 << 31)
    high = low + code_plain(coder, 0, SPAN_BITS)
    pixels = np.zeros(shape, np.int64)
    code_them(coder, pixels, step, low, high)
    return pixels
