"""Messages on their way: at least once, each with a key that tells receivers it is the same one, never lost by a crash.

written with what caused it, in one transaction ─► taken ─► sent ─► written down, or tried again later, or dead

Messages of one thread reach an address in their order: what has recovered is not told before what had breached.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from traceback import format_tb
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from server.database import Database
from server.errors import RegistryError
from server.message import Message
from server.policies import Retries
from server.tables import Delivery

__all__ = ["EMAIL", "DeliveryError", "DeliveryState", "Outbox", "Parcel", "enqueue", "list_deliveries", "retry_dead"]

log = logging.getLogger("driftline.server")

EMAIL = "email"
DELIVERIES = cast(Table, Delivery.__table__)
LONGEST_ANSWER = 500
MOST_SILENT = 4
"""Receivers that are waited for in vain, until a step is over: the lease is longer than that takes."""


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
            "thread": parcel.message.thread,
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
        stopped: nothing more is sent: a step that goes on ends after its present message.
    """

    database: Database
    send: Send
    retries: Retries = Retries(most=8, first=timedelta(seconds=30), longest=timedelta(hours=2))  # noqa: RUF009 - frozen
    lease: timedelta = timedelta(minutes=5)
    stopped: bool = False

    def step(self, now: datetime, most: int = 50) -> int:
        """Send what is due, at most so much; how many were sent.

        A receiver that does not answer is not asked again in this step, so that others need not wait for it.
        """
        sent, silent = 0, list[ColumnElement[bool]]()
        for _ in range(most):
            if self.stopped or len(silent) == MOST_SILENT or not (taken := self._take(now, silent)):
                break
            number, attempts, parcel = taken
            values, answered = self._delivered(parcel, attempts, now)
            sent += values["state"] == DeliveryState.SENT
            if not answered:
                silent.append(_same_receiver(parcel))
            with self.database.begin() as connection:
                mine = (DELIVERIES.c.id == number) & (DELIVERIES.c.attempts == attempts)
                connection.execute(update(DELIVERIES).where(mine).values(**values))
        return sent

    def forget(self, before: datetime) -> int:
        """Delete messages that were sent, or died, before that time; how many."""
        old = (DELIVERIES.c.state != DeliveryState.QUEUED) & (DELIVERIES.c.not_before < before)
        with self.database.begin() as connection:
            return connection.execute(delete(DELIVERIES).where(old)).rowcount

    def _take(self, now: datetime, silent: Sequence[ColumnElement[bool]]) -> tuple[int, int, Parcel] | None:
        """The first message that may be sent, but to none of these."""
        ready = (
            select(DELIVERIES)
            .where(DELIVERIES.c.state == DeliveryState.QUEUED, DELIVERIES.c.not_before <= now)
            .where(~OVERTAKES, ~or_(False, *silent))
            .order_by(DELIVERIES.c.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=DELIVERIES)
        )
        with self.database.begin() as connection:
            row = connection.execute(ready).mappings().first()
            if row is None:
                return None
            values = {"attempts": DELIVERIES.c.attempts + 1, "not_before": now + self.lease}
            connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == row["id"]).values(**values))
        return row["id"], row["attempts"] + 1, _parcel(row)

    def _delivered(self, parcel: Parcel, attempts: int, now: datetime) -> tuple[Mapping[str, Any], bool]:
        """What is to be written down, and whether somebody answered."""
        try:
            answer = self.send(parcel)
        except DeliveryError as error:
            wait = None if error.hopeless else self.retries.after(attempts)
            if wait is not None:
                wait = max(wait, min(error.after, self.retries.longest))
            return _failed(str(error), wait, now), True
        except OSError as error:
            return _failed(str(error) or type(error).__name__, self.retries.after(attempts), now), False
        except Exception as error:  # a bug, or a library's: it keeps no other message from being sent
            # Where it happened, and not its text, which may hold a secret.
            where = "".join(format_tb(error.__traceback__))
            log.error("a message to %s cannot be sent: %s\n%s", parcel.address, type(error).__name__, where)
            said = f"{type(error).__name__}, which the server's log explains"
            return _failed(said, self.retries.after(attempts), now), True
        # What was sent can be read again later; its picture was most of it.
        kept = replace(parcel.message, picture=None).as_json()
        return {"state": DeliveryState.SENT, "answer": answer[:LONGEST_ANSWER], "sent_at": now, "message": kept}, True


_earlier = DELIVERIES.alias("earlier")
OVERTAKES = (
    select(_earlier.c.id)
    .where(
        _earlier.c.address == DELIVERIES.c.address,
        _earlier.c.channel == DELIVERIES.c.channel,
        _earlier.c.thread == DELIVERIES.c.thread,
        _earlier.c.thread != "",
        _earlier.c.state == DeliveryState.QUEUED,
        _earlier.c.id < DELIVERIES.c.id,
    )
    .exists()
)
"""An earlier message of its thread is still to be sent."""


def _same_receiver(parcel: Parcel) -> ColumnElement[bool]:
    """All mail is handed to one server."""
    same = DELIVERIES.c.channel == parcel.channel
    return same if parcel.channel == EMAIL else same & (DELIVERIES.c.address == parcel.address)


def _failed(said: str, wait: timedelta | None, now: datetime) -> Mapping[str, Any]:
    state = DeliveryState.DEAD if wait is None else DeliveryState.QUEUED
    return {"state": state, "answer": said[:LONGEST_ANSWER], "not_before": now + (wait or timedelta())}


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
