"""Convolving signals with the kernels of one or of many networks, and back.

`tensors` does it with torch, on any device and with gradients; `loops` holds compiled loops on
numpy arrays, which need no torch and spend no time on what is zero. Kernels of one or many networks
lie in one array ``(models, kernels, *side)``. Smaller kernels are padded with zeros so that their
origins meet: the origin of m samples is sample (m - 1) // 2.
"""
