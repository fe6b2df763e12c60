"""Experiments: from options to a data set, a network, its training, and the run that is left."""

from sans.experiments.experiment import Experiment, prepare, resume

__all__ = ["Experiment", "prepare", "resume"]
