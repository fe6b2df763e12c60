"""The network: a few kernels that encode a signal, and decode it again.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from joblib import cpu_count
from numpy.typing import NDArray
from torch import Tensor, nn

from sans.activations import ACTIVATIONS, competing_extrema
from sans.configs import ModelConfig
from sans.convolution import tensors
from sans.model_files import StoredModel, check_kernels, read_model, write_model
from sans.pursuit import encoder
from sans.pursuit.stop import Stop
from sans.signals import Signals, as_tensor
from sans.stretching import stretched


class SAN(nn.Module):
    """A sparsely activated network: shared kernels around a sparse activation ([SAN] Fig. 1).

    The similarity of the signal with every kernel is a map of the signal's size; the activation
    keeps a few of its entries; each of them draws its kernel, and the drawings add up to the
    reconstruction.

    Args:
        config: what the network is.
        kernels: the weights of each kernel, ``(size,)`` or ``(size, size)``, tensors or arrays;
            None: zeros.

    Raises:
        TypeError: if they are no real numbers.
        ValueError: if the kernels do not have the sizes that `config` says.

    Examples:
        >>> import torch
        >>> from sans import SAN, ModelConfig
        >>> kernel, signals = torch.tensor([1.0, 2.0, 1.0]), torch.zeros(1, 1, 12)
        >>> signals[0, 0, 4:7] = kernel
        >>> model = SAN(ModelConfig(kernel_sizes=(3,), densities=(2,)), [kernel])
        >>> activations = model.encode(signals)
        >>> activations.nonzero().tolist()  # signal, kernel, place
        [[0, 0, 5]]
        >>> model.decode(activations)[0, 0, 4:7].tolist()  # 6 = the kernel times itself
        [6.0, 12.0, 6.0]
    """

    def __init__(self, config: ModelConfig, kernels: Sequence[Signals] | None = None) -> None:
        super().__init__()
        if kernels is None:
            kernels = [
                torch.zeros((size,) * config.dimensions, dtype=torch.float32, device="cpu")
                for size in config.kernel_sizes
            ]
        check_kernels(kernels, config)
        self.config = config
        self.kernels = nn.ParameterList(
            nn.Parameter(kernel.detach().clone(memory_format=torch.contiguous_format))
            for kernel in (as_tensor(kernel, "kernels") for kernel in kernels)
        )

    def similarity(self, signals: Signals) -> Tensor:
        """Return every kernel's map, ``(batch, kernels, *space)``, of ``(batch, 1, *space)``.

        With stretches, each kernel is followed by the stretched ones, here and in the activations.
        """
        weights = self._weights()
        return tensors.correlate(self._on_device(signals).to(weights.dtype), weights)

    def encode(self, signals: Signals) -> Tensor:
        """Return the activations, ``(batch, kernels, *space)``, of signals ``(batch, 1, *space)``.

        They have the precision of the kernels, those of a pursuit that of the signals.

        Args:
            signals: a tensor where the network is, or an array, of any precision.

        Raises:
            TypeError: if they are no real numbers.
            ValueError: if kernels or densities do not fit the signals.
        """
        signals = self._on_device(signals)
        if signals.ndim != self.config.dimensions + 2 or signals.shape[1] != 1:
            space = ", ".join(self._space)
            raise ValueError(f"signals must be (batch, 1, {space}), not {tuple(signals.shape)}")
        self.config.check_space(signals.shape[2:])
        if self.config.encoder == "pursuit":
            return self._pursue(signals)
        if self.config.competition:
            return competing_extrema(self.similarity(signals), self.config.densities)
        activation = ACTIVATIONS[self.config.activation]
        return activation(self.similarity(signals), self.config.densities)

    def decode(self, activations: Signals) -> Tensor:
        """Return the reconstruction, ``(batch, 1, *space)``, of ``(batch, kernels, *space)``.

        Raises:
            TypeError: if they are no real numbers.
            ValueError: if they do not have one map for each kernel.
        """
        weights = self._weights()
        found = self._maps(activations, weights)
        return tensors.decode(found, weights, self.config.decoder)

    def partial_reconstructions(self, activations: Signals) -> Tensor:
        """Return what each kernel alone draws, stretched ones included.

        Both are ``(batch, kernels, *space)``; the sum over kernels is what `decode` returns.
        Errors are those of `decode`.
        """
        weights = self._weights()
        found = self._maps(activations, weights)
        groups = torch.unflatten(weights[0], 0, (len(self.kernels), -1))
        return tensors.decode(found, groups, self.config.decoder)

    def forward(self, signals: Signals) -> Tensor:
        """Return the reconstruction of signals, both ``(batch, 1, *space)``."""
        return self.decode(self.encode(signals))

    @property
    def identifier(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of configuration and weights."""
        return self._stored().identifier

    def save(self, path: Path | str, about: Mapping[str, Any] | None = None) -> None:
        """Write the network as one safetensors file: weights, configuration and what `about` adds.

        Args:
            path: the file; it appears whole or not at all.
            about: what else to remember, such as the data set and its rate in Hz; JSON values.

        Raises:
            ModelError: if the file cannot be written.
        """
        write_model(Path(path), self._stored(about))

    @classmethod
    def load(cls, path: Path | str) -> SAN:
        """Return the network that `save` wrote.

        Raises:
            ModelError: if the file is missing, damaged or of another kind, or has unknown keys.
        """
        return cls.of(read_model(Path(path)))

    @classmethod
    def of(cls, stored: StoredModel) -> SAN:
        """Return the network that a model file holds."""
        return cls(stored.config, [torch.from_numpy(kernel) for kernel in stored.kernels])

    def _stored(self, about: Mapping[str, Any] | None = None) -> StoredModel:
        """Return what a model file holds of this network."""
        kernels = tuple(kernel.detach().float().cpu().numpy() for kernel in self.kernels)
        return StoredModel(self.config, kernels, dict(about or {}))

    @torch.no_grad()
    def _pursue(self, signals: Tensor) -> Tensor:
        """Return the activations that a pursuit finds; no gradient passes."""
        config, stop = self.config, Stop.parse(self.config.stop)
        # Spikes move one after the other, which is no work for a GPU.
        if signals.device.type != "cpu" and config.refit != "places":
            from sans.pursuit import tensors as pursuit

            drawn = [kernel.detach() for kernel in self._drawn()]
            found = pursuit.pursue(signals[:, 0], drawn, stop, config.refit, config.weights)
            return found.to(signals.dtype)
        kernels = [_array(kernel) for kernel in self._drawn()]
        images = _array(signals[:, 0])
        code = encoder.pursue(images, kernels, stop, config.refit, config.weights, cpu_count())
        return torch.from_numpy(code.dense()).to(signals)

    def _drawn(self) -> list[Tensor]:
        """Return the kernels, each followed by what stretching makes of it."""
        if not self.config.stretches:
            return list(self.kernels)
        kernels = [_array(kernel) for kernel in self.kernels]
        found = stretched(kernels, self.config.stretches)
        return [torch.from_numpy(kernel).to(self.kernels[0]) for kernel in found]

    def _weights(self) -> Tensor:
        return tensors.stack(self._drawn()).unsqueeze(0)

    def _maps(self, activations: Signals, weights: Tensor) -> Tensor:
        """Return activations that fit to `weights`, in their precision.

        Raises:
            TypeError, ValueError: as `decode` says.
        """
        found, maps = self._on_device(activations, "activations"), weights.shape[1]
        if found.ndim != self.config.dimensions + 2 or found.shape[1] != maps:
            space = ", ".join(self._space)
            raise ValueError(
                f"activations must be (batch, {maps}, {space}), not {tuple(found.shape)}"
            )
        return found.to(weights.dtype)

    @property
    def _space(self) -> tuple[str, ...]:
        """What the dimensions of space are called."""
        return ("length",) if self.config.dimensions == 1 else ("height", "width")

    def _on_device(self, values: Signals, name: str = "signals") -> Tensor:
        """Return a tensor of floating-point numbers; that of an array lies where the network is."""
        tensor = as_tensor(values, name)
        if not isinstance(values, Tensor):
            tensor = tensor.to(self.kernels[0].device)
        return tensor if tensor.is_floating_point() else tensor.to(self.kernels[0].dtype)


def _array(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor as an array, in float32 where numpy does not know its precision."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
