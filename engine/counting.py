"""One scan's answer: the profiles of columns by bucket of time and segment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from engine.batches import Dataset
from engine.monitor import Columns
from engine.scanning import buckets_of, scan_rows, timed
from engine.windows import Window
from signals.kernel import ScannedColumn, ScanPlan, TaskReport, profiles_of, report_of
from signals.profile import Profile, sum_profiles
from signals.segments import Segment
from signals.state import STATE_SCHEMA

__all__ = ["Bucket", "Counted", "count", "nothing_counted"]

Bucket = Window | None
"""A stretch of time; None is all of a dataset."""


@dataclass(frozen=True)
class Counted:
    """What a scan found, by bucket and segment's name.

    Attributes:
        buckets: what was counted.
        profiles: the profiles of the columns, in their order.
        rows: how many rows there are; absent where there are none.
        latest: the latest timestamp, in seconds since 1970 UTC; absent where there are no rows.
        report: what the tasks say.
    """

    buckets: tuple[Bucket, ...]
    profiles: dict[tuple[Bucket, str], list[Profile]]
    rows: dict[tuple[Bucket, str], int]
    latest: dict[tuple[Bucket, str], float]
    report: TaskReport


def count(
    dataset: Dataset,
    columns: Sequence[ScannedColumn],
    buckets: Sequence[Bucket],
    segments: Sequence[Segment],
    roles: Columns,
) -> Counted:
    """Profile columns over buckets and segments in one scan; buckets that overlap are sums of the steps between."""
    dated = [bucket for bucket in buckets if bucket is not None]
    plan = ScanPlan(tuple(columns), segments=tuple(segments))
    if not dated:
        return _counted(scan_rows(dataset, plan), plan, {None: [0]})
    steps, members = buckets_of(dated)
    plan = timed(plan, roles, steps)
    return _counted(scan_rows(dataset, plan), plan, {**members})


def nothing_counted(
    columns: Sequence[ScannedColumn], buckets: Sequence[Bucket], segments: Sequence[Segment]
) -> Counted:
    """What a scan of no rows would find."""
    plan = ScanPlan(tuple(columns), segments=tuple(segments))
    return _counted(STATE_SCHEMA.empty_table(), plan, {bucket: [0] for bucket in buckets})


def _counted(rows: pa.Table, plan: ScanPlan, members: Mapping[Bucket, Sequence[int]]) -> Counted:
    steps = 1 if plan.buckets is None else plan.buckets.count
    by_key = profiles_of(rows, plan.columns, steps * len(plan.segments))
    report = report_of(rows)
    found = Counted(tuple(members), {}, {}, {}, report)
    for bucket, numbers in members.items():
        for place, segment in enumerate(plan.segments):
            keys = [number * len(plan.segments) + place for number in numbers]
            name = (bucket, segment.name)
            found.profiles[name] = [sum_profiles(each) for each in zip(*(by_key[key] for key in keys), strict=True)]
            found.rows[name] = sum(report.rows.get(key, 0) for key in keys)
            if latest := [report.latest[key] for key in keys if key in report.latest]:
                found.latest[name] = max(latest)
    return found
