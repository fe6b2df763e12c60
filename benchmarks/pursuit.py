"""How fast a pursuit describes signals and images, beside a plain loop, SPORCO and alphacsc.

    python benchmarks/pursuit.py [--peers PYTHON] [--longest 4000000] [--rounds 5] [--record]

Every figure is measured in this run, on one core unless a row says otherwise. The plain loop takes
one spike at a time and refits all amplitudes, in numpy, as one would write it first. SPORCO
(ConvBPDN by ADMM) and alphacsc (locally greedy coordinate descent) minimise squares plus λ times
the sum of amplitudes. PYTHON is a python that has them, which need not have this package:

    python3.11 -m venv peers && peers/bin/pip install sporco alphacsc "numpy<2"

All get the same signal and kernels. Of what a peer finds the largest amplitudes are kept, as many
as the pursuit has spikes, and refitted by least squares at their places, which is not timed; of
several λ and tolerances those with the least error then are shown, with their time alone, after a
run to warm up. alphacsc knows no negative amplitudes: it gets every kernel with either sign.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402 - it asks at once how many threads there are
from figure_files import DATA, PURSUITS, Table, add_record, report  # noqa: E402 - beside this one
from numpy.typing import NDArray  # noqa: E402

Array = NDArray[Any]
Spikes = tuple[Array, Array]
"""Kernel and first sample of every spike."""

KERNELS, SIZE = 8, 64
PER_THOUSAND = 30
"""Spikes per 1,000 samples."""

LAMBDAS = (0.3, 0.1, 0.03, 0.01)
"""Shares of the largest similarity, at which the first amplitude appears."""

TOLERANCES = (0.1, 0.01)
"""How exactly a peer solves; less exactly takes less time, and can leave larger amplitudes."""

PIXELS, SPOTS = 5, 40
"""Samples along a side of the kernels of images, and spikes an image."""

MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A small process in between: a child's memory counts from what its parent held."""

Row = tuple[str | float | None, ...]

SOURCES = (*DATA, *PURSUITS, "sans/compilation/decorators.py", "sans/convolution", "sans/selection")

COMPARED = Table(
    "pursuit-peers",
    {
        "": "{}",
        "settings": "{}",
        "seconds": "{:.4f}",
        "against sans": "{:,.0f} ×",
        "spikes": "{}",
        "PRDN, %": "{:.2f}",
    },
    (":peer_rows", ":run_peer", *SOURCES),
)

LENGTHS = Table(
    "pursuit-lengths",
    {
        "samples": "{:,}",
        "million samples/s, 30 per 1,000": "{:.2f}",
        "until φ stops falling": "{:.2f}",
    },
    (":length_rows", *SOURCES),
)

IMAGES = Table(
    "pursuit-images",
    {
        f"MNIST, 4 kernels of {PIXELS} × {PIXELS}": "{}",
        "images/s": "{:,.0f}",
        "two threads": "{:,.0f}",
        "plain loop": "{:.0f} ×",
    },
    (":image_rows", *SOURCES),
)

WINDOWS = Table(
    "pursuit-windows",
    {"6 windows of 1,000, 3 kernels, until φ stops falling": "{}", "ms": "{:.2f}"},
    (":window_rows", *SOURCES),
)

BANKS = Table(
    "pursuit-banks",
    {
        "ten Hann bumps of 1 to 513 samples": "{}",
        "million samples/s": "{:.2f}",
        "spikes per 1,000": "{:.1f}",
        "against 8 kernels of 64": "{:.2f} ×",
    },
    (":bank_rows", *SOURCES),
)

MEMORY = Table(
    "pursuit-memory",
    {"samples": "{:,}", "memory, MB": "{:,.0f}", "beyond the signal": "{:,.0f}"},
    (":memory_rows", ":describe", *SOURCES),
)


def unit(kernel: Array) -> Array:
    """Return a kernel of norm 1."""
    return kernel / np.linalg.norm(kernel)


def recording(data_dir: Path | None) -> Array:
    """Return the first 12,000 samples of the usual record of mitdb, cut and scaled as usual."""
    from sans.datasets import DataConfig, load

    data = load(DataConfig(dataset="mitdb", data_dir=data_dir))
    parts = (data.training, data.validation, data.test)
    return np.concatenate([part.signals.reshape(-1) for part in parts]).astype(np.float64)


def pieces(signal: Array, count: int, size: int) -> list[Array]:
    """Return kernels cut out of a signal at random."""
    begins = np.random.default_rng(0).integers(len(signal) - size, size=count)
    return [unit(signal[begin : begin + size]) for begin in begins]


