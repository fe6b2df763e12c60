"""Signals without loss, or with bounded errors: each sample predicted, what is left over coded."""
