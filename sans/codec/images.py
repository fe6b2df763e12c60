"""Stacks of grey images, coded pixel by pixel with contexts from the pixels around.

Up to 256 levels, a pixel is coded as it is: whether it is zero, then its eight bits from the top.
With more, a linear prediction that learns is subtracted first, and what is left is coded as a
sign with a magnitude: its exponent, the two bits below it, and the rest as it is. Every bit mixes
what many contexts say, as in PAQ's models of images ([Mahoney]): hashes of neighbours at several
resolutions, of gradients, of the place in the image and of the image itself, since the grey levels
of one image repeat. All is integer arithmetic. Images that this would make
larger than their range says go as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.mixing import (
    CHANCES,
    COUNT_BITS,
    FRESH,
    LOGIT_END,
    LOGITS,
    at,
    bucket,
    moved,
)
from sans.codec.entropy.numbers import digits_of
from sans.codec.entropy.range_coder import Coder, code, code_plain, finish, reader, writer
from sans.compilation.decorators import compiled, inlined

TABLES = 16
"""How many contexts speak."""

PLAIN = 4
"""How many of them where all neighbours are zero, before a pixel is known not to be."""

INPUTS = TABLES + 1
"""What is mixed: the contexts, and a constant."""

MARGIN = 3
"""How far contexts look."""

TAPS = 15
"""Pixels that the linear prediction sees, in this image and in the one before."""

GUESSES = 5
"""Predictions of which one is chosen: the linear one, two gradients, and two from before."""

LARGEST_TABLE = 21
"""A context has 2¹⁰ to 2²¹ slots, about as many as there are pixels; 64 bytes at a time."""

LIMIT = 255
"""The largest count of a slot."""

RATES = (3, 2)
"""How fast the two sets of weights learn."""

SLOWNESS = 8
"""The linear prediction moves by 2⁻⁸ of its error."""

SPAN_BITS = 33
"""The range of values is less than 2³³."""

MEAN, ENERGY, BRIGHT, FIRST_SET, SECOND_SET, BLANK, FINE_PREDICTION, PREDICTION = range(8)
"""What the registers of a model hold: see `_predict` and `_look_at_levels`."""


class Images(NamedTuple):
    """The state of a model of images."""

    slots: NDArray[np.uint32]
    """``(TABLES × 2^bits,)``: probabilities and counts, as in `sans.codec.entropy.mixing`."""

    first: NDArray[np.int32]
    """``(257 × 16, INPUTS)``: weights by the bits before and the neighbours; last: blank ones."""

    second: NDArray[np.int32]
    """``(9 × 256, INPUTS)``: added to them, by the number of bits before and the neighbours."""

    inputs: NDArray[np.int32]
    """``(INPUTS,)``: logits."""

    contexts: NDArray[np.int64]
    """``(TABLES,)``: of the pixel."""

    places: NDArray[np.int64]
    """``(TABLES,)``: the sixteen slots of each context that the bits at hand use."""

    levels: NDArray[np.int64]
    """``(4, 256)``: a pixel in 2, 4, 8, 16 steps; zero and the brightest apart."""

    taps: NDArray[np.int64]
    """``(TAPS,)``: weights of the linear prediction, in 2⁻¹⁶."""

    near: NDArray[np.int64]
    """``(TAPS,)``: what it predicts from, without the mean."""

    guesses: NDArray[np.int64]
    """``(GUESSES,)``: predictions of a pixel of many levels."""

    scores: NDArray[np.int64]
    """``(GUESSES,)``: how many bits their errors had lately, in 2⁻¹⁰."""

    registers: NDArray[np.int64]
    """``(8,)``: see `MEAN` and those after it."""


@compiled
def _images(pixels: int, top: int) -> Images:
    """Return a model that has seen nothing of `pixels` pixels from 0 to `top`."""
    bits = 10
    while bits < LARGEST_TABLE and (1 << bits) < pixels:
        bits += 1
    levels = np.zeros((4, 256), np.int64)
    last = max(min(top, 255), 1)
    for i in range(1, last + 1):
        level = i * 255 // last
        levels[0, i] = 1 if level >= 100 else 0
        levels[1, i] = 3 if level >= 240 else (2 if level >= 100 else 1)
        levels[2, i] = 7 if level >= 252 else 1 + min((level + 16) // 48, 5)
        levels[3, i] = 15 if level >= 253 else (14 if level >= 250 else 1 + level // 20)
    taps = np.zeros(TAPS, np.int64)
    taps[0], taps[3], taps[5] = 49152, 49152, -32768
    return Images(
        np.full(TABLES << bits, FRESH, np.uint32),
        np.full((257 * 16, INPUTS), 65536 * 13 // (10 * TABLES), np.int32),
        np.zeros((9 * 256, INPUTS), np.int32),
        np.zeros(INPUTS, np.int32),
        np.zeros(TABLES, np.int64),
        np.zeros(TABLES, np.int64),
        levels,
        taps,
        np.zeros(TAPS, np.int64),
        np.zeros(GUESSES, np.int64),
        np.zeros(GUESSES, np.int64),
        np.zeros(8, np.int64),
    )


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
    model = _images(images * height * width, top)
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
                    _predict(model, now, before, y, x, top)
                if wide:
                    _choose(model, now, before, y, x, top)
                    _look_at_errors(model, now, before, errors, n, y, x, top)
                    target -= registers[PREDICTION]
                    symbol = _code_symbol(coder, model, bits, _grade(target))
                    distance = _code_rest(coder, symbol, target)
                    errors[y & 1, x] = distance
                    index = min(max(registers[PREDICTION] + distance, 0), top)
                    for i in range(GUESSES):
                        cost = digits_of(abs(index - model.guesses[i])) << 10
                        model.scores[i] += (cost - model.scores[i]) >> 5
                else:
                    _look_at_levels(model, now, before, n, y, x, top)
                    index = min(_code_symbol(coder, model, bits, target), top)
                    if index >= top - (top >> 5):
                        registers[BRIGHT] = ((registers[BRIGHT] << 8) | index) & 0xFFFF
                if wide or lit:
                    _follow(model, index, down)
                now[y, x] = index
                pixels[n, y - MARGIN, x - MARGIN] = min(low + ((index * step + 128) >> 8), high)
            for i in range(MARGIN):
                now[y, MARGIN + width + i] = now[y, MARGIN + width - 1]


@compiled
def _grade(distance: int) -> int:
    """Return 0 for 0, 1 to 127 by the size of a distance above it, 255 to 129 below it."""
    size = abs(distance)
    if size >= 8:
        length = digits_of(size)
        size = min(((length - 2) << 2) + ((size >> (length - 3)) & 3), 127)
    return size if distance >= 0 else 256 - size


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


@inlined
def _predict(
    model: Images,
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    y: int,
    x: int,
    top: int,
) -> None:
    """Predict a pixel, in sixteenths and in whole; the mean is in sixteenths, too."""
    near, taps, registers = model.near, model.taps, model.registers
    near[0], near[1], near[2] = now[y, x - 1], now[y, x - 2], now[y, x - 3]
    near[3], near[4] = now[y - 1, x], now[y - 2, x]
    near[5], near[6] = now[y - 1, x - 1], now[y - 1, x + 1]
    near[7], near[8], near[9] = now[y - 1, x + 2], now[y - 1, x - 2], now[y - 2, x + 1]
    near[10], near[11], near[12] = before[y, x], before[y, x + 1], before[y, x - 1]
    near[13], near[14] = before[y - 1, x], before[min(y + 1, now.shape[0] - 1), x]
    mean = registers[MEAN] >> 4
    total = np.int64(0)
    for i in range(TAPS):
        near[i] -= mean
        total += near[i] * taps[i]
    registers[FINE_PREDICTION] = min(max((mean << 4) + (total >> 12), 0), top << 4)
    registers[PREDICTION] = (registers[FINE_PREDICTION] + 8) >> 4


@inlined
def _follow(model: Images, index: int, down: int) -> None:
    """Learn from what a pixel was: normalised least mean squares, on values without `down` bits."""
    near, taps, registers = model.near, model.taps, model.registers
    energy = np.int64(1)
    for i in range(TAPS):
        near[i] >>= down
        energy += near[i] * near[i]
    registers[ENERGY] += (energy - registers[ENERGY]) >> 7
    error = ((index << 4) - registers[FINE_PREDICTION]) >> down
    gain = (error << 32) // max(energy, registers[ENERGY])
    gain = min(max(gain, -(1 << 40)), 1 << 40)
    for i in range(TAPS):
        tap = taps[i] + ((gain * near[i]) >> (20 + SLOWNESS))
        taps[i] = min(max(tap, -(1 << 20)), 1 << 20)
    registers[MEAN] += ((index << 4) - registers[MEAN]) >> 10


@inlined
def _choose(
    model: Images,
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    y: int,
    x: int,
    top: int,
) -> None:
    """Replace the linear prediction where another was better lately."""
    guesses, scores, registers = model.guesses, model.scores, model.registers
    w, no, nw, other = now[y, x - 1], now[y - 1, x], now[y - 1, x - 1], before[y, x]
    guesses[0] = registers[PREDICTION]
    guesses[1] = w + no - nw
    guesses[2] = max(min(w, no), min(max(w, no), w + no - nw))
    guesses[3] = other + w - before[y, x - 1]
    guesses[4] = other
    best = 0
    for i in range(GUESSES):
        guesses[i] = min(max(guesses[i], 0), top)
        if scores[i] < scores[best]:
            best = i
    registers[PREDICTION] = guesses[best]


@inlined
def _look_at_levels(
    model: Images,
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    n: int,
    y: int,
    x: int,
    top: int,
) -> None:
    """Set the contexts of a pixel of at most 256 levels."""
    contexts, registers = model.contexts, model.registers
    two, four, eight, many = model.levels[0], model.levels[1], model.levels[2], model.levels[3]
    row, row1, row2, row3 = now[y], now[y - 1], now[y - 2], now[y - 3]
    w, ww = row[x - 1], row[x - 2]
    nw, no, ne, nww, nee = row1[x - 1], row1[x], row1[x + 1], row1[x - 2], row1[x + 2]
    nn, nne, nnw = row2[x], row2[x + 1], row2[x - 1]
    shape = np.int64(0)
    for i in range(3):
        shape = (shape << 1) | two[row[x - 3 + i]]
    for i in range(7):
        shape = (shape << 1) | two[row1[x - 3 + i]]
    for i in range(5):
        shape = (shape << 1) | two[row2[x - 2 + i]]
    for i in range(3):
        shape = (shape << 1) | two[row3[x - 1 + i]]
    coarse = (four[w] << 6) | (four[no] << 4) | (four[nw] << 2) | four[ne]
    contexts[0] = (((y * now.shape[1] + x) << 3 | eight[w]) << 3) | eight[no]
    contexts[1] = n
    contexts[2] = (coarse << 12) | (four[ww] << 10) | (four[nn] << 8) | (four[nee] << 6)
    contexts[2] |= (four[nne] << 4) | (four[nww] << 2) | four[nnw]
    contexts[3] = shape
    contexts[4] = (registers[BRIGHT] << 4) | (coarse >> 4)
    registers[BLANK] = (w | ww | nw | no | ne | nww | nee | nn | nne | nnw) == 0
    if registers[BLANK]:
        registers[FIRST_SET], registers[SECOND_SET] = 0, shape & 255
        for i in range(PLAIN + 1, TABLES):
            contexts[i] = 0
        return
    lit = np.int64((w > 0) | ((no > 0) << 1) | ((nw > 0) << 2) | ((ne > 0) << 3))
    registers[FIRST_SET], registers[SECOND_SET] = lit, coarse
    prediction = registers[PREDICTION]
    rough = min(digits_of(abs(w - ww) + abs(no - nw) + abs(no - ne)), 15)
    moved = min(digits_of(abs(before[y, x - 1] - w) + abs(before[y - 1, x] - no)), 15)
    contexts[5] = (w << 8) | no
    contexts[6] = (many[w] << 12) | (many[no] << 8) | (many[nw] << 4) | many[ne]
    contexts[7] = (many[w] << 12) | (many[no] << 8) | (many[ww] << 4) | many[nn]
    contexts[8] = (
        (min(max(w + no - nw, 0), top) << 8) | (min(abs(w - no) >> 3, 31) << 3) | eight[ne]
    )
    contexts[9] = (min(max(w + ne - no, 0), top) << 8) | no
    contexts[10] = (min(max(2 * w - ww, 0), top) << 8) | ne
    contexts[11] = (n << 4) | (coarse >> 4)
    contexts[12] = (prediction << 4) | rough
    contexts[13] = registers[FINE_PREDICTION]
    contexts[14] = (min(max(2 * no - nn, 0), top) << 8) | w
    contexts[15] = (((before[y, x] << 4) | moved) << 8) | prediction


@inlined
def _look_at_errors(
    model: Images,
    now: NDArray[np.int64],
    before: NDArray[np.int64],
    errors: NDArray[np.int64],
    n: int,
    y: int,
    x: int,
    top: int,
) -> None:
    """Set the contexts of a distance to the prediction; errors are those of two rows."""
    contexts, registers = model.contexts, model.registers
    w, ww = now[y, x - 1], now[y, x - 2]
    no, nw, ne = now[y - 1, x], now[y - 1, x - 1], now[y - 1, x + 1]
    other = before[y, x]
    prediction = registers[PREDICTION]
    error_w, above = errors[y & 1, x - 1], errors[(y - 1) & 1]
    error_no, error_nw, error_ne = above[x], above[x - 1], above[x + 1]
    size_w, size_no = digits_of(abs(error_w)), digits_of(abs(error_no))
    size_nw, size_ne = digits_of(abs(error_nw)), digits_of(abs(error_ne))
    size = _grade(2 * (abs(error_w) + abs(error_no)) + abs(error_nw) + abs(error_ne))
    to_w, to_no = _grade(w - prediction), _grade(no - prediction)
    registers[BLANK] = 0
    registers[FIRST_SET] = size >> 3
    registers[SECOND_SET] = (min(size_w, 15) << 4) | min(size_no, 15)
    contexts[0] = size
    contexts[1] = (n << 6) | (size >> 1)
    contexts[2] = (size_w << 6) | size_no
    contexts[3] = _grade(abs(w - ww) + abs(no - nw) + abs(no - ne))
    contexts[4] = _grade(model.guesses[2] - prediction)
    contexts[5] = to_w
    contexts[6] = to_no
    contexts[7] = ((to_w >> 1) << 7) | (to_no >> 1)
    contexts[8] = (_grade(model.guesses[1] - prediction) << 5) | (size >> 2)
    contexts[9] = y * now.shape[1] + x
    contexts[10] = _grade(other - prediction)
    contexts[11] = (_grade(model.guesses[3] - prediction) << 5) | (size >> 2)
    contexts[12] = ((_grade(error_w) >> 1) << 7) | (_grade(error_no) >> 1)
    contexts[13] = (prediction << 8) // (top + 1)
    contexts[14] = (((((size_w << 6) | size_no) << 6) | size_nw) << 6) | size_ne
    contexts[15] = 0


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
