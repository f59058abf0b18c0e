"""Messages on their way: at least once, each with a key that tells receivers it is the same one, never lost by a crash.

written with what caused it, in one transaction ─► taken ─► sent ─► written down, or tried again later, or dead
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from server.database import Database
from server.errors import RegistryError
from server.message import Message
from server.policies import Retries
from server.tables import Delivery

__all__ = ["DeliveryError", "DeliveryState", "Outbox", "Parcel", "enqueue", "list_deliveries", "retry_dead"]

DELIVERIES = cast(Table, Delivery.__table__)
LONGEST_ANSWER = 500


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"


class DeliveryError(Exception):
    """A message was not taken.

    Args:
        text: what the receiver answered, without any secret.
        hopeless: trying again would end in the same way, such as an address that does not exist.
        after: how long the receiver asks to be left alone.
    """

    def __init__(self, text: str, *, hopeless: bool = False, after: timedelta = timedelta()) -> None:
        super().__init__(text)
        self.hopeless, self.after = hopeless, after


@dataclass(frozen=True)
class Parcel:
    """A message for one address.

    Attributes:
        dedupe_key: equal for the same message to the same address, and for no other.
        channel: how it is sent: ``email``, or an integration's kind.
        address: the e-mail address, or the integration's name.
        message: what is said.
    """

    dedupe_key: str
    channel: str
    address: str
    message: Message


Send = Callable[[Parcel], str]
"""Sends one and gives the receiver's answer; raises `DeliveryError`, or OSError where nobody answered."""


def enqueue(session: Session, parcels: Sequence[Parcel], now: datetime) -> int:
    """Put messages into the outbox; those whose key is there already are left out. How many are new."""
    keys = [parcel.dedupe_key for parcel in parcels]
    there = set(session.scalars(select(Delivery.dedupe_key).where(Delivery.dedupe_key.in_(keys))))
    new = {parcel.dedupe_key: parcel for parcel in parcels if parcel.dedupe_key not in there}
    rows = [
        {
            "dedupe_key": parcel.dedupe_key,
            "channel": parcel.channel,
            "address": parcel.address,
            "message": parcel.message.as_json(),
            "state": DeliveryState.QUEUED,
            "attempts": 0,
            "not_before": now,
            "created_at": now,
        }
        for parcel in new.values()
    ]
    if rows:
        session.execute(insert(Delivery), rows)
    return len(rows)


@dataclass
class Outbox:
    """Sends what is due.

    Attributes:
        database: the registry.
        send: how one message is sent.
        retries: what follows a failure; after the last one a message is dead. A receiver that asks for a longer wait
            gets it, but none beyond the longest.
        lease: a message that was taken and not written down as sent for this long is taken again: its sender died.
    """

    database: Database
    send: Send
    retries: Retries = Retries(most=8, first=timedelta(seconds=30), longest=timedelta(hours=2))  # noqa: RUF009 - frozen
    lease: timedelta = timedelta(minutes=5)

    def step(self, now: datetime, most: int = 50) -> int:
        """Send what is due, at most so much; how many were sent."""
        sent = 0
        for number, attempts, parcel in self._take(now, most):
            values = self._delivered(parcel, attempts, now)
            sent += values["state"] == DeliveryState.SENT
            with self.database.begin() as connection:
                mine = (DELIVERIES.c.id == number) & (DELIVERIES.c.attempts == attempts)
                connection.execute(update(DELIVERIES).where(mine).values(**values))
        return sent

    def _take(self, now: datetime, most: int) -> list[tuple[int, int, Parcel]]:
        ready = (
            select(DELIVERIES)
            .where(DELIVERIES.c.state == DeliveryState.QUEUED, DELIVERIES.c.not_before <= now)
            .order_by(DELIVERIES.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        with self.database.begin() as connection:
            rows = connection.execute(ready).mappings().all()
            taken = DELIVERIES.c.id.in_([row["id"] for row in rows])
            values = {"attempts": DELIVERIES.c.attempts + 1, "not_before": now + self.lease}
            connection.execute(update(DELIVERIES).where(taken).values(**values))
        return [(row["id"], row["attempts"] + 1, _parcel(row)) for row in rows]

    def _delivered(self, parcel: Parcel, attempts: int, now: datetime) -> Mapping[str, Any]:
        try:
            answer = self.send(parcel)
        except (DeliveryError, OSError) as error:
            hopeless = isinstance(error, DeliveryError) and error.hopeless
            wait = None if hopeless else self.retries.after(attempts)
            if wait is not None and isinstance(error, DeliveryError):
                wait = max(wait, min(error.after, self.retries.longest))
            state = DeliveryState.DEAD if wait is None else DeliveryState.QUEUED
            said = (str(error) or type(error).__name__)[:LONGEST_ANSWER]
            return {"state": state, "answer": said, "not_before": now + (wait or timedelta())}
        return {"state": DeliveryState.SENT, "answer": answer[:LONGEST_ANSWER], "sent_at": now}


def list_deliveries(session: Session, state: str | None, limit: int) -> Sequence[Delivery]:
    """The latest first."""
    found = select(Delivery).order_by(Delivery.id.desc()).limit(limit)
    return session.scalars(found if state is None else found.where(Delivery.state == state)).all()


def retry_dead(session: Session, number: int, now: datetime) -> None:
    """Put a dead message into the outbox again, with all its tries.

    Raises:
        RegistryError: there is no such message, or it is not dead.
    """
    held = session.get(Delivery, number)
    if held is None or held.state != DeliveryState.DEAD:
        raise RegistryError(f"there is no dead delivery {number}")
    held.state, held.attempts, held.not_before = DeliveryState.QUEUED, 0, now


def _parcel(row: Any) -> Parcel:
    return Parcel(row["dedupe_key"], row["channel"], row["address"], Message.from_json(row["message"]))
