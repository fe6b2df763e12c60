"""Learn the starting set of the codec again: kernels that many people's hearts have in common.

    python benchmarks/starting_set.py sans/codec/description/starting-set.bin

reads the records of `physionet/mitdb-lead1` below $SANS_DATA, takes some minutes of each, scaled to
one standard deviation, and learns kernels from all of them together. `--leave 100,101` leaves
records out, for benchmarks on these.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.descriptions import baseline_free
from sans.codec.description.learning import learn
from sans.codec.description.starting_set import NORM
from sans.codec.description.stored_kernels import threshold_of
from sans.codec.description.waveforms import pack_all_waveforms, quantise
from sans.recordings import open_recording

FOLDER = "physionet/mitdb-lead1"
SAMPLES = 2**15
"""Of each record."""

SIZE, KERNELS = 256, 16
SCALE = 200.0
"""Standard deviations become this, in units."""

STEP = 24
"""Of the coefficients of kernels of norm `NORM`, in units."""


def learned(left_out: Sequence[str] = ()) -> NDArray[np.float64]:
    """Return kernels ``(KERNELS, SIZE)`` of norm 1, learned from all records but some."""
    folder = Path(os.environ["SANS_DATA"], FOLDER)
    records = [path for path in sorted(folder.glob("*.hea")) if path.stem not in left_out]
    signals = []
    for path in records:
        block = next(open_recording(path).blocks(4 * SAMPLES))
        numbers = block[0][-SAMPLES:].astype(np.float64)
        scaled = numbers * (SCALE / numbers.std())
        signals.append(baseline_free(np.rint(scaled).astype(np.int64)))
    return learn(np.concatenate(signals), KERNELS, SIZE, threshold_of(signals, SIZE, 1.0))


def packed(kernels: NDArray[np.float64]) -> bytes:
    """Return kernels of norm 1 as the bytes of a starting set."""
    shifts = np.zeros(len(kernels), np.int64)
    return pack_all_waveforms([quantise(kernels * NORM, STEP << 8, shifts)])


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--leave", default="", help="records to leave out, with commas between")
    arguments = parser.parse_args()
    data = packed(learned(tuple(filter(None, arguments.leave.split(",")))))
    arguments.output.write_bytes(data)
    print(f"{arguments.output}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
