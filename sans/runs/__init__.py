"""Runs: the folder that a training leaves behind, and how it gets there."""

from sans.runs.folder import ROOT, Run, create, find, find_model

__all__ = ["ROOT", "Run", "create", "find", "find_model"]
