"""How numba builds the loops: typed once, and machine code only of what Python calls.

Numba by itself makes machine code of every compiled function, wrapped for a call from Python, and
optimises it again as a part of each function that calls it, directly or not. Where many small
functions call each other that is most of the time of compiling. Here each has two forms:

* a *part* is what compiled code calls: typed and lowered to LLVM's language, no more;
* a *whole* is what Python calls: linked with all its parts, optimised and kept on the disk once.

Both are made of numba's own classes, by the way it offers for own compilers (``pipeline_class``).
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any, NamedTuple

from numba import config, types
from numba.core import sigutils
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher
from numba.core.runtime.nrt import rtsys

from sans.compilation.cache import FORM, KeptFunction, described, ordered
from sans.compilation.libraries import ApartLibrary, PartLibrary, WholeLibrary
from sans.compilation.sharing import BEFORE
from sans.interruption import uninterrupted

APART = "apart"
"""Our own option, of which numba knows nothing: callers call the function and do not take it in."""

PART_ONLY = ("forceinline", APART)
"""Options of how others call a function."""

UNCALLED = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""What numba calls a function that neither Python nor C calls."""


class _WholeCompiler(Compiler):
    """Numba's compiler, with its result in a library of ours."""

    library = WholeLibrary

    def define_pipelines(self) -> list[Any]:
        """Return numba's passes; the library that they would make is there already."""
        name = self.state.func_id.func_qualname
        self.state.library = self.library(self.state.targetctx.codegen(), name)
        self.state.library.enable_object_caching()
        return super().define_pipelines()


class _PartCompiler(_WholeCompiler):
    library = PartLibrary


class _ApartCompiler(_WholeCompiler):
    library = ApartLibrary


class InnerFunction(CPUDispatcher):
    """A function as compiled code calls it."""

    def __init__(self, py_func: Callable[..., Any], options: Mapping[str, Any]) -> None:
        compiler = _ApartCompiler if options.get(APART) else _PartCompiler
        own = {name: value for name, value in options.items() if name != APART}
        super().__init__(py_func, {}, {**own, **UNCALLED}, pipeline_class=compiler)

    def get_call_template(self, args: Iterable[Any], kws: Any) -> Any:
        """Find or compile what a call wants; a constant is like any other number."""
        named = {name: types.unliteral(kind) for name, kind in dict(kws).items()}
        return super().get_call_template(tuple(map(types.unliteral, args)), named)


class OuterFunction(CPUDispatcher):
    """A function as Python calls it.

    Args:
        py_func: the function.
        locals: of numba's; empty.
        targetoptions: numba's options.
    """

    _cache: Any

    def __init__(
        self,
        py_func: Callable[..., Any],
        locals: Mapping[str, Any],  # noqa: A002, the name that numba gives it when it unpickles
        targetoptions: Mapping[str, Any],
    ) -> None:
        own = {name: value for name, value in targetoptions.items() if name not in PART_ONLY}
        super().__init__(py_func, dict(locals), own, pipeline_class=_WholeCompiler)
        self._options = targetoptions

    @property
    def name(self) -> str:
        """The function's module and name."""
        return f"{self.py_func.__module__}.{self.py_func.__qualname__}"

    @property
    def can_be_kept(self) -> bool:
        """Whether there is a folder for its machine code that can be written."""
        if not isinstance(self._cache, KeptFunction):
            with suppress(RuntimeError, OSError):
                self._cache = KeptFunction(self.py_func, self.stamp)
        return isinstance(self._cache, KeptFunction)

    @property
    def is_kept(self) -> bool:
        """Whether it was compiled before, for any types, or the disk cannot keep it."""
        return not self.can_be_kept or self._cache.is_there

    @cached_property
    def stamp(self) -> str:
        """A digest of everything that the machine code depends on."""
        found: dict[OuterFunction, str] = {}
        for function in (left := [self]):
            if function not in found:
                found[function], callees = function._described
                left += callees
        checked = "checked " if config.BOUNDSCHECK else ""  # NUMBA_BOUNDSCHECK makes other code
        text = f"{checked}{FORM} {self.name} {sorted(found.values())}"
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def _described(self) -> tuple[str, list[OuterFunction]]:
        """A digest of the function itself, and those that it calls."""
        digest, others = described(self.py_func)
        options = sorted((name, ordered(value)) for name, value in self._options.items())
        return f"{digest} {options}", [each for each in others if isinstance(each, OuterFunction)]

    @cached_property
    def part(self) -> InnerFunction:
        """The same function as compiled code calls it."""
        return InnerFunction(self.py_func, self._options)

    @property
    def _numba_type_(self) -> Any:
        """What compiled code sees where it refers to this function."""
        return types.Dispatcher(self.part)

    def compile(self, sig: Any) -> Any:
        """Compile for some types, or load what is on the disk."""
        with global_compiler_lock, _uncollected():
            if (known := self.known(sig)) is not None:
                return known
            for tell in tuple(BEFORE):
                tell(_Wanted(self, sig))
            with uninterrupted():
                return self.known(sig) or super().compile(sig)

    def known(self, sig: Any) -> Any:
        """Return the machine code for some types that is at hand, or on the disk.

        Numba would first load all that it needs to compile, which takes longer than the rest.
        """
        args, _ = sigutils.normalize_signature(sig)
        if tuple(args) not in self.overloads:
            if not self.can_be_kept:
                return None
            rtsys.initialize(self.targetctx)
            result = self._cache.load(sig, self.targetctx)
            if result is None:
                return None
            self.add_overload(result)
        return self.overloads[tuple(args)].entry_point


class _Wanted(NamedTuple):
    """See `sans.compilation.sharing.Wanted`."""

    function: OuterFunction
    sig: Any

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def can_be_kept(self) -> bool:
        return self.function.can_be_kept

    def has_come(self) -> bool:
        return self.function.known(self.sig) is not None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no garbage be looked for: compiling makes millions of objects, all of them in use."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
