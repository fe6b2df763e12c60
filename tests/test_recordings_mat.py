from __future__ import annotations

import contextlib
import io
import struct
import sys
import types
import zlib

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting import restored

from sans.codec.compression import DEFAULT
from sans.codec.files import compress_file, decompress_file
from sans.errors import DatasetError, SansError
from sans.recordings import Layout, Track, create_recording, open_recording
from sans.recordings.mat.elements import describe, read_numbers

RNG = np.random.default_rng(0)
TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]


def saved(variables, compressed=True, version="5"):
    content = io.BytesIO()
    scipy.io.savemat(content, variables, do_compression=compressed, format=version)
    return content.getvalue()


def assert_same_variables(content, others):
    ours, theirs = (scipy.io.loadmat(io.BytesIO(each)) for each in (content, others))
    listed = [scipy.io.whosmat(io.BytesIO(each)) for each in (content, others)]
    assert listed[0] == listed[1]
    for name, _, kind in listed[0]:
        if kind == "sparse":
            assert (ours[name] != theirs[name]).nnz == 0
        elif kind in ("struct", "cell"):
            assert str(ours[name]) == str(theirs[name])
        else:
            assert ours[name].dtype == theirs[name].dtype
            np.testing.assert_array_equal(ours[name], theirs[name])


MIXED = {
    "val": RNG.integers(-500, 500, (2, 300)).astype("i2"),
    "fs": 250,
    "name": "hello",
    "s": {"a": 1},
    "c": np.array([1, "x"], dtype=object),
    "z": np.array([1 + 2j, 3]),
    "ok": RNG.normal(size=300) > 0,
    "m": RNG.normal(size=(300, 3)),
    "k": np.arange(6),
    "sp": scipy.sparse.eye(3),
    "whole": RNG.integers(-9, 9, (300, 2)).astype(float),  # which is stored as bytes
    "none": np.zeros((0, 3)),
    "t": RNG.normal(size=(300, 4, 5)).astype("f4"),
}


@pytest.mark.parametrize("compressed", [True, False])
def test_every_variable_comes_back(compressed):
    content = saved(MIXED, compressed)
    assert restored(content) == content
    layout = open_recording(io.BytesIO(content)).layout
    found = [(track.name, track.dtype, track.per_frame, track.rate) for track in layout.tracks]
    assert layout.frames == 6
    assert found == [
        ("val 0", "<i2", 50, 250.0),  # channels in rows, as PhysioNet's challenges have it
        ("val 1", "<i2", 50, 250.0),
        ("ok", "u1", 50, 250.0),
        ("m 0", "<f8", 50, 250.0),
        ("m 1", "<f8", 50, 250.0),
        ("m 2", "<f8", 50, 250.0),
        ("k", "<i8", 1, 5.0),
        ("whole 0", "<f8", 50, 250.0),
        ("whole 1", "<f8", 50, 250.0),
        ("t", "<f4", 1000, 0.0),
    ]
    assert [track.name for track in layout.tracks if track.exact] == ["ok", "k"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(1, 12), (12, 1), (12, 3), (3, 12), (2, 3, 4)])
@pytest.mark.parametrize("name", ["val", "x"])
def test_numbers_are_those_of_scipy(dtype, shape, name):
    values = RNG.integers(0, 100, shape).astype(dtype)
    content = saved({name: values})
    source = open_recording(io.BytesIO(content))
    blocks = list(zip(*source.blocks(5), strict=True))
    found = np.stack([np.concatenate(each) for each in blocks], axis=1)
    if len(shape) == 3:
        assert source.layout.shape == shape
        np.testing.assert_array_equal(found.reshape(shape), values)
    else:
        across = 1 in shape or (name == "val" and shape == (3, 12))
        expected = values.reshape(-1, 1) if 1 in shape else values.T if across else values
        np.testing.assert_array_equal(found, expected)
        assert bool(source.notices) == (shape == (3, 12) and name == "x")
    assert found.dtype == np.dtype(dtype)
    assert_same_variables(restored(content), content)


