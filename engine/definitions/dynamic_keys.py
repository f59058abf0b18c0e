"""How a dynamic threshold is written: which history sets the bound, and how far from its centre?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any

import isodate
from pydantic import BeforeValidator, Field

from engine.definitions.shape import Complaint, Shape, key
from engine.definitions.words import FixedLength, OneOf, fixed_length
from engine.triggers import Trigger
from signals.thresholds import DynamicThreshold, Operator
from signals.usual import SpreadMethod

__all__ = ["Dynamic", "DynamicKeys", "lookback_needed"]

METHODS = OneOf(
    tuple(SpreadMethod), {"std": SpreadMethod.STANDARD_DEVIATION, "mad": SpreadMethod.MEDIAN_ABSOLUTE_DEVIATION}
)
SWITCHES: dict[Any, dict[str, Any] | None] = {True: {}, "true": {}, False: None, "false": None}

ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)
SOME_RUNS = 400
"""Enough to meet a trigger's shortest gap: clock changes, weekends, short months."""


class DynamicKeys(Shape):
    """A bound ``center ± k · spread`` of the check's own earlier values; the one that is judged is not among them."""

    method: Annotated[str, METHODS] = key(
        default=SpreadMethod.STANDARD_DEVIATION.value,
        description="`standard_deviation`: mean and sample standard deviation; `median_absolute_deviation`: median and "
        "1.4826 times the median distance from it, which outliers do not move.",
    )
    k: Annotated[float, Field(ge=0, allow_inf_nan=False)] = key(
        default=2.0, description="How many spreads lie between the centre and the bound."
    )
    lookback: FixedLength = key(
        default="P14D", description="How far back the history goes from the scheduled time, ISO-8601."
    )
    min_points: Annotated[int, Field(ge=2)] = key(
        default=5, description="With fewer earlier values nothing is judged: `insufficient_data`."
    )

    def complaints(self) -> Iterator[Complaint]:
        if not fixed_length(self.lookback):
            yield Complaint(("lookback",), f"{self.lookback!r} has no length", "such as P14D")

    def threshold_of(self, operator: Operator | None) -> DynamicThreshold:
        """The threshold that is meant; without an operator it has a bound on either side."""
        return DynamicThreshold(
            operator, SpreadMethod(self.method), self.k, fixed_length(self.lookback), self.min_points
        )


def _switched(value: Any) -> Any:
    """`true` has every key left out, `false` is no dynamic threshold."""
    word = value.casefold() if isinstance(value, str) else value
    return SWITCHES[word] if isinstance(word, bool) or word in ("true", "false") else value


Dynamic = Annotated[DynamicKeys | None, BeforeValidator(_switched, json_schema_input_type=bool | DynamicKeys | None)]


def lookback_needed(threshold: DynamicThreshold, trigger: Trigger) -> str | None:
    """The shortest lookback that ever holds `min_points` runs, ISO-8601; None where the threshold's own is enough.

    A lookback that is shorter would leave the check unjudged for ever.
    """
    start = trigger.start_time or ANY_DAY
    always = replace(trigger, end_time=None)
    points = threshold.min_points
    runs = list(islice(always.due(start, start + timedelta(days=366 * (points + 4))), points + SOME_RUNS))
    spans = [later - earlier for earlier, later in zip(runs, runs[points:], strict=False)]
    if not spans or min(spans) <= threshold.lookback:
        return None
    return isodate.duration_isoformat(min(spans))
