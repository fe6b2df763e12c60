"""Runs: the folders that trainings leave behind, and what is done in them.

`folder` names the files, `settings` is what decides the outcome, `experiment` goes from settings to
a trained network, and `pictures` draws it. Nothing here imports torch until a network is trained.
"""

from sans.runs.folder import ROOT, Run, begun, discard, find, find_model, folder_name, working_in

__all__ = [
    "ROOT",
    "Run",
    "begun",
    "discard",
    "find",
    "find_model",
    "folder_name",
    "working_in",
]
