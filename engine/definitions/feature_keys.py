"""How the features of a signal are written: a list, all of them, or those that matter most."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag

from engine.definitions.shape import Shape, complain, key
from engine.definitions.words import Name, OneOf
from signals.catalogue import BOTH_KINDS

__all__ = ["ALL_FEATURES", "FeatureChoice", "FeatureKinds", "FeatureList", "TopFeatures"]

ALL_FEATURES = "all_features"
KindWord = Annotated[str, OneOf(tuple(sorted(BOTH_KINDS, reverse=True)))]
FeatureKinds = dict[str, KindWord]


class TopFeatures(Shape):
    """The features that matter most to the model."""

    top_n_feature_importance: int = key(
        ge=1, description="So many, by their importance to the baseline's target; all where there are fewer."
    )


def _features(value: Any) -> Any:
    """A list of names or a mapping; None for all."""
    if isinstance(value, str):
        if value.casefold() == ALL_FEATURES:
            return None
        raise complain(f"{value!r} is neither a list nor {ALL_FEATURES}", f"write [{value}] for this one feature")
    if value == []:
        raise complain("is empty", f"list the features, or write {ALL_FEATURES}")
    if isinstance(value, list):
        twice = sorted({name for name in value if isinstance(name, str) and value.count(name) > 1})
        if twice:
            raise complain(f"{', '.join(map(repr, twice))} is listed twice")
    return value


def _written_as(value: Any) -> str:
    return "top" if isinstance(value, dict | TopFeatures) else "listed"


FeatureList = Annotated[
    tuple[Name, ...] | None,
    BeforeValidator(_features, json_schema_input_type=tuple[Name, ...] | Literal["all_features"] | None),
]
Listed = Annotated[tuple[Name, ...], Tag("listed")]
Top = Annotated[TopFeatures, Tag("top")]
FeatureChoice = Annotated[
    Annotated[Listed | Top, Discriminator(_written_as)] | None,
    BeforeValidator(_features, json_schema_input_type=tuple[Name, ...] | Literal["all_features"] | TopFeatures | None),
]
