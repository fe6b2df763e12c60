"""Launch the command line from a checkout: `python cli.py train --activation extrema`."""

from sans.cli import app

if __name__ == "__main__":
    app()
