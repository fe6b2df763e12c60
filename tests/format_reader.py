"""A second reader of .sans streams, written from docs/format.md alone, in plain Python.

It reads the container, the header and the end, kernels, and tracks that are described by spikes
and coefficients: nothing of it comes from `sans`. It is slow, and says why a stream is not for it.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from decimal import Decimal, localcontext
from pathlib import Path

ROOT = Path(__file__).parent.parent
SPECIFICATION = ROOT / "docs" / "format.md"
STARTING_SET = ROOT / "sans" / "codec" / "description" / "starting-set.bin"
RANGES = {"i1": (1, True), "u1": (1, False), "<i2": (2, True), "<u2": (2, False)}
RANGES |= {"<i4": (4, True), "<u4": (4, False), "<i8": (8, True), "<u8": (8, False)}
LOGIT_END = 3071
LIFTS = (-1663182, -55554, 925799, 465051)
CONTEXTS = (512, 256, 256, 256, 256, 512, 512)
FEW = (1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 24, 32, 48, 72, 120)
FEWER = (1, 2, 3, 5, 8, 13, 24)


def tables():
    with localcontext() as context:
        context.prec = 40
        powers = [(Decimal(x) / 256).exp() for x in range(-LOGIT_END, LOGIT_END + 1)]
        squash = [int(65536 * power / (1 + power) + Decimal("0.5")) for power in powers]
    stretch, logit = [], -LOGIT_END
    for chance in range(8, 65536, 16):
        while squash[logit + LOGIT_END] < chance:
            logit += 1
        stretch.append(logit)
    return squash, stretch


SQUASH, STRETCH = tables()


def clip(value, low, high):
    return min(max(value, low), high)


# The container.


def sections(data):
    """Return the sections of a stream as pairs of kind and content."""
    assert data[:5] in (b"SANS\x01", b"SANS\x02")
    newer = data[4] == 2
    place, seed, found, begins = 5, zlib.crc32(data[:5]) if newer else 0, [], []
    while place < len(data) - 12:
        kind, size = struct.unpack_from("<cI", data, place)
        content = data[place + 5 : place + 5 + size]
        (checksum,) = struct.unpack_from("<I", data, place + 5 + size)
        assert zlib.crc32(data[place : place + 5 + size], seed) == checksum
        seed = seed if found else checksum
        assert kind in (b"H", b"K", b"C", b"E") or (newer and b"a" <= kind <= b"z")
        if kind <= b"Z":  # what it does not know, a reader passes over
            found.append((kind, content))
            begins.append(place)
        place += size + 9
    begin, final = struct.unpack_from("<Q4s", data, place)
    assert (begin, final, len(data)) == (begins[-1], b"SNAS", place + 12)
    return found, begins


def inflate(content):
    """Return the table and the attachments of a header or an end; keys that are not known, too."""
    text = SPECIFICATION.read_text(encoding="utf-8")
    (block,) = re.findall(r"```base64\n(.*?)```", text, re.DOTALL)
    unpacker = zlib.decompressobj(-15, zdict=base64.b64decode(block))
    body = unpacker.decompress(content)
    assert unpacker.eof
    assert not unpacker.unused_data
    (size,) = struct.unpack_from("<I", body)
    return json.loads(body[4 : 4 + size]), body[4 + size :]


def number(data, place):
    """Return a number in groups of seven bits, and the place behind it."""
    value = shift = 0
    while True:
        value |= (data[place] & 127) << shift
        shift, place = shift + 7, place + 1
        if data[place - 1] < 128:
            return value, place


def parts_of(data):
    place, parts = 0, []
    while place < len(data):
        size, place = number(data, place)
        parts.append(data[place : place + size])
        place += size
    return parts


# The range coder, and models of bits.


class Coder:
    def __init__(self, data):
        self.data, self.place, self.range = data, 4, 2**32 - 1
        self.code = int.from_bytes((data + bytes(4))[:4], "big")

    def bit(self, one):
        bound = (self.range >> 16) * one
        bit = int(self.code < bound)
        if bit:
            self.range = bound
        else:
            self.code -= bound
            self.range -= bound
        while self.range < 2**24:
            self.range <<= 8
            following = self.data[self.place] if self.place < len(self.data) else 0
            self.code = self.code << 8 | following
            self.place += 1
        return bit

    def plain(self, bits):
        value = 0
        for _ in range(bits):
            value = value << 1 | self.bit(32768)
        return value

    def whole(self):
        digits = 1
        while digits < 40 and self.bit(32768):
            digits += 1
        return (1 << (digits - 1) | self.plain(digits - 1)) - 1


class Mixer:
    """Slots as lists of a chance and a count, by any key; fresh ones are made when asked for."""

    def __init__(self, inputs, rate=10):
        self.slots, self.weights, self.inputs, self.rate = {}, {}, inputs, rate

    def bit(self, coder, row, keys):
        slots = [self.slots.setdefault((i, key), [1 << 21, 0]) for i, key in enumerate(keys)]
        first = [65536 * 8 // (7 * self.inputs)] * self.inputs + [0]
        weights = self.weights.setdefault(row, first)
        logits = []
        for chance, count in slots:
            trust = 256 * (2 * count + 2) // (2 * count + 3)
            logits.append((STRETCH[chance >> 10] * trust) >> 8)
        logits.append(256)
        total = sum(logit * weight for logit, weight in zip(logits, weights, strict=True))
        one = clip(SQUASH[clip(total >> 16, -LOGIT_END, LOGIT_END) + LOGIT_END], 1, 65535)
        bit = coder.bit(one)
        error, target = (bit << 16) - one, 2**22 - 1 if bit else 0
        for i, logit in enumerate(logits):
            weights[i] += (logit * error * self.rate + 2**17) >> 18
        for slot in slots:
            chance, count = slot
            slot[0] = chance + (((target - chance) * (131072 // (2 * count + 3))) >> 16)
            slot[1] = min(count + 1, 255)
        return bit

    def number(self, coder, contexts):
        def bit(which):
            return self.bit(coder, 0, [(context, which) for context in contexts])

        digits = 0
        while digits < 40 and bit(digits):
            digits += 1
        if not digits:
            return 0
        found = 1
        if digits > 1:
            found = 2 + bit(40 + digits)
            found = found << (digits - 2) | coder.plain(digits - 2)
        return -found if bit(81) else found


# Wavelets.


def ends_of(length):
    sizes = [length]
    while len(sizes) <= 7 and sizes[0] > 1:
        sizes.insert(0, (sizes[0] + 1) // 2)
    return [0, *sizes]


def synthesise(coefficients):
    out, ends = list(coefficients), ends_of(len(coefficients))
    for end in ends[2:]:
        half, x = (end + 1) // 2, [0] * end
        x[0::2] = [(value * 912119 + 2**19) >> 20 for value in out[:half]]
        x[1::2] = [(value * 1205448 + 2**19) >> 20 for value in out[half:end]]
        for step in (3, 2, 1, 0):
            for i in range(1 - (step & 1), end, 2):
                before = x[i - 1] if i > 0 else x[1]
                after = x[i + 1] if i + 1 < end else x[i - 1]
                x[i] -= (LIFTS[step] * (before + after) + 2**19) >> 20
        out[:end] = x
    return out


# Coefficients.


class Coefficients:
    def __init__(self):
        self.values, self.blocks, self.means = Mixer(7, 7), Mixer(3), {}

    def read(self, coder, length, phases, companion):
        ends, levels = ends_of(length), []
        self.bands, self.phases = [], phases
        for band in range(len(ends) - 1):
            beside = companion[ends[band] : ends[band + 1]] if companion else None
            self.bands.append([])
            levels += self.band(coder, band, len(ends) - 1, ends[band + 1] - ends[band], beside)
        return levels

    def size(self, band, i):
        return self.bands[band][i] if 0 <= i < len(self.bands[band]) else 0

    def phase(self, i):
        return self.phases[min(i * self.stride + (self.stride >> 1), len(self.phases) - 1)]

    def band(self, coder, band, bands, length, beside):
        self.stride = 1 << min(bands - band, bands - 1)
        fineness, levels, place, opened = bands - 1 - band, [], 0, 0
        while place < length:
            last, untold = length, False
            if band > 0 and fineness < 4:
                large = fineness < 2 and place >= opened
                last = min(length, place + (64 if large else 16))
                if not self.filled(coder, band, fineness, place, last, large):
                    for i in range(place, last, 4 if large else 1):
                        key = fineness, self.phase(i)
                        mean = self.means.get(key, 0)
                        self.means[key] = mean - (mean >> 3)
                    levels += [0] * (last - place)
                    self.bands[band] += [0] * (last - place)
                    place = last
                    continue
                if large:
                    opened = last
                    continue
                untold = True
            for i in range(place, last):
                told = 1 + i - place if untold else 0
                only = untold and i == last - 1
                level = self.level(coder, band, fineness, i, told, only, beside)
                untold = untold and level == 0
                levels.append(level)
                self.bands[band].append(min(abs(level), 2**22))
            place = last
        return levels

    def filled(self, coder, band, fineness, first, last, large):
        far = 2 if band > 2 else 1
        own = sum(min(self.size(band, i), 3) for i in range(first - 8, first))
        inner = range((first >> 1) - 1, ((last + 1) >> 1) + 1)
        parent = sum(min(self.size(band - 1, i), 3) for i in inner)
        grand = 0
        if band > 1:
            outer = range((first >> far) - 1, ((last + 3) >> far) + 1)
            grand = sum(min(self.size(band - 2, i), 3) for i in outer)
        expected = sum(
            self.means.get((fineness, self.phase(i)), 0)
            for i in range(first, last, 8 if large else 2)
        )
        kind = fineness + (4 if large else 0)
        contexts = (
            grade(FEW, expected >> 6) * 16 + grade(FEW, parent + own),
            grade(FEW, parent) * 16 + grade(FEW, own + (grand >> 1)),
            self.phase((first + last) >> 1),
        )
        return self.blocks.bit(coder, kind, [(kind, context) for context in contexts])

    def level(self, coder, band, fineness, i, told, only, beside):
        l1, l2, l3, l4 = (self.size(band, i - k) for k in (1, 2, 3, 4))
        p0 = p1 = p2 = g0 = g1 = g2 = 0
        if band > 0:
            above, side = (i >> 1, 1 if i & 1 else -1) if band > 1 else (i, 1)
            p0, p1, p2 = (self.size(band - 1, above + k) for k in (0, side, -side))
        if band > 1:
            far = 2 if band > 2 else 1
            above, side = i >> far, 1 if (i >> (far - 1)) & 1 else -1
            g0, g1, g2 = (self.size(band - 2, above + k) for k in (0, side, -side))
        own, parent, grand = 2 * l1 + l2, 2 * p0 + p1, 2 * g0 + g1 + g2
        plain, mean = 0, (own + parent) // 6
        while mean >= 8:
            mean, plain = mean >> 1, plain + 1
        near = 0
        if beside is not None:
            there = [min(abs(level), 2**22) for level in beside]
            near = 2 * there[i]
            near += there[i - 1] if i > 0 else 0
            near += there[i + 1] if i + 1 < len(there) else 0
            near = 1 + grade(FEW, near >> plain)
        phase = self.phase(i)
        usual = self.means.get((fineness, phase))
        expected = (usual or 0) >> plain
        both = grade(FEW, (own + parent) >> plain)
        wide = grade(FEWER, (own + l3 + l4) >> plain) * 8
        wide += grade(FEWER, (parent + p2 + grand) >> plain)
        contexts = (
            wide * 8 + grade(FEWER, expected >> 6),
            min(l1, 3) * 64 + min(l2, 3) * 16 + min(p0, 3) * 4 + min(p1, 3),
            grade(FEW, grand >> plain) * 16 + grade(FEW, (l1 + 2 * l2 + l3) >> plain),
            phase,
            grade(FEW, expected >> 4) * 16 + both,
            (phase >> 3) * 16 + both,
            min(told, 15) * 32 + near,
        )
        top = 1 if only and plain == 0 else 0
        while top < 18:
            decision = min(top, 7)
            keys = [(fineness, context, decision) for context in contexts]
            if not self.values.bit(coder, (fineness, decision), keys):
                break
            top += 1
        if top == 18:
            top += coder.whole()
        found = top << plain | coder.plain(plain)
        now = min(found, 4095) << 8
        moved = now if usual is None else usual + ((now - usual) >> 3)
        self.means[fineness, phase] = moved
        return -found if found and coder.bit(32768) else found


def grade(borders, size):
    return sum(border <= size for border in borders)


# Kernels, spikes, tracks.


def kernels_of(content, tracks):
    """Return the kernels of every track, as pairs of a shift and weights."""
    place, found = 0, []
    for _ in range(tracks):
        count, place = number(content, place)
        if not count:
            found.append([])
            continue
        size, place = number(content, place)
        if not size:
            (lent,) = kernels_of(STARTING_SET.read_bytes(), 1)
            shifts = content[place : place + count]
            kernels = [(shift, each[1]) for shift, each in zip(shifts, lent, strict=True)]
            found.append(kernels)
            place += count
            continue
        step, place = number(content, place)
        length, place = number(content, place)
        coder, model = Coder(content[place : place + length]), Coefficients()
        place += length
        origin = (size - 1) // 2
        phases = [min(1 + abs(i - origin) * 128 // size, 255) for i in range(size)]
        kernels = []
        for _ in range(count):
            shift = coder.plain(4)
            levels = model.read(coder, size, phases, None)
            kernels.append((shift, synthesise([level * step for level in levels])))
        found.append(kernels)
    assert place == len(content)
    return found


def spikes_of(coder, kernels, length, companion, most):
    count, digits = min(coder.whole(), length), (kernels - 1).bit_length()
    assert count <= most
    which, gaps, heights = Mixer(4), Mixer(3), Mixer(3)
    usual, last, spikes = {}, {}, []
    place = kernel = before = error = beside = offset = 0
    for _ in range(count):
        while beside < len(companion) and companion[beside][0] + offset <= place:
            beside += 1
        other = companion[beside] if beside < len(companion) else None
        hint, node = other[1] if other else 0, 1
        for _ in range(digits):
            pair = (kernel ^ (before << 3)) & 63
            keys = [(kernel, node), (pair, node), (hint, node), node]
            node = node << 1 | which.bit(coder, 0, keys)
        now = min(node - (1 << digits), kernels - 1)
        gap = usual.get((kernel, now), usual.get((kernel, kernel), 0))
        if other:
            gap = max(other[0] + offset - place, 0)
        contexts = now, min(abs(error).bit_length(), 15), min(kernel, 15)
        error = gaps.number(coder, contexts)
        step = max(gap + error, 0)
        if other and abs(error) < 32:
            offset = place + step - other[0]
        usual[kernel, now] = step
        place = min(place + step, length - 1)
        former = last.get(now, 0)
        height = former + heights.number(coder, (now, 0, min(abs(former).bit_length(), 31)))
        last[now] = height if former == 0 else (former + height) >> 1
        spikes.append((place, now, height))
        before, kernel = kernel, now
    return spikes


def phases_of(spikes, kernels, length):
    phases, size = [0] * length, len(kernels[0][1])
    for place, kernel, _ in spikes:
        weights = [abs(weight) for weight in kernels[kernel][1]]
        middle = place + weights.index(max(weights)) - (size - 1) // 2
        last = min(length, middle + size // 2 + size // 4)
        for t in range(max(0, middle - size // 2), last):
            away = (t - middle) * 256 // size
            far = abs(away)
            if far < 32:
                step = far >> 1
            elif far < 64:
                step = 16 + ((far - 32) >> 2)
            else:
                step = 24 + min((far - 64) >> 3, 31)
            phases[t] = 1 + min(2 * step + (away < 0), 254)
    return phases


def most_spikes(version, length, size, samples):
    """Return how many spikes a track may have in a chunk of so many samples of all tracks."""
    cover, drawn = {1: (4096, 2**33), 2: (64, 2**30)}[version]
    cover = min(cover, drawn // samples)
    return min(length, cover * length // min(size, length))


def described(coder, length, kernels, companion, version, samples):
    """Return the numbers of a track, and what the next one is compared with."""
    offset = coder.whole()
    offset = -offset if coder.bit(32768) else offset
    step, spikes, phases = coder.whole(), [], [0] * length
    if kernels:
        most = most_spikes(version, length, len(kernels[0][1]), samples)
        spikes = spikes_of(coder, len(kernels), length, companion[0], most)
        phases = phases_of(spikes, kernels, length)
    levels = Coefficients().read(coder, length, phases, companion[1])
    most = 2**44 // max(step, 1)
    signal = synthesise([clip(level, -most, most) * step for level in levels])
    for place, kernel, height in spikes:
        shift, weights = kernels[kernel]
        first = place - (len(weights) - 1) // 2
        for t, weight in enumerate(weights):
            if 0 <= first + t < length:
                signal[first + t] += (height * weight + ((1 << shift) >> 1)) >> shift
    return [((value + 128) >> 8) + offset for value in signal], (spikes, levels)


def missing_of(coder, length):
    mask = [False] * length
    if not coder.bit(32768):
        return mask
    begin, now = 0, False
    while begin < length:
        end = min(begin + coder.whole(), length)
        if end == begin and (begin or now):
            end = length
        mask[begin:end] = [now] * (end - begin)
        begin, now = end, not now
    return mask


def stored(numbers, mask, track):
    """Return numbers as samples of the type of a track."""
    size, signed = RANGES[track["dtype"]]
    low = -(1 << (8 * size - 1)) if signed else 0
    high, missing = low + (1 << (8 * size)) - 1, track.get("missing")
    samples = []
    for value, absent in zip(numbers, mask, strict=True):
        sample = clip(value, low, high)
        if sample == missing:
            sample += 1 if missing < high else -1
        samples.append(missing if absent else sample)
    return samples


def read(data):
    """Return the samples of each track of a stream."""
    (first, *middle, last), begins = sections(data)
    assert (first[0], last[0]) == (b"H", b"E")
    header, attachments = inflate(first[1])
    tracks = header["tracks"]
    assert len(attachments) == sum(size for _, size in header["attachments"])
    assert not header["quanta"], "floating-point numbers"
    kernels = [[] for _ in tracks]
    if middle and middle[0][0] == b"K":
        kernels = kernels_of(middle.pop(0)[1], len(tracks))
    end, rest = inflate(last[1])
    assert not rest
    places = [sum(end["chunks"][: i + 1]) for i in range(len(end["chunks"]))]
    assert places == begins[-1 - len(places) : -1]
    samples = [[] for _ in tracks]
    version, per_frame = data[4], sum(track.get("per_frame", 1) for track in tracks)
    if version == 2:
        assert header["chunk"] == 1 or header["chunk"] * per_frame <= 2**21, "no image"
    groups = {}
    for i, track in enumerate(tracks):
        key = track.get("per_frame", 1), track["dtype"], track.get("exact", False)
        groups.setdefault(key, []).append(i)
    for expected, (kind, content) in enumerate(middle):
        assert kind == b"C"
        chunk, place = number(content, 0)
        frames, place = number(content, place)
        assert chunk == expected
        for members, part in zip(groups.values(), parts_of(content[place:]), strict=True):
            (head,) = parts_of(part)
            coder, companion = Coder(head), ([], None)
            for i in members:
                length = frames * tracks[i].get("per_frame", 1)
                way, kind, digits = coder.plain(2), coder.plain(2), coder.plain(4)
                assert (way, kind, digits) == (2, 0, 0), "a way that this reader does not know"
                mask = missing_of(coder, length)
                numbers, companion = described(
                    coder, length, kernels[i], companion, version, frames * per_frame
                )
                if width := coder.whole():
                    numbers = corrected(coder, numbers, width)
                samples[i] += stored(numbers, mask, tracks[i])
    assert len(samples[0]) == end["frames"] * tracks[0].get("per_frame", 1)
    return samples


def corrected(coder, numbers, width):
    count, gaps, sizes = min(coder.whole(), len(numbers)), Mixer(3), Mixer(3)
    place, last, before, size, numbers = -1, 0, 0, 0, list(numbers)
    for _ in range(count):
        lengths = [min(value.bit_length(), 15) for value in (last, before, last + before)]
        gap = abs(gaps.number(coder, lengths))
        place = min(place + 1 + gap, len(numbers) - 1)
        size = sizes.number(coder, (clip(size + 8, 0, 15), min(gap.bit_length(), 15), 0))
        numbers[place] += size * width
        before, last = last, gap
    return numbers
