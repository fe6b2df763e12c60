"""Signals with loss: spikes of kernels, and the wavelet coefficients of what they leave."""
