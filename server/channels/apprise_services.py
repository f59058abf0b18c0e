"""Messages to what Apprise knows: Slack, PagerDuty, OpsGenie, Teams and a hundred others."""

import logging
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import apprise
from apprise.attachment.memory import AttachMemory
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.pagerduty import NotifyPagerDuty
from apprise.plugins.slack import NotifySlack, SlackMode
from apprise.plugins.workflows import NotifyWorkflows

from server.channels.addresses import guarded
from server.channels.fitting import as_markdown, fitted, harmless
from server.errors import RegistryError
from server.message import Message, Severity
from server.outbox import DeliveryError, Parcel

__all__ = ["AppriseService", "checked_service"]

log = logging.getLogger("driftline.server")

ASSET = apprise.AppriseAsset(
    app_id="driftline", app_desc="driftline", app_url="", image_url_mask="", image_url_logo="", image_path_mask=""
)
"""How it calls itself; no picture that is not its own is loaded from elsewhere."""

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
        url = _with(self.url, message)
        service: Any = apprise.Apprise.instantiate(url, asset=ASSET, suppress_exceptions=True)
        if service is None:
            raise DeliveryError(
                f"Apprise does not understand the URL of this {self.provider} integration", hopeless=True
            )
        _look_for_proxies(service)
        service.redirects = False  # one would lead elsewhere
        told = apprise.Apprise()
        told.add(service)
        with apprise.LogCapture(level=logging.WARNING) as captured, guarded(private=True) as refused:
            taken = _notified(told, service, message)
            said: Any = captured
            words = " ".join(said.getvalue().split())
        if not taken and refused:
            raise DeliveryError(f"the URL leads to {refused[0]}", hopeless=True)
        if not taken:
            raise DeliveryError(words or f"{self.provider} did not take it")
        return f"taken by {service.service_name}"


def _notified(told: apprise.Apprise, service: Any, message: Message) -> bool:
    """Whether the message was taken; without its picture where that is not."""
    given: dict[str, Any] = {"notify_type": apprise.NotifyType.SUCCESS if message.ended else NOTICES[message.severity]}
    given |= _words(service, message)
    if message.picture is None or not service.attachment_support:
        return bool(told.notify(**given))
    attach = AttachMemory(content=message.picture, name="driftline.png", mimetype="image/png")
    if not isinstance(service, NotifySlack | NotifyDiscord):
        return bool(told.notify(**given, attach=attach)) or bool(told.notify(**given))
    # These take a picture after the text, Slack from a bot only: a picture that is refused must not repeat the text.
    taken = bool(told.notify(**given))
    takes = not isinstance(service, NotifySlack) or service.mode == SlackMode.BOT
    if taken and takes and not told.notify(message.alt, attach=attach, body_format=given["body_format"]):
        log.warning("%s took the message and not its picture; Slack's bots need files:write", service.service_name)
    return taken


def _words(service: Any, message: Message) -> dict[str, Any]:
    """Title and text as the service takes them. They are text: a value from the data is no markup and no mention."""
    title, text = harmless(message.subject), harmless(message.text)
    if isinstance(service, NotifyPagerDuty):  # a summary of a line, and the rest in what can be unfolded
        service.details = {**service.details, "message": message.text}
        return {"body": title, "body_format": apprise.NotifyFormat.TEXT}
    room = service.body_maxlen - len(title) - 10  # some put the title into the body
    if isinstance(service, NotifyWorkflows):
        body = as_markdown(fitted(text, room * 3 // 4))  # which makes it longer
        return {"title": title, "body": body, "body_format": apprise.NotifyFormat.MARKDOWN}
    return {"title": title, "body": fitted(text, room), "body_format": apprise.NotifyFormat.TEXT}


def _look_for_proxies(service: Any) -> None:
    """Refuse to let a proxy call a host of the user's: it would be the proxy that looks its name up, and sees nothing.

    Raises:
        DeliveryError: the environment names a proxy for it.
    """
    own_host = any("{host}" in template for template in service.templates)
    if own_host and service.host and {"http", "https", "all"} & set(getproxies()) and not proxy_bypass(service.host):
        raise DeliveryError("the environment names a proxy, and nobody sees where it would call: set NO_PROXY, too")


def _with(url: str, message: Message) -> str:
    """The URL with what holds a thread's messages together, so that a recovery ends what its alert began, and the link.

    What somebody has put into it stays.
    """
    parts = urlsplit(url)
    key = blake2b(message.thread.encode(), digest_size=16).hexdigest()
    more = {
        "pagerduty": {"action": "map", "dedup": key, **({"click": message.link} if message.link else {})},
        "opsgenie": {"action": "map", "alias": key},
    }.get(parts.scheme.lower(), {})
    return parts._replace(query=urlencode({**more, **dict(parse_qsl(parts.query))})).geturl()