def digits(count: int, data_dir: Path | None) -> tuple[Array, list[Array]]:
    """Return test images of MNIST, and kernels cut out of them at random."""
    from sans.datasets import DataConfig, load

    images = load(DataConfig(dataset="mnist", data_dir=data_dir)).test.signals[:, 0]
    random, kernels = np.random.default_rng(0), []
    while len(kernels) < 4:
        y, x = random.integers(8, 16, 2)
        kernels.append(unit(images[len(kernels), y : y + PIXELS, x : x + PIXELS] + 1e-3))
    return images[:count].astype(np.float64), kernels


def long_signal(length: int, data_dir: Path | None) -> Array:
    """Return the recording again and again, with noise, so that nothing comes back exactly."""
    noise = np.random.default_rng(0).standard_normal(length)
    return (np.resize(recording(data_dir), length) + 0.05 * noise).astype(np.float32)


def seconds(task: Callable[[], object], rounds: int) -> float:
    """Return the median time of a task, after once to warm up."""
    task()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def error(signal: Array, left: Array) -> float:
    """Return the PRDN, in percent."""
    return float(100 * np.linalg.norm(left) / np.linalg.norm(signal - signal.mean()))


def atoms_at(spikes: Spikes, kernels: Array, length: int) -> Array:
    """Return the atoms of spikes, a row each, cut off where the signal ends."""
    atoms = np.zeros((len(spikes[0]), length))
    for atom, kernel, begin in zip(atoms, *spikes, strict=True):
        end = min(length, begin + kernels.shape[1])
        atom[begin:end] = kernels[kernel][: end - begin]
    return atoms


def left_by(spikes: Spikes, signal: Array, kernels: Array) -> Array:
    """Return what spikes leave of a signal with amplitudes of the least sum of squares."""
    atoms = atoms_at(spikes, kernels, len(signal))
    amplitudes = np.linalg.lstsq(atoms @ atoms.T, atoms @ signal, rcond=None)[0]
    return signal - amplitudes @ atoms


def plain_pursuit(signal: Array, kernels: Array, count: int) -> Array:
    """Take the atom that meets the residual best, refit all; return what `count` of them leave."""
    atoms, left = np.zeros((count, len(signal))), signal
    for taken in range(count):
        similarity = np.stack([np.correlate(left, kernel, "valid") for kernel in kernels])
        kernel, begin = np.unravel_index(np.abs(similarity).argmax(), similarity.shape)
        atoms[taken, begin : begin + kernels.shape[1]] = kernels[kernel]
        own = atoms[: taken + 1]
        amplitudes = np.linalg.lstsq(own @ own.T, own @ signal, rcond=None)[0]
        left = signal - amplitudes @ own
    return left


def plain_images(images: Array, kernels: list[Array], count: int) -> None:
    """Do the same for images, with all atoms that there are in one matrix."""
    height, width = images.shape[1:]
    atoms = []
    for kernel in kernels:
        for y in range(height - PIXELS + 1):
            for x in range(width - PIXELS + 1):
                atom = np.zeros((height, width))
                atom[y : y + PIXELS, x : x + PIXELS] = kernel
                atoms.append(atom.ravel())
    matrix = np.array(atoms)
    for image in images.reshape(len(images), -1):
        left, taken = image, []
        for _ in range(count):
            taken.append(int(np.abs(matrix @ left).argmax()))
            own = matrix[taken]
            left = image - np.linalg.lstsq(own @ own.T, own @ image, rcond=None)[0] @ own


def by_sporco(signal: Array, kernels: Array, strength: float, tolerance: float) -> Array:
    """Return the activations that SPORCO finds, ``(kernels, samples)``, by first samples."""
    from sporco.admm import cbpdn

    options = cbpdn.ConvBPDN.Options({"MaxMainIter": 500, "RelStopTol": tolerance})
    solver = cbpdn.ConvBPDN(kernels.T, signal, strength, options, dimK=0, dimN=1)
    return solver.solve().reshape(len(signal), len(kernels)).T


def by_alphacsc(signal: Array, kernels: Array, strength: float, tolerance: float) -> Array:
    """Return the activations that alphacsc finds, ``(kernels, places)``, by first samples."""
    from alphacsc.update_z_multi import update_z_multi

    both = np.concatenate((kernels, -kernels))[:, None]
    options = {"tol": tolerance, "max_iter": 10**6}
    found, *_ = update_z_multi(
        signal[None, None], both, reg=strength, solver="lgcd", solver_kwargs=options
    )
    positive, negative = np.asarray(found)[0].reshape(2, len(kernels), -1)
    return positive - negative


PEERS = {"SPORCO": by_sporco, "alphacsc": by_alphacsc}


