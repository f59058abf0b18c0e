"""New bins for a monitor's baselines, in place of those that were frozen with the first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession

from engine.baselines import frozen_bins
from engine.comparisons import bins_groups
from engine.errors import DataError
from engine.monitor import PROFILED, Monitor
from engine.plan import plan_of
from engine.readings import Readings
from engine.sides import open_sides
from engine.store import Store
from signals.bins import Bins

__all__ = ["Rebinned", "rebin"]


@dataclass(frozen=True)
class Rebinned:
    """The bins of one baseline, by column, before and now; `signals` are those that are compared in them."""

    monitor: str
    signals: tuple[str, ...]
    before: Mapping[str, Bins]
    after: Mapping[str, Bins]


def rebin(
    spark: SparkSession,
    monitor: Monitor,
    time: datetime,
    store: Store,
    frames: Mapping[str, DataFrame] | None = None,
) -> tuple[list[Rebinned], list[str]]:
    """Fit new bins to the baselines of a monitor as they are at a scheduled time, and put them in force.

    What was counted in the old bins is kept with them; the next run counts again in the new ones, bucket by bucket.

    Returns:
        What has new bins, and the errors of what cannot be read.

    Raises:
        StoreError: the bins cannot be kept.
    """
    readings = Readings(spark, frames or {})
    plans = [plan for plan in plan_of(monitor, [time.astimezone(UTC)]) if plan.signal.type in PROFILED]
    found: list[Rebinned] = []
    for members, request in bins_groups([each for each in open_sides(plans, readings) if not each.trouble]):
        reference = members[0].reference
        assert reference is not None
        before = store.load_bins(request.key)
        try:
            frozen = frozen_bins(reference.dataset, request, store, anew=True)
        except DataError as error:
            readings.failed(error)
            continue
        names = tuple(each.plan.signal.name for each in members)
        after = {column: bins for column, bins in frozen.bins.items() if column in request.columns}
        found.append(Rebinned(monitor.name, names, before, after))
    return found, readings.errors
