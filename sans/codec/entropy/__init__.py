"""Whole numbers as bytes: a range coder, and models of the bits that learn while coding."""
