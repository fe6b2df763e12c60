from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from sans.configs import ModelConfig
from sans.errors import ModelError
from sans.families import sampled
from sans.kernels import Kernels, load_kernels
from sans.model import SAN


def san(sizes=(3, 4), dimensions=1):
    generator = torch.Generator().manual_seed(0)
    kernels = [torch.randn((size,) * dimensions, generator=generator) for size in sizes]
    return SAN(ModelConfig("extrema", sizes, (2,) * len(sizes), dimensions), kernels)


@pytest.fixture
def kernels(tmp_path) -> Kernels:
    san().save(tmp_path / "model.safetensors", {"dataset": "mitdb/100", "rate": 360.0})
    return load_kernels(tmp_path)


def test_loaded_kernels_are_the_networks(kernels):
    assert len(kernels) == 2
    for kernel, weights in zip(kernels, san().kernels, strict=True):
        assert np.array_equal(kernel, weights.detach().numpy())
    assert kernels.names == ("kernel-1", "kernel-2")
    assert (kernels.sizes, kernels.activation) == ((3, 4), "extrema")
    assert (kernels.dataset, kernels.rate) == ("mitdb/100", 360.0)
    assert repr(kernels) == "<2 kernels of 3, 4 samples, extrema from mitdb/100>"


def test_kernels_go_back_into_the_same_network(kernels):
    assert kernels.model().identifier == san().identifier


def test_the_array_file_is_filled_up_with_nan(kernels, tmp_path):
    kernels.save(tmp_path / "k.npy")
    array = np.load(tmp_path / "k.npy")
    assert np.array_equal(array[0, :3], kernels[0])
    assert np.array_equal(array[1], kernels[1])
    assert np.isnan(array[0, 3])