def test_a_double_that_is_stored_as_small_numbers_is_read_as_these_and_stays_a_double():
    kinds = struct.pack("<II", 2, 12) + bytes(range(12)) + bytes(4)
    content = saved({"x": np.zeros((12, 1))}, compressed=False)
    head = content[128 : -12 * 8 - 8]
    element = head[:4] + struct.pack("<I", len(head) - 8 + len(kinds)) + head[8:] + kinds
    content = content[:128] + element
    np.testing.assert_array_equal(scipy.io.loadmat(io.BytesIO(content))["x"][:, 0], range(12))
    layout = open_recording(io.BytesIO(content)).layout
    assert layout.tracks[0].dtype == "u1"
    again = restored(content)
    assert scipy.io.whosmat(io.BytesIO(again)) == [("x", (12, 1), "double")]
    np.testing.assert_array_equal(scipy.io.loadmat(io.BytesIO(again))["x"][:, 0], range(12))


def swapped(variables):
    """Return a big-endian file of one matrix of doubles and one text."""
    body = b""
    for name, values in variables.items():
        text = isinstance(values, str)
        data = values.encode("utf-16-be") if text else values.astype(">f8").tobytes(order="F")
        shape = (1, len(values)) if text else values.shape
        parts = [
            struct.pack(">IIII", 6, 8, 4 if text else 6, 0),
            struct.pack(">IIii", 5, 8, *shape),
            struct.pack(">II", 1, len(name)) + name.encode().ljust(8, b"\0"),
            struct.pack(">II", 4 if text else 9, len(data))
            + data.ljust(-(-len(data) // 8) * 8, b"\0"),
        ]
        body += struct.pack(">II", 14, sum(map(len, parts))) + b"".join(parts)
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + body


def test_a_file_of_the_other_byte_order_is_read():
    values = RNG.normal(size=(20, 2))
    content = swapped({"x": values, "t": "abc"})
    np.testing.assert_array_equal(scipy.io.loadmat(io.BytesIO(content))["x"], values)
    source = open_recording(io.BytesIO(content))
    assert source.notices == (
        "standard input: what is no real matrix does not come back: t (1 x 3 char)",
    )
    np.testing.assert_array_equal(np.stack(next(source.blocks(20)), axis=1), values)
    np.testing.assert_array_equal(scipy.io.loadmat(io.BytesIO(restored(content)))["x"], values)


def test_version_4_is_read_as_the_challenges_have_it(tmp_path):
    values = RNG.integers(-500, 500, (1, 3000)).astype("i2")
    (tmp_path / "A00001.mat").write_bytes(saved({"val": values, "n": "abc"}, False, "4"))
    summary = compress_file(tmp_path / "A00001.mat", tmp_path / "a.sans", DEFAULT)
    assert "does not come back: n (1 char)" in summary.notices[0]
    assert "not its bytes" in summary.notices[1]
    assert summary.tracks[0].dtype == "<i2"
    decompress_file(tmp_path / "a.sans", tmp_path / "b.mat")
    np.testing.assert_array_equal(scipy.io.loadmat(tmp_path / "b.mat")["val"], values)


def test_another_recording_is_no_mat_file(tmp_path):
    layout = Layout("mat", (Track("", "", 1.0, 0.0, 16, "<i2"),), None)
    with (
        pytest.raises(ValueError, match="a MAT file is made of one only"),
        create_recording(tmp_path / "a.mat", layout),
    ):
        pass


def test_version_7_3_says_what_reads_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    content = b"MATLAB 7.3 MAT-file".ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n"
    with pytest.raises(DatasetError, match=r'h5py reads: pip install "sans\[mat\]"'):
        open_recording(io.BytesIO(content))


class Array:
    """What h5py gives of a variable."""

    def __init__(self, values, kind):
        self.values, self.attrs = values, {"MATLAB_class": np.bytes_(kind)}
        self.dtype, self.shape, self.nbytes = values.dtype, values.shape, values.nbytes

    def __getitem__(self, _):
        return self.values


class Group:
    attrs: dict[str, bytes] = {}  # noqa: RUF012


def test_version_7_3_has_its_matrices_turned(monkeypatch):
    """An h5py of few lines, where the real one is not at hand: which kinds are which matters."""
    values = RNG.integers(-9, 9, (2, 40)).astype("f8")
    root = {
        "#refs#": Group(),
        "fs": Array(np.array([[200.0]]), "double"),
        "note": Array(np.array([[65]], "u2"), "char"),
        "ok": Array(np.ones((40, 1), "u1"), "logical"),
        "s": Group(),
        "val": Array(values.T, "double"),
    }
    fake = types.SimpleNamespace(
        File=lambda *_: contextlib.nullcontext(root), Dataset=Array, __version__="3"
    )
    monkeypatch.setitem(sys.modules, "h5py", fake)
    content = b"MATLAB 7.3 MAT-file".ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + bytes(100)
    source = open_recording(io.BytesIO(content))
    assert [track.name for track in source.layout.tracks] == ["ok", "val 0", "val 1"]
    assert source.layout.tracks[1].rate == 200.0
    assert "note (1 x 1 char), s (1 x 1 struct)" in source.notices[0]
    np.testing.assert_array_equal(np.stack(next(source.blocks(40))[1:]), values)
    claims = Array(np.broadcast_to(np.zeros(1), (2**20, 2**20)), "double")
    monkeypatch.setitem(root, "val", claims)
    with pytest.raises(DatasetError, match="claims 8,796,093,022,208 bytes of val"):
        open_recording(io.BytesIO(content))


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data


def packed(shape, name=b"x", size=None, data=b""):
    """Return a file of one compressed matrix of doubles that claims a shape."""
    parts = [
        element(6, struct.pack("<II", 6, 0)),
        element(5, struct.pack("<ii", *shape)),
        struct.pack("<II", 1, len(name)) + name.ljust(8, b"\0"),
        struct.pack("<II", 9, 8 * shape[0] * shape[1] if size is None else size) + data,
    ]
    body = zlib.compress(element(14, b"".join(parts)))
    return saved({})[:128] + element(15, body)


CONTENT = saved({"val": np.arange(300.0).reshape(2, -1), "fs": 3, "n": "abc", "s": {"a": 1}})
PLAIN = saved({"val": np.arange(300.0).reshape(2, -1), "n": "abc", "s": {"a": 1}}, False)
OLD = saved({"val": np.arange(300.0).reshape(1, -1)}, False, "4")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (saved({}), "holds no matrix of samples, but nothing"),
        (
            saved({"EEG": {"data": 1}, "n": "abc"}),
            r"but EEG \(1 x 1 struct\), n \(1 x 3 char",
        ),
        (saved({"z": np.array([1j, 2])}), r"but z \(1 x 2 double\)"),
        (saved({"x": 3.0}), r"but x \(1 x 1 double\)"),
        (CONTENT[:-1], "it ends in the variable that begins at byte"),
        (CONTENT[:131], "it ends in the variable that begins at byte 128"),
        (CONTENT[:126] + b"xy" + CONTENT[128:], "is no MAT file: its header ends in b'xy'"),
        (b"MATLAB 5.0", "is no MAT file"),
        (packed((2**15, 2**13)), "cannot hold the 2,147,483,648 bytes that it claims"),
        (packed((2**30, 2**30), size=0), r"0 bytes of the type 9 for numbers of the shape \(1073"),
        (packed((-1, 3), size=0), r"the shape \(-1, 3\)"),
        (packed((9, 1)), "its compressed bytes|its numbers end after"),
        (packed((9, 1), data=bytes(200)), "its compressed bytes do not end where"),
        (packed((9, 1), name=b"\xd0\xb8\n"), r"holds no matrix of samples, but Ð¸\\n"),
        (PLAIN[:144] + b"\xff" + PLAIN[145:], "a variable of the class 255"),
    ],
    ids=range(15),
)
def test_what_holds_no_samples_is_refused(content, message):
    with pytest.raises(DatasetError, match=message) as caught:
        open_recording(io.BytesIO(content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"x", b"hello world", bytes(200), b"\x93NUMPY\x01\x00"])
def test_another_format_under_the_name_is_refused(tmp_path, content):
    (tmp_path / "имя a.mat").write_bytes(content)
    with pytest.raises(DatasetError, match=r"имя a.mat"):
        open_recording(tmp_path / "имя a.mat")


CHANGES = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=3)


@given(st.sampled_from([CONTENT, PLAIN, OLD]), CHANGES, st.integers(0, 3000))
@settings(max_examples=150)
def test_whatever_happened_to_a_file_it_is_one_line(tmp_path_factory, content, changes, length):
    content = bytearray(content)
    for place, value in changes:
        content[place % len(content)] = value
    path = tmp_path_factory.mktemp("damaged") / "x.mat"
    path.write_bytes(content[: length or None])
    with contextlib.suppress(SansError):
        for part in open_recording(path).blocks(100):
            assert len(part)


def test_an_element_is_described_from_its_beginning_alone():
    """What is large need not be decompressed to be known."""
    content = saved({"x": np.zeros((10**5, 8))})[128:]
    matrix = describe(content, "<")
    assert (matrix.name, matrix.kind, matrix.shape, matrix.size) == (
        "x",
        "double",
        (10**5, 8),
        6_400_000,
    )
    assert not read_numbers(content, "<", matrix).any()
