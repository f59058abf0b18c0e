"""What has to change so that the registry says what files say: a plan that is shown before it is carried out. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum

from server.desired import Desired, Written

__all__ = ["Action", "Change", "Kind", "changes_between"]


class Action(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


class Kind(StrEnum):
    """What is changed; in this order, since monitors name models, and models assets."""

    LIBRARY = "library"
    MODEL = "model"
    MONITOR = "monitor"


@dataclass(frozen=True)
class Change:
    """One step of a plan.

    Attributes:
        action: what is done.
        kind, name: to what.
        before: the text that is there; None where it is created.
        after: the text that will be there; None where it is deleted.
        model: the model that a monitor will name.
    """

    action: Action
    kind: Kind
    name: str
    before: str | None = None
    after: str | None = None
    model: str | None = None

    @property
    def diff(self) -> list[str]:
        """Lines that go (``- …``) and come (``+ …``), with a line of context each; none for what is deleted whole."""
        if self.action is Action.DELETE:
            return []
        lines = unified_diff((self.before or "").splitlines(), (self.after or "").splitlines(), lineterm="", n=1)
        return [line for line in lines if not line.startswith(("---", "+++"))]


def changes_between(current: Desired, desired: Desired, *, prune: bool) -> list[Change]:
    """The steps from what is there to what should be; with `prune` also those that delete what is written nowhere."""
    found: list[Change] = []
    for kind, now, then in (
        (Kind.LIBRARY, current.library, desired.library),
        (Kind.MODEL, current.models, desired.models),
        (Kind.MONITOR, current.monitors, desired.monitors),
    ):
        found += _written(kind, now, then)
    if prune:
        for kind, now, then in (
            (Kind.MONITOR, current.monitors, desired.monitors),
            (Kind.MODEL, current.models, desired.models),
            (Kind.LIBRARY, current.library, desired.library),
        ):
            gone = sorted(set(now) - set(then))
            found += [Change(Action.DELETE, kind, name, before=now[name].text) for name in gone]
    return found


def _written(kind: Kind, now: Mapping[str, Written], then: Mapping[str, Written]) -> Iterator[Change]:
    for name, written in sorted(then.items()):
        before = now.get(name)
        if before is None:
            yield Change(Action.CREATE, kind, name, None, written.text, written.model)
        elif before.text != written.text:
            yield Change(Action.CHANGE, kind, name, before.text, written.text, written.model)
