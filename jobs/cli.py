"""The command line: what can be asked, and in which words. What is done stands in the module of each command.

Those are imported when their command runs: `driftline results` answers at once because nothing imports Spark.
"""

from contextlib import ExitStack
from typing import Annotated

import typer

from jobs.exits import ending
from jobs.import_commands import imports
from jobs.integration_commands import deliveries, integrations
from jobs.monitor_commands import keys, monitors
from jobs.options import (
    EXIT_CODES,
    At,
    Budget,
    By,
    Conf,
    Count,
    FailOnBreach,
    Feature,
    Form,
    From,
    Limit,
    ListForm,
    ListFormat,
    Master,
    Metric,
    Paths,
    Refresh,
    Remote,
    RunFormat,
    ServerSettings,
    SetThreshold,
    Since,
    Starting,
    StoreUri,
    To,
    Until,
    Verbose,
)  # fmt: skip
from jobs.profile_commands import profiles
from jobs.run_commands import runs
from jobs.server_commands import server
from jobs.space_commands import organizations, spaces
from jobs.standing_commands import alerts, contacts, history
from jobs.stores import DEFAULT_STORE

__all__ = ["app", "main"]

app = typer.Typer(
    name="driftline",
    help="Watch machine-learning models in production: drift, data quality and performance, measured on Spark.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


app.add_typer(server)  # its commands stand beside those below
app.add_typer(profiles, name="profiles")
app.add_typer(imports, name="import")
app.add_typer(monitors, name="monitors")
app.add_typer(keys, name="keys")
app.add_typer(runs, name="runs")
app.add_typer(integrations, name="integrations")
app.add_typer(deliveries, name="deliveries")
app.add_typer(alerts, name="alerts")
app.add_typer(contacts, name="contacts")
app.add_typer(spaces, name="spaces")
app.add_typer(organizations, name="organizations")
app.add_typer(history)


@app.command(epilog="Example: driftline validate conf/")
@ending
def validate(paths: Paths, *, verbose: Verbose = False) -> int:
    """Check monitor files, and say every problem of all of them at once.

    Each problem comes with its file, line and key, and with what to do about it; then the exit code is 2.
    """
    from jobs.validate import validate_paths

    return validate_paths(paths)


@app.command(epilog="Example: driftline schema > conf/schema.json")
@ending
def schema(*, verbose: Verbose = False) -> None:
    """Print the JSON Schema of monitor files, with which editors complete their keys."""
    from jobs.validate import print_schema

    print_schema()


@app.command("next", epilog="Example: driftline next conf/monitors/flights.yaml -n 10")
@ending
def next_(
    monitor: Annotated[str, typer.Argument(metavar="MONITOR", help="A monitor's file, or its name under conf/.")],
    *,
    count: Count = 5,
    start: Starting = None,
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """Show when a monitor is due next, and which windows of data each of its signals will look at then.

    Times are in UTC and, where the trigger has another time zone, in that. Spark is not started.
    """
    from jobs.times import now
    from jobs.upcoming import print_upcoming

    print_upcoming(monitor, start or now(), count, as_json=form is RunFormat.JSON)


@app.command(epilog="Example: driftline run conf/monitors/flights.yaml --at 2013-07-02T03:15Z")
@ending
def run(
    paths: Paths,
    *,
    at: At = None,
    store: StoreUri = DEFAULT_STORE,
    form: Form = RunFormat.TABLE,
    fail_on_breach: FailOnBreach = False,
    refresh: Refresh = False,
    notify: Annotated[
        bool, typer.Option("--notify", help="E-mail the monitor's contacts what began or ended.")
    ] = False,
    settings: ServerSettings = None,
    master: Master = "local[*]",
    remote: Remote = None,
    conf: Conf = None,
    verbose: Verbose = False,
) -> int:
    """Evaluate monitors for one scheduled time: what breached, by how much, since when, from how many rows.

    Without --at it is the latest time at which each monitor was due. The windows of data are computed from that
    time, whenever the command runs; running it again replaces its results. Only what is new in the data is read, once
    for all monitors; earlier runs whose labels have arrived since are evaluated again, and told.
    """
    from jobs.monitors import load_monitors
    from jobs.session import SparkOptions, starting

    monitors, as_json = load_monitors(paths), form is RunFormat.JSON
    notifier = None
    if notify:
        from jobs.notify import Notifier

        notifier = Notifier(settings)
    with starting(SparkOptions(master, remote, tuple(conf or ()), verbose)) as spark:
        from jobs.evaluate import evaluate_monitors

        return evaluate_monitors(
            monitors,
            at,
            store,
            spark.session,
            as_json=as_json,
            fail_on_breach=fail_on_breach,
            refresh=refresh,
            notifier=notifier,
        )


@app.command(epilog="Example: driftline backfill conf/monitors/flights.yaml --from 2013-03-01 --to 2014-01-01")
@ending
def backfill(
    paths: Paths,
    *,
    start: From,
    end: To,
    store: StoreUri = DEFAULT_STORE,
    form: Form = RunFormat.TABLE,
    refresh: Refresh = False,
    master: Master = "local[*]",
    remote: Remote = None,
    conf: Conf = None,
    verbose: Verbose = False,
) -> int:
    """Evaluate monitors for every time in a range at which they were due, with the data read once."""
    from jobs.monitors import load_monitors
    from jobs.session import STEADY_JAVA, SparkOptions, starting

    monitors = load_monitors(paths)
    with starting(SparkOptions(master, remote, tuple(conf or ()), verbose, STEADY_JAVA)) as spark:
        from jobs.history import backfill_monitors

        as_json = form is RunFormat.JSON
        return backfill_monitors(monitors, start, end, store, spark.session, as_json=as_json, refresh=refresh)


@app.command(epilog="Example: driftline rebin conf/monitors/flights.yaml")
@ending
def rebin(
    paths: Paths,
    *,
    at: At = None,
    store: StoreUri = DEFAULT_STORE,
    master: Master = "local[*]",
    remote: Remote = None,
    conf: Conf = None,
    verbose: Verbose = False,
) -> int:
    """Fit new bins to the monitors' baselines, and compare in them from now on.

    Bins are frozen with a monitor's first baseline and kept when the baseline moves, so that results can be compared;
    this makes new ones on purpose. Results say in which bins they were counted, and old ones stay readable.
    """
    from jobs.monitors import load_monitors
    from jobs.session import SparkOptions, starting

    monitors = load_monitors(paths)
    with starting(SparkOptions(master, remote, tuple(conf or ()), verbose)) as spark:
        from jobs.rebin import rebin_monitors

        return rebin_monitors(monitors, at, store, spark.session)


@app.command(epilog="Example: driftline results --monitor flights --from 2013-07-01 --breached --format csv")
@ending
def results(
    *,
    monitor: Annotated[str | None, typer.Option(metavar="NAME", help="Only this monitor.")] = None,
    signal: Annotated[str | None, typer.Option(metavar="NAME", help="Only this signal.")] = None,
    feature: Feature = None,
    metric: Metric = None,
    start: Since = None,
    end: Until = None,
    breached: Annotated[bool, typer.Option("--breached/--all", help="Only breaches, or everything.")] = False,
    status: Annotated[
        str | None,
        typer.Option(metavar="STATUS", help="ok, breached, no_data, insufficient_data, undefined or error."),
    ] = None,
    limit: Limit = None,
    store: StoreUri = DEFAULT_STORE,
    form: ListForm = ListFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """Show what is in the store, without starting Spark."""
    from jobs.results import Filter, print_results

    print_results(store, Filter(monitor, signal, feature, metric, start, end, breached, status, limit), form)


@app.command(epilog="Example: driftline explain flights --at 2013-07-02T03:15Z --feature temperature")
@ending
def explain(
    monitor: Annotated[str, typer.Argument(metavar="MONITOR", help="A monitor's name, or its file.")],
    *,
    at: At = None,
    feature: Feature = None,
    metric: Metric = None,
    by: By = None,
    store: StoreUri = DEFAULT_STORE,
    master: Master = "local[*]",
    remote: Remote = None,
    conf: Conf = None,
    verbose: Verbose = False,
) -> None:
    """Show which bins or categories carried a drift, and how the distribution has changed.

    Without --at it is the monitor's latest run; without --feature, everything that breached in it. All of it comes
    from the store; Spark is not started.

    With --by it shows how much of the feature's shift each value of other columns carried. What the run has stored
    (`explain_by` in the definition) is shown; anything else is counted now, with Spark: then give the monitor's file.
    """
    from jobs.asked_rows import Question

    question = Question(store, monitor, at, feature, metric)
    if by:
        from jobs.explain_by import explain_by, names_in
        from jobs.session import SparkOptions, starting

        options = SparkOptions(master, remote, tuple(conf or ()), verbose)
        with ExitStack() as stack:  # so that Spark is started where something has to be counted, and only there
            explain_by(question, names_in(by), lambda: stack.enter_context(starting(options)).session())
        return
    from jobs.explain import explain_rows

    explain_rows(question)


@app.command(epilog="Example: driftline replay flights --set jensen_shannon_distance=0.2 --from 2013-06-01")
@ending
def replay(
    monitor: Annotated[str, typer.Argument(metavar="MONITOR", help="A monitor's name, or its file.")],
    *,
    settings: SetThreshold = None,
    budget: Budget = None,
    start: Since = None,
    end: Until = None,
    store: StoreUri = DEFAULT_STORE,
    form: Form = RunFormat.TABLE,
    verbose: Verbose = False,
) -> None:
    """Judge the past by other thresholds: how many breaches, alerts and messages there would have been.

    Without --from and --to it is all that is stored. With --budget thresholds are proposed, ready to be pasted; what
    --set says stays as it is then. All of it comes from the store; Spark is not started.
    """
    from jobs.replay import Question, replay_thresholds

    question = Question(monitor, start, end, settings or (), budget)
    replay_thresholds(store, question, as_json=form is RunFormat.JSON)


def main() -> None:
    """The console script `driftline`."""
    app()


if __name__ == "__main__":
    main()
