"""The commands of `driftline profiles`: what can be asked about what is kept, and in which words."""

import typer

from jobs.exits import ending
from jobs.options import Conf, Form, Keep, Master, Paths, Remote, RunFormat, Since, StoreUri, Until, Verbose
from jobs.stores import DEFAULT_STORE

__all__ = ["profiles"]

profiles = typer.Typer(
    help="What was counted once and is kept: list it, verify it against the data, or delete what is old.",
    no_args_is_help=True,
)


@profiles.command("list", epilog="Example: driftline profiles list")
@ending
def list_(*, store: StoreUri = DEFAULT_STORE, form: Form = RunFormat.TABLE, verbose: Verbose = False) -> None:
    """List what is kept: datasets, their buckets of time, columns and segments. Spark is not started."""
    from jobs.profiles import list_profiles

    list_profiles(store, as_json=form is RunFormat.JSON)


@profiles.command(epilog="Example: driftline profiles verify conf/monitors/flights.yaml --from 2013-07-01")
@ending
def verify(
    paths: Paths,
    *,
    start: Since = None,
    end: Until = None,
    store: StoreUri = DEFAULT_STORE,
    master: Master = "local[*]",
    remote: Remote = None,
    conf: Conf = None,
    verbose: Verbose = False,
) -> int:
    """Count again what is kept of monitors' windows and baselines, and compare; exit 10 where something differs.

    Without --from it is each monitor's latest run. Nothing is changed in the store.
    """
    from jobs.monitors import load_monitors
    from jobs.session import SparkOptions, starting

    monitors = load_monitors(paths)
    with starting(SparkOptions(master, remote, tuple(conf or ()), verbose)) as spark:
        from jobs.profiles import verify_profiles

        return verify_profiles(monitors, start, end, store, spark.session)


@profiles.command(epilog="Example: driftline profiles prune --keep P13M")
@ending
def prune(*, keep: Keep = "P400D", store: StoreUri = DEFAULT_STORE, verbose: Verbose = False) -> None:
    """Delete profiles of buckets that ended longer ago than --keep. Results and whole baselines stay."""
    from jobs.profiles import prune_profiles

    prune_profiles(store, keep)
