"""Engines: every task once, wherever it is performed and whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path
from types import SimpleNamespace

import pytest
from processes import until

from sans.engines import Engine
from sans.engines.engine import ATTEMPTS
from sans.errors import SansError


@pytest.fixture(scope="module")
def cluster():
    """Return a Dask cluster of two worker processes on this computer."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:
        cluster.wait_for_workers(2)
        yield cluster


@pytest.fixture(params=["threads", "processes", "cluster"])
def engine(request):
    """Return each kind of engine."""
    if request.param == "cluster":
        return Engine(scheduler=request.getfixturevalue("cluster").scheduler_address)
    return Engine(workers=2 if request.param == "processes" else None)


def square(task, stopped):  # noqa: ARG001
    return task * task


def where(task, stopped):  # noqa: ARG001
    time.sleep(0.02)  # long enough for the others to get some
    return os.getpid()


def fail_at_two(task, stopped):  # noqa: ARG001
    if task == 2:
        raise SansError("task 2 cannot be done")
    return task


def die(task, stopped):  # noqa: ARG001
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(task, stopped):  # noqa: ARG001
    """End this process the first time that anybody performs the last task."""
    marker, last = task
    try:
        if last:
            Path(marker).touch(exist_ok=False)
            time.sleep(0.3)  # the others are done meanwhile
            os.kill(os.getpid(), signal.SIGKILL)
    except FileExistsError:
        pass
    return "done"


def interrupt(task, stopped):  # noqa: ARG001
    """Press Ctrl-C and go on."""
    os.kill(os.getpid(), signal.SIGINT)
    return task


def interrupt_both(task, stopped):
    """Press Ctrl-C once when tasks 0 and 1 are running, and go on until called off."""
    RUNNING.add(task)
    if task:
        assert until(lambda: len(RUNNING) == 2)
        os.kill(os.getpid(), signal.SIGINT)
    assert until(stopped)
    time.sleep(0.05)
    RUNNING.discard(task)
    raise RuntimeError("stopped")


RUNNING: set[int] = set()


@pytest.fixture
def two_threads(monkeypatch):
    """Let there be two threads, one of them the main one, and nothing that runs."""
    monkeypatch.setattr("sans.engines.engine.joblib.cpu_count", lambda: 2)
    RUNNING.clear()


def rows_by(engine, folder, on_networks=lambda _: None):
    """Return the rows that an engine makes of a small sweep, from its folder and its outcomes."""
    # Not above: a process that performs something simple need not import torch for it.
    from sans.datasets import DataConfig
    from sans.sweeps import Grid, SweepFolder, prepare, run_sweeps

    data, grid = DataConfig(window=100, limit=12), Grid(kernel_size=(3, 8), seeds=3)
    train = {"epochs": 20, "device": "cpu"}
    sweep, kept = prepare(data, grid, train), SweepFolder(folder)
    kept.open(sweep.values)
    run_sweeps([(sweep, kept)], engine, on_networks)
    again = prepare(data, grid, train)
    again.take(kept.finished(again.tasks))
    assert again.rows() == sweep.rows()
    return sweep.rows()


@pytest.fixture(scope="module")
def wanted_rows(tmp_path_factory):
    """Return the rows that threads make of the small sweep."""
    return rows_by(Engine(), tmp_path_factory.mktemp("threads"))


def test_every_task_is_performed_once_and_told_by_its_position(engine):
    assert sorted(engine.run(square, range(20))) == [(n, n * n) for n in range(20)]


def test_threads_stay_in_this_process_and_the_others_do_not(engine):
    places = {place for _, place in engine.run(where, range(8))}
    here = engine.workers is None and engine.scheduler is None
    assert (os.getpid() in places) == here
    assert len(places) == (1 if here else 2)


def test_an_error_of_a_task_reaches_the_caller(engine):
    with pytest.raises(SansError, match=r"^task 2 cannot be done$"):
        list(engine.run(fail_at_two, range(4)))
    assert sorted(engine.run(square, [3])) == [(0, 9)]


def test_every_engine_makes_the_same_rows(engine, wanted_rows, tmp_path):
    assert len({(row.activation, row.kernel_size, row.seed) for row in wanted_rows}) == 30
    assert rows_by(engine, tmp_path) == wanted_rows


def test_no_task_needs_nobody():
    assert list(Engine(scheduler="tcp://127.0.0.1:1").run(square, [])) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers must be at least 1, not 0"),
        ({"workers": -1}, "workers must be at least 1, not -1"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:1"}, "or a scheduler, not both"),
    ],
)
def test_an_impossible_engine_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Engine(**options)


@pytest.mark.usefixtures("interruptible", "two_threads")
def test_ctrl_c_waits_until_no_thread_works_any_more():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        list(Engine().run(interrupt_both, range(2)))
    assert not RUNNING
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.usefixtures("two_threads")
def test_ctrl_c_that_only_the_tasks_have_seen_is_one():
    before = signal.signal(signal.SIGINT, lambda *_: None)  # as where an exception is swallowed
    try:
        with pytest.raises(KeyboardInterrupt):
            list(Engine().run(interrupt_both, range(2)))
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_process_that_ignores_ctrl_c_goes_on_ignoring_it():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert sorted(Engine().run(interrupt, range(8))) == [(n, n) for n in range(8)]
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_only_managers_of_killed_processes_end_unheard(monkeypatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda ended: told.append(ended.thread.name))

    def end(name, killed):
        thread = threading.Thread(target={}.pop, args=(name,), name=name)
        thread.executor_flags = SimpleNamespace(kill_workers=killed)
        thread.start()
        thread.join()

    for task, _ in Engine(workers=1).run(square, range(2)):
        end(f"killed {task}", True)
        end(f"not killed {task}", False)
    end("after", True)
    assert sorted(told) == ["after", "not killed 0", "not killed 1"]


