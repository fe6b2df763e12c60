"""NPZ archives of arrays."""
