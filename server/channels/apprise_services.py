"""Messages to what Apprise knows: Slack, PagerDuty, OpsGenie, Teams and a hundred others."""

import logging
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import apprise

from server.channels.addresses import guarded
from server.errors import RegistryError
from server.message import Message, Severity
from server.outbox import DeliveryError, Parcel

__all__ = ["AppriseService", "checked_service"]

SCHEMES = {
    "slack": frozenset({"slack"}),
    "pagerduty": frozenset({"pagerduty"}),
    "opsgenie": frozenset({"opsgenie"}),
    "teams": frozenset({"msteams", "workflow", "workflows"}),
}
"""What the URL of a named provider begins with; any will do for ``apprise``."""
EXAMPLES = {
    "slack": "slack://tokenA/tokenB/tokenC/#channel",
    "pagerduty": "pagerduty://integration-key@api-key",
    "opsgenie": "opsgenie://api-key",
    "teams": "workflows://host/workflow/signature",
    "apprise": "https://github.com/caronc/apprise/wiki lists them",
}
NOTICES = {
    Severity.INFO: apprise.NotifyType.INFO,
    Severity.WARNING: apprise.NotifyType.WARNING,
    Severity.ERROR: apprise.NotifyType.FAILURE,
}


def checked_service(provider: str, url: str) -> None:
    """Look whether Apprise understands the URL.

    Raises:
        RegistryError: it does not; the URL is not in the text, since it holds secrets.
    """
    allowed = SCHEMES.get(provider)
    scheme = urlsplit(url).scheme.lower()
    if (allowed and scheme not in allowed) or apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
        raise RegistryError(f"the secret of a {provider} integration is its Apprise URL, such as {EXAMPLES[provider]}")


@dataclass(frozen=True)
class AppriseService:
    """One place that Apprise knows.

    Attributes:
        provider: what it is.
        url: Apprise's URL, with its secrets.
    """

    provider: str
    url: str = field(repr=False)

    def send(self, parcel: Parcel, now: Any = None) -> str:
        """Send a message; Apprise says only whether it was taken.

        Raises:
            DeliveryError: it was not; the text holds no secret.
        """
        del now  # Apprise asks for no time
        message = parcel.message
        service: Any = apprise.Apprise.instantiate(
            _threaded(self.provider, self.url, message), suppress_exceptions=True
        )
        if service is None:
            raise DeliveryError(
                f"Apprise does not understand the URL of this {self.provider} integration", hopeless=True
            )
        _look_for_proxies(service)
        service.redirects = False  # one would lead elsewhere
        told = apprise.Apprise()
        told.add(service)
        kind = apprise.NotifyType.SUCCESS if message.ended else NOTICES[message.severity]
        with apprise.LogCapture(level=logging.WARNING) as log, guarded(private=True) as refused:
            taken = told.notify(message.text, title=message.subject, notify_type=kind)
            said: Any = log
            words = " ".join(said.getvalue().split())
        if not taken and refused:
            raise DeliveryError(f"the URL leads to {refused[0]}", hopeless=True)
        if not taken:
            raise DeliveryError(words or f"{self.provider} did not take it")
        return f"taken by {service.service_name}"


def _look_for_proxies(service: Any) -> None:
    """Refuse to let a proxy call a host of the user's: it would be the proxy that looks its name up, and sees nothing.

    Raises:
        DeliveryError: the environment names a proxy for it.
    """
    own_host = any("{host}" in template for template in service.templates)
    if own_host and service.host and {"http", "https", "all"} & set(getproxies()) and not proxy_bypass(service.host):
        raise DeliveryError("the environment names a proxy, and nobody sees where it would call: set NO_PROXY, too")


def _threaded(provider: str, url: str, message: Message) -> str:
    """The URL with what holds a thread's messages together, so that a recovery ends what its alert began."""
    key = blake2b(message.thread.encode(), digest_size=16).hexdigest()
    more = {"pagerduty": {"action": "map", "dedup": key}, "opsgenie": {"action": "map", "alias": key}}.get(provider, {})
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    return parts._replace(query=urlencode({**more, **given})).geturl()
