"""A connection to the server does not last without a reason: who sends nothing, or reads nothing, is left.

Beyond uvicorn's own: a request's line and headers have to come within a time, a client has to read what it asked for,
and nobody has more than half of all connections. `server.limits` looks after the rest.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Connections", "connecting"]

FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Connections:
    """How many there may be.

    Attributes:
        most: at a time; from one address half of them.
        proxies: addresses that stand for many clients, and may have all of them.
        patience: seconds that a client may take to say what it wants, and to read what it got.
    """

    most: int = 200
    proxies: frozenset[str] = frozenset()
    patience: float = 10.0


def connecting(limits: Connections) -> type[asyncio.Protocol]:
    """What uvicorn makes of each connection."""
    return cast(type[asyncio.Protocol], partial(_Connection, limits))


class _Connection(H11Protocol):
    def __init__(self, limits: Connections, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits
        self._asking: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        if self._is_one_too_many():
            transport.write(FULL)
            transport.close()
        else:
            self._asking = self._leave_later(transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._asking, self._reading = _ended(self._asking), _ended(self._reading)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:  # the headers are there
            self._asking = _ended(self._asking)
        elif self._asking is None:
            self._asking = self._leave_later(self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reading = self._leave_later(self.transport.abort)

    def resume_writing(self) -> None:
        self._reading = _ended(self._reading)
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._reading = _ended(self._reading) or self._leave_later(self.transport.abort)  # had it not read all of it

    def _is_one_too_many(self) -> bool:
        others = [each for each in self.connections if each is not self]
        mine = self.client[0] if self.client else ""
        share = self._limits.most if mine in self._limits.proxies else self._limits.most // 2
        own = sum(1 for each in others if (getattr(each, "client", None) or ("",))[0] == mine)
        return len(others) >= self._limits.most or own >= max(1, share)

    def _leave_later(self, leave: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(self._limits.patience, leave)


def _ended(timer: asyncio.TimerHandle | None) -> None:
    """What is left of a timer that is not needed any more: nothing."""
    if timer is not None:
        timer.cancel()
