"""WFDB records: a header, files of signals, and annotations."""
