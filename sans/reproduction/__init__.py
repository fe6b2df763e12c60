"""The published experiments done again, and their figures beside the published ones."""

from sans.reproduction.recipes import RECIPES, ExperimentRecipe, ReproductionOptions
from sans.reproduction.reproduction import Reproduction, prepare

__all__ = ["RECIPES", "ExperimentRecipe", "Reproduction", "ReproductionOptions", "prepare"]
