"""Sweeps: networks of many kernel sizes and activations trained at once on a data set."""

from sans.configs.grid import Grid, ranges
from sans.sweeps.folder import SweepFolder
from sans.sweeps.rows import Network, Row, best_rows
from sans.sweeps.sweep import (
    Sweep,
    check_selection,
    folders,
    prepare,
    report,
    run_sweeps,
    train_grid,
)

__all__ = [
    "Grid",
    "Network",
    "Row",
    "Sweep",
    "SweepFolder",
    "best_rows",
    "check_selection",
    "folders",
    "prepare",
    "ranges",
    "report",
    "run_sweeps",
    "train_grid",
]
