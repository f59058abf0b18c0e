"""A component's environment variables: set while it runs, put back afterwards, and their secrets told to nobody.

They are set where the component is called, on the driver. What it sends to tasks has to carry what it needs there.
"""

import os
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from engine.errors import DataError
from engine.monitor import Connection

__all__ = ["environment"]

Hide = Callable[[str], str]
"""A text without the secrets that are in it."""
HIDDEN = "***"


@contextmanager
def environment(connection: Connection) -> Generator[Hide]:
    """Set a connection's variables while the block runs.

    Yields:
        What takes the secrets out of a text.

    Raises:
        DataError: a secret is not in the environment. It names the variable that asks for it, and not the one that it
            was looked for in: who writes a secret there by mistake does not want to read it in a log.
    """
    missing = sorted(name for name, source in connection.secrets.items() if source not in os.environ)
    if missing:
        keys = ", ".join(f"connection.secret_config.{name}" for name in missing)
        raise DataError(f"{keys}: the environment has no variable of the name that is given there")
    hidden = {name: os.environ[source] for name, source in connection.secrets.items()}
    ours = {**connection.environment, **hidden}
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield lambda text: _without(text, hidden.values())
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN) if secret else text
    return text
