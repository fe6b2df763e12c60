"""What every test module shares: the shared data, and hypothesis without randomness."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("sans", derandomize=True, deadline=None)
hypothesis.settings.load_profile("sans")


@pytest.fixture(scope="session")
def shared_data() -> Callable[..., Path]:
    """Return a function that finds a file or folder under $SANS_DATA.

    What is not there skips the test, or fails it where SANS_REQUIRE_DATA=1 asks for real data.
    """

    def find(*parts: str) -> Path:
        root = os.environ.get("SANS_DATA", "")
        path = Path(root, *parts)
        if root and path.exists():
            return path
        missing = f"{'/'.join(parts)} is not under SANS_DATA={root!r}"
        if os.environ.get("SANS_REQUIRE_DATA") == "1":
            pytest.fail(missing)
        pytest.skip(missing)

    return find


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Keep torch to one thread: on small tensors, and a busy machine, threads mostly wait."""
    import torch

    torch.set_num_threads(1)
