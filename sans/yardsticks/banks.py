"""Kernels given by formulas, with the encoder that learned kernels have, as a yardstick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import cpu_count
from typing import TYPE_CHECKING

from sans.figures import Approximation
from sans.pursuit.encoder import pursue
from sans.pursuit.stop import Stop
from sans.yardsticks.bases import Array

if TYPE_CHECKING:
    from sans.families import Spec
