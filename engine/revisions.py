"""What labels that came late have changed: the rows of an evaluation beside those that they replace."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.results import CheckKey, MetricRow, Status
from engine.store import Store

__all__ = ["Revision", "revisions_of"]


@dataclass(frozen=True, slots=True)
class Revision:
    """One check whose answer is another than before.

    Attributes:
        check: which one.
        before, after: its value; None where it had none.
        status_before, status_after: how it ended.
        final: whether it was provisional, and is no more.
    """

    check: CheckKey
    before: float | None
    after: float | None
    status_before: Status
    status_after: Status
    final: bool


def revisions_of(store: Store, rows: Sequence[MetricRow]) -> tuple[Revision, ...]:
    """The checks of one evaluation that are other than what the store has of the same scheduled time.

    Raises:
        StoreError: the store cannot be read.
    """
    if not rows:
        return ()
    time = rows[0].scheduled_for
    wanted = [*CheckKey._fields, "metric_value", "status", "reason"]
    stored = store.read_metrics(
        monitor=rows[0].monitor, start=time, end=time + timedelta(microseconds=1), columns=wanted
    ).to_pylist()
    before = {CheckKey(*(row[name] for name in CheckKey._fields)): row for row in stored}
    found: list[Revision] = []
    for row in rows:
        old = before.get(row.key) or before.get(row.key._replace(group_dimension=None))  # it could not be told then
        if old is None or (old["metric_value"], old["status"], old["reason"]) == (
            row.metric_value,
            row.status.value,
            row.reason,
        ):
            continue
        final = old["reason"] is not None and row.reason is None
        status = Status(old["status"])
        found.append(Revision(row.key, old["metric_value"], row.metric_value, status, row.status, final))
    return tuple(found)
