"""The pursuit of `sans.pursuit.encoder` as tensor operations, for devices its loops cannot reach.

The same rule, in float64 as there, so that the same spikes are found, and amplitudes alike to
rounding. `encoder` does it for signals of any number and length, by the `rounds` that all images of
one shape take at once: `scene` has what they share, `state` what is known of each, `memory` how
many there may be. Most other modules are what their namesakes in `sans.pursuit` are, without loops.

Sums are added up in another order than in the loops. Where the loops choose between what differs by
rounding alone, the choice may differ, and with it all that follows: between entries of similarity
that are equal but for rounding (in a signal that repeats itself or is its own mirror image, of
kernels that are multiples of each other, or are so where the border leaves one sample of them),
between an entry and a limit that it meets exactly (`SHARE` of the largest, an error, a threshold),
between two φ that are equal, and where spikes are so many that their normal equations are singular
but for rounding, or an atom has just the share `DEPENDENT` of its own.

Everything here is an image ``(batch, height, width)``; a signal is an image of height 1. A place
counts along the rows of an image.
"""

from sans.pursuit.tensors.encoder import pursue

__all__ = ["pursue"]
