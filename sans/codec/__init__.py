"""Signals as bytes: kernels and spikes, what they leave, and the container around both."""
