"""Plain Python as a YAML file that a person would have written: air between the parts, small blocks on one line."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from engine.definitions.document import Key
from jobs.yaml_comments import Comment

__all__ = ["one_line", "yaml_text"]

WIDTH = 120
ON_ONE_LINE = frozenset({"input_data", "data_window"})
"""Blocks that are read at one glance."""
JUDGING = frozenset({"threshold", "low", "dynamic"})
"""A threshold that is more than a number has one of these."""
APART: frozenset[Key] = frozenset({(), ("create_monitor",), ("create_monitor", "monitoring_signals")})
"""Blocks whose own blocks stand apart."""


def yaml_text(document: Mapping[str, Any], heading: str = "", comments: Mapping[Key, Comment] | None = None) -> str:
    """The document below a comment, with what is said of its keys."""
    writer = _Writer(comments or {})
    first = [f"# {heading}"] if heading else []
    last = [comments[()].beside] if comments and () in comments and comments[()].beside else []
    return "\n".join([*first, *writer.above(()), *writer.block(document, ()), *last]) + "\n"


@dataclass(frozen=True)
class _Writer:
    """Writes blocks, each not indented, with the comments of their keys."""

    comments: Mapping[Key, Comment]

    def above(self, path: Key) -> tuple[str, ...]:
        return self.comments[path].above if path in self.comments else ()

    def block(self, block: Mapping[str, Any], path: Key) -> Iterator[str]:
        for number, (name, value) in enumerate(block.items()):
            lines = list(self._entry(name, value, (*path, name)))
            if path in APART and number and len(lines) > 1:
                yield ""
            yield from lines

    def _entry(self, name: str, value: Any, path: Key) -> Iterator[str]:
        yield from self.above(path)
        line = f"{_scalar(name)}: {one_line(value)}"
        if not isinstance(value, dict | list):
            yield self._with_comment(f"{_scalar(name)}: {_scalar(value)}", path)
        elif _is_small(name, value) and len(line) + 2 * len(path) <= WIDTH and not self._is_commented(path):
            yield self._with_comment(line, path)
        else:
            yield self._with_comment(f"{_scalar(name)}:", path)
            below = self._items(value, path) if isinstance(value, list) else self.block(value, path)
            yield from (f"  {line}" if line else "" for line in below)

    def _items(self, items: list[Any], path: Key) -> Iterator[str]:
        for place, item in enumerate(items):
            own = (*path, place)
            yield from self.above(own)
            lines = list(self.block(item, own)) if item and isinstance(item, dict) else [one_line(item)]
            yield self._with_comment(f"- {lines[0]}", own)
            yield from (f"  {line}" for line in lines[1:])

    def _with_comment(self, line: str, path: Key) -> str:
        beside = self.comments[path].beside if path in self.comments else ""
        return f"{line} {beside}" if beside else line

    def _is_commented(self, path: Key) -> bool:
        """Whether something is said of what stands below."""
        return any(len(key) > len(path) and key[: len(path)] == path for key in self.comments)


def _is_small(name: str, value: dict[str, Any] | list[Any]) -> bool:
    below = value.values() if isinstance(value, dict) else value
    if any(isinstance(each, dict | list) for each in below):
        return False
    return not value or isinstance(value, list) or name in ON_ONE_LINE or bool(value.keys() & JUDGING)


def one_line(value: Any) -> str:
    """The value on one line, in brackets where it has parts."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(name, flow=True)}: {one_line(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(one_line, value)) + "]"
    return _scalar(value, flow=True)


def _scalar(value: Any, *, flow: bool = False) -> str:
    """A value as YAML writes it, in quotes only where it needs them."""
    if isinstance(value, str) and _is_plain(value, f"{{a: {value}}}" if flow else f"a: {value}"):
        return value
    if isinstance(value, str) and not value.isprintable():
        return json.dumps(value)  # JSON's texts are YAML's, and stay on their line
    text = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10**9)
    return text.strip().removeprefix("[").removesuffix("]")


def _is_plain(value: str, line: str) -> bool:
    try:
        return yaml.safe_load(line) == {"a": value}
    except yaml.YAMLError:
        return False
