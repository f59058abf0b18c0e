"""Places that messages go to: kept with their secrets encrypted, and reached for real."""

from __future__ import annotations

import json
import socket
import stat
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest
from apprise.plugins import opsgenie, pagerduty
from cryptography.fernet import Fernet
from sqlalchemy import text

from server.channels.email import SmtpServer
from server.errors import RegistryError
from server.integrations import (
    Post,
    Provider,
    create_integration,
    delete_integration,
    list_integrations,
)
from server.integrations import (
    test_message as message_of_a_test,
)
from server.lineage_sinks import to_url
from server.message import Message, Severity
from server.outbox import DeliveryError, Parcel
from server.registry import Registry
from server.secrets import Vault
from tests.server.conftest import NOW
from tests.server.receivers import http_receiver

SECRET = "sUper-s3cret"


@pytest.fixture
def vault() -> Vault:
    return Vault.of(Fernet.generate_key().decode())


def keep(database, vault, name, provider, secret, **settings):
    with database.session() as session:
        create_integration(Registry(session, "test:ada", NOW), vault, name, provider, secret=secret, settings=settings)


def test_a_webhook_is_reached_and_its_secret_is_nowhere_to_be_read(database, vault):
    with http_receiver() as receiver:
        keep(database, vault, "ops", Provider.WEBHOOK, SECRET, url=receiver.url, allow_private=True)
        parcel = Parcel("k", "webhook", "ops", message_of_a_test("ops", NOW))
        assert Post(database, vault, None, NOW).send(parcel) == "200 said 200"
    assert json.loads(receiver.requests[0].body)["data"] == {"integration": "ops"}
    with database.engine.connect() as connection:
        rows = [
            str(connection.execute(text(f"SELECT * FROM {table}")).all()) for table in ("integrations", "audit_log")
        ]
    assert SECRET not in "".join(rows) + repr(Post(database, vault, None, NOW))


def test_apprise_reaches_what_it_knows(database, vault):
    with http_receiver() as receiver:
        keep(database, vault, "any", Provider.APPRISE, receiver.url.replace("http://", "json://"))
        parcel = Parcel("k", "apprise", "any", Message("subject", "text", severity=Severity.ERROR))
        assert "taken" in Post(database, vault, None, NOW).send(parcel)
    sent = json.loads(receiver.requests[0].body)
    assert (sent["title"], sent["message"], sent["type"]) == ("subject", "text", "failure")


def test_what_apprise_cannot_deliver_is_tried_again_and_said_without_secrets(database, vault):
    with http_receiver(500) as receiver:
        url = receiver.url.replace("http://", f"json://ada:{SECRET}@")
        keep(database, vault, "any", Provider.APPRISE, url)
        with pytest.raises(DeliveryError) as found:
            Post(database, vault, None, NOW).send(Parcel("k", "apprise", "any", Message("s", "t")))
    assert not found.value.hopeless
    assert SECRET not in str(found.value)


def test_a_recovery_resolves_the_incident_that_its_alert_opened(database, vault, monkeypatch):
    keep(database, vault, "pager", Provider.PAGERDUTY, "pagerduty://integrationkey@apikey")
    post = Post(database, vault, None, NOW)
    with http_receiver() as receiver:
        monkeypatch.setattr(
            pagerduty, "PAGERDUTY_API_LOOKUP", dict.fromkeys(pagerduty.PAGERDUTY_API_LOOKUP, receiver.url)
        )
        post.send(Parcel("1", "pagerduty", "pager", Message("breach", "t", thread="flights")))
        post.send(Parcel("2", "pagerduty", "pager", Message("fine again", "t", thread="flights", ended=True)))
    opened, closed = (json.loads(request.body) for request in receiver.requests)
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]


