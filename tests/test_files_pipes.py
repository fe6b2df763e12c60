"""Pipes: all that is written arrives, or it is said that it did not."""

from __future__ import annotations

import errno
import io
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import typer
from extracting import extract_file
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from processes import said

from sans import cli
from sans.codec.compression import Options
from sans.codec.files import FileTask, compress_file, decompress_file, recover_file
from sans.commands import console
from sans.commands.batches import run_all
from sans.errors import ReaderGoneError, SansError
from sans.files import pipes
from sans.files.pipes import Pipe, piped, read_some
from sans.recordings.arrays.npy import write_npy
from sans.recordings.spans import Cut

WALK = np.random.default_rng(0).integers(-9, 10, 600).cumsum().astype("<i2")
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
SAID = "cannot write to standard output: No space left on device"
LIMIT = 1024  # bytes that a file may have, of which a shell counts 512 as one

counts = st.lists(st.sampled_from([None, 0, 1, 2, 7, 100, 10**6]), min_size=1, max_size=6)
counts = counts.filter(any)


class Trickle(io.RawIOBase):
    """A file without a buffer: takes and gives a part each time, or nothing for the moment."""

    def __init__(self, counts, content=b"", end=None):
        self.taken, self.left = bytearray(), content
        self._counts, self._end = itertools.cycle(counts), end

    def readable(self):
        return True

    def writable(self):
        return True

    def write(self, data):
        if self._end is not None and self.taken:
            raise self._end
        if (count := next(self._counts)) is None:
            return None
        piece = bytes(memoryview(data)[:count])
        self.taken += piece
        return len(piece)

    def readinto(self, buffer):
        if not (count := next(self._counts)):
            return None  # as 0 would be the end
        piece = self.left[: min(count, len(buffer))]
        self.left = self.left[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.fixture(autouse=True, scope="module")
def _no_pause():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipes, "PAUSE", 0)
        yield


def write_recordings(folder):
    """Write a small recording of every kind that goes to a pipe."""
    edfio = pytest.importorskip("edfio")
    np.save(folder / "one.npy", WALK)
    np.save(folder / "columns.npy", np.asfortranarray(WALK.reshape(200, 3)))
    (folder / "x.csv").write_text("t;a\r\n" + "\r\n".join(f"{i};{i / 4}" for i in WALK))
    edfio.Edf([edfio.EdfSignal(WALK[:300] / 10, 100, label="a")]).write(folder / "x.edf")
    (folder / "x.idx").write_bytes(b"\0\0\x08\x01\0\0\0\x64" + bytes(range(100)))
    Image.fromarray(WALK.astype("u1").reshape(20, 30)).save(folder / "x.png")


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """Everything that writes bytes to a file or to a pipe, by what it does."""
    folder = tmp_path_factory.mktemp("recordings")
    write_recordings(folder)
    made = {}
    for path in sorted(folder.iterdir()):
        stream = folder / f"{path.name}.sans"
        compress_file(path, stream, Options())
        made[f"restore {path.name}"] = lambda target, s=stream: decompress_file(s, target)
    one, columns = folder / "one.npy.sans", folder / "columns.npy.sans"
    made["compress"] = lambda target: compress_file(folder / "one.npy", target, Options())
    made["recover"] = lambda target: recover_file(one, target)
    made["a part.npy"] = lambda target: extract_file(one, target, Cut(5, 300, samples=True))
    made["a part of columns.npy"] = lambda target: extract_file(
        columns, target, Cut(5, 100, samples=True)
    )
    return made


JOBS = (
    *(f"restore {name}" for name in ("one.npy", "columns.npy", "x.csv", "x.edf", "x.idx", "x.png")),
    *("compress", "recover", "a part.npy", "a part of columns.npy"),
)


@pytest.fixture(scope="module")
def to_files(jobs, tmp_path_factory):
    """What each of them writes to a file."""
    assert set(JOBS) == set(jobs)
    folder = tmp_path_factory.mktemp("files")
    for name, job in jobs.items():
        job(folder / name)
    return {name: (folder / name).read_bytes() for name in jobs}


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("buffering", [-1, 0])
def test_a_pipe_gets_the_bytes_that_a_file_gets(jobs, to_files, name, buffering):
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as out:
        with os.fdopen(writer, "wb", buffering) as sink:
            jobs[name](sink)
        assert out.read() == to_files[name]


@pytest.mark.parametrize("name", JOBS)
@settings(max_examples=10)
@given(counts=counts)
def test_what_a_sink_does_not_take_is_given_again(jobs, to_files, name, counts):
    sink = Trickle(counts)
    jobs[name](sink)
    assert sink.taken == to_files[name]


@pytest.mark.parametrize("name", JOBS)
def test_a_sink_that_is_full_after_a_part_is_one_line(jobs, name):
    with pytest.raises(SansError, match=r"^cannot write to the pipe: No space left on device$"):
        jobs[name](Trickle([5], end=FULL))


