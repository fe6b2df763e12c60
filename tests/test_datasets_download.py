from __future__ import annotations

import errno
import functools
import hashlib
import http.server
import socket
import threading
import warnings
from pathlib import Path

import pytest

from sans.datasets import catalogue, download, fetch, sources
from sans.datasets.download import Checksum, read_url
from sans.errors import DatasetError

CONTENT = bytes(range(256)) * 1000


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves a dict of files, with the faults that a test asks for."""

    protocol_version = "HTTP/1.1"

    def __init__(self, server_state, *args):
        self.state = server_state
        super().__init__(*args)

    def log_message(self, *args):
        pass

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.state.requests.append((self.path, wanted))
        content = self.state.files.get(self.path)
        if self.state.status or content is None:
            return self.answer(self.state.status or 404, b"")
        if wanted and not self.state.ignore_range:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                return self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            place = f"bytes {start}-{len(content) - 1}/{len(content)}"
            return self.answer(206, content[start:], {"Content-Range": place})
        return self.answer(200, content)

    def answer(self, status, content, headers=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.state.hang:
            self.state.released.wait(10)
        self.wfile.write(content[: self.state.cut])
        if self.state.cut is not None:
            self.close_connection = True


class State:
    def __init__(self):
        self.files = {}
        self.requests = []
        self.status = None
        self.ignore_range = False
        self.cut = None
        self.hang = False
        self.released = threading.Event()
        self.url = ""


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server of our own on the loopback, and data folders of our own."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SANS_DATA", raising=False)
    state = State()
    handler = functools.partial(Handler, state)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        state.url = f"http://127.0.0.1:{running.server_port}"
        state.files["/x.dat"] = CONTENT
        yield state
        state.released.set()
        running.shutdown()
        thread.join()


SUM = Checksum("sha256", hashlib.sha256(CONTENT).hexdigest())


def get(server, folder, checksum=SUM, progress=None):
    download.download(f"{server.url}/x.dat", folder / "x.dat", checksum, progress)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_arrives_whole_in_a_new_folder_and_progress_is_told(server, tmp_path):
    told = []
    get(server, tmp_path / "a" / "b", progress=lambda *values: told.append(values))
    assert (tmp_path / "a" / "b" / "x.dat").read_bytes() == CONTENT
    assert names(tmp_path / "a" / "b") == ["x.dat"]
    assert told[-1] == ("x.dat", len(CONTENT), len(CONTENT))
    assert [here for _, here, _ in told] == sorted({here for _, here, _ in told})


def test_a_file_that_is_here_and_right_is_not_asked_for_again(server, tmp_path):
    (tmp_path / "x.dat").write_bytes(CONTENT)
    get(server, tmp_path)
    assert server.requests == []


def test_a_file_that_is_here_and_wrong_is_replaced(server, tmp_path):
    (tmp_path / "x.dat").write_bytes(b"old")
    get(server, tmp_path)
    assert (tmp_path / "x.dat").read_bytes() == CONTENT


@pytest.mark.parametrize("arrived", [1, 1000, len(CONTENT) - 1])
def test_a_download_goes_on_where_it_stopped(server, tmp_path, arrived):
    (tmp_path / "x.dat.part").write_bytes(CONTENT[:arrived])
    get(server, tmp_path)
    assert server.requests == [("/x.dat", f"bytes={arrived}-")]
    assert (tmp_path / "x.dat").read_bytes() == CONTENT
    assert names(tmp_path) == ["x.dat"]


def test_a_part_that_is_complete_is_verified_and_put_in_place(server, tmp_path):
    (tmp_path / "x.dat.part").write_bytes(CONTENT)
    get(server, tmp_path)
    assert names(tmp_path) == ["x.dat"]


def test_a_server_without_ranges_is_read_from_the_beginning(server, tmp_path):
    server.ignore_range = True
    (tmp_path / "x.dat.part").write_bytes(CONTENT[:500])
    get(server, tmp_path)
    assert (tmp_path / "x.dat").read_bytes() == CONTENT


def test_a_part_of_another_file_is_found_out_and_removed(server, tmp_path):
    for part in (b"other" * 100, CONTENT + b"!"):
        (tmp_path / "x.dat.part").write_bytes(part)
        with pytest.raises(DatasetError, match=r"arrived damaged, its sha256 is not .*: removed"):
            get(server, tmp_path)
        assert names(tmp_path) == []
    get(server, tmp_path)
    assert names(tmp_path) == ["x.dat"]


def test_a_wrong_sum_leaves_what_was_there(server, tmp_path):
    (tmp_path / "x.dat").write_bytes(b"old")
    with pytest.raises(DatasetError, match=r"its md5 is not 00: removed; fetch it again"):
        get(server, tmp_path, Checksum("md5", "00"))
    assert (tmp_path / "x.dat").read_bytes() == b"old"
    assert names(tmp_path) == ["x.dat"]


def test_a_connection_that_breaks_off_leaves_a_part_to_go_on_from(server, tmp_path):
    server.cut = 70_000
    with pytest.raises(DatasetError, match=r"broke off after 70,000 of 256,000 bytes: fetch it"):
        get(server, tmp_path)
    assert names(tmp_path) == ["x.dat.part"]
    server.cut = None
    get(server, tmp_path)
    assert server.requests[-1] == ("/x.dat", "bytes=70000-")
    assert (tmp_path / "x.dat").read_bytes() == CONTENT


def test_an_interruption_leaves_a_part_to_go_on_from(server, tmp_path):
    def interrupt(_name, here, _total):
        if here > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(server, tmp_path, progress=interrupt)
    assert names(tmp_path) == ["x.dat.part"]
    get(server, tmp_path)
    assert names(tmp_path) == ["x.dat"]


def test_of_two_downloads_of_one_file_the_second_waits_and_takes_what_the_first_got(
    server, tmp_path
):
    begun, waits = threading.Event(), threading.Event()

    def downloads(_name, _here, _total):
        begun.set()
        assert waits.wait(60)

    def other(_name, here, total):
        assert (here, total) == ((tmp_path / "x.dat.part").stat().st_size, None)
        waits.set()

    first = threading.Thread(target=get, args=(server, tmp_path, SUM, downloads))
    first.start()
    assert begun.wait(60)
    get(server, tmp_path, progress=other)
    first.join()
    assert server.requests == [("/x.dat", None)]
    assert (tmp_path / "x.dat").read_bytes() == CONTENT
    assert names(tmp_path) == ["x.dat"]


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_refusing_server_is_named_with_its_answer(server, tmp_path, status):
    server.status = status
    with pytest.raises(DatasetError, match=rf"http://127.0.0.1:\d+/x.dat for us: {status} "):
        get(server, tmp_path)
    assert names(tmp_path) == []


def test_a_server_that_says_nothing_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    server.hang = True
    with pytest.raises(DatasetError, match=r"cannot download .*: timed out; check the network"):
        get(server, tmp_path)


@pytest.mark.usefixtures("server")
def test_no_network_is_one_line(tmp_path):
    with socket.socket() as bound:  # to a port without a listener
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/x"
        with pytest.raises(DatasetError, match=r"cannot download .*; check the network") as caught:
            download.download(url, tmp_path / "x", SUM)
        assert "\n" not in str(caught.value)
        with pytest.raises(DatasetError, match=r"cannot download"):
            read_url(url)


def test_a_full_disk_says_so_and_what_arrived_is_kept(server, tmp_path, monkeypatch):
    opened = Path.open

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_full(path, mode="r", *args, **options):
        file = opened(path, mode, *args, **options)
        return Full(file) if mode in ("wb", "ab") else file

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(DatasetError, match=r"no space left for .*x.dat: make room and fetch"):
        get(server, tmp_path)


def test_a_folder_that_cannot_be_made_says_what_to_do(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"cannot write .*; give another folder with --data-dir"):
        get(server, tmp_path / "file" / "folder")


@pytest.fixture
def mitdb(server, monkeypatch):
    """A copy of a Physionet database on our server."""
    monkeypatch.setattr(sources, "PHYSIONET", f"{server.url}/files")
    publish(
        server,
        "mitdb",
        {
            "RECORDS": b"100\n101\nx/200\n",
            "ANNOTATORS": b"atr\treference beats\nqrs\tothers\n",
            "100.hea": b"# a comment\n100 2 360 650000\n100.dat 212 200\n100.dat 212 200\n# end\n",
            "100.dat": b"signal",
            "100.atr": b"beats",
            "101.hea": b"101 1 360 10\n101a.dat 16 200\n",
            "101a.dat": b"another",
            "x/200.hea": b"200/3 1 360 10\n200_0 0\n~ 5\n200_1 5\n",
            "x/200_0.hea": b"200_0 1 360 0\n~ 0 200\n",
            "x/200_1.hea": b"200_1 1 360 5\n200_1.dat 16 200\n",
            "x/200_1.dat": b"nested",
            "evil.hea": b"evil 1 360 10\n../../evil.dat 16 200\n",
        },
    )
    return server


def publish(server, database, files, version="1.0.0"):
    base = f"/files/{database}/{version}"
    lines = [f"{hashlib.sha256(content).hexdigest()} {name}" for name, content in files.items()]
    server.files |= {f"{base}/{name}": content for name, content in files.items()}
    server.files[f"{base}/SHA256SUMS.txt"] = "\n".join(lines).encode()


def test_the_paper_s_record_is_fetched_with_its_signal_and_annotations(mitdb, tmp_path):
    folder = fetch("mitdb", tmp_path)
    assert folder == tmp_path / "physionet" / "mitdb"
    assert names(folder) == ["100.atr", "100.dat", "100.hea", "ANNOTATORS", "RECORDS"]
    assert (folder / "100.dat").read_bytes() == b"signal"
    mitdb.requests.clear()
    fetch("mitdb", tmp_path)  # the sums are all that is asked for again
    assert mitdb.requests == [("/files/mitdb/1.0.0/SHA256SUMS.txt", None)]


@pytest.mark.usefixtures("mitdb")
def test_another_record_is_fetched_with_the_files_its_header_names(tmp_path):
    folder = fetch("mitdb", tmp_path, record="101")
    assert names(folder) == ["101.hea", "101a.dat", "ANNOTATORS", "RECORDS"]


@pytest.mark.usefixtures("mitdb")
def test_a_nested_record_of_several_segments_is_fetched_whole(tmp_path):
    folder = fetch("physionet:mitdb/x/200", tmp_path)
    assert names(folder) == [
        "ANNOTATORS",
        "RECORDS",
        "x",
        "x/200.hea",
        "x/200_0.hea",
        "x/200_1.dat",
        "x/200_1.hea",
    ]


def test_the_first_record_is_fetched_where_the_catalogue_has_none(mitdb, tmp_path):
    publish(
        mitdb,
        "sufhsdb",
        {"RECORDS": b"f1\nf2\n", "f1.hea": b"f1 1 1 1\nf1.dat 16\n", "f1.dat": b"1"},
    )
    assert names(fetch("sufhsdb", tmp_path)) == ["RECORDS", "f1.dat", "f1.hea"]


@pytest.mark.usefixtures("mitdb")
def test_a_record_that_the_server_lacks_is_told_the_nearest(tmp_path):
    with pytest.raises(DatasetError, match=r"mitdb has no record '102': it has 3, such as 10"):
        fetch("mitdb", tmp_path, record="102")
    with pytest.raises(DatasetError, match=r"is not a name"):
        fetch("mitdb", tmp_path, record="../x")


@pytest.mark.usefixtures("mitdb")
def test_a_header_cannot_name_files_elsewhere(tmp_path):
    with pytest.raises(DatasetError, match=r"names '../../evil.dat', which is not a file of it"):
        fetch("mitdb", tmp_path, record="evil")


def test_a_file_without_a_sum_and_a_damaged_file_are_refused(mitdb, tmp_path):
    mitdb.files["/files/mitdb/1.0.0/100.dat"] = b"sIgnal"
    with pytest.raises(DatasetError, match=r"100.dat arrived damaged"):
        fetch("mitdb", tmp_path)
    assert "100.dat" not in names(tmp_path / "physionet" / "mitdb")
    sums = mitdb.files["/files/mitdb/1.0.0/SHA256SUMS.txt"]
    mitdb.files["/files/mitdb/1.0.0/SHA256SUMS.txt"] = sums.replace(b" 100.dat", b" x.dat")
    with pytest.raises(DatasetError, match=r"has no 100.dat: it cannot be verified"):
        fetch("mitdb", tmp_path)


def test_a_database_outside_the_catalogue_is_fetched_in_its_newest_version(
    mitdb, tmp_path, monkeypatch
):
    publish(
        mitdb, "ptbdb", {"RECORDS": b"a\n", "a.hea": b"a 1 1 1\na.dat 16\n", "a.dat": b"1"}, "2.0.1"
    )
    asked = []

    def newest(database):
        asked.append(database)
        return "2.0.1"

    monkeypatch.setattr(sources, "_newest_version", newest)
    assert names(fetch("physionet:ptbdb", tmp_path)) == ["RECORDS", "a.dat", "a.hea"]
    assert asked == ["ptbdb"]


def test_no_version_without_a_network_is_one_line(server, tmp_path, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of wfdb, when it is imported under pandas 3
        import wfdb.io.download

    monkeypatch.setattr(wfdb.io.download, "PN_CONTENT_URL", f"{server.url}/content/")
    with pytest.raises(DatasetError, match=r"cannot find a version of ptbdb on Physionet"):
        fetch("physionet:ptbdb", tmp_path)


@pytest.mark.parametrize(
    ("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")]
)
def test_images_are_fetched_as_they_are_from_the_first_mirror_that_answers(
    server, tmp_path, monkeypatch, name, folder
):
    import torchvision.datasets

    kind = getattr(torchvision.datasets, folder)
    files = [file for file, _ in kind.resources]
    server.files |= {f"/good/{file}": file.encode() for file in files}
    monkeypatch.setattr(kind, "mirrors", [f"{server.url}/bad/", f"{server.url}/good/"])
    sums = [(file, hashlib.md5(file.encode()).hexdigest()) for file in files]
    monkeypatch.setattr(kind, "resources", sums)
    assert fetch(name, tmp_path) == tmp_path / folder / "raw"
    assert names(tmp_path / folder / "raw") == sorted(files)
    monkeypatch.setattr(kind, "mirrors", [f"{server.url}/bad/"])
    assert fetch(name, tmp_path) == tmp_path / folder / "raw"  # they are here, nothing is asked
    with pytest.raises(DatasetError, match=r"/bad/train-images.*: 404"):
        fetch(name, tmp_path / "elsewhere")


@pytest.mark.usefixtures("mitdb")
def test_files_go_to_the_data_folder_else_the_environment_s_else_the_cache(tmp_path, monkeypatch):
    assert fetch("mitdb") == tmp_path / "cache" / "sans" / "physionet" / "mitdb"
    monkeypatch.setenv("SANS_DATA", str(tmp_path / "shared"))
    assert fetch("mitdb") == tmp_path / "shared" / "physionet" / "mitdb"
    assert fetch("mitdb", tmp_path / "mine") == tmp_path / "mine" / "physionet" / "mitdb"


def test_what_cannot_be_fetched_says_why(server, tmp_path):
    with pytest.raises(
        DatasetError, match=r"uci-epilepsy cannot be downloaded: .*data.csv"
    ) as caught:
        fetch("uci-epilepsy", tmp_path)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(DatasetError, match=r"no data set 'mitbd': did you mean mitdb"):
        fetch("mitbd", tmp_path)
    with pytest.raises(DatasetError, match=r"mnist has no records: leave out record '100'"):
        fetch("mnist", tmp_path, record="100")
    for entry in catalogue():
        if entry.kind == "synthetic":
            assert fetch(entry.name, tmp_path).is_dir()
    assert server.requests == []
