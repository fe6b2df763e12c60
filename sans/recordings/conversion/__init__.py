"""Recordings of one kind made files of another."""
