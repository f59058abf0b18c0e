"""What a row says of who carried its shift: the values of other columns, the largest first, and a sentence on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.wording import listed, percent, printable

__all__ = ["Part", "Split", "sentence_of", "splits_of"]

MUCH = 0.1
"""A share of the shift that is worth a sentence, where it is out of proportion to the rows."""
OUT_OF_PROPORTION = 1.5


@dataclass(frozen=True, slots=True)
class Part:
    """What one value carried: shares of the shift, and its rows now and before."""

    value: str
    share: float
    mix: float
    within: float
    now: int
    before: int


@dataclass(frozen=True)
class Split:
    """What the values of one dimension carried.

    Attributes:
        dimension: the column.
        parts: its values, the largest share first.
        rest: what all others carried together; None where there are none.
        own: by value the metric of its rows alone, as far as it is known.
        reason: why the shift is not split; None where it is.
    """

    dimension: str
    parts: Sequence[Part] = ()
    rest: Part | None = None
    own: Mapping[str, float] = field(default_factory=dict[str, float])
    reason: str | None = None


def splits_of(details: Mapping[str, Any]) -> dict[str, Split]:
    """The splits that are stored with a row, by dimension."""
    rests: Mapping[str, Any] = details.get("carried_by_rest", {})
    parts: dict[str, list[Part]] = {name: [] for name in rests}
    for dimension, *rest in details.get("carried_by", []):
        parts.setdefault(dimension, []).append(Part(*rest))
    found = {name: Split(name, mine, _rest(rests.get(name))) for name, mine in parts.items()}
    return found | {name: Split(name, reason=why) for name, why in details.get("not_carried_by", {}).items()}


def _rest(stored: Sequence[Any] | None) -> Part | None:
    """How many they are is stored first."""
    return Part("", *stored[1:]) if stored else None


def sentence_of(split: Split) -> str:
    """The values that carried more than their part of the rows, or that the shift is spread like the rows."""
    every = [*split.parts, *([split.rest] if split.rest else [])]
    now, before = sum(part.now for part in every), sum(part.before for part in every)
    loud = [
        part for part in split.parts if part.share >= MUCH and part.share > OUT_OF_PROPORTION * part.now / max(1, now)
    ]
    against = [printable(part.value) for part in split.parts if part.share <= -MUCH]
    said = [_said(part, now, before) for part in loud[:3]]
    if not said and not against:
        return "no value stands out: each carried about as much of the shift as it has of the rows"
    if against:
        said.append(f"{listed(against)} worked against it")
    return "; ".join(said)


def _said(part: Part, now: int, before: int) -> str:
    here, there = part.now / max(1, now), part.before / max(1, before)
    carried = f"{printable(part.value)} carried {percent(part.share)}"
    if not part.before:
        return f"{carried} and is new, with {percent(here)} of the rows"
    if not part.now:
        return f"{carried}: it is gone, and had {percent(there)} of the rows"
    if abs(part.mix) > abs(part.within):
        return f"{carried}: it has {percent(here)} of the rows, and had {percent(there)}"
    return f"{carried} with {percent(here)} of the rows"
