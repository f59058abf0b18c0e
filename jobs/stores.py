"""Which store? `--store`, or DRIFTLINE_STORE, or the folder `.driftline/store` in the working folder."""

import os
import shlex

__all__ = ["DEFAULT_STORE", "VARIABLE", "default_store", "store_option"]

VARIABLE = "DRIFTLINE_STORE"
DEFAULT_STORE = ".driftline/store"


def default_store() -> str:
    """The store of a command that names none."""
    return os.environ.get(VARIABLE) or DEFAULT_STORE


def store_option(uri: str) -> str:
    """What another command needs to be told so that it finds this store: nothing where it is the default one."""
    from engine.store.folder import store_uri

    return "" if store_uri(default_store()) == uri else f" --store {shlex.quote(uri)}"