def test_whoever_wants_no_more_outcomes_ends_the_rest(monkeypatch):
    monkeypatch.setattr("sans.engines.engine.joblib.cpu_count", lambda: 2)
    ended = []

    def first_at_once(task, stopped):
        while task and not stopped():
            time.sleep(0.005)
        ended.append(task)
        return task

    outcomes = Engine().run(first_at_once, range(2))
    assert next(outcomes) == (0, 0)
    outcomes.close()  # and warns of nothing
    assert ended == [0, 1]


def test_threads_work_where_signals_cannot_be_listened_to():
    found = []
    thread = threading.Thread(target=lambda: found.extend(Engine().run(square, range(3))))
    thread.start()
    thread.join()
    assert sorted(found) == [(0, 0), (1, 1), (2, 4)]


def test_what_a_killed_process_left_undone_is_done_again(tmp_path):
    marker = str(tmp_path / "marker")
    found = sorted(Engine(workers=2).run(die_once, [(marker, n == 5) for n in range(6)]))
    assert found == [(n, "done") for n in range(6)]
    assert Path(marker).exists()


def test_processes_that_die_again_and_again_are_one_line():
    words = f"worker processes died {ATTEMPTS} times.*; 3 of 3 tasks are not done: try fewer"
    with pytest.raises(SansError, match=words):
        list(Engine(workers=2).run(die, range(3)))


def test_a_cluster_whose_worker_is_killed_makes_every_row_once(cluster, wanted_rows, tmp_path):
    from distributed import Client

    with Client(cluster, set_as_default=False) as client:
        first, second = client.run(os.getpid).values()
    told = []

    def kill_after_the_first(networks):
        told.append(networks)
        if len(told) == 2:  # what was found in the folder is told first
            os.kill(first, signal.SIGKILL)

    engine = Engine(scheduler=cluster.scheduler_address)
    assert rows_by(engine, tmp_path, kill_after_the_first) == wanted_rows
    assert sum(told) == len(wanted_rows)
    with Client(cluster, set_as_default=False) as client:
        assert first not in client.run(os.getpid).values()
        assert second in client.run(os.getpid).values()
    cluster.wait_for_workers(2)


def test_a_cluster_of_one_worker_is_not_left_alone(cluster, monkeypatch):
    monkeypatch.setattr("distributed.Client.ncores", lambda _: {"one": 1})
    engine = Engine(scheduler=cluster.scheduler_address)
    assert os.getpid() not in {place for _, place in engine.run(where, range(4))}


def test_a_task_that_no_worker_of_a_cluster_survives_is_one_line(cluster):
    engine = Engine(scheduler=cluster.scheduler_address)
    with pytest.raises(SansError, match=r"^workers of the Dask cluster died 4 times at the same"):
        list(engine.run(die, range(1)))
    cluster.wait_for_workers(1, timeout=60)
    assert sorted(engine.run(square, [3])) == [(0, 9)]


def test_the_address_of_a_worker_is_refused(cluster):
    address = next(iter(cluster.scheduler_info["workers"]))
    with pytest.raises(SansError, match=f"^at {address} is a Worker of Dask, not a scheduler$"):
        list(Engine(scheduler=address).run(square, [1]))


def test_a_cluster_without_workers_is_one_line(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr("sans.engines.cluster.SECONDS_TO_CONNECT", 0.5)
    with LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0") as empty:
        engine = Engine(scheduler=empty.scheduler_address)
        with pytest.raises(SansError, match=r"^the Dask cluster at \S+ has no workers$"):
            list(engine.run(square, [1]))


@pytest.mark.parametrize("error", [CancelledError(), ImportError("no module sans")])
def test_a_cluster_that_breaks_down_is_one_line(cluster, monkeypatch, error):
    def broken(*_):
        raise error

    monkeypatch.setattr("sans.engines.engine._pass", broken)
    engine = Engine(scheduler=cluster.scheduler_address)
    words = {CancelledError: "scheduler at .* is gone", ImportError: "must have sans .*: no module"}
    with pytest.raises(SansError, match=words[type(error)]):
        list(engine.run(square, [1]))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nonsense", "missing port number in address 'nonsense'"),
        ("", "missing port number"),
        ("http://127.0.0.1:1", "unknown address scheme 'http'"),
        ("tls://127.0.0.1:1", "TLS"),
    ],
)
def test_an_address_that_is_none_is_told_what_one_looks_like(address, message):
    words = rf"^no Dask scheduler at '{address}', wanted such as tcp://10.0.0.1:8786: .*{message}"
    with pytest.raises(SansError, match=words):
        list(Engine(scheduler=address).run(square, [1]))


@pytest.mark.parametrize("listens", [False, True])
def test_a_scheduler_that_does_not_answer_is_one_line(monkeypatch, listens):
    monkeypatch.setattr("sans.engines.cluster.SECONDS_TO_CONNECT", 0.5)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        if listens:
            mute.listen()  # whoever connects waits for a word
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        words = f"^no Dask scheduler answers at '{address}' within 0.5 seconds$"
        with pytest.raises(SansError, match=words):
            list(Engine(scheduler=address).run(square, [1]))


def test_another_server_than_a_scheduler_is_one_line():
    def answer(server):
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(SansError, match=f"^no Dask scheduler at '{address}', wanted such as"):
            list(Engine(scheduler=address).run(square, [1]))
        thread.join()


def test_a_cluster_without_dask_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SansError, match=r"pip install 'sans\[dask\]'"):
        list(Engine(scheduler="tcp://127.0.0.1:1").run(square, [1]))
