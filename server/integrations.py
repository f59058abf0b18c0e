"""Places that messages go to, by name: what each is, and how one is sent there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.channels.addresses import checked_url
from server.channels.apprise_services import AppriseService, checked_service
from server.channels.email import SmtpServer
from server.channels.patience import within
from server.channels.webhook import Webhook
from server.database import Database
from server.errors import RegistryError
from server.message import Message, Severity
from server.outbox import EMAIL, DeliveryError, Parcel
from server.registry import Registry
from server.secrets import Vault
from server.tables import Integration
from signals.catalogue import near_names

__all__ = ["Post", "Provider", "create_integration", "delete_integration", "list_integrations", "test_message"]

KIND = "integration"


class Provider(StrEnum):
    WEBHOOK = "webhook"
    """CloudEvents to a URL; the secret is the key of signatures."""
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    OPSGENIE = "opsgenie"
    TEAMS = "teams"
    APPRISE = "apprise"
    """Anything that Apprise knows; the secret is its URL."""


def create_integration(
    registry: Registry, vault: Vault, name: str, provider: Provider, *, secret: str, settings: Mapping[str, Any]
) -> None:
    """Keep a place, under a name.

    Args:
        registry: the transaction.
        vault: encrypts the secret.
        name: unique in the registry.
        provider: what it is.
        secret: a webhook's key, an Apprise URL.
        settings: what may be seen: a webhook's ``url`` and ``allow_private``.

    Raises:
        RegistryError: the name is taken, or what is given cannot be right.
    """
    organization = registry.own_space().organization_id
    if registry.session.scalar(select(Integration.id).where(Integration.name == name)):
        raise RegistryError(f"an integration named {name!r} is there already: delete it first")
    if provider is Provider.WEBHOOK:
        if not settings.get("url"):
            raise RegistryError("a webhook needs its URL")
        try:
            checked_url(settings["url"], private=bool(settings.get("allow_private")))
        except DeliveryError as error:
            raise RegistryError(str(error)) from error
    else:
        checked_service(provider.value, secret)
    registry.session.add(
        Integration(
            organization_id=organization,
            name=name,
            provider=provider.value,
            settings=dict(settings),
            secret=vault.seal(secret),
            created_at=registry.now,
        )
    )
    registry.log("create", KIND, name, None, {"provider": provider.value, **settings})


def list_integrations(session: Session) -> Sequence[Integration]:
    """All of them, by name."""
    return session.scalars(select(Integration).order_by(Integration.name)).all()


def delete_integration(registry: Registry, name: str) -> None:
    """Forget a place.

    Raises:
        RegistryError: there is none of that name.
    """
    held = _named(registry.session, name)
    registry.session.delete(held)
    registry.log("delete", KIND, name, {"provider": held.provider, **held.settings}, None)


def test_message(name: str, now: datetime) -> Message:
    """What `driftline integrations test` sends."""
    return Message(
        "driftline: a test",
        f"This is a test of the integration {name!r}. Nothing is wrong.",
        severity=Severity.INFO,
        thread=f"test/{name}",
        ended=True,
        event={
            "specversion": "1.0",
            "source": "/driftline/test",
            "type": "io.driftline.test",
            "time": now.isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": {"integration": name},
        },
    )


@dataclass(frozen=True)
class Post:
    """Sends parcels to whatever they are addressed to.

    Attributes:
        database: where integrations are.
        vault: opens their secrets.
        smtp: where e-mail is handed over; None: nowhere.
        now: what the clock says.
        patience: seconds that a receiver may take altogether, whatever each of its words takes; less than a lease of
            the outbox.
    """

    database: Database
    vault: Vault = field(repr=False)
    smtp: SmtpServer | None
    now: datetime
    patience: float = 120.0

    def send(self, parcel: Parcel) -> str:
        """The receiver's answer.

        Raises:
            DeliveryError, OSError: see `server.outbox.Send`.
        """
        service = self._service(parcel)
        return within(self.patience, lambda: service.send(parcel, self.now))

    def _service(self, parcel: Parcel) -> Webhook | AppriseService | SmtpServer:
        if parcel.channel == EMAIL:
            if self.smtp is None:
                raise DeliveryError("no SMTP server is set: smtp.host in the server's settings")
            return self.smtp
        try:
            with self.database.reading() as session:
                held = _named(session, parcel.address)
                secret = self.vault.open(held.secret)
        except RegistryError as error:
            raise DeliveryError(str(error)) from error
        if held.provider == Provider.WEBHOOK:
            private = bool(held.settings.get("allow_private"))
            return Webhook(held.settings["url"], secret or None, private)
        return AppriseService(held.provider, secret)


def _named(session: Session, name: str) -> Integration:
    held = session.scalar(select(Integration).where(Integration.name == name))
    if held is None:
        known = [each.name for each in list_integrations(session)]
        near = near_names(name, known)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RegistryError(f"no integration is named {name!r}{hint}")
    return held
