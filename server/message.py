"""What people are told: one message, whatever the channel makes of it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Message", "Severity"]


class Severity(StrEnum):
    INFO = "info"
    """A recovery, a test."""
    WARNING = "warning"
    """A check breached."""
    ERROR = "error"
    """Nothing could be evaluated."""


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        subject: one line.
        text: for channels that show text.
        html: the same for those that show more; None: there is only the text.
        picture: a PNG; None: there is none.
        alt: what the picture shows, in words.
        severity: how bad it is.
        thread: equal for messages about the same thing, so that a channel can put them together, and end them.
        ended: whether the thing is over.
        link: where more is to be seen; it is in the texts, too.
        event: the CloudEvent that machines are sent.
    """

    subject: str
    text: str
    html: str | None = None
    picture: bytes | None = field(default=None, repr=False)
    alt: str = ""
    severity: Severity = Severity.WARNING
    thread: str = ""
    ended: bool = False
    link: str | None = None
    event: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """As the outbox keeps it."""
        return {
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "picture": base64.b64encode(self.picture).decode() if self.picture else None,
            "alt": self.alt,
            "severity": self.severity.value,
            "thread": self.thread,
            "ended": self.ended,
            "link": self.link,
            "event": dict(self.event),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Message":
        """What `as_json` wrote."""
        fields: dict[str, Any] = dict(kept)
        fields["picture"] = base64.b64decode(kept["picture"]) if kept["picture"] else None
        fields["severity"] = Severity(kept["severity"])
        return cls(**fields)
