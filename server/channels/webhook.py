"""CloudEvents to a URL, in structured mode, signed so that the receiver knows who sent them.

The signature is HMAC-SHA256 over the timestamp, a dot and the body, in hex::

    X-Driftline-Timestamp: 1795694400
    X-Driftline-Signature: v1=5257a8…

A receiver computes the same, compares in constant time, and refuses what is older than a few minutes.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from server.channels.addresses import allowed_addresses
from server.outbox import DeliveryError, Parcel

__all__ = ["SIGNATURE", "TIMESTAMP", "Webhook", "signature_of", "verify"]

SIGNATURE, TIMESTAMP = "X-Driftline-Signature", "X-Driftline-Timestamp"
STRUCTURED = "application/cloudevents+json; charset=utf-8"
FINAL = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
"""Answers after which the same message would be refused again."""
MOST_ANSWER = 2_000
TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Webhook:
    """A receiver of events.

    Attributes:
        url: http or https.
        secret: what signatures are made with; None: they are not signed.
        private: whether it may be in a private network or on this machine.
        patience: seconds that it may take to answer, from the first byte to the last.
    """

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    private: bool = False
    patience: float = 15.0

    def send(self, parcel: Parcel, now: datetime) -> str:
        """Post the parcel's event; the receiver's answer.

        The event's id is the parcel's key, however often it is sent.

        Raises:
            DeliveryError: it was refused, or the URL must not be called.
            OSError: nobody answered.
        """
        address = allowed_addresses(self.url, private=self.private)[0]
        event = {**parcel.message.event, "id": parcel.dedupe_key}
        body = json.dumps(event, ensure_ascii=False, allow_nan=False).encode()
        headers = {"Content-Type": STRUCTURED, "User-Agent": "driftline", "Host": urlsplit(self.url).netloc}
        headers["Accept-Encoding"] = "identity"
        if self.secret is not None:
            stamp = str(int(now.timestamp()))
            headers |= {TIMESTAMP: stamp, SIGNATURE: signature_of(self.secret, stamp, body)}
        try:
            answer, text = asyncio.run(self._post(address, body, headers))
        except TimeoutError:
            raise TimeoutError(f"no answer within {self.patience:g} seconds") from None
        except httpx.HTTPError as error:
            raise OSError(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
        if answer.is_success:
            return f"{answer.status_code} {text}".strip()
        raise DeliveryError(
            f"{answer.status_code} {text}".strip(),
            hopeless=answer.status_code in FINAL,
            after=_retry_after(answer.headers.get("Retry-After", ""), now),
        )

    async def _post(self, address: str, body: bytes, headers: Mapping[str, str]) -> tuple[httpx.Response, str]:
        """The answer, and the beginning of its text; on a connection of its own, so that it is that to this request."""
        name = urlsplit(self.url).hostname
        # The address that was looked at, and the name for TLS; a redirect would lead elsewhere.
        async with (
            asyncio.timeout(self.patience),  # of all of it: httpx's own is for each byte
            httpx.AsyncClient(timeout=None, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST", _at(self.url, address), content=body, headers=headers, extensions={"sni_hostname": name}
            ) as answer,
        ):
            return answer, await _beginning(answer)


def signature_of(secret: str, timestamp: str, body: bytes) -> str:
    """``v1=`` and the HMAC-SHA256 over timestamp, dot and body, in hex."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(
    secret: str, body: bytes, *, timestamp: str, signature: str, now: datetime, tolerance: timedelta = TOLERANCE
) -> bool:
    """What a receiver does: whether the signature is right and the event not old."""
    try:
        age = abs(now.timestamp() - int(timestamp))
    except ValueError:
        return False
    expected = signature_of(secret, timestamp, body)
    return hmac.compare_digest(expected.encode(), signature.encode()) and age <= tolerance.total_seconds()


def _at(url: str, address: str) -> str:
    """The URL with the host's address in place of its name."""
    parts = urlsplit(url)
    host = f"[{address}]" if ":" in address else address
    return parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host).geturl()


def _retry_after(said: str, now: datetime) -> timedelta:
    """How long a receiver asks to be left alone: it says seconds, or a date."""
    try:
        return timedelta(seconds=int(said)) if said.isdigit() else parsedate_to_datetime(said) - now
    except (ValueError, TypeError, OverflowError):  # it says nothing that can be understood; a date without a zone
        return timedelta()


async def _beginning(answer: httpx.Response) -> str:
    """Of an answer, however long it is."""
    read = b""
    async for chunk in answer.aiter_raw():  # as it comes: what is packed might be a million times as long
        read += chunk
        if len(read) >= MOST_ANSWER:
            break
    return " ".join(read[:MOST_ANSWER].decode(errors="replace").split())
