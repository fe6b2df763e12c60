from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sans.datasets import DataConfig, load, locate
from sans.datasets.idx import read_idx
from sans.errors import DatasetError


def parts_of(dataset):
    return dataset.training, dataset.validation, dataset.test


def idx(array):
    """Return the IDX file of an array of bytes, written from the format's description."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return head + array.tobytes()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A data folder with 12 + 4 images: training compressed, test plain."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SANS_DATA", raising=False)
    folder = tmp_path / "data" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (16, 28, 28), dtype=np.uint8)
    labels = rng.integers(0, 10, 16, dtype=np.uint8)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images[:12])))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels[:12])))
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(images[12:]))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(labels[12:]))
    return folder, images, labels


def read(folder, **options):
    return load(DataConfig(dataset="mnist", data_dir=folder.parent.parent, **options))


def test_images_are_scaled_to_one_and_split_in_order(small):
    folder, images, labels = small
    before = sorted(folder.iterdir())
    dataset = read(folder)
    assert [len(part.signals) for part in parts_of(dataset)] == [10, 2, 4]
    together = np.concatenate([part.signals for part in parts_of(dataset)])
    assert together.dtype == np.float32
    np.testing.assert_allclose(together[:, 0], images / 255, rtol=1e-6)
    found = np.concatenate([part.labels for part in parts_of(dataset)])
    assert found.dtype == np.int64
    assert found.tolist() == labels.tolist()
    assert (dataset.name, dataset.rate, dataset.notices) == ("mnist", None, ())
    assert sorted(folder.iterdir()) == before  # nothing was unpacked
    assert locate("mnist", folder.parent.parent) == folder
    assert locate("fashion-mnist", folder.parent.parent) is None


def test_a_limit_keeps_the_first_images_of_each_part(small):
    folder, _, labels = small
    dataset = read(folder, limit=8)
    assert [part.labels.tolist() for part in parts_of(dataset)] == [
        labels[:5].tolist(),
        labels[10:11].tolist(),
        labels[12:14].tolist(),
    ]


def test_images_that_are_zero_are_left_out_with_their_labels(small):
    folder, images, labels = small
    images[3] = 0
    (folder / "train-images-idx3-ubyte").write_bytes(idx(images[:12]))
    dataset = read(folder)
    assert dataset.training.labels.tolist() == np.delete(labels[:10], 3).tolist()
    assert "left out 1 of 10 training images" in dataset.notices[0]


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=3, max_dims=3, max_side=5)))
def test_read_idx_inverts_the_format(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("idx") / "x"
    path.write_bytes(idx(array))
    np.testing.assert_array_equal(read_idx(path, 3), array)


@given(st.data())
def test_no_other_length_and_no_other_magic_is_accepted(tmp_path_factory, data):
    content = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    path = tmp_path_factory.mktemp("idx") / "x"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DatasetError, match=r"is damaged: |is not an IDX file"):
        read_idx(path, 3)
    path.write_bytes(content + b"\0")
    with pytest.raises(DatasetError, match=r"is damaged: 41 bytes, not the 40 of 2 x 3 x 4"):
        read_idx(path, 3)
    position, bit = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 7))
    flipped = bytearray(content)
    flipped[position] ^= 1 << bit
    path.write_bytes(bytes(flipped))
    with pytest.raises(DatasetError, match=r"it begins with .*, not 00 00 08 03"):
        read_idx(path, 3)


def test_dimensions_beyond_memory_are_refused_without_allocating(tmp_path):
    (tmp_path / "x").write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1))
    with pytest.raises(DatasetError, match=r"is damaged: 16 bytes, not the 79,"):
        read_idx(tmp_path / "x", 3)


def test_a_compressed_file_cut_short_or_damaged_is_refused(small):
    folder, _, _ = small
    file = folder / "train-images-idx3-ubyte.gz"
    content = file.read_bytes()
    for damaged in (content[:-1], content[:500], b"", content[:500] + content[501:], b"plain"):
        file.write_bytes(damaged)
        with pytest.raises(DatasetError, match=r"train-images-idx3-ubyte.gz is "):
            read(folder)


def test_files_that_do_not_go_together_are_refused(small):
    folder, images, labels = small
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(labels[:11]))
    with pytest.raises(DatasetError, match=r"12 images in .*, but 11 labels in"):
        read(folder)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(labels[:12]))
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(images[12:, :27]))
    with pytest.raises(DatasetError, match=r"\(28, 28\) and test images of \(27, 28\)"):
        read(folder)
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(images[:0]))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(labels[:0]))
    with pytest.raises(DatasetError, match=r"has too few images: \(0, 28, 28\)"):
        read(folder)


def test_a_set_that_is_not_here_or_not_complete_says_what_to_run(small):
    folder, _, _ = small
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DatasetError, match=r"`sans datasets fetch mnist` downloads it; looked in"):
        read(folder)
    assert locate("mnist", folder.parent.parent) is None


def test_a_file_that_may_not_be_read_is_named(small, monkeypatch):
    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(DatasetError, match=r"cannot read .*train-images.*: Permission denied"):
        read(small[0])


@pytest.mark.parametrize(
    ("name", "folder", "train", "test"),
    [
        ("mnist", "MNIST",
         [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
         [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]),
        ("fashion-mnist", "FashionMNIST", [6000] * 10, [1000] * 10),
    ],
)  # fmt: skip
def test_the_real_sets_are_complete(shared_data, name, folder, train, test):
    dataset = load(DataConfig(dataset=name, data_dir=shared_data(folder).parent))
    assert [part.signals.shape for part in parts_of(dataset)] == [
        (50000, 1, 28, 28),
        (10000, 1, 28, 28),
        (10000, 1, 28, 28),
    ]
    known = np.bincount(dataset.training.labels) + np.bincount(dataset.validation.labels)
    assert known.tolist() == train
    assert np.bincount(dataset.test.labels).tolist() == test
    assert (dataset.training.signals.min(), dataset.training.signals.max()) == (0, 1)
