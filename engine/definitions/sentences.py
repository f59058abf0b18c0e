"""What do pydantic's errors mean, in plain sentences with a key and a line?"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from engine.definitions.document import Document, Key
from engine.definitions.shape import did_you_mean
from engine.errors import Problem

__all__ = ["Report", "problems_of"]


class Report:
    """Collects what is wrong with one document."""

    def __init__(self, document: Document, within: Key = ()) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self._within = within

    def add(self, key: Key, message: str, hint: str | None = None) -> None:
        """Note a problem; `key` counts from where the report begins."""
        self.problems.append(self.document.problem((*self._within, *key), message, hint))

    def extend(self, error: ValidationError) -> None:
        """Note everything that pydantic found."""
        self.problems.extend(problems_of(error, self.document, self._within))

    def at(self, *key: str | int) -> "Report":
        """A report on a part of the document that writes into this one."""
        part = Report(self.document, (*self._within, *key))
        part.problems = self.problems
        return part


def problems_of(error: ValidationError, document: Document, within: Key = ()) -> list[Problem]:
    """Every problem that a validation found, at the keys their author wrote."""
    return [
        document.problem(
            (*within, *found["loc"], *_TAG.get(found["type"], ())),
            *_sentence(found["type"], found["input"], found.get("ctx", {})),
        )
        for found in error.errors(include_url=False)
    ]


# Pydantic says that a block is of no known kind; its author wrote, or forgot, the key that says the kind.
_TAG: dict[str, Key] = {"union_tag_invalid": ("type",), "union_tag_not_found": ("type",)}


def _sentence(kind: str, value: Any, context: Mapping[str, Any]) -> tuple[str, str | None]:
    if kind == "driftline":
        return context["message"], context["hint"]
    for start, sentence in SENTENCES.items():
        if kind.startswith(start):
            return sentence(value, context)
    return f"{_shown(value)} is not valid here ({kind.replace('_', ' ')})", None


def _shown(value: Any) -> str:
    return f"a mapping of {', '.join(map(str, value))}" if isinstance(value, dict) and value else repr(value)


def _no_such_kind(_value: Any, context: Mapping[str, Any]) -> tuple[str, str | None]:
    kinds = re.findall(r"'([^']*)'", context["expected_tags"])
    tag = str(context["tag"])
    return f"{tag!r} is not one of {', '.join(kinds)}", did_you_mean(tag, kinds)


def _is_not(what: str, hint: str | None = None) -> Callable[[Any, Mapping[str, Any]], tuple[str, str | None]]:
    return lambda value, _: (f"{_shown(value)} is not {what}", hint)


def _must(text: str) -> Callable[[Any, Mapping[str, Any]], tuple[str, str | None]]:
    return lambda value, context: (f"{value} must be {text.format(**context)}", None)


SENTENCES: dict[str, Callable[[Any, Mapping[str, Any]], tuple[str, str | None]]] = {
    "missing": lambda _value, _context: ("is missing", None),
    "union_tag_not_found": lambda _value, _context: ("is missing", None),
    "union_tag_invalid": _no_such_kind,
    "int_": _is_not("a whole number"),
    "float_": _is_not("a number"),
    "finite_number": _is_not("a finite number"),
    "bool_": _is_not("true or false"),
    "string_too_short": lambda _value, _context: ("is empty", None),
    "string_": _is_not("text", "put it in quotes"),
    "dict_type": _is_not("a mapping (key: value)"),
    "model_": _is_not("a mapping (key: value)"),
    "tuple_type": _is_not("a list"),
    "too_short": lambda _value, _context: ("is empty", None),
    "greater_than_equal": _must("{ge:g} or more"),
    "less_than_equal": _must("{le:g} or less"),
    "greater_than": _must("more than {gt:g}"),
    "less_than": _must("less than {lt:g}"),
}
"""By the start of pydantic's name for the error; the first that fits."""
