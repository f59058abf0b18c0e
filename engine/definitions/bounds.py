"""Is a YAML file small enough to be looked at: its bytes, how deep it is nested, and what its aliases make of it?

Aliases are repeated by reference, and cost nothing until somebody walks over what they mean: nine lines of nine aliases
each are 400 million values.
"""

from pathlib import Path

import yaml

__all__ = ["LARGEST", "UnboundedError", "bounded_text", "look_at_bounds"]

LARGEST = 1_000_000
"""Bytes of a file; a model of 5,000 features takes half of that."""
DEEPEST = 50
MOST_REPEATED = 100_000
"""Values that aliases repeat, on top of those that are written."""


class UnboundedError(yaml.MarkedYAMLError):
    """It is YAML, but more than anybody means to write."""


def bounded_text(path: Path) -> str:
    """What a file says.

    Raises:
        OSError: it cannot be read, or is too large; then its `strerror` says so.
        UnicodeDecodeError: it is no text.
    """
    with path.open("rb") as file:
        read = file.read(LARGEST + 1)
    if len(read) > LARGEST:
        raise OSError(None, f"it is larger than {LARGEST:,} bytes")
    return read.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def look_at_bounds(root: yaml.Node) -> None:
    """Walk over every node once.

    Raises:
        UnboundedError: it is nested too deep, repeats itself too often or for ever, or merges (`<<`).
    """
    bounds = _Bounds()
    values, _ = bounds.of(root, ())
    if values - len(bounds.known) > MOST_REPEATED:
        raise _unbounded(f"its aliases (*) repeat more than {MOST_REPEATED:,} values", root)


class _Bounds:
    """How many values a node means with all its aliases, and how deep it is."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[int, int]] = {}

    def of(self, node: yaml.Node, above: tuple[int, ...]) -> tuple[int, int]:
        if id(node) in above:
            raise _unbounded("an alias (*) means something that it stands in", node)
        values, height = self.known.get(id(node), (0, 0))
        if len(above) + height > DEEPEST:
            raise _unbounded(f"is nested more than {DEEPEST} deep", node)
        if values:
            return values, height
        below = [self.of(each, (*above, id(node))) for each in _children(node)]
        self.known[id(node)] = 1 + sum(size for size, _ in below), 1 + max((depth for _, depth in below), default=0)
        return self.known[id(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return node.value
    if not isinstance(node, yaml.MappingNode):
        return []
    for key, _ in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            raise _unbounded("merges (<<) are not read: write the keys out", key)
    return [each for pair in node.value for each in pair]


def _unbounded(problem: str, node: yaml.Node) -> UnboundedError:
    return UnboundedError(problem=problem, problem_mark=node.start_mark)
