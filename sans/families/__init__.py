"""Families of kernels: functions with a few parameters, which cost these and not their samples.

`parse` reads a text such as ``hann:5,9,17`` into a `Spec`, `sampled` makes an array of one member,
`words` says what kernels are there, and `nearest` explains a kernel by the member most like it.
`formulas` holds the formulas, once for numpy and torch, `table` the families with the ranges of
their parameters, `banks` the members that are fixed for all data; `parsing` and `members` read
texts and check them. Nothing here imports numpy or torch before an array is wanted, so that a
command line can read specs at once.
"""

from typing import TYPE_CHECKING

from sans.families.parsing import parse, spec_of
from sans.families.spec import Spec
from sans.families.table import (
    COSINES,
    EACH,
    FAMILIES,
    LEARNED,
    NAMES,
    Family,
    Formula,
    Parameter,
    learned_text,
)
from sans.families.wording import words
from sans.lazy import lazy_names

if TYPE_CHECKING:
    from sans.families.explaining import Nearest as Nearest
    from sans.families.explaining import nearest as nearest
    from sans.families.sampling import sampled as sampled

__all__ = [
    "COSINES",
    "EACH",
    "FAMILIES",
    "LEARNED",
    "NAMES",
    "Family",
    "Formula",
    "Nearest",
    "Parameter",
    "Spec",
    "learned_text",
    "nearest",
    "parse",
    "sampled",
    "spec_of",
    "words",
]

__getattr__, __dir__ = lazy_names(
    __name__, {"Nearest": "explaining", "nearest": "explaining", "sampled": "sampling"}
)
