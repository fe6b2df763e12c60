"""WAV and FLAC files."""
