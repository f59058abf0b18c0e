"""Receivers that fail, hang and answer twice: what they have kept comes again with the same id, and is kept once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from sqlalchemy import select

from server.channels.email import SmtpServer
from server.channels.webhook import SIGNATURE, TIMESTAMP, Webhook, verify
from server.database import Database
from server.message import Message
from server.outbox import DeliveryState, Outbox, Parcel, enqueue
from server.policies import Retries
from server.tables import Delivery
from tests.figures import figure
from tests.server.awkward import CLOSE, RESET, Awkward, awkward_http, awkward_smtp, said
from tests.server.conftest import NOW
from tests.server.test_channels import EVENT

MINUTE = timedelta(minutes=1)
LATE, BRIEF = 1.0, 0.3
"""Seconds that an answer is late, and that somebody waits who is to find it so."""


SLOWLY = tuple(step for letter in said("200 OK", "x" * 1_000).decode() for step in (letter.encode(), 0.1))


SECRET = "sUper-s3cret"


def parcels(*keys: str, channel: str = "integration", address: str = "ops", thread: str = "") -> list[Parcel]:
    return [Parcel(key, channel, address, Message(key, "text", thread=thread, event=EVENT)) for key in keys]


@pytest.fixture
def database(tmp_path) -> Database:
    made = Database(str(tmp_path / "registry.db"))
    made.upgrade()
    return made


def put(database: Database, *what: Parcel) -> None:
    with database.session() as session:
        enqueue(session, what, NOW)


def told(database: Database) -> dict[str, tuple[str, int, str | None]]:
    with database.reading() as session:
        return {each.dedupe_key: (each.state, each.attempts, each.answer) for each in session.scalars(select(Delivery))}


class Clock:
    """Lets an outbox send, a minute later each time."""

    def __init__(self, database: Database, send: Callable[[Parcel, Any], str]) -> None:
        self.now = NOW
        self.outbox = Outbox(database, lambda parcel: send(parcel, self.now), Retries(most=5, first=MINUTE))

    def step(self, times: int = 1) -> int:
        sent = 0
        for _ in range(times):
            sent += self.outbox.step(self.now)
            self.now += MINUTE
        return sent


def webhook(receiver: Awkward, patience: float = 10.0) -> Webhook:
    return Webhook(receiver.url, "s3cret", private=True, patience=patience)


def smtp(receiver: Awkward, patience: float = 10.0) -> SmtpServer:
    return SmtpServer("127.0.0.1", receiver.port, security="none", patience=patience)


def kept_by(receiver: Awkward, clock: Clock) -> list[str]:
    """What a receiver keeps that follows docs/server.md: it looks at the signature, and remembers ids."""
    kept: dict[str, Any] = {}
    for got in receiver.requests:
        signed = {"timestamp": got.headers[TIMESTAMP], "signature": got.headers[SIGNATURE]}
        came = datetime.fromtimestamp(int(got.headers[TIMESTAMP]), UTC)
        assert NOW <= came <= clock.now
        assert verify("s3cret", got.body, **signed, now=came)
        event = from_http_event(HTTPMessage(got.headers, got.body), JSONFormat())
        assert event.get_data() == EVENT["data"]
        kept.setdefault(event.get_id(), event)
    return list(kept)


LATE_ANSWERS: list[Any] = [(LATE, said("200 OK", "kept")), SLOWLY]
ANSWERS_THAT_ARE_LOST: dict[str, Any] = {
    "the connection breaks off": (RESET,),
    "it is closed without a word": (CLOSE,),
    "the answer breaks off": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nkep", RESET),
    "it comes too late": LATE_ANSWERS[0],
    "it comes byte by byte": LATE_ANSWERS[1],
    "it is no answer": (b"\x00\xff garbage\r\n\r\n", CLOSE),
    "it is one of another server": (said("502 Bad Gateway", "the proxy saw nothing"),),
}


@pytest.mark.parametrize("script", ANSWERS_THAT_ARE_LOST.values(), ids=list(ANSWERS_THAT_ARE_LOST))
def test_an_event_whose_answer_is_lost_comes_again_with_its_id_and_is_kept_once(database, script):
    with awkward_http(script, script) as receiver:
        put(database, *parcels("flights/1/ops"))
        clock = Clock(database, webhook(receiver, BRIEF if script in LATE_ANSWERS else 10.0).send)
        assert (clock.step(times=4), len(receiver.requests)) == (1, 3)
        assert kept_by(receiver, clock) == ["flights/1/ops"]
    assert told(database) == {"flights/1/ops": (DeliveryState.SENT, 3, "200 kept")}


def test_a_receiver_cannot_hold_a_sender_for_longer_than_its_patience():
    with awkward_http(SLOWLY) as receiver:
        begun = time.monotonic()
        with pytest.raises(TimeoutError, match=r"no answer within 0\.3 seconds"):
            webhook(receiver, BRIEF).send(parcels("a")[0], NOW)
    assert time.monotonic() - begun < 2


@pytest.mark.reliability
@pytest.mark.parametrize(
    "more", [said("500 Internal Server Error", "second"), b"garbage\r\n\r\n", said("200 OK", "stale") * 3]
)
def test_what_a_receiver_says_after_its_answer_is_nobodys_answer(database, more):
    with awkward_http((said("200 OK", "first") + more,), (said("503 Service Unavailable", "busy"),)) as receiver:
        put(database, *parcels("a", "b"))
        clock = Clock(database, webhook(receiver).send)
        assert clock.step() == 1
        assert told(database) == {"a": (DeliveryState.SENT, 1, "200 first"), "b": (DeliveryState.QUEUED, 1, "503 busy")}
        assert clock.step(times=2) == 1
        assert kept_by(receiver, clock) == ["a", "b"]
    figure("A webhook answers twice", f"2 events in {len(receiver.requests)} requests; the second answer is nobody's")


def test_a_receiver_that_hangs_is_waited_for_once_and_others_get_theirs_at_once(database):
    with awkward_http(*[(LATE, CLOSE)] * 9) as hanging, awkward_http() as other:
        put(database, *parcels("a", "b", "c"), *parcels("d", address="other"))
        ways: dict[str, Webhook] = {"ops": webhook(hanging, BRIEF), "other": webhook(other)}
        clock = Clock(database, lambda parcel, now: ways[parcel.address].send(parcel, now))
        assert clock.step() == 1
        assert (len(hanging.requests), len(other.requests)) == (1, 1)


@pytest.mark.reliability
def test_of_many_events_each_is_kept_once_whatever_becomes_of_the_answers(database):
    kinds = [*ANSWERS_THAT_ARE_LOST.values(), (said("503 Service Unavailable"),), (said("200 OK") + said("500 No"),)]
    scripts = [script for kind in kinds for script in (kind, (said("200 OK", "kept"),), kind)]
    keys = [f"{monitor}/{number}" for number in range(10) for monitor in ("flights", "credit", "orders")]
    with awkward_http(*scripts) as receiver:
        put(database, *(parcels(key, thread=key.partition("/")[0])[0] for key in keys))
        clock = Clock(database, webhook(receiver, BRIEF).send)
        while any(state == DeliveryState.QUEUED for state, _, _ in told(database).values()):
            clock.step()
        kept = kept_by(receiver, clock)
    assert sorted(kept) == sorted(keys)
    for monitor in ("flights", "credit", "orders"):  # each monitor's in their order
        own = [key for key in kept if key.startswith(monitor)]
        assert own == [key for key in keys if key.startswith(monitor)]
    assert {state for state, _, _ in told(database).values()} == {DeliveryState.SENT}
    lost = len(receiver.requests) - len(keys)
    assert lost > len(ANSWERS_THAT_ARE_LOST)
    figure(
        "A webhook's receiver keeps events; its answers break off, come too late, byte by byte, twice or not at all",
        f"{len(keys)} events of 3 monitors, {lost} sent again with the same id: {len(set(kept))} kept, 0 lost, 0 kept "
        "twice, each monitor's in their order",
    )


# ------------------------------------------------------------------------------------------------------------ e-mail


RECEIPTS_THAT_ARE_LOST = {
    "the connection breaks off": (RESET,),
    "it is closed without a word": (CLOSE,),
    "it comes too late": (LATE, CLOSE),
    "it is no answer": (b"nonsense\r\n", CLOSE),
    "it says that it was not taken": (b"451 try again\r\n",),
}


@pytest.mark.parametrize("script", RECEIPTS_THAT_ARE_LOST.values(), ids=list(RECEIPTS_THAT_ARE_LOST))
def test_a_mail_whose_receipt_is_lost_comes_again_with_its_message_id(database, script):
    with awkward_smtp(script) as receiver:
        put(database, *parcels("flights/1/ada", channel="email", address="ada@example.com"))
        assert Clock(database, smtp(receiver, BRIEF if LATE in script else 10.0).send).step(times=3) == 1
    first, again = receiver.mails
    assert first["Message-ID"] == again["Message-ID"]
    ((state, attempts, _),) = told(database).values()
    assert (state, attempts) == (DeliveryState.SENT, 2)


@pytest.mark.parametrize("more", [b"250 kept\r\n" * 2, b"250 kept\r\n550 no\r\n", b"250 kept\r\n\xff\r\n"])
def test_a_mail_that_was_taken_is_not_sent_again_whatever_else_is_said(database, more):
    with awkward_smtp((more,), (b"250 kept\r\n", RESET), (b"250 kept\r\n", LATE, CLOSE)) as receiver:
        put(database, *parcels("a", "b", "c", channel="email", address="ada@example.com"))
        assert Clock(database, smtp(receiver).send).step() == 3
    assert len(receiver.mails) == 3


@pytest.mark.reliability
def test_of_many_mails_each_arrives_and_those_that_come_twice_are_the_same(database):
    lost: list[Any] = [(RESET,), (CLOSE,), (LATE, CLOSE), (b"nonsense\r\n", CLOSE), (b"451 try again\r\n",)]
    taken: list[Any] = [(b"250 kept\r\n",), (b"250 kept\r\n250 kept\r\n",), (b"250 kept\r\n", RESET)]
    keys = [f"flights/{number}/ada" for number in range(20)]
    with awkward_smtp(*[script for pair in zip(lost * 3, taken * 5, strict=True) for script in pair]) as receiver:
        put(database, *(parcels(key, channel="email", address="ada@example.com", thread="flights")[0] for key in keys))
        clock = Clock(database, smtp(receiver, BRIEF).send)
        while any(state == DeliveryState.QUEUED for state, _, _ in told(database).values()):
            clock.step()
    subjects = list(dict.fromkeys(str(mail["Subject"]) for mail in receiver.mails))
    ids = {(mail["Subject"], mail["Message-ID"]) for mail in receiver.mails}
    assert subjects == keys  # in their order
    assert len(ids) == len(keys)
    again = len(receiver.mails) - len(keys)
    assert again >= len(lost * 3)
    figure(
        "A mail server takes mails, and breaks off, hangs, or says nonsense or too much instead of its receipt",
        f"{len(keys)} mails, {again} sent again with the same Message-ID, 0 lost; none again whose receipt came",
    )


def test_a_mail_server_that_is_away_is_waited_for_once_not_for_each_address(database):
    put(database, *(parcels(each, channel="email", address=f"{each}@example.com")[0] for each in "abc"))
    with awkward_smtp(*[(LATE, CLOSE)] * 9) as receiver:
        assert Clock(database, smtp(receiver, BRIEF).send).step() == 0
        assert len(receiver.mails) == 1


# ------------------------------------------------------------------------------------------------------------- order


def test_a_recovery_is_not_told_before_the_breach_that_is_still_on_its_way(database):
    with awkward_http((said("503 Service Unavailable"),)) as receiver:
        put(database, *parcels("breach", "recovery", thread="flights"), *parcels("other", thread="credit"))
        clock = Clock(database, webhook(receiver).send)
        clock.step(times=3)
        assert kept_by(receiver, clock) == ["breach", "other", "recovery"]
        came = [from_http_event(HTTPMessage(got.headers, got.body), JSONFormat()) for got in receiver.requests]
        assert [event.get_id() for event in came] == ["breach", "other", "breach", "recovery"]


def test_a_message_that_is_dead_holds_no_later_one_back(database):
    with awkward_http((said("404 Not Found"),)) as receiver:
        put(database, *parcels("breach", "recovery", thread="flights"))
        assert Clock(database, webhook(receiver).send).step(times=2) == 1
    assert [state for state, _, _ in told(database).values()] == [DeliveryState.DEAD, DeliveryState.SENT]


def test_a_message_that_a_library_chokes_on_keeps_no_other_from_being_sent(database, caplog):
    def send(parcel: Parcel, now: Any) -> str:
        del now
        if parcel.dedupe_key == "odd":
            raise KeyError(SECRET)
        return "ok"

    put(database, *parcels("odd", "fine"))
    assert Clock(database, send).step() == 1
    assert told(database)["odd"] == (DeliveryState.QUEUED, 1, "KeyError, which the server's log explains")
    assert "cannot be sent: KeyError" in caplog.text
    assert "in send" in caplog.text
    assert SECRET not in caplog.text


def test_sending_ends_after_the_message_that_is_on_its_way(database):
    put(database, *parcels("a", "b"))
    outbox = Outbox(database, lambda _: "ok")

    def send(_: Parcel) -> str:
        outbox.stopped = True
        return "ok"

    outbox.send = send
    assert (outbox.step(NOW), outbox.step(NOW)) == (1, 0)
