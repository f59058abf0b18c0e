"""Are the kept profiles what a scan of the source finds today? Counted again, and compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from engine.comparisons import freeze, requests_by_data
from engine.errors import DataError
from engine.kept_importances import weigh
from engine.monitor import PROFILED, Monitor
from engine.plan import plan_of
from engine.profiling import recount
from engine.readings import Readings
from engine.sides import open_sides
from engine.store import Store
from engine.store.profiles import ProfileKey

__all__ = ["Verified", "verify"]


@dataclass(frozen=True)
class Verified:
    """What was found out about one dataset's kept profiles.

    Attributes:
        source: the dataset's title.
        agreed: how many were counted again and are equal.
        different: those that are not.
        unkept: how many of those that these windows need are not kept, or are of another state of the source.
    """

    source: str
    agreed: int
    different: tuple[ProfileKey, ...]
    unkept: int


def verify(
    spark: SparkSession,
    monitor: Monitor,
    times: Sequence[datetime],
    store: Store,
    frames: Mapping[str, DataFrame] | None = None,
) -> tuple[list[Verified], list[str]]:
    """Count again what is kept of the windows and baselines of these scheduled times.

    Returns:
        What was found, by dataset, and the errors of what cannot be read.
    """
    readings = Readings(spark, frames or {})
    plans = [plan for plan in plan_of(monitor, times) if plan.signal.type in PROFILED]
    found = open_sides(plans, readings)
    weigh(found, readings, store)
    freeze([each for each in found if each.trouble is None], readings, store)
    verified: list[Verified] = []
    for data, requests in requests_by_data([each for each in found if each.trouble is None]):
        try:
            same, different, unkept = recount(data, requests, readings, store)
        except DataError as error:
            readings.failed(error)
            continue
        verified.append(Verified(data.dataset.title, len(same), tuple(different), unkept))
    return verified, readings.errors
