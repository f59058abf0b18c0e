"""Evaluate monitors with the session that spark-submit starts, from any orchestrator.

    spark-submit --py-files driftline.zip jobs/run_monitor.py --monitor flights.yaml --at 2013-07-02T03:15Z

From a checkout it needs no `--py-files`. Options, output and exit codes are those of `driftline run`.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

# spark-submit puts this file's folder first, where `jobs.explain` would be `explain`, and perhaps someone else's.
HERE = Path(__file__).resolve().parent
sys.path[:] = [place for place in sys.path if Path(place).resolve() != HERE]
if find_spec("engine") is None:
    sys.path.insert(0, str(HERE.parent))

import typer  # noqa: E402 - after the path

from jobs.exits import ending  # noqa: E402
from jobs.options import EXIT_CODES, At, FailOnBreach, Form, MonitorFiles, Refresh, RunFormat, StoreUri, Verbose  # noqa: E402
from jobs.stores import DEFAULT_STORE  # noqa: E402

__all__ = ["run_monitor"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog=EXIT_CODES)
@ending
def run_monitor(
    *,
    monitor: MonitorFiles,
    at: At = None,
    store: StoreUri = DEFAULT_STORE,
    form: Form = RunFormat.TABLE,
    refresh: Refresh = False,
    fail_on_breach: FailOnBreach = False,
    verbose: Verbose = False,
) -> int:
    """Evaluate monitors for one scheduled time, with the session that spark-submit starts."""
    from pyspark.sql import SparkSession

    from jobs.evaluate import evaluate_monitors
    from jobs.monitors import load_monitors

    session = SparkSession.builder.appName("driftline").getOrCreate
    # spark-submit sends stderr to stdout, where JSON stands alone.
    as_json = form is RunFormat.JSON
    return evaluate_monitors(
        load_monitors(monitor),
        at,
        store,
        session,
        as_json=as_json,
        fail_on_breach=fail_on_breach,
        refresh=refresh,
        silent=as_json,
    )


if __name__ == "__main__":
    app()
