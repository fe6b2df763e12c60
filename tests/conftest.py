"""What every test module shares: the shared data, and hypothesis without randomness."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import torch
from typer.testing import CliRunner, Result

from sans import interruption
from sans.cli import app

hypothesis.settings.register_profile("sans", derandomize=True, deadline=None)
hypothesis.settings.load_profile("sans")

torch.set_num_threads(1)  # several would wait for each other at every one of many small operations


@pytest.fixture(scope="session", autouse=True)
def _fonts() -> None:
    """Let matplotlib look for fonts before any test: it does so once, and says so on stderr."""
    import matplotlib.font_manager  # noqa: F401


@pytest.fixture(scope="session")
def shared_data() -> Callable[..., Path]:
    """Return a function that finds a file or folder under $SANS_DATA.

    What is not there skips the test, or fails it where SANS_REQUIRE_DATA=1 asks for real data.
    """

    def find(*parts: str) -> Path:
        root = os.environ.get("SANS_DATA", "")
        path = Path(root, *parts)
        if root and path.exists():
            return path
        missing = f"{'/'.join(parts)} is not under SANS_DATA={root!r}"
        if os.environ.get("SANS_REQUIRE_DATA") == "1":
            pytest.fail(missing)
        pytest.skip(missing)

    return find


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Have Ctrl-C interrupt this process, even if it was started to ignore it: `nohup pytest &`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def own_signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have signals handled as before, after a test that lets the command line listen to them."""
    numbers = (*interruption.SIGNALS, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    monkeypatch.setattr(interruption, "_received", interruption._Received())
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing of runs and sweeps: it takes longer than to train."""
    monkeypatch.setattr("sans.sweeps.pictures.draw", lambda *_: None)
    monkeypatch.setattr("sans.runs.experiment.illustrate", lambda *_: None)


@pytest.fixture
def sans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs `sans` with some arguments in an empty folder, `tmp_path`.

    However slow the machine is, no progress is told, unless a test wants it all the time.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sans.commands.progress.SECONDS_TO_FIRST_LINE", 1e9)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception  # what a user would see as a traceback
        return result

    return run


@pytest.fixture
def refused(sans: Callable[..., Result]) -> Callable[..., str]:
    """Return a function that runs `sans`, asserts an exit status, and returns its one line."""

    def run(code: int, *arguments: str) -> str:
        result = sans(*arguments)
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith("sans: ")
        return line

    return run
