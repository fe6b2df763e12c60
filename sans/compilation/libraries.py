"""Where numba collects code in LLVM's language: that of parts, and that of wholes.

See `sans.compilation.linking`, which says what each is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from numba.core.codegen import JITCodeLibrary


class _NoMachineCode:
    """Stands in for what would hold the machine code of a part."""

    def set_env(self, name: str, environment: object) -> None:
        """Leave out what only a function that Python calls has use for."""


class _OwnLibrary(JITCodeLibrary):
    """Code of ours."""

    def _optimize_functions(self, ll_module: Any) -> None:
        """Optimise what is written here, and not what it calls: numba makes passes for every name.

        It makes them anew each time, which takes longer than they run.
        """
        ll_module.data_layout = self._codegen._data_layout
        passes, builder = self._codegen._function_pass_manager()
        for function in ll_module.functions:
            if not function.is_declaration:
                passes.run(function, builder)


class PartLibrary(_OwnLibrary):
    """The code of a part, in LLVM's language."""

    codegen = _NoMachineCode()

    def finalize(self) -> None:
        """Leave the code as it is: it is optimised with those that call it."""
        self._raise_if_finalized()
        for library in self._linking_libraries:
            self._reload_init.update(library._reload_init)
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002
        """Return that there is no machine code."""
        return 0

    def below(self) -> Iterable[JITCodeLibrary]:
        """Return the code that this code calls."""
        return tuple(self._linking_libraries)

    def everything(self) -> Iterable[JITCodeLibrary]:
        """Return this code and all that it calls, directly or not, each once."""
        found: dict[JITCodeLibrary, None] = {self: None}
        for library in (left := [self]):
            new = [each for each in _below(library) if each not in found]
            found.update(dict.fromkeys(new))
            left += new
        return found

    def alone(self) -> Any:
        """Return the code without what it calls."""
        return super()._get_module_for_linking()

    def _get_module_for_linking(self) -> Any:
        """Return the code with all that it calls, for a caller that numba itself compiles."""
        module = self.alone().clone()
        for library in self.everything():
            if library is not self:
                module.link_in(_alone(library), preserve=True)
        return module


def _below(library: JITCodeLibrary) -> Iterable[Any]:
    return library.below() if isinstance(library, PartLibrary) else ()


def _alone(library: JITCodeLibrary) -> Any:
    is_part = isinstance(library, PartLibrary)
    return library.alone() if is_part else library._get_module_for_linking()


class _Linked(NamedTuple):
    """What a whole links of a part, whose callees it links by themselves."""

    part: PartLibrary

    @property
    def _reload_init(self) -> Any:
        return self.part._reload_init

    def _get_module_for_linking(self) -> Any:
        return self.part.alone()


class ApartLibrary(PartLibrary):
    """The code of a part that stays a function of its own."""

    def finalize(self) -> None:
        """Forbid to take it in."""
        for function in self._final_module.functions:
            if not function.is_declaration:
                function.add_function_attribute("noinline")
        super().finalize()


class WholeLibrary(_OwnLibrary):
    """The code of a whole and of all its parts."""

    def add_linking_library(self, library: JITCodeLibrary) -> None:
        """Link a part, then those it calls: LLVM drops what nothing has called so far."""
        if not isinstance(library, PartLibrary):
            if library not in self._linking_libraries:
                super().add_linking_library(library)
        elif (linked := _Linked(library)) not in self._linking_libraries:
            library._ensure_finalized()
            self._linking_libraries.append(linked)
            for other in library.below():
                self.add_linking_library(other)
