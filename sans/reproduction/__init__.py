"""The published experiments done again, and their figures beside the published ones."""

from sans.reproduction.recipes import RECIPES, Recipe, Wishes
from sans.reproduction.reproduction import Reproduction, prepare

__all__ = ["RECIPES", "Recipe", "Reproduction", "Wishes", "prepare"]
