"""Files on the disk: written whole or not at all, one process at a time, whatever a path may be."""

from sans.files.writing import staged, write_text, written_whole

__all__ = ["staged", "write_text", "written_whole"]
