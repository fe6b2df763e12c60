"""An EDF+ file of a few records that begin whenever they are to."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_edf_plus(path: Path, onsets: list[str], kind: str = "EDF+D", start: str = "") -> None:
    """Write a file of records of 1 s, each with what is said of its onset and nothing else."""
    fields = (("0", 8), ("X", 80), (start or "Startdate 02-MAR-2020 X X X", 80), ("02.03.20", 8))
    fields += (("04.05.06", 8), ("768", 8), (kind, 44), (str(len(onsets)), 8), ("1", 8), ("2", 4))
    fields += (("ECG", 16), ("EDF Annotations", 16), ("", 160), ("uV", 8), ("", 8))
    for pair in (("-3276.8", "-1"), ("3276.7", "1"), ("-32768", "-32768"), ("32767", "32767")):
        fields += tuple((each, 8) for each in pair)
    fields += (("", 160), ("10", 8), ("20", 8), ("", 64))
    header = b"".join(text.encode().ljust(size) for text, size in fields)
    with path.open("wb") as file:
        file.write(header)
        for i, onset in enumerate(onsets):
            file.write(np.arange(10 * i, 10 * i + 10, dtype="<i2").tobytes())
            file.write(f"{onset}\x14\x14".encode().ljust(40, b"\0"))