def test_opsgenie_closes_what_it_opened(database, vault, monkeypatch):
    keep(database, vault, "genie", Provider.OPSGENIE, "opsgenie://apikey")
    post = Post(database, vault, None, NOW)
    with http_receiver() as receiver:
        receiver.says = b'{"requestId": "1"}'
        monkeypatch.setattr(opsgenie, "OPSGENIE_API_LOOKUP", dict.fromkeys(opsgenie.OPSGENIE_API_LOOKUP, receiver.url))
        post.send(Parcel("1", "opsgenie", "genie", Message("breach", "t", thread="flights")))
    (opened,) = (json.loads(request.body) for request in receiver.requests)
    assert opened["alias"]


@pytest.mark.parametrize(
    ("provider", "secret"),
    [
        (Provider.SLACK, f"pagerduty://{SECRET}@x"),
        (Provider.PAGERDUTY, f"nonsense {SECRET}"),
        (Provider.APPRISE, SECRET),
    ],
)
def test_a_secret_that_cannot_be_right_is_said_without_it(database, vault, provider, secret):
    with pytest.raises(RegistryError, match=r"Apprise URL") as found:
        keep(database, vault, "x", provider, secret)
    assert SECRET not in str(found.value)


def test_names_are_unique_and_unknown_ones_are_said_with_near_ones(database, vault):
    keep(database, vault, "ops", Provider.WEBHOOK, "", url="https://example.com/hook")
    with pytest.raises(RegistryError, match="there already"):
        keep(database, vault, "ops", Provider.WEBHOOK, "", url="https://example.com/hook")
    with pytest.raises(RegistryError, match="did you mean ops"), database.session() as session:
        delete_integration(Registry(session, "a", NOW), "opps")
    with database.session() as session:
        delete_integration(Registry(session, "a", NOW), "ops")
        assert list_integrations(session) == []


@contextmanager
def dripping(begins: bytes) -> Generator[int]:
    """A server that begins a line and never ends it: a byte ten times a second."""
    door, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve() -> None:
        with suppress(OSError), door.accept()[0] as connection:
            connection.sendall(begins)
            while not ended.wait(0.1):
                connection.sendall(b"x")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield door.getsockname()[1]
    ended.set()
    door.close()
    thread.join(5)


@pytest.mark.parametrize("channel", ["json", "email", "openlineage"])
def test_who_drips_holds_up_nobody_for_long(database, vault, channel):
    started = time.monotonic()
    with dripping(b"220 " if channel == "email" else b"HTTP/1.1 200 OK\r\nX-More: ") as port:
        if channel == "openlineage":
            with pytest.raises(TimeoutError):
                to_url(f"http://127.0.0.1:{port}/", patience=0.5)([{}])
        else:
            keep(database, vault, "json", Provider.APPRISE, f"json://127.0.0.1:{port}/")
            post = Post(database, vault, SmtpServer("127.0.0.1", port, security="none"), NOW, patience=0.5)
            with pytest.raises(TimeoutError, match=r"no answer within 0\.5 seconds"):
                post.send(Parcel("k", channel, channel, Message("subject", "text")))
    assert time.monotonic() - started < 10


# --------------------------------------------------------------------------------------------------------- the vault


def test_a_key_of_its_own_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    file = tmp_path / "state" / "key"
    sealed = Vault.opened(file, None).seal(SECRET)
    assert Vault.opened(file, None).open(sealed) == SECRET
    assert SECRET not in sealed
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    with pytest.raises(RegistryError, match="chmod 600"):
        Vault.opened(file, None)


def test_a_key_can_be_changed_while_the_former_one_is_given_too():
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    sealed = Vault.of(old).seal(SECRET)
    assert Vault.of(f"{new}, {old}").open(sealed) == SECRET
    with pytest.raises(RegistryError, match="another key"):
        Vault.of(new).open(sealed)


def test_what_is_no_key_is_said_with_how_one_is_made():
    with pytest.raises(RegistryError, match="generate_key"):
        Vault.of("password123")


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/x", "http://[fe80::1]/x", "http://10.0.0.1/x", "https://127.0.0.1"]
)
def test_an_address_that_is_never_called_is_refused_before_it_is_kept(database, vault, url):
    with pytest.raises(RegistryError, match="the URL leads to"):
        keep(database, vault, "ops", Provider.WEBHOOK, SECRET, url=url, allow_private=False)
