"""The picture of a message: of the worst that is told, with the values before it that the store has."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from engine.results import AGGREGATE
from engine.store import Store
from server.notices import RUN, Row, Told
from server.rows import opened

__all__ = ["past_of", "picture_of"]

log = logging.getLogger("driftline.server")

RUNS = 60
"""How many runs it looks back."""
COLUMNS = (
    "scheduled_for", "group_dimension", "metric_value", "threshold_value", "threshold_kind", "operator", "breached",
)  # fmt: skip


def picture_of(store: Store, told: Sequence[Told]) -> bytes | None:
    """A PNG; None where there is nothing to draw, or it cannot be drawn: a message goes without it then."""
    worst = next((each for each in told if each.check.metric != RUN and each.row["metric_value"] is not None), None)
    if worst is None:
        return None
    try:
        from server.drawing import draw  # half a second, which those who tell nothing need not wait for

        return draw(worst, past_of(store, worst))
    except Exception as error:  # whatever it is, people are told
        log.warning(
            "%s: the message goes without its picture: %s: %s", worst.row["monitor"], type(error).__name__, error
        )
        return None


def past_of(store: Store, told: Told) -> list[Row]:
    """The check's rows of the last runs, the oldest first; that of `told` is the last one.

    Raises:
        StoreError: the store cannot be read.
    """
    row, check = told.row, told.check
    end = row["scheduled_for"] + timedelta(microseconds=1)
    runs = opened(store.read_runs(monitor=row["monitor"], end=end, columns=("scheduled_for",), limit=RUNS))
    rows = store.read_metrics(
        monitor=row["monitor"],
        signal=check.signal,
        metric=check.metric,
        group=check.group,
        start=min(run["scheduled_for"] for run in runs),
        end=end,
        columns=COLUMNS,
    )
    return [each for each in reversed(opened(rows)) if (each["group_dimension"] or AGGREGATE) == check.dimension]