@pytest.mark.parametrize("name", JOBS)
def test_a_reader_who_goes_is_told_from_a_sink_that_is_full(jobs, name):
    with pytest.raises(ReaderGoneError, match="the pipe has no reader any more"):
        jobs[name](Trickle([5], end=BrokenPipeError(errno.EPIPE, "Broken pipe")))


@given(counts, st.lists(st.binary(max_size=50), max_size=4), st.integers(1, 30))
def test_a_buffer_before_such_a_sink_loses_nothing(counts, pieces, size):
    sink = Trickle(counts)
    with piped(io.BufferedWriter(sink, size)) as pipe:
        assert [pipe.write(piece) for piece in pieces] == list(map(len, pieces))
    assert sink.taken == b"".join(pieces)


def test_a_sink_without_a_count_to_give_is_taken_at_its_word():
    class Silent:
        taken = b""

        def write(self, data):
            self.taken += bytes(data)

        def flush(self):
            self.taken += b" and flushed"

    sink = Silent()
    with piped(sink) as pipe:
        assert pipe.write(b"once") == 4
    assert sink.taken == b"once and flushed"


def test_a_pipe_is_left_open():
    sink = io.BytesIO()
    with piped(sink) as pipe:
        pipe.write(np.arange(3, dtype="<u2"))
        pipe.write(np.empty((0, 2)))
        pipe.close()
    del pipe
    assert sink.getvalue() == b"\0\0\1\0\2\0"


@pytest.mark.parametrize("shape", [(0,), (1,), (5,), (0, 2), (5, 2), (3, 1, 2)])
@pytest.mark.parametrize("dtype", ["<i2", ">f8", "u1"])
def test_an_array_is_written_as_numpy_writes_it(shape, dtype):
    array = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    ours, theirs = io.BytesIO(), io.BytesIO()
    write_npy(ours, array)
    np.save(theirs, array)
    assert ours.getvalue() == theirs.getvalue()
    np.save(Pipe(sink := Trickle([3])), array)  # what numpy asks a pipe for is there
    assert sink.taken == ours.getvalue()


@settings(max_examples=10)
@given(counts=counts)
def test_a_pipe_that_gives_little_at_a_time_is_read_to_its_end(to_files, counts):
    recording, stream = to_files["restore one.npy"], to_files["compress"]
    compress_file(Trickle(counts, recording), sink := io.BytesIO(), Options())
    assert sink.getvalue() == stream
    for restore in (decompress_file, recover_file):
        restore(Trickle(counts, stream), sink := io.BytesIO())
        assert sink.getvalue() == recording


def test_nothing_is_read_at_the_end_alone():
    source = Trickle([None, 2, 0], b"abc")
    assert [read_some(source, 9) for _ in range(3)] == [b"ab", b"c", b""]


def text_over(sink, buffered):
    """Return a stream as Python makes stdout: with a buffer, or without one if it is told so."""
    file = io.BufferedWriter(sink) if buffered else sink
    return io.TextIOWrapper(file, "utf-8", write_through=not buffered)


@pytest.fixture
def standard(monkeypatch):
    """Return a function that puts sinks in the place of stdout and stderr."""

    def stand(out, err, buffered):
        monkeypatch.setattr(sys, "stdout", text_over(out, buffered))
        monkeypatch.setattr(sys, "stderr", text_over(err, buffered))

    yield stand
    for each in (console.out, console.err):  # which would print later what could not be written
        each.file = io.StringIO()
        each.print()
        each.file = None


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("counts", [[3], [None, 1, 0, 50]])
def test_every_line_is_whole_and_there_at_once(standard, buffered, counts):
    out, err = Trickle(counts), Trickle(counts)
    standard(out, err, buffered)
    console.print_anywhere()
    console.out.print("φ of a table")
    assert out.taken.decode() == "φ of a table\n"
    typer.echo("a version")
    console.print_json({"json": 1})
    assert out.taken.decode().splitlines()[1:] == ["a version", '{"json": 1}']
    console.notice("else")
    assert err.taken == b"else\n"


@pytest.mark.parametrize("json", [True, False])
def test_the_line_of_a_file_is_there_before_the_next_file_is_done(standard, tmp_path, json):
    class Watched:
        """An engine that looks at the output before each task."""

        def run(self, perform, tasks):
            for i, task in enumerate(tasks):
                assert out.taken.count(b"\n") == i
                yield i, perform(task, lambda: False)

    standard(out := Trickle([100]), Trickle([100]), buffered=True)
    console.print_anywhere()
    np.save(tmp_path / "x.npy", WALK)
    tasks = [FileTask(tmp_path / "x.npy", tmp_path / f"{i}.sans") for i in range(3)]
    run_all(tasks, Watched(), json, "compress")
    assert out.taken.count(b"\n") == 3 + (not json)


def test_letters_that_a_terminal_does_not_know_are_question_marks(monkeypatch):
    sink = Trickle([100])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(sink, "ascii"))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    console.print_anywhere()
    print("φ = 1")
    assert sink.taken == b"? = 1\n"


