"""Where a message leads: a template with places for the monitor, its signal and its times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Formatter
from urllib.parse import quote, urlsplit

__all__ = ["PLACES", "Link"]

PLACES = ("monitor", "signal", "time", "window_start", "window_end")


@dataclass(frozen=True)
class Link:
    """A template of a URL.

    Attributes:
        template: with places such as ``{monitor}``.

    Raises:
        ValueError: it is none, in words that say why.
    """

    template: str

    def __post_init__(self) -> None:
        try:
            asked = [
                f"{name}{f'!{conversion}' if conversion else ''}{f':{shape}' if shape else ''}"
                for _, name, shape, conversion in Formatter().parse(self.template)
                if name is not None
            ]
        except ValueError as error:
            raise ValueError(f"is no template: {error}") from None
        for name in asked:
            if name not in PLACES:
                raise ValueError(f"has no place {{{name}}}: {_listed(PLACES)}")
        parts = urlsplit(self.template)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("is no URL of http or https")

    def to(self, facts: Mapping[str, str | datetime | None]) -> str:
        """The URL; each fact is quoted, and a time is in UTC with milliseconds, as Grafana reads it."""
        return self.template.format(**{name: quote(_text(facts.get(name)), safe="") for name in PLACES})


def _listed(names: Sequence[str]) -> str:
    return "there are " + ", ".join(f"{{{name}}}" for name in names)


def _text(fact: str | datetime | None) -> str:
    if isinstance(fact, datetime):
        return fact.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return fact or ""
