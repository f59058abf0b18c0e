"""Which registry? `--database`, or DRIFTLINE_DATABASE, or a SQLite file in the working folder; and who is asking."""

from __future__ import annotations

import getpass
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.times import now

if TYPE_CHECKING:
    from server.database import Database
    from server.registry import Registry

__all__ = [
    "DEFAULT_DATABASE",
    "DatabaseUrl",
    "OneSpace",
    "SpaceName",
    "opened_registry",
    "registry",
    "who",
    "without_password",
]

VARIABLE = "DRIFTLINE_DATABASE"
DEFAULT_DATABASE = ".driftline/registry.db"

PASSWORD = re.compile(r"://[^/@]*:[^/@]+@|[?&]password=")


def without_password(context: typer.Context, option: typer.CallbackParam, url: str | None) -> str | None:
    """The URL, which may hold a password in the environment, but not on the command line: everybody reads that."""
    given = context.get_parameter_source(option.name or "")
    if given is not None and given.name == "COMMANDLINE" and url and PASSWORD.search(url):
        raise typer.BadParameter(f"a password has no place on a command line: use {VARIABLE}, PGPASSWORD or PGPASSFILE")
    return url


DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database",
        metavar="URL",
        envvar=VARIABLE,
        callback=without_password,
        help="The registry: a SQLite file, or postgresql://user@host/name.",
    ),
]
A_SPACE = "A team's models and monitors; `organization/name` where it is not the first organization's."
SpaceName = Annotated[str, typer.Option("--space", metavar="NAME", help=A_SPACE)]
OneSpace = Annotated[str | None, typer.Option("--space", metavar="NAME", help="Only this space; else all of them.")]


def opened_registry(url: str) -> Database:
    """The registry's database, made or brought up to date.

    Raises:
        RegistryError: it cannot be.
    """
    from server.database import Database

    database = Database(url)
    database.upgrade()
    return database


@contextmanager
def registry(url: str, space: str, *, reading: bool = False) -> Generator[Registry]:
    """One transaction of whoever runs this command; one that only reads keeps no server from writing."""
    from server.registry import Registry

    database = opened_registry(url)
    with database.reading() if reading else database.session() as session:
        yield Registry(session, who(), now(), space)


def who() -> str:
    """Who runs this command, as the audit log calls them."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user need not have a name
        return "cli:unknown"
