"""Definitions as text that means the same wherever it stands: with every path from the root, or relative again."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

__all__ = ["relative", "rooted"]

ELSEWHERE = re.compile(r"^(azureml:|[A-Za-z][A-Za-z0-9+.-]+:/)")
"""A name of an asset, or a URI: nothing that is relative to a file."""


def rooted(text: str, folder: Path) -> str:
    """The text of a definition file that stands in `folder` (absolute), with its relative paths from the root.

    Comments and layout stay as they are.
    """
    return _replaced(text, lambda path: os.path.normpath(folder / path))


def relative(text: str, folder: Path) -> str:
    """The same the other way round: paths below the folder's parent become relative to the folder."""

    def shorter(path: str) -> str:
        if not Path(path).is_absolute() or not Path(path).is_relative_to(folder.parent):
            return path
        return os.path.relpath(path, folder)

    return _replaced(text, shorter)


def _replaced(text: str, changed: Callable[[str], str]) -> str:
    """The text with each scalar of a key `path` changed, where it is a path of a file system."""
    root = yaml.compose(text, yaml.SafeLoader)
    spots = sorted(_paths(root), key=lambda node: node.start_mark.index, reverse=True) if root else []
    for node in spots:
        new = changed(node.value)
        if new != node.value:
            text = text[: node.start_mark.index] + _scalar(new) + text[node.end_mark.index :]
    return text


def _paths(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    stack, seen = [root], set[int]()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                named = isinstance(key, yaml.ScalarNode) and key.value == "path"
                if named and isinstance(value, yaml.ScalarNode) and value.value and not ELSEWHERE.match(value.value):
                    yield value
                stack.append(value)


def _scalar(path: str) -> str:
    """As YAML writes it on one line: in quotes where it must be."""
    return yaml.safe_dump(path, default_style=None, width=100_000, allow_unicode=True).splitlines()[0]
