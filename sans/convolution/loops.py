"""Convolutions on the CPU: compiled loops on numpy arrays, each kernel by its own size.

Every entry is summed in the order of the taps, whatever is computed beside it: maps and drawings
have the same bits in any company. So have gradients of signals; those of images are summed over
frames, whose margin is the company's, and can differ in the last bit.
"""

from __future__ import annotations

import numpy as np

from sans.compilation.decorators import compiled, fused, reordered
from sans.convolution.frames import (
    Float,
    Floats,
    Frame,
    Integers,
    Taps,
    as_images,
    frame_for,
    framed,
    take,
    taps,
)


def correlate(signals: Floats, kernels: Floats, sizes: Integers) -> Floats:
    """Return the similarity of signals with kernels, as `sans.convolution.tensors.correlate`.

    Args:
        signals: ``(batch, 1, *space)``.
        kernels: ``(kernels, *side)``, origins aligned.
        sizes: samples along a side of each kernel, ``(kernels,)``.

    Returns:
        ``(batch, kernels, *space)``.
    """
    space, dimensions = signals.shape[2:], signals.ndim - 2
    frame = frame_for(space, kernels.shape[1:])
    frames = framed(as_images(signals[:, 0], dimensions), frame)
    found = np.empty((len(signals), len(kernels), frame.height, frame.width), signals.dtype)
    _correlate(frames, frame, as_images(kernels, dimensions), sizes, found)
    return found.reshape(len(signals), len(kernels), *space)


def decode(
    activations: Floats, kernels: Floats, sizes: Integers, models: int, decoder: str
) -> Floats:
    """Return what activations draw, as `sans.convolution.tensors.decode`.

    Args:
        activations: ``(batch, models * kernels, *space)``.
        kernels: ``(models * kernels, *side)``, origins aligned.
        sizes: samples along a side of each kernel, ``(models * kernels,)``.
        models: how many networks the kernels belong to, in order and in equal shares.
        decoder: "adjoint" or "paper".

    Returns:
        ``(batch, models, *space)``.
    """
    space, dimensions = activations.shape[2:], activations.ndim - 2
    frame = frame_for(space, kernels.shape[1:])
    drawn = np.empty((len(activations), models, frame.height, frame.width), activations.dtype)
    maps, kernels = as_images(activations, dimensions), as_images(kernels, dimensions)
    _decode(maps, frame, kernels, sizes, decoder == "paper", drawn)
    return drawn.reshape(len(activations), models, *space)


@compiled
def _correlate(
    frames: Floats, frame: Frame, kernels: Floats, sizes: Integers, found: Floats
) -> None:
    page = np.empty(frame.span, frames.dtype)
    for k in range(kernels.shape[0]):
        seeing = taps(kernels[k], sizes[k], frame, False)
        for b in range(frames.shape[0]):
            page[:] = 0
            add_correlation(frames[b], seeing, page)
            take(page, frame, found[b, k])


@compiled
def _decode(
    maps: Floats, frame: Frame, kernels: Floats, sizes: Integers, paper: bool, drawn: Floats
) -> None:
    each = maps.shape[1] // drawn.shape[1]
    canvas = np.empty(frame.size, maps.dtype)
    sheet = np.empty(frame.size, maps.dtype)
    places = np.empty(frame.height * frame.width, np.int64)
    for b in range(drawn.shape[0]):
        for m in range(drawn.shape[1]):
            canvas[:] = 0
            for k in range(m * each, (m + 1) * each):
                drawing = taps(kernels[k], sizes[k], frame, paper)
                spreading = taps(kernels[k], sizes[k], frame, not paper)
                count = spot(maps[b, k], frame, sheet, places)
                draw(sheet, places[:count], frame, drawing, spreading, canvas)
            take(canvas[frame.origin :], frame, drawn[b, m])


@compiled
def spot(activations: Floats, frame: Frame, sheet: Floats, places: Integers) -> int:
    """Lay activations ``(height, width)`` into a frame, note the places of those that are not zero.

    Args:
        activations: ``(height, width)``.
        frame: how the sheet lies.
        sheet: ``(frame.size,)``, written.
        places: room for ``(height * width,)``, written as far as there are activations.

    Returns:
        How many activations are not zero.
    """
    count = 0
    sheet[:] = 0
    for y in range(frame.height):
        for x in range(frame.width):
            place = y * frame.pitch + x
            sheet[frame.origin + place] = activations[y, x]
            places[count] = place
            count += activations[y, x] != 0  # without a branch: it cannot be predicted
    return count


