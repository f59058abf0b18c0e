"""Whom does a definition name? Also one that cannot be loaded: its contacts have to hear of that."""

from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from engine.definitions.alert_keys import AlertNotification, Recipients

__all__ = ["contacts_in"]

_RECIPIENTS: TypeAdapter[AlertNotification | None] = TypeAdapter(Recipients)


def contacts_in(text: str) -> AlertNotification:
    """Whom the text of a definition names; nobody where that itself cannot be read."""
    try:
        document: Any = yaml.safe_load(text)
        written = document["create_monitor"].get("alert_notification")
        return _RECIPIENTS.validate_python(written) or AlertNotification()
    except (yaml.YAMLError, ValidationError, AttributeError, KeyError, TypeError):
        return AlertNotification()
