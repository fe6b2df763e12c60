"""Spikes in integers: where which kernel is drawn how strongly; coding them, drawing them.

The kernel of a spike is expected from the kernels of the spikes before it, its place from the last
gap between the same two kernels, its amplitude from the last one of the same kernel: a heart that
beats regularly is cheap. Spikes of a second signal are expected at the places
of those of the first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.coefficients import PHASES
from sans.codec.description.waveforms import Waveforms, origin
from sans.codec.entropy.mixing import Mixer, code_mixed, mixer
from sans.codec.entropy.numbers import EACH, code_number, code_whole, digits_of
from sans.codec.entropy.range_coder import Coder, position
from sans.codec.versions import Version
from sans.compilation.decorators import compiled, inlined
from sans.errors import BitstreamError

Integers = NDArray[np.int64]

KERNEL_BITS = 6
"""Digits of the number of a kernel: there are 64 at most."""

KERNELS = 1 << KERNEL_BITS


class Spikes(NamedTuple):
    """Spikes of one signal, by place."""

    place: Integers
    """``(spikes,)``: where the origin of the kernel lies, in samples; never falling."""

    kernel: Integers
    """``(spikes,)``: which kernel."""

    amplitude: Integers
    """``(spikes,)``: how strongly, in steps of the kernel's own size; not zero."""


class SpikeModel(NamedTuple):
    """What coding spikes has learned so far."""

    kernels: Mixer
    """The model of the digits of a kernel's number."""

    gaps: Mixer
    """The model of the samples between two spikes, as `sans.codec.entropy.numbers` codes them."""

    amplitudes: Mixer
    """The model of amplitudes, likewise."""


def no_spikes(count: int) -> Spikes:
    """Return room for spikes."""
    return Spikes(np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64))


def code_spikes(
    coder: Coder,
    spikes: Spikes,
    waveforms: Waveforms,
    length: int,
    companion: Spikes,
    version: Version,
    bits: NDArray[np.float64] | None = None,
) -> Spikes:
    """Write spikes, or read and return them.

    Args:
        coder: a writer or a reader.
        spikes: what is written; a reader does not look at them.
        waveforms: the kernels, from 1 to `KERNELS`.
        length: samples of the signal; a reader returns no place beyond, and no more spikes.
        companion: the spikes of a signal that has been coded before; or none.
        version: of the stream, with the rules of the chunk.
        bits: ``(3,)`` or more, if given: what kernels, places and amplitudes take is added to it.

    Raises:
        BitstreamError: if there are more spikes than the rules allow.
    """
    kernels, size = waveforms.weights.shape
    most = version.most_spikes(length, size)
    taken = np.zeros(3) if bits is None else bits  # compiled code wants an array in any case
    count = min(code_whole(coder, len(spikes.place)), length)
    if count > most:
        raise BitstreamError(f"damaged: {count} spikes in {length} samples, at most {most} may be")
    found = no_spikes(count)
    _code_all(coder, _model(), spikes, found, kernels, length, companion, taken)
    return found


def _model() -> SpikeModel:
    """Return a model that has seen nothing."""
    each = 3 * KERNELS * EACH
    return SpikeModel(mixer(4 * KERNELS * KERNELS, 1, 4), mixer(each, 1, 3), mixer(each, 1, 3))


