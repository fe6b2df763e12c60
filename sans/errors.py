"""What can go wrong in the world, as one family of exceptions.

A caller's mistake is a `ValueError` or a `TypeError`; these are for files, data sets and networks.
The command line turns every `SansError` into one line on stderr and exit status 1; only of a
`ReaderGoneError` it says nothing.
"""

from __future__ import annotations


class SansError(Exception):
    """Something outside the program is not as it must be; the message is one line for the user."""


class DatasetError(SansError):
    """A data set, a record or a signal is missing, damaged or unusable."""


class ModelError(SansError):
    """A model or a run is missing, damaged or from other settings."""


class BitstreamError(SansError):
    """A stream of the codec is damaged, cut off, forged, or of another version."""


class ReaderGoneError(SansError):
    """Whoever read what is written to a pipe has seen enough."""
