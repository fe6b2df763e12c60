"""`python -m sans` is `sans`."""

from sans.cli import app

app(prog_name="sans")
