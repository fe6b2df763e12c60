"""What an encoder decides before it writes: kernels, spikes and steps for what is asked."""

from sans.codec.description.waveforms import bits_of_kernels
from sans.codec.planning.inputs import KernelOptions, Pieces
from sans.codec.planning.planner import Planner, plan_images
from sans.codec.planning.steps import CLOSE, largest_step
from sans.codec.plans import TrackChunk, TrackPlan

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
