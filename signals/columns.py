"""What does a metric say of one column? The one way to ask, whoever has its profiles."""

from signals.catalogue import Family, Metric
from signals.change import Change
from signals.measurement import Measurement, Undefined
from signals.profile import Profile
from signals.quality import Column

__all__ = ["measure_column"]


def measure_column(
    metric: Metric, current: Profile, baseline: Profile | None, change: Change | None
) -> Measurement | Undefined:
    """A drift or quality metric of a column.

    Args:
        metric: of the family drift or quality.
        current: the column's profile in the window.
        baseline: its profile in the baseline; None without one.
        change: both compared, shared by all metrics of the column; None without a baseline.
    """
    if metric.family is Family.QUALITY:
        return metric.compute(Column(current, baseline))
    return Undefined("there is no baseline") if change is None else metric.compute(change)
