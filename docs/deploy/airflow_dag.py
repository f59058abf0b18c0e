"""Airflow 3 evaluates monitors on your own Spark cluster: a task for each, with `spark-submit`, without a server.

It asks for driftline's checkout (or `make zip`), monitor files and a store that driver and workers reach. Breaches are
rows in the store; with `--fail-on-breach` they end a task with exit code 10, too.
"""

# pyright: reportMissingImports=false

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

CHECKOUT = "/opt/driftline"
STORE = "s3://ml-monitoring/driftline"
MONITORS = ["flights", "credit"]

with DAG(
    "driftline",
    schedule="15 3 * * *",  # the monitors' own trigger
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=True,  # missed days are made up for, each with its own windows
    max_active_runs=1,  # a dynamic threshold looks at the days before
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5), "execution_timeout": timedelta(hours=2)},
    tags=["monitoring"],
):
    for monitor in MONITORS:
        BashOperator(
            task_id=monitor,
            # The time that the run was due for, and never the clock's: a task that is cleared says the same again.
            bash_command=(
                f"spark-submit --master yarn --py-files {CHECKOUT}/dist/driftline.zip {CHECKOUT}/jobs/run_monitor.py"
                f" --monitor {CHECKOUT}/conf/monitors/{monitor}.yaml --store {STORE} --format json"
                " --at '{{ data_interval_end.isoformat() }}'"
            ),
        )
