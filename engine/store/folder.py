"""What a store's URI may be, and whether a folder is missing or out of reach."""

import re
from pathlib import Path
from urllib.parse import quote

from engine.errors import StoreError

__all__ = ["child", "folder_name", "is_missing", "store_uri"]

# What delta-rs and its object store refuse, mistake for something else, or panic on.
IMPOSSIBLE = re.compile(r"[\x00-\x1f\x7f\[\]\\^|]|%[0-9A-Fa-f]{2}")
LONGEST_NAME = 255
"""Bytes of a file's name on every file system in use."""


def store_uri(uri: str | Path) -> str:
    """The store as a URI or an absolute local path, without a slash at its end.

    Raises:
        StoreError: a local path holds characters that Delta tables cannot live under.
    """
    text = str(uri)
    if "://" in text:
        return text.rstrip("/")
    path = Path(text).expanduser().absolute().as_posix()
    if found := IMPOSSIBLE.search(path):
        raise StoreError(f"Delta tables cannot be kept under {path}: choose a path without {found.group()!r}")
    return path


def child(uri: str, name: str) -> str:
    return f"{uri.rstrip('/')}/{name}"


def is_missing(uri: str) -> bool:
    """Whether there is nothing at this place, for all that can be told; a remote one is believed to be so.

    Raises:
        OSError: the place cannot be looked at.
    """
    if "://" in uri:
        return True
    try:
        Path(uri).stat()
    except FileNotFoundError:
        return True
    return not any(Path(uri, "_delta_log").glob("*.json"))


def folder_name(column: str, value: str) -> str:
    """The folder of a partition.

    Raises:
        StoreError: no file system could hold a folder of that name.
    """
    name = f"{column}={quote(value, safe='')}"
    if not value or len(name) > LONGEST_NAME:
        raise StoreError(
            f"the {column} {value!r} cannot name a folder: it takes {len(name)} bytes (letters beyond ASCII count "
            f"several), and between {len(column) + 2} and {LONGEST_NAME} are possible"
        )
    return name
