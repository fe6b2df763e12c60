"""What spikes draw into the gaps of a recording.

===============  =================================================================================
`gaps`           where samples are missing, and the straight line through what is beside a gap
`learning`       kernels of all leads, learned on what is there
`candidates`     ways to fill a gap: spikes of kernels, beats placed by the rhythm, lines
`filling`        weighs these ways by gaps that it makes itself, and fills those of a recording
===============  =================================================================================
"""

from sans.filling.filling import Filled, fill

__all__ = ["Filled", "fill"]
