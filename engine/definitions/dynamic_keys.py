"""How a dynamic threshold is written: which history sets the bound, and how far from its centre?"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from engine.definitions.shape import Complaint, Shape, key
from engine.definitions.words import FixedLength, OneOf, fixed_length
from signals.thresholds import DynamicThreshold, Operator
from signals.usual import SpreadMethod

__all__ = ["Dynamic", "DynamicKeys"]

METHODS = OneOf(
    tuple(SpreadMethod), {"std": SpreadMethod.STANDARD_DEVIATION, "mad": SpreadMethod.MEDIAN_ABSOLUTE_DEVIATION}
)
SWITCHES: dict[Any, dict[str, Any] | None] = {True: {}, "true": {}, False: None, "false": None}


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