def test_the_table_has_a_column_for_each_kernel(kernels, tmp_path):
    kernels.save(tmp_path / "k.csv")
    with (tmp_path / "k.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [np.float32(row["kernel-2"]) for row in rows] == list(kernels[1])
    assert [row["sample"] for row in rows] == ["0", "1", "2", "3"]
    assert rows[3]["kernel-1"] == ""


def test_the_table_of_image_kernels_goes_row_by_row(tmp_path):
    san((2,), 2).save(tmp_path / "model.safetensors")
    kernels = load_kernels(tmp_path / "model.safetensors")
    kernels.save(tmp_path / "k.csv")
    lines = (tmp_path / "k.csv").read_text().splitlines()
    assert lines[0] == "row,column,kernel-1"
    assert [line.rsplit(",", 1)[0] for line in lines[1:]] == ["0,0", "0,1", "1,0", "1,1"]
    assert [np.float32(line.split(",")[2]) for line in lines[1:]] == list(kernels[0].flat)


def test_another_suffix_is_refused(kernels, tmp_path):
    with pytest.raises(ValueError, match=r"saved as \.npy or \.csv, not as '\.mat'"):
        kernels.save(tmp_path / "k.mat")


def test_a_folder_that_does_not_exist_is_named(kernels, tmp_path):
    with pytest.raises(ModelError, match=r"cannot write .*nowhere/k\.npy: No such file"):
        kernels.save(tmp_path / "nowhere" / "k.npy")


def test_a_plot_has_a_panel_for_each_kernel(kernels):
    panels = kernels.plot().axes
    titles = [panel.get_title() for panel in panels]
    assert titles == ["kernel-1: 3 samples", "kernel-2: 4 samples"]
    (line,) = (line for line in panels[1].lines if len(line.get_ydata()) == 4)
    assert np.array_equal(line.get_ydata(), kernels[1])
    peak = np.abs(kernels[1]).argmax()
    assert np.allclose(line.get_xdata(), (np.arange(4) - peak) / 0.36)  # ms at 360 Hz
    assert kernels.plot().get_suptitle() == "mitdb/100"


def test_jupyter_shows_a_picture(kernels):
    assert kernels._repr_png_().startswith(b"\x89PNG")


def test_a_missing_run_is_named(tmp_path):
    with pytest.raises(ModelError, match="nowhere is not the folder of a run"):
        load_kernels(tmp_path / "nowhere")


def test_the_list_measures_every_kernel(sans, tmp_path):
    config = ModelConfig("extrema", (2, 3), (2, 7))
    weights = [torch.tensor([3.0, -4.0]), torch.tensor([0.0, 1.0, 0.0])]
    SAN(config, weights).save(tmp_path / "a.safetensors")
    SAN(ModelConfig("relu", (2,), (0,), 2), [torch.full((2, 2), -4.0)]).save(
        tmp_path / "b.safetensors"
    )
    tables = {}
    for name in "ab":
        lines = [
            line.strip() for line in sans("kernels", f"{name}.safetensors").stdout.splitlines()
        ]
        rows = [line.strip("│").split("│") for line in lines if line.startswith("│")]
        tables[name] = [[cell.strip() for cell in row] for row in rows]
        (heading,) = (line for line in lines if line.startswith("┃"))
        assert [cell.strip() for cell in heading.strip("┃").split("┃")] == [
            *("kernel", "size", "density", "norm", "smallest", "largest")
        ]
    assert tables["a"] == [
        ["kernel-1", "2", "2", "5", "-4", "3"],  # 3² + 4² = 5²
        ["kernel-2", "3", "7", "1", "0", "1"],
    ]
    assert tables["b"] == [["kernel-1", "2 × 2", "–", "8", "-4", "-4"]]


def test_the_shell_lists_and_exports_kernels(sans, refused, tmp_path):
    san().save(tmp_path / "model.safetensors", {"dataset": "mitdb/100"})
    listing = sans("kernels", ".").stdout
    assert "2 kernels of 3, 4 samples, extrema from mitdb/100" in listing
    assert "kernel-2" in listing
    for name in ("k.npy", "k.csv", "k.png"):
        assert sans("kernels", ".", "--output", name).exit_code == 0
        assert (tmp_path / name).stat().st_size > 0
    assert "k.csv exists" in refused(1, "kernels", ".", "--output", "k.csv")
    assert "not as 'mat'" in refused(2, "kernels", ".", "--output", "k.mat")


def test_kernels_are_read_without_torch(tmp_path):
    san().save(tmp_path / "model.safetensors")
    code = (
        "import sys; from sans.kernels import load_kernels; "
        "assert len(load_kernels('.')) == 2; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_kernels_are_explained_by_members_of_families():
    bump = -2 * sampled("hann", (17,)).astype(np.float32)
    config = ModelConfig(kernel_sizes=(17, 3, 2))
    dead, broken = np.zeros(3, np.float32), np.array([1, np.nan], np.float32)
    found, *none = Kernels((bump, dead, broken), config).explain()
    assert (found.text, round(found.share, 4)) == ("hann:17", 1)
    assert found.amplitude == pytest.approx(-2)
    assert none == [None, None]


def test_a_kernel_of_full_rank_is_explained_by_what_its_leads_have_in_common():
    shapes = np.outer([1, -3, 0.5], sampled("hann", (17,))).astype(np.float32)
    config = ModelConfig(kernel_sizes=(17,), leads=3, rank="full")
    for sign in (1, -1):
        (found,) = Kernels((sign * shapes,), config, patterns=(None,)).explain()
        assert found.text == "hann:17"
        assert found.amplitude == pytest.approx(-sign * np.sqrt(10.25), rel=1e-3)


def test_the_shell_explains_kernels(sans, tmp_path):
    config = ModelConfig(kernel_sizes=(17, 3))
    bump, dead = sampled("hann", (17,)), np.zeros(3)
    SAN(config, [bump.astype(np.float32), dead.astype(np.float32)]).save(
        tmp_path / "model.safetensors"
    )
    (first, second) = json.loads(sans("kernels", ".", "--explain", "--json").stdout)["kernels"]
    assert (first["nearest"], round(first["share"], 4)) == ("hann:17", 1)
    assert (second["nearest"], second["share"]) == ("", 0)
    table = sans("kernels", ".", "--explain").stdout
    assert "hann:17" in table
    assert "100.0%" in table
    assert "nearest" not in sans("kernels", ".").stdout