def run_peer(peer: str, folder: Path) -> None:
    """Describe the signal in a folder by one of the peers; leave spikes and seconds there."""
    given = np.load(folder / "given.npz")
    signal, kernels, count = given["signal"], given["kernels"], int(given["count"])
    largest = max(np.abs(np.correlate(signal, kernel)).max() for kernel in kernels)
    PEERS[peer](signal, kernels, 0.5 * largest, 0.1)  # compiles
    found: dict[str, Array] = {}
    for share, tolerance in itertools.product(LAMBDAS, TOLERANCES):
        start = time.perf_counter()
        activations = PEERS[peer](signal, kernels, share * largest, tolerance)
        name = f"λ {share:g} of its largest, tolerance {tolerance:g}"
        found[f"{name}/seconds"] = np.array(time.perf_counter() - start)
        strongest = np.argsort(-np.abs(activations), axis=None)[:count]
        strongest = strongest[activations.ravel()[strongest] != 0]
        found[f"{name}/spikes"] = np.stack(np.unravel_index(strongest, activations.shape))
    np.savez(folder / f"{peer}.npz", **found)  # type: ignore[arg-type]


def peer_row(python: Path, peer: str, folder: Path) -> tuple[float, Spikes, str] | None:
    """Return seconds, spikes and settings of a peer's best code; None where it does not run."""
    command = [str(python), "-W", "ignore", __file__, "--run-peer", peer, "--folder", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(f"{peer}: {result.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    given, found = np.load(folder / "given.npz"), np.load(folder / f"{peer}.npz")
    rows = []
    for name in sorted({name.partition("/")[0] for name in found.files}):
        kernel, begin = found[f"{name}/spikes"]
        left = left_by((kernel, begin), given["signal"], given["kernels"])
        took = float(found[f"{name}/seconds"])
        rows.append((float(np.linalg.norm(left)), took, (kernel, begin), name))
    _, took, spikes, name = min(rows, key=lambda row: row[0])
    return took, spikes, name


def peer_rows(signal: Array, python: Path | None, rounds: int) -> Iterator[Row]:
    """Yield time and error of everybody on the same signal, kernels and count of spikes."""
    from sans.pursuit.encoder import pursue
    from sans.pursuit.stop import Stop

    kernels, count = np.stack(pieces(signal, KERNELS, SIZE)), len(signal) * PER_THOUSAND // 1000
    stop = Stop("count", count)
    own = seconds(lambda: pursue(signal[None], kernels, stop), rounds)
    code = pursue(signal[None], kernels, stop)
    left = signal - code.draw(kernels)[0]
    yield "sans", None, own, 1, len(code.signal), error(signal, left)
    plain = seconds(lambda: plain_pursuit(signal, kernels, count), 1)
    left = plain_pursuit(signal, kernels, count)
    yield "plain loop", None, plain, plain / own, count, error(signal, left)
    if python is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "given.npz"), signal=signal, kernels=kernels, count=count)
        for peer in PEERS:
            row = peer_row(python, peer, Path(folder))
            if row:
                took, spikes, about = row
                found = error(signal, left_by(spikes, signal, kernels))
                yield peer, about, took, took / own, len(spikes[0]), found


