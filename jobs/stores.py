"""Which store? `--store`, or DRIFTLINE_STORE, or the folder `.driftline/store` in the working folder."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store import Store

__all__ = ["DEFAULT_STORE", "VARIABLE", "default_store", "opened_store", "store_option"]

VARIABLE = "DRIFTLINE_STORE"
DEFAULT_STORE = ".driftline/store"


def default_store() -> str:
    """The store of a command that names none."""
    return os.environ.get(VARIABLE) or DEFAULT_STORE


def opened_store(uri: str) -> Store:
    """The store, after a look whether it can be read: better now than after an hour's work.

    Raises:
        StoreError: it cannot.
    """
    from engine.store import Store

    store = Store(uri)
    store.load_bins("")
    return store


def store_option(uri: str) -> str:
    """What another command needs to be told so that it finds this store: nothing where it is the default one."""
    from engine.store.folder import store_uri

    return "" if store_uri(default_store()) == uri else f" --store {shlex.quote(uri)}"