@compiled
def draw(
    sheet: Floats, places: Integers, frame: Frame, drawing: Taps, spreading: Taps, canvas: Floats
) -> None:
    """Add to a canvas, a frame as the sheet, what activations draw.

    Args:
        sheet: the activations in their frame.
        places: where they are not zero.
        frame: how sheet and canvas lie.
        drawing: how an activation draws its kernel.
        spreading: the same the other way round: how an entry gathers what is drawn on it.
        canvas: ``(frame.size,)``, added to; its margin catches what is drawn beyond the border.
    """
    if is_dense(places, drawing, frame):
        add_correlation(sheet, spreading, canvas[frame.origin : frame.origin + frame.span])
    else:
        for place in places:
            add_taps(drawing, sheet[frame.origin + place], canvas[place:])


@compiled
def is_dense(places: Integers, of: Taps, frame: Frame) -> bool:
    """Return whether so many entries are not zero that it pays to go through all of them.

    A row of taps laid at one place takes as long as a tap at 64 entries, and 3 more for each of its
    own; the figures are measured.
    """
    return places.size * (64 + 3 * of.width) > of.width * frame.height * frame.width


@fused
def add_correlation(sheet: Floats, of: Taps, page: Floats) -> None:
    """Add to every entry of a page, from place 0 on, the sum of the taps laid there on a sheet."""
    # Four taps at a time: an entry of the page is then loaded and stored once for four products.
    tap, last = 0, of.weights.size
    while tap + 4 <= last:
        a, b, c, d = of.weights[tap : tap + 4]
        first, second = sheet[of.offsets[tap] :], sheet[of.offsets[tap + 1] :]
        third, fourth = sheet[of.offsets[tap + 2] :], sheet[of.offsets[tap + 3] :]
        for t in range(page.size):
            page[t] += a * first[t] + b * second[t] + c * third[t] + d * fourth[t]
        tap += 4
    while tap < last:
        a, first = of.weights[tap], sheet[of.offsets[tap] :]
        for t in range(page.size):
            page[t] += a * first[t]
        tap += 1


@fused
def add_taps(of: Taps, amplitude: Float, canvas: Floats) -> None:
    """Add the kernel, `amplitude` times, to a canvas that begins at the kernel's place."""
    for first in range(0, of.weights.size, of.width):
        row = canvas[of.offsets[first] :]
        for j in range(of.width):
            row[j] += amplitude * of.weights[first + j]


@reordered
def taps_met(of: Taps, sheet: Floats) -> Float:
    """Return the sum of the taps laid on a sheet that begins at the kernel's place."""
    total = of.weights.dtype.type(0)
    for first in range(0, of.weights.size, of.width):
        row = sheet[of.offsets[first] :]
        for j in range(of.width):
            total += row[j] * of.weights[first + j]
    return total


@fused
def add_met(of: Taps, amplitude: Float, sheet: Floats, sums: Floats) -> None:
    """Add what every tap meets on a sheet that begins at the kernel's place, `amplitude` times."""
    for first in range(0, of.weights.size, of.width):
        row = sheet[of.offsets[first] :]
        for j in range(of.width):
            sums[first + j] += amplitude * row[j]


@reordered
def add_products(page: Floats, sheet: Floats, of: Taps, sums: Floats) -> None:
    """Add for every tap the sum over a page of its entries times what the tap meets on a sheet.

    Args:
        page: ``(frame.span,)``, from place 0 on.
        sheet: ``(frame.size,)``.
        of: the taps; their weights do not matter.
        sums: ``(weights,)``, added to.
    """
    tap, last = 0, of.offsets.size
    while tap + 4 <= last:
        first, second = sheet[of.offsets[tap] :], sheet[of.offsets[tap + 1] :]
        third, fourth = sheet[of.offsets[tap + 2] :], sheet[of.offsets[tap + 3] :]
        a = b = c = d = sums.dtype.type(0)
        for t in range(page.size):
            a += page[t] * first[t]
            b += page[t] * second[t]
            c += page[t] * third[t]
            d += page[t] * fourth[t]
        sums[tap] += a
        sums[tap + 1] += b
        sums[tap + 2] += c
        sums[tap + 3] += d
        tap += 4
    while tap < last:
        first, a = sheet[of.offsets[tap] :], sums.dtype.type(0)
        for t in range(page.size):
            a += page[t] * first[t]
        sums[tap] += a
        tap += 1
