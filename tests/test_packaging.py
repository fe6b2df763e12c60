from __future__ import annotations

import importlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import sans

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SOURCES = ("sans", "datasets", "cli.py", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


def run(*command: str, cwd: Path) -> str:
    result = subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of what a release is made of, where a build leaves no traces in the checkout."""
    folder = tmp_path_factory.mktemp("release")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def modules() -> set[str]:
    """Return the names of all modules in the checkout, as they are imported."""
    paths = [*(ROOT / "sans").rglob("*.py"), *(ROOT / "datasets").rglob("*.py")]
    names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)
    names = (re.sub(r"^datasets\b", "sans.datasets", name) for name in names)
    return {name.removesuffix(".__init__") for name in names}


def test_every_folder_of_modules_is_a_package_that_is_installed():
    folders = {name.rpartition(".")[0] for name in modules()} | {"sans.datasets", "sans"}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == folders - {""}


def test_a_wheel_holds_every_module_and_nothing_else(copy, tmp_path):
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), cwd=copy)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {name.replace(".", "/") + ".py" for name in modules()}
    packages = {name for name in wanted if (name.removesuffix(".py") + "/__init__.py") in names}
    wanted -= packages
    wanted |= {name.removesuffix(".py") + "/__init__.py" for name in packages} | {"sans/py.typed"}
    for data in ("published/*.csv", "starting-set.bin"):
        wanted |= {str(path.relative_to(ROOT)) for path in (ROOT / "sans").rglob(data)}
    assert names == wanted


def test_the_version_is_the_installed_one():
    assert sans.__version__ == importlib.metadata.version("sans")


def test_every_public_name_is_there():
    for name in sans.__all__:
        assert getattr(sans, name) is not None
    assert set(sans.__all__) <= set(dir(sans))
    with pytest.raises(AttributeError, match="has no attribute 'encode'"):
        sans.encode  # noqa: B018


@pytest.mark.parametrize("name", sorted(modules() - {"sans.__main__"}))
def test_every_module_can_be_imported(name):
    importlib.import_module(name)


def test_the_loaders_refuse_the_name_of_their_folder(copy):
    code = "import datasets"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "write `import sans.datasets`" in result.stderr


def test_the_launcher_and_the_module_are_the_command(copy):
    for command in (("cli.py", "--version"), ("-m", "sans", "--version")):
        assert run(*command, cwd=copy) == f"sans {sans.__version__}\n"


def test_the_code_is_linted_and_formatted():
    folders = ("sans", "datasets", "tests", "benchmarks", "cli.py")
    run("-m", "ruff", "check", "--no-cache", *folders, cwd=ROOT)
    run("-m", "ruff", "format", "--no-cache", "--check", *folders, cwd=ROOT)


def test_the_types_are_strict(copy, tmp_path):
    shutil.copytree(copy / "sans", tmp_path / "sans")
    shutil.copytree(copy / "datasets", tmp_path / "sans" / "datasets")
    config = str(ROOT / "pyproject.toml")
    run("-m", "mypy", "--config-file", config, "--cache-dir", str(tmp_path / "cache"), cwd=tmp_path)
