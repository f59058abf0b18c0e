"""Which class is meant: one name for a class, however truth and prediction spell it.

A class has a *canonical* name, a text, which depends on its value and on the two columns' types, never on other rows:

* an integer is itself, and so is a number without a fraction: ``1``, ``1.0`` and a decimal ``1.00`` are ``1``;
* a boolean is ``true`` or ``false``; beside a column of numbers it is ``1`` or ``0``;
* a text is itself; beside a column of numbers a text that spells a number or a boolean is that number, beside a
  column of booleans a text that spells a boolean, ``1`` or ``0`` is that boolean;
* dates and timestamps are written in ISO 8601. Null and NaN are no class.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, auto

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from signals.bins import ValueType
from signals.values import value_type_of

__all__ = ["MAX_CLASSES", "TOO_MANY", "Classes", "canonical_labels", "in_words", "positive_class_of", "resolve_class"]

MAX_CLASSES = 1000
SPELLINGS = 4
"""How many raw values of one batch may stand for the same class; more than that are more classes."""
TOO_MANY = f"more than {MAX_CLASSES:,} distinct labels: is this a regression?"

BOOLEANS = {"true": "1", "false": "0"}
FLAGS = {"true": "true", "1": "true", "1.0": "true", "false": "false", "0": "false", "0.0": "false"}


class Reading(Enum):
    NUMBER = auto()
    BOOLEAN = auto()
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Classes:
    """One column of labels.

    Attributes:
        codes: int64[n], each row's place in `names`; -1 where the row has no class.
        names: canonical names, each once.
    """

    codes: npt.NDArray[np.int64]
    names: tuple[str, ...]


def canonical_labels(truth: pa.Array, prediction: pa.Array) -> tuple[Classes, Classes] | None:
    """Both columns by canonical name; None where there are too many classes to be a classification."""
    one, other = _reading(truth.type), _reading(prediction.type)
    found = _classes(truth, other), _classes(prediction, one)
    if found[0] is None or found[1] is None or len({*found[0].names, *found[1].names}) > MAX_CLASSES:
        return None
    return found[0], found[1]


def positive_class_of(classes: Collection[str]) -> str | None:
    """The class that is plainly the positive one: ``1`` of 0 and 1, ``true`` of false and true."""
    for negative, positive in (("0", "1"), ("false", "true")):
        if classes and set(classes) <= {negative, positive}:
            return positive
    return None


def in_words(classes: Sequence[str]) -> str:
    """The classes in words, for reasons."""
    return f"the classes are {', '.join(map(repr, classes[:5]))}" + (", ..." if len(classes) > 5 else "")


def resolve_class(name: str, classes: Collection[str]) -> str:
    """The class that a user means by this name (``1.0`` or ``True`` for ``1``); the name itself where none is meant."""
    spellings = (name, _from_text(name, Reading.NUMBER), _from_text(name, Reading.BOOLEAN))
    return next((spelling for spelling in spellings if spelling is not None and spelling in classes), name)


def _reading(kind: pa.DataType) -> Reading:
    value_type = value_type_of(kind)
    if value_type in (ValueType.INTEGER, ValueType.DOUBLE):
        return Reading.NUMBER
    return Reading.BOOLEAN if value_type is ValueType.BOOLEAN else Reading.TEXT


def _classes(array: pa.Array, other: Reading) -> Classes | None:
    if value_type_of(array.type) is None or not len(array):
        return Classes(np.full(len(array), -1), ())
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    if len(encoded.dictionary) > SPELLINGS * MAX_CLASSES:
        return None
    spelt = [_canonical(value, other) for value in encoded.dictionary.to_pylist()]
    names = tuple(dict.fromkeys(name for name in spelt if name is not None))
    places = {name: place for place, name in enumerate(names)}
    # The last place is for null: a null's index is written as -1.
    code_of = np.array([*(-1 if name is None else places[name] for name in spelt), -1], np.int64)
    indices = encoded.indices.fill_null(-1) if encoded.null_count else encoded.indices
    return Classes(code_of[indices.to_numpy(zero_copy_only=False)], names)


def _canonical(value: object, other: Reading) -> str | None:
    if isinstance(value, bool):
        text = "true" if value else "false"
        return BOOLEANS[text] if other is Reading.NUMBER else text
    if isinstance(value, int | float | Decimal):
        return _from_number(value)
    if isinstance(value, date):
        return value.isoformat()
    return _from_text(value, other) if isinstance(value, str) else None


def _from_number(value: float | Decimal) -> str | None:
    if value != value:  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    return str(int(value)) if value == value // 1 else repr(float(value))


def _from_text(text: str, other: Reading) -> str | None:
    folded = text.strip().lower()
    if other is Reading.BOOLEAN:
        return FLAGS.get(folded, text)
    if other is Reading.NUMBER:
        return BOOLEANS.get(folded) or _number_of_text(folded, text)
    return text


def _number_of_text(folded: str, text: str) -> str | None:
    try:
        return _from_number(int(folded))
    except ValueError:
        pass
    try:
        return _from_number(float(folded))
    except ValueError:
        return text
