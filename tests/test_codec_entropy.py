"""The range coder, models of bits, and numbers: what they cost, and that a reader finds them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sans.codec.entropy.mixing import (
    FRESH,
    RECIPROCALS,
    SQUASH,
    STRETCH,
    TRUST,
    WEIGHT_ONE,
    code_mixed,
    mixer,
)
from sans.codec.entropy.numbers import EACH, code_number, code_whole, digits_of
from sans.codec.entropy.range_coder import (
    HALF,
    WORD,
    bytes_of,
    code,
    code_plain,
    finish,
    position,
    read_from,
    writer,
)

CHANCES = st.sampled_from([1, 2, 300, 32767, HALF, 40000, 65534, 65535])


class ExactCoder:
    """A range coder whose low end is one integer of any length: no carries, no bytes put off."""

    def __init__(self):
        self.low, self.range, self.shifts = 0, WORD, 0

    def write(self, bit, one):
        bound = (self.range >> 16) * one
        self.low += 0 if bit else bound
        self.range = bound if bit else self.range - bound
        while self.range < 1 << 24:
            self.range, self.low, self.shifts = self.range << 8, self.low << 8, self.shifts + 1

    def bytes(self):
        """Return the shortest string that a reader finds within the range."""
        size, last = 4 + self.shifts, self.low + self.range - 1
        for zeros in range(32, -1, -1):
            value = last >> zeros << zeros
            if value >= self.low:
                return value.to_bytes(size, "big").rstrip(b"\0")
        raise AssertionError("a range holds its last value")


@given(st.lists(st.tuples(st.integers(0, 1), CHANCES), max_size=300))
@example([(0, 65535)] * 40)
@example([(1, 1)] * 40)
@example([])
def test_bits_become_the_bytes_of_a_coder_of_unlimited_precision(pairs):
    exact, coder = ExactCoder(), writer(4096)
    for bit, one in pairs:
        exact.write(bit, one)
        assert code(coder, bit, one) == bit
    data = bytes_of(coder)
    assert data == exact.bytes()
    again = read_from(data)
    assert [code(again, 0, one) for _, one in pairs] == [bit for bit, _ in pairs]


def test_a_carry_runs_through_bytes_that_wait():
    """A low end of 0xFFFFFF… may still grow by one: then all the bytes that waited become 0."""
    found = 0
    for seed in range(40):
        # Bits that keep the low end just below a power of two: 1 where the range lies below it.
        exact, coder, pairs = ExactCoder(), writer(256), []
        goal = (seed + 5) << 184
        for _ in range(40):
            middle = (exact.low + (exact.range >> 16) * HALF) << (8 * (20 - exact.shifts))
            bit = int(goal - 1 < middle)
            pairs.append((bit, HALF))
            exact.write(bit, HALF)
            code(coder, bit, HALF)
        found += coder.registers[3] > 1  # PENDING
        for bit in (0, 0, 0, 0, 0, 0, 0, 0, 0):
            pairs.append((bit, 1))
            exact.write(bit, 1)
            code(coder, bit, 1)
        data = bytes_of(coder)
        assert data == exact.bytes()
        again = read_from(data)
        assert [code(again, 0, one) for _, one in pairs] == [bit for bit, _ in pairs]
    assert found > 20


@pytest.mark.parametrize("one", [66, 655, 6554, HALF, 62259, 65470])
def test_bits_cost_what_their_probability_says(one):
    bits = (np.random.default_rng(one).random(20000) < one / 65536).astype(int)
    coder = writer(1 << 16)
    for bit in bits.tolist():
        code(coder, bit, one)
    chance = one / 65536
    ideal = -np.log2(np.where(bits, chance, 1 - chance)).sum()
    counted = position(coder) + 24  # a fresh range has 32 bits, of which the first byte is put off
    size = 8 * len(bytes_of(coder))
    assert ideal - 1 <= size <= 1.001 * ideal + 40
    assert counted == pytest.approx(size, abs=48)


@given(st.lists(st.tuples(st.integers(0, 1), CHANCES), max_size=60))
def test_zeros_at_the_end_are_left_out_and_read_again(pairs):
    coder = writer(1024)
    for bit, one in pairs:
        code(coder, bit, one)
    data = bytes_of(coder)
    assert not data.endswith(b"\0")
    for tail in (b"", b"\0", bytes(9)):
        again = read_from(data + tail)
        assert [code(again, 0, one) for _, one in pairs] == [bit for bit, _ in pairs]


def test_nothing_takes_no_bytes_and_a_reader_of_nothing_reads_ones():
    assert bytes_of(writer(16)) == b""
    again = read_from(b"")
    assert [code(again, 0, HALF) for _ in range(200)] == [1] * 200


def test_a_reader_finds_zeros_without_end_beyond_the_end():
    short, long = read_from(b"\x80\x47"), read_from(b"\x80\x47" + bytes(8000))
    for _ in range(1000):
        assert code_plain(short, 0, 60) == code_plain(long, 0, 60)


def test_a_writer_without_room_counts_what_it_would_have_written():
    def fill(room):
        coder = writer(room)
        for value in range(300):
            code_plain(coder, value * 7919, 24)
        return coder

    size = finish(fill(4096))
    assert size == 900  # 24 bits of 1/2 each are three bytes
    assert finish(fill(0)) == size + 3  # zeros at the end, which a reader does not need
    with pytest.raises(ValueError, match="903 bytes do not fit into 899"):
        bytes_of(fill(899))
    assert bytes_of(fill(903)) == bytes_of(fill(4096))


def test_tables_are_what_their_formulas_say():
    x = np.arange(-3071, 3072) / 256
    np.testing.assert_array_equal(SQUASH, np.floor(65536 / (1 + np.exp(-x)) + 0.5))
    assert (np.diff(STRETCH) >= 0).all()
    np.testing.assert_array_equal(SQUASH[STRETCH + 3071] >= np.arange(8, 65536, 16), True)
    np.testing.assert_array_equal(SQUASH[STRETCH + 3070] < np.arange(8, 65536, 16), True)
    counts = np.arange(1024)
    np.testing.assert_array_equal(RECIPROCALS, np.floor(65536 / (counts + 1.5)))
    np.testing.assert_array_equal(TRUST, np.floor(256 * (counts[:256] + 1) / (counts[:256] + 1.5)))


def mixed(bits, contexts):
    """Write bits, each with some contexts, by one mixer; return the bytes and the mixer."""
    coder, model = writer(len(bits) + 64), mixer(4096, 1, contexts.shape[1])
    row = further = int(np.int64(0))
    for bit, chosen in zip(bits.tolist(), contexts, strict=True):
        model.chosen[:] = chosen
        code_mixed(
            coder.stream, coder.registers, model.slots, model.weights, model.chosen, model.logits,
            row, further, bit,
        )  # fmt: skip
    return bytes_of(coder), model


def test_a_fresh_mixer_expects_nothing():
    model = mixer(8, 2, 3)
    assert model.slots.tolist() == [FRESH] * 8
    weight = 8 * WEIGHT_ONE // 21
    assert model.weights.tolist() == [weight, weight, weight, 0] * 2
    data, _ = mixed(np.array([1]), np.zeros((1, 1), np.int64))
    assert data == b""  # a 1 of probability 1/2


def test_a_mixer_learns_how_likely_a_bit_is():
    bits = (np.random.default_rng(0).random(8000) < 0.03).astype(int)
    data, _ = mixed(bits, np.zeros((len(bits), 1), np.int64))
    entropy = -(0.03 * np.log2(0.03) + 0.97 * np.log2(0.97)) * len(bits)
    assert 8 * len(data) < 1.1 * entropy


def test_a_mixer_learns_which_context_to_trust():
    """One context tells the bit, two others are noise: it costs little, and the weight says why."""
    draw = np.random.default_rng(1)
    contexts = draw.integers(0, 64, (6000, 3)) + np.array([0, 64, 128])
    bits = contexts[:, 1] & 1
    data, model = mixed(bits, contexts)
    assert 8 * len(data) < 0.1 * len(bits)
    assert model.weights[1] > 3 * max(abs(model.weights[0]), abs(model.weights[2]))


def test_a_slot_moves_by_its_count():
    _, model = mixed(np.array([1, 1, 0]), np.zeros((3, 1), np.int64))
    chance, count = 1 << 21, 0
    for bit in (1, 1, 0):
        target = (1 << 22) - 1 if bit else 0
        chance += (target - chance) * RECIPROCALS[count] >> 16
        count += 1
    assert model.slots[0] == chance << 10 | count


def test_counts_end_at_their_limit():
    _, model = mixed(np.ones(600, np.int64), np.zeros((600, 1), np.int64))
    assert int(model.slots[0]) & 1023 == 255


NUMBERS = st.one_of(
    st.integers(-9, 9),
    st.integers(-(2**39), 2**39),
    st.sampled_from([2**39, -(2**39), 2**40 - 1, 1 - 2**40]),
)


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 5)), max_size=80))
@example([(value, 0) for value in range(-4, 5)])
def test_numbers_come_back(pairs):
    def run(coder, values):
        model = mixer(18 * EACH, 1, 3)
        return [
            code_number(coder, model, (context, 6 + context // 2, 12), value)
            for value, (_, context) in zip(values, pairs, strict=True)
        ]

    coder = writer(64 + 16 * len(pairs))
    values = [value for value, _ in pairs]
    assert run(coder, values) == values  # a writer returns what a reader will
    assert run(read_from(bytes_of(coder)), [0] * len(values)) == values


@given(st.lists(st.one_of(st.integers(0, 20), st.integers(0, 2**40 - 2)), max_size=60))
@example([2**40 - 2, 0, 2**39 - 1, 2**39 - 2])
def test_whole_numbers_come_back(values):
    coder = writer(64 + 16 * len(values))
    assert [code_whole(coder, value) for value in values] == values
    again = read_from(bytes_of(coder))
    assert [code_whole(again, 0) for _ in values] == values


@given(st.binary(max_size=40))
def test_numbers_of_any_bytes_are_below_their_limit(data):
    coder, model = read_from(data), mixer(3 * EACH, 1, 3)
    for _ in range(20):
        assert abs(code_number(coder, model, (0, 1, 2), 0)) < 2**40
        assert 0 <= code_whole(coder, 0) < 2**40 - 1


def test_small_numbers_cost_less_when_they_were_small_before():
    coder, model, sizes = writer(4096), mixer(3 * EACH, 1, 3), [0.0]
    for i in range(400):
        code_number(coder, model, (0, 1, 2), (i * 5) % 7 - 3)
        sizes.append(position(coder))
    costs = [after - before for before, after in pairwise(sizes[1:])]
    assert np.mean(costs[-100:]) < 0.85 * np.mean(costs[1:9])
    assert np.mean(costs[-100:]) == pytest.approx(np.log2(7), abs=0.1)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_any_of_three_contexts_tells_what_number_to_expect(which):
    coder, model, sizes = writer(4096), mixer(6 * EACH, 1, 3), []
    for i in range(200):
        contexts = [0, 1, 2]
        contexts[which] += 3 * (i % 2)
        code_number(coder, model, tuple(contexts), i % 2)
        sizes.append(position(coder))
    # 0 and 1 in turn: without that context the last 100 would cost 100 bits.
    assert sizes[-1] - sizes[-101] < 10


def test_digits_are_those_of_python():
    assert [digits_of(value) for value in range(600)] == [v.bit_length() for v in range(600)]
    assert digits_of(2**62) == 63
