"""What does a YAML file say, and on which line does it say so?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.definitions.bounds import UnboundedError, bounded_text, look_at_bounds
from engine.definitions.shape import SPELLINGS
from engine.errors import Problem
from engine.monitor import SignalType

__all__ = ["Document", "Key", "read_document"]

Key = tuple[str | int, ...]
"""The way to a value from the top of a file: names of keys and places in lists."""


UNKNOWN_TAG = re.compile(r"could not determine a constructor for the tag '(?:tag:yaml\.org,2002:)?(.*)'")
READERS_STEPS = frozenset({*SignalType, "recurrence", "cron", "listed", "top", "[key]"})
"""What pydantic adds to a path to say which of several kinds it read, or that it means the key itself."""


@dataclass(frozen=True)
class Document:
    """One definition file, or a mapping that never was one.

    Attributes:
        file: its name for people.
        folder: what its relative paths are relative to; absolute.
        data: what it says, as plain Python; None when it cannot be read.
        lines: from 1, of every key and list item.
        problems: what is wrong with it as YAML.
        text: the file itself; empty for a mapping.
    """

    file: str
    folder: Path
    data: Any
    lines: Mapping[Key, int] = field(default_factory=dict[Key, int])
    problems: tuple[Problem, ...] = ()
    text: str = ""

    def problem(self, key: Sequence[str | int], message: str, hint: str | None = None) -> Problem:
        """A problem at a key, which is given in canonical words and reported in the author's."""
        written = self._written(key, missing=message.startswith("is missing"))
        return Problem(self.file, _text(written), message, hint, self.line(written))

    def _written(self, key: Sequence[str | int], *, missing: bool) -> Key:
        """The key as its author wrote it, or, where it is missing, would have written it.

        Steps that only the reader knows (which kind of signal it is, that one object is a list of one) fall away.
        """
        value, path = self.data, list[str | int]()
        unwritten: list[str | int] = []
        for step in key:
            found = _spelling(value, step)
            if found is None:
                unwritten.append(step)
                continue
            path.append(found)
            value, unwritten = value[found], []
        wanted = [step for step in unwritten if isinstance(step, str) and step not in READERS_STEPS]
        return (*path, *wanted) if missing else tuple(path)

    def line(self, key: Key) -> int | None:
        """The line of a key, or of the nearest one above it that has one: what an alias repeats has none."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.lines:
                return self.lines[key[:length]]
        return None


def read_document(path: Path, name: str) -> Document:
    """Read a file; whatever is wrong with it is in `problems`, and nothing is raised."""
    try:
        text = bounded_text(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        return Document(name, path.parent, None, problems=(Problem(name, "", f"cannot be read: {reason}"),))
    try:
        return _parse(text, path, name)
    except yaml.YAMLError as error:
        problem = _syntax_problem(name, error)
    except RecursionError:
        problem = Problem(name, "", "is nested too deep")
    except (ValueError, OverflowError) as error:  # a date that is none, a number of 5,000 digits
        problem = Problem(name, "", f"is not YAML: {error}")
    return Document(name, path.parent, None, problems=(problem,))


def _parse(text: str, path: Path, name: str) -> Document:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node:
            look_at_bounds(node)
        lines = dict(_lines(loader, node)) if node else {}
        data = loader.construct_document(node) if node else None
        twice = _duplicates(loader, node) if node else []
    finally:
        loader.dispose()
    problems = [Problem(name, _text(key), "is written twice", "keep one of them", line) for key, line in twice]
    if not isinstance(data, dict):
        what = "is empty" if data is None else "is not a mapping (key: value)"
        problems.append(Problem(name, "", what))
    return Document(name, path.parent, data if isinstance(data, dict) else None, lines, tuple(problems), text)


def _walk(loader: yaml.SafeLoader, node: yaml.Node) -> Iterator[tuple[Key, yaml.Node, yaml.MappingNode | None]]:
    """Every key with its node and the mapping it stands in; what an alias repeats is visited where it is written."""
    stack: list[tuple[Key, yaml.Node]] = [((), node)]
    seen: set[int] = set()
    while stack:
        path, current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        below: list[tuple[Key, yaml.Node]] = []
        if isinstance(current, yaml.MappingNode):
            for name, value in current.value:
                key = loader.construct_object(name, deep=True)
                if isinstance(key, str | int):
                    yield (*path, key), name, current
                    below.append(((*path, key), value))
        elif isinstance(current, yaml.SequenceNode):
            for place, item in enumerate(current.value):
                yield (*path, place), item, None
                below.append(((*path, place), item))
        stack += reversed(below)


def _lines(loader: yaml.SafeLoader, root: yaml.Node) -> Iterator[tuple[Key, int]]:
    for key, node, _ in _walk(loader, root):
        yield key, node.start_mark.line + 1


def _duplicates(loader: yaml.SafeLoader, root: yaml.Node) -> list[tuple[Key, int]]:
    """Keys that their mapping has already had. Python would silently keep the last."""
    had: set[tuple[int, Key]] = set()
    twice: list[tuple[Key, int]] = []
    for key, node, mapping in _walk(loader, root):
        if mapping is None:
            continue
        if (id(mapping), key) in had:
            twice.append((key, node.start_mark.line + 1))
        had.add((id(mapping), key))
    return twice


def _syntax_problem(name: str, error: yaml.YAMLError) -> Problem:
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(name, "", f"is not YAML: {error}")
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else None
    if isinstance(error, UnboundedError):
        return Problem(name, "", str(error.problem), line=line)
    if tag := UNKNOWN_TAG.search(error.problem or ""):
        return Problem(name, "", f"has the tag {tag[1]}, which is not read", "write the value itself", line)
    parts = [part for part in (error.context, error.problem) if part]
    return Problem(name, "", f"is not YAML: {', '.join(parts)}", line=line)


def _spelling(value: Any, step: str | int) -> str | int | None:
    """The key of this mapping, or place in this list, that a canonical step means; None if it has none."""
    if isinstance(value, list):
        return step if isinstance(step, int) and step < len(value) else None
    if not isinstance(value, dict):
        return None
    return next((name for name in (step, *sorted(SPELLINGS.get(str(step), ()))) if name in value), None)


def _text(key: Key) -> str:
    text = ""
    for step in key:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = str(step)
            text += f".{plain}" if not set(plain) & set(".[]") else f'."{plain}"'
    return text.removeprefix(".")
