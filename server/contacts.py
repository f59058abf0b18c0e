"""Whom do definitions name? Also those that cannot be loaded: their contacts have to hear of that."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.alert_keys import AlertNotification, Recipients
from server.places import the_space
from server.tables import Integration, MonitorRecord, MonitorVersion

__all__ = ["Contact", "contacts_in", "list_contacts"]

_RECIPIENTS: TypeAdapter[AlertNotification | None] = TypeAdapter(Recipients)


def contacts_in(text: str) -> AlertNotification:
    """Whom the text of a definition names; nobody where that itself cannot be read."""
    try:
        document: Any = yaml.safe_load(text)
        written = document["create_monitor"].get("alert_notification")
        return _RECIPIENTS.validate_python(written) or AlertNotification()
    except (yaml.YAMLError, ValueError, AttributeError, KeyError, TypeError):
        return AlertNotification()


@dataclass(frozen=True)
class Contact:
    """Somebody who is told.

    Attributes:
        contact: an e-mail address, or an integration's name.
        kind: ``email``, or the integration's provider; None: there is no such integration, and nobody is told.
        monitors: those whose definitions name it.
    """

    contact: str
    kind: str | None
    monitors: tuple[str, ...]


def list_contacts(session: Session, space: str | None) -> list[Contact]:
    """Whom the monitors of a space, or of all, name: e-mail addresses, then integrations.

    Raises:
        RegistryError: there is no such space.
    """
    found = select(MonitorRecord.name, MonitorVersion.text).join(
        MonitorVersion,
        (MonitorVersion.monitor_id == MonitorRecord.id) & (MonitorVersion.number == MonitorRecord.version),
    )
    if space is not None:
        found = found.where(MonitorRecord.space_id == the_space(session, space).id)
    emails, integrations = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for name, text in session.execute(found.order_by(MonitorRecord.name)):
        named = contacts_in(text)
        for contacts, mine in ((emails, named.emails), (integrations, named.integrations)):
            for contact in dict.fromkeys(mine):
                contacts[contact].append(name)
    providers = {each.name: each.provider for each in session.scalars(select(Integration))}
    return [
        *(Contact(each, "email", tuple(names)) for each, names in sorted(emails.items())),
        *(Contact(each, providers.get(each), tuple(names)) for each, names in sorted(integrations.items())),
    ]
