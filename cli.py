"""Launch the command line from a checkout: `python cli.py train --activation extrema`."""

from sans.__main__ import main

if __name__ == "__main__":
    main()
