"""Machine code on the disk: found where it is right, and compiled again where it is not."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys

import numba
import pytest
from numba.core.registry import CPUDispatcher

from sans.compilation.cache import _KeptFile
from sans.compilation.decorators import compiled, inlined
from sans.compilation.rehearsals import ahead

FILES = {
    "constants_of_this_test": "FACTOR = 3\nTABLE = __import__('numpy').arange(4)\n",
    "callee_of_this_test": """
from typing import NamedTuple
from sans.compilation.decorators import compiled
from constants_of_this_test import FACTOR, TABLE

class Pair(NamedTuple):
    left: int
    right: int

@compiled
def tripled(number: int) -> int:
    # a word
    return FACTOR * number + int(TABLE[0])
""",
    "caller_of_this_test": """
from sans.compilation.decorators import compiled
from callee_of_this_test import Pair, tripled

@compiled
def more(number: int) -> int:
    pair = Pair(number, 1)
    return tripled(pair.left) + pair.right
""",
}


@pytest.fixture
def more(tmp_path, monkeypatch):
    """Return a function that imports `more` as if for the first time, after edits of its files."""
    for name, text in FILES.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def fresh(name="", before="", after=""):
        if name:
            path = tmp_path / f"{name}_of_this_test.py"
            text = path.read_text()
            assert before in text
            times = path.stat()
            path.write_text(text.replace(before, after))
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        forget()
        importlib.invalidate_caches()
        return importlib.import_module("caller_of_this_test").more

    def forget():
        for module in FILES:
            sys.modules.pop(module, None)

    yield fresh
    forget()


def files_of(tmp_path, suffix):
    return sorted((tmp_path / "cache").rglob(f"*{suffix}"))


@pytest.mark.parametrize(
    ("name", "before", "after", "result"),
    [
        ("callee", "FACTOR * number", "number * number", 26),
        ("callee", "TABLE[0]", "TABLE[1]", 17),
        ("constants", "FACTOR = 3", "FACTOR = 5", 26),
        ("constants", "arange(4)", "arange(9, 13)", 25),
        ("callee", "left: int\n    right: int", "right: int\n    left: int", 8),
        ("caller", "Pair(number, 1)", "Pair(number, 2)", 17),
    ],
)
def test_what_depends_on_what_has_changed_is_compiled_again(more, name, before, after, result):
    first = more()
    assert first(5) == 16
    changed = more(name, before, after)
    assert changed.stamp != first.stamp
    assert not changed.is_kept
    assert changed(5) == result
    assert more()(5) == result


def test_words_that_nothing_depends_on_change_nothing(more):
    first = more()
    assert first(5) == 16
    later = more("callee", "# a word", "# another")
    assert (later.stamp, later.is_kept) == (first.stamp, True)


def test_a_stamp_is_the_same_in_every_process():
    code = (
        "from sans.pursuit.places import rearrange_all; from sans.convolution.loops import "
        "_correlate; print(rearrange_all.stamp, _correlate.stamp)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


@pytest.mark.parametrize("suffix", [".nbc", ".nbi"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda content: content[:3],
        lambda content: content[:100],
        lambda content: content[:-1],
        lambda content: content[:50] + bytes([content[50] ^ 4]) + content[51:],
        lambda _: b"\x80\x05" + bytes(200),
    ],
)
def test_what_is_damaged_is_compiled_again(more, tmp_path, suffix, damage):
    assert more()(5) == 16
    (path,) = files_of(tmp_path, suffix)
    path.write_bytes(damage(path.read_bytes()))
    assert more()(5) == 16
    assert more().is_kept


def test_an_index_never_names_a_file_that_is_not_there_yet(more, tmp_path, monkeypatch):
    seen = []
    write = _KeptFile._write

    def watched(self, name, data):
        seen.append((name[-4:], len(files_of(tmp_path, ".nbc"))))
        write(self, name, data)

    monkeypatch.setattr(_KeptFile, "_write", watched)
    assert more()(5) == 16
    assert seen == [(".nbc", 0), (".nbi", 1)]
    files_of(tmp_path, ".nbc")[0].unlink()
    assert more()(5) == 16


def test_a_disk_that_is_full_keeps_nobody_from_working(more, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_KeptFile, "_write", full)
    assert more()(5) == 16
    assert not more().is_kept


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_waits_for_the_end_of_a_compilation(more, monkeypatch):
    function, compile_ = more(), CPUDispatcher.compile

    def interrupted(self, sig):
        signal.raise_signal(signal.SIGINT)
        return compile_(self, sig)

    with monkeypatch.context() as patch:
        patch.setattr(CPUDispatcher, "compile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            function(5)
    monkeypatch.setattr(CPUDispatcher, "compile", lambda *_: pytest.fail("compiled again"))
    assert function(5) == 16


@pytest.mark.parametrize("reason", [OSError(11, "Resource temporarily unavailable"), TypeError()])
def test_without_another_process_the_work_is_done_in_this(reason, monkeypatch):
    def refused(*_args, **_options):
        raise reason

    monkeypatch.setattr(
        "sans.compilation.rehearsals.REHEARSALS", {"a": type("", (), {"is_done": False})}
    )
    monkeypatch.setattr("sans.compilation.sharing.subprocess.Popen", refused)
    assert ahead("a") is None


@inlined
def _squared(number: int) -> int:
    return number * number


@compiled
def _next(number: int) -> int:
    return number + 1


@compiled
def _squared_next(number: int) -> int:
    return _next(_squared(number)) + _squared(_next(number))


def test_functions_that_numba_itself_compiles_may_call_ours():
    @numba.njit
    def outer(number):
        return _squared_next(number) + _next(number)

    @numba.njit
    def summed(numbers):
        total = 0
        for number in numbers:
            total += outer(number)
        return total

    assert outer(3) == 10 + 16 + 4
    assert _squared_next(3) == 26
    assert summed((1, 2, 3)) == sum(n * n + 1 + (n + 1) ** 2 + n + 1 for n in (1, 2, 3))


def test_with_stderr_closed_nothing_goes_to_stdout():
    command = f"{sys.executable} -m sans compress --nope 2>&-"
    result = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert (result.returncode, result.stdout) == (2, b"")
