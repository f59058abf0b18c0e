"""The commands of `driftline runs`: what a server evaluated, and in which words one asks for it."""

from typing import Annotated

import typer

from jobs.exits import ending
from jobs.options import At, Form, RunFormat, Verbose
from jobs.registries import DEFAULT_DATABASE, DatabaseUrl

__all__ = ["runs"]

runs = typer.Typer(
    help="What a server evaluated: list and show runs, read their logs, run one again.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(metavar="MONITOR", show_default=False, help="A monitor's name.")]


@runs.command("list", epilog="Example: driftline runs list --state failed")
@ending
def list_(
    *,
    monitor: Annotated[str | None, typer.Option(metavar="NAME", help="Only this monitor.")] = None,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help="queued, running, done, failed or skipped.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the latest first.")] = 50,
    database: DatabaseUrl = DEFAULT_DATABASE,
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """List runs: when they were due, how they stand, and why they failed."""
    from jobs.runs import list_runs

    list_runs(database, monitor, state, limit, as_json=form is RunFormat.JSON)


@runs.command(epilog="Example: driftline runs show flights --at 2013-07-02T03:15Z")
@ending
def show(name: Name, *, at: At = None, database: DatabaseUrl = DEFAULT_DATABASE, verbose: Verbose = False) -> None:
    """Show one run: the latest, or that of a scheduled time."""
    from jobs.runs import show_run

    show_run(database, name, at)


@runs.command(epilog="Example: driftline runs logs flights")
@ending
def logs(name: Name, *, at: At = None, database: DatabaseUrl = DEFAULT_DATABASE, verbose: Verbose = False) -> None:
    """Print what a run's process said."""
    from jobs.runs import print_log

    print_log(database, name, at)


@runs.command(epilog="Example: driftline runs retry flights --at 2013-07-02T03:15Z")
@ending
def retry(name: Name, *, at: At = None, database: DatabaseUrl = DEFAULT_DATABASE, verbose: Verbose = False) -> None:
    """Evaluate a run again, or a time that was never due; a server takes it at its next step."""
    from jobs.runs import retry_run

    retry_run(database, name, at)
