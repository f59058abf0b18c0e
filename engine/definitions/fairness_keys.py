"""How it is written which segment is compared with which: is the model fair to the one as to the other?"""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BeforeValidator

from engine.definitions.filter_keys import Filters, Values
from engine.definitions.shape import Complaint, Shape, key
from engine.definitions.words import Name, many
from engine.monitor import Fairness, Filter, FilterDimension
from signals.conditions import FilterOperator

__all__ = ["FairnessKeys", "FairnessList"]


class FairnessKeys(Shape):
    """Segments by the values of one column, each against those of a base; or any segment against any other."""

    feature: Name | None = key(default=None, description="The column that tells people apart, where it is a feature.")
    tag: Name | None = key(default=None, description="The same, where the model does not use it.")
    values: Values = key(
        default=(),
        description="Its values, each of which is compared with the base; when left out, all other rows together are.",
    )
    base: Values = key(default=(), description="The value, or values, that they are compared with.")
    name: Name | None = key(default=None, description="With `segment`: what results call it.")
    segment: Filters = key(default=(), description="Instead of `feature` or `tag`: filters that its rows pass.")
    base_segment: Filters = key(default=(), description="With `segment`: filters that the base's rows pass.")

    def complaints(self) -> Iterator[Complaint]:
        short = {"feature": self.feature, "tag": self.tag, "values": self.values, "base": self.base}
        long = {"name": self.name, "segment": self.segment, "base_segment": self.base_segment}
        if any(long.values()):
            for name in (name for name, given in short.items() if given):
                yield Complaint((name,), "cannot go with segment", "keep one of them")
            yield from _missing(long)
            return
        if self.feature and self.tag:
            yield Complaint(("tag",), "cannot go with feature", "keep one of them")
        if not self.feature and not self.tag:
            yield Complaint(("feature",), "is missing", "which column tells people apart?")
        yield from _missing({"base": self.base})
        for value in sorted(set(self.values) & set(self.base)):
            yield Complaint(("values",), f"{value!r} is in the base, too")

    def compared(self) -> Iterator[Fairness]:
        """The segments that are meant, each with its base."""
        if self.name:
            yield Fairness(self.name, _all(self.segment), _all(self.base_segment))
            return
        base = (self._filter(FilterOperator.IN, self.base),)
        for value in self.values:
            yield Fairness(f"{self.column} = {value}", (self._filter(FilterOperator.EQUALS, (value,)),), base)
        if not self.values:
            others = (self._filter(FilterOperator.NOT_EQUALS, self.base),)
            yield Fairness(f"{self.column} other than {', '.join(self.base)}", others, base)

    @property
    def column(self) -> str | None:
        return self.feature or self.tag

    def _filter(self, operator: FilterOperator, values: tuple[str, ...]) -> Filter:
        dimension = FilterDimension.FEATURE if self.feature else FilterDimension.TAG
        return Filter(dimension, self.column, operator, values)


def _missing(needed: Mapping[str, object]) -> Iterator[Complaint]:
    hints = {"name": "what results call the segment", "base": "what are the others compared with?"}
    for name, given in needed.items():
        if not given:
            yield Complaint((name,), "is missing", hints.get(name, "filters that its rows pass"))


def _all(filters: Filters) -> tuple[Filter, ...]:
    return tuple(asked.filter() for asked in filters)


FairnessList = Annotated[
    tuple[FairnessKeys, ...], BeforeValidator(many, json_schema_input_type=FairnessKeys | tuple[FairnessKeys, ...])
]
