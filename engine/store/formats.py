"""How bins and profiles are written: what is older counts as not there, and what is newer is refused."""

from collections.abc import Iterable

from engine.errors import StoreError

__all__ = ["FORMAT_VERSION", "refuse_newer", "still_read"]

FORMAT_VERSION = 2
"""To be raised when a reader of today would misread what is written tomorrow."""


def still_read() -> str:
    """The rows that this version can read, and those that it has to refuse, as SQL."""
    return f'"format_version" >= {FORMAT_VERSION}'


def refuse_newer(versions: Iterable[int], uri: str) -> None:
    """See to it that no row is newer than this version.

    Raises:
        StoreError: one is.
    """
    newest = max(versions, default=FORMAT_VERSION)
    if newest > FORMAT_VERSION:
        raise StoreError(
            f"{uri} was written by a newer driftline (format {newest}, and this one reads {FORMAT_VERSION}): "
            "upgrade driftline, or use another store"
        )
