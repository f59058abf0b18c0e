"""What is said beside the keys of a YAML file: a parser throws it away, and a person will look for it."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from engine.definitions.document import Document, Key

__all__ = ["Comment", "comments_of"]

HASH = re.compile(r"(?:^|(?<=\s))#")


@dataclass(frozen=True)
class Comment:
    """What is said of one key; every line begins with its ``#``.

    Attributes:
        above: the lines before it.
        beside: on its own line, or of the file, below its last key; empty where there is nothing.
    """

    above: tuple[str, ...] = ()
    beside: str = ""


def comments_of(text: str, document: Document) -> dict[Key, Comment]:
    """Every comment by the key that it stands beside, or before; those before the first key are of the file, ``()``."""
    keys: dict[int, Key] = {}
    for key, line in document.lines.items():
        keys[line] = min(keys.get(line, key), key, key=len)
    found: dict[Key, Comment] = {}
    waiting: list[str] = []
    heading = True
    for number, (line, said) in enumerate(_lines(text), 1):
        alone = bool(said) and line.strip() == said
        if alone:
            waiting.append(said)
        elif number in keys:
            above, waiting = tuple(waiting), []
            if heading and above:
                found[()] = Comment(above)
                above = ()
            heading = False
            if above or said:
                found[keys[number]] = Comment(above, said)
    if waiting:
        found[()] = Comment(found.get((), Comment()).above, "\n".join(waiting))
    return found


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Each line with its comment; a ``#`` inside of a text is none."""
    spans = sorted(_spans(text))
    starts = [start for start, _ in spans]
    offset = 0
    for line in text.splitlines(keepends=True):
        said = ""
        for match in HASH.finditer(line):
            at = offset + match.start()
            place = bisect_right(starts, at) - 1
            if place < 0 or at >= spans[place][1]:
                said = line[match.start() :].rstrip()
                break
        yield line, said
        offset += len(line)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            yield token.start_mark.index, token.end_mark.index
