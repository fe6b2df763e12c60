from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from sans.errors import DatasetError, SansError
from sans.recordings import create_recording, open_recording


def image(bits, seed=0, shape=(5, 7)):
    return np.random.default_rng(seed).integers(0, 2**bits, shape, f"u{bits // 8}")


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def copy(source, target, block=2):
    with create_recording(target, source.layout) as sink:
        for part in source.blocks(block):
            sink.write(part)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("piped", [False, True])
def test_an_image_is_restored_to_the_pixel(bits, piped, tmp_path):
    pixels = image(bits)
    path = save(tmp_path / "a.png", pixels)
    source = open_recording(io.BytesIO(path.read_bytes()) if piped else path)
    (track,) = source.layout.tracks
    assert (source.layout.format, source.layout.shape) == ("png", (1, 5, 7))
    assert (track.bits, track.dtype, track.per_frame) == (bits, "u1" if bits == 8 else "<u2", 35)
    assert (track.gain, track.baseline, track.unit) == (1.0, 0.0, "")
    ((found,),) = source.blocks(3)
    np.testing.assert_array_equal(found.reshape(5, 7), pixels)
    copy(source, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as restored:
        np.testing.assert_array_equal(np.asarray(restored), pixels)
        assert restored.mode == ("L" if bits == 8 else "I;16")


def test_texts_and_resolution_are_kept(tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Patient", "none")
    path = save(tmp_path / "a.png", image(8), pnginfo=texts, dpi=(300, 300))
    copy(open_recording(path), tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as restored:
        assert restored.text == {"Patient": "none"}
        assert restored.info["dpi"] == pytest.approx((300, 300), abs=0.1)


@pytest.mark.parametrize("as_folder", [False, True])
def test_images_of_one_size_are_a_stack(as_folder, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    paths = [save(folder / f"{i}.png", image(8, i)) for i in range(5)]
    source = open_recording(folder if as_folder else paths)
    assert source.layout.shape == (5, 5, 7)
    copy(source, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [p.name for p in paths]
    for i, path in enumerate(paths):
        with Image.open(tmp_path / "out" / path.name) as restored:
            np.testing.assert_array_equal(np.asarray(restored), image(8, i))
    with pytest.raises(SansError, match=r"cannot write .*out: "):
        copy(source, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"]


def test_a_stack_goes_to_no_pipe(tmp_path):
    source = open_recording([save(tmp_path / "a.png", image(8))] * 1)
    with pytest.raises(SansError, match="1 images are no single file: they cannot go to a pipe"):
        copy(source, io.BytesIO())


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a.exe", ""])
def test_names_that_leave_the_folder_are_refused(name, tmp_path):
    layout = open_recording([save(tmp_path / "a.png", image(8))]).layout
    layout.attachments["names"] = f'["{name}"]'.encode()
    with (
        pytest.raises(DatasetError, match="is no name of a PNG file in a folder"),
        create_recording(tmp_path / "out", layout),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_failure_leaves_no_folder(tmp_path):
    source = open_recording([save(tmp_path / "a.png", image(8))])
    with (
        pytest.raises(ValueError, match="0 frames written, but the recording has 1"),
        create_recording(tmp_path / "out", source.layout),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_images_unlike_the_first_are_refused(tmp_path):
    first = save(tmp_path / "a.png", image(8))
    message = "b.png has 7 x 6 pixels of 8 bits: 7 x 5 pixels of 8 bits as in a.png are wanted"
    with pytest.raises(DatasetError, match=message):
        open_recording([first, save(tmp_path / "b.png", image(8, shape=(6, 7)))])
    with pytest.raises(DatasetError, match="has 7 x 4 pixels of 8 bits: 7 x 5"):
        open_recording([first, save(tmp_path / "b.png", image(8, shape=(4, 7)))])
    with pytest.raises(DatasetError, match="has 7 x 5 pixels of 16 bits"):
        open_recording([first, save(tmp_path / "b.png", image(16))])
    with pytest.raises(DatasetError, match="1 of the PNG files have a name twice"):
        open_recording([first, first])
    with pytest.raises(DatasetError, match="1 or more PNG files, not 0"):
        open_recording([])


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("RGB", "is RGB of 8 bits: grey of 8 or 16 bits is wanted"),
        ("P", "is palette of"),
        ("LA", "is grey with alpha of 8 bits"),
        ("1", "is grey of 1 bits"),
    ],
)
def test_other_kinds_of_images_are_refused(mode, message, tmp_path):
    Image.new(mode, (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(DatasetError, match=message):
        open_recording(tmp_path / "a.png")


def test_damaged_images_are_refused_in_one_line(tmp_path):
    good = save(tmp_path / "a.png", image(8, shape=(50, 50))).read_bytes()
    flipped = bytearray(good)
    flipped[100] ^= 1
    start = struct.pack(">IIBBBBB", 0, 0, 8, 0, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + start))
    bad = [b"", b"garbage", good[:20], good[:60], good[:-20], bytes(flipped)]
    for content in (*bad, good[:16] + start + crc + good[33:]):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(DatasetError, match=r"a\.png is ") as caught:
            open_recording(tmp_path / "a.png")
        assert "\n" not in str(caught.value)
    (tmp_path / "a.png").write_bytes(flipped)
    with pytest.raises(DatasetError, match="is damaged in the chunk at byte 33"):
        open_recording(tmp_path / "a.png")
