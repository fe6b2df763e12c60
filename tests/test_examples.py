"""The examples in the docstrings of public names give what they say."""

from __future__ import annotations

import doctest
import importlib
from types import ModuleType
from typing import Any

import pytest

import sans

NAMES = [
    *(f"sans.{name}" for name in sans.__all__),
    *(
        f"sans.metrics.{name}"
        for name, value in vars(importlib.import_module("sans.metrics")).items()
        if callable(value)
        and getattr(value, "__module__", "") == "sans.metrics"
        and name != "phi"
        and not name.startswith("_")
    ),
    "sans.pursuit.encoder.pursue",
]


def documented(name: str) -> Any:
    """Return what has the docstring of a name: of a table of functions, its module."""
    module, _, attribute = name.rpartition(".")
    found = getattr(importlib.import_module(module), attribute)
    return importlib.import_module("sans.activations") if isinstance(found, dict) else found


def examples(thing: ModuleType | Any) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(thing.__doc__ or "")


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_name_gives_what_it_says(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = examples(documented(name))
    assert found, f"{name} has no example"
    test = doctest.DocTest(found, {}, name, None, 0, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    failed = runner.run(test).failed
    assert not failed, capsys.readouterr().out


def test_an_example_that_is_wrong_is_noticed(capsys):
    test = doctest.DocTest([doctest.Example("1 + 1", "3\n")], {}, "wrong", None, 0, None)
    assert doctest.DocTestRunner().run(test).failed == 1
    assert "Expected:" in capsys.readouterr().out
