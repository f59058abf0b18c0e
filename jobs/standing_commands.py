"""The commands `driftline alerts`, `contacts` and `audit`: what is asked of them, and in which words."""

from datetime import datetime
from typing import Annotated

import typer

from jobs.exits import ending
from jobs.options import Form, RunFormat, Verbose
from jobs.registries import DEFAULT_DATABASE, DatabaseUrl, OneSpace
from jobs.times import parse_time

__all__ = ["alerts", "contacts", "history"]

alerts = typer.Typer(help="How checks stand: which alerts go on, since when.", no_args_is_help=True)
contacts = typer.Typer(help="Who is told of what.", no_args_is_help=True)
history = typer.Typer()


@alerts.command("list", epilog="Example: driftline alerts list --state triggered")
@ending
def list_alerts(
    *,
    monitor: Annotated[str | None, typer.Option(metavar="NAME", help="Only this monitor.")] = None,
    state: Annotated[str | None, typer.Option(metavar="STATE", help="triggered, cleared or no_data.")] = None,
    space: OneSpace = None,
    database: DatabaseUrl = DEFAULT_DATABASE,
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """List how checks stand: those with an alert that goes on first, with since when and the latest value."""
    from jobs.standings import list_alerts

    list_alerts(database, space, monitor, state, as_json=form is RunFormat.JSON)


@contacts.command("list", epilog="Example: driftline contacts list")
@ending
def list_contacts(
    *,
    space: OneSpace = None,
    database: DatabaseUrl = DEFAULT_DATABASE,
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """List who is told of what: addresses and integrations that definitions name, and which are not there."""
    from jobs.standings import list_contacts

    list_contacts(database, space, as_json=form is RunFormat.JSON)


@history.command(epilog="Example: driftline audit --kind monitor --name flights")
@ending
def audit(
    *,
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="monitor, model, integration, api_key, space, run, ..."),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Only what is named so.")] = None,
    who: Annotated[str | None, typer.Option(metavar="WHO", help="Only what they changed: `cli:ada`.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--from", parser=parse_time, metavar="TIME", help="At that time or later."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the latest first.")] = 50,
    database: DatabaseUrl = DEFAULT_DATABASE,
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """Show who changed what in the registry, when; as JSON with the whole of what was there before and after."""
    from jobs.standings import show_audit

    as_json = form is RunFormat.JSON
    show_audit(database, kind=kind, name=name, actor=who, since=since, limit=limit, as_json=as_json)