def length_rows(longest: int, data_dir: Path | None, rounds: int) -> Iterator[Row]:
    """Yield the rate over the length of a signal, by count and by φ."""
    from sans.pursuit.encoder import pursue
    from sans.pursuit.stop import Stop

    kernels = pieces(recording(data_dir), KERNELS, SIZE)
    for length in (12_000, 50_000, 200_000, 1_000_000, 4_000_000):
        if length <= longest:
            signals = long_signal(length, data_dir)[None]
            stops = (Stop("count", length * PER_THOUSAND // 1000), Stop())
            times = [
                seconds(partial(pursue, signals, kernels, stop), 1 if length > 10**6 else rounds)
                for stop in stops
            ]
            yield length, *(length / each / 1e6 for each in times)


def image_rows(data_dir: Path | None, rounds: int) -> Iterator[Row]:
    """Yield the rate on images, with one thread and with two."""
    from sans.pursuit.encoder import pursue
    from sans.pursuit.stop import Stop

    images, kernels = digits(2_000, data_dir)
    plain = 10 / seconds(lambda: plain_images(images[:10], kernels, SPOTS), 1)
    for about, stop, refit in (
        (f"{SPOTS} spikes", Stop("count", SPOTS), "squares"),
        ("until φ stops falling", Stop(), "squares"),
        ("the same, absolute", Stop(), "absolute"),
        ("the same, places", Stop(), "places"),
    ):
        some = images[:200] if refit == "places" else images
        one, two = (
            len(some)
            / seconds(
                lambda t=threads, s=stop, r=refit, i=some: pursue(i, kernels, s, r, threads=t),
                rounds,
            )
            for threads in (1, 2)
        )
        yield about, one, two, one / plain if stop.kind == "count" else None


def window_rows(signal: Array, rounds: int) -> Iterator[Row]:
    """Yield the time of describing a few windows, as learning does again and again."""
    from sans.pursuit.encoder import pursue

    windows = signal.reshape(-1, 1000)[:6]
    kernels = [
        piece[:size] for piece, size in zip(pieces(signal, 3, 60), (60, 30, 12), strict=True)
    ]
    for refit in ("squares", "absolute", "places"):
        yield refit, 1000 * seconds(partial(pursue, windows, kernels, refit=refit), 5 * rounds)


def bank_rows(data_dir: Path | None, rounds: int) -> Iterator[Row]:
    """Yield the rate on bumps of very different widths, of one lead and of two."""
    from sans.pursuit.dictionary import Dictionary
    from sans.pursuit.encoder import pursue
    from sans.pursuit.stop import Stop

    signal = long_signal(100_000, data_dir).astype(np.float64)
    widths = (1, *(2**power + 1 for power in range(1, 10)))
    bumps = [unit(np.hanning(width + 2)[1:-1]) for width in widths]
    plain = pieces(recording(data_dir), KERNELS, SIZE)
    compared = seconds(lambda: pursue(signal[None], plain, weights=0), rounds)
    noise = np.random.default_rng(1).standard_normal(len(signal))
    both = np.stack((signal, 0.5 * signal + 0.02 * noise))
    for about, leads, stop in (
        ("until φ stops falling", 1, Stop()),
        ("every one that draws 0.5", 1, Stop("threshold", 0.5)),
        ("until φ stops falling, two leads", 2, Stop()),
    ):
        pattern = unit(np.array([1.0, 0.5])[:leads])
        bank = Dictionary(tuple(np.outer(pattern, bump) for bump in bumps), leads)
        given = both[None, :leads]
        count = len(pursue(given, bank, stop, weights=0).signal)
        took = seconds(partial(pursue, given, bank, stop, weights=0), rounds)
        yield about, len(signal) / took / 1e6, 1000 * count / len(signal), took / compared


def memory_rows(longest: int, data_dir: Path | None) -> Iterator[Row]:
    """Yield the most memory that a process held which described a signal."""
    for length in (0, longest // 4, longest):
        command = [sys.executable, __file__, "--describe", str(length)]
        command += ["--data-dir", str(data_dir)] if data_dir else []
        outer = [sys.executable, "-S", "-c", MEASURE, *command]
        result = subprocess.run(outer, capture_output=True, text=True, check=True)
        held, own = int(result.stdout) / 1000, 4e-6 * length
        yield length, held, held - own


def describe(length: int, data_dir: Path | None) -> None:
    """Describe a signal of random samples, or none."""
    from sans.pursuit.encoder import pursue
    from sans.pursuit.stop import Stop

    kernels = pieces(recording(data_dir), KERNELS, SIZE)
    signals = np.random.default_rng(0).standard_normal((1, max(length, 20_000)), np.float32)
    pursue(signals, kernels, Stop("count", length * PER_THOUSAND // 1000))


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, help="where the data lie; default: $SANS_DATA")
    parser.add_argument("--peers", type=Path, help="a python that has SPORCO and alphacsc")
    parser.add_argument("--longest", type=int, default=4_000_000, help="samples of the longest")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions; the median counts")
    add_record(parser)
    parser.add_argument("--run-peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--describe", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run_peer:
        run_peer(options.run_peer, options.folder)
        return
    if options.describe is not None:
        describe(options.describe, options.data_dir)
        return
    signal = recording(options.data_dir)
    count = len(signal) * PER_THOUSAND // 1000
    print(f"{len(signal):,} samples of mitdb, {KERNELS} kernels of {SIZE}, {count} spikes:\n")
    report(COMPARED, peer_rows(signal, options.peers, options.rounds), options.record)
    rows = length_rows(options.longest, options.data_dir, options.rounds)
    report(LENGTHS, rows, options.record)
    report(IMAGES, image_rows(options.data_dir, options.rounds), options.record)
    report(WINDOWS, window_rows(signal, options.rounds), options.record)
    report(BANKS, bank_rows(options.data_dir, options.rounds), options.record)
    report(MEMORY, memory_rows(options.longest, options.data_dir), options.record)


if __name__ == "__main__":
    main()
