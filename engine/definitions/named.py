"""What do `azureml:name:version`, `azureml:name@label` and `azureml:name` mean, among things that have versions?"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, TypeVar

from pydantic import BeforeValidator

from engine.definitions.shape import Complaint, Shape, did_you_mean, key
from engine.definitions.unknown import UnknownNameError
from engine.definitions.words import Name, Text, many

__all__ = ["Named", "find_named", "said_twice"]

LATEST = "latest"
"""The label of the highest version, where no version has it."""
NEAR = 3
"""How many names a hint lists."""
Texts = Annotated[tuple[Text, ...], BeforeValidator(many, json_schema_input_type=Text | tuple[Text, ...])]


class Named(Shape):
    """Something with a name and a version."""

    name: Name = key(description="The name.")
    versions: Texts = key(
        "versions", "version", description="The version, or several that are the same. `azureml:name` is the highest."
    )
    labels: Texts = key(
        "labels",
        "label",
        default=(),
        description="What it is also called: `azureml:name@label`. `latest` is the highest version, unless one is "
        "labelled so.",
    )

    @property
    def references(self) -> Iterator[str]:
        """All that it answers to, versions first."""
        yield from (f"azureml:{self.name}:{version}" for version in self.versions)
        yield from (f"azureml:{self.name}@{label}" for label in self.labels)


T = TypeVar("T", bound=Named)


def find_named(reference: str, among: Sequence[T], what: str) -> T:
    """The one that a reference means; of a bare name the latest.

    Raises:
        UnknownNameError: there is none; it lists near ones.
    """
    match = re.fullmatch(r"azureml:(?!/)([^:@]+)(?:([:@])(.+))?", reference)
    if not match:
        raise UnknownNameError(f"{reference!r} is not azureml:name:version", "other azureml addresses need Azure")
    name, mark, wanted = match.groups()
    mine = [one for one in among if one.name == name]
    if not mine:
        hint = did_you_mean(name, sorted({one.name for one in among}), NEAR)
        raise UnknownNameError(f"no {what} is named {name!r}", hint or "add it to assets.yaml")
    versions = {version: one for one in mine for version in one.versions}
    labels = {LATEST: versions[max(versions, key=_order)]} | {label: one for one in mine for label in one.labels}
    if wanted in (None, LATEST):
        return labels[LATEST]
    known, kind = (labels, "label") if mark == "@" else (versions, "version")
    if wanted not in known:
        has = f"it has {', '.join(sorted(known, key=_order))}"
        raise UnknownNameError(f"{what} {name!r} has no {kind} {wanted}", has)
    return known[wanted]


def said_twice(where: str, among: Sequence[Named]) -> Iterator[Complaint]:
    """What is wrong with a list of them, at its key: a reference that two answer to."""
    had: set[str] = set()
    for place, one in enumerate(among):
        for reference in one.references:
            if reference in had:
                yield Complaint((where, place), f"{reference} is there twice")
            had.add(reference)


def _order(version: str) -> list[tuple[bool, int, str]]:
    """10 after 9 and 1.10 after 1.9; numbers after words."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in version.split(".")]
