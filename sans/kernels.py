"""Kernels as arrays: to look at, to export, and to put into a network again.

from sans.kernels import load_kernels

kernels = load_kernels("runs/mitdb-extrema-229")
kernels.plot()
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from sans.configs import ModelConfig
from sans.errors import ModelError
from sans.files import written_whole
from sans.model_files import read_model
from sans.model_kernels import drawn_kernels
from sans.names import plural
from sans.runs import find_model

if TYPE_CHECKING:
    from sans.families import Nearest
    from sans.model import SAN
    from sans.plots import Picture, Share

Kernel = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Kernels(Sequence[Kernel]):
    """The kernels of a network, in order: a sequence of arrays ``(size,)`` or ``(size, size)``.

    Those of several leads and full rank have leads first. In Jupyter they show as a picture.

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

    patterns: tuple[NDArray[np.float32] | None, ...] = ()
    """What each kernel draws in every lead, ``(leads,)``; None for a kernel of full rank, and none
    at all for signals of one lead."""

    leads: tuple[str, ...] = ()
    """What the leads are called, where there are several and it is known."""

    @property
    def names(self) -> tuple[str, ...]:
        """A name for every kernel, from kernel-1 on, such as "kernel-3 (hann 33)"."""
        labels = [member.label for member in self.config.layout.members]
        return tuple(
            f"kernel-{i} ({of})" if of else f"kernel-{i}" for i, of in enumerate(labels, 1)
        )

    @property
    def lead_names(self) -> tuple[str, ...]:
        """What the leads are called, by their numbers where nothing is known of them."""
        return self.leads or tuple(f"lead {i + 1}" for i in range(self.config.leads))

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
        parts = [f"{plural(len(self), 'kernel')} of {sizes} samples"]
        if self.config.leads > 1:
            parts[0] += f" in {self.config.leads} leads"
        parts = (parts if len(self) else []) + ["all cosines"] * self.config.cosines
        source = f" from {self.dataset}" if self.dataset else ""
        return f"<{' and '.join(parts)}, {self.activation}{source}>"

    def plot(self, shares: Sequence[Share] | None = None, described: str = "") -> Picture:
        """Return a picture of the kernels; a notebook shows it.

        Args:
            shares: of each kernel in the description of some signals; None: not known.
            described: which signals, such as "4 test signals".

        Raises:
            ValueError: if there is no kernel, because signals are described by cosines alone.
        """
        from sans.plots import plot_kernels

        self._check_some()
        title = self.dataset or ""
        if shares and described and len(self) > 1:
            title += f"{', ' if title else ''}shares in {described}"
        patterns = (self.patterns, self.lead_names) if self.config.leads > 1 else None
        return plot_kernels(self.arrays, self.names, self.rate, shares, title, patterns)

    def explain(self) -> tuple[Nearest | None, ...]:
        """Return the member of a family that each kernel is most like, see `sans.families.nearest`.

        Of a kernel with weights of its own in every lead: what its leads have in common. None: a
        kernel that is zero everywhere, or not finite.

        Examples:
            >>> import numpy as np
            >>> from sans import Kernels, ModelConfig
            >>> bump = np.hanning(23)[1:-1].astype(np.float32)
            >>> (found,) = Kernels((bump,), ModelConfig(kernel_sizes=(21,))).explain()
            >>> found.text, round(found.share, 3)
            ('hann:21', 1.0)
        """
        from sans.families import nearest

        found: list[Nearest | None] = []
        for kernel in self.arrays:
            shape = np.asarray(kernel, np.float64)
            if not np.isfinite(shape).all() or not shape.any():
                found.append(None)
                continue
            if shape.ndim > self.config.dimensions:
                flat = shape.reshape(len(shape), -1)
                left, values, right = np.linalg.svd(flat, full_matrices=False)
                sign = np.sign(left[np.abs(left[:, 0]).argmax(), 0])
                shape = (sign * values[0] * right[0]).reshape(shape.shape[1:])
            found.append(nearest(shape))
        return tuple(found)

    def model(self) -> SAN:
        """Return the network that these kernels make."""
        import torch

        from sans.model import SAN

        patterns = [v if v is None else torch.from_numpy(v) for v in self.patterns]
        return SAN(self.config, [torch.from_numpy(kernel) for kernel in self.arrays], patterns)

    def save(self, path: Path | str) -> None:
        """Write the weights as `.npy` or `.csv`, by the suffix of `path`.

        Kernels of different sizes are filled up with NaN (`.npy`) or empty cells (`.csv`). The
        `.npy` holds ``(kernels, *side)``; the `.csv` has a column for each kernel and a row for
        each weight, images row by row. Of several leads both hold what a kernel draws in every
        lead, its pattern included: ``(kernels, leads, *side)``, and a column for each kernel and
        lead.

        Raises:
            ValueError: if the suffix is another, or there is no kernel.
            ModelError: if the file cannot be written.
        """
        path = Path(path)
        writers = {".npy": self._npy, ".csv": self._csv}
        if path.suffix not in writers:
            raise ValueError(
                f"kernels are saved as .npy or .csv, not as {path.suffix or path.name!r}"
            )
        self._check_some()
        content = writers[path.suffix]()
        with written_whole(path, ModelError) as file:
            file.write(content)

    def _npy(self) -> bytes:
        columns = list(self._columns().values())
        side = (max(self.sizes),) * self.config.dimensions
        filled = np.full((len(columns), *side), np.nan, np.float32)
        for kernel, place in zip(columns, filled, strict=True):
            place[tuple(slice(size) for size in kernel.shape)] = kernel
        if self.config.leads > 1:
            filled = filled.reshape(len(self), self.config.leads, *side)
        buffer = io.BytesIO()
        np.save(buffer, filled)
        return buffer.getvalue()

    def _csv(self) -> bytes:
        space = ("sample",) if self.config.dimensions == 1 else ("row", "column")
        columns = self._columns()
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow((*space, *columns))
        for place in np.ndindex((max(self.sizes),) * self.config.dimensions):
            cells = [each[place] if max(place) < len(each) else "" for each in columns.values()]
            writer.writerow((*place, *cells))
        return buffer.getvalue().encode()

    def _columns(self) -> dict[str, Kernel]:
        """Return what every kernel draws in every lead, ``(*side,)``, by name."""
        if self.config.leads == 1:
            return dict(zip(self.names, self.arrays, strict=True))
        alone = replace(self.config, stretches=())
        wide = zip(self.names, drawn_kernels(alone, self.arrays, self.patterns), strict=True)
        return {
            f"{name} {lead}": row
            for name, rows in wide
            for lead, row in zip(self.lead_names, rows, strict=True)
        }

    def _check_some(self) -> None:
        """Raise a ValueError if there is no kernel."""
        if not len(self):
            raise ValueError("the network describes signals by cosines alone: it has no kernels")

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
    leads = tuple(stored.about.get("leads", ()))
    return Kernels(stored.kernels, stored.config, dataset, rate, stored.patterns, leads)
