"""The network: a few kernels that encode a signal, and decode it again.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sans import convolution
from sans.activations import ACTIVATIONS
from sans.configs import ModelConfig, from_mapping
from sans.errors import ModelError
from sans.files import written_whole

FORMAT = "sans-model-1"


class SAN(nn.Module):
    """A sparsely activated network: shared kernels around a sparse activation ([SAN] Fig. 1).

    The similarity of the signal with every kernel is a map of the signal's size; the activation
    keeps a few of its entries; each of them draws its kernel, and the drawings add up to the
    reconstruction.

    Args:
        config: what the network is.
        kernels: one array of weights a kernel, ``(size,)`` or ``(size, size)``; None: zeros.

    Raises:
        ValueError: if the kernels do not have the sizes that `config` says.
    """

    def __init__(self, config: ModelConfig, kernels: Sequence[Tensor] | None = None) -> None:
        super().__init__()
        shapes = [(size,) * config.dimensions for size in config.kernel_sizes]
        if kernels is None:
            kernels = [torch.zeros(shape) for shape in shapes]
        if (found := [tuple(kernel.shape) for kernel in kernels]) != shapes:
            raise ValueError(f"kernels of shapes {found} do not fit a network with {shapes}")
        self.config = config
        self.kernels = nn.ParameterList(
            nn.Parameter(kernel.detach().clone(memory_format=torch.contiguous_format))
            for kernel in kernels
        )

    def similarity(self, signals: Tensor) -> Tensor:
        """Return every kernel's map, ``(batch, kernels, *space)``, of ``(batch, 1, *space)``."""
        return convolution.correlate(signals, self._weights())

    def encode(self, signals: Tensor) -> Tensor:
        """Return the activations, ``(batch, kernels, *space)``, of signals ``(batch, 1, *space)``.

        Raises:
            ValueError: if kernels or densities do not fit the signals.
        """
        if signals.ndim != self.config.dimensions + 2 or signals.shape[1] != 1:
            space = ", ".join(["length"] if self.config.dimensions == 1 else ["height", "width"])
            raise ValueError(f"signals must be (batch, 1, {space}), not {tuple(signals.shape)}")
        self.config.check_space(signals.shape[2:])
        activation = ACTIVATIONS[self.config.activation]
        return activation(self.similarity(signals), self.config.densities)

    def decode(self, activations: Tensor) -> Tensor:
        """Return the reconstruction, ``(batch, 1, *space)``, of ``(batch, kernels, *space)``."""
        return convolution.decode(activations, self._weights(), self.config.decoder)

    def forward(self, signals: Tensor) -> Tensor:
        """Return the reconstruction of signals, both ``(batch, 1, *space)``."""
        return self.decode(self.encode(signals))

    @property
    def identifier(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of configuration and weights."""
        digest = hashlib.sha256(json.dumps(asdict(self.config), sort_keys=True).encode())
        for kernel in self.kernels:
            digest.update(kernel.detach().cpu().numpy().astype("<f4").tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: Path | str, about: Mapping[str, Any] | None = None) -> None:
        """Write the network as one safetensors file: weights, configuration and what `about` adds.

        Args:
            path: the file; it appears whole or not at all.
            about: what else to remember, such as the data set and its rate in Hz; JSON values.

        Raises:
            ModelError: if the file cannot be written.
        """
        from safetensors.torch import save

        tensors = {f"kernel.{i}": kernel.detach().cpu() for i, kernel in enumerate(self.kernels)}
        metadata = {
            "format": FORMAT,
            "config": json.dumps(asdict(self.config)),
            "about": json.dumps(dict(about or {})),
        }
        with written_whole(Path(path), ModelError) as file:
            file.write(save(tensors, metadata))

    @classmethod
    def load(cls, path: Path | str) -> SAN:
        """Return the network that `save` wrote.

        Raises:
            ModelError: if the file is missing, damaged or of another kind, or has unknown keys.
        """
        model, _ = load_with_about(path)
        return model

    def _weights(self) -> Tensor:
        return convolution.stack(list(self.kernels)).unsqueeze(0)


def load_with_about(path: Path | str) -> tuple[SAN, dict[str, Any]]:
    """Return the network that `SAN.save` wrote, and what it was told to remember beside it.

    Raises:
        ModelError: if the file is missing, damaged or of another kind, or has unknown keys.
    """
    tensors, metadata = read_tensors(Path(path), FORMAT)
    try:
        config = from_mapping(ModelConfig, json.loads(metadata["config"]))
        about = json.loads(metadata["about"])
        if not isinstance(about, dict):
            raise ValueError("what the file remembers must be a JSON object")
        names = [f"kernel.{i}" for i in range(len(config.kernel_sizes))]
        if sorted(tensors) != sorted(names):
            raise ValueError(f"it holds {sorted(tensors)}, and the configuration wants {names}")
        return SAN(config, [tensors[name] for name in names]), about
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not a model that this version can read: {error}") from error


def read_tensors(path: Path, form: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors and metadata of a safetensors file whose metadata names the format `form`.

    Raises:
        ModelError: if the file is missing, damaged or of another format.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelError(f"there is no file {path}; `sans train` makes one")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is damaged or not a safetensors file: {error}") from error
    if metadata.get("format") != form:
        raise ModelError(f"{path} has the format {metadata.get('format')!r}: wanted {form!r}")
    return tensors, metadata
