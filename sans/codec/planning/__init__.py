"""What an encoder decides before it writes: kernels, spikes and steps for what is asked."""

from sans.codec.planning.planner import Planner, plan_images
from sans.codec.planning.steps import CLOSE, largest_step
from sans.codec.planning.tracks import Piece, Pieces, TrackPlan, Wishes, bits_of_kernels

__all__ = [
    "CLOSE",
    "Piece",
    "Pieces",
    "Planner",
    "TrackPlan",
    "Wishes",
    "bits_of_kernels",
    "largest_step",
    "plan_images",
]
