"""The commands of `driftline monitors` and `driftline keys`: what can be asked of the registry, and in which words."""

from datetime import datetime
from typing import Annotated

import typer

from engine.wording import moment
from jobs.consoles import out
from jobs.exits import ending
from jobs.options import Form, RunFormat, Verbose
from jobs.registries import DEFAULT_DATABASE, DatabaseUrl, OneSpace, SpaceName, registry
from jobs.times import parse_time

__all__ = ["keys", "monitors"]

monitors = typer.Typer(
    help="The monitors of the registry: list, show, switch, mute and delete them.", no_args_is_help=True
)
keys = typer.Typer(help="API keys: who may ask the server, and for what.", no_args_is_help=True)

MonitorName = Annotated[str, typer.Argument(metavar="MONITOR", show_default=False, help="A monitor's name.")]
KeyName = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="What people call the key.")]
MuteUntil = Annotated[
    datetime | None,
    typer.Option(
        "--until", parser=parse_time, metavar="TIME", help="When people are told again; for good if left out."
    ),
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; it is shown and kept.")]


@monitors.command("list", epilog="Example: driftline monitors list")
@ending
def list_(
    *,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """List monitors: their model, version, whether they are evaluated and tell anyone, and when they are due next."""
    from jobs.registered import list_monitors

    list_monitors(database, space, as_json=form is RunFormat.JSON)


@monitors.command(epilog="Example: driftline monitors show flights")
@ending
def show(
    name: MonitorName,
    *,
    version: Annotated[int | None, typer.Option("--version", min=1, help="As it was then; see `versions`.")] = None,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> None:
    """Show a monitor's definition, and who changed what in it, when; of an earlier version the definition alone."""
    from jobs.registered import show_monitor, show_version

    if version is not None:
        show_version(database, space, name, version)
    else:
        show_monitor(database, space, name)


@monitors.command(epilog="Example: driftline monitors versions flights")
@ending
def versions(
    name: MonitorName,
    *,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """List the versions of a monitor's definition: when each was made, by whom, and how much of it changed."""
    from jobs.registered import list_versions

    list_versions(database, space, name, as_json=form is RunFormat.JSON)


@monitors.command(epilog="Example: driftline monitors enable flights")
@ending
def enable(
    name: MonitorName,
    *,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> None:
    """Evaluate a monitor when it is due."""
    with registry(database, space) as held:
        held.set_enabled(name, enabled=True)
    out().print(f"{name} is evaluated when it is due", soft_wrap=True)


@monitors.command(epilog="Example: driftline monitors disable flights")
@ending
def disable(
    name: MonitorName,
    *,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> None:
    """Do not evaluate a monitor any more, until it is enabled."""
    with registry(database, space) as held:
        held.set_enabled(name, enabled=False)
    out().print(f"{name} is not evaluated until it is enabled", soft_wrap=True)


@monitors.command(epilog='Example: driftline monitors mute flights --until 2030-12-01 --reason "known outage"')
@ending
def mute(
    name: MonitorName,
    *,
    until: MuteUntil = None,
    reason: Reason = None,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> None:
    """Go on evaluating a monitor, and tell nobody."""
    with registry(database, space) as held:
        held.mute(name, until, reason)
    out().print(f"{name} tells nobody until {moment(until) if until else 'it is unmuted'}", soft_wrap=True)


@monitors.command(epilog="Example: driftline monitors unmute flights")
@ending
def unmute(
    name: MonitorName,
    *,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> None:
    """Tell people again."""
    with registry(database, space) as held:
        held.unmute(name)
    out().print(f"{name} tells people again", soft_wrap=True)


@monitors.command(epilog="Example: driftline monitors delete flights")
@ending
def delete(
    name: MonitorName,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> None:
    """Forget a monitor. Its results stay in the store."""
    if not yes:
        typer.confirm(f"Delete {name}?", abort=True, err=True)
    with registry(database, space) as held:
        held.delete(name)
    out().print(f"{name} is deleted; its results stay in the store", soft_wrap=True)


@keys.command(epilog="Example: driftline keys create ci --role editor")
@ending
def create(
    name: KeyName,
    *,
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="viewer, editor or admin.")] = "viewer",
    space: OneSpace = None,
    database: DatabaseUrl = DEFAULT_DATABASE,
    verbose: Verbose = False,
) -> None:
    """Make a key and print it, this once. With `--space` it sees that one only."""
    from jobs.keys import make_key

    make_key(database, space, name, role)


@keys.command("list", epilog="Example: driftline keys list")
@ending
def list_keys(
    *, database: DatabaseUrl = DEFAULT_DATABASE, form: Form = RunFormat.TABLE, verbose: Verbose = False
) -> None:
    """List keys: their roles, when they were used last, and which are revoked. Never the keys themselves."""
    from jobs.keys import show_keys

    show_keys(database, as_json=form is RunFormat.JSON)


@keys.command(epilog="Example: driftline keys revoke ci")
@ending
def revoke(name: KeyName, *, database: DatabaseUrl = DEFAULT_DATABASE, verbose: Verbose = False) -> None:
    """Make a key worthless, at once and for good."""
    from server.keys import revoke_key

    with registry(database, "default") as held:
        revoke_key(held, name)
    out().print(f"{name} is worth nothing any more", soft_wrap=True)
