"""Compiling once: who waits is told, a second process helps, and the disk keeps all of it."""

from __future__ import annotations

import importlib
import sys
import threading

import numba
import numpy as np
import pytest

from sans.codec.arrays import compress, decompress
from sans.commands.console import explain_compilation
from sans.compilation import rehearsals, sharing
from sans.compilation.cache import KeptFunction
from sans.compilation.rehearsals import REHEARSALS, Rehearsal, ahead, help_with
from sans.compilation.sharing import Helper, tell_once
from sans.pursuit.encoder import pursue

SOURCE = """
from sans.compilation.decorators import compiled

@compiled
def tripled(number: int) -> int:
    return 3 * number
"""


@pytest.fixture(autouse=True)
def before(monkeypatch):
    """Return the list of what is called before a compilation, which is empty."""
    monkeypatch.setattr("sans.compilation.linking.BEFORE", calls := [])
    monkeypatch.setattr(sharing, "BEFORE", calls)
    monkeypatch.setattr(rehearsals, "BEFORE", calls)
    return calls


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that imports a module with a compiled function as if for the first time."""
    (tmp_path / "of_this_test.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))

    def fresh():
        sys.modules.pop("of_this_test", None)
        return importlib.import_module("of_this_test")

    yield fresh
    sys.modules.pop("of_this_test", None)


def test_what_was_compiled_once_is_loaded_by_the_next_process(module, before):
    seen = []
    before.append(lambda wanted: seen.append((wanted.name, wanted.can_be_kept)))
    first = module().tripled
    assert not first.is_kept
    assert first(2) == 6
    assert first.is_kept
    second = module().tripled
    assert second is not first
    assert second.is_kept
    assert second(4) == 12
    assert seen == [("of_this_test.tripled", True)]
    assert second(4.5) == 13.5  # of other types: compiled now
    assert len(seen) == 2


def test_without_a_folder_for_it_a_function_is_compiled_every_time(module, before, monkeypatch):
    def refused(*_):
        raise RuntimeError("no locator available")

    monkeypatch.setattr(KeptFunction, "__init__", refused)
    seen = []
    before.append(lambda wanted: seen.append(wanted.can_be_kept))
    for _ in range(2):
        function = module().tripled
        assert function(2) == 6
        assert function.is_kept  # nothing is gained by another process
    assert seen == [False, False]


def test_whoever_waits_is_told_once(module, before, capsys):
    tell_once(explain_compilation)
    function = module().tripled
    assert (function(1), function(1.5)) == (3, 4.5)
    line = "first use on this machine: compiling for it, and keeping that for the next time\n"
    assert capsys.readouterr() == ("", line)
    assert before == []


def test_where_nothing_can_be_kept_the_line_says_so(capsys):
    class Wanted:
        name, can_be_kept = "f", False

    explain_compilation(Wanted())
    assert "each time: no folder can be written" in capsys.readouterr().err


def test_a_function_that_another_process_compiles_is_waited_for():
    helper = Helper.__new__(Helper)
    helper._current = "of_this_test.tripled"
    asked = []

    class Wanted:
        name = "of_this_test.tripled"

        def has_come(self):
            asked.append(True)
            return len(asked) == 3

    helper.wait(Wanted())
    assert len(asked) == 3
    helper._current = "another"
    helper.wait(Wanted())
    assert len(asked) == 3


def test_a_second_process_compiles_what_the_first_then_finds(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    helper = Helper(("prediction",))
    helper._listener.join(timeout=300)
    assert helper._process.returncode == 0
    assert helper._current == ""
    assert any(tmp_path.rglob("samples.code_ranks-*.nbc"))


def test_the_helper_ends_with_the_process_that_wants_it():
    helper = Helper(("places",))
    helper.close()
    assert helper._process.returncode == 0


def test_a_helper_says_what_it_compiles(module, monkeypatch, capsys):
    class Open:
        def read(self):
            threading.Event().wait()

    monkeypatch.setattr(sys, "stdin", Open())
    function = module().tripled
    monkeypatch.setitem(REHEARSALS, "one", Rehearsal("sans:nothing", lambda: function(1)))
    help_with("one")
    assert capsys.readouterr().out == "of_this_test.tripled\n"


def test_nobody_helps_where_all_is_done(monkeypatch):
    asked = []
    monkeypatch.setattr(rehearsals, "Helper", lambda names: asked.append(names))
    monkeypatch.setattr(Rehearsal, "is_done", property(lambda self: "pursuit" not in self.compiles))
    assert ahead("prediction", "drawing") is None
    assert asked == []
    ahead("prediction", "pursuit")
    assert asked == [("pursuit",)]


@pytest.mark.parametrize("name", REHEARSALS)
def test_what_was_rehearsed_is_what_is_used(name):
    """The types of a rehearsal are those of the command, or it would be in vain."""
    REHEARSALS[name].perform()
    module, _, function = REHEARSALS[name].compiles.partition(":")
    function = getattr(importlib.import_module(module), function)
    rehearsed = list(function.signatures)
    beat = 900 * np.exp(-((np.arange(-20, 21) / 4.0) ** 2))
    signal = np.rint(np.tile(np.pad(beat, 30), 4)).astype(np.int16)
    decompress(compress(signal))
    decompress(compress(signal, prdn=5, kernels=[beat]))
    for refit in ("squares", "places"):
        pursue(signal[None, :60].astype(np.float32), [beat[10:31]], refit=refit)
    assert list(function.signatures) == rehearsed
