"""What an encoder decides before it writes: kernels, spikes and steps for what is asked."""

from sans.codec.planning.plan import KernelOptions, Pieces, TrackChunk, TrackPlan, bits_of_kernels
from sans.codec.planning.planner import Planner, plan_images
from sans.codec.planning.steps import CLOSE, largest_step

__all__ = [
    "CLOSE",
    "KernelOptions",
    "Pieces",
    "Planner",
    "TrackChunk",
    "TrackPlan",
    "bits_of_kernels",
    "largest_step",
    "plan_images",
]
