"""Pursuit: an encoder that looks again at what its spikes have not yet described.

`stop` says when to stop, a `dictionary` what spikes may draw; `atoms` holds kernels as they lie
anywhere on a signal of one lead or several, missing samples left out, `cosines` those of a whole
window, `norms` their norms and `products` what they have in common. `rounds` describes one image
after the other in compiled loops on numpy arrays, which need no torch: `loops` has what they work
on, `state` keeps what is known of an image, `surveys` what is strongest there, `peaks` chooses
spikes, `refits` their amplitudes, `coupling` knows how cosines meet the others, `pruning` takes
spikes out again, `absolute` fits amplitudes to the error that φ counts, `places` moves spikes, each
move an `exchange`. `encoder` does it for signals of any number and length that `checks` lets pass,
part for part in `parts`, `tensors` the same with torch, on any device.
"""
