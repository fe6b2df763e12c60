"""What a benchmark leaves behind: one row a recording, codec and quality, and their sums."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sans.errors import SansError
from sans.files import write_text

OURS = "sans"
"""What this codec is called in a table."""

YARDSTICK = "DWT"
"""What the yardstick is called."""


@dataclass(frozen=True, slots=True)
class BenchRow:
    """What one codec made of a recording, or of several."""

    recording: str
    """Its path, or how many there are."""

    codec: str
    """A key of `PEERS`, `OURS` or `YARDSTICK`."""

    asked: float
    """PRDN in per cent; 0: lossless."""

    achieved: float
    """PRDN of the worst track, in per cent."""

    samples: int
    """Samples of all tracks."""

    bits: float
    """Bits of the file, or of the yardstick's ideal code."""

    stored_bits: int
    """Bits of the samples as the converter gave them."""

    encode_seconds: float | None = None
    """None: nothing was encoded."""

    decode_seconds: float | None = None
    """None: nothing was decoded."""

    @property
    def bits_per_sample(self) -> float:
        """Bits of a sample."""
        return self.bits / self.samples

    @property
    def ratio(self) -> float | None:
        """How many times it would fit into the converter's bits; None: it has none."""
        return self.stored_bits / self.bits if self.bits else None

    @property
    def encode_rate(self) -> float | None:
        """Million samples a second."""
        return _rate(self.samples, self.encode_seconds)

    @property
    def decode_rate(self) -> float | None:
        """Million samples a second."""
        return _rate(self.samples, self.decode_seconds)

    def values(self) -> dict[str, Any]:
        """Return the row as JSON and CSV hold it."""
        own = {
            "bits_per_sample": self.bits_per_sample,
            "ratio": self.ratio,
            "encode_million_samples_per_second": self.encode_rate,
            "decode_million_samples_per_second": self.decode_rate,
        }
        return {**asdict(self), **own}


def in_total(rows: Iterable[BenchRow]) -> list[BenchRow]:
    """Return the sums over recordings, of codecs that took all of them in a quality."""
    kinds: dict[tuple[float, str], list[BenchRow]] = {}
    for row in rows:
        kinds.setdefault((row.asked, row.codec), []).append(row)
    most = max(map(len, kinds.values()), default=0)
    return [_sum(each) for _, each in sorted(kinds.items(), key=_by_quality) if len(each) == most]


def write_results(folder: Path, rows: Sequence[BenchRow]) -> None:
    """Write results.json and results.csv.

    Raises:
        SansError: if they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SansError(f"cannot make the folder {folder}: {error.strerror}") from error
    each, total = [row.values() for row in rows], [row.values() for row in in_total(rows)]
    values = {"recordings": each, "total": total}
    write_text(folder / "results.json", json.dumps(values, ensure_ascii=False, indent=1) + "\n")
    text = io.StringIO()
    names = list(each[0]) if each else [field.name for field in fields(BenchRow)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(each)
    write_text(folder / "results.csv", text.getvalue())


def _by_quality(item: tuple[tuple[float, str], list[BenchRow]]) -> float:
    return item[0][0]  # a stable sort: codecs stay in their order


def _sum(rows: Sequence[BenchRow]) -> BenchRow:
    first = rows[0]
    return BenchRow(
        first.recording if len(rows) == 1 else f"{len(rows)} recordings",
        first.codec,
        first.asked,
        max(row.achieved for row in rows),
        sum(row.samples for row in rows),
        sum(row.bits for row in rows),
        sum(row.stored_bits for row in rows),
        _sum_of(row.encode_seconds for row in rows),
        _sum_of(row.decode_seconds for row in rows),
    )


def _sum_of(seconds: Iterable[float | None]) -> float | None:
    found = list(seconds)
    return None if None in found else sum(each for each in found if each is not None)


def _rate(samples: int, seconds: float | None) -> float | None:
    return samples / seconds / 1e6 if seconds else None
