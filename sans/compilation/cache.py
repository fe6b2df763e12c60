"""How machine code is kept on the disk: under a name that says what it was made of.

Numba keeps it under the time of the source file, and knows nothing of what the function calls or of
constants from elsewhere; and it announces a file before it is there. Here the name of a file is a
digest of everything that the machine code depends on: what is out of date is never found, what is
half-written has another checksum, and whatever cannot be read or written is compiled again.
"""

from __future__ import annotations

import hashlib
import pickle
import types
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numba.core.caching import FunctionCache, IndexDataCacheFile

from sans.files.leftovers import claimed

FORM = 3
"""Changes when `sans.compilation.linking` makes other machine code of the same functions."""

_CHECKSUM = 4


class KeptFunction(FunctionCache):
    """The machine code of a function, for the types it was compiled for.

    Args:
        function: in Python.
        stamp: a digest of all that its machine code depends on.

    Raises:
        RuntimeError: if there is no folder that can be written.
    """

    def __init__(self, function: Callable[..., Any], stamp: str) -> None:
        super().__init__(function)
        base = self._impl.filename_base
        self._cache_file = _KeptFile(self._cache_path, base, stamp)

    @property
    def is_there(self) -> bool:
        """Whether it was compiled before, for any types."""
        return bool(self._cache_file._load_index())

    def load(self, sig: Any, context: Any) -> Any:
        """Return what was kept for some types; None if there is nothing that can be used."""
        with suppress(Exception):  # whatever a damaged file may raise
            return self._load_overload(sig, context)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep machine code, where the disk has room."""
        with suppress(OSError):
            super().save_overload(sig, data)


class _KeptFile(IndexDataCacheFile):
    """An index, and a file for all types that a function was compiled for, each with a checksum."""

    def save(self, key: Any, data: Any) -> None:
        """Keep data, and only then say so in the index."""
        text = f"{self._version} {self._source_stamp} {key!r}"
        name = self._data_name(hashlib.sha256(text.encode()).hexdigest()[:16])
        self._write(name, data)
        self._save_index({**self._load_index(), key: name})

    def _data_name(self, number: Any) -> str:
        return f"{self._index_name.removesuffix('.nbi')}.{number}.nbc"

    def _load_index(self) -> dict[Any, str]:
        with suppress(Exception):  # whatever another version of numba has pickled
            version, stamp, overloads = self._load_data(self._index_name)
            if (version, stamp) == (self._version, self._source_stamp):
                return dict(overloads)
        return {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_name, (self._version, self._source_stamp, overloads))

    def _load_data(self, name: str) -> Any:
        content = Path(self._data_path(name)).read_bytes()
        checksum, rest = content[:_CHECKSUM], content[_CHECKSUM:]
        if _checksum(rest) != checksum:
            raise OSError(f"{name} is damaged")  # to numba, as if it were not there
        return pickle.loads(rest)

    def _write(self, name: str, data: Any) -> None:
        content = bytes(self._dump(data))
        path = Path(self._data_path(name))
        with claimed(path) as (file, hidden):  # the checksum tells where the disk did not take all
            file.write(_checksum(content) + content)
            file.flush()
            hidden.replace(path)


def _checksum(content: bytes) -> bytes:
    return zlib.crc32(content).to_bytes(_CHECKSUM, "little")


def described(function: Callable[..., Any]) -> tuple[str, list[Any]]:
    """Return a digest of a function and of the constants it names, and the other names' values.

    Args:
        function: in Python.
    """
    others: list[Any] = []
    digest = hashlib.sha256()
    for part in _parts(function.__code__, function.__globals__, others):
        digest.update(part)
        digest.update(b"\0")
    return digest.hexdigest(), others


def ordered(value: object) -> str:
    """Return a value as text that is the same in every process."""
    return repr(sorted(map(repr, value)) if isinstance(value, set | frozenset) else value)


def _parts(code: types.CodeType, names: dict[str, Any], others: list[Any]) -> Iterator[bytes]:
    yield code.co_code
    yield repr((code.co_names, code.co_varnames, code.co_freevars)).encode()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _parts(constant, names, others)
        elif not isinstance(constant, str):  # docstrings
            yield ordered(constant).encode()
    for name in code.co_names:
        if name in names:
            yield from _value(names[name], others)


def _value(value: Any, others: list[Any]) -> Iterator[bytes]:
    if isinstance(value, np.ndarray):
        yield repr((value.dtype.str, value.shape)).encode()
        yield value.tobytes()
    elif isinstance(value, bool | int | float | complex | str | bytes | np.generic):
        yield repr((type(value).__name__, value)).encode()
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _value(each, others)
    elif isinstance(value, type):
        yield repr((value.__qualname__, getattr(value, "_fields", ()))).encode()
    elif isinstance(value, types.ModuleType):
        yield value.__name__.encode()
    else:
        others.append(value)
        yield type(value).__qualname__.encode()
