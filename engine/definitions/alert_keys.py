"""How it is written who hears of what, and when."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from engine.definitions.shape import Complaint, Shape, complain, key
from engine.definitions.words import FixedLength, Name, fixed_length
from signals.alerting import AlertRule

__all__ = ["AlertNotification", "Alerting", "Recipients"]

AZURE_MONITOR = "azmonitoring"


def _email(value: Any) -> Any:
    if not isinstance(value, str) or "@" not in value.strip("@"):
        raise complain(f"{value!r} is not an e-mail address")
    return value


class AlertNotification(Shape):
    """Who hears of a breach."""

    emails: tuple[Annotated[str, BeforeValidator(_email)], ...] = key(default=(), description="E-mail addresses.")
    integrations: tuple[Name, ...] = key(
        default=(), description="Names of integrations that the server knows: `driftline integrations create`."
    )


Recipients = Annotated[
    AlertNotification | None,
    BeforeValidator(
        lambda value: AlertNotification() if str(value).lower() == AZURE_MONITOR else value,
        json_schema_input_type=AlertNotification | Literal["azmonitoring"] | None,
    ),
]


class Alerting(Shape):
    """When breaches become an alert. An alert is told when it begins and when it ends, not at every evaluation."""

    breaches: int = key(default=1, ge=1, description="So many evaluations have to breach, the present one among them,")
    of: int = key(default=1, ge=1, le=1000, description="of so many: the last ones that were judged.")
    again_after: FixedLength | None = key(
        default=None, description="An alert that goes on is told again after this; never when left out."
    )
    recovery: bool = key(default=True, description="Whether it is told when an alert has ended.")

    def complaints(self) -> Iterator[Complaint]:
        if self.breaches > self.of:
            yield Complaint(("breaches",), f"is more than the last {self.of} evaluations", "raise `of`")

    def rule(self) -> AlertRule:
        """The rule that is meant."""
        again = fixed_length(self.again_after) if self.again_after else None
        return AlertRule(self.breaches, self.of, again, self.recovery)
