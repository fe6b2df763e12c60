from __future__ import annotations

import io
import struct
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    assert source.layout.attachments == {}
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


def chunk(kind, content):
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(pixels, before=b"", behind=b"", rest=b""):
    """Return a file of Pillow with chunks before and behind the pixels, and bytes after its end."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    content, end = file.getvalue()[:-12], file.getvalue()[-12:]
    return content[:33] + before + content[33:] + behind + end + rest


def animation():
    """Return a PNG file of three frames."""
    control = struct.pack(">IIIIHHBB", 7, 5, 0, 0, 1, 10, 0, 0)
    frames = [image(8, seed) for seed in range(3)]
    behind = b""
    for place, frame in enumerate(frames[1:]):
        rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in frame))
        behind += chunk(b"fcTL", struct.pack(">I", 2 * place + 1) + control)
        behind += chunk(b"fdAT", struct.pack(">I", 2 * place + 2) + rows)
    before = chunk(b"acTL", struct.pack(">II", 3, 0)) + chunk(b"fcTL", bytes(4) + control)
    return png(frames[0], before, behind)


chunks = st.lists(
    st.builds(chunk, st.sampled_from([b"teXt", b"tiMe", b"prVt"]), st.binary(max_size=40)),
    max_size=3,
).map(b"".join)


@settings(max_examples=25)
@given(chunks, chunks, st.binary(max_size=20), st.booleans())
def test_all_around_the_pixels_comes_back_where_it_was(before, behind, rest, stacked):
    contents = [png(image(8, 0), before, behind, rest), png(image(8, 1), behind, before)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for i, content in enumerate(contents):
            (folder / "in" / f"{i}.png").write_bytes(content)
        if stacked:
            copy(open_recording(folder / "in"), folder / "out")
            assert [(folder / "out" / f"{i}.png").read_bytes() for i in range(2)] == contents
        else:
            copy(open_recording(folder / "in" / "0.png"), folder / "out.png")
            assert (folder / "out.png").read_bytes() == contents[0]


def test_an_animation_comes_back_to_the_byte(tmp_path):
    (tmp_path / "a.png").write_bytes(animation())
    copy(open_recording(tmp_path / "a.png"), tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes() == animation()
    with Image.open(tmp_path / "b.png") as restored:
        for place in range(3):
            restored.seek(place)
            np.testing.assert_array_equal(np.asarray(restored), image(8, place))


def test_pixels_of_another_encoder_keep_what_is_around_them(tmp_path):
    pixels = image(8)
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels), 0)
    start, text = png(pixels)[:33], chunk(b"tEXt", b"a\0" + bytes(2**17))
    data = chunk(b"IDAT", rows[:9]) + chunk(b"IDAT", rows[9:])
    end = chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(start + text + data + text + text + end + b"more")
    copy(open_recording(tmp_path / "a.png"), tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes() == png(pixels, text, text + text, b"more")


def test_a_layout_of_an_earlier_version_has_all_chunks_before_the_pixels(tmp_path):
    layout = open_recording(save(tmp_path / "a.png", image(8))).layout
    text = chunk(b"tEXt", b"a\0b")
    with create_recording(
        tmp_path / "b.png", replace(layout, attachments={"chunks 0": text})
    ) as sink:
        sink.write([image(8).reshape(-1)])
    assert (tmp_path / "b.png").read_bytes() == png(image(8), text)


def test_damage_behind_the_pixels_is_refused(tmp_path):
    good = animation()
    for content in (good[:-1], good[:-30], good[:-20] + b"?" + good[-19:]):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(DatasetError, match="is damaged in the chunk at byte"):
            open_recording(tmp_path / "a.png")


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


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a.exe", "", "..", "a\\u0000.png"])
def test_names_that_leave_the_folder_are_refused(name, tmp_path):
    layout = open_recording([save(tmp_path / "a.png", image(8))]).layout
    layout.attachments["names"] = f'["{name}"]'.encode()
    with (
        pytest.raises(DatasetError, match=r"is no name of a (PNG )?file"),
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