@compiled
def _code_all(
    coder: Coder,
    model: SpikeModel,
    spikes: Spikes,
    found: Spikes,
    kernels: int,
    length: int,
    companion: Spikes,
    bits: NDArray[np.float64],
) -> None:
    """Write spikes, or read them, and fill in those that are found; see `code_spikes`."""
    usual = np.full((KERNELS, KERNELS), -1, np.int64)
    last = np.zeros(KERNELS, np.int64)
    place = kernel = error = beside = offset = before = 0
    for i in range(len(found.place)):
        wanted = int(spikes.kernel[i]) if len(spikes.place) else 0
        while beside < len(companion.place) and companion.place[beside] + offset <= place:
            beside += 1
        before_kernel = position(coder)
        hint = int(companion.kernel[beside]) if beside < len(companion.place) else 0
        now = _code_kernel(coder, model.kernels, kernel, before, hint, kernels, wanted)
        before_place = position(coder)
        gap = int(usual[kernel, now] if usual[kernel, now] >= 0 else usual[kernel, kernel])
        if beside < len(companion.place):
            gap = int(companion.place[beside]) + offset - place
        gap = max(gap, 0)
        value = int(spikes.place[i]) - place - gap if len(spikes.place) else 0
        size = min(digits_of(abs(error)), 15)
        contexts = (now, KERNELS + size, 2 * KERNELS + min(kernel, 15))
        error = code_number(coder, model.gaps, contexts, value)
        step = max(gap + error, 0)
        if beside < len(companion.place) and abs(error) < 32:
            offset = place + step - int(companion.place[beside])
        usual[kernel, now] = step
        place = min(place + step, length - 1)
        before_height = position(coder)
        usually = int(last[now])
        value = int(spikes.amplitude[i]) - usually if len(spikes.place) else 0
        contexts = (now, int(np.int64(KERNELS)), 2 * KERNELS + min(digits_of(abs(last[now])), 31))
        height = usually + code_number(coder, model.amplitudes, contexts, value)
        found.place[i], found.kernel[i], found.amplitude[i] = place, now, height
        # Half way from what was expected to what came.
        last[now] = height if usually == 0 else (usually + height) >> 1
        before, kernel = kernel, now
        bits[0] += before_place - before_kernel
        bits[1] += before_height - before_place
        bits[2] += position(coder) - before_height


@inlined
def _code_kernel(
    coder: Coder, model: Mixer, last: int, before: int, hint: int, kernels: int, wanted: int
) -> int:
    """Code which kernel: digit by digit, the highest first."""
    stream, registers = coder.stream, coder.registers
    slots, weights, chosen, logits = model.slots, model.weights, model.chosen, model.logits
    node, zero = 1, int(np.int64(0))
    for digit in range(digits_of(kernels - 1) - 1, -1, -1):
        chosen[0] = last * KERNELS + node
        chosen[1] = KERNELS * KERNELS + ((last ^ (before << 3)) & 63) * KERNELS + node
        chosen[2] = 2 * KERNELS * KERNELS + hint * KERNELS + node
        chosen[3] = 3 * KERNELS * KERNELS + node
        given = (wanted >> digit) & 1
        bit = code_mixed(stream, registers, slots, weights, chosen, logits, zero, zero, given)
        node = (node << 1) | bit
    return min(node - (1 << digits_of(kernels - 1)), kernels - 1)


@compiled
def draw(spikes: Spikes, waveforms: Waveforms, length: int) -> Integers:
    """Return what spikes draw, ``(length,)``, in the integers of `wavelets`."""
    drawn = np.zeros(length, np.int64)
    size = waveforms.weights.shape[1]
    for i in range(len(spikes.place)):
        kernel, height = spikes.kernel[i], spikes.amplitude[i]
        shift = waveforms.shifts[kernel]
        half = (1 << shift) >> 1
        first = spikes.place[i] - origin(size)
        for t in range(max(0, -first), min(size, length - first)):
            drawn[first + t] += (height * waveforms.weights[kernel, t] + half) >> shift
    return drawn


@compiled
def phases_of(spikes: Spikes, waveforms: Waveforms, length: int) -> NDArray[np.uint8]:
    """Return where between spikes every sample lies, ``(length,)``: 0 is far from all of them.

    Steps are two samples wide within 32 samples of where the nearest kernel is strongest, then
    four, then eight, for kernels of 256 samples, and in proportion for others.
    """
    phases = np.zeros(length, np.uint8)
    size = waveforms.weights.shape[1]
    before, after = size // 2, size // 2 + size // 4
    around = np.zeros(before + after, np.uint8)
    for t in range(before + after):
        around[t] = 1 + _phase(((t - before) * 256) // size)
    for i in range(len(spikes.place)):
        first = spikes.place[i] + waveforms.middles[spikes.kernel[i]] - before
        for t in range(max(0, -first), min(before + after, length - first)):
            phases[first + t] = around[t]
    return phases


@inlined
def _phase(away: int) -> int:
    """Return the step of a sample that lies so far behind the middle of a spike."""
    far = abs(away)
    if far < 32:
        step = far >> 1
    elif far < 64:
        step = 16 + ((far - 32) >> 2)
    else:
        step = 24 + min((far - 64) >> 3, 31)
    return min(2 * step + (1 if away < 0 else 0), PHASES - 2)
