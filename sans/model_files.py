"""Model files and checkpoints: arrays and JSON in one safetensors file, read without torch."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.configs import ModelConfig, from_mapping, to_mapping
from sans.errors import ModelError
from sans.files import written_whole
from sans.model_kernels import check_kernels, patterns_by_place

LOG = logging.getLogger(__name__)

MODEL = "sans-model-1"
CHECKPOINT = "sans-checkpoint-2"
METADATA = "sans"

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class StoredModel:
    """What a model file holds."""

    config: ModelConfig
    """What the network is."""

    kernels: tuple[NDArray[np.float32], ...]
    """One array of weights a kernel, ``(size,)`` or ``(size, size)``; of several leads and full
    rank with leads first. What formulas give is there, too."""

    about: dict[str, Any]
    """Where it comes from: `dataset`, `rate` in Hz, the options of its training; may be empty."""

    patterns: tuple[NDArray[np.float32] | None, ...] = ()
    """What each kernel draws in every lead, ``(leads,)``; None for a kernel of full rank, and none
    at all for signals of one lead."""

    @property
    def identifier(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of configuration and weights."""
        digest = hashlib.sha256(json.dumps(to_mapping(self.config), sort_keys=True).encode())
        for kernel in self.kernels:
            digest.update(np.ascontiguousarray(kernel, "<f4").tobytes())
        for pattern in self.patterns:
            digest.update(
                b"" if pattern is None else np.ascontiguousarray(pattern, "<f4").tobytes()
            )
        return digest.hexdigest()[:16]


def write_model(path: Path, model: StoredModel) -> None:
    """Write `model` as one file, whole or not at all.

    Raises:
        ValueError: if a weight is not finite; no reader would accept the file.
        ModelError: if the file cannot be written.
    """
    arrays = {f"kernel.{i}": kernel for i, kernel in enumerate(model.kernels)}
    arrays |= {f"pattern.{i}": v for i, v in enumerate(model.patterns) if v is not None}
    for name, array in arrays.items():
        _finite(name, array)
    write_arrays(path, MODEL, arrays, {"config": to_mapping(model.config), "about": model.about})


def read_model(path: Path) -> StoredModel:
    """Return what `write_model` wrote.

    Raises:
        ModelError: if the file is missing, damaged or of another kind, or has unknown keys.
    """
    arrays, values = read_arrays(path, MODEL)
    try:
        config = from_mapping(ModelConfig, values["config"])
        about = dict(values["about"])
        kernels, patterns = _kernels(arrays, config)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is not a model that this version reads: {error}") from error
    return StoredModel(config, kernels, about, patterns)


def write_arrays(path: Path, form: str, arrays: Arrays, values: Mapping[str, Any]) -> None:
    """Write named arrays and named JSON values as one safetensors file of the format `form`.

    Raises:
        ModelError: if the file cannot be written.
    """
    from safetensors.numpy import save

    # One entry holds all: safetensors shuffles several, and equal runs shall leave equal files.
    text = json.dumps({"format": form, "sha256": _digest(arrays, values), **values})
    with written_whole(path, ModelError) as file:
        file.write(save(dict(arrays), {METADATA: text}))


def read_arrays(path: Path, form: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and the values that `write_arrays` wrote under the format `form`.

    Raises:
        ModelError: if the file is missing, damaged or of another format.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelError(f"there is no file {path}; `sans train` makes one")
    try:
        with safe_open(str(path), framework="numpy") as file:
            values = json.loads((file.metadata() or {}).get(METADATA, "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        found, digest = values.pop("format", None), values.pop("sha256", None)
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{path} is damaged or not a safetensors file: {reason}") from error
    if found != form:
        raise ModelError(f"{path} is in the format {found!r}: wanted {form!r}")
    if digest != _digest(arrays, values):
        raise ModelError(f"{path} is damaged: its checksum is not that of its content")
    LOG.info("read %s", path)
    return arrays, values


def _digest(arrays: Arrays, values: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the values and of the names, shapes and numbers of the arrays."""
    digest = hashlib.sha256(json.dumps(values).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _kernels(
    arrays: Arrays, config: ModelConfig
) -> tuple[tuple[NDArray[np.float32], ...], tuple[NDArray[np.float32] | None, ...]]:
    """Return kernels and patterns in order, checked against the configuration."""
    members = config.layout.members if config.leads > 1 else ()
    shaped = {i for i, member in enumerate(members) if member.pattern is not None}
    names = [f"kernel.{i}" for i in range(len(config.kernel_sizes))]
    wanted = names + [f"pattern.{i}" for i in sorted(shaped)]
    if sorted(arrays) != sorted(wanted):
        raise ValueError(f"it holds {sorted(arrays)}, and its configuration wants {wanted}")
    found = {name: _finite(name, arrays[name]) for name in wanted}
    kernels = tuple(found[name] for name in names)
    patterns = tuple(found.get(f"pattern.{i}") for i in range(len(members)))
    check_kernels(kernels, config)
    patterns_by_place(config, patterns)
    return kernels, patterns


def _finite(name: str, kernel: NDArray[Any]) -> NDArray[np.float32]:
    if kernel.dtype != np.float32 or not np.isfinite(kernel).all():
        raise ValueError(f"{name} must be finite numbers of the type float32")
    return kernel
