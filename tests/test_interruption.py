"""Signals: SIGTERM and SIGHUP end a command as Ctrl-C does, at whatever moment they come."""

from __future__ import annotations

import signal
import subprocess
import sys
import weakref
from types import ModuleType, SimpleNamespace

import pytest
from processes import until

from sans import __main__ as entry
from sans import interruption
from sans.commands.console import INTERRUPTED, fail

STATUSES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

pytestmark = pytest.mark.usefixtures("own_signals")


@pytest.fixture
def listening():
    for number in STATUSES:
        signal.signal(number, signal.SIG_DFL)
    interruption.listen()


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("number", STATUSES)
def test_a_signal_is_an_interrupt_that_decides_on_the_status(number, capsys):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert fail("stopped; all is kept", INTERRUPTED).exit_code == STATUSES[number]
    assert capsys.readouterr().err == "sans: stopped; all is kept\n"


def test_what_a_process_ignores_it_goes_on_ignoring():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
    interruption.listen()
    signal.raise_signal(signal.SIGHUP)
    with interruption.uninterrupted():
        signal.raise_signal(signal.SIGHUP)
    interruption.end_at_once()
    signal.raise_signal(signal.SIGHUP)


@pytest.mark.usefixtures("listening")
def test_a_signal_that_is_sent_twice_is_one_but_ctrl_c_is_each_time_another():
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGHUP)
    signal.raise_signal(signal.SIGHUP)
    signal.raise_signal(signal.SIGTERM)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("listening")
def test_a_later_signal_is_another(monkeypatch):
    monkeypatch.setattr(interruption, "SECONDS_OF_REPEATS", -1.0)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("listening")
def test_signals_that_are_put_off_come_after_and_are_still_themselves():
    done = []

    def work():
        with interruption.uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            done.append("the rest")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["the rest"]
    assert interruption.exit_status() == 143


@pytest.mark.usefixtures("listening")
def test_an_import_is_waited_for(tmp_path, monkeypatch):
    lines = "import signal", "signal.raise_signal(signal.SIGTERM)", "whole = True"
    (tmp_path / "interrupted_module.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)

    def work():
        import interrupted_module  # noqa: F401

        until(lambda: False)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert sys.modules.pop("interrupted_module").whole


@pytest.mark.usefixtures("listening")
def test_an_interrupt_that_python_drops_comes_again(capsys):
    class Object:
        pass

    moments = []

    def work():
        gone = Object()
        reference = weakref.ref(gone, lambda _: signal.raise_signal(signal.SIGHUP))
        del gone
        moments.append(reference())
        until(lambda: False)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert moments == [None]
    assert capsys.readouterr().err == ""


def test_other_errors_that_python_drops_are_still_told(monkeypatch):
    interruption.listen()
    told = []
    monkeypatch.setattr(sys, "__unraisablehook__", told.append)
    sys.unraisablehook(SimpleNamespace(exc_type=ValueError))
    assert len(told) == 1


def test_children_never_hear_of_the_signals_and_the_parent_does():
    code = "import signal; print(*sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with interruption.not_for_children():
        found = subprocess.run([sys.executable, "-ISc", code], capture_output=True, text=True)
    assert found.stdout.split() == [str(int(number)) for number in sorted(STATUSES)]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


@pytest.mark.parametrize("error", [SystemExit(130), ImportError("no module"), KeyboardInterrupt()])
def test_a_signal_that_no_command_has_told_of_is_one_line(monkeypatch, capsys, error):
    class Interrupted(ModuleType):
        def run(self):
            try:
                signal.raise_signal(signal.SIGTERM)
            except KeyboardInterrupt:
                raise error from None

    monkeypatch.setitem(sys.modules, "sans.cli", Interrupted("sans.cli"))
    for number in STATUSES:
        signal.signal(number, signal.SIG_DFL)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 143
    assert capsys.readouterr().err == "sans: interrupted\n"


def test_an_error_without_a_signal_is_not_hidden(monkeypatch):
    class Broken(ModuleType):
        def run(self):
            raise RuntimeError("a mistake")

    monkeypatch.setitem(sys.modules, "sans.cli", Broken("sans.cli"))
    with pytest.raises(RuntimeError, match="a mistake"):
        entry.main()


@pytest.mark.parametrize(("told", "said"), [(True, ""), (False, "sans: interrupted\n")])
def test_what_has_nothing_left_to_do_ends_at_once(told, said):
    code = f"""
import atexit, signal
from sans import interruption
interruption.listen()
interruption._received.told = {told}
interruption.end_at_once()
atexit.register(signal.raise_signal, signal.SIGINT)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (130, said)
