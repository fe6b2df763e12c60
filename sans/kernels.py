"""Kernels as arrays: to look at, to export, and to put into a network again.

from sans.kernels import load_kernels

kernels = load_kernels("runs/mitdb-extrema-229")
kernels.plot()
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from sans.configs import ModelConfig
from sans.errors import ModelError
from sans.files import written_whole
from sans.model_files import read_model
from sans.runs import find_model

if TYPE_CHECKING:
    from sans.model import SAN
    from sans.plots import Picture, Share

Kernel = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Kernels(Sequence[Kernel]):
    """The kernels of a network, in order: a sequence of arrays ``(size,)`` or ``(size, size)``.

    In Jupyter they show as a picture.

    Examples:
        >>> import numpy as np
        >>> from sans import Kernels, ModelConfig
        >>> config = ModelConfig(kernel_sizes=(3,))
        >>> kernels = Kernels((np.ones(3, np.float32),), config, "mine", 250.0)
        >>> kernels
        <1 kernel of 3 samples, extrema from mine>
        >>> kernels[0].tolist(), kernels.sizes
        ([1.0, 1.0, 1.0], (3,))
    """

    arrays: tuple[Kernel, ...]
    """The weights of each kernel."""

    config: ModelConfig
    """What the network is."""

    dataset: str | None = None
    """The data set that they were learned from."""

    rate: float | None = None
    """Samples per second of that data set; None for images and where it is not known."""

    @property
    def names(self) -> tuple[str, ...]:
        """A name for every kernel, from kernel-1 on."""
        return tuple(f"kernel-{i + 1}" for i in range(len(self)))

    @property
    def sizes(self) -> tuple[int, ...]:
        """The samples along a side of every kernel."""
        return self.config.kernel_sizes

    @property
    def activation(self) -> str:
        """The activation that they were learned with, or "pursuit"."""
        return self.config.label

    def __len__(self) -> int:
        return len(self.arrays)

    @overload
    def __getitem__(self, index: int) -> Kernel: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Kernel]: ...
    def __getitem__(self, index: int | slice) -> Kernel | Sequence[Kernel]:
        return self.arrays[index]

    def __iter__(self) -> Iterator[Kernel]:
        return iter(self.arrays)

    def __repr__(self) -> str:
        sizes = ", ".join(str(size) for size in self.sizes)
        count = f"{len(self)} kernel{'s' if len(self) > 1 else ''}"
        source = f" from {self.dataset}" if self.dataset else ""
        return f"<{count} of {sizes} samples, {self.activation}{source}>"

    def plot(self, shares: Sequence[Share] | None = None, described: str = "") -> Picture:
        """Return a picture of the kernels; a notebook shows it.

        Args:
            shares: of each kernel in the description of some signals; None: not known.
            described: which signals, such as "4 test signals".
        """
        from sans.plots import plot_kernels

        title = self.dataset or ""
        if shares and described and len(self) > 1:
            title += f"{', ' if title else ''}shares in {described}"
        return plot_kernels(self.arrays, self.names, self.rate, shares, title)

    def model(self) -> SAN:
        """Return the network that these kernels make."""
        import torch

        from sans.model import SAN

        return SAN(self.config, [torch.from_numpy(kernel) for kernel in self.arrays])

    def save(self, path: Path | str) -> None:
        """Write the weights as `.npy` or `.csv`, by the suffix of `path`.

        Kernels of different sizes are filled up with NaN (`.npy`) or empty cells (`.csv`). The
        `.npy` holds ``(kernels, *side)``; the `.csv` has a column for each kernel and a row for
        each weight, images row by row.

        Raises:
            ValueError: if the suffix is another.
            ModelError: if the file cannot be written.
        """
        path = Path(path)
        writers = {".npy": self._npy, ".csv": self._csv}
        if path.suffix not in writers:
            raise ValueError(
                f"kernels are saved as .npy or .csv, not as {path.suffix or path.name!r}"
            )
        content = writers[path.suffix]()
        with written_whole(path, ModelError) as file:
            file.write(content)

    def _npy(self) -> bytes:
        side = max(self.sizes)
        filled = np.full((len(self), *(side,) * self.config.dimensions), np.nan, np.float32)
        for kernel, place in zip(self.arrays, filled, strict=True):
            place[tuple(slice(size) for size in kernel.shape)] = kernel
        buffer = io.BytesIO()
        np.save(buffer, filled)
        return buffer.getvalue()

    def _csv(self) -> bytes:
        space = ("sample",) if self.config.dimensions == 1 else ("row", "column")
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow((*space, *self.names))
        for place in np.ndindex((max(self.sizes),) * self.config.dimensions):
            cells = [kernel[place] if max(place) < len(kernel) else "" for kernel in self.arrays]
            writer.writerow((*place, *cells))
        return buffer.getvalue().encode()

    def _repr_png_(self) -> bytes:
        return self.plot()._repr_png_()


def load_kernels(run: Path | str | None = None) -> Kernels:
    """Return the kernels of a run.

    Args:
        run: the folder of a run or a model file; None: the newest run under `runs/`.

    Raises:
        ModelError: if there is no such run, or its model is damaged.

    Examples:
        >>> from sans import SAN, ModelConfig, load_kernels
        >>> SAN(ModelConfig(kernel_sizes=(15, 31))).save("model.safetensors", {"dataset": "mine"})
        >>> load_kernels("model.safetensors")
        <2 kernels of 15, 31 samples, extrema from mine>
    """
    stored = read_model(find_model(run))
    dataset, rate = stored.about.get("dataset"), stored.about.get("rate")
    return Kernels(stored.kernels, stored.config, dataset, rate)
