"""The published experiments done again, and their figures beside the published ones."""

from sans.configs.reproduction import ReproductionOptions
from sans.reproduction.recipes import RECIPES, ExperimentRecipe
from sans.reproduction.reproduction import Reproduction, prepare

__all__ = ["RECIPES", "ExperimentRecipe", "Reproduction", "ReproductionOptions", "prepare"]
