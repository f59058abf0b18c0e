"""Nothing is lost, whatever receivers and senders do; what is told twice carries the same key."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.database import Database
from server.errors import RegistryError
from server.message import Message, Severity
from server.outbox import DeliveryError, DeliveryState, Outbox, Parcel, enqueue, retry_dead
from server.policies import Retries
from server.tables import Delivery
from tests.server.conftest import NOW

MINUTE = timedelta(minutes=1)
RETRIES = Retries(most=3, first=MINUTE)


def parcel(key: str = "a", **fields) -> Parcel:
    return Parcel(key, "email", "ada@example.com", Message("subject", "text", **fields))


def put(database: Database, *parcels: Parcel) -> int:
    with database.session() as session:
        return enqueue(session, parcels, NOW)


def states(database: Database) -> list[tuple[str, int, str | None]]:
    with database.reading() as session:
        return [(each.state, each.attempts, each.answer) for each in session.scalars(select(Delivery))]


def test_a_message_arrives_as_it_was_and_only_once(database):
    sent: list[Parcel] = []

    def send(each: Parcel) -> str:
        sent.append(each)
        return "250 ok"

    mine = parcel(html="<b>", picture=b"\x89PNG", severity=Severity.ERROR, thread="t", ended=True, event={"id": "1"})
    assert (put(database, mine, mine), put(database, mine)) == (1, 0)
    outbox = Outbox(database, send, RETRIES)
    assert (outbox.step(NOW), outbox.step(NOW + timedelta(days=1))) == (1, 0)
    assert sent == [mine]
    assert states(database) == [(DeliveryState.SENT, 1, "250 ok")]


def test_what_was_sent_is_kept_without_its_picture_and_forgotten_when_it_is_old(database):
    put(database, parcel("sent", picture=b"\x89PNG"), parcel("waits", picture=b"\x89PNG"))
    outbox = Outbox(database, lambda _: "ok", RETRIES)
    assert outbox.step(NOW, most=1) == 1
    with database.reading() as session:
        kept = {each.dedupe_key: each.message["picture"] for each in session.scalars(select(Delivery))}
    assert (kept["sent"], bool(kept["waits"])) == (None, True)
    year = timedelta(days=365)
    assert (outbox.forget(NOW), outbox.forget(NOW + year), outbox.forget(NOW + year)) == (0, 1, 0)
    assert outbox.step(NOW + year) == 1  # nothing is forgotten that is still to be sent


def test_a_receiver_that_fails_is_asked_again_later_each_time_and_then_no_more(database):
    tried: list[int] = []
    clock = NOW

    def send(_: Parcel) -> str:
        tried.append((clock - NOW) // MINUTE)
        raise DeliveryError("503 busy")

    put(database, parcel())
    outbox = Outbox(database, send, RETRIES)
    for minute in range(60):
        clock = NOW + minute * MINUTE
        outbox.step(clock)
    assert tried == [0, 1, 3, 7]
    assert states(database) == [(DeliveryState.DEAD, 4, "503 busy")]


def test_a_dead_message_can_be_sent_after_all(database):
    put(database, parcel())
    Outbox(database, lambda _: (_ for _ in ()).throw(DeliveryError("550 unknown", hopeless=True)), RETRIES).step(NOW)
    ((state, _, _),) = states(database)
    assert state == DeliveryState.DEAD
    with database.session() as session:
        retry_dead(session, session.scalar(select(Delivery.id)) or 0, NOW)
    assert Outbox(database, lambda _: "ok", RETRIES).step(NOW) == 1
    with pytest.raises(RegistryError, match="no dead delivery"), database.session() as session:
        retry_dead(session, 1, NOW)


def test_nobody_who_answers_is_no_reason_to_lose_a_message(database):
    put(database, parcel())
    Outbox(database, lambda _: (_ for _ in ()).throw(ConnectionRefusedError("refused")), RETRIES).step(NOW)
    assert states(database) == [(DeliveryState.QUEUED, 1, "refused")]


def test_a_sender_that_dies_before_it_wrote_down_is_followed_by_another(database):
    put(database, parcel())

    def die(_: Parcel) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Outbox(database, die, RETRIES).step(NOW)
    outbox = Outbox(database, lambda _: "ok", RETRIES)
    assert outbox.step(NOW + MINUTE) == 0  # it may still be at it
    assert outbox.step(NOW + 6 * MINUTE) == 1


def test_several_senders_share_the_messages(database_url, database):
    put(database, *(parcel(str(number)) for number in range(40)))
    sent: list[str] = []

    def work() -> None:
        own = Database(database_url)
        outbox = Outbox(own, lambda each: sent.append(each.dedupe_key) or "ok", RETRIES)
        for _ in range(5):
            outbox.step(NOW, most=4)
        own.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent, key=int) == [str(number) for number in range(40)]


def test_a_message_is_written_with_what_caused_it_or_not_at_all(database):
    def fail() -> None:
        with database.session() as session:
            enqueue(session, [parcel()], NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert states(database) == []
