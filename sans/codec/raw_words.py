"""Words of up to 64 bits, such as floats by their bit patterns, coded without loss.

Words of few kinds are first replaced by the ranks of their kinds, which are coded, too. Then,
whichever a trial finds smallest: a word goes as it is; or byte by byte from the top; or as its
distance to a prediction from the words before it, the best of several recently, as a grade (sign,
length and one bit more) and the rest. For floats, distances are those of their ranks among all
floats. Every bit mixes what many contexts say; bytes that turn out to be noise go as they are. All
is integer arithmetic.
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
from sans.codec.entropy.range_coder import (
    Coder,
    bytes_of,
    code,
    code_plain,
    finish,
    reader,
    writer,
)
from sans.compilation.decorators import compiled, inlined

TABLES = 8
"""How many contexts are mixed."""

INPUTS = TABLES + 1
"""What is mixed: the contexts, and a constant."""

LARGEST_TABLE = 20
"""A context has 2¹² to 2²⁰ slots, about four for each word."""

LIMIT = 255
"""The largest count of a slot."""

RATE = 4
"""How fast weights learn."""

ORDERS = 6
"""Predictions go on with the last 1 to 6 words as a polynomial would."""

PREDICTIONS = ORDERS + 2
"""One more goes the way of the channel before, and one is the word before the last."""

BINOMIALS = np.array(
    [
        [1, 0, 0, 0, 0, 0],
        [2, -1, 0, 0, 0, 0],
        [3, -3, 1, 0, 0, 0],
        [4, -6, 4, -1, 0, 0],
        [5, -10, 10, -5, 1, 0],
        [6, -15, 20, -15, 6, -1],
    ]
)
"""What they multiply the words with, the last one first."""

NOISE = 32768 - 1024
"""Where bits are missed by more than this on average, in 2⁻¹⁶, they are noise; a half is all."""

PROBE = 32
"""So many words pass until noise is looked at again."""

TRIAL = 4096
"""So many words decide how all are coded."""

FEW = 8
"""Kinds are ranked where there are so many words for each."""

PLAIN, FLOATS, SIGNED, BYTES, NOTHING = range(5)
"""Ways to code words: distances of them as they are, as floats, as signed; their bytes; or no way:
nothing is expected of a bit."""


class Patterns(NamedTuple):
    """The state of a model of words."""

    slots: NDArray[np.uint32]
    """``(TABLES × 2^bits,)``: probabilities and counts, as in `sans.codec.entropy.mixing`."""

    weights: NDArray[np.int32]
    """``(10 × 256, INPUTS)``: by what is coded and the bits before."""

    inputs: NDArray[np.int32]
    """``(INPUTS,)``: logits."""

    contexts: NDArray[np.int64]
    """``(TABLES,)``: of the symbol."""

    places: NDArray[np.int64]
    """``(TABLES,)``: the sixteen slots of each context that the bits at hand use."""

    missed: NDArray[np.int64]
    """``(8,)``: by how much the bits of each byte were missed recently, in 2⁻¹⁶."""

    bits: int
    """Tables have 2^bits slots."""


@compiled
def _patterns(words: int) -> Patterns:
    """Return a model that has seen nothing of so many words."""
    bits = 12
    while bits < LARGEST_TABLE and (1 << bits) < 4 * words:
        bits += 1
    return Patterns(
        np.full(TABLES << bits, FRESH, np.uint32),
        np.full((10 * 256, INPUTS), 65536 * 13 // (10 * TABLES), np.int32),
        np.zeros(INPUTS, np.int32),
        np.zeros(TABLES, np.int64),
        np.zeros(TABLES, np.int64),
        np.zeros(8, np.int64),
        bits,
    )


def code_words(coder: Coder, words: NDArray[np.int64], width: int, way: int) -> None:
    """Code words; a reader fills them in.

    Args:
        coder: a writer or a reader.
        words: ``(channels, length)``, their bits as those of integers; none above `width` is set.
        width: how many bits a word has, from 1 to 64.
        way: how they are coded: see `PLAIN` and those after it.
    """
    if way == NOTHING:
        _code_as_they_are(coder, words, width)
    else:
        _code_modelled(coder, words, width, way)


@compiled
def _code_as_they_are(coder: Coder, words: NDArray[np.int64], width: int) -> None:
    """Code words of which nothing is expected; apart, since that is compiled much sooner."""
    channels, length = words.shape
    for t in range(length):
        for c in range(channels):
            words[c, t] = code_plain(coder, words[c, t], width)


@compiled
def _code_modelled(coder: Coder, words: NDArray[np.int64], width: int, way: int) -> None:
    """Code words of which something is expected; arguments: `code_words`."""
    channels, length = words.shape
    model = _patterns(channels * length)
    past = np.zeros((channels, ORDERS + 1), np.int64)  # ORDERS + 1 words, the last one first
    guesses = np.zeros(PREDICTIONS, np.int64)
    scores = np.zeros((channels, PREDICTIONS), np.int64)
    grades = np.zeros((channels + 1, 3), np.int64)
    for t in range(length):
        for c in range(channels):
            row = past[c]
            word = 0
            if way == BYTES:
                other = past[c - 1, 0] if c else row[2]
                word = _code_bytes(coder, model, words[c, t], row[0], row[1], other, width, t)
            else:
                word = _code_distance(
                    coder, model, _turned(words[c, t], width, way), past, guesses, scores[c],
                    grades, width, c, t,
                )  # fmt: skip
            words[c, t] = _turned_back(word, width, way)
            for k in range(ORDERS, 0, -1):
                row[k] = row[k - 1]
            row[0] = word


@inlined
def _turned(word: int, width: int, way: int) -> int:
    """Return a word as an integer whose order is that of what the word stands for."""
    sign = 1 << (width - 1)
    if way == SIGNED:
        word ^= sign
    elif way == FLOATS:
        word = word ^ (((sign - 1) | sign) if word & sign else sign)
    return word


@inlined
def _turned_back(word: int, width: int, way: int) -> int:
    """Return the word that `_turned` made an integer of."""
    sign = 1 << (width - 1)
    if way == SIGNED:
        word ^= sign
    elif way == FLOATS:
        word = word ^ (sign if word & sign else ((sign - 1) | sign))
    return word


@compiled
def _grade(distance: int) -> int:
    """Return 0 to 125 by the size of a distance from 0 up, 255 to 130 below."""
    size = distance if distance >= 0 else ~distance
    if size >= 4:
        length = digits_of(size)
        size = (length << 1) - 2 + ((size >> (length - 2)) & 1)
    return size if distance >= 0 else 255 - size


@inlined
def _code_distance(
    coder: Coder,
    model: Patterns,
    word: int,
    past: NDArray[np.int64],
    guesses: NDArray[np.int64],
    scores: NDArray[np.int64],
    grades: NDArray[np.int64],
    width: int,
    c: int,
    t: int,
) -> int:
    """Code an integer of `width` bits as its distance to the best prediction; return it."""
    contexts, row, unused = model.contexts, past[c], 64 - width
    best = 0
    for i in range(PREDICTIONS):
        guess = np.int64(0)
        if i < ORDERS:
            for k in range(i + 1):
                guess += BINOMIALS[i, k] * row[k]
        elif i == ORDERS:
            guess = row[0] + past[c - 1, 0] - past[c - 1, 1] if c else row[3]
        else:
            guess = row[1]
        guesses[i] = guess
        if scores[i] < scores[best]:
            best = i
    guess = guesses[best]
    score = scores[best] >> 4
    apart = ((guesses[0] - guess) << unused) >> unused
    last, last_but_one, side = grades[c + 1, 0], grades[c + 1, 1], grades[c, 0]
    contexts[0] = (best << 12) | score
    contexts[1] = (last << 3) | best
    contexts[2] = (last << 8) | last_but_one
    contexts[3] = ((score >> 2) << 8) | (last >> 1)
    contexts[4] = (side << 8) | (last >> 1)
    contexts[5] = (guess >> max(width - 14, 0)) & 0x3FFF
    contexts[6] = (_grade(apart) << 6) | (score >> 3)
    contexts[7] = (guess << unused) >> unused
    distance = ((word - guess) << unused) >> unused
    grade = _code_symbol(coder, model, 8, 9, _grade(distance))
    size = grade if grade < 128 else 255 - grade
    given = distance if distance >= 0 else ~distance
    rest = 0
    if size >= 4:
        rest = min((size >> 1) - 1, 61)
        size = (size & 1) | 2
    while rest > 0:
        count = ((rest - 1) & 7) + 1
        rest -= count
        place = rest >> 3
        size <<= count
        if model.missed[place] > NOISE and t % PROBE:
            size |= code_plain(coder, (given >> rest) & 255, count)
        else:
            contexts[0] = (grade << 6) | (place << 3) | (count - 1)
            contexts[1] = (((size << 8) | grade) << 3) | place
            contexts[2] = (((size & 0xFFFF) << 8) << 3) | place
            contexts[3] = (((size << 8) | grade) << 3 | place) ^ (guess << 5)
            contexts[4] = ((guess >> rest) & 255) << 4 | place
            contexts[5] = ((guess & 0xFFFF) << 8 | grade) << 3 | place
            contexts[6] = (row[0] ^ row[1]) >> rest << 3 | place
            contexts[7] = place
            size |= _code_symbol(coder, model, count, place, (given >> rest) & 255)
    distance = size if grade < 128 else ~size
    grades[c + 1, 1] = last
    grades[c + 1, 0] = grade
    word = guess + distance
    if width < 64:
        word &= (1 << width) - 1
    for i in range(PREDICTIONS):
        off = ((word - guesses[i]) << unused) >> unused
        cost = digits_of(off if off >= 0 else ~off) << 10
        scores[i] += (cost - scores[i]) >> 4
    return word


@inlined
def _code_bytes(
    coder: Coder, model: Patterns, word: int, last: int, second: int, other: int, width: int, t: int
) -> int:
    """Code a word of `width` bits byte by byte, given others; return it."""
    contexts, coded, rest = model.contexts, 0, width
    while rest > 0:
        count = ((rest - 1) & 7) + 1
        rest -= count
        place = rest >> 3
        if model.missed[place] > NOISE and t % PROBE:
            coded = (coded << count) | code_plain(coder, (word >> rest) & 255, count)
        else:
            one, two = (last >> rest) & 255, (second >> rest) & 255
            contexts[0] = (coded << 3) | place
            contexts[1] = ((coded & 255) << 3) | place
            contexts[2] = place
            contexts[3] = (one << 3) | place
            contexts[4] = ((((coded & 255) << 8) | one) << 3) | place
            contexts[5] = (((one << 8) | two) << 3) | place
            contexts[6] = (((coded << 8) ^ one) << 3) | place
            contexts[7] = (((((other >> rest) & 255) << 8) | (coded & 255)) << 3) | place
            symbol = _code_symbol(coder, model, count, place, (word >> rest) & 255)
            coded = (coded << count) | symbol
    return coded


@compiled
def _code_symbol(coder: Coder, model: Patterns, count: int, kind: int, symbol: int) -> int:
    """Code the lowest `count` bits of a symbol, from the top; 8 of kind 9: first whether it is 0.

    Args:
        coder: a writer or a reader.
        model: the model, with the contexts of the symbol.
        count: from 1 to 8.
        kind: 0 to 7: the place of a byte, from the bottom; 9: a grade.
        symbol: what to write; a reader does not look at it.
    """
    slots, inputs, places, contexts = model.slots, model.inputs, model.places, model.contexts
    for i in range(TABLES):
        places[i] = bucket(((contexts[i] * 10 + kind) << 3) | i, i, model.bits)
    inputs[TABLES] = 256
    value, node, left, misses = 1, 1, count, 0
    if kind == 9:
        value, node, left = 0, 0, count + 1
    while left > 0:
        weights = model.weights[(kind << 8) | value]
        for i in range(TABLES):
            inputs[i] = at(LOGITS, int(np.int64(slots[places[i] + node])) >> (COUNT_BITS + 10))
        total = 0
        for i in range(INPUTS):
            total += int(inputs[i]) * int(weights[i])
        logit = min(max(total >> 16, -LOGIT_END), LOGIT_END)
        one = at(CHANCES, logit + LOGIT_END)
        bit = (symbol >> (left - 1)) & 1 if value else (1 if symbol else 0)
        bit = code(coder, bit, one)
        error = (bit << 16) - one
        misses += abs(error)
        for i in range(INPUTS):
            weights[i] += np.int32((int(inputs[i]) * error * RATE + (1 << 17)) >> 18)
        goal = (bit << 22) - bit
        for i in range(TABLES):
            slots[places[i] + node] = moved(np.uint64(slots[places[i] + node]), goal, LIMIT)
        left -= 1
        if not value:
            if not bit:
                return 0
            value, node = 1, 1
        else:
            value, node = (value << 1) | bit, (node << 1) | bit
            if node >= 16 and left > 0:
                for i in range(TABLES):
                    places[i] = bucket((places[i] << 8) | value, i, model.bits)
                node = 1
    if kind < 8:
        model.missed[kind] += (misses // count - model.missed[kind]) >> 5
    return value - (1 << count)


def _encode(coder: Coder, words: NDArray[np.int64], width: int) -> None:
    """Write words ``(channels, length)`` in the way that is best for some of them."""
    length = max(TRIAL // len(words), 16)
    start = max((words.shape[1] - length) // 2, 0)
    sizes = []
    for way in (PLAIN, FLOATS, SIGNED, BYTES, NOTHING):
        trial = writer(0)
        code_words(trial, words[:, start : start + length].copy(), width, way)
        sizes.append(finish(trial))
    way = int(np.argmin(sizes))
    code_plain(coder, way, 3)
    code_words(coder, words.copy(), width, way)


def _decode(coder: Coder, channels: int, length: int, width: int) -> NDArray[np.int64]:
    """Read what `_encode` wrote."""
    words = np.zeros((channels, length), np.int64)
    code_words(coder, words, width, min(code_plain(coder, 0, 3), NOTHING))
    return words


def encode_patterns(words: NDArray[np.uint64], width: int) -> bytes:
    """Return words of `width` bits, 1 to 64, ``(channels, length)``, neither of them 0, as bytes.

    No bit of a word above `width` is set. They are never more than those of `as_they_are`.
    """
    found = _encode_any(words, width)
    return (
        found
        if 8 * len(found) <= words.size * width
        else min(found, as_they_are(words, width), key=len)
    )


def as_they_are(words: NDArray[np.uint64], width: int) -> bytes:
    """Return words as `encode_patterns` does where nothing is known of them: a byte or two more.

    Zeros at the end are left out, as everywhere.
    """
    coder = writer(words.size * width // 8 + 64)
    code_plain(coder, 0, 1)
    code_plain(coder, NOTHING, 3)
    code_words(coder, words.view(np.int64).copy(), width, NOTHING)
    return bytes_of(coder)


def _encode_any(words: NDArray[np.uint64], width: int) -> bytes:
    """Write words in the way that is best for some of them, by their kinds if those are few."""
    coder = writer(24 * words.size + 64)  # more than the least likely bits would cost
    kinds, ranks = np.unique(words, return_inverse=True)
    few = FEW * len(kinds) <= words.size
    code_plain(coder, int(few), 1)
    if few:
        code_plain(coder, len(kinds) - 1, 40)
        _encode(coder, kinds.view(np.int64)[None], width)
        if len(kinds) > 1:
            _encode(coder, ranks.reshape(words.shape), (len(kinds) - 1).bit_length())
    else:
        _encode(coder, words.view(np.int64), width)
    return coder.stream[: finish(coder)].tobytes()


def decode_patterns(data: bytes, channels: int, length: int, width: int) -> NDArray[np.uint64]:
    """Return what `encode_patterns` made bytes of; shape and width must be the same.

    Other bytes give other words of that width, or the same.
    """
    coder = reader(np.frombuffer(data, np.uint8).copy())
    if not code_plain(coder, 0, 1):
        return _decode(coder, channels, length, width).view(np.uint64)
    count = min(code_plain(coder, 0, 40), channels * length - 1) + 1
    kinds = _decode(coder, 1, count, width)[0].view(np.uint64)
    if count == 1:
        return np.full((channels, length), kinds[0])
    ranks = _decode(coder, channels, length, (count - 1).bit_length())
    words: NDArray[np.uint64] = kinds[np.minimum(ranks, count - 1)]
    return words
