"""Plain Python as a YAML file that a person would have written: air between the parts, small blocks on one line."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

__all__ = ["one_line", "yaml_text"]

WIDTH = 120
ON_ONE_LINE = frozenset({"input_data", "data_window"})
"""Blocks that are read at one glance."""
JUDGING = frozenset({"threshold", "low", "dynamic"})
"""A threshold that is more than a number has one of these."""
APART = frozenset({(), ("create_monitor",), ("create_monitor", "monitoring_signals")})
"""Blocks whose own blocks stand apart."""


def yaml_text(document: Mapping[str, Any], heading: str = "") -> str:
    """The document, below a comment."""
    return "\n".join([*([f"# {heading}"] if heading else []), *_block(document, ())]) + "\n"


def _block(block: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """The lines of a mapping, not indented."""
    apart = path in APART
    for number, (name, value) in enumerate(block.items()):
        lines = list(_entry(name, value, (*path, name)))
        if apart and number and len(lines) > 1:
            yield ""
        yield from lines


def _entry(name: str, value: Any, path: tuple[str, ...]) -> Iterator[str]:
    key = _scalar(name)
    if not isinstance(value, dict | list):
        yield f"{key}: {_scalar(value)}"
        return
    line = f"{key}: {one_line(value)}"
    if _is_small(name, value) and len(line) + 2 * len(path) <= WIDTH:
        yield line
        return
    yield f"{key}:"
    below = _items(value) if isinstance(value, list) else _block(value, path)
    yield from (f"  {line}" if line else "" for line in below)


def _is_small(name: str, value: dict[str, Any] | list[Any]) -> bool:
    below = value.values() if isinstance(value, dict) else value
    if any(isinstance(each, dict | list) for each in below):
        return False
    return not value or isinstance(value, list) or name in ON_ONE_LINE or bool(value.keys() & JUDGING)


def _items(items: list[Any]) -> Iterator[str]:
    for item in items:
        lines = list(_block(item, ("-",))) if isinstance(item, dict) else [one_line(item)]
        yield f"- {lines[0]}"
        yield from (f"  {line}" for line in lines[1:])


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
