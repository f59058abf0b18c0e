"""The commands of `driftline integrations` and `driftline deliveries`: where messages go, and what became of them."""

from typing import Annotated

import typer

from jobs.exits import ending
from jobs.options import Form, RunFormat, Verbose
from jobs.registries import DEFAULT_DATABASE, DatabaseUrl, SpaceName

__all__ = ["deliveries", "integrations"]

integrations = typer.Typer(help="Places that messages go to: webhooks, Slack, PagerDuty, ...", no_args_is_help=True)
deliveries = typer.Typer(help="What became of messages: list them, and send dead ones again.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="What monitors call the integration.")]
Settings = Annotated[
    str, typer.Option("--state", metavar="FOLDER", help="The server's folder, where the key of secrets is.")
]
DEFAULT_STATE = ".driftline/server"


@integrations.command(
    epilog="Example: driftline integrations create ops --provider webhook --url https://ops.example/hook"
)
@ending
def create(
    name: Name,
    *,
    provider: Annotated[
        str, typer.Option("--provider", metavar="KIND", help="webhook, slack, pagerduty, opsgenie, teams or apprise.")
    ],
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Of a webhook.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="The webhook may be in a private network or on this machine.")
    ] = False,
    state: Settings = DEFAULT_STATE,
    database: DatabaseUrl = DEFAULT_DATABASE,
    space: SpaceName = "default",
    verbose: Verbose = False,
) -> None:
    """Keep a place under a name. Its secret is asked for, or read from standard input: it stands on no command line.

    The secret is a webhook's signing key (it may be empty), and otherwise Apprise's URL of the service.
    """
    from jobs.integrations import Place, create_place

    create_place(database, space, state, name, Place(provider, url, allow_private))


@integrations.command("list", epilog="Example: driftline integrations list")
@ending
def list_(*, database: DatabaseUrl = DEFAULT_DATABASE, form: Form = RunFormat.TABLE, verbose: Verbose = False) -> None:
    """List the places; never their secrets."""
    from jobs.integrations import list_places

    list_places(database, as_json=form is RunFormat.JSON)


@integrations.command("test", epilog="Example: driftline integrations test ops")
@ending
def send_test(
    name: Name, *, state: Settings = DEFAULT_STATE, database: DatabaseUrl = DEFAULT_DATABASE, verbose: Verbose = False
) -> int:
    """Send a test message to a place and show the answer; exit code 5 where it was not taken."""
    from jobs.integrations import test_place

    return test_place(database, state, name)


@integrations.command(epilog="Example: driftline integrations delete ops")
@ending
def delete(name: Name, *, database: DatabaseUrl = DEFAULT_DATABASE, verbose: Verbose = False) -> None:
    """Forget a place and its secret."""
    from jobs.integrations import delete_place

    delete_place(database, name)


@deliveries.command("list", epilog="Example: driftline deliveries list --state dead")
@ending
def list_deliveries(
    *,
    state: Annotated[str | None, typer.Option("--state", metavar="STATE", help="queued, sent or dead.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the latest first.")] = 50,
    database: DatabaseUrl = DEFAULT_DATABASE,
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """List messages: to whom, how often it was tried, and what was answered."""
    from jobs.integrations import show_deliveries

    show_deliveries(database, state, limit, as_json=form is RunFormat.JSON)


@deliveries.command(epilog="Example: driftline deliveries retry 7")
@ending
def retry(
    number: Annotated[int, typer.Argument(metavar="NUMBER", show_default=False, help="As `deliveries list` shows it.")],
    *,
    database: DatabaseUrl = DEFAULT_DATABASE,
    verbose: Verbose = False,
) -> None:
    """Put a dead message into the outbox again; a server sends it at its next step."""
    from jobs.integrations import retry_delivery

    retry_delivery(database, number)
