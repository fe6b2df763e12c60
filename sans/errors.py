"""What can go wrong in the world, as one family of exceptions.

A caller's mistake is a `ValueError` or a `TypeError`; these are for files, data sets and networks.
The command line turns every `SansError` into one line on stderr and exit status 1; only of a
`ReaderGoneError` it says nothing.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """Return `text` with control characters, and all else that is not to be seen, as repr has it.

    Names of files and signals, and what a file says, reach a terminal: they must not steer it.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


class SansError(Exception):
    """Something outside the program is not as it must be; the message is one line for the user.

    Examples:
        >>> import sans
        >>> try:
        ...     sans.read("missing.edf")
        ... except sans.SansError as error:
        ...     print(error)
        no file missing.edf
    """

    def __str__(self) -> str:
        """Return the message, with everything in it to be seen."""
        return printable(super().__str__())


class DatasetError(SansError):
    """A data set, a record or a signal is missing, damaged or unusable.

    Examples:
        >>> from sans.datasets import DataConfig, load
        >>> load(DataConfig("physionet:mitdb/none", data_dir="nowhere"))
        Traceback (most recent call last):
        sans.errors.DatasetError: ...
    """


class ModelError(SansError):
    """A model or a run is missing, damaged or from other settings.

    Examples:
        >>> import sans
        >>> sans.load_kernels("missing.safetensors")
        Traceback (most recent call last):
        sans.errors.ModelError: ...
    """


class BitstreamError(SansError):
    """A stream of the codec is damaged, cut off, forged, or of another version.

    Examples:
        >>> import sans
        >>> sans.decompress(b"no stream")
        Traceback (most recent call last):
        sans.errors.BitstreamError: ...
    """


class BusyError(SansError):
    """Another command is working in a folder."""


class ReaderGoneError(SansError):
    """Whoever read what is written to a pipe has seen enough."""
