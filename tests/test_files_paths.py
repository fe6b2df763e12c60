"""Names within files that become names of files."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sans.errors import DatasetError
from sans.files.paths import file_name
from sans.recordings import create_recording, open_recording


@given(st.text(min_size=1))
def test_a_name_has_no_controls_and_all_else_stays(name):
    if name in (".", "..") or "/" in name or "\0" in name:
        with pytest.raises(DatasetError, match="is no name of a file"):
            file_name(name)
        return
    found = file_name(name)
    assert all(ord(each) >= 32 and not 127 <= ord(each) < 160 for each in found)
    assert not {"\u2028", "\u2029"} & set(found)
    if not any(unicodedata.category(each)[0] in "CZ" for each in name):
        assert found == name
    assert file_name(found) == found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("\x1b[31mred.png", r"\x1b[31mred.png"),
        ("a\nb.png", r"a\nb.png"),
        ("\x9b31m.png", r"\x9b31m.png"),
        ("caf\udce9.png", "caf\udce9.png"),  # a name in Latin-1
        ("\udc9b31m.png", r"\udc9b31m.png"),
        ("\xa0пульс 脉搏\u200d.png", "\xa0пульс 脉搏\u200d.png"),
    ],
)
def test_images_come_back_under_names_that_steer_no_terminal(name, expected, tmp_path):
    (tmp_path / "in").mkdir()
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "in" / name, "png")
    Image.fromarray(np.ones((2, 2), np.uint8)).save(tmp_path / "in" / "z.png")
    source = open_recording(tmp_path / "in")
    copy(source, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {expected, "z.png"}


def copy(source, target):
    with create_recording(target, source.layout, unchanged=True) as sink:
        for block in source.blocks(1):
            sink.write(block)


@pytest.mark.parametrize("names", [["a\x1b.png", r"a\x1b.png"], ["a.png", "a.png"]])
def test_images_do_not_take_each_others_names(names, tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / name)
    source = open_recording([tmp_path / "a.png", tmp_path / "b.png"])
    layout = replace(source.layout, attachments={"names": json.dumps(names).encode()})
    with pytest.raises(DatasetError, match=r"two images would both be called a.*\.png"):
        copy(replace(source, layout=layout), tmp_path / "out")
    assert not (tmp_path / "out").exists()


CONTROLS = ["a\x1b[31m.dat", "a\x7f.dat", "a\x9b31m.dat", "a\u2028.dat", "..", ".a.dat"]


@pytest.mark.parametrize("name", CONTROLS)
def test_a_header_that_names_files_so_is_refused_on_both_ways(name, tmp_path):
    (tmp_path / "x.hea").write_text("x 1 250 4\nx.dat 16 200/mV 12 0 0 0 0 I\n")
    (tmp_path / "x.dat").write_bytes(bytes(8))
    layout = open_recording(tmp_path / "x").layout
    content = layout.attachments["header"].replace(b"x.dat", name.encode())
    (tmp_path / "x.hea").write_bytes(content)
    with pytest.raises(DatasetError, match="is no name of a WFDB signal file") as caught:
        open_recording(tmp_path / "x")
    assert str(caught.value).isprintable()
    (tmp_path / "out").mkdir()
    forged = replace(layout, attachments={**layout.attachments, "header": content})
    with (
        pytest.raises(DatasetError, match="is no name of a WFDB signal file"),
        create_recording(tmp_path / "out" / "x", forged),
    ):
        pytest.fail("it is refused before anything is written")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", ["s\x1b[31m", "s\x7f", "s\x9b31m", "s\u2029", "..", ".s"])
def test_segments_of_such_names_are_refused(name, tmp_path):
    (tmp_path / "x.hea").write_text(f"x/1 1 250 4\n{name} 4\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="is no name of a segment") as caught:
        open_recording(tmp_path / "x")
    assert str(caught.value).isprintable()
