"""Downloading one file: resumed where it stopped, verified, and put in place whole.

Nothing else in this package opens a connection.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sans.errors import DatasetError
from sans.files.leftovers import home_of
from sans.files.locking import in_turn
from sans.files.paths import is_file

if TYPE_CHECKING:
    from http.client import HTTPResponse

TIMEOUT = 30.0  # seconds without a byte
CHUNK = 1 << 16  # bytes
PARTIAL = 206
RANGE_NOT_SATISFIABLE = 416

Progress = Callable[[str, int, int | None], None]
"""Called with the name of a file, the bytes that are here, and all its bytes if that is known."""


class Checksum(NamedTuple):
    """What a file must hash to."""

    algorithm: str
    """"sha256" or "md5"."""

    digest: str
    """In hexadecimal."""

    def matches(self, path: Path) -> bool:
        """Return whether the content of the file at `path` has this checksum."""
        with path.open("rb") as file:
            found = hashlib.file_digest(file, self.algorithm).hexdigest()
        return found == self.digest.lower()


def download(url: str, target: Path, checksum: Checksum, progress: Progress | None = None) -> None:
    """Make `target` the file at `url`, unless it is that already.

    What has arrived lies in a file beside it that ends in .part, and is continued by the next call.
    Of several calls at once, by whatever processes, one downloads and the others wait for it.

    Args:
        url: where to get it.
        target: where to put it; missing folders are made.
        checksum: what it must hash to.
        progress: told of every chunk.

    Raises:
        DatasetError: if the network, the server or the disk fails, or the checksum is wrong.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        if is_file(target) and checksum.matches(target):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with in_turn(_lock_of(target), lambda: _tell_waiting(part, target.name, progress)):
            if is_file(target) and checksum.matches(target):
                return  # another call was first
            _transfer(url, part, target.name, progress)
            if not checksum.matches(part):
                part.unlink()
                raise DatasetError(
                    f"{url} arrived damaged, its {checksum.algorithm} is not {checksum.digest}: "
                    "removed; fetch it again"
                )
            os.replace(part, target)  # noqa: PTH105 - as one step, over what was there
    except OSError as error:
        raise _disk_error(target, error) from error


def read_url(url: str) -> bytes:
    """Return what is at `url`, a small file.

    Raises:
        DatasetError: if the network or the server fails.
    """
    with _open(url) as response:
        content = b"".join(iter(lambda: _read(response, url), b""))
        _check_whole(url, len(content), _total(response, 0))
    return content


def _lock_of(target: Path) -> Path:
    """Return the file that the call locks which downloads."""
    home = home_of(target)
    return home.with_name(f"{home.name}.lock")


def _tell_waiting(part: Path, name: str, progress: Progress | None) -> None:
    """Tell how far the call is that downloads."""
    if progress and is_file(part):
        with suppress(FileNotFoundError):
            progress(name, part.stat().st_size, None)


def _transfer(url: str, part: Path, name: str, progress: Progress | None) -> None:
    """Append to `part` what it lacks of the file at `url`."""
    here = part.stat().st_size if is_file(part) else 0
    with _open(url, here) as response:
        if response.status == RANGE_NOT_SATISFIABLE:
            return  # nothing lies beyond what is here; the checksum tells whether that is right
        if not _continues(response, here):
            here = 0  # the server sends the whole file
        total = _total(response, here)
        with part.open("ab" if here else "wb") as file:
            while chunk := _read(response, url):
                file.write(chunk)
                here += len(chunk)
                if progress:
                    progress(name, here, total)
    _check_whole(url, here, total)


def _open(url: str, start: int = 0) -> HTTPResponse:
    """Return the response to a request for everything from byte `start` on."""
    # Imported where they are used: most commands download nothing, and should start at once.
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    request = urllib.request.Request(url, headers={"User-Agent": "sans (Python)"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == RANGE_NOT_SATISFIABLE and start:
            return error  # type: ignore[return-value] # has the same status and can be closed
        error.close()
        raise DatasetError(
            f"the server has no {url} for us: {error.code} {error.reason}"
        ) from error
    except (OSError, HTTPException) as error:
        raise _network_error(url, error) from error
    return response


def _read(response: HTTPResponse, url: str) -> bytes:
    from http.client import HTTPException

    try:
        return response.read(CHUNK)
    except (OSError, HTTPException) as error:
        raise _network_error(url, error) from error


def _continues(response: HTTPResponse, start: int) -> bool:
    content_range = response.headers.get("Content-Range", "")
    return response.status == PARTIAL and content_range.startswith(f"bytes {start}-")


def _total(response: HTTPResponse, start: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _check_whole(url: str, found: int, total: int | None) -> None:
    if total is not None and found < total:
        raise DatasetError(
            f"{url} broke off after {found:,} of {total:,} bytes: fetch it again to go on"
        )


def _network_error(url: str, error: Exception) -> DatasetError:
    reason = getattr(error, "reason", None) or error
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return DatasetError(f"cannot download {url}: {text}; check the network and fetch it again")


def _disk_error(target: Path, error: OSError) -> DatasetError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DatasetError(f"no space left for {target}: make room and fetch it again to go on")
    return DatasetError(
        f"cannot write {target}: {error.strerror or error}; give another folder with --data-dir"
    )
