"""The network: a few kernels that encode a signal, and decode it again.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from joblib import cpu_count
from numpy.typing import NDArray
from torch import Tensor, nn

from sans.activations import ACTIVATIONS, competing_extrema
from sans.configs import ModelConfig
from sans.convolution import leads, tensors
from sans.convolution.cosines import from_frequencies, to_frequencies
from sans.model_files import StoredModel, read_model, write_model
from sans.model_kernels import (
    check_kernels,
    dictionary_of,
    empty_kernels,
    fixed_patterns,
    patterns_by_kernel,
    patterns_by_place,
)
from sans.pursuit import encoder
from sans.pursuit.stop import Stop
from sans.signals import Signals, as_tensor, filled
from sans.stretching import stretched

if TYPE_CHECKING:
    from sans.pursuit.dictionary import Dictionary


class SAN(nn.Module):
    """A sparsely activated network: shared kernels around a sparse activation ([SAN] Fig. 1).

    The similarity of the signal with every kernel is a map of the signal's size; the activation
    keeps a few of its entries; each of them draws its kernel, and the drawings add up to the
    reconstruction.

    Args:
        config: what the network is.
        kernels: the weights of each kernel, ``(size,)`` or ``(size, size)``, tensors or arrays; of
            several leads and full rank with leads first. None: zeros, and what formulas give.
        patterns: what each kernel draws in every lead, ``(leads,)``; None for a kernel of full
            rank. None in their place: equal entries, and what `config` gives.

    Raises:
        TypeError: if they are no real numbers.
        ValueError: if the kernels do not have the sizes that `config` says, or the patterns do not
            fit it.

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

    def __init__(
        self,
        config: ModelConfig,
        kernels: Sequence[Signals] | None = None,
        patterns: Sequence[Signals | None] | None = None,
    ) -> None:
        super().__init__()
        if kernels is None:
            kernels = empty_kernels(config)
        check_kernels(kernels, config)
        if patterns is None:
            patterns = patterns_by_kernel(config, fixed_patterns(config))
        layout = config.layout
        self.config = config
        self.kernels = nn.ParameterList(
            _parameter(kernel, "kernels", member.learned)
            for kernel, member in zip(kernels, layout.members, strict=True)
        )
        """The weights of every kernel; those that formulas give have no gradient."""
        self.patterns = nn.ParameterList(
            _parameter(pattern, "patterns", fixed is None)
            for pattern, fixed in zip(
                patterns_by_place(config, patterns), layout.patterns, strict=True
            )
        )
        """What kernels draw in every lead; several may share one, see `kernel_patterns`."""
        # Networks of cosines alone have no parameters, and lie somewhere, too.
        anchor = torch.zeros((), dtype=torch.float32, device="cpu")
        self.register_buffer("_anchor", anchor, persistent=False)

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return self._like.device

    @property
    def kernel_patterns(self) -> tuple[Tensor | None, ...]:
        """What each kernel draws in every lead, as the argument `patterns`; none for one lead."""
        return patterns_by_kernel(self.config, list(self.patterns))

    def dictionary(self) -> Dictionary:
        """Return all that a spike may draw: kernels, stretched ones included, and cosines."""
        kernels = [_array(kernel) for kernel in self.kernels]
        patterns = [v if v is None else _array(v) for v in self.kernel_patterns]
        return dictionary_of(self.config, kernels, patterns)

    def similarity(self, signals: Signals) -> Tensor:
        """Return every shape's map, ``(batch, shapes, *space)``, of ``(batch, leads, *space)``.

        With stretches, each kernel is followed by the stretched ones, here and in the activations.
        The map of the cosines, the last, is over frequencies. Missing samples, NaN, meet nothing.
        """
        weights, patterns = self._weights()
        signals = filled(self._on_device(signals).to(self._like.dtype))
        maps = []
        if weights is not None and patterns is None:
            maps.append(tensors.correlate(signals, weights))
        elif weights is not None and patterns is not None:
            maps.append(leads.correlate(signals, weights, patterns))
        if self.config.cosines:
            maps.append(to_frequencies(signals, self.config.dimensions))
        return maps[0] if len(maps) == 1 else torch.cat(maps, 1)

    def encode(self, signals: Signals, weights: float | None = None) -> Tensor:
        """Return the activations, ``(batch, shapes, *space)``, of ``(batch, leads, *space)``.

        They have the precision of the kernels, those of a pursuit that of the signals.

        Args:
            signals: a tensor where the network is, or an array, of any precision; NaN: missing.
            weights: W as φ counts it for each signal, where that says when a pursuit stops; None:
                all of the network's.

        Raises:
            TypeError: if they are no real numbers.
            ValueError: if kernels or densities do not fit the signals.
        """
        signals = self._on_device(signals)
        if signals.ndim != self.config.dimensions + 2:
            space = ", ".join(self._space)
            raise ValueError(
                f"signals must be (batch, {self.config.leads}, {space}), not {tuple(signals.shape)}"
            )
        self.config.check_leads(signals.shape[1])
        self.config.check_space(signals.shape[2:])
        if self.config.encoder == "pursuit":
            return self._pursue(signals, self.config.weights if weights is None else weights)
        if self.config.competition:
            return competing_extrema(self.similarity(signals), self.config.densities)
        activation = ACTIVATIONS[self.config.activation]
        return activation(self.similarity(signals), self.config.densities)

    def decode(self, activations: Signals) -> Tensor:
        """Return the reconstruction, ``(batch, leads, *space)``, of ``(batch, shapes, *space)``.

        Raises:
            TypeError: if they are no real numbers.
            ValueError: if they do not have one map for each shape.
        """
        found, waves = self._maps(activations)
        weights, patterns = self._weights()
        drawn = None
        if weights is not None and patterns is None:
            drawn = tensors.decode(found, weights, self.config.decoder)
        elif weights is not None and patterns is not None:
            drawn = leads.decode(found, weights, patterns, self.config.decoder)[:, 0]
        if waves is not None:
            sums = from_frequencies(waves, self.config.dimensions)
            return sums if drawn is None else drawn + sums
        return cast("Tensor", drawn)

    def partial_reconstructions(self, activations: Signals) -> Tensor:
        """Return what each kernel alone draws, stretched ones included, and all cosines at last.

        Both are ``(batch, kernels, *space)``, for several leads the result ``(batch, kernels,
        leads, *space)``; the sum over kernels is what `decode` returns. Errors are those of
        `decode`.
        """
        found, waves = self._maps(activations)
        weights, patterns = self._weights()
        parts = []
        if weights is not None:
            groups = torch.unflatten(weights[0], 0, (len(self.kernels), -1))
            if patterns is None:
                parts.append(tensors.decode(found, groups, self.config.decoder))
            else:
                each = torch.unflatten(patterns[0], 0, (len(self.kernels), -1))
                parts.append(leads.decode(found, groups, each, self.config.decoder))
        if waves is not None:
            parts.append(from_frequencies(waves, self.config.dimensions))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def forward(self, signals: Signals) -> Tensor:
        """Return the reconstruction of signals, both ``(batch, leads, *space)``."""
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
        patterns = [v if v is None else torch.from_numpy(v) for v in stored.patterns]
        return cls(stored.config, [torch.from_numpy(each) for each in stored.kernels], patterns)

    def _stored(self, about: Mapping[str, Any] | None = None) -> StoredModel:
        """Return what a model file holds of this network."""
        kernels = tuple(kernel.detach().float().cpu().numpy() for kernel in self.kernels)
        patterns = tuple(
            None if pattern is None else pattern.detach().float().cpu().numpy()
            for pattern in self.kernel_patterns
        )
        return StoredModel(self.config, kernels, dict(about or {}), patterns)

    @torch.no_grad()
    def _pursue(self, signals: Tensor, weights: float) -> Tensor:
        """Return the activations that a pursuit finds; no gradient passes."""
        config, stop = self.config, Stop.parse(self.config.stop)
        # Spikes move one after the other, which is no work for a GPU.
        if (
            config.leads == 1
            and not config.cosines
            and signals.device.type != "cpu"
            and config.refit != "places"
            and not bool(signals.isnan().any())
        ):
            from sans.pursuit import tensors as pursuit

            drawn = [kernel.detach() for kernel in self._drawn()]
            found = pursuit.pursue(signals[:, 0], drawn, stop, config.refit, weights)
            return found.to(signals.dtype)
        shapes = self.dictionary()
        code = encoder.pursue(_array(signals), shapes, stop, config.refit, weights, cpu_count())
        return torch.from_numpy(code.dense()).to(signals)

    def _drawn(self) -> list[Tensor]:
        """Return the kernels, each followed by what stretching makes of it."""
        if not self.config.stretches:
            return list(self.kernels)
        found = stretched([_array(kernel) for kernel in self.kernels], self.config.stretches)
        return [torch.from_numpy(kernel).to(self._like) for kernel in found]

    def _weights(self) -> tuple[Tensor | None, Tensor | None]:
        """Return kernels and their patterns of leads, as `sans.convolution.leads` takes them.

        Kernels are None where there are none but cosines, patterns where there is one lead.
        """
        drawn, dimensions = self._drawn(), self.config.dimensions
        if not drawn:
            return None, None
        if self.config.leads == 1:
            return tensors.stack(drawn).unsqueeze(0), None
        each = 1 + len(self.config.stretches)
        patterns = [v for v in self.kernel_patterns for _ in range(each)]
        ones = drawn[0].new_ones(self.config.leads)
        laid = torch.stack([ones if v is None else v for v in patterns]).unsqueeze(0)
        if not any(v is None for v in patterns):
            return tensors.stack(drawn).unsqueeze(0), laid
        whole = (self.config.leads, *[-1] * dimensions)
        wide = [k if v is None else k.expand(whole) for k, v in zip(drawn, patterns, strict=True)]
        return tensors.stack_in_leads(wide).unsqueeze(0), laid

    def _maps(self, activations: Signals) -> tuple[Tensor, Tensor | None]:
        """Return activations that fit, in the precision of the kernels: of these, and of cosines.

        Raises:
            TypeError, ValueError: as `decode` says.
        """
        found, maps = self._on_device(activations, "activations"), self.config.shapes
        if found.ndim != self.config.dimensions + 2 or found.shape[1] != maps:
            space = ", ".join(self._space)
            raise ValueError(
                f"activations must be (batch, {maps}, {space}), not {tuple(found.shape)}"
            )
        found = found.to(self._like.dtype)
        return (found[:, :-1], found[:, -1:]) if self.config.cosines else (found, None)

    @property
    def _space(self) -> tuple[str, ...]:
        """What the dimensions of space are called."""
        return ("length",) if self.config.dimensions == 1 else ("height", "width")

    @property
    def _like(self) -> Tensor:
        """A tensor where the network is, and of its precision."""
        return self.kernels[0] if len(self.kernels) else cast("Tensor", self._anchor)

    def _on_device(self, values: Signals, name: str = "signals") -> Tensor:
        """Return a tensor of floating-point numbers; that of an array lies where the network is."""
        tensor = as_tensor(values, name)
        if not isinstance(values, Tensor):
            tensor = tensor.to(self._like.device)
        return tensor if tensor.is_floating_point() else tensor.to(self._like.dtype)


def _array(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor as an array, in float32 where numpy does not know its precision."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _parameter(values: Signals, name: str, learned: bool) -> nn.Parameter:
    """Return a parameter of its own with these values."""
    tensor = as_tensor(values, name).detach().clone(memory_format=torch.contiguous_format)
    return nn.Parameter(tensor, requires_grad=learned)
