"""What the server takes of those who ask: so much at a time, so fast, so often. It stands before all that answers.

A key has a rate of its own. Whoever has no key that is right has the rate of the address, and may try few keys: one
that guesses shuts out nobody whose key is known. The questions of orchestrators are always answered.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.rates import Rates

__all__ = ["HEADER", "KNOWN", "LARGEST_HEAD", "OPEN", "Limited", "Limits"]

HEADER = "x-api-key"
OPEN = frozenset({"/healthz", "/readyz"})
"""What is answered however often it is asked, and without a key."""
KNOWN = "key_is_known"
"""What is set in a request's state by whoever has found that its key is right. That it is wrong is said by a 401."""
LARGEST_HEAD = 16_384
"""Bytes of a request's line and headers together."""
MOST_KEYS = 1_000


@dataclass(frozen=True)
class Limits:
    """How much is taken.

    Attributes:
        body: bytes of a request's body.
        patience: seconds within which it has to be there.
        requests: a minute, of a key; of those without one, from one address.
        wrong_keys: a minute, from one address.
    """

    body: int = 1_000_000
    patience: float = 10.0
    requests: int = 600
    wrong_keys: int = 30


class Limited:
    """The application behind its limits; a request's body is read whole before the application hears of it.

    Args:
        app: what answers.
        limits: how much is taken.
        clock: seconds, never set back.
    """

    def __init__(self, app: ASGIApp, limits: Limits, clock: Callable[[], float]) -> None:
        self.app, self.limits, self.clock = app, limits, clock
        self._requests, self._tries = Rates(limits.requests), Rates(limits.wrong_keys)
        self._known: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application's signature."""
        if scope["type"] != "http":
            return
        if scope["path"] in OPEN:
            await self._answer(scope, receive, send)
            return
        key, address = _key(scope), _address(scope)
        wait = self._wait(key, address)
        if wait:
            error = f"too many requests: ask again in {ceil(wait)} s"
            refusal = JSONResponse({"error": error}, 429, {"Retry-After": str(ceil(wait)), "Connection": "close"})
            await refusal(scope, receive, send)
            return
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._answer(scope, receive, watched)
        finally:
            self._learn(key, address, status, right=bool(scope.get("state", {}).get(KNOWN)))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _head(scope) > LARGEST_HEAD:
            await _refusal(f"URL and headers have more than {LARGEST_HEAD} bytes", 431)(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.limits.patience):
                body = await _read(scope, receive, self.limits.body)
        except ClientDisconnect:
            return
        except TimeoutError:
            await _refusal("the request did not come in time", 408)(scope, receive, send)
            return
        if body is None:
            error = f"the body has more than {self.limits.body} bytes"
            await _refusal(error, 413)(scope, receive, send)
            return
        await self.app(scope, _replayed(body, receive), send)

    def _wait(self, key: str | None, address: str) -> float:
        """Seconds that this one has to wait; 0 where it may ask now."""
        now = self.clock()
        if key in self._known:
            return self._requests.take(key, now)
        wait = self._tries.take(address, now) if key else 0.0
        return wait or self._requests.take(address, now)

    def _learn(self, key: str | None, address: str, status: int, *, right: bool) -> None:
        """Remember whose key was right; a try that was not wrong does not count."""
        if key is None:
            return
        if status == 401:
            self._known.pop(key, None)  # it may have been revoked
            return
        if key not in self._known:
            self._tries.give_back(address, self.clock())
        if right:
            self._known[key] = None
            self._known.move_to_end(key)
            if len(self._known) > MOST_KEYS:
                self._known.popitem(last=False)


def _key(scope: Scope) -> str | None:
    """The digest of the key that is given."""
    given = Headers(scope=scope).get(HEADER)
    return sha256(given.encode()).hexdigest() if given else None


def _address(scope: Scope) -> str:
    """Who asks: an address, or of IPv6 the network that one household has."""
    client = scope.get("client")
    try:
        address = ip_address(client[0] if client else "")
    except ValueError:
        return ""
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


def _head(scope: Scope) -> int:
    """How long the request's line and headers are. uvicorn has a limit of its own for what does not come at once."""
    return len(scope["path"]) + len(scope["query_string"]) + sum(len(name) + len(it) for name, it in scope["headers"])


def _refusal(error: str, status: int) -> JSONResponse:
    return JSONResponse({"error": error}, status, {"Connection": "close"})  # what is still to come is not read


async def _read(scope: Scope, receive: Receive, most: int) -> bytes | None:
    """The whole body; None where it is longer."""
    said = Headers(scope=scope).get("content-length", "0")
    if not said.isdigit() or int(said) > most:
        return None
    read, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        read += message.get("body", b"")
        if len(read) > most:
            return None
        more = message.get("more_body", False)
    return bytes(read)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """What `receive` would have been, with the body in one piece."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return left.pop() if left else await receive()

    return replayed
