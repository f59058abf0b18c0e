"""Evaluate every due window of a range with the session that spark-submit starts, from any orchestrator.

    spark-submit --py-files driftline.zip jobs/backfill.py --monitor flights.yaml --from 2013-03-01 --to 2014-01-01

From a checkout it needs no `--py-files`. Options, output and exit codes are those of `driftline backfill`.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

# As in run_monitor.py, which stands alone like this file: a cluster is sent the one or the other.
HERE = Path(__file__).resolve().parent
sys.path[:] = [place for place in sys.path if Path(place).resolve() != HERE]
if find_spec("engine") is None:
    sys.path.insert(0, str(HERE.parent))

import typer  # noqa: E402 - after the path

from jobs.exits import ending  # noqa: E402
from jobs.options import EXIT_CODES, Form, From, MonitorFiles, Refresh, RunFormat, StoreUri, To, Verbose  # noqa: E402
from jobs.stores import DEFAULT_STORE  # noqa: E402

__all__ = ["backfill"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog=EXIT_CODES)
@ending
def backfill(
    *,
    monitor: MonitorFiles,
    start: From,
    end: To,
    store: StoreUri = DEFAULT_STORE,
    form: Form = RunFormat.TABLE,
    refresh: Refresh = False,
    verbose: Verbose = False,
) -> int:
    """Evaluate monitors for every time in a range at which they were due, with the session of spark-submit."""
    from pyspark.sql import SparkSession

    from jobs.history import backfill_monitors
    from jobs.monitors import load_monitors

    session = SparkSession.builder.appName("driftline").getOrCreate
    # spark-submit sends stderr to stdout, where JSON stands alone.
    as_json = form is RunFormat.JSON
    return backfill_monitors(
        load_monitors(monitor),
        start,
        end,
        store,
        session,
        as_json=as_json,
        refresh=refresh,
        silent=as_json,
    )


if __name__ == "__main__":
    app()
