"""The signals of benchmarks/beyond.py, and its results, which are kept as they are measured."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from figure_files import digest

from sans.datasets import DataConfig
from sans.files import write_text

SETS = {
    "mitdb 100": DataConfig("mitdb"),
    "ctu 1001": DataConfig("ctu-uhb-ctgdb"),
    "emgdb": DataConfig("emgdb"),
    "noneeg 1": DataConfig("noneeg"),
    "bidmc": DataConfig("bidmc"),
    "bpssrat": DataConfig("bpssrat"),
    "wrist s5_run": DataConfig("wrist", record="s5_run"),
    "mitdb 208": DataConfig("mitdb", record="208"),
    "challenge-2013 a01": DataConfig("physionet:challenge-2013/a01"),
    "ctu 1008": DataConfig("ctu-uhb-ctgdb", record="1008"),
    "noneeg Subject3": DataConfig("noneeg", record="Subject3_AccTempEDA"),
    "bpssrat sshs05": DataConfig("bpssrat", record="sshs05"),
    "ptbdb s0010_re": DataConfig("physionet:ptbdb/s0010_re"),
    "uci-epilepsy": DataConfig("uci-epilepsy"),
    "mnist": DataConfig("mnist", limit=1400),
    "fashion-mnist": DataConfig("fashion-mnist", limit=1400),
}
"""What `--datasets` chooses of, by the names in the tables."""

IMAGES = ("mnist", "fashion-mnist")

PUBLISHED = {
    "mitdb 100": 0.45,
    "ctu 1001": 0.49,
    "emgdb": 0.53,
    "noneeg 1": 0.38,
    "bidmc": 0.32,
    "bpssrat": 0.38,
    "uci-epilepsy": 0.55,
    "mnist": 0.51,
    "fashion-mnist": 0.63,
}
"""The best published φ̄ of any activation, where the same record was published."""

FEW = 20
"""Test signals of which means are printed as well where there are many."""


class Results:
    """Results of a benchmark, a JSON file each: what was measured once is not measured again.

    Args:
        folder: where they are kept.
        minutes: after so many nothing is measured any more; what is missing is counted.
    """

    def __init__(self, folder: Path, minutes: float = math.inf) -> None:
        self.folder = folder
        self.missing = 0
        """How many results were asked for, and are not there."""
        self._until = time.monotonic() + 60 * minutes
        self._digests: dict[tuple[str, ...], str] = {}

    def get(
        self, name: str, sources: Sequence[str], measure: Callable[[], dict[str, Any]]
    ) -> dict[str, Any] | None:
        """Return a result, measured if need be; None if there is no time left.

        Args:
            name: of its file; a result of other code than that in `sources` is measured again.
            sources: what it depends on, as in a `Table`.
            measure: what measures it; JSON values by name.
        """
        path = self.folder / f"{name.replace(' ', '-')}.json"
        code = self._digest(tuple(sources))
        if path.exists():
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if kept["digest"] == code:
                return kept
            print(f"{name}: the code has changed since it was measured", flush=True)
        if time.monotonic() > self._until:
            self.missing += 1
            return None
        found = {"digest": code, **measure()}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(found, ensure_ascii=False) + "\n")
        return found

    def _digest(self, sources: tuple[str, ...]) -> str:
        if sources not in self._digests:
            self._digests[sources] = digest(sources)
        return self._digests[sources]