def run(standard, arguments, end, buffered, monkeypatch):
    """Run a command whose output ends early; return its status and what stands on stderr."""
    err = Trickle([100])
    standard(Trickle([5], end=end), err, buffered)
    monkeypatch.setattr(sys, "argv", ["sans", *arguments])
    with pytest.raises(SystemExit) as raised:
        cli.run()
    sys.stdout.flush()  # as the interpreter does at its end
    return raised.value.code, err.taken.decode()


COMMANDS = (
    *(["--help"], ["--version"], ["datasets"], ["inspect", "x.sans"]),
    *(["inspect", "x.sans", "--json"], ["compress", "x.npy", "-o", "-"]),
    *(["decompress", "x.sans", "-o", "-"], ["decompress", "x.sans", "-o", "-", "--recover"]),
    ["decompress", "x.sans", "-o", "-", "--end", "20", "--samples"],
)


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_output_that_cannot_be_written_is_one_line_and_exit_1(
    jobs, standard, tmp_path, monkeypatch, arguments, buffered
):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", WALK)
    jobs["compress"](tmp_path / "x.sans")
    outcome = run(standard, arguments, FULL, buffered, monkeypatch)
    assert outcome == (1, f"sans: {SAID}\n")
    gone = BrokenPipeError(errno.EPIPE, "Broken pipe")
    assert run(standard, arguments, gone, buffered, monkeypatch) == (1, "")


def test_without_anybody_to_tell_there_is_still_the_status(standard, monkeypatch):
    standard(Trickle([5], end=FULL), Trickle([5], end=FULL), buffered=True)
    monkeypatch.setattr(sys, "argv", ["sans", "--help"])
    with pytest.raises(SystemExit, match="1"):
        cli.run()


# What follows are processes of their own, started side by side, as each takes its time.


def start(arguments, folder, unbuffered, shell='exec "$@"', **options):
    """Start `sans` by a line of a shell, in which "$@" is the command."""
    environment = {name: each for name, each in os.environ.items() if name != "PYTHONUNBUFFERED"}
    environment |= {"PYTHONUNBUFFERED": "1"} if unbuffered else {}
    command = ["sh", "-c", shell, "sh", sys.executable, "-m", "sans", *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, **options)


def ended(process):
    """Wait for a process; return its status and what it said on stderr."""
    errors = process.stderr.read().decode()
    process.stderr.close()
    return process.wait(timeout=300), said(errors)


def test_processes_hand_on_all_whether_they_buffer_or_not(jobs, to_files, tmp_path):
    jobs["compress"](tmp_path / "x.sans")
    (tmp_path / "x.npy").write_bytes(to_files["restore one.npy"])
    piped, part = (
        ["-", "-o", "-"],
        ["x.sans", "-o", "-", "--start", "5", "--end", "300", "--samples"],
    )
    with (tmp_path / "x.npy").open("rb") as given:
        first = start(["compress", *piped], tmp_path, True, stdin=given, stdout=subprocess.PIPE)
    ends = {"stdin": first.stdout, "stdout": subprocess.PIPE}
    started = [start(["decompress", *piped], tmp_path, False, **ends)]
    first.stdout.close()
    for unbuffered in (True, False):
        started.append(start(["decompress", *part], tmp_path, unbuffered, stdout=subprocess.PIPE))
    for each, name in zip(started, ("restore one.npy", "a part.npy", "a part.npy"), strict=True):
        with each.stdout:
            assert each.stdout.read() == to_files[name]
    assert [ended(each) for each in (first, *started)] == [(0, "")] * 4


def test_processes_whose_output_has_no_room_say_so_and_fail(jobs, tmp_path):
    jobs["compress"](tmp_path / "x.sans")
    started, wanted = [], []

    def expect(reason, *arguments, shell):
        started.append(start(arguments, tmp_path, unbuffered, shell))
        wanted.append((1, f"sans: cannot write to standard output: {reason}\n"))

    for unbuffered in (True, False):
        for i, arguments in enumerate((["decompress", "x.sans", "-o", "-"], ["datasets"])):
            shell = f'ulimit -f {LIMIT // 512}; exec "$@" > "small {unbuffered} {i}"'
            expect("File too large", *arguments, shell=shell)
        expect("No space left on device", "--version", shell='exec "$@" > /dev/full')
    expect("File not open for writing", "--help", shell='exec "$@" >&-')
    assert [ended(each) for each in started] == wanted
    # What there was room for is there.
    assert [path.stat().st_size for path in tmp_path.glob("small *")] == [LIMIT] * 4


def test_a_closed_standard_input_is_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    for command in ("compress", "decompress"):
        monkeypatch.setattr(sys, "argv", ["sans", command, "-", "-o", "-"])
        with pytest.raises(SystemExit, match="1"):
            cli.run()
        assert capsys.readouterr() == ("", "sans: cannot read standard input: it is closed\n")
